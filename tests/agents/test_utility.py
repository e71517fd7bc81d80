"""The learned gate on drawn outcomes: it beats what looks at one number, keeps budgets, and falls back."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.utility import Price, fit_gate, oracle, realised, within, worth
from hoptrace.kg.errors import InputError

PRICE = Price(1.0, 0.0, 0.1)
TIERS = (("told", "covered"), ("margin",))


def drawn(n: int, seed: int) -> Outcomes:
    """A memory that knows what it was told often, a store that has what is covered; a draft's margin tells more."""
    rng = np.random.default_rng(seed)
    told, covered = rng.normal(size=n), rng.random(n) < 0.8
    knows = 1 / (1 + np.exp(-2 * told))
    internal = rng.random(n) < knows
    path = rng.random(n) < np.where(covered, 0.9, 0.1)
    x = np.stack([told + rng.normal(0, 0.7, n), covered.astype(float), internal + rng.normal(0, 0.4, n)], 1)
    cost = np.tile([0.0, 1.0], (n, 1))
    bucket = np.digitize(-told, [-0.5, 0.5])
    return Outcomes(
        ("told", "covered", "margin"), x, ("internal", "path"), np.stack([internal, path], 1), cost, np.arange(n), bucket
    )


TRAIN, TEST = drawn(1000, 0), drawn(4000, 1)


def test_it_beats_every_fixed_choice_and_stays_below_the_oracle() -> None:
    gate = fit_gate(TRAIN, TIERS, price=PRICE)
    gained = realised(gate, TEST).mean()
    fixed = [worth(TEST, np.full(len(TEST), a), PRICE).mean() for a in range(3)]
    assert max(fixed) + 0.03 < gained < oracle(TEST, PRICE).mean()


def test_fifty_outcomes_are_nearly_enough() -> None:
    few = [realised(fit_gate(drawn(50, seed), TIERS, price=PRICE), TEST).mean() for seed in range(2, 7)]
    assert np.mean(few) > 0.95 * realised(fit_gate(TRAIN, TIERS, price=PRICE), TEST).mean()


def test_a_tier_that_costs_more_than_it_tells_is_not_bought() -> None:
    cheap = fit_gate(TRAIN, TIERS, price=PRICE, tier_cost=(0.0, 0.0))
    dear = fit_gate(TRAIN, TIERS, price=PRICE, tier_cost=(0.0, 50.0))
    assert (dear.choose(TEST)[2] == 0).all()
    assert (cheap.choose(TEST)[2] == 1).mean() > 0.3


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_a_budget_is_kept(share: float) -> None:
    gate = fit_gate(TRAIN, TIERS, price=PRICE)
    choice, _, _ = within(gate, drawn(1000, 9), share).choose(TEST)
    assert (choice == 1).mean() <= share


def test_a_loss_for_wrong_answers_makes_it_abstain() -> None:
    def abstained(loss: float) -> float:
        return float((fit_gate(TRAIN, TIERS, price=Price(1.0, loss, 0.1)).choose(TEST)[0] == 2).mean())

    assert abstained(0.0) < abstained(1.0) < abstained(10.0)


def test_what_was_not_measured_is_no_reason_to_fail() -> None:
    gate = fit_gate(TRAIN, TIERS, price=PRICE)
    blind = Outcomes(TEST.features, np.full(TEST.x.shape, np.nan), TEST.actions, TEST.right, TEST.cost, TEST.groups, TEST.buckets)
    choice, sure, _ = gate.choose(blind)
    assert np.isfinite(sure).all()
    assert set(choice.tolist()) <= {0, 1, 2}


def test_few_outcomes_are_drawn_to_the_rule() -> None:
    ones = TRAIN.take(np.flatnonzero(TRAIN.right[:, 1])[:20])
    p = fit_gate(ones, TIERS, price=PRICE, priors={"path": 0.2}).probabilities(TEST.x, TEST.features, TEST.buckets, 0)
    assert p[:, 1].max() < 0.65


def test_an_action_that_says_nothing_is_not_wrong() -> None:
    said = np.zeros_like(TEST.right)
    silent = Outcomes(TEST.features, TEST.x, TEST.actions, said, TEST.cost, TEST.groups, TEST.buckets, said)
    assert worth(silent, np.zeros(len(TEST), np.int64), Price(1.0, 1.0, 0.0)).sum() == 0


def test_too_few_outcomes_or_unknown_features_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        fit_gate(TRAIN.take(np.arange(19)), TIERS)
    with pytest.raises(InputError, match="unheard"):
        fit_gate(TRAIN, [("unheard",)])


def test_a_split_shares_no_entity() -> None:
    all_ = drawn(300, 3)
    one, two = Outcomes(all_.features, all_.x, all_.actions, all_.right, all_.cost, all_.groups // 7, all_.buckets).split(0.5, 0)
    assert not set(one.groups) & set(two.groups)
    assert len(one) + len(two) == 300


def test_outcomes_of_unequal_length_are_refused() -> None:
    with pytest.raises(InputError):
        Outcomes(("a",), np.zeros((3, 1)), ("path",), np.zeros((2, 1), bool), np.zeros((3, 1)), np.zeros(3), np.zeros(3))
