"""Parts of `benchmarks/experts.py`: two adapters fused, a layer split, KaSA beside LoRA, all on students trained here."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from experts_common import Check
from hoptrace.agents.experts.adapters import checksum, kasa_penalty, make_adapter
from hoptrace.agents.experts.deltas import fuse as fused
from hoptrace.agents.experts.slices import add_slices, warm_router
from tiny_models import Facts, Tiny, batches, facts, fit, last_loss, nats

SEEDS, RANK, STEPS = 3, 8, 300


def student(seed: int) -> tuple[Any, Facts]:
    """A student that knows relations 0 and 1 of four, and of the others which values there are, but not whose."""
    torch.manual_seed(seed)
    world, rng = facts(200, 4, 40, seed), np.random.default_rng(seed)
    model, draw = Tiny(world.vocabulary), batches(world.tokens, 400, seed)

    def shown() -> np.ndarray:
        rows = draw().copy()
        for relation in (2, 3):
            of_it = rows[:, 2] == world.tokens[relation, 2]
            rows[of_it, 3] = rng.choice(world.tokens[world.relation == relation, 3], size=of_it.sum())
        return rows

    fit(model, lambda _: last_loss(model, shown()).mean(), 300, 5e-3)
    return model, world


def adapted(model: Any, rows: np.ndarray, kind: Any, seed: int) -> Any:
    """The student with an adapter that learned these facts."""
    torch.manual_seed(seed)
    learner = make_adapter(copy.deepcopy(model), kind, RANK)
    draw = batches(rows, 100, seed)
    extra = kasa_penalty if kind == "kasa" else lambda _: 0.0
    fit(learner, lambda _: last_loss(learner, draw()).mean() + extra(learner), STEPS, 5e-3, decay=0.0)
    return learner


def delta(learner: Any) -> dict[str, np.ndarray]:
    """What an adapter adds to each matrix."""
    layers = {name: layer for name, layer in learner.named_modules() if hasattr(layer, "lora_A")}
    return {name: layer.get_delta_weight("default").detach().numpy() for name, layer in layers.items()}


def with_delta(model: Any, change: dict[str, np.ndarray]) -> Any:
    """A copy of the student with what an adapter adds."""
    changed = copy.deepcopy(model)
    for name, matrix in change.items():
        changed.get_submodule(name.removeprefix("base_model.model.")).weight.data += torch.as_tensor(matrix, dtype=torch.float32)
    return changed


def fuse() -> tuple[list[Check], dict[str, Any]]:
    """Loss on two relations after each was learned by its own adapter and the two were fused."""
    settings: dict[str, dict[str, Any]] = {
        "fuse": {},
        "fuse without drop": {"drop": 0.0},
        "sum": {"normalise": False, "drop": 0.0, "erase": False},
    }
    table: dict[str, list[list[float]]] = {}
    for seed in range(SEEDS):
        model, world = student(seed)
        rows = [world.tokens[world.relation == relation] for relation in (2, 3)]
        learners = [adapted(model, some, "lora", seed) for some in rows]
        pair = list(zip(learners, rows, strict=True))
        table.setdefault("single", []).append([float(nats(learner, some).mean()) for learner, some in pair])
        for name, options in settings.items():
            for weight in (1.0, 0.5):
                both = with_delta(model, fused([delta(one) for one in learners], (weight, weight), **options, seed=seed))
                table.setdefault(f"{name}, {weight}", []).append([float(nats(both, some).mean()) for some in rows])
        table.setdefault("none", []).append([float(nats(model, some).mean()) for some in rows])
    means = {name: [round(float(x), 3) for x in np.mean(values, axis=0)] for name, values in table.items()}
    ratio = max(np.array(means["fuse, 1.0"]) / means["single"])
    worse, plain = max(means["fuse, 1.0"]), min(max(means["sum, 1.0"]), max(means["sum, 0.5"]))
    checks = [
        Check("fused loss over the single adapter's", f"{ratio:.2f}x", "<= 1.15x", bool(ratio <= 1.15)),
        Check("worse relation, fused against plain sum", f"{worse:.2f} and {plain:.2f} nats", "less", worse < plain),
    ]
    return checks, {"nats_of_two_relations": means, "seeds": SEEDS}


def split() -> tuple[list[Check], dict[str, Any]]:
    """What a student loses when half of its slices work for each token, chosen by a warmed router or by chance."""
    rows: list[list[float]] = []
    same, frozen = True, True
    for seed in range(SEEDS):
        model, world = student(seed)
        known = world.tokens[world.relation < 2]
        before, weights = nats(model, known), checksum(model)
        layers = add_slices(model, 8)
        same &= bool(np.array_equal(before, nats(model, known)))
        chance = [float(nats(by_chance(model), known).mean()) for _ in range(5)]
        draw = batches(known, 200, seed)
        model.train()
        warm_router(layers, lambda model=model, draw=draw: last_loss(model, draw()).mean(), 300, 4)
        rows.append([float(before.mean()), float(nats(model, known).mean()), float(np.mean(chance))])
        for parent in model.layers:
            parent.feed = parent.feed.base
        frozen &= checksum(model) == weights
    whole, warmed, chance_mean = (round(float(x), 4) for x in np.mean(rows, axis=0))
    checks = [
        Check("outputs with all slices", "the same" if same else "changed", "<= 1e-5", same),
        Check("loss with half, after warm-up", f"{warmed:.3f} of {whole:.3f} nats", "<= +10 %", warmed <= 1.1 * whole),
        Check("the same, against random halves", f"{warmed:.3f} and {chance_mean:.3f} nats", "less", warmed < chance_mean),
        Check("shared weights to the bit", "kept" if frozen else "changed", "kept", frozen),
    ]
    return checks, {"nats": {"all": whole, "warmed half": warmed, "random half": chance_mean}, "seeds": SEEDS}


def by_chance(model: Any) -> Any:
    """A copy in which each token gets half of the slices at random."""
    copied = copy.deepcopy(model)
    for layer in copied.layers:
        layer.feed.active = 4
        torch.nn.init.normal_(layer.feed.router.weight)
    return copied


def kasa() -> tuple[list[Check], dict[str, Any]]:
    """KaSA beside LoRA of the same rank on one relation, and whether the guard sees that the base was altered."""
    table: dict[str, list[float]] = {"lora": [], "kasa": []}
    guard, alone, beside = True, [], []
    for seed in range(SEEDS):
        model, world = student(seed)
        rows = world.tokens[world.relation == 2]
        for kind, losses in table.items():
            losses.append(float(nats(adapted(model, rows, kind, seed), rows).mean()))
        sums = {kind: checksum(make_adapter(copy.deepcopy(model), kind, RANK)) for kind in ("lora", "kasa")}
        guard &= sums["lora"] == checksum(model) != sums["kasa"]
        alone.append(regularised(model, rows, seed, 0.0))
        beside.append(regularised(model, rows, seed, 1.0))
    means = {kind: round(float(np.mean(losses)), 4) for kind, losses in table.items()}
    falls = [float(np.mean([1 - after / before for before, after in some])) for some in (alone, beside)]
    ratio = means["kasa"] / means["lora"]
    checks = [
        Check("guard sees an altered base, and no other", "yes" if guard else "no", "yes", guard),
        Check("|A A' - I| after 200 steps of the penalty alone", f"{-100 * falls[0]:+.0f} %", "<= -50 %", falls[0] >= 0.5),
        Check("the same, beside the loss of the task", f"{-100 * falls[1]:+.0f} %", "<= -50 %", falls[1] >= 0.5),
        Check("KaSA's loss over LoRA's", f"{ratio:.2f}x" + ("" if ratio < 1 else ": no gain"), "<= 1.05x", ratio <= 1.05),
    ]
    distances = {"alone": [[round(x, 3) for x in one] for one in alone], "beside": [[round(x, 3) for x in one] for one in beside]}
    return checks, {"nats": means, "distances": distances, "seeds": SEEDS}


def regularised(model: Any, rows: np.ndarray, seed: int, task: float) -> tuple[float, float]:
    """Mean distance of A A' from the identity before and after 200 steps with KaSA's penalty at peft's own weights."""
    torch.manual_seed(seed)
    learner = make_adapter(copy.deepcopy(model), "kasa", RANK)
    factors = [layer.lora_A["default"].weight for layer in learner.modules() if hasattr(layer, "lora_A")]

    def distance() -> float:
        return float(np.mean([float((a @ a.T - torch.eye(len(a))).norm().detach()) for a in factors]))

    before, draw = distance(), batches(rows, 100, seed)
    fit(learner, lambda _: task * last_loss(learner, draw()).mean() + kasa_penalty(learner), 200, 5e-3, decay=0.0)
    return before, distance()
