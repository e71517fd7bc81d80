"""What a budget of retrievals buys in right answers: chosen in hindsight, by a gate, and by a gate that keeps a slack.

Every curve is read at the same budgets. In hindsight is exact: no choice of these actions has more right answers for as many
retrievals. A gate is measured on entities other than those that its price of a retrieval was chosen on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kg.errors import InputError
from .outcomes import Outcomes
from .utility import Price, UtilityGate, within, worth

GRID = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)


@dataclass(frozen=True, slots=True)
class Point:
    """What a way of choosing came to; means over questions.

    Attributes:
        budget: retrievals for a question that were allowed, None where no budget was set.
        retrievals: for a question, that were used.
        right: share of the questions answered rightly.
        utility: of a question.
    """

    budget: float | None
    retrievals: float
    right: float
    utility: float


def taken(outcomes: Outcomes, choice: np.ndarray, paid: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Retrievals used, float64 [n], and whether the answer was right, bool [n], of actions taken.

    Args:
        choice: int64 [n], `len(actions)` for abstaining.
        paid: retrievals paid to decide, float64 [n] or one; an action that they cover costs no more.
    """
    at = (np.arange(len(outcomes)), np.minimum(choice, len(outcomes.actions) - 1))
    acted = choice < len(outcomes.actions)
    return np.maximum(np.where(acted, outcomes.cost[at], 0.0), paid), outcomes.right[at] & acted


def chosen(
    outcomes: Outcomes, choice: np.ndarray, price: Price, *, paid: np.ndarray | float = 0.0, budget: float | None = None
) -> Point:
    """What actions taken came to; arguments as for `taken`."""
    used, right = taken(outcomes, choice, paid)
    return Point(budget, float(used.mean()), float(right.mean()), float(worth(outcomes, choice, price, paid).mean()))


def always(outcomes: Outcomes, price: Price) -> dict[str, Point]:
    """What each action alone came to."""
    return {action: chosen(outcomes, np.full(len(outcomes), a), price) for a, action in enumerate(outcomes.actions)}


def hindsight(outcomes: Outcomes, price: Price, budget: float | None = None) -> Point:
    """The best that a choice which knows all outcomes can do within a budget.

    All right answers are worth the same and so each is bought where it is cheapest, the cheapest of all first: whatever else
    fits into the budget has no more right answers and no fewer retrievals.
    """
    cost = np.where(outcomes.right, outcomes.cost, np.inf)
    cheapest, least = cost.argmin(axis=1), cost.min(axis=1)
    least = np.where(np.isfinite(least) & (price.retrieval * np.nan_to_num(least, posinf=0.0) < price.value), least, np.inf)
    order = np.argsort(least, kind="stable")
    spent = np.cumsum(least[order])
    bought_ = order[spent <= (np.finfo(np.float64).max if budget is None else budget * len(outcomes) + 1e-9)]
    choice = np.full(len(outcomes), len(outcomes.actions))
    choice[bought_] = cheapest[bought_]
    return chosen(outcomes, choice, price, budget=budget)


def bought(gate: UtilityGate, outcomes: Outcomes, price: Price, budget: float | None = None) -> Point:
    """What a gate came to on outcomes, tiers bought included, at a price that may not be its own."""
    choice, _, at = gate.choose(outcomes)
    return chosen(outcomes, choice, price, paid=gate.tier_cost[at], budget=budget)


def kept(gate: UtilityGate, outcomes: Outcomes, budget: float, delta: float | None, seed: int = 0) -> Point:
    """What a gate comes to that has to stay within a budget.

    Its price of a retrieval is chosen on half of the entities and measured on the others, and the other way round, so that
    every question is measured once. A budget that it did not keep shows in `retrievals`.

    Args:
        outcomes: that the gate was not fitted on.
        delta: as for `utility.within`.

    Raises:
        InputError: all questions are about one entity.
    """
    one, two = outcomes.split(0.5, seed)
    if not len(one) or not len(two):
        raise InputError("questions about one entity cannot be split by entity")
    points = [bought(within(gate, own, budget, delta), held, gate.price, budget) for own, held in ((one, two), (two, one))]
    weights = np.array([len(two), len(one)]) / len(outcomes)
    means = [float(weights @ [getattr(at, name) for at in points]) for name in ("retrievals", "right", "utility")]
    return Point(budget, *means)


def budgets(outcomes: Outcomes) -> list[float]:
    """Retrievals for a question, from none to what the dearest action takes: round numbers, closer where they are few."""
    most = float(outcomes.cost.mean(axis=0).max(initial=0.0))
    return [*(at for at in GRID if at < most), most]


__all__ = ["GRID", "Point", "always", "bought", "budgets", "chosen", "hindsight", "kept", "taken"]
