"""The learned gate: what each action is worth on a question, and which to choose.

An answer is a purchase under uncertainty. Of each action the gate knows what it costs and, from outcomes, how likely it is
right; it chooses the largest expected utility EU(a | x) = p·V - (1 - p)·L - λ·cost, with 0 for abstaining. What is known
before acting comes in tiers by price, and a dearer tier is bought only where the decision without it is a close one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..kg.errors import InputError
from .answer import Mode
from .calibrate import Calibration, fit_calibration, fit_logistic, sigmoid
from .outcomes import Outcomes

FOLDS = 5
PRIOR = 20  # outcomes that the rule weighs beside those seen
LEAST = 20  # outcomes below which only the rule is used
ABSTAIN = "abstain"
FAR = 8.0  # deviations from the mean beyond which features are not told apart
Priors = Mapping[str, float]  # by action, the probability of being right that the rule assumes


@dataclass(frozen=True, slots=True)
class Price:
    """What being right and wrong are worth, and what a retrieval costs, in one unit.

    Attributes:
        value: of a right answer.
        loss: of a wrong one.
        retrieval: λ, of the cost of one retrieval.
    """

    value: float = 1.0
    loss: float = 0.5
    retrieval: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """P(right | x, a) of each action from some of the features.

    Attributes:
        features: names, in the order of the columns.
        mean, scale: float64 [features]; a feature that was not measured counts as its mean.
        weights: float64 [actions, features + 1], the intercept last.
        maps: per action.
    """

    features: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    maps: tuple[Calibration, ...]

    def __call__(self, x: np.ndarray, buckets: np.ndarray) -> np.ndarray:
        """Probabilities, float64 [n, actions].

        Args:
            x: float64 [n, features], nan where unknown.
            buckets: int64 [n].
        """
        raw = _raw(self.weights, standard(x, self.mean, self.scale))
        return np.stack([one(raw[:, i], buckets) for i, one in enumerate(self.maps)], axis=1)

    def far(self, x: np.ndarray) -> np.ndarray:
        """Where a feature lies so far from what was seen that it counts as `FAR` deviations, bool [n, features]."""
        with np.errstate(over="ignore", invalid="ignore"):
            outside: np.ndarray = np.abs((x - self.mean) / self.scale) > FAR
        return outside


def fit_scorer(outcomes: Outcomes) -> Scorer:
    """A logistic regression for each action, and its calibration on folds that share no entity with what it was fitted on."""
    x = outcomes.x
    mean = np.nan_to_num(np.nanmean(np.where(np.isfinite(x), x, np.nan), axis=0)) if len(x) else np.zeros(x.shape[1])
    scale = np.nanstd(np.where(np.isfinite(x), x, np.nan), axis=0)
    scale = np.where(np.isfinite(scale) & (scale > 1e-9), scale, 1.0)
    z = standard(x, mean, scale)
    weights = np.stack([fit_logistic(z, outcomes.right[:, a]) for a in range(len(outcomes.actions))])
    held = np.zeros(outcomes.right.shape)
    fold = _folds(outcomes.groups)
    for f in range(FOLDS):
        rest, here = fold != f, fold == f
        if here.any() and rest.any():
            own = np.stack([fit_logistic(z[rest], outcomes.right[rest, a]) for a in range(len(outcomes.actions))])
            held[here] = _raw(own, z[here])
    maps = tuple(fit_calibration(held[:, a], outcomes.right[:, a], outcomes.buckets) for a in range(len(outcomes.actions)))
    return Scorer(outcomes.features, mean, scale, weights, maps)


@dataclass(frozen=True, slots=True, eq=False)
class UtilityGate:
    """Chooses actions by expected utility.

    Attributes:
        actions: names.
        tiers: a scorer for each tier, each over the features of its own and all cheaper tiers.
        closer: per tier, the lead of the best action over the next below which the next tier is bought.
        cost: float64 [actions], retrievals that an action is expected to cost.
        tier_cost: float64 [tiers], retrievals that were paid once a tier is known; an action that they cover costs no more.
        price: of outcomes.
        seen: outcomes that it was fitted on.
        priors: of the rule, which the probabilities are drawn to while few outcomes were seen.
    """

    actions: tuple[str, ...]
    tiers: tuple[Scorer, ...]
    closer: tuple[float, ...]
    cost: np.ndarray
    tier_cost: np.ndarray
    price: Price
    seen: int
    priors: tuple[float, ...]

    @property
    def mode(self) -> Mode:
        return "calibrated" if self.seen >= 5 * PRIOR else "shrunk"

    def probabilities(self, x: np.ndarray, features: Sequence[str], buckets: np.ndarray, tier: int) -> np.ndarray:
        """P(right), float64 [n, actions], by what one tier knows."""
        scorer = self.tiers[tier]
        p = scorer(x[:, [list(features).index(name) for name in scorer.features]], buckets)
        share = PRIOR / (PRIOR + self.seen)
        return (1 - share) * p + share * np.array(self.priors)

    def utilities(self, p: np.ndarray, tier: int) -> np.ndarray:
        """Expected utility of what is still to be paid, float64 [n, actions + 1], the last for abstaining."""
        left = np.maximum(self.cost - self.tier_cost[tier], 0.0)
        bought = p * self.price.value - (1 - p) * self.price.loss - self.price.retrieval * left
        return np.hstack([bought, np.zeros((len(p), 1))])

    def choose(self, outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decide on each question, buying tiers as they pay.

        Returns:
            The index of the action [n] (`len(actions)` for abstaining), its probability of being right [n] (0 for abstaining),
            and the tier it was decided at [n].
        """
        n = len(outcomes)
        choice, sure, at = np.zeros(n, np.int64), np.zeros(n), np.zeros(n, np.int64)
        open_ = np.ones(n, bool)
        for tier in range(len(self.tiers)):
            rows = np.flatnonzero(open_)
            p = self.probabilities(outcomes.x[rows], outcomes.features, outcomes.buckets[rows], tier)
            u = self.utilities(p, tier)
            choice[rows], at[rows] = u.argmax(axis=1), tier
            sure[rows] = np.hstack([p, np.zeros((len(p), 1))])[np.arange(len(p)), choice[rows]]
            open_[rows] = lead(u) < self.closer[tier]
        return choice, sure, at


