"""Probabilities that mean what they say: calibration, its measures, and abstention with a guarantee."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ISOTONIC = 1000  # outcomes from which a curve of any rising form is fitted, below it Platt's two numbers
SHRINK = 20  # outcomes that the map of all buckets weighs beside those of one
KEPT = 40  # answers below which nothing can be said about an error rate
BUCKETS = 3  # head, medium, tail
_CLIP = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A map from scores to probabilities, moved a little for each bucket.

    Attributes:
        knots, values: float64 [k], the rising curve of isotonic regression; empty where Platt's map is used.
        slope, offset: of Platt's map, on the logit of the score (Platt 1999).
        moved: float64 [BUCKETS], what is added to the logit in each bucket.
    """

    knots: np.ndarray
    values: np.ndarray
    slope: float
    offset: float
    moved: np.ndarray

    def __call__(self, scores: np.ndarray, buckets: np.ndarray) -> np.ndarray:
        """Probabilities, float64 [n], of scores in [0, 1], float [n], in buckets, int64 [n]."""
        if len(self.knots):
            z = logit(np.interp(scores, self.knots, self.values))
        else:
            z = self.slope * logit(scores) + self.offset
        return sigmoid(z + self.moved[buckets])


def fit_calibration(scores: np.ndarray, right: np.ndarray, buckets: np.ndarray) -> Calibration:
    """Platt's map, or isotonic regression above `ISOTONIC` outcomes; each bucket is shrunk to the map of all.

    Args:
        scores: float [n] in [0, 1], of outcomes that the scorer was not fitted on.
        right: bool [n].
        buckets: int64 [n].
    """
    none = np.zeros(0)
    if len(scores) >= ISOTONIC:
        from scipy.optimize import isotonic_regression  # type: ignore[import-untyped]

        order = np.argsort(scores, kind="stable")
        values = isotonic_regression(right[order].astype(np.float64)).x
        smooth = (values * len(values) + 0.5) / (len(values) + 1)
        fitted = Calibration(scores[order].astype(np.float64), smooth, 1.0, 0.0, np.zeros(BUCKETS))
    else:
        weights = fit_logistic(logit(scores)[:, None], right)
        fitted = Calibration(none, none, float(weights[0]), float(weights[1]), np.zeros(BUCKETS))
    moved = np.zeros(BUCKETS)
    p = fitted(scores, buckets)
    for bucket in range(BUCKETS):
        inside = buckets == bucket
        n = int(inside.sum())
        if n:
            seen = (right[inside].sum() + SHRINK * p[inside].mean()) / (n + SHRINK)
            moved[bucket] = float(logit(np.array([seen]))[0] - logit(np.array([p[inside].mean()]))[0])
    return Calibration(fitted.knots, fitted.values, fitted.slope, fitted.offset, moved)


def fit_logistic(x: np.ndarray, right: np.ndarray, penalty: float = 1.0) -> np.ndarray:
    """Weights of a logistic regression with the intercept last, float64 [k + 1].

    Args:
        x: float64 [n, k], standardised.
        right: bool [n].
        penalty: of the squares of all weights but the intercept.
    """
    from scipy.optimize import minimize

    y, ones = right.astype(np.float64), np.hstack([x, np.ones((len(x), 1))])

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = ones @ w
        value = np.logaddexp(0, z) - y * z
        slope = ones.T @ (sigmoid(z) - y)
        slope[:-1] += penalty * w[:-1]
        return float(value.sum() + penalty * (w[:-1] @ w[:-1]) / 2), slope

    # Two outcomes that nobody saw, one of each kind, keep the intercept finite where all were alike.
    start = np.zeros(ones.shape[1])
    start[-1] = logit(np.array([(y.sum() + 1) / (len(y) + 2)]))[0]
    if y.min(initial=1) == y.max(initial=0):
        return start
    found: np.ndarray = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found


def threshold(scores: np.ndarray, right: np.ndarray, error: float, grid: np.ndarray, delta: float = 0.1) -> float:
    """The lowest score from which answers are wrong at most so often, with confidence 1 - delta; inf where none is.

    Fixed-sequence testing with Clopper-Pearson bounds (Angelopoulos et al. 2021, Learn then Test, arXiv 2110.01052): thresholds
    are tried from the strictest on, and the first that cannot be shown to keep the error ends the search.

    Args:
        scores: float [n] of outcomes that neither scorer nor grid was made from.
        right: bool [n].
        error: the share of wrong answers asked for.
        grid: float, thresholds to try.
    """
    from scipy.stats import beta  # type: ignore[import-untyped]

    best = float("inf")
    for at in np.unique(grid)[::-1]:
        kept = scores >= at
        n = int(kept.sum())
        if n < KEPT:
            continue
        wrong = n - int(right[kept].sum())
        if wrong == n or beta.ppf(1 - delta, wrong + 1, n - wrong) > error:
            break
        best = float(at)
    return best


# ---- measures


def ece(p: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins of equal size: mean distance of what was said from what came."""
    return float(sum(len(part) * abs(p[part].mean() - right[part].mean()) for part in equal_bins(p, bins)) / max(len(p), 1))


def equal_bins(p: np.ndarray, bins: int = 10) -> list[np.ndarray]:
    """Rows, int64, by rising probability in at most `bins` bins of equal size, none of them empty."""
    order = np.argsort(p, kind="stable")
    return [part for part in np.array_split(order, max(min(bins, len(p)), 1)) if len(part)]


def brier(p: np.ndarray, right: np.ndarray) -> float:
    """Mean squared distance of probabilities from outcomes."""
    return float(np.mean((p - right) ** 2))


def auroc(scores: np.ndarray, right: np.ndarray) -> float:
    """Probability that a right one scores above a wrong one, ties half; nan where there is only one kind."""
    from scipy.stats import rankdata

    good = int(right.sum())
    bad = len(right) - good
    if not good or not bad:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[right.astype(bool)].sum() - good * (good + 1) / 2) / (good * bad))


def aurc(scores: np.ndarray, right: np.ndarray) -> float:
    """Area under the risk-coverage curve: mean share of wrong answers over all coverages, the surest first."""
    return float(np.mean(risks(scores, right))) if len(scores) else float("nan")


def risks(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Share of wrong answers among the surest 1, 2, ... n, float64 [n]."""
    order = np.argsort(-scores, kind="stable")
    shares: np.ndarray = np.cumsum(1.0 - right[order].astype(np.float64)) / np.arange(1, len(scores) + 1)
    return shares


def logit(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    odds: np.ndarray = np.log(clipped) - np.log1p(-clipped)
    return odds


def sigmoid(z: np.ndarray) -> np.ndarray:
    p: np.ndarray = 0.5 * (1.0 + np.tanh(0.5 * z))
    return p


__all__ = ["Calibration", "aurc", "auroc", "brier", "ece", "equal_bins", "fit_calibration", "fit_logistic", "risks", "threshold"]
