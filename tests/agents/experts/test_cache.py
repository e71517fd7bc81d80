"""Experts kept in memory: never too many, never without the one at work, and told of a broken file."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hoptrace.agents.experts.cache import ExpertCache, NextExpert
from hoptrace.agents.experts.precision import fit_precision, lowered
from hoptrace.kg.errors import ArtefactError, InputError
from hypothesis import given
from hypothesis import strategies as st

STEPS = st.lists(st.tuples(st.sampled_from(["get", "prefetch", "pin", "unpin", "new"]), st.sampled_from("abcdef")), max_size=60)


@given(STEPS, st.integers(1, 4))
def test_capacity_holds_and_what_is_pinned_stays(steps: list[tuple[str, str]], capacity: int) -> None:
    cache, pins = ExpertCache(str.upper, capacity), Counter[str]()
    for what, name in steps:
        try:
            if what == "get":
                assert cache.get(name) == name.upper()
            elif what == "prefetch":
                cache.prefetch()
            elif what == "pin":
                cache.pin(name)
                pins[name] += 1
            elif what == "unpin" and pins[name]:
                cache.unpin(name)
                pins[name] -= 1
            elif what == "new":
                cache.new_session()
        except InputError:
            assert len([one for one in pins if pins[one]]) >= capacity
        assert len(cache) <= capacity
        assert all(one in cache for one in pins if pins[one])
    stats = cache.stats
    assert stats.hits <= stats.requests
    assert stats.loads - stats.evictions == len(cache)


def test_the_next_expert_is_loaded_before_it_is_asked() -> None:
    table = NextExpert()
    for _ in range(5):
        table.learn(["law", "tax", "court", "law", "tax", "court"])
    cache = ExpertCache(str.upper, 3, table)
    cache.get("law")
    cache.get("tax")
    assert "court" in cache.prefetch() or "court" in cache
    before = cache.stats.hits
    cache.get("court")
    assert cache.stats.hits == before + 1


def test_the_pair_says_more_than_the_last_one() -> None:
    table = NextExpert()
    for _ in range(10):
        table.learn(["a", "x", "b"])
        table.learn(["c", "x", "d"])
    chances = table.chances(["c", "x"])
    assert max(chances, key=chances.__getitem__) == "d"
    assert sum(chances.values()) == pytest.approx(1)


def test_loading_beforehand_does_not_evict_the_one_at_work() -> None:
    table = NextExpert()
    table.learn(["a", "b"])
    cache = ExpertCache(str.upper, 1, table)
    cache.get("a")
    assert cache.prefetch() == ()
    assert "a" in cache


def test_an_expert_in_use_stays_though_everything_else_is_asked() -> None:
    cache = ExpertCache(str.upper, 2)
    with cache.use("a"):
        for name in "bcdebc":
            cache.get(name)
            assert "a" in cache
    for name in "bcbcbcbcbc":
        cache.get(name)
    assert "a" not in cache


def test_a_cache_full_of_experts_in_use_says_so() -> None:
    cache = ExpertCache(str.upper, 1)
    with cache.use("a"), pytest.raises(InputError, match="pinned or in use"):
        cache.get("b")


def broken(name: str) -> str:
    if name == "broken":
        raise ArtefactError(f"{name}: SHA-256 differs")
    return name


def test_a_broken_file_is_a_typed_error_and_costs_no_other_expert() -> None:
    cache = ExpertCache(broken, 1)
    cache.get("a")
    with pytest.raises(ArtefactError, match="broken"):
        cache.get("broken")
    assert "a" in cache
    assert cache.stats.requests == 1


def test_a_broken_file_is_passed_over_beforehand() -> None:
    table = NextExpert()
    table.learn(["a", "broken"])
    table.learn(["a", "c"])
    cache = ExpertCache(broken, 3, table)
    cache.get("a")
    assert cache.prefetch() == ("c",)
    assert cache.stats.failed == ("broken",)


@pytest.mark.parametrize("tolerance", [0.0, 1e-4, 1e-2, 10.0])
def test_the_width_chosen_keeps_the_loss_within_tolerance(tolerance: float) -> None:
    rng = np.random.default_rng(0)
    weights = {"a": rng.standard_normal((8, 16)).astype(np.float32)}

    def loss(lower: object) -> float:
        return float(((lower["a"] - weights["a"]) ** 2).mean())  # type: ignore[index]

    chosen = fit_precision(weights, loss, tolerance)
    assert chosen.losses[chosen.dtype] <= chosen.losses["float32"] + tolerance
    if chosen.dtype != "int4":
        assert list(chosen.losses.values())[-1] > tolerance


@given(st.integers(0, 1000))
def test_fewer_bits_are_off_by_half_a_step_at_most(seed: int) -> None:
    weights = np.random.default_rng(seed).standard_normal((4, 9)).astype(np.float32)
    for dtype, top in (("int8", 127), ("int4", 7)):
        step = np.abs(weights).max(axis=1, keepdims=True) / top
        assert (np.abs(lowered(weights, dtype) - weights) <= step / 2 + 1e-6).all()
        assert max(len(np.unique(row)) for row in lowered(weights, dtype)) <= 2 * top + 1


def test_a_width_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(InputError, match="float32, float16, int8, int4"):
        lowered(np.ones((2, 2)), "int2")
