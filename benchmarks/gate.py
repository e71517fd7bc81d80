"""When does retrieval pay: `python benchmarks/gate.py [DATASET_DIR [--skip N] [--limit N]] [--seeds N] [--small]`.

On a `TinyWorld` a student is really trained for each seed; facts are split by entity. Side by side: never retrieving, always,
a threshold on popularity and one on the margin of a draft (both chosen on the part that the gate is fitted on), the gate by
rules, the gate fitted on 50 and on all pairs, and the best that any choice could do. Utility is 1 for a right answer less 0.10
for each retrieval. Then: calibration, abstention with a guarantee, budgets, opinions fused, and the shadow block. With a folder,
the agent is asked over its graph, by its gate and by each fixed choice (`gate_asked`); PopQA has a log of its own (`gate_graph`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gate_asked
import gate_graph
import numpy as np
from common import commit, peak_mb, percentiles, print_result, print_table
from hoptrace.agents import testbed
from hoptrace.agents.calibrate import aurc, auroc, ece, threshold
from hoptrace.agents.experts.causal import train_student
from hoptrace.agents.frontier import bought
from hoptrace.agents.opinion import combine
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.overshadow import predicted_rate
from hoptrace.agents.utility import Price, UtilityGate, fit_gate, fit_scorer, oracle, realised, within, worth
from hoptrace.kg.synth import TinyWorld

PRICE = Price(value=1.0, loss=0.0, retrieval=0.10)
PAIRS = 50
ERRORS, SPLITS, DELTA, CALIBRATED = (0.10, 0.05), 200, 0.1, 400
FIRES = 0.02  # nats by which the condition must make an answer less likely
Tiers = tuple[tuple[str, ...], ...]


def by_threshold(fitted: Outcomes, held: Outcomes, feature: str) -> np.ndarray:
    """Utility of retrieving below a threshold that is best on the fitted part."""
    column = fitted.features.index(feature)
    tried = np.quantile(fitted.x[:, column], np.linspace(0, 1, 51))
    gains = [worth(fitted, (fitted.x[:, column] < at).astype(np.int64), PRICE).mean() for at in tried]
    best = tried[int(np.argmax(gains))]
    return worth(held, (held.x[:, column] < best).astype(np.int64), PRICE)


def by_rule(held: Outcomes) -> np.ndarray:
    """What needs no outcome: retrieve what the store covers unless the draft is sure."""
    covered, margin = (held.x[:, held.features.index(name)] for name in ("covered", "margin"))
    return ((covered > 0.5) & (margin < 0.9)).astype(np.int64)


def fit(outcomes: Outcomes, tiers: Tiers, paid: tuple[float, ...]) -> UtilityGate:
    return fit_gate(outcomes, tiers, price=PRICE, tier_cost=paid, priors={"internal": 0.5, "path": 0.6, "verify": 0.6})


def gates(both: Outcomes, tiers: Tiers, paid: tuple[float, ...], popularity: str, seed: int) -> dict[str, dict[str, float]]:
    """Utility and share of retrievals of every system, on entities that nothing was fitted on."""
    fitted, held = both.split(0.5, seed)
    n = len(held)
    few = fitted.take(np.random.default_rng(seed).permutation(len(fitted))[:PAIRS])
    rows: dict[str, dict[str, float]] = {}

    def add(name: str, utility: np.ndarray, retrieved: float) -> None:
        rows[name] = {"utility": float(utility.mean()), "retrieved": retrieved}

    add("never", worth(held, np.zeros(n, np.int64), PRICE), 0.0)
    add("always", worth(held, np.ones(n, np.int64), PRICE), 1.0)
    add("popularity threshold", by_threshold(fitted, held, popularity), float("nan"))
    add("margin threshold", by_threshold(fitted, held, "margin"), float("nan"))
    ruled = by_rule(held)
    add("rule, untrained", worth(held, ruled, PRICE), float(ruled.mean()))
    for name, part in ((f"gate, {PAIRS} pairs", few), ("gate", fitted)):
        gate = fit(part, tiers, paid)
        choice, _, _ = gate.choose(held)
        spent = np.append(gate.cost, 0.0)[choice]
        add(name, realised(gate, held), float((spent > 0).mean()))
    add("oracle", oracle(held, PRICE), float("nan"))
    return rows


def calibration(both: Outcomes, seed: int) -> dict[str, float]:
    """Of each action, with at most 200 pairs: expected calibration error, AUROC, area under risk and coverage."""
    fitted, held = both.split(0.5, seed)
    some = fitted.take(np.random.default_rng(seed).permutation(len(fitted))[:200])
    p = fit_scorer(some)(held.x, held.buckets)
    found: dict[str, float] = {}
    for a, action in enumerate(both.actions):
        found[f"ece({action})"] = ece(p[:, a], held.right[:, a])
        found[f"auroc({action})"] = auroc(p[:, a], held.right[:, a])
        found[f"aurc({action})"] = aurc(p[:, a], held.right[:, a])
    return found


def abstention(both: Outcomes, tiers: Tiers, paid: tuple[float, ...], error: float) -> dict[str, float]:
    """Over splits by entity: how often the error asked for is exceeded, and what is answered, beside a naive cut-off."""
    violated, answered, naive_violated, naive_answered = [], [], [], []
    fitted, rest = both.split(0.3, 0)
    gate = fit(fitted, tiers, paid)
    _, grid, _ = gate.choose(fitted)
    grid = np.unique(np.quantile(grid, np.linspace(0, 1, 101)))
    choice, sure, _ = gate.choose(rest)
    right = rest.right[np.arange(len(rest)), np.minimum(choice, len(rest.actions) - 1)]
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(rest))
        own, new = order[:CALIBRATED], order[CALIBRATED:]
        kept = threshold(sure[own], right[own], error, grid, DELTA)
        naive = next(
            (at for at in grid if (own_kept := sure[own] >= at).any() and right[own][own_kept].mean() >= 1 - error), np.inf
        )
        for at, bad, said in ((kept, violated, answered), (naive, naive_violated, naive_answered)):
            shown = sure[new] >= at
            said.append(float(shown.mean()))
            bad.append(bool(shown.any()) and float(1 - right[new][shown].mean()) > error)
    return {
        "violated": float(np.mean(violated)),
        "answered": float(np.mean(answered)),
        "naive_violated": float(np.mean(naive_violated)),
        "naive_answered": float(np.mean(naive_answered)),
    }


def budgets(both: Outcomes, tiers: Tiers, paid: tuple[float, ...], seed: int) -> list[dict[str, float]]:
    """Retrievals for a question that were allowed and used, and what they were worth in right answers."""
    fitted, rest = both.split(0.4, seed)
    own, held = rest.split(0.5, seed)
    gate, rows = fit(fitted, tiers, paid), []
    for share in (0.1, 0.2, 0.3, 0.5, 0.8):
        at = bought(within(gate, own, share), held, PRICE, share)
        rows.append({"budget": share, "used": at.retrievals, "right": at.right})
    return rows


def fused(world: TinyWorld, student: Any, both: Outcomes, seed: int) -> dict[str, float]:
    """Accuracy and risk-coverage area of student, store, their average, and their opinions combined."""
    train, _ = both.split(0.5, seed)
    own, found = both.only(("told", "margin", "entropy")), both.only(("covered", "aliases", "share", "gap"))
    inside = np.isin(both.groups, train.groups)
    p = np.stack([fit_scorer(part.take(inside))(part.x, part.buckets)[:, a] for a, part in ((0, own), (1, found))], axis=1)
    held = np.flatnonzero(~inside)
    students, stores = testbed.opinions(world, student, p, seed)
    truth = [str(value) for value in world.values]
    results: dict[str, float] = {}

    def add(name: str, best: list[tuple[str, float]]) -> None:
        right = np.array([said == truth[i] for (said, _), i in zip(best, held)])
        results[f"accuracy({name})"] = float(right.mean())
        results[f"aurc({name})"] = aurc(np.array([sure for _, sure in best]), right)

    add("student", [students[i].best for i in held])
    add("store", [stores[i].best for i in held])
    averaged = []
    for i in held:
        names = tuple(dict.fromkeys((*students[i].candidates, *stores[i].candidates)))
        one, two = (o.over(names) / max(1 - o.uncertainty, 1e-9) for o in (students[i], stores[i]))
        mean = (one + two) / 2
        averaged.append((names[int(mean.argmax())], float(mean.max())))
    add("average", averaged)
    add("dempster", [combine([students[i], stores[i]]).best for i in held])
    add("logpool", [combine([students[i], stores[i]], "logpool").best for i in held])
    engaged = [combine([students[i], stores[i]]).best if students[i].uncertainty > 0.2 else students[i].best for i in held]
    add("engaged", engaged)
    results["calls(engaged)"] = float(np.mean([students[i].uncertainty > 0.2 for i in held]))
    return results


def shadow(world: TinyWorld, student: Any) -> dict[str, float]:
    """How well the shadow score tells overshadowed answers from right ones, and how often it fires on right dominant ones."""
    found = testbed.shadowed(world, student)
    bad = found["shadowed"]
    rates = [found["shadowed"][world.ratio == ratio].mean() for ratio in np.unique(world.ratio)]
    scores = {name: np.concatenate([found[name][:, 1][bad], found[name][found["right"]]]) for name in ("score", "entropy")}
    kind = np.concatenate([np.ones(int(bad.sum())), np.zeros(int(found["right"].sum()))]) > 0
    return {
        "auroc(score)": auroc(scores["score"], kind),
        "auroc(entropy)": auroc(scores["entropy"], kind),
        "fires on dominant": float((found["score"][:, 0][found["right"][:, 0]] > FIRES).mean()),
        "fires on shadowed": float((found["score"][:, 1][bad] > FIRES).mean()) if bad.any() else float("nan"),
        "shadowed": float(bad.mean()),
        "r2": predicted_rate(np.unique(world.ratio).astype(np.float64), np.array(rates))[2],
    }


def overhead(gate: UtilityGate, held: Outcomes) -> dict[str, float]:
    """Milliseconds that one decision takes."""
    spent = []
    for i in range(300):
        one = held.take(np.array([i % len(held)]))
        begun = time.perf_counter()
        gate.choose(one)
        spent.append((time.perf_counter() - begun) * 1000)
    return percentiles(spent)


def over_seeds(run: Callable[[int], dict[str, float]], seeds: int) -> dict[str, Any]:
    """Means over seeds, with the smallest and the largest."""
    runs = [run(seed) for seed in range(seeds)]
    return {
        name: {
            "mean": round(float(np.mean([r[name] for r in runs])), 4),
            "range": [round(float(min(r[name] for r in runs)), 4), round(float(max(r[name] for r in runs)), 4)],
        }
        for name in runs[0]
    }


def show(title: str, found: dict[str, Any]) -> None:
    print(f"\n{title}")
    print_table(
        ("", "mean", "range"),
        [(name, f"{one['mean']:.3f}", "{:.3f} to {:.3f}".format(*one["range"])) for name, one in found.items()],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, nargs="?", help="a folder with passages and questions, in place of the world")
    parser.add_argument("--limit", type=int, default=1000, help="questions of the folder")
    parser.add_argument("--skip", type=int, default=0, help="questions of the folder to leave out before them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="a small world, to see that it runs")
    options = parser.parse_args()
    if options.dataset:
        name, folder = options.dataset.resolve().name, options.dataset
        measured = (
            gate_graph.measure(folder, options.limit)
            if name == "popqa"
            else gate_asked.measure(folder, options.skip, options.limit)
        )
        print_result({"benchmark": "gate", "dataset": name, **measured, "peak_mb": peak_mb(), "commit": commit()})
        return
    print_result(on_worlds([TinyWorld.small(seed) if options.small else TinyWorld.full(seed) for seed in range(options.seeds)]))


def on_worlds(worlds: list[TinyWorld]) -> dict[str, Any]:
    """All measures, printed, and their figures."""
    students = [train_student(world, seed=seed) for seed, world in enumerate(worlds)]
    logs = [testbed.outcomes(world, student, seed) for seed, (world, student) in enumerate(zip(worlds, students))]
    for seed, log in enumerate(logs):
        rates = ", ".join(f"{action} {rate:.3f}" for action, rate in zip(log.actions, log.right.mean(axis=0)))
        print(f"seed {seed}: {len(log)} questions; right: {rates}")
    two, seeds = [log.pick(("internal", "path")) for log in logs], len(worlds)
    tiers, paid = testbed.TIERS[:2], testbed.PROBE[:2]
    systems = {
        "internal, path": choices("internal, path", two, tiers, paid),
        "with verify and probe": choices("with verify and probe", logs, testbed.TIERS, testbed.PROBE),
    }
    parts = {
        "calibration": over_seeds(lambda seed: calibration(two[seed], seed), seeds),
        "fusion": over_seeds(lambda seed: fused(worlds[seed], students[seed], logs[seed], seed), seeds),
        "shadow": over_seeds(lambda seed: shadow(worlds[seed], students[seed]), seeds),
    }
    for error in ERRORS:
        parts[f"abstention at {error}"] = over_seeds(lambda seed, e=error: abstention(two[seed], tiers, paid, e), seeds)
    for title, found in parts.items():
        show(title, found)
    frontier = budgets(two[0], tiers, paid, 0)
    print("\nbudget of retrievals, seed 0")
    print_table(("budget", "used", "right"), [tuple(f"{v:.3f}" for v in row.values()) for row in frontier])
    latency = overhead(fit(two[0], tiers, paid), two[0])
    print(f"a decision takes p50 {latency['p50']} ms, p95 {latency['p95']} ms")
    result = {"benchmark": "gate", "dataset": "tinyworld", "n": sum(map(len, logs)), "systems": systems, **parts}
    return {**result, "budgets": frontier, "latency_ms": latency, "peak_mb": peak_mb(), "commit": commit()}


def choices(title: str, logs: list[Outcomes], tiers: Tiers, paid: tuple[float, ...]) -> dict[str, Any]:
    """The table of all systems over seeds."""
    runs = [gates(log, tiers, paid, "told", seed) for seed, log in enumerate(logs)]
    table = {system: over_seeds(lambda seed, at=system: runs[seed][at], len(logs)) for system in runs[0]}
    print(f"\n{title}")
    cells = [
        (system, *(f"{v[k]['mean']:.3f} [{v[k]['range'][0]:.3f}, {v[k]['range'][1]:.3f}]" for k in ("utility", "retrieved")))
        for system, v in table.items()
    ]
    print_table(("system", "utility", "retrieved"), cells)
    return table


if __name__ == "__main__":
    main()
