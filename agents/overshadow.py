"""Which errors threaten where one condition is told of far more often than another: the shadow score.

After the law of knowledge overshadowing (Zhang et al. 2025, arXiv 2502.16143): what is asked about a rare condition is answered
as if it were the frequent one. The score compares the answer with what would be said without the condition; an answer that
the condition makes less likely did not come from it. It says which kind of error threatens and asks for evidence; decoding
with the contrast did not repair such answers in a pilot, so it is left out.
"""

from __future__ import annotations

import numpy as np

_FLOOR = 1e-9


def shadow_score(given: np.ndarray, masked: np.ndarray) -> np.ndarray:
    """-R-PMI of the most likely answer, float64 [n]: log P(y | question without its condition) - log P(y | question).

    Args:
        given: float [n, tokens], probabilities of answers to the question.
        masked: float [n, tokens], to the question with its condition masked.
    """
    best = given.argmax(axis=1)
    rows = np.arange(len(given))
    score: np.ndarray = np.log(masked[rows, best] + _FLOOR) - np.log(given[rows, best] + _FLOOR)
    return score


def predicted_rate(ratio: np.ndarray, rate: np.ndarray) -> tuple[float, float, float]:
    """Fit of the law, rate = a log(ratio) + b, by least squares: a, b and R².

    Args:
        ratio: float [n], how much more often the frequent condition is told.
        rate: float [n], share of answers about the rare condition that belong to the frequent one.
    """
    x = np.stack([np.log(ratio), np.ones(len(ratio))], axis=1)
    weights, *_ = np.linalg.lstsq(x, rate, rcond=None)
    left = float(((rate - x @ weights) ** 2).sum())
    spread = float(((rate - rate.mean()) ** 2).sum())
    return float(weights[0]), float(weights[1]), 1 - left / spread if spread else 0.0


__all__ = ["predicted_rate", "shadow_score"]
