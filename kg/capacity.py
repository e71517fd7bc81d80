"""How many facts fit into the weights of a student, and which ones belong there; the rest is retrieved.

After *Physics of Language Models 3.3* (Allen-Zhu and Li 2024, arXiv 2404.05405): a transformer holds a number of bits per
parameter that depends on how often each fact is seen. That number is measured for the student at hand and never assumed.

>>> planner = CapacityPlanner.calibrate([Measured(10_000, 400, demand=19_200, stored=11_300)])
>>> facts = [Candidate("a", 9.0, 0.5, 256), Candidate("b", 9.0, 0.5, 256, volatile=True), Candidate("c", 1.0, 0.9, 256)]
>>> plan = planner.plan(facts, parameters=10)
>>> plan.internalise, plan.retrieve, plan.bits, plan.exposures
(('a',), ('b', 'c'), 8.0, 400)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import InputError

_FULL = 0.9  # a student that stored more than this share of what it was shown may have had room left


@dataclass(frozen=True, slots=True)
class Measured:
    """One student that was trained to see what stays.

    Attributes:
        parameters: of the student.
        exposures: how often it saw each fact.
        demand: bits of all facts that it was shown.
        stored: bits of them that it knows afterwards, of `stored_bits`.
    """

    parameters: int
    exposures: int
    demand: float
    stored: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact that a student could hold.

    Attributes:
        id: of the fact.
        frequency: how often it is asked for, in any unit.
        retrieved: chance that retrieval answers it rightly.
        values: how many values its relation can take.
        volatile: its value changes, or has versions; such a fact is never put into weights.
    """

    id: str
    frequency: float
    retrieved: float
    values: int
    volatile: bool = False

    @property
    def bits(self) -> float:
        """Bits of its value. What it takes to tell its subject from others is within the measured bits per parameter."""
        return math.log2(self.values)


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes where.

    Attributes:
        internalise: ids of the facts to train the student on, the most worth per bit first.
        retrieve: ids of the others, in the order given.
        bits: of the facts to internalise; at most `budget`.
        budget: bits that the student holds.
        exposures: how often each of them has to be shown for that.
    """

    internalise: tuple[str, ...]
    retrieve: tuple[str, ...]
    bits: float
    budget: float
    exposures: int


def stored_bits(nats: np.ndarray, values: np.ndarray | int) -> float:
    """Bits that a student knows of some facts: those of the space of values less those that it still lacks, at least 0.

    Args:
        nats: float [facts], loss on each fact's value, summed over its tokens.
        values: int [facts], or one for all: how many values were possible.

    Raises:
        InputError: a loss is not finite, or there are no possible values.
    """
    nats, space = np.asarray(nats, np.float64), np.broadcast_to(np.asarray(values, np.float64), np.shape(nats))
    if not np.isfinite(nats).all() or (space < 1).any():
        raise InputError("stored_bits needs finite losses and at least one possible value per fact")
    return max(0.0, float((np.log2(space) - nats / math.log(2)).sum()))


@dataclass(frozen=True, slots=True)
class CapacityPlanner:
    """What a kind of student holds.

    Attributes:
        bits_per_parameter: measured, at so many exposures.
        exposures: the number of them at which it was measured.
    """

    bits_per_parameter: float
    exposures: int

    @classmethod
    def calibrate(cls, measurements: Sequence[Measured]) -> CapacityPlanner:
        """Bits per parameter of students that were shown more than they could hold, the median.

        Raises:
            InputError: there are none, they differ in exposures, or some had room left, so that nothing says where they end.
        """
        if not measurements or len({one.exposures for one in measurements}) != 1:
            raise InputError("calibrate needs measurements at one number of exposures")
        if any(one.parameters < 1 or one.demand <= 0 for one in measurements):
            raise InputError("calibrate needs students with parameters that were shown facts")
        roomy = [one for one in measurements if one.stored > _FULL * one.demand]
        if roomy:
            raise InputError(f"a student of {roomy[0].parameters} parameters kept nearly all it was shown: show it more facts")
        return cls(float(np.median([one.stored / one.parameters for one in measurements])), measurements[0].exposures)

    def predict(self, parameters: int, demand: float) -> float:
        """Bits that a student of this size will hold of `demand` bits, each fact shown `exposures` times."""
        return min(demand, self.bits_per_parameter * parameters)

    def plan(self, candidates: Sequence[Candidate], parameters: int, *, price: float = 0.0) -> Plan:
        """The facts worth holding: by worth per bit, as long as they fit.

        A fact is worth what retrieval would get wrong, and what retrieving it would cost, times how often it is asked for.

        Args:
            candidates: facts, each once.
            parameters: of the student.
            price: of one retrieval, in right answers.

        Raises:
            InputError: a candidate is no fact that could be weighed, or stands twice.
        """
        if len({one.id for one in candidates}) != len(candidates):
            raise InputError("each candidate can stand in a plan once")
        for one in candidates:
            if not (one.frequency >= 0 and 0 <= one.retrieved <= 1 and one.values >= 1):
                raise InputError(f"candidate {one.id}: needs a frequency of at least 0, a chance, and a possible value")
        budget, used, chosen = self.bits_per_parameter * parameters, 0.0, []
        worth = {one.id: one.frequency * (1 - one.retrieved + price) for one in candidates}
        useful = [one for one in candidates if not one.volatile and worth[one.id] > 0]
        for one in sorted(useful, key=lambda one: (-worth[one.id] / max(one.bits, 1e-9), one.id)):
            if used + one.bits <= budget:
                used += one.bits
                chosen.append(one.id)
        kept = set(chosen)
        return Plan(tuple(chosen), tuple(one.id for one in candidates if one.id not in kept), used, budget, self.exposures)


__all__ = ["Candidate", "CapacityPlanner", "Measured", "Plan", "stored_bits"]
