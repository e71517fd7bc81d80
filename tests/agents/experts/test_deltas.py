"""Adapters as arrays: what fusing keeps, and that splitting loses nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.agents.experts.deltas import fuse, split_ffn, split_lora
from hoptrace.kg.errors import InputError
from hypothesis import given
from hypothesis import strategies as st


def deltas(seed: int, count: int = 3) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [{"up": rng.standard_normal((4, 5)), "down": rng.standard_normal((5, 4))} for _ in range(count)]


@given(st.integers(0, 1000))
def test_every_entry_on_whose_sign_all_agree_is_the_sum(seed: int) -> None:
    parts = deltas(seed)
    fused = fuse(parts, (1.0, 1.0, 1.0), normalise=False, drop=0.0)
    for name, got in fused.items():
        stacked = np.stack([part[name] for part in parts])
        agree = np.abs(np.sign(stacked).sum(axis=0)) == 3
        assert np.allclose(got[agree], stacked.sum(axis=0)[agree])
        majority = np.sign(stacked.sum(axis=0))
        slow = np.where(np.sign(stacked) == majority, stacked, 0).sum(axis=0)
        assert np.allclose(got, slow)


def test_without_any_step_it_is_the_weighted_sum() -> None:
    parts = deltas(1, 2)
    fused = fuse(parts, (0.5, 2.0), normalise=False, drop=0.0, erase=False)
    assert np.allclose(fused["up"], 0.5 * parts[0]["up"] + 2 * parts[1]["up"])


def test_adapters_of_unequal_size_are_made_equal() -> None:
    small, large = {"a": np.array([[1.0, 0.0]])}, {"a": np.array([[0.0, 3.0]])}
    assert fuse([small, large], (1, 1), drop=0.0)["a"].tolist() == [[2.0, 2.0]]


def test_an_adapter_that_changes_nothing_is_no_trouble() -> None:
    zero = {"a": np.zeros((1, 2))}
    assert np.isfinite(fuse([zero, {"a": np.ones((1, 2))}], (1, 1))["a"]).all()


def test_dropping_follows_the_seed_and_keeps_the_sum_on_average() -> None:
    parts = [{"a": np.ones((200, 200))}]
    first, again, other = (fuse(parts, (1.0,), drop=0.3, seed=seed)["a"] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.mean() == pytest.approx(1.0, abs=0.02)


@given(st.integers(1, 7), st.integers(0, 100))
def test_a_split_adapter_adds_up_to_itself(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((7, 5)), rng.standard_normal((6, 7))
    parts = split_lora(a, b, n)
    assert len(parts) == n
    assert np.allclose(sum(right @ left for left, right in parts), b @ a)


@given(st.integers(1, 9), st.integers(0, 100))
def test_a_split_layer_adds_up_to_itself(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gate, up, down, x = (rng.standard_normal(shape) for shape in ((9, 4), (9, 4), (4, 9), (3, 4)))

    def run(gate: np.ndarray, up: np.ndarray, down: np.ndarray) -> np.ndarray:
        z = x @ gate.T
        result: np.ndarray = (z / (1 + np.exp(-z)) * (x @ up.T)) @ down.T
        return result

    assert np.allclose(sum(run(*part) for part in split_ffn(gate, up, down, n)), run(gate, up, down), atol=1e-10)


def test_more_parts_than_there_are_ranks_is_an_error() -> None:
    with pytest.raises(InputError, match="split into 5"):
        split_lora(np.ones((4, 3)), np.ones((3, 4)), 5)
    with pytest.raises(InputError, match="split into 5"):
        split_ffn(np.ones((4, 3)), np.ones((4, 3)), np.ones((3, 4)), 5)


def test_adapters_of_different_matrices_cannot_be_fused() -> None:
    with pytest.raises(InputError, match="same matrices"):
        fuse([{"a": np.ones((2, 2))}, {"b": np.ones((2, 2))}], (1, 1))
