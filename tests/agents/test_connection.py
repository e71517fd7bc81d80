"""Questions of connection: which are, and what exact search answers to them."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.agent import Agent
from hoptrace.agents.answer import Answer
from hoptrace.agents.connection import read_connection
from hoptrace.retrieval.encoder import Encoder

A, B = "Piet Aalders", "Calder Pumps"


@pytest.mark.parametrize(
    ("question", "yes_no"),
    [
        (f"How are {A} and {B} connected?", False),
        (f"How is {A} related to {B}?", False),
        (f"What connects {A} and {B}?", False),
        (f"What is the connection between {A} and {B}?", False),
        (f"Show me the shortest path from {A} to {B}.", False),
        (f"How does {A} relate to {B}?", False),
        (f"In what way are {A} and {B} linked to each other?", False),
        (f"Is there a path between {A} and {B}?", True),
        (f"Is there any link from {A} to {B}?", True),
        (f"Are {A} and {B} connected in any way?", True),
        (f"Is {A} linked to {B}?", True),
        (f"Were {A} and {B} connected in May 2021?", True),
        (f"Who supplies {B}?", None),
        (f"Is {A} the chief executive of {B}?", None),
        (f"Is there a path between {A} and Brightwater Labs that avoids {B}?", None),
        (f"Which firms connect {A} and {B}?", None),
        (f"How is {A} connected?", None),
        (f"How are {A} and {A} connected?", None),
        (f"How are {A} and Grendlow Freight connected?", None),
    ],
)
def test_only_questions_of_connection_are_read_as_such(agent: Agent, question: str, yes_no: bool | None) -> None:
    links = agent.retriever.link(question)
    found = read_connection(agent.retriever.read(question, links), links)
    assert (found.yes_no if found else None) is yes_no
    assert found is None or (found.start.node.label, found.end.node.label) == (A, B)


def hops(answer: Answer) -> list[tuple[str, str, str]]:
    return [(h.triple.subject.label, h.triple.relation.label, h.triple.object.label) for h in answer.paths[0].hops]


def test_the_shortest_path_is_answered_and_cited(agent: Agent) -> None:
    answer = agent.ask(f"How are {A} and Mossfield Steel connected?")
    assert answer.status == "answered"
    assert hops(answer) == [
        (A, "chief executive of", "Brightwater Labs"),
        (B, "supplies", "Brightwater Labs"),
        ("Mossfield Steel", "supplies", B),
    ]
    assert len(answer.rationale) == 3
    assert all(citation.verified for citation in answer.citations)
    assert answer.answers == (str(answer.paths[0]),)
    assert {"lookahead", "branches"} <= set(answer.route.scores)


def test_a_question_for_yes_or_no_gets_one_with_the_path(agent: Agent) -> None:
    answer = agent.ask("Is there a path between MV Asta and Norland?")
    assert answer.answers == ("yes",)
    assert [h[1] for h in hops(answer)] == ["built by", "acquired", "owns", "headquartered in", "located in"]


def test_the_day_decides(tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Orla Vance", "runs", "Brightwater Labs", valid_from=date(2011, 1, 1), valid_to=date(2020, 1, 1))
        kg.add("Brightwater Labs", "owns", "Vellmar Yard")
        kg.add("Ines Tolland", "owns", "Skerry Quay")
        agent = Agent(kg, encoder=encoder)
        assert agent.ask("How is Orla Vance connected to Vellmar Yard?", as_of="2015-06-01").status == "answered"
        assert agent.ask("How was Orla Vance connected to Vellmar Yard?").status == "answered"
        today = agent.ask("How is Orla Vance connected to Vellmar Yard?")
        assert today.status == "abstained"
        assert "no longer hold" in today.text
        apart = agent.ask("Is there a path from Orla Vance to Ines Tolland?")
        assert apart.status == "abstained"
        assert "no chain of recorded facts joins Orla Vance and Ines Tolland" in apart.text


def test_a_path_longer_than_any_beam(tmp_path: Path, encoder: Encoder) -> None:
    names = [f"{chr(65 + i // 26)}{chr(97 + i % 26)}ro Quay" for i in range(40)]
    (tmp_path / "kb.txt").write_text("".join(f"{a}|feeds|{b}\n" for a, b in pairwise(names)))
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.ingest([str(tmp_path / "kb.txt")])
        answer = Agent(kg, encoder=encoder).ask(f"Is there a path from {names[0]} to {names[-1]}?")
        assert [h[0] for h in hops(answer)] == names[:-1]
        assert answer.answers == ("yes",)
