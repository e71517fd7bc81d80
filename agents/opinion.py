"""Opinions: how far a source of knowledge believes in each candidate, and how much it leaves open. Several become one.

After the evidential view of trusted long-tailed classification (Li et al. 2022, arXiv 2111.09030): a source that is right with
probability r and spreads its belief as p holds r·p of every candidate and leaves 1 - r open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np

from ..kg.errors import InputError

Method = Literal["dempster", "logpool"]
_FLOOR = 1e-6  # share of a candidate that a source does not name, in a log pool


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """Belief over candidates.

    Attributes:
        candidates: answers, each once.
        belief: float64 [candidates], each at least 0; with `uncertainty` they sum to 1.
        uncertainty: mass that is on no candidate.
        conflict: mass that two opinions put on different candidates when they were combined; an explanation, not a trigger.
    """

    candidates: tuple[str, ...]
    belief: np.ndarray
    uncertainty: float
    conflict: float = 0.0

    @classmethod
    def of(cls, candidates: Sequence[str], probabilities: Sequence[float], reliability: float) -> Opinion:
        """The opinion of a source that is right with probability `reliability`.

        Raises:
            InputError: a candidate stands twice, or numbers are no probabilities.
        """
        p = np.asarray(probabilities, np.float64)
        if len(set(candidates)) != len(candidates) or p.shape != (len(candidates),):
            raise InputError("an opinion needs one probability for each of its candidates, and each candidate once")
        if not (np.isfinite(p).all() and (p >= 0).all() and 0 <= reliability <= 1):
            raise InputError("an opinion needs probabilities, and a reliability between 0 and 1")
        total = float(p.sum())
        if total == 0:
            return VACUOUS
        belief = reliability * p / total
        return cls(tuple(candidates), belief, 1.0 - reliability)

    @property
    def best(self) -> tuple[str, float]:
        """The candidate believed in most and the belief in it; ("", 0.0) where there is none."""
        if not self.candidates:
            return "", 0.0
        at = int(self.belief.argmax())
        return self.candidates[at], float(self.belief[at])

    def over(self, candidates: Sequence[str]) -> np.ndarray:
        """Beliefs in these candidates, float64 [candidates], 0 in one that it does not name."""
        known = dict(zip(self.candidates, self.belief.tolist(), strict=True))
        return np.array([known.get(candidate, 0.0) for candidate in candidates], np.float64)


VACUOUS = Opinion((), np.zeros(0), 1.0)


def combine(opinions: Sequence[Opinion], method: Method = "dempster") -> Opinion:
    """One opinion of several: reduced Dempster (masses on single candidates and on all of them), or a log pool in which a
    source weighs as much as it is certain. The order does not matter; opinions that contradict each other wholly leave all open.
    """
    if method == "logpool":
        return _log_pool(opinions)
    return reduce(_dempster, opinions, VACUOUS)


def _dempster(first: Opinion, second: Opinion) -> Opinion:
    names = tuple(dict.fromkeys((*first.candidates, *second.candidates)))
    one, two = first.over(names), second.over(names)
    conflict = float(max(0.0, one.sum() * two.sum() - one @ two))
    if conflict >= 1 - 1e-12:
        return Opinion(names, np.zeros(len(names)), 1.0, 1.0)
    belief = (one * two + one * second.uncertainty + two * first.uncertainty) / (1 - conflict)
    left = first.uncertainty * second.uncertainty / (1 - conflict)
    return Opinion(names, belief, left, max(conflict, first.conflict, second.conflict))


def _log_pool(opinions: Sequence[Opinion]) -> Opinion:
    heard = [opinion for opinion in opinions if opinion.uncertainty < 1]
    if len(heard) < 2:
        return heard[0] if heard else VACUOUS
    names = tuple(dict.fromkeys(name for opinion in heard for name in opinion.candidates))
    logs = np.zeros(len(names))
    for opinion in heard:
        certain = 1 - opinion.uncertainty
        logs += certain * np.log(np.maximum(opinion.over(names) / certain, _FLOOR))
    p = np.exp(logs - logs.max())
    left = float(np.prod([opinion.uncertainty for opinion in heard]))
    return Opinion(names, (1 - left) * p / p.sum(), left)


__all__ = ["VACUOUS", "Method", "Opinion", "combine"]
