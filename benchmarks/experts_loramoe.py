"""Part of `benchmarks/experts.py`: a student learns to choose between two pieces of evidence, and forgets facts."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from experts_common import Check
from hoptrace.agents.experts.adapters import add_loramoe, localized_balance_loss, make_adapter
from tiny_models import Facts, Tiny, batches, facts, fit, last_loss, recalled

SEEDS, STEPS, BATCH, REPLAY, RATE = 3, 500, 100, 0.2, 5e-3


def evidence(world: Facts, count: int, rng: np.random.Generator) -> np.ndarray:
    """Questions with two values, of which the one behind the good mark is right: int64 [count, 8]."""
    asked = world.tokens[rng.integers(len(world.tokens), size=count)]
    first = int(world.tokens[:, 2].max()) + 1 + world.values * (asked[:, 2] - int(world.tokens[:, 2].min()))
    values = first[:, None] + rng.integers(world.values, size=(count, 2))
    good = rng.integers(2, size=count)
    marks = np.stack([good, 1 - good], 1) + world.vocabulary
    right = values[np.arange(count), good]
    said = np.stack([marks[:, 0], values[:, 0], marks[:, 1], values[:, 1]], 1)
    return np.column_stack([said, asked[:, :3], right])


def taught(student: Any, world: Facts, kept: np.ndarray, kind: str, seed: int) -> Any:
    """The student after it learned the skill, with facts of `kept` replayed, by one way of adapting it."""
    torch.manual_seed(seed)
    rng, model, layers = np.random.default_rng(seed), copy.deepcopy(student), []
    if kind == "lora":
        model = make_adapter(model, "lora", 16)
    elif kind.startswith("loramoe"):
        layers = add_loramoe(model, n=4, r=4)
    replay, shown = batches(world.tokens[kept], round(REPLAY * BATCH), seed), round((1 - REPLAY) * BATCH)

    def loss(_: int) -> Any:
        total = (1 - REPLAY) * last_loss(model, evidence(world, shown, rng)).mean()
        balance = localized_balance_loss(layers, torch.ones(shown, dtype=torch.bool)) if kind == "loramoe + balance" else 0.0
        total = total + REPLAY * last_loss(model, replay()).mean()
        if kind == "loramoe + balance":
            balance = balance + localized_balance_loss(layers, torch.zeros(round(REPLAY * BATCH), dtype=torch.bool))
        return total + balance

    fit(model, loss, STEPS, RATE, decay=0.0)
    return model


def loramoe() -> tuple[list[Check], dict[str, Any]]:
    """Facts that were not replayed and are still known, and the skill, after each way."""
    table: dict[str, list[list[float]]] = {}
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        world, rng = facts(300, 2, 40, seed), np.random.default_rng(seed)
        student = Tiny(world.vocabulary + 2)
        draw = batches(world.tokens, 200, seed)
        fit(student, lambda _, student=student, draw=draw: last_loss(student, draw()).mean(), 400, 5e-3)
        kept = rng.random(len(world.tokens)) < 0.5
        table.setdefault("before", []).append([float(recalled(student, world.tokens[~kept]).mean()), 0.0, 0.0])
        for kind in ("full", "lora", "loramoe", "loramoe + balance"):
            model = taught(student, world, kept, kind, seed)
            known = float(recalled(model, world.tokens[~kept]).mean())
            skill = float(recalled(model, evidence(world, 500, rng)).mean())
            size = sum(p.numel() for p in model.parameters() if p.requires_grad)
            table.setdefault(kind, []).append([known, skill, size])
    means = {kind: [round(float(x), 3) for x in np.mean(rows, axis=0)] for kind, rows in table.items()}
    gains = [a[0] - b[0] for a, b in zip(table["loramoe"], table["lora"], strict=True)]
    gain, skill = float(np.mean(gains)), means["loramoe"][1]
    sizes = means["loramoe"][2] / means["lora"][2]
    checks = [
        Check("facts kept over one LoRA", f"{gain:+.2f}", ">= +0.10", gain >= 0.1),
        Check("skill", f"{skill:.3f}", ">= 0.98", skill >= 0.98),
        Check("parameters over one LoRA's", f"{sizes:.2f}", "0.85 to 1.15", 0.85 <= sizes <= 1.15),
    ]
    return checks, {"kept_skill_parameters": means, "gains": [round(x, 3) for x in gains], "seeds": SEEDS}
