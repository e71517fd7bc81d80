"""The gate's report: its figures beside brute force, what it leaves unsaid, and the page and tables it becomes."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hoptrace.agents.calibrate import aurc, ece, equal_bins, risks
from hoptrace.agents.frontier import always, bought, budgets, hindsight, kept
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.utility import Price, UtilityGate, fit_gate, oracle, within
from hoptrace.kg.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

PRICE = Price(1.0, 0.5, 0.1)
ACTIONS = ("path", "path+text", "internal")


def logged(right: np.ndarray, cost: np.ndarray, said: np.ndarray | None = None) -> Outcomes:
    """Outcomes in which nothing was known before acting."""
    n = len(right)
    names = ACTIONS[: right.shape[1]]
    return Outcomes((), np.zeros((n, 0)), names, right, cost, np.arange(n), np.arange(n) % 3, said)


def drawn(n: int, seed: int) -> Outcomes:
    """Paths that answer what is covered; a memory that answers what it was told often, of which its margin tells."""
    rng = np.random.default_rng(seed)
    covered, told = rng.random(n) < 0.7, rng.normal(size=n)
    internal, path = rng.random(n) < 1 / (1 + np.exp(-2 * told)), rng.random(n) < np.where(covered, 0.9, 0.1)
    x = np.stack([covered.astype(float), internal + rng.normal(0, 0.4, n)], axis=1)
    right, cost = np.stack([path, path | (rng.random(n) < 0.3), internal], axis=1), np.tile([1.0, 5.0, 0.0], (n, 1))
    return Outcomes(("coverage", "margin"), x, ACTIONS, right, cost, np.arange(n) // 2, np.digitize(-told, [-0.5, 0.5]))


def fitted(cost: tuple[float, ...] = (0.0, 0.0)) -> UtilityGate:
    return fit_gate(drawn(400, 0), [("coverage",), ("margin",)], price=PRICE, tier_cost=cost)


# ---- the frontier


@st.composite
def few(draw: st.DrawFn) -> tuple[Outcomes, float]:
    """Up to five questions of three actions, and a budget."""
    n = draw(st.integers(1, 5))
    right = draw(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=n, max_size=n))
    cost = draw(st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, 12.0]), min_size=3, max_size=3), min_size=n, max_size=n))
    return logged(np.array(right), np.array(cost)), draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 6.0]))


@given(few())
def test_no_choice_within_the_budget_has_more_utility_than_hindsight(drawn: tuple[Outcomes, float]) -> None:
    outcomes, budget = drawn
    n, best = len(outcomes), -np.inf
    for choice in product(range(4), repeat=n):
        acts = [(i, a) for i, a in enumerate(choice) if a < 3]
        spent = sum(outcomes.cost[at] for at in acts)
        if spent <= budget * n:
            best = max(best, sum(1.0 if outcomes.right[at] else -0.5 for at in acts) - 0.1 * spent)
    found = hindsight(outcomes, PRICE, budget)
    assert found.utility == pytest.approx(best / n)
    assert found.retrievals <= budget + 1e-9


@given(few())
def test_without_a_budget_hindsight_is_the_oracle(drawn: tuple[Outcomes, float]) -> None:
    assert hindsight(drawn[0], PRICE).utility == pytest.approx(oracle(drawn[0], PRICE).mean())


def test_a_larger_budget_has_no_fewer_right_answers() -> None:
    log = drawn(200, 3)
    right = [hindsight(log, PRICE, budget).right for budget in budgets(log)]
    assert right == sorted(right)
    assert right[0] == pytest.approx(log.right[:, 2].mean())  # memory costs nothing
    assert right[-1] == pytest.approx(log.right.any(axis=1).mean())


def test_what_one_action_comes_to() -> None:
    log = drawn(100, 4)
    found = always(log, PRICE)["path"]
    assert (found.retrievals, found.right) == (1.0, pytest.approx(log.right[:, 0].mean()))
    assert found.utility == pytest.approx(log.right[:, 0].mean() * 1.5 - 0.5 - 0.1)


def test_slack_spends_less_and_no_curve_passes_hindsight() -> None:
    log, gate = drawn(300, 5), fitted()
    bare = [kept(gate, log, budget, None) for budget in budgets(log)]
    slack = [kept(gate, log, budget, 0.1) for budget in budgets(log)]
    assert all(one.retrievals <= other.retrievals + 1e-9 for one, other in zip(slack, bare, strict=True))
    assert sum(one.retrievals for one in slack) < sum(one.retrievals for one in bare)
    for at in (*bare, *slack):
        assert at.right <= hindsight(log, Price(1.0, 0.5, 0.0), at.retrievals).right + 1e-9


def test_a_gate_within_a_budget_is_measured_on_the_other_half_of_the_entities() -> None:
    log, gate = drawn(300, 6), fitted()
    one, two = log.split(0.5, 0)
    right = 0
    for own, held in ((one, two), (two, one)):
        choice, _, _ = within(gate, own, 0.5, None).choose(held)
        right += sum(bool(held.right[i, a]) for i, a in enumerate(choice) if a < 3)
    assert kept(gate, log, 0.5, None).right == pytest.approx(right / len(log))


def test_the_slack_grows_with_what_one_action_may_cost() -> None:
    log, gate = drawn(300, 6), fitted()
    slack = 5 * np.sqrt(np.log(2 / 0.1) / (2 * len(log)))
    choice, _, _ = within(gate, log, 1.0).choose(log)
    assert np.append(gate.cost, 0.0)[choice].mean() + slack <= 1.0


def test_tiers_bought_count_as_retrievals() -> None:
    log, gate = drawn(300, 7), fitted((0.0, 3.0))
    at = gate.choose(log)[2]
    assert bought(gate, log, PRICE).retrievals >= 3 * (at == 1).mean()
    tight = within(gate, log, 0.2, None)
    choice, _, tier = tight.choose(log)
    assert np.maximum(np.append(gate.cost, 0.0)[choice], gate.tier_cost[tier]).mean() <= 0.2


def test_questions_about_one_entity_have_no_frontier_of_a_gate() -> None:
    log = drawn(2, 8)
    with pytest.raises(InputError, match="one entity"):
        kept(fitted(), log, 1.0, None)


# ---- measures of confidence


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_bins_part_the_answers_and_risks_average_to_their_area(pairs: list[tuple[float, bool]]) -> None:
    p, right = np.array([one for one, _ in pairs]), np.array([two for _, two in pairs])
    parts = equal_bins(p)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(p)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(p[a].max() <= p[b].min() for a, b in pairwise(parts))
    said = sum(abs(p[part].sum() - right[part].sum()) for part in parts) / len(p)
    assert ece(p, right) == pytest.approx(said)
    shares = risks(p, right)
    assert shares[-1] == pytest.approx(1 - right.mean())
    assert aurc(p, right) == pytest.approx(shares.mean())
