"""The experts that a gate engages: who is wanted on which route, and what each of them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from hoptrace import Agent, Answer, Budget, KnowledgeGraph
from hoptrace.agents.acting import Means, experts
from hoptrace.agents.answer import Action
from hoptrace.agents.gate import RETRIEVALS
from hoptrace.agents.loop import stream
from hoptrace.agents.opinion import Opinion
from hoptrace.agents.pool import Asked
from hoptrace.agents.recall import Recalled
from hoptrace.agents.steps import Answered
from hoptrace.retrieval.encoder import Encoder


@pytest.fixture
def agent(tmp_path: Path, encoder: Encoder) -> Agent:
    kg = KnowledgeGraph.open(tmp_path / "kg")
    kg.add("Alda Works", "owned by", "Bering Holding")
    kg.add("Alda Works", "managed by", "Carl Dorn")
    kg.add("Carl Dorn", "born in", "Tarn City")
    return Agent(kg, encoder=encoder)


@dataclass
class Heart:
    """A memory that says `answer`, and that prefers the node called `liked` among candidates."""

    kg: KnowledgeGraph
    answer: str = "Somebody"
    liked: str = ""
    forbidden: str = ""

    def recall(self, question: str, links: object) -> Recalled:
        return Recalled(Opinion.of((self.answer,), (1.0,), 0.9), {"margin": 0.8, "entropy": 0.1, "taught": 1.0}, self.forbidden)

    def best(self, question: str, candidates: Sequence[str], links: object) -> int | None:
        labels = [self.kg.store.nodes([self.kg.store.row_of(node)])[0].label for node in candidates]
        return labels.index(self.liked) if self.liked in labels else None


def ask(agent: Agent, memory: Heart, action: Action, question: str = "Who owns Alda Works?") -> Answer:
    *_, last = stream(question, agent.retriever, Means(memory=memory), budget=Budget(), action=action)
    assert isinstance(last, Answered)
    return last.answer


def test_every_action_but_abstaining_has_a_price(agent: Agent) -> None:
    retriever = agent.retriever
    links = retriever.link("Who owns Alda Works?")
    reading = retriever.read("Who owns Alda Works?", links)
    recalled = Recalled(Opinion.of(("x",), (1.0,), 0.9), {})
    asked = Asked("Who owns Alda Works?", "Who owns Alda Works?", reading, links, Budget(), recalled)
    pool = experts(retriever, Means(memory=Heart(agent.kg)), asked, forced=False)
    actions = {expert.action for expert in pool}
    assert actions == {"internal", "path", "verify", "path+text"} == set(RETRIEVALS)
    assert actions <= set(get_args(Action))


def test_memory_alone_looks_nothing_up(agent: Agent) -> None:
    answer = ask(agent, Heart(agent.kg), "internal")
    assert answer.answers == ("Somebody",)
    assert not answer.paths
    assert not answer.citations


def test_memory_as_a_judge_chooses_among_what_paths_lead_to(agent: Agent) -> None:
    plain = ask(agent, Heart(agent.kg), "path")
    agreed = ask(agent, Heart(agent.kg, liked=plain.answers[0]), "verify")
    assert plain.answers == agreed.answers == ("Bering Holding",)
    assert all(citation.verified for citation in agreed.citations)
    assert agreed.citations


def test_a_judge_that_knows_none_of_them_leaves_it_to_paths(agent: Agent) -> None:
    assert ask(agent, Heart(agent.kg, liked="Nobody"), "verify").answers == ("Bering Holding",)


def test_a_judge_can_only_point_at_what_has_evidence(agent: Agent) -> None:
    answer = ask(agent, Heart(agent.kg, liked="Carl Dorn"), "verify")
    assert answer.answers in {("Carl Dorn",), ()}
    assert "Somebody" not in answer.text


def test_a_memory_that_the_ledger_forbids_is_no_judge_either(agent: Agent) -> None:
    answer = ask(agent, Heart(agent.kg, liked="Carl Dorn", forbidden="erased"), "verify")
    assert answer.status == "abstained"
    assert answer.route.reason == "erased"


def test_exact_search_answers_questions_of_connection(agent: Agent) -> None:
    answer = ask(agent, Heart(agent.kg), "path", "How are Bering Holding and Tarn City connected?")
    assert [hop.triple.relation.label for hop in answer.paths[0].hops] == ["owned by", "managed by", "born in"]
    assert answer.route.scores["lookahead"] >= 0
