"""The rule gate: what is refused before anything is searched, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.agents.answer import Route
from hoptrace.agents.gate import Able, Gate, known
from hoptrace.kg.model import Entity
from hoptrace.retrieval.base import Seed
from hoptrace.retrieval.linking import Link
from hoptrace.retrieval.question import understand

ALDA = Link(10, 14, "Alda", (Seed(1, Entity("e1", "Alda"), 10, 14, 1.0),))
TWO = Link(10, 14, "Alda", (Seed(1, Entity("e1", "Alda"), 10, 14, 0.4), Seed(2, Entity("e2", "Alda"), 10, 14, 0.4)))
QUORN = Link(20, 25, "Quorn", ())
WELL, BADLY = np.full((3, 2, 1), 0.95, np.float32), np.full((3, 2, 1), 0.1, np.float32)


def route(links: list[Link], gains: np.ndarray = WELL, has_model: bool = False) -> Route:
    question = understand("Who owns x?")
    return Gate().first(question, links, known(question, links, gains, ()), Able(model=has_model))


@pytest.mark.parametrize("has_model", [False, True])
@pytest.mark.parametrize(
    ("links", "gains", "actions"),
    [
        ([ALDA], WELL, ("path", "path+text")),
        ([ALDA], BADLY, ("path", "path+text")),
        ([], WELL, ("path", "path+text")),
        ([], BADLY, ("abstain", "path+text")),
        ([QUORN], WELL, ("abstain", "path+text")),
        ([ALDA, QUORN], WELL, ("abstain", "path+text")),
        ([], np.zeros((0, 2, 1), np.float32), ("abstain", "path+text")),
        ([], np.zeros((3, 2, 0), np.float32), ("abstain", "path+text")),
    ],
)
def test_action(links: list[Link], gains: np.ndarray, actions: tuple[str, str], has_model: bool) -> None:
    chosen = route(links, gains, has_model)
    assert chosen.action == actions[has_model]
    assert chosen.mode == "rule"
    assert chosen.reason


def test_a_refusal_names_what_is_unknown() -> None:
    assert "Quorn" in route([ALDA, QUORN]).reason


def test_scores_are_those_of_the_question() -> None:
    scores = route([TWO, QUORN], BADLY).scores
    assert scores["unknown"] == 1
    assert scores["ambiguity"] == 2
    assert scores["linked"] == pytest.approx(0.4)
    assert scores["coverage"] == pytest.approx(0.1)
