"""Measures against independent computations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hoptrace.retrieval import metrics
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

RANKED = st.lists(st.integers(0, 20), unique=True, max_size=15)
GOLD = st.sets(st.integers(0, 20), max_size=6)


@given(RANKED, GOLD, st.integers(1, 12))
def test_ranking_measures_equal_their_definitions(ranked: list[int], gold: set[int], k: int) -> None:
    ranks = [i + 1 for i, item in enumerate(ranked) if item in gold]
    within = [rank for rank in ranks if rank <= k]
    ideal = sum(1 / math.log2(i + 1) for i in range(1, min(len(gold), k) + 1))
    gain = sum(1 / math.log2(rank + 1) for rank in within)
    assert metrics.recall_at_k(ranked, gold, k) == pytest.approx(len(within) / len(gold) if gold else 0)
    assert metrics.reciprocal_rank(ranked, gold) == pytest.approx(1 / ranks[0] if ranks else 0)
    assert metrics.hits_at_1(ranked, gold) == (1 in ranks)
    assert metrics.ndcg_at_k(ranked, gold, k) == pytest.approx(gain / ideal if ideal else 0)


def test_a_repeated_item_gains_once() -> None:
    assert metrics.ndcg_at_k(["a", "a"], {"a", "b"}, 2) == metrics.ndcg_at_k(["a", "x"], {"a", "b"}, 2)
    assert metrics.recall_at_k(["a", "a"], {"a", "b"}, 2) == 0.5


@pytest.mark.parametrize(
    ("predicted", "accepted", "match", "f1"),
    [
        ("The Eiffel Tower!", ["eiffel tower"], 1, 1.0),
        ("Gustave Eiffel, in 1889", ["Gustave Eiffel"], 0, 2 * 2 / (4 + 2)),
        ("a b b", ["b b c"], 0, 2 * 2 / (2 + 3)),
        ("yes, it is", ["yes"], 0, 0.0),
        ("no", ["yes", "no"], 1, 1.0),
        ("Paris", ["London", "Paris, France"], 0, 2 / 3),
        ("", ["x"], 0, 0.0),
        ("the", ["a"], 1, 1.0),
        ("x", [], 0, 0.0),
    ],
)
def test_answers_compare_as_in_squad(predicted: str, accepted: list[str], match: float, f1: float) -> None:
    assert metrics.exact_match(predicted, accepted) == match
    assert metrics.token_f1(predicted, accepted) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("predicted", "gold", "f1"),
    [(["A", "b"], ["b", "c", "d"], 0.4), ([], [], 1.0), ([], ["x"], 0.0), (["The X"], ["x"], 1.0)],
)
def test_set_f1(predicted: list[str], gold: list[str], f1: float) -> None:
    assert metrics.set_f1(predicted, gold) == pytest.approx(f1)


def test_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).random(60)
    ours = metrics.bootstrap_ci(values)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(5))
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)
    assert ours == metrics.bootstrap_ci(list(values))


def test_bootstrap_of_nothing_and_of_constants() -> None:
    assert all(math.isnan(bound) for bound in metrics.bootstrap_ci([]))
    assert metrics.bootstrap_ci([1.0] * 5) == (1.0, 1.0)
