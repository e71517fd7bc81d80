"""Calibration, its measures, and the threshold that keeps an error rate."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.agents.calibrate import aurc, auroc, brier, ece, fit_calibration, fit_logistic, sigmoid, threshold
from hypothesis import given
from hypothesis import strategies as st

BUCKETS = 3


def draws(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are too sure, outcomes, and buckets."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    right = rng.random(n) < p
    return sigmoid(3 * (np.log(p) - np.log1p(-p))), right, rng.integers(0, BUCKETS, n)


@pytest.mark.parametrize("n", [200, 3000])  # Platt's map, isotonic regression
def test_calibration_undoes_too_much_confidence(n: int) -> None:
    scores, right, buckets = draws(n, 0)
    fitted = fit_calibration(scores, right, buckets)
    new, came, places = draws(4000, 1)
    assert ece(new, came) > 0.1
    assert ece(fitted(new, places), came) < 0.05
    assert brier(fitted(new, places), came) < brier(new, came)


@pytest.mark.parametrize("n", [200, 3000])
def test_calibration_keeps_the_order_within_a_bucket(n: int) -> None:
    fitted = fit_calibration(*draws(n, 0))
    p = fitted(np.linspace(0, 1, 101), np.zeros(101, np.int64))
    assert (np.diff(p) >= 0).all()


def test_a_bucket_that_goes_worse_is_believed_less() -> None:
    scores, right, buckets = draws(900, 0)
    right = right & (buckets != 2)
    fitted = fit_calibration(scores, right, buckets)
    p = fitted(np.full(BUCKETS, 0.8), np.arange(BUCKETS))
    assert p[2] < p[0] / 2


def test_logistic_finds_planted_weights() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 2))
    right = rng.random(len(x)) < sigmoid(x @ [1.5, -0.7] + 0.3)
    assert fit_logistic(x, right) == pytest.approx([1.5, -0.7, 0.3], abs=0.08)


def test_logistic_of_one_outcome_stays_finite() -> None:
    weights = fit_logistic(np.ones((5, 1)), np.ones(5, bool))
    assert weights == pytest.approx([0.0, np.log(6 / 1)])


@given(st.integers(0, 10_000))
def test_auroc_counts_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, right = rng.integers(0, 5, 30).astype(float), rng.random(30) < 0.5
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[right] for b in scores[~right]]
    assert auroc(scores, right) == pytest.approx(np.mean(pairs)) if pairs else np.isnan(auroc(scores, right))


def test_aurc_of_a_perfect_order() -> None:
    right = np.array([True, True, False])
    assert aurc(np.array([3.0, 2.0, 1.0]), right) == pytest.approx((0 + 0 + 1 / 3) / 3)
    assert aurc(np.array([1.0, 2.0, 3.0]), right) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_the_threshold_keeps_its_promise() -> None:
    """Over many draws the error is exceeded seldom, where a cut at the observed rate exceeds it often."""
    grid, bad, naive = np.linspace(0, 1, 51), 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = rng.random(800)
        right = rng.random(800) < p
        own, new = slice(0, 400), slice(400, 800)
        true = p[new]
        for at, kind in ((threshold(p[own], right[own], 0.1, grid), "kept"), (_naive(p[own], right[own], grid), "naive")):
            wrong = bool((p[new] >= at).any()) and float((1 - true[true >= at]).mean()) > 0.1
            bad += wrong and kind == "kept"
            naive += wrong and kind == "naive"
    assert bad <= 20
    assert naive > bad


def _naive(p: np.ndarray, right: np.ndarray, grid: np.ndarray) -> float:
    return next((float(at) for at in grid if (p >= at).any() and right[p >= at].mean() >= 0.9), float("inf"))


def test_too_few_outcomes_promise_nothing() -> None:
    assert threshold(np.full(39, 0.9), np.ones(39, bool), 0.1, np.array([0.5])) == float("inf")
    assert threshold(np.full(400, 0.9), np.zeros(400, bool), 0.1, np.array([0.5])) == float("inf")
