"""Nested noun phrases: the order they give, and that the search keeps to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.question import understand


def order(text: str, name: str = "Ida") -> list[str]:
    """Texts of the units of the nested phrase, in the order they are walked."""
    start = text.index(name)
    read = understand(text, [(start, start + len(name))])
    said = {unit.position: unit.text for unit in read.units}
    return [said[position] for position in read.nested]


@pytest.mark.parametrize(
    ("text", "walked"),
    [
        ("What is the religion of the mother of Ida's husband?", ["husband", "mother", "religion"]),
        ("Ida 's husband 's mother 's religion", ["husband", "mother", "religion"]),
        ("the religion of Ida's other half", ["other half", "religion"]),
        ("Where does Ida's father work?", ["father"]),
        ("Who directed the films whose writer is Ida?", []),
        ("Who is the director of the film Ida?", ["director"]),
        ("Which films star Ida actors?", ["actors"]),
        ("What are the genres of Ida directed films?", []),
        ("Which films did Ida direct?", []),
    ],
)
def test_possessives_bind_tighter_than_of(text: str, walked: list[str]) -> None:
    assert order(text) == walked


def test_two_names_have_no_one_order() -> None:
    text = "Is Ida's father Bo's father?"
    assert understand(text, [(3, 6), (16, 18)]).nested == ()


def test_a_noun_set_beside_a_name_says_where_the_path_starts() -> None:
    [writer] = [u for u in understand("Who starred in films for the writer Ida?", [(36, 39)]).units if u.text == "writer"]
    assert writer.source


def test_a_lost_space_is_put_back_between_two_known_words() -> None:
    read = understand("what is the religion of Ida 's fathernation", [(24, 27)])
    assert [unit.text for unit in read.units][-2:] == ["father", "nation"]


FAMILY = """subject,relation,object
Ida,spouse,Bo
Ida,children,Cy
Bo,children,Cy
Cy,spouse,Di
Di,parents,Eve
Eve,religion,Quaker
Ida,religion,Baptist
Bo,religion,Lutheran
Di,religion,Shaker
Ida,institution,Tarn College
Cy,gender,male
"""


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("What is the religion of Ida's son's wife's mother?", {"Quaker"}),
        ("What is the religion of the mother of the wife of Ida's son?", {"Quaker"}),
        ("What is the religion of Ida's son's wife?", {"Shaker"}),
        ("Who is Ida's husband's wife?", {"Ida"}),
        ("What is the religion of Ida's husband's wife?", {"Baptist"}),
        ("Who is Bo's spouse?", {"Ida"}),
        ("Who is the son's mother of Eve?", set()),
        ("Where does Cy's mother work?", {"Tarn College"}),
        ("Is Ida's son a man or a woman?", {"male"}),
        ("Who is the grandfather of Di's children?", set()),
        ("What is the religion of Cy's mother-in-law?", {"Quaker"}),
        ("Who is Eve's son-in-law?", {"Cy"}),
    ],
)
def test_the_search_walks_the_phrase_in_its_order(tmp_path: Path, encoder: Encoder, question: str, answers: set[str]) -> None:
    (tmp_path / "family.csv").write_text(FAMILY)
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.ingest([tmp_path / "family.csv"])
        assert set(Agent(kg, encoder=encoder).ask(question).answers) == answers
