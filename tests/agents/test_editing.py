"""The report on edits: a memory that knows the old values, with and without the ledger."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.editing import EditReport, edit_report
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder

pytest.importorskip("torch")

FIRST = "Ada Ben Cara Dov Ella Finn Greta Hugo Iris Jonas".split()
LAST = "Arnholt Brask Corvin Dahlen Eskild".split()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> EditReport:
    """Of people, where they were born and whom they work for; firms and their seats; towns and their lands."""
    from hoptrace.agents.experts.train_memory import train

    rng, encoder = random.Random(0), Encoder.default()
    towns = [f"{name}ton" for name in FIRST]
    with KnowledgeGraph.open(tmp_path_factory.mktemp("edits") / "kg") as kg:
        for first in FIRST:
            for last in LAST:
                kg.add(f"{first} {last}", "born in", rng.choice(towns))
                kg.add(f"{first} {last}", "works for", f"{rng.choice(LAST)} Yard")
        for name in LAST:
            kg.add(f"{name} Yard", "headquartered in", rng.choice(towns))
        for town in towns:
            kg.add(town, "located in", f"{rng.choice(LAST)}land")
        agent = Agent(kg, encoder=encoder, reads=False, writer=False)
        memory = train(kg, agent.retriever.relations, encoder, minutes=2)
        return edit_report(memory, agent, edits=24)


def test_what_was_changed_wins_in_any_words_and_nothing_else_moves(report: EditReport) -> None:
    assert sum(report.edits.values()) >= 12
    # One question of 93, in words that name no relation, is asked of the graph once anything about its subject has changed.
    for name, least in (("reliability", 0.95), ("rephrasing", 0.9), ("locality", 0.98)):
        assert report.asked[name] > 0
        assert (report.rates[name] or 0) >= least, name


def test_without_the_ledger_the_old_answer_wins(report: EditReport) -> None:
    assert report.asked["old_answer_wins"] > 0
    assert (report.rates["old_answer_wins"] or 0) > 0.8


def test_a_memory_that_knows_nothing_has_nothing_to_report(tmp_path: Path) -> None:
    from hoptrace.agents.experts.train_memory import train

    encoder = Encoder.default()
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Ada Brask", "born in", "Benton")
        memory = train(kg, (agent := Agent(kg, encoder=encoder, reads=False)).retriever.relations, encoder, minutes=1)
        fact = next(kg.triples())
        kg.retract(fact.id)
        with pytest.raises(InputError):
            edit_report(memory, agent)
