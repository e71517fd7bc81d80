"""Poisoned and contradicting sources: what an answer says of its support, and taking a source out. Fault test F10."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.support import ALONE, TORN
from hoptrace.agents.without import without
from hoptrace.kg.edits import quarantine
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder

NAMES = """Alda Bering Calder Dorn Eklund Falk Grieg Hollis Ibsen Jansen
    Krog Lund Moen Norde Olsen Prytz Quist Roth Strand Tveit Ulven Voll Wiik Ystad Zahl""".split()
Write = Callable[..., None]


@pytest.fixture
def kg(tmp_path: Path, write: Write) -> Iterator[KnowledgeGraph]:
    """Firms, each with one owner and one seat, in two registers that were written apart."""
    with KnowledgeGraph.open(tmp_path / "kg") as graph:
        owners = [(f"{name} Works", "owned by", f"{name} Holding") for name in NAMES]
        write(graph, owners + [(f"{name} Works", "located in", f"{name}stad") for name in NAMES], uri="register.txt")
        more = [(*fact, {"text": f"{fact[0]} belongs to {fact[2]}."}) for fact in owners]
        write(graph, more, uri="gazette.txt")
        yield graph


@pytest.fixture
def agent(kg: KnowledgeGraph, encoder: Encoder) -> Agent:
    return Agent(kg, encoder=encoder, reads=False)


def owner(agent: Agent, name: str) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    answer = agent.ask(f"Who owns {name} Works?")
    return answer.answers, answer.support.sources, answer.support.marks


def test_sources_of_their_own_are_counted(agent: Agent) -> None:
    assert owner(agent, "Alda") == (("Alda Holding",), 2, ())
    assert agent.ask("Where is Alda Works located?").support.marks == (ALONE,)


def test_the_weakest_hop_counts(agent: Agent, kg: KnowledgeGraph, write: Write) -> None:
    write(kg, [("Alda Holding", "headquartered in", "Bergen")], uri="seat.txt")
    answer = agent.ask("Where is the owner of Alda Works headquartered?")
    assert answer.answers == ("Bergen",)
    assert (answer.support.sources, answer.support.marks) == (1, (ALONE,))


def test_a_copy_is_no_witness(agent: Agent, kg: KnowledgeGraph, write: Write) -> None:
    write(kg, [("Zeta Works", "owned by", "Zeta Holding")], uri="first.txt")
    write(kg, [("Zeta Works", "owned by", "Zeta Holding"), ("Eta Works", "owned by", "Eta Holding")], uri="copied.txt")
    assert owner(agent, "Zeta") == (("Zeta Holding",), 1, (ALONE,))


def test_a_list_in_one_source_is_no_contradiction(agent: Agent, kg: KnowledgeGraph, write: Write) -> None:
    write(kg, [("Zeta Works", "owned by", "Zeta Holding"), ("Zeta Works", "owned by", "Theta Holding")], uri="shares.txt")
    answer = agent.ask("Who owns Zeta Works?")
    assert set(answer.answers) == {"Zeta Holding", "Theta Holding"}
    assert TORN not in answer.support.marks


def test_a_relation_with_many_values_has_no_contradictions(agent: Agent, kg: KnowledgeGraph, write: Write) -> None:
    write(kg, [(f"{name} Works", "produces", f"{name} {thing}") for name in NAMES for thing in ("pump", "valve")], uri="made.txt")
    write(kg, [("Alda Works", "produces", "Alda engine")], uri="news.txt")
    answer = agent.ask("What does Alda Works produce?")
    assert "Alda engine" in answer.answers
    assert TORN not in answer.support.marks


def test_values_that_follow_each_other_do_not_disagree(agent: Agent, kg: KnowledgeGraph, write: Write) -> None:
    write(kg, [("Zeta Works", "owned by", "Old Holding", {"valid_to": date(2020, 1, 1)})], uri="old.txt")
    write(kg, [("Zeta Works", "owned by", "New Holding", {"valid_from": date(2020, 1, 1)})], uri="new.txt")
    assert TORN not in agent.ask("Who owns Zeta Works?").support.marks


def test_poisoned_documents_are_marked_and_forgetting_them_restores_everything(
    agent: Agent, kg: KnowledgeGraph, write: Write
) -> None:
    before, hashed = {name: owner(agent, name) for name in NAMES}, kg.content_hash()
    lies = [(f"{name} Works", "owned by", "Evil Corporation", {"text": f"In truth {name} Works is owned by Evil Corporation."})
            for name in NAMES]  # fmt: skip
    for copy in range(5):
        write(kg, [*lies, (f"Noise {copy}", "located in", "Nowhere")], uri=f"poison{copy}.txt")
    changed = 0
    for name in NAMES:
        answers, _, marks = owner(agent, name)
        if answers != before[name][0]:
            changed += 1
            assert {ALONE, TORN} & set(marks), name
    assert changed, "the poison changes no answer: the test shows nothing"
    conflict = agent.ask("Who owns Alda Works?").support.conflicts[0]
    said = {conflict.sources, conflict.against}
    assert ("poison0.txt",) in said  # five copies of one lie are one witness
    for copy in range(5):
        kg.forget(f"poison{copy}.txt")
    assert kg.content_hash() == hashed
    assert {name: owner(agent, name) for name in NAMES} == before


def test_quarantine_takes_a_source_out_and_undo_brings_it_back(agent: Agent, kg: KnowledgeGraph, write: Write) -> None:
    write(kg, [("Zeta Works", "owned by", "Zeta Holding")], uri="zeta.txt")
    hashed, said = kg.content_hash(), owner(agent, "Zeta")
    entry = quarantine(kg.store, "zeta.txt")
    assert owner(agent, "Zeta")[0] == ()
    assert not [hit for hit in agent.retriever.passages("Zeta Works", 5) if "Zeta" in hit.chunk.text]
    kg.undo(entry.seq)
    assert (kg.content_hash(), owner(agent, "Zeta")) == (hashed, said)
    with pytest.raises(InputError, match=r"nearest: 'zeta\.txt'"):
        quarantine(kg.store, "zeta.tx")


def test_what_an_answer_would_be_without_a_source(agent: Agent, kg: KnowledgeGraph) -> None:
    seq, hashed = kg.store.seq, kg.content_hash()
    seat = without(agent, "register.txt", "Where is Alda Works located?")
    assert seat.changed
    assert seat.before.answers == ("Aldastad",)
    assert seat.after.status == "abstained"
    kept = without(agent, "gazette.txt", "Who owns Alda Works?")
    assert not kept.changed
    assert kept.after.support.marks == (ALONE,)
    assert (kg.store.seq, kg.content_hash()) == (seq, hashed)
    with pytest.raises(InputError, match="no source"):
        without(agent, "nothing.txt", "Who owns Alda Works?")
