"""What several experts come to together, and whether combining them is worth it."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.agents.calibrate import Calibration, aurc
from hoptrace.agents.fusion import METHODS, Fusion, alike, beliefs, fit_fusion
from hoptrace.agents.outcomes import Outcomes

AS_IS = Calibration(np.zeros(0), np.zeros(0), 1.0, 0.0, np.zeros(3))


def log(right: np.ndarray, votes: np.ndarray | None) -> Outcomes:
    n, actions = right.shape
    groups = np.arange(n)
    cost, x = np.ones(right.shape), np.zeros((n, 0))
    return Outcomes((), x, tuple(f"e{a}" for a in range(actions)), right, cost, groups, groups * 0, votes=votes)


def two_experts(n: int, seed: int) -> tuple[Outcomes, np.ndarray]:
    """Two experts that err independently, each right in .7 of the questions; wrong answers hardly ever agree."""
    rng = np.random.default_rng(seed)
    right = rng.random((n, 2)) < 0.7
    votes = np.where(right, 0, rng.integers(1, 100, (n, 2)))
    return log(right, votes), np.full((n, 2), 0.7)


def test_names_of_answers_do_not_depend_on_order_or_spelling() -> None:
    assert alike(("Tarn City", "norland")) == alike(("Norland", "tarn city"))
    assert alike(("Tarn City",)) != alike(("Tarn",))


@pytest.mark.parametrize("method", METHODS)
def test_agreement_makes_surer_than_contradiction(method: str) -> None:
    fusion = Fusion(method, AS_IS)  # type: ignore[arg-type]
    p = {"path": 0.7, "internal": 0.6}
    alone, _ = fusion({"path": ("A",)}, p, "path", 0)
    both, calm = fusion({"path": ("A",), "internal": ("a",)}, p, "path", 0)
    torn, conflict = fusion({"path": ("A",), "internal": ("B",)}, p, "path", 0)
    assert alone == pytest.approx(0.7)
    assert alone < both
    assert torn < both
    assert calm == 0
    if method == "dempster":  # a log pool of two contradicting sources follows the surer one, and knows of no conflict
        assert torn < alone
        assert conflict == pytest.approx(0.42)


def test_dempster_of_two_is_what_the_rule_says() -> None:
    fusion = Fusion("dempster", AS_IS)
    both, _ = fusion({"a": ("X",), "b": ("X",)}, {"a": 0.7, "b": 0.6}, "a", 0)
    assert both == pytest.approx(1 - 0.3 * 0.4)


def test_combining_is_chosen_where_agreement_tells_right_from_wrong() -> None:
    outcomes, p = two_experts(400, 1)
    choice, heard = np.zeros(400, np.int64), np.ones((400, 2), bool)
    fusion = fit_fusion(outcomes, p, choice, heard)
    assert fusion is not None
    held, p = two_experts(400, 2)
    sure = fusion.map(beliefs(held, p, choice, heard, fusion.method), held.buckets)
    assert aurc(sure, held.right[:, 0]) < 0.5 * aurc(p[:, 0], held.right[:, 0])


def test_one_word_is_left_alone_where_nobody_else_was_heard() -> None:
    outcomes, p = two_experts(400, 1)
    assert fit_fusion(outcomes, p, np.zeros(400, np.int64), np.zeros((400, 2), bool)) is None


def test_nothing_is_combined_without_votes_or_answers() -> None:
    outcomes, p = two_experts(50, 1)
    heard = np.ones((50, 2), bool)
    assert fit_fusion(log(outcomes.right, None), p, np.zeros(50, np.int64), heard) is None
    assert fit_fusion(outcomes, p, np.full(50, 2), heard) is None
    assert not beliefs(outcomes, p, np.full(50, 2), heard, "dempster").any()
