"""Outlier rationales: the formula, and that a group with a failure is left alone."""

from __future__ import annotations

import math
import statistics

from hoptrace.agents.distill.trim import Attempt, trim_outliers
from hypothesis import given
from hypothesis import strategies as st

attempts = st.builds(
    lambda n, right, at: Attempt(at, tuple(range(n)), right), st.integers(0, 60), st.booleans() | st.just(True), st.integers()
)
groups = st.lists(st.lists(attempts, max_size=24), max_size=5)


@given(groups, st.floats(0, 4), st.integers(1, 40))
def test_only_outliers_of_groups_without_failures_are_cut_and_by_the_formula(
    some: list[list[Attempt[int]]], alpha: float, margin: int
) -> None:
    after = trim_outliers(some, lambda attempt: True, alpha=alpha, margin=margin)
    for old, new in zip(some, after, strict=True):
        lengths = [len(a.steps) for a in old]
        if len(old) < 2 or not all(a.right for a in old):
            assert new == old
            continue
        mean = sum(lengths) / len(lengths)
        limit = math.floor(mean + alpha * math.sqrt(sum((x - mean) ** 2 for x in lengths) / (len(lengths) - 1)))
        loose = abs(mean + alpha * statistics.stdev(lengths) - round(mean + alpha * statistics.stdev(lengths))) < 1e-9
        for a, b in zip(old, new, strict=True):
            assert b.about == a.about
            assert a.steps[: len(b.steps)] == b.steps
            if not loose:
                assert len(b.steps) == (limit if len(a.steps) - limit >= margin else len(a.steps))


@given(groups)
def test_what_no_longer_stands_up_to_its_check_is_wrong(some: list[list[Attempt[int]]]) -> None:
    after = trim_outliers(some, lambda attempt: False, alpha=0.5, margin=1)
    for old, new in zip(some, after, strict=True):
        for a, b in zip(old, new, strict=True):
            assert b.right == (a.right and len(a.steps) == len(b.steps))


def test_padded_rationales_are_cut() -> None:
    group = [Attempt(i, tuple(range(6 if i % 10 == 0 else 2))) for i in range(100)]
    (after,) = trim_outliers([group], lambda attempt: True, alpha=2.0, margin=1)
    assert max(len(a.steps) for a in after) == 5 - 1
    assert sum(len(a.steps) for a in after) < sum(len(a.steps) for a in group)
