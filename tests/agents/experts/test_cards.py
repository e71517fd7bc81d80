"""Experts that give text: what contradicts the graph is dropped, what it does not know is neutral."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.experts.cards import Card, bottom_up, brevity, factuality, top_down
from hoptrace.retrieval.encoder import Encoder

TRUE, FALSE = "Brightwater Labs is headquartered in Tarn City.", "Brightwater Labs is headquartered in Kelmoor."
QUESTION = "Where is Brightwater Labs headquartered?"
ENCODER = Encoder.default()


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "kg") as graph:
        graph.add("Brightwater Labs", "headquartered in", "Tarn City", functional=True)
        graph.add("Brightwater Labs", "founded by", "Orla Vance", functional=False)
        yield graph


def test_factuality_counts_what_the_graph_holds_against_what_it_contradicts(kg: KnowledgeGraph) -> None:
    assert factuality(kg, TRUE) == pytest.approx(2 / 3)
    assert factuality(kg, FALSE) == 0
    assert factuality(kg, f"{TRUE} {FALSE}") == pytest.approx(1 / 4)


@pytest.mark.parametrize("text", ["Ostrel Works is headquartered in Kelmoor.", "The morning was quiet.", ""])
def test_what_the_graph_does_not_know_is_neutral(kg: KnowledgeGraph, text: str) -> None:
    assert factuality(kg, text) == 0.5


def test_another_object_contradicts_a_functional_relation_alone(kg: KnowledgeGraph) -> None:
    kg.add("Orla Vance", "place of birth", "Kelmoor", functional=False)
    assert factuality(kg, "Orla Vance was born in Tarn City.") == 0.5


def test_a_long_text_keeps_the_sentence_with_a_fact(kg: KnowledgeGraph) -> None:
    filler = (
        "Visitors often remark on the quiet of the morning, and much has been written about it over the years by many people. "
    )
    assert brevity(kg, ENCODER, filler + TRUE + " " + filler) == TRUE
    assert brevity(kg, ENCODER, TRUE) == TRUE
    assert brevity(kg, ENCODER, filler * 3) == filler.strip()


def test_a_lying_card_is_not_heard(kg: KnowledgeGraph) -> None:
    cards = [Card("liar", "firms", lambda _: [FALSE]), Card("honest", "firms", lambda _: [TRUE])]
    assert [text.card for text in bottom_up(kg, ENCODER, QUESTION, cards)] == ["honest"]


def test_texts_come_nearest_first(kg: KnowledgeGraph) -> None:
    cards = [Card("mixed", "firms", lambda _: ["Bread is baked from flour.", TRUE])]
    found = bottom_up(kg, ENCODER, QUESTION, cards)
    assert [text.text for text in found] == [TRUE, "Bread is baked from flour."]


def test_top_down_asks_the_nearest_card_and_stops_when_nothing_more_is_needed(kg: KnowledgeGraph) -> None:
    asked: list[str] = []

    def card(name: str, about: str, text: str) -> Card:
        return Card(name, about, lambda _: [asked.append(name) or text])  # type: ignore[func-returns-value]

    cards = [card("bread", "baking bread and cakes", "Bread is baked."), card("firms", "headquarters of companies", TRUE)]
    found = top_down(kg, ENCODER, QUESTION, cards, lambda texts: not texts)
    assert asked == ["firms"]
    assert [text.text for text in found] == [TRUE]
    assert top_down(kg, ENCODER, QUESTION, cards, lambda _: False) == []


def test_no_cards_is_no_text(kg: KnowledgeGraph) -> None:
    assert bottom_up(kg, ENCODER, QUESTION, []) == top_down(kg, ENCODER, QUESTION, [], lambda _: True) == []
