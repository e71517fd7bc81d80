"""The gate on the outcomes of PopQA (`popqa`): part of `benchmarks/gate.py DATASET_DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import popqa
from common import print_table
from hoptrace.agents.calibrate import auroc, ece
from hoptrace.agents.gate import PRIORS
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.utility import Price, fit_gate, fit_scorer, oracle, realised, worth
from hoptrace.retrieval.metrics import bootstrap_ci

Tiers = tuple[tuple[str, ...], ...]
PRICE = Price(value=1.0, loss=0.0, retrieval=0.1)
SHARE, PAIRS, SEEDS = 0.5, 200, 3


def systems(log: Outcomes, seed: int, known: Tiers, paid: tuple[float, ...], popular: str) -> dict[str, dict[str, float]]:
    """Right answers, utility and retrievals of every choice, on entities that nothing was fitted on."""
    fitted, held = log.split(0.5, seed)
    rows: dict[str, dict[str, float]] = {}

    def add(name: str, choice: np.ndarray, utility: np.ndarray) -> None:
        at = (np.arange(len(held)), np.minimum(choice, len(held.actions) - 1))
        acted = choice < len(held.actions)
        spent = np.where(acted, held.cost[at], 0.0)
        right = held.right[at] & acted
        rows[name] = {"right": right.mean(), "utility": utility.mean(), "retrieved": (spent > 0).mean()}

    for a, action in enumerate(held.actions):
        fixed = np.full(len(held), a)
        add(f"always {action}", fixed, worth(held, fixed, PRICE))
    path, memory = (log.actions.index(name) for name in ("path", "internal"))
    for feature in (popular, "margin"):
        column = log.features.index(feature)
        seen = [np.where(np.isfinite(part.x[:, column]), part.x[:, column], -np.inf) for part in (fitted, held)]
        tried = np.unique(np.quantile(seen[0][np.isfinite(seen[0])], np.linspace(0, 1, 31)))
        gains = [worth(fitted, np.where(seen[0] < at, path, memory), PRICE).mean() for at in tried]
        chosen = np.where(seen[1] < tried[int(np.argmax(gains))], path, memory)
        add(f"{feature} threshold", chosen, worth(held, chosen, PRICE))
    some = fitted.take(np.random.default_rng(seed).permutation(len(fitted))[:PAIRS])
    tiers = [[name for name in tier if np.isfinite(some.x[:, log.features.index(name)]).any()] for tier in known]
    gate = fit_gate(some, tiers, price=PRICE, tier_cost=paid, priors=PRIORS)
    choice, _, tier = gate.choose(held)
    add("gate", choice, realised(gate, held))
    rows["gate"]["retrieved"] = float((np.maximum(np.append(gate.cost, 0.0)[choice], np.array(paid)[tier]) > 0).mean())
    rows["oracle"] = {"right": held.right.any(axis=1).mean(), "utility": oracle(held, PRICE).mean(), "retrieved": float("nan")}
    p = fit_scorer(some.only([name for tier in tiers[:2] for name in tier]))
    early = p(held.only(p.features).x, held.buckets)
    rows["gate"] |= {
        "auroc(internal)": auroc(early[:, memory], held.right[:, memory]),
        "ece(internal)": ece(early[:, memory], held.right[:, memory]),
        "ece(path)": ece(early[:, path], held.right[:, path]),
    }
    return {name: {key: float(value) for key, value in row.items()} for name, row in rows.items()}


def measure(dataset: Path, limit: int) -> dict[str, Any]:
    """The table of the folder over splits by entity, printed, and its figures."""
    log, known, paid, popular = popqa.outcomes(dataset, 0, limit=limit), popqa.TIERS, (0.0, 0.0), "popularity"
    print(f"{len(log)} questions; right: {dict(zip(log.actions, log.right.mean(axis=0).round(3).tolist(), strict=True))}")
    runs = [systems(log, seed, known, paid, popular) for seed in range(SEEDS)]
    found: dict[str, Any] = {}
    for name in runs[0]:
        found[name] = {key: round(float(np.mean([run[name][key] for run in runs])), 4) for key in runs[0][name]}
        found[name]["right_ci95"] = [round(at, 4) for at in bootstrap_ci([run[name]["right"] for run in runs])]
    print_table(
        ("system", "right", "utility", "retrieved"),
        [(name, *(f"{row[key]:.3f}" for key in ("right", "utility", "retrieved"))) for name, row in found.items()],
    )
    print(", ".join(f"{key} {value:.3f}" for key, value in found["gate"].items() if "(" in key))
    return {"n": len(log), "systems": found}


__all__ = ["measure"]
