"""Why not: each reason on a graph where it is known, and what holds for every entity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hoptrace import Agent, Budget, KnowledgeGraph
from hoptrace.agents.whynot import REASONS, WhyNot, why_not
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder

CHAIN = "In which country is the parent company of Brightwater Labs based?"


@pytest.mark.parametrize(
    ("question", "name", "reason"),
    [
        (CHAIN, "Ostrea", "answer"),
        (CHAIN, "Nobody Known", "unknown entity"),
        ("Who owns Grendlow Freight?", "Halden Marine", "gate"),
        ("Who owns Brightwater Labs?", "Brightwater Labs", "named"),
        ("Which was founded earlier, Calder Pumps or Tidewell Paints?", "Tidewell Paints", "operation"),
        ("Who runs Brightwater Labs?", "Orla Vance", "date"),
        ("Who runs Brightwater Labs?", "Tarn City", "coverage"),
        ("Who owns Brightwater Labs?", "MV Asta", "coverage"),
        ("In which country is Brightwater Labs headquartered?", "Tarn City", "fit"),
    ],
)
def test_each_reason_where_it_is_known(agent: Agent, question: str, name: str, reason: str) -> None:
    found = agent.why_not(question, name)
    assert found.reason == reason, found
    assert found.text.endswith(".")


def test_a_path_that_the_search_left_is_named_hop_by_hop(agent: Agent) -> None:
    found = agent.why_not("Who runs Brightwater Labs?", "Ines Tolland")
    assert str(found.path) == "Brightwater Labs ←supplies— Calder Pumps ←chief executive of— Ines Tolland"
    assert [step.explains for step in found.steps] == ["", "runs"]
    assert found.score < 0.5
    assert str(found.winner) == "Brightwater Labs ←chief executive of— Piet Aalders"


def test_what_lost_is_a_part_that_is_smaller_than_the_winners(agent: Agent) -> None:
    found = agent.why_not("Who runs Brightwater Labs?", "Ines Tolland")
    assert found.lost in {"coverage", "whole"}
    assert found.parts[found.lost] < agent.ask("Who runs Brightwater Labs?").paths[0].parts[found.lost]


def test_the_score_is_that_of_the_search_where_it_got_there(agent: Agent) -> None:
    """A rejected candidate that the search ranked is worth what `ask` shows for it."""
    links = agent.retriever.link(CHAIN)
    reading = agent.retriever.read(CHAIN, links)
    ranked = agent.retriever.resolve(agent.retriever.search(reading, links).candidates, reading)
    rejected = {g.node.label: r.score for r in reversed(ranked[1:]) for g in r.answers} | {
        g.node.label: r.score for r in ranked[:1] for g in r.answers
    }
    assert len(rejected) > 3
    for label, score in rejected.items():
        if agent.kg.store.alias_rows(label.lower()) and label[0].isalpha():
            assert agent.why_not(CHAIN, label).score == pytest.approx(score, abs=1e-6), label


def test_a_path_that_leaves_words_or_hops_unexplained_loses_by_coverage(tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for subject, relation, object_ in [("Kell", "supplies", "Xan"), ("Hall", "owns", "Kell"), ("Fern", "owns", "Hall")]:
            kg.add(subject, relation, object_)
        found = Agent(kg, encoder=encoder).why_not("Who owns the owner of the company that supplies Xan?", "Hall")
        assert (found.reason, found.lost) == ("coverage", "coverage")
        found = Agent(kg, encoder=encoder).why_not("Who owns the company that supplies Xan?", "Fern")
        assert (found.reason, found.lost) == ("coverage", "coverage")


def test_a_narrow_beam_names_the_hop_it_left_at(harbour: KnowledgeGraph, encoder: Encoder) -> None:
    retriever = Agent(harbour, encoder=encoder).retriever
    found = why_not(retriever, "Who runs Brightwater Labs?", "Ines Tolland", budget=Budget(beam=1))
    assert (found.reason, found.hop) == ("gap", 1)
    assert "beam" in found.truncated
    assert why_not(retriever, "Who runs Brightwater Labs?", "Ines Tolland", budget=Budget(hops=1)).reason == "not connected"


def test_an_entity_out_of_reach_is_not_connected(agent: Agent, own_harbour: KnowledgeGraph, encoder: Encoder) -> None:
    own_harbour.add("Lone Isle", "located in", "Far Sea")
    found = Agent(own_harbour, encoder=encoder).why_not(CHAIN, "Far Sea")
    assert (found.reason, found.path, found.hop) == ("not connected", None, 0)


def test_a_hub_that_is_cut_names_the_budget(tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for number in range(6):
            kg.add("Hub Works", "supplies", f"Customer {number}")
        retriever = Agent(kg, encoder=encoder).retriever
        found = why_not(retriever, "Which customers does Hub Works supply?", "Customer 5", budget=Budget(fan_out=2))
    assert (found.reason, found.hop, found.truncated) == ("budget", 1, ("hub",))


def test_an_answer_is_asked_about_with_the_day_it_was_given_for(agent: Agent) -> None:
    then = agent.ask("Who runs Brightwater Labs?", as_of="2015-01-01")
    assert then.answers == ("Orla Vance",)
    assert agent.why_not(then, "Orla Vance").reason == "answer"
    assert agent.why_not(then, "Piet Aalders").reason == "date"
    assert agent.why_not("Who runs Brightwater Labs?", "Piet Aalders").reason == "answer"


@pytest.mark.parametrize("question", ["", " \n"])
def test_an_empty_question_is_refused(agent: Agent, question: str) -> None:
    with pytest.raises(InputError, match="empty"):
        agent.why_not(question, "Norland")


def everything(agent: Agent, question: str) -> Iterator[WhyNot]:
    yield from (agent.why_not(question, entity.id) for entity in agent.kg.entities())


@pytest.mark.parametrize("question", [CHAIN, "Who supplies the company founded by Orla Vance?", "Who runs Calder Pumps?"])
def test_every_entity_has_a_reason_that_its_path_bears_out(agent: Agent, question: str) -> None:
    graph: Any = nx.Graph((t.subject.label, t.object.label) for t in agent.kg.triples() if not hasattr(t.object, "value"))
    mention = agent.retriever.link(question)[0].seeds[0].node.label
    answers = agent.ask(question).answers
    for found in everything(agent, question):
        assert found.reason in REASONS
        assert (found.reason == "answer") == (found.entity in answers), found
        near = nx.has_path(graph, mention, found.entity) and nx.shortest_path_length(graph, mention, found.entity) <= 4
        assert (found.reason == "not connected") == (not near), found
        if found.path is not None:
            assert (found.path.start.label, found.path.hops[-1].end.label) == (mention, found.entity)
            assert len(found.steps) == len(found.path.hops)
            assert 0 <= found.hop <= len(found.steps)
