"""Opinions: what is combined, in any order, and what contradiction leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.agents.opinion import VACUOUS, Opinion, combine
from hoptrace.kg.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("Alda", "Bering", "Calder")


@st.composite
def opinions(draw: st.DrawFn) -> Opinion:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    shares = draw(st.lists(st.floats(0.01, 1), min_size=len(names), max_size=len(names)))
    return Opinion.of(names, shares, draw(st.floats(0, 0.99)))


def masses(opinion: Opinion) -> np.ndarray:
    return np.append(opinion.over(NAMES), opinion.uncertainty)


def by_sets(first: Opinion, second: Opinion) -> np.ndarray:
    """Dempster's rule written out over pairs of sets, normalised at the end."""
    sets = [frozenset([name]) for name in NAMES] + [frozenset(NAMES)]
    found = dict.fromkeys(sets, 0.0)
    for one, a in zip(sets, masses(first), strict=True):
        for two, b in zip(sets, masses(second), strict=True):
            if one & two:
                found[one & two] += a * b
    total = sum(found.values())
    return np.array([found[one] / total for one in sets])


@given(opinions(), opinions())
def test_dempster_is_the_rule_over_sets(first: Opinion, second: Opinion) -> None:
    assert masses(combine([first, second])) == pytest.approx(by_sets(first, second), abs=1e-9)


@given(opinions(), opinions(), opinions(), st.sampled_from(["dempster", "logpool"]))
def test_the_order_does_not_matter(a: Opinion, b: Opinion, c: Opinion, method: str) -> None:
    assert masses(combine([a, b, c], method)) == pytest.approx(masses(combine([c, a, b], method)), abs=1e-6)  # type: ignore[arg-type]


@given(opinions(), st.sampled_from(["dempster", "logpool"]))
def test_who_knows_nothing_changes_nothing(opinion: Opinion, method: str) -> None:
    together = combine([opinion, VACUOUS], method)  # type: ignore[arg-type]
    assert masses(together) == pytest.approx(masses(opinion), abs=1e-4)


@given(st.lists(opinions(), max_size=4), st.sampled_from(["dempster", "logpool"]))
def test_masses_are_a_distribution(some: list[Opinion], method: str) -> None:
    found = masses(combine(some, method))  # type: ignore[arg-type]
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1)


def test_whole_contradiction_leaves_all_open() -> None:
    found = combine([Opinion.of(["Alda"], [1], 1.0), Opinion.of(["Bering"], [1], 1.0)])
    assert (found.uncertainty, found.conflict, found.best[1]) == (1.0, 1.0, 0.0)


def test_agreement_is_surer_than_each() -> None:
    one, two = Opinion.of(["Alda", "Bering"], [3, 1], 0.6), Opinion.of(["Alda", "Calder"], [2, 1], 0.7)
    found = combine([one, two])
    assert found.best[0] == "Alda"
    assert found.best[1] > max(one.best[1], two.best[1])


@pytest.mark.parametrize(
    ("names", "p", "reliability"),
    [
        (["A", "A"], [0.5, 0.5], 0.5),
        (["A"], [0.5, 0.5], 0.5),
        (["A"], [-1.0], 0.5),
        (["A"], [float("nan")], 0.5),
        (["A"], [1.0], 1.5),
    ],
)
def test_what_is_no_opinion_is_refused(names: list[str], p: list[float], reliability: float) -> None:
    with pytest.raises(InputError):
        Opinion.of(names, p, reliability)


def test_no_mass_is_no_opinion() -> None:
    assert Opinion.of(["A"], [0.0], 0.9) is VACUOUS
