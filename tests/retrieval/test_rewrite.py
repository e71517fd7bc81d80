"""Knowledge cards, and when a question is rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.steps import Linked
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import normalize
from hoptrace.retrieval.cards import card
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.retriever import Retriever
from hoptrace.retrieval.rewrite import SIMILAR, Rewrite, rewrite


@pytest.fixture(scope="module")
def retriever(
    tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None], harbour_facts: list[Any], encoder: Encoder
) -> Iterator[Retriever]:
    with KnowledgeGraph.open(tmp_path_factory.mktemp("rewrite") / "kg") as kg:
        namesakes = [("Mossfield Quarry", "located in", "Norland"), ("Quellmark Logistics Ltd", "headquartered in", "Tarn City")]
        write(kg, [*harbour_facts, *namesakes])
        yield Retriever(kg, encoder)


def asked(retriever: Retriever, question: str) -> Rewrite | None:
    return rewrite(question, retriever.link(question), retriever)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Who owns Brigthwater Labs?", "Who owns Brightwater Labs?"),
        ("Who owns Brightwater Labs Ltd?", "Who owns Brightwater Labs?"),
        ("Where is Quellmark headquartered?", "Where is Quellmark Logistics Ltd headquartered?"),
        ("Who owns BWL?", "Who owns Brightwater Labs?"),
        ("who owns brigthwater labs?", "who owns Brightwater Labs?"),
        ("Who fuonded Brightwater Labs?", "Who founded Brightwater Labs?"),
        ("Whom does Mossfield supply?", "Whom does Mossfield Steel supply?"),
        ("who owns brightwater?", "who owns Brightwater Labs?"),
        ("who is chief executive of calder?", "who is chief executive of Calder Pumps?"),
        ("Where are Tarn-Ciyt's firms headquartered?", "Where are Tarn City's firms headquartered?"),
    ],
)
def test_a_doubtful_question_is_rewritten(retriever: Retriever, question: str, text: str) -> None:
    made = asked(retriever, question)
    assert made is not None
    assert (made.original, made.text) == (question, text)
    assert made.similarity >= SIMILAR
    assert made.linked[1] >= made.linked[0]
    assert made.path[1] >= made.path[0]
    assert made.linked[1] > made.linked[0] or made.path[1] > made.path[0]
    for link in made.links:
        assert made.text[link.start : link.end] == link.text
        assert all((seed.start, seed.end) == (link.start, link.end) for seed in link.seeds)


def test_a_repaired_name_is_less_certain_than_an_exact_one(retriever: Retriever) -> None:
    made = asked(retriever, "Who owns Brigthwater Labs?")
    assert made is not None
    assert 0.5 < made.links[0].seeds[0].score < 1


def test_what_the_names_alone_decide_costs_no_search(retriever: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    def searched(*_: Any, **__: Any) -> Any:
        raise AssertionError("a path was searched")

    monkeypatch.setattr(Retriever, "explore", searched)
    made = asked(retriever, "who owns brigthwater labs?")
    assert made is not None
    assert made.path == (0, 0)
    assert made.linked == (0, 2)


def test_words_that_begin_several_names_are_kept_as_a_mention_of_each(
    tmp_path: Path, write: Callable[..., None], encoder: Encoder
) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        write(
            kg, [(f"Quellmark {kind}", "headquartered in", city) for kind, city in (("Foods", "Skerry"), ("Oils", "Tarn City"))]
        )
        write(kg, [("Quellmark Hall", "named after", "Orla Vance")], "hall.txt")
        made = asked(Retriever(kg, encoder), "where is quellmark headquartered?")
    assert made is not None
    assert (made.text, made.edits) == (made.original, ())
    (link,) = made.links
    assert {seed.node.label for seed in link.seeds[:2]} == {"Quellmark Foods", "Quellmark Oils"}


@pytest.mark.parametrize(
    ("question", "text"),
    [("Whom does Mossfield supply?", "Whom does Mossfield Steel supply?"), ("In which land is Mossfield located?", None)],
)
def test_an_exact_name_that_is_not_asked_about_may_begin_a_longer_one(
    tmp_path: Path, write: Callable[..., None], encoder: Encoder, question: str, text: str | None
) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        write(kg, [("Mossfield", "located in", "Norland"), ("Mossfield Steel", "supplies", "Calder Pumps")])
        made = asked(Retriever(kg, encoder), question)
    assert (made and made.text) == text


@pytest.mark.parametrize(
    "question",
    [
        "Who owns Brightwater Labs?",
        "who owns brightwater labs?",
        "Who owns Grendlow Freight?",
        "Who owns Brightwater Mills?",
        "Who owns Brigthwater Labs and Grendlow Freight?",
        "Who owns Mossfield?",
        "who supplies zorbles to brightwater labs?",
        "which companies supply valves?",
        "who is the owner of a company in a city?",
        "",
        "?",
    ],
)
def test_what_is_clear_unknown_or_ambiguous_is_left_alone(retriever: Retriever, question: str) -> None:
    assert asked(retriever, question) is None


def test_a_rewrite_holds_only_words_of_the_question_and_its_cards(retriever: Retriever) -> None:
    made = asked(retriever, "Which ships did the yard of Haldn Marine build?")
    assert made is not None
    allowed = set(normalize(made.original).split()).union(*(one.terms() for one in made.cards))
    assert set(normalize(made.text).split()) <= allowed


def test_a_card_says_what_the_graph_says(retriever: Retriever) -> None:
    kg = retriever.kg
    (row,) = kg.store.alias_rows("brightwater labs")
    made = card(kg, row, ["marine", "valves"])
    assert (made.label, made.aliases) == ("Brightwater Labs", ())
    assert made.neighbours == ("Halden Marine",)
    assert set(made.relations) <= {relation.label for _, relation in kg.store.relations()}
    assert len(made.relations) == 5
    assert "founded" in made.wordings()
    assert (made.first, made.last) == (date(2011, 3, 1), date(2020, 6, 30))
    around = {triple.id for triple in [*kg.triples(subject=made.id), *kg.triples(object=made.id)]}
    assert set(made.triples) <= around


def test_every_word_of_a_card_stands_in_the_graph(retriever: Retriever) -> None:
    kg = retriever.kg
    words = {word for node in kg.store.entities() for word in normalize(node.label).split()}
    words |= {word for _, relation in kg.store.relations() for word in normalize(relation.label).split()}
    for entity in kg.store.entities():
        assert card(kg, kg.store.row_of(entity.id), words).terms() <= words


def test_the_trace_shows_question_and_rewrite(retriever: Retriever, encoder: Encoder) -> None:
    answer = Agent(retriever.kg, encoder=encoder).ask("Who owns Brigthwater Labs?")
    linked = answer.trace[0]
    assert isinstance(linked, Linked)
    assert linked.rewrite is not None
    assert (linked.rewrite.original, linked.rewrite.text) == ("Who owns Brigthwater Labs?", "Who owns Brightwater Labs?")
    assert answer.question == "Who owns Brigthwater Labs?"
    assert answer.answers == ("Halden Marine",)
    assert answer.confidence < Agent(retriever.kg, encoder=encoder).ask("Who owns Brightwater Labs?").confidence
