"""Parts of `benchmarks/experts.py` without a model: choosing experts, and keeping them at hand."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from experts_common import Check
from hoptrace.agents.experts.cache import ExpertCache, NextExpert
from hoptrace.agents.experts.select import rank, select_experts

SKILLS, CLONES, PARROTS, GUESSERS = 4, 3, 3, 6
SEEDS, K, DIM = 300, 20, 256
HARDER = ((1.0, 0.2), (0.6, 0.35), (0.6, 0.2))
EXPERTS, CAPACITY, SESSIONS, LENGTH = 16, 4, 300, 12


def bank(rng: np.random.Generator, parrot: float, other: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Right [16, K], nats [16, K], vectors [16, d] and the skill of each expert (-1: none) of a planted bank.

    A skilled expert is right on 85 % of the questions of its skill and on `other` of the rest; a clone has nearly the weights of
    a skilled one, and so nearly its answers; a parrot has `parrot` nats on every question and guesses; a guesser guesses.
    """
    origin = rng.integers(SKILLS, size=CLONES)
    clones = slice(SKILLS, SKILLS + CLONES)
    skill = np.array([*range(SKILLS), *origin, *[-1] * (PARROTS + GUESSERS)])
    own = skill[:, None] == rng.permutation(np.arange(K) % SKILLS)
    right = rng.random(own.shape) < np.where(own, 0.85, np.where(skill[:, None] >= 0, other, 0.2))
    right[clones] = np.where(rng.random((CLONES, K)) < 0.9, right[origin], right[clones])
    mean = np.where(own, 0.5, np.where(skill[:, None] >= 0, 1.2, 1.5))
    mean[clones.stop : clones.stop + PARROTS] = parrot
    nll = mean + 0.4 * rng.standard_normal(mean.shape)
    nll[clones] = nll[origin] + 0.05 * rng.standard_normal((CLONES, K))
    vectors = rng.standard_normal((len(skill), DIM))
    vectors[clones] = vectors[origin] + 0.3 * rng.standard_normal((CLONES, DIM))
    return right, np.maximum(0.02, nll), vectors + 0.5 * rng.standard_normal(DIM), skill


def distinct(parrot: float, other: float) -> dict[str, float]:
    """Distinct true skills among four chosen by four rules, mean over the seeds."""
    found: dict[str, list[int]] = {"full": [], "no diversity": [], "perplexity": [], "accuracy": []}
    for seed in range(SEEDS):
        right, nll, vectors, skill = bank(np.random.default_rng(seed), parrot, other)
        names = [str(i) for i in range(len(skill))]
        by_loss, by_accuracy = rank(np.exp(nll).sum(axis=1)), rank(-right.mean(axis=1))
        chosen = {
            "full": [int(name) for name in select_experts(names, right, nll, vectors).names],
            "no diversity": np.argsort(by_loss + by_accuracy, kind="stable")[:4],
            "perplexity": np.argsort(by_loss, kind="stable")[:4],
            "accuracy": np.argsort(by_accuracy, kind="stable")[:4],
        }
        for rule, rows in chosen.items():
            found[rule].append(len({int(skill[row]) for row in rows} - {-1}))
    return {rule: round(float(np.mean(counts)), 3) for rule, counts in found.items()}


def select() -> tuple[list[Check], dict[str, Any]]:
    """The bank on which the simple rules do as the specification's pilot says, and harder ones beside it."""
    means = distinct(parrot=1.0, other=0.35)
    harder = {f"parrots {parrot} nats, {other} right elsewhere": distinct(parrot, other) for parrot, other in HARDER}
    gain = means["full"] - means["no diversity"]
    checks = [
        Check("distinct skills of 4", f"{means['full']:.2f}", ">= 3.0", means["full"] >= 3.0),
        Check("over the rule without diversity", f"{gain:+.2f}", ">= +0.4", gain >= 0.4),
    ]
    return checks, {"distinct_skills": means, "harder_banks": harder, "seeds": SEEDS}


def sessions(rng: np.random.Generator, count: int) -> Iterator[list[str]]:
    """Sessions over 16 experts: what comes next depends on the last two in 7 of 10 steps, else on how popular it is."""
    fixed = np.random.default_rng(7)
    follows = fixed.integers(EXPERTS, size=(EXPERTS, EXPERTS))
    popular = np.arange(1, EXPERTS + 1) ** -0.8
    popular /= popular.sum()
    for _ in range(count):
        session = [int(x) for x in rng.choice(EXPERTS, size=2, p=popular)]
        while len(session) < LENGTH:
            draw = int(rng.choice(EXPERTS, p=popular))
            session.append(int(follows[session[-2], session[-1]]) if rng.random() < 0.7 else draw)
        yield [f"e{x}" for x in session]


def baselines(asked: Sequence[str]) -> dict[str, float]:
    """Share of requests answered from memory by first in first out, least recently used, least often used."""
    fifo: OrderedDict[str, None] = OrderedDict()
    lru: OrderedDict[str, None] = OrderedDict()
    lfu: set[str] = set()
    often: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for name in asked:
        hits["fifo"] += name in fifo
        hits["lru"] += name in lru
        hits["lfu"] += name in lfu
        often[name] += 1
        fifo.setdefault(name)
        lru[name] = None
        lru.move_to_end(name)
        for one in (fifo, lru):
            if len(one) > CAPACITY:
                one.popitem(last=False)
        if name not in lfu and len(lfu) >= CAPACITY:
            lfu.discard(min(lfu, key=lambda one: (often[one], one)))
        lfu.add(name)
    return {rule: round(hits[rule] / len(asked), 3) for rule in ("fifo", "lru", "lfu")}


def cache() -> tuple[list[Check], dict[str, Any]]:
    """Hits and loads of the cache beside the usual rules; the table learned on other sessions, three seeds."""
    rows: dict[str, list[float]] = {}
    for seed in range(3):
        rng, table = np.random.default_rng(seed), NextExpert()
        for session in sessions(rng, SESSIONS):
            table.learn(session)
        kept, asked, most = ExpertCache(str.upper, CAPACITY, table), [], 0
        for session in sessions(rng, SESSIONS):
            kept.new_session()
            for name in session:
                kept.get(name)
                kept.prefetch()
                most = max(most, len(kept))
                asked.append(name)
        stats = kept.stats
        figures = {"ours": stats.hits / stats.requests, "loads": stats.loads / stats.requests, "most": float(most)}
        for rule, value in {**figures, **baselines(asked)}.items():
            rows.setdefault(rule, []).append(value)
    means = {rule: round(float(np.mean(values)), 3) for rule, values in rows.items()}
    times = means["ours"] / means["lru"]
    checks = [
        Check("hit rate over LRU's", f"{times:.2f}x ({means['ours']:.2f} of {means['lru']:.2f})", ">= 1.5x", times >= 1.5),
        Check("most experts in memory", f"{max(rows['most']):.0f}", f"<= {CAPACITY}", max(rows["most"]) <= CAPACITY),
    ]
    return checks, {"hit_rate": means, "loads_per_request": {"ours": means["loads"], "lru": round(1 - means["lru"], 3)}}
