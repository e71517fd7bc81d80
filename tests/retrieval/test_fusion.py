"""Reciprocal rank fusion."""

from __future__ import annotations

import pytest
from hoptrace.retrieval.fusion import reciprocal_rank_fusion
from hypothesis import given
from hypothesis import strategies as st


def test_scores_are_those_of_the_paper() -> None:
    fused = dict(reciprocal_rank_fusion([["a", "b", "c"], ["c", "a"]]))
    assert fused == pytest.approx({"a": 1 / 61 + 1 / 62, "b": 1 / 62, "c": 1 / 63 + 1 / 61})


def test_weights_decide_between_rankings() -> None:
    assert [item for item, _ in reciprocal_rank_fusion([["a", "b"], ["b", "a"]], weights=[1, 2])] == ["b", "a"]


def test_equal_scores_keep_the_order_of_appearance() -> None:
    assert [item for item, _ in reciprocal_rank_fusion([["x", "m"], ["a", "m"]])] == ["m", "x", "a"]


def test_an_item_listed_twice_counts_once() -> None:
    assert dict(reciprocal_rank_fusion([["a", "a", "b"]])) == pytest.approx({"a": 1 / 61, "b": 1 / 62})


def test_nothing_gives_nothing() -> None:
    assert reciprocal_rank_fusion([]) == reciprocal_rank_fusion([[], []]) == []


def test_a_missing_weight_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        reciprocal_rank_fusion([[1], [2]], weights=[1.0])


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=4))
def test_result_is_sorted_and_holds_every_item_once(rankings: list[list[int]]) -> None:
    fused = reciprocal_rank_fusion(rankings)
    assert sorted(item for item, _ in fused) == sorted({item for ranking in rankings for item in ranking})
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)
