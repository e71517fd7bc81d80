"""What the path composer answers, by kind of question, and when it does not answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.answer import Answer
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Literal
from hoptrace.retrieval.encoder import Encoder


def check(answer: Answer) -> Answer:
    """An answer stands on verified citations, and its rationale on nothing else."""
    assert answer.status == "answered", answer.text
    assert answer.citations
    assert all(citation.verified for citation in answer.citations)
    known = {citation.id for citation in answer.citations}
    assert answer.rationale
    for claim in answer.rationale:
        assert claim.citations
        assert set(claim.citations) <= known
        assert all(f"[{i}]" in claim.text for i in claim.citations)
    assert 0.5 <= answer.confidence <= 1
    return answer


def refused(answer: Answer) -> Answer:
    assert answer.status == "abstained", answer.text
    assert answer.answers == ()
    assert answer.rationale == ()
    assert answer.route.action == "abstain"
    assert answer.text.startswith("I don't know: ")
    assert answer.confidence < 0.5
    return answer


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        # lookup, one to three hops
        ("Who runs Brightwater Labs?", ["Piet Aalders"]),
        ("What is the revenue of Halden Marine?", ["EUR 41.2 million"]),
        ("Who leads the company that supplies hull coatings to Brightwater Labs?", ["Ravn Ekholm"]),
        ("Who owns the yard that built MV Clio?", ["Halden Marine"]),
        ("In which country is the parent company of Brightwater Labs based?", ["Ostrea"]),
        # a noun names its own end, wherever the possessive stands
        ("Who is Calder Pumps's supplier?", ["Mossfield Steel"]),
        ("Who is the supplier of Calder Pumps?", ["Mossfield Steel"]),
        ("Who is Calder Pumps's customer?", ["Brightwater Labs"]),
        ("Who supplies Calder Pumps?", ["Mossfield Steel"]),
        ("Who does Calder Pumps supply?", ["Brightwater Labs"]),
        ("who runs brightwater labs", ["Piet Aalders"]),
        # list and count
        ("Which companies supply Brightwater Labs?", ["Calder Pumps", "Tidewell Paints"]),
        ("Which ships were built by Vellmar Yard?", ["MV Asta", "MV Brise", "MV Clio"]),
        ("How many ships were built by Vellmar Yard?", ["3"]),
        # comparison and superlative
        ("Which was founded earlier, Halden Marine or Calder Pumps?", ["Halden Marine"]),
        ("Which was founded later, Halden Marine or Calder Pumps?", ["Calder Pumps"]),
        ("Which had the higher revenue, Calder Pumps or Halden Marine?", ["Halden Marine"]),
        ("Which had the lower revenue, Calder Pumps or Halden Marine?", ["Calder Pumps"]),
        ("Which supplier of Brightwater Labs was founded earliest?", ["Calder Pumps"]),
        ("Which supplier of Brightwater Labs was founded latest?", ["Tidewell Paints"]),
        # yes or no
        ("Does Calder Pumps supply Brightwater Labs?", ["yes"]),
        ("Does Halden Marine own Brightwater Labs?", ["yes"]),
        ("Does Calder Pumps own Brightwater Labs?", ["no"]),
        ("Did Piet Aalders found Brightwater Labs?", ["no"]),
        ("Is Tarn City a city?", ["yes"]),
        ("Is Halden Marine older than Calder Pumps?", ["yes"]),
        ("Is Calder Pumps older than Halden Marine?", ["no"]),
        # when
        ("When did Halden Marine acquire Vellmar Yard?", ["4 May 2019"]),
        ("When was Halden Marine founded?", ["1987"]),
    ],
)
def test_answers(agent: Agent, question: str, expected: list[str]) -> None:
    assert sorted(check(agent.ask(question)).answers) == expected


@pytest.mark.parametrize(
    ("question", "as_of", "who"),
    [
        ("Who runs Brightwater Labs?", "2015-01-01", "Orla Vance"),
        ("Who runs Brightwater Labs?", date(2020, 6, 30), "Orla Vance"),
        ("Who runs Brightwater Labs?", "2020-07-01", "Piet Aalders"),
        ("Who was chief executive of Brightwater Labs in 2015?", None, "Orla Vance"),
        ("Who was chief executive of Brightwater Labs in 2023?", None, "Piet Aalders"),
        ("Who acquired Vellmar Yard?", "2023-01-01", "Halden Marine"),
    ],
)
def test_answers_as_of_a_day(agent: Agent, question: str, as_of: date | str | None, who: str) -> None:
    assert check(agent.ask(question, as_of=as_of)).answers == (who,)


@pytest.mark.parametrize(
    ("question", "as_of", "missing"),
    [
        ("Who owns Grendlow Freight?", None, "Grendlow Freight"),
        ("Who audits Brightwater Labs?", None, "audits"),
        ("Who is the chief financial officer of Calder Pumps?", None, "chief financial officer"),
        ("Who runs Brightwater Labs?", "2005-01-01", "Brightwater Labs"),
        ("Who fined Calder Pumps in 2019?", None, "fined"),
        ("Who acquired Vellmar Yard in 2023?", None, "acquired"),
        ("Who acquired Vellmar Yard?", "2019-05-03", "acquired"),
        ("Is Skerry a city?", None, "Skerry"),
        ("Is Norland headquartered in Orla Vance?", None, "Norland"),
        ("Which was founded earlier, Halden Marine or Mossfield Steel?", None, "Mossfield Steel"),
        ("What is the weather like?", None, "names no entity"),
    ],
)
def test_it_does_not_know_and_says_what_is_missing(agent: Agent, question: str, as_of: str | None, missing: str) -> None:
    assert missing in refused(agent.ask(question, as_of=as_of)).text


def test_different_currencies_are_not_compared(agent: Agent) -> None:
    answer = refused(agent.ask("Which had the higher revenue, Halden Marine or Tidewell Paints?"))
    assert "different units" in answer.text


def test_different_currencies_are_not_ranked(agent: Agent) -> None:
    answer = refused(agent.ask("Which supplier of Brightwater Labs has the highest revenue?"))
    assert "different units" in answer.text


def test_one_currency_is_ranked(own_harbour: KnowledgeGraph, encoder: Encoder) -> None:
    [old] = own_harbour.triples("Tidewell Paints", "revenue")
    own_harbour.edit(old.id, object=Literal("EUR 2 million"))
    answer = check(Agent(own_harbour, encoder=encoder).ask("Which supplier of Brightwater Labs has the highest revenue?"))
    assert answer.answers == ("Tidewell Paints",)


def test_equal_values_have_no_winner(own_harbour: KnowledgeGraph, encoder: Encoder) -> None:
    own_harbour.add("Mossfield Steel", "revenue", Literal("EUR 0.9 million"))
    answer = check(Agent(own_harbour, encoder=encoder).ask("Which had the higher revenue, Calder Pumps or Mossfield Steel?"))
    assert answer.answers == ("equal",)


def test_sources_that_disagree_are_both_shown(tmp_path: Path, write: Callable[..., None], encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        write(kg, [("MV Dara", "registered at", "Skerry")], "one.txt")
        write(kg, [("MV Dara", "registered at", "Tarn")], "two.txt")
        kg.add("MV Dara", "registered at", "Skerry", functional=True)
        answer = check(Agent(kg, encoder=encoder).ask("What is the home port of MV Dara?"))
        assert set(answer.answers) == {"Skerry", "Tarn"}
        assert "disagree" in answer.text


def test_every_hop_of_a_path_is_cited(agent: Agent) -> None:
    answer = check(agent.ask("In which country is the parent company of Brightwater Labs based?"))
    hops = [hop for path in answer.to_dict()["paths"] for hop in path["hops"]]
    assert [hop["relation"] for hop in hops] == ["owns", "headquartered in", "located in"]
    assert all(hop["citations"] for hop in hops)
    assert len(answer.rationale) == 3


def test_a_long_list_is_shown_in_part_and_given_whole(tmp_path: Path, write: Callable[..., None], encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        write(kg, [(f"MV Dara {i}", "built by", "Vellmar Yard") for i in range(30)])
        answer = check(Agent(kg, encoder=encoder).ask("Which ships were built by Vellmar Yard?"))
        assert len(answer.answers) == 30
        assert "and 18 more" in answer.text
        assert check(Agent(kg, encoder=encoder).ask("How many ships were built by Vellmar Yard?")).answers == ("30",)


def test_other_suppliers_do_not_deny_one_more(agent: Agent) -> None:
    """Who owns a firm is known in full; whom it buys from may go on."""
    answer = agent.ask("Does Halden Marine supply Brightwater Labs?")
    assert (answer.status, answer.answers) == ("abstained", ())


@pytest.mark.parametrize("question", ["What is Ada Brask's occupation?", "What is the profession of Ada Brask?"])
def test_what_somebody_is_says_what_they_do_where_nothing_else_does(question: str, tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Ada Brask", "is a", "cartographer")
        kg.add("Ada Brask", "born in", "Skerry")
        kg.add("Skerry", "is a", "port")
        agent = Agent(kg, encoder=encoder)
        assert check(agent.ask(question)).answers == ("cartographer",)
        kg.add("Ada Brask", "occupation", "surveyor")
        assert check(agent.ask(question)).answers == ("surveyor",)
