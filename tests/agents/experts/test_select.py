"""Choosing experts from a few labelled questions, and trimming them from a few demonstrations."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hoptrace.agents.experts.select import importance, likeness, merge, prune, rank, select_experts
from hoptrace.kg.errors import InputError
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_equal_values_share_the_mean_of_their_ranks(values: list[int]) -> None:
    assert np.allclose(rank(np.array(values)), rankdata(values))


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_the_group_chosen_is_the_best_of_all(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    right, nll, vectors = rng.random((7, 9)) < 0.5, rng.random((7, 9)), rng.standard_normal((7, 3, 5))
    names = list("abcdefg")
    chosen = select_experts(names, right, nll, vectors, n=n, shortlist=5)
    sums = rankdata(np.exp(nll).sum(axis=1)) + rankdata(-right.mean(axis=1))
    best = np.argsort(sums, kind="stable")[:5]
    groups = [*combinations(best.tolist(), n)]
    flat = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    cosine = np.mean([flat[:, layer] @ flat[:, layer].T for layer in range(3)], axis=0)
    inside = [np.mean([cosine[i, j] for i, j in combinations(group, 2)]) if n > 1 else 1.0 for group in groups]
    costs = [sums[list(group)].sum() + place for group, place in zip(groups, rankdata(np.round(inside, 12)), strict=True)]
    assert {names[i] for i in groups[int(np.argmin(costs))]} == set(chosen.names)


def test_of_two_clones_one_is_chosen_and_a_parrot_is_not() -> None:
    right = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]], bool)
    nll = np.where(right, 0.1, 1.0)
    nll[3] = 0.3  # the parrot: likely words, no right answer
    vectors = np.array([[1.0, 0, 0], [1.0, 0.01, 0], [0, 1.0, 0], [0, 0, 1.0]])
    chosen = select_experts(["law", "clone", "sport", "parrot"], right, nll, vectors, n=2)
    assert "sport" in chosen.names
    assert {*chosen.names} & {"law", "clone"}
    assert chosen.diversity > 0.9


def test_an_adapter_that_changes_nothing_is_like_nobody() -> None:
    assert likeness(np.array([[0.0, 0.0], [1.0, 0.0]]))[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("n", [0, 3])
def test_more_experts_than_there_are_is_an_error(n: int) -> None:
    with pytest.raises(InputError, match=f"{n} experts wanted"):
        select_experts(["a", "b"], np.ones((2, 3), bool), np.ones((2, 3)), np.eye(2), n=n)


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(InputError, match="finite"):
        select_experts(["a", "b"], np.ones((2, 1), bool), np.array([[1.0], [np.nan]]), np.eye(2), n=1)


def test_importance_is_the_sum_over_tokens() -> None:
    rng = np.random.default_rng(0)
    gates, norms = rng.random((6, 3)), rng.random((6, 3))
    before, after = rng.standard_normal((2, 6, 4))
    slow = [
        sum(
            gates[t, e] * norms[t, e] * max(0, 1 - before[t] @ after[t] / np.linalg.norm(before[t]) / np.linalg.norm(after[t]))
            for t in range(6)
        )
        for e in range(3)
    ]
    assert np.allclose(importance(gates, norms, before, after), slow)


def test_experts_that_turn_nothing_do_not_matter() -> None:
    state = np.random.default_rng(0).standard_normal((5, 4))
    assert np.allclose(importance(np.ones((5, 2)), np.ones((5, 2)), state, 3 * state), 0)


def test_no_domain_outweighs_another_when_merged() -> None:
    assert np.argmax(merge([np.array([100.0, 90.0, 0]), np.array([0, 0.5, 0.5])])) == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.5, 1))
def test_those_that_stay_are_the_most_important(scores: list[float], keep: float) -> None:
    kept = prune(np.array(scores), keep)
    gone = set(range(len(scores))) - set(kept.tolist())
    assert len(kept) >= keep * len(scores) - 1e-6
    assert all(scores[a] >= scores[b] for a in kept for b in gone)


def test_less_than_a_half_needs_force() -> None:
    with pytest.raises(InputError, match="force"):
        prune(np.arange(8.0), 0.4)
    assert prune(np.arange(8.0), 0.25, force=True).tolist() == [6, 7]


@pytest.mark.parametrize("keep", [0.0, 1.5])
def test_what_is_no_share_is_an_error(keep: float) -> None:
    with pytest.raises(InputError, match="no share"):
        prune(np.arange(4.0), keep, force=True)