def fit_gate(
    outcomes: Outcomes,
    tiers: Sequence[Sequence[str]],
    *,
    price: Price | None = None,
    tier_cost: Sequence[float] | None = None,
    priors: Priors | None = None,
) -> UtilityGate:
    """Fit a gate on outcomes.

    Args:
        outcomes: of the user's questions, every action run on each.
        tiers: names of the features of each tier, the cheapest first.
        price: of outcomes.
        tier_cost: retrievals that were paid once each tier is known, rising; nothing where None.
        priors: what the rule assumes of each action; a half where none is given.

    Raises:
        InputError: fewer than `LEAST` outcomes, or a feature that was not recorded.
    """
    if len(outcomes) < LEAST:
        raise InputError(f"{len(outcomes)} outcomes are too few for a gate: at least {LEAST} are needed")
    missing = [name for tier in tiers for name in tier if name not in outcomes.features]
    if missing:
        raise InputError(f"the outcomes do not record {', '.join(missing)}")
    known = [[name for tier in tiers[: i + 1] for name in tier] for i in range(len(tiers))]
    scorers = tuple(fit_scorer(outcomes.only(names)) for names in known)
    given = priors or {}
    gate = UtilityGate(
        actions=outcomes.actions,
        tiers=scorers,
        closer=(float("inf"),) * (len(tiers) - 1) + (0.0,),
        cost=outcomes.cost.mean(axis=0),
        tier_cost=np.array(tier_cost if tier_cost is not None else [0.0] * len(tiers)),
        price=price or Price(),
        seen=len(outcomes),
        priors=tuple(given.get(action, 0.5) for action in outcomes.actions),
    )
    for tier in range(len(tiers) - 2, -1, -1):  # the dearest first, so that each knows what the next one will do
        gate = replace(gate, closer=_closest(gate, outcomes, tier))
    return gate


def _closest(gate: UtilityGate, outcomes: Outcomes, tier: int) -> tuple[float, ...]:
    """The leads up to which each tier is left for the next, with the best for one of them by realised utility."""
    p = gate.probabilities(outcomes.x, outcomes.features, outcomes.buckets, tier)
    leads = np.quantile(lead(gate.utilities(p, tier)), np.linspace(0, 1, 9))
    best, found = -np.inf, gate.closer
    skipped = (float("inf"),) * tier
    for closest in (0.0, *leads[1:].tolist(), float("inf")):
        tried = (*skipped, closest, *gate.closer[tier + 1 :])
        gained = float(realised(replace(gate, closer=tried), outcomes).mean())
        if gained > best + 1e-9:
            best, found = gained, tried
    return found


