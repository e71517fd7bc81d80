"""The capacity planner: within its budget, nothing volatile, and as good as a brute-force knapsack nearly always is."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hoptrace.kg.capacity import Candidate, CapacityPlanner, Measured, stored_bits
from hoptrace.kg.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

FACTS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 1), st.integers(1, 5000), st.booleans()), max_size=10
).map(lambda rows: [Candidate(str(i), *row) for i, row in enumerate(rows)])  # fmt: skip


@given(FACTS, st.integers(0, 60))
def test_a_plan_fits_and_holds_nothing_volatile(facts: list[Candidate], parameters: int) -> None:
    plan = CapacityPlanner(1.0, 100).plan(facts, parameters)
    by_id = {fact.id: fact for fact in facts}
    assert plan.bits == pytest.approx(sum(by_id[one].bits for one in plan.internalise))
    assert plan.bits <= plan.budget + 1e-9
    assert not any(by_id[one].volatile for one in plan.internalise)
    assert sorted((*plan.internalise, *plan.retrieve)) == sorted(by_id)


@given(FACTS, st.integers(1, 60))
def test_a_plan_is_worth_no_less_than_the_best_one_less_one_fact(facts: list[Candidate], parameters: int) -> None:
    facts = facts[:8]
    plan = CapacityPlanner(1.0, 100).plan(facts, parameters)
    worth = {fact.id: fact.frequency * (1 - fact.retrieved) for fact in facts}
    allowed = [fact for fact in facts if not fact.volatile and fact.bits <= plan.budget]
    best = 0.0
    for taken in product((False, True), repeat=len(allowed)):
        chosen = [fact for fact, take in zip(allowed, taken, strict=True) if take]
        if sum(fact.bits for fact in chosen) <= plan.budget:
            best = max(best, sum(worth[fact.id] for fact in chosen))
    most = max((worth[fact.id] for fact in allowed), default=0.0)
    assert sum(worth[one] for one in plan.internalise) >= best - most - 1e-6  # the bound of the greedy rule


def test_what_retrieval_gets_wrong_comes_first_and_its_price_counts() -> None:
    facts = [Candidate("easy", 10, 1.0, 4), Candidate("hard", 1, 0.0, 4)]
    planner = CapacityPlanner(1.0, 100)
    assert planner.plan(facts, 2).internalise == ("hard",)
    assert planner.plan(facts, 4).internalise == ("hard",)  # what retrieval always gets right is worth nothing
    assert planner.plan(facts, 2, price=0.2).internalise == ("easy",)


def test_bits_of_a_uniform_guess_and_of_certainty() -> None:
    assert stored_bits(np.full(10, math.log(16)), 16) == pytest.approx(0)
    assert stored_bits(np.zeros(10), np.array([16] * 5 + [2] * 5)) == pytest.approx(25)
    assert stored_bits(np.full(3, 99.0), 16) == 0


def test_a_student_that_had_room_left_says_nothing_of_its_capacity() -> None:
    with pytest.raises(InputError, match="show it more facts"):
        CapacityPlanner.calibrate([Measured(1000, 100, 500.0, 499.0)])


def test_measurements_at_different_exposures_do_not_mix() -> None:
    with pytest.raises(InputError, match="one number of exposures"):
        CapacityPlanner.calibrate([Measured(1000, 100, 5000.0, 900.0), Measured(1000, 400, 5000.0, 1800.0)])


def test_a_prediction_is_what_was_measured_up_to_what_there_is() -> None:
    planner = CapacityPlanner.calibrate([Measured(1000, 100, 5000.0, 900.0), Measured(2000, 100, 5000.0, 2200.0)])
    assert planner.predict(1500, 10_000) == pytest.approx(1500)
    assert planner.predict(1500, 700) == 700


@pytest.mark.parametrize("fact", [Candidate("x", -1, 0.5, 2), Candidate("x", 1, 1.5, 2), Candidate("x", 1, 0.5, 0)])
def test_what_cannot_be_weighed_is_an_error(fact: Candidate) -> None:
    with pytest.raises(InputError, match="candidate x"):
        CapacityPlanner(1.0, 100).plan([fact], 10)
