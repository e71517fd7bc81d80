"""Questions that lean on the last one: what they are read as, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hoptrace.agents.interfaces.followon import read
from hoptrace.agents.interfaces.session import Session

Ask = Callable[[str, str], str]


@pytest.fixture
def after(session: Session) -> Ask:
    """What a question is read as, asked after another."""
    session.kg.add("Moran Glass", "headquartered in", "Eskmouth", subject_type="organization", object_type="place")

    def ask(first: str, second: str) -> str:
        return read(second, session.ask(first), session.agent)

    return ask


WHERE = "Where is Brightwater Labs headquartered?"  # Tarn City, a place
FOUNDED = "Who founded Brightwater Labs?"  # Orla Vance, a person


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        (WHERE, "And who is its mayor?", "Who is Tarn City's mayor?"),
        (WHERE, "And who is the mayor?", "Who is the mayor of Tarn City?"),
        (WHERE, "What about the mayor?", "What is the mayor of Tarn City?"),
        (WHERE, "In which country is it located?", "In which country is Tarn City located?"),
        (WHERE, "Which river is its border?", "Which river is Tarn City's border?"),
        (WHERE, "Who lives there?", "Who lives in Tarn City?"),
        (WHERE, "What about Moran Glass?", "Where is Moran Glass headquartered?"),
        (WHERE, "how about moran glass", "Where is moran glass headquartered?"),
        (WHERE, "And Moran Glass?", "Where is Moran Glass headquartered?"),
        (FOUNDED, "Where was she born?", "Where was Orla Vance born?"),
        (FOUNDED, "Who is her boss?", "Who is Orla Vance's boss?"),
        (FOUNDED, "Where is it headquartered?", "Where is Brightwater Labs headquartered?"),
        (FOUNDED, "And who is the director?", "Who is the director of Brightwater Labs?"),
    ],
)
def test_a_question_without_a_name_takes_it_from_the_last_one(after: Ask, first: str, second: str, whole: str) -> None:
    assert after(first, second) == whole


@pytest.mark.parametrize(
    "second",
    [
        "Who is the mayor of Tarn City and where was he born?",  # it has a name of its own
        "Where is Nobody Known and who is its mayor?",  # one that the graph lacks
        "Who is the largest supplier?",  # whole without a name
        "Is there a mayor?",
        "Which companies sold their labs?",
        "Are there suppliers?",
        "Who founded it all in Norland?",
        "And?",
    ],
)
def test_what_stands_by_itself_is_left_alone(after: Ask, second: str) -> None:
    assert after(WHERE, second) == second


def test_after_an_abstention_a_pronoun_is_what_the_question_was_about(after: Ask) -> None:
    assert after("Who audits Brightwater Labs?", "Where is it headquartered?") == WHERE


def test_after_several_answers_a_pronoun_stays(session: Session) -> None:
    for product in ("lenses", "prisms"):
        session.kg.add("Moran Glass", "produces", product)
    last = session.ask("What does Moran Glass produce?")
    assert len(last["answers"]) == 2
    assert read("Where are they sold?", last, session.agent) == "Where are they sold?"
