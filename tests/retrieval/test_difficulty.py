"""Scope and dispersion: on corpora where both are dialled, and what a budget by them buys."""

from __future__ import annotations

import random

import numpy as np
from hoptrace.kg.model import Entity, Hop, Path, Relation, Span, Triple
from hoptrace.retrieval.base import Budget
from hoptrace.retrieval.difficulty import EvidenceDifficulty
from hoptrace.retrieval.evidence import FACT, tokens_for
from scipy.stats import spearmanr  # type: ignore[import-untyped]

QUESTION = "Which depots does Halden Freight own?"
OWNS, NEAR = Relation("r1", "owns"), Relation("r2", "near")


def fact(number: int, relation: Relation, *, source: str, start: int, said: str, sources: int = 1) -> Triple:
    spans = tuple(Span(source if i == 0 else f"{source}+{i}", start, start + len(said), said) for i in range(sources))
    return Triple(
        f"t{relation.id}{number}", Entity("e0", "Halden Freight"), relation, Entity(f"e{number}", f"Depot {number}"), spans
    )


def corpus(rng: random.Random, scope: int, level: int) -> list[Path]:
    """`scope` facts of one plan at a dispersion `level` of 0 (one place, the question's words, said thrice) to 4, and others."""
    paths = []
    for i in range(scope):
        apart = rng.random() < level / 4
        words = "Halden Freight owns depots" if rng.random() >= level / 4 else "the yard passed to the hauliers"
        source, start = (f"s{i}", rng.randrange(9000)) if apart else ("s", 40 * i + level * 300 * i)
        paths.append(Path((Hop(fact(i, OWNS, source=source, start=start, said=f"{words} {i}", sources=1 if apart else 3)),)))
    others = [Path((Hop(fact(i, NEAR, source="n", start=i, said=f"near {i}")),)) for i in range(rng.randrange(6))]
    return [paths[0], *others, *paths[1:]]


def test_scope_counts_the_facts_of_the_plan_and_not_its_rivals() -> None:
    rng = random.Random(5)
    dialled = [(scope, level) for scope in range(1, 13) for level in range(5)]
    estimated = [EvidenceDifficulty.of(QUESTION, corpus(rng, *dial)).scope for dial in dialled]
    assert spearmanr([scope for scope, _ in dialled], estimated).statistic >= 0.85


def test_dispersion_grows_with_how_far_and_how_thinly_facts_are_spread() -> None:
    rng = random.Random(6)
    dialled = [(scope, level) for scope in range(2, 13) for level in range(5) for _ in range(4)]
    estimated = [EvidenceDifficulty.of(QUESTION, corpus(rng, *dial)).dispersion for dial in dialled]
    assert spearmanr([level for _, level in dialled], estimated).statistic >= 0.7
    assert 0 <= min(estimated) <= max(estimated) <= 1


def test_a_budget_by_difficulty_covers_more_questions_for_the_same_tokens() -> None:
    """A question is covered when its tokens are reached: a quote for each fact and, the more dispersed, rivals before it."""
    rng = random.Random(7)
    spent, needed = [], []
    for _ in range(400):
        scope, level = rng.randint(1, 12), rng.randrange(5)
        difficulty = EvidenceDifficulty.of(QUESTION, corpus(rng, scope, level))
        spent.append(tokens_for(difficulty, Budget(tokens=4096)))
        needed.append(
            sum(rng.randint(15, 35) for _ in range(scope))
            + sum(rng.randint(15, 35) for _ in range(rng.randint(0, level * scope // 2)))
        )
    covered = np.mean(np.array(spent) >= np.array(needed))
    fixed = np.mean(np.mean(spent) >= np.array(needed))
    assert covered >= fixed + 0.03


def test_easy_questions_cost_at_most_half_of_the_usual_budget() -> None:
    easy = EvidenceDifficulty.of(QUESTION, corpus(random.Random(8), 1, 0))
    assert tokens_for(easy, Budget()) <= Budget().tokens / 2


def test_the_budget_of_the_caller_is_never_passed() -> None:
    assert tokens_for(EvidenceDifficulty(100, 1.0), Budget(tokens=300)) == 300


def test_without_paths_one_easy_fact_is_assumed() -> None:
    assert EvidenceDifficulty.of(QUESTION, []) == EvidenceDifficulty(1, 0.0)
    assert tokens_for(EvidenceDifficulty(), Budget()) == FACT