def realised(gate: UtilityGate, outcomes: Outcomes) -> np.ndarray:
    """What the choices of a gate turned out to be worth, float64 [n], tiers bought included."""
    choice, _, at = gate.choose(outcomes)
    return worth(outcomes, choice, gate.price, gate.tier_cost[at])


def worth(outcomes: Outcomes, choice: np.ndarray, price: Price, paid: np.ndarray | float = 0.0) -> np.ndarray:
    """Utility of actions taken, float64 [n].

    Args:
        choice: int64 [n], `len(actions)` for abstaining.
        paid: retrievals paid to decide, float64 [n] or one; an action that they cover costs no more.
    """
    rows = np.arange(len(outcomes))
    acted = choice < len(outcomes.actions)
    at = np.minimum(choice, len(outcomes.actions) - 1)
    missed = np.full(len(rows), -price.loss) if outcomes.said is None else np.where(outcomes.said[rows, at], -price.loss, 0.0)
    gained = np.where(acted, np.where(outcomes.right[rows, at], price.value, missed), 0.0)
    net: np.ndarray = gained - price.retrieval * np.maximum(np.where(acted, outcomes.cost[rows, at], 0.0), paid)
    return net


def oracle(outcomes: Outcomes, price: Price) -> np.ndarray:
    """The best that any choice could be worth on each question, float64 [n]."""
    every = [worth(outcomes, np.full(len(outcomes), a), price) for a in range(len(outcomes.actions) + 1)]
    best: np.ndarray = np.max(every, axis=0)
    return best


def within(gate: UtilityGate, outcomes: Outcomes, share: float, delta: float | None = 0.1) -> UtilityGate:
    """The gate with the smallest λ whose retrievals stay within a budget, with confidence 1 - delta.

    The mean of retrievals seen on these outcomes may be off by their largest number times sqrt(ln(2 / delta) / 2n) (Dvoretzky,
    Kiefer, Wolfowitz; the constant of Massart 1990). Tiers bought to decide count. Where no λ stays within it, the largest one.

    Args:
        outcomes: that the gate was not fitted on.
        share: retrievals for a question, mean; of questions that may be retrieved for, where an action costs one.
        delta: None for no slack: what these outcomes used is taken as what others will.
    """
    most = max(float(gate.cost.max()), float(gate.tier_cost.max()))
    slack = 0.0 if delta is None else most * np.sqrt(np.log(2 / delta) / (2 * max(len(outcomes), 1)))
    made = gate
    for price in np.concatenate([[0.0], np.geomspace(0.01, 10, 60)]):
        made = replace(gate, price=replace(gate.price, retrieval=float(price)))
        choice, _, at = made.choose(outcomes)
        used = np.maximum(np.append(gate.cost, 0.0)[choice], gate.tier_cost[at])
        if float(used.mean()) + slack <= share:
            break
    return made


def lead(utilities: np.ndarray) -> np.ndarray:
    """How far the best action is ahead of the next, float64 [n]."""
    top = np.sort(utilities, axis=1)
    ahead: np.ndarray = top[:, -1] - top[:, -2]
    return ahead


def standard(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Features with mean 0 and deviation 1, within ±FAR; what was not measured is 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        z = np.where(np.isfinite(x), (x - mean) / scale, 0.0)
    return np.clip(z, -FAR, FAR)


def _raw(weights: np.ndarray, z: np.ndarray) -> np.ndarray:
    return sigmoid(z @ weights[:, :-1].T + weights[:, -1])


def _folds(groups: np.ndarray) -> np.ndarray:
    """A fold for each question, int64 [n], the same for all questions of a group."""
    _, place = np.unique(groups, return_inverse=True)
    return np.random.default_rng(0).permutation(int(place.max(initial=0)) + 1)[place] % FOLDS


__all__ = ["ABSTAIN", "Price", "Scorer", "UtilityGate", "fit_gate", "fit_scorer", "oracle", "realised", "within", "worth"]
