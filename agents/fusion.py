"""What several experts come to together: each believes in its answer as far as it can be relied on, and the rest stays open.

How opinions are combined, and whether at all, is chosen on a graph's own questions by the area under the risk-coverage curve;
the outcome is calibrated, for two experts that read the same source do not know twice as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import normalize
from .calibrate import Calibration, aurc, fit_calibration
from .opinion import Method, Opinion, combine

if TYPE_CHECKING:
    from .outcomes import Outcomes

METHODS: tuple[Method, ...] = ("dempster", "logpool")
_GAIN = 0.002  # of the area under the risk-coverage curve, below which one expert's word is left alone


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """How the opinions of a graph's experts are combined.

    Attributes:
        method: of `agents.opinion`.
        map: from the belief that all together have in an answer to the probability that it is right.
    """

    method: Method
    map: Calibration

    def __call__(self, said: Mapping[str, Sequence[str]], p: Mapping[str, float], name: str, bucket: int) -> tuple[float, float]:
        """How sure all are of one expert's answers, and how far they contradict each other.

        Args:
            said: answers by expert, of those that gave some.
            p: by expert, the probability that it is right.
            name: the expert whose answers are to be given.
            bucket: 0 head, 1 medium, 2 tail.
        """
        held = combined({one: alike(answers) for one, answers in said.items()}, p, self.method)
        belief = held.over([alike(said[name])])
        return float(self.map(belief, np.array([bucket]))[0]), held.conflict


def alike(answers: Sequence[str]) -> str:
    """One name for a set of answers, however it is ordered and spelled."""
    return " | ".join(sorted({normalize(answer) for answer in answers}))


def combined(said: Mapping[str, str], p: Mapping[str, float], method: Method) -> Opinion:
    """One opinion over what was said, by expert."""
    return combine([Opinion.of((answer,), (1.0,), p[name]) for name, answer in said.items()], method)


def fit_fusion(outcomes: Outcomes, p: np.ndarray, choice: np.ndarray, heard: np.ndarray) -> Fusion | None:
    """The way of combining that ranks right answers best, None where none ranks them better than one expert's own word.

    Args:
        outcomes: with `votes`, of questions that have an answer by every expert that was heard.
        p: float64 [n, actions], how far each expert can be relied on.
        choice: int64 [n], whose answer is given; rows where none is (`len(actions)`) count for nothing.
        heard: bool [n, actions], who was engaged.
    """
    if outcomes.votes is None:
        return None
    rows = np.flatnonzero(choice < len(outcomes.actions))
    rows = rows[outcomes.votes[rows, choice[rows]] >= 0]
    if not len(rows):
        return None
    right, alone = outcomes.right[rows, choice[rows]], p[rows, choice[rows]]
    best, found = aurc(alone, right) - _GAIN, None
    for method in METHODS:
        sure = beliefs(outcomes, p, choice, heard, method)[rows]
        if aurc(sure, right) < best:
            best, found = aurc(sure, right), Fusion(method, fit_calibration(sure, right, outcomes.buckets[rows]))
    return found


def beliefs(outcomes: Outcomes, p: np.ndarray, choice: np.ndarray, heard: np.ndarray, method: Method) -> np.ndarray:
    """Belief of all who were heard in the answer that is given, float64 [n], 0 where none is."""
    assert outcomes.votes is not None  # asked for only where answers were compared
    made = np.zeros(len(outcomes))
    for i, at in enumerate(choice.tolist()):
        if at == len(outcomes.actions) or outcomes.votes[i, at] < 0:
            continue
        voters = [a for a in range(len(outcomes.actions)) if outcomes.votes[i, a] >= 0 and (heard[i, a] or a == at)]
        said = {str(a): str(outcomes.votes[i, a]) for a in voters}
        made[i] = combined(said, {str(a): float(p[i, a]) for a in voters}, method).over([said[str(at)]])[0]
    return made


__all__ = ["METHODS", "Fusion", "alike", "beliefs", "combined", "fit_fusion"]
