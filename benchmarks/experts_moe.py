"""Part of `benchmarks/experts.py`: a tiny mixture of experts, trimmed by what 25 demonstrations of a domain say."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from experts_common import Check
from hoptrace.agents.experts.select import importance
from hoptrace.agents.experts.select import prune as trimmed
from tiny_models import Facts, Tiny, batches, facts, fit, last_loss, recalled

EXPERTS, DOMAINS, DEMOS, SEEDS = 8, 4, 25, 3


def mixture(seed: int, own_names: bool) -> tuple[Any, Facts]:
    """A mixture that knows four domains (relations) of facts, about the same entities or each about its own."""
    torch.manual_seed(seed)
    world = facts(300, DOMAINS, 40, seed)
    if own_names:
        worlds = [facts(300, 1, 40, DOMAINS * seed + domain) for domain in range(DOMAINS)]
        size = worlds[0].vocabulary
        tokens = np.concatenate([one.tokens + domain * size for domain, one in enumerate(worlds)])
        world = Facts(tokens, np.repeat(np.arange(DOMAINS), 300), DOMAINS * size, 40)
    model = Tiny(world.vocabulary, d=32, inner=16, experts=EXPERTS)
    draw = batches(world.tokens, 240, seed)
    fit(model, lambda _: last_loss(model, draw()).mean() + 0.01 * sum(x.feed.balance for x in model.layers), 900, 1e-2)
    return model, world


def accuracy(model: Any, ids: np.ndarray, kept: list[np.ndarray] | None = None) -> float:
    """Share recalled with these experts of each layer (None: all)."""
    for at, layer in enumerate(model.layers):
        layer.feed.allowed = torch.zeros(EXPERTS, dtype=torch.bool)
        layer.feed.allowed[torch.as_tensor(kept[at]) if kept else slice(None)] = True
    right = float(recalled(model, ids).mean())
    for layer in model.layers:
        layer.feed.allowed = torch.ones(EXPERTS, dtype=torch.bool)
    return right


def prune() -> tuple[list[Check], dict[str, Any]]:
    """Accuracy with a share of the experts, where domains share their entities and where each has its own."""
    checks, figures = [], {}
    for own_names in (False, True):
        name = "own entities" if own_names else "shared entities"
        means, wins = trimmed_accuracy(own_names)
        gain = means["importance 6"] - means["frequency 6"]
        checks.append(Check(f"6 of 8 kept, over frequency, {name}", f"{100 * gain:+.1f} points", ">= +3", gain >= 0.03))
        figures[name] = {"accuracy": means, "not_worse_in": f"{wins} of {SEEDS * DOMAINS}"}
    return checks, figures | {"seeds": SEEDS}


def trimmed_accuracy(own_names: bool) -> tuple[dict[str, float], int]:
    """Accuracy on a domain with 6 and with 4 of 8 experts, chosen by importance, by calls, or by chance, mean over domains and
    seeds; and in how many domains importance was no worse than calls with 6."""
    table: dict[str, list[list[float]]] = {}
    for seed in range(SEEDS):
        model, world = mixture(seed, own_names)
        rng = np.random.default_rng(seed)
        for domain in range(DOMAINS):
            mine = rng.permutation(world.tokens[world.relation == domain])
            demos, rest = mine[:DEMOS], mine[DEMOS:]
            table.setdefault("all 8", []).append([accuracy(model, rest)])
            recalled(model, demos)
            seen = [dict(layer.feed.seen) for layer in model.layers]
            for count in (6, 4):
                scores = {
                    "importance": [importance(**one) for one in seen],
                    "frequency": [(one["gates"] > 0).sum(axis=0) for one in seen],
                    "random": [rng.random(EXPERTS) for _ in seen],
                }
                for rule, layers in scores.items():
                    kept = [trimmed(one, count / EXPERTS) for one in layers]
                    table.setdefault(f"{rule} {count}", []).append([accuracy(model, rest, kept)])
    means = {rule: round(float(np.mean(values)), 3) for rule, values in table.items()}
    wins = sum(a[0] >= b[0] for a, b in zip(table["importance 6"], table["frequency 6"], strict=True))
    return means, int(wins)
