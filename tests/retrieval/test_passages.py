"""Passage search: each ranking, and the second hop that plain search misses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Mention, Name, text_hash
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.metrics import recall_at_k
from hoptrace.retrieval.passages import PassageSearch

PASSAGES = {
    "Brightwater Labs": "Brightwater Labs\nBrightwater Labs is a maker of desalination pumps founded by Orla Vance.",
    "Orla Vance": "Orla Vance\nOrla Vance grew up as the eldest of five children in Skibbereen.",
    "Halden Marine": "Halden Marine\nHalden Marine was founded in the childhood home of its owner, where it still repairs ships.",
    "Labs in Europe": "Labs in Europe\nLabs grow up around universities; their founders spend their childhood near them.",
    "Yeast": "Yeast\nYeast ferments sugar into alcohol and carbon dioxide.",
}
QUESTION = "Where did the founder of Brightwater Labs spend their childhood?"
METHODS = ("bm25", "dense", "rrf", "ppr", "hybrid")


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "kg") as graph:
        for title, text in PASSAGES.items():
            put(graph, title, text)
        yield graph


def put(kg: KnowledgeGraph, title: str, text: str) -> None:
    names = [name for name in ("Brightwater Labs", "Orla Vance", "Skibbereen") if name in text]
    mentions = tuple(Mention(Name(name), text.index(name), text.index(name) + len(name)) for name in names)
    start, end = text.index("\n") + 1, len(text)
    facts = tuple(Fact(Name(a), "with", Name(b), start, end) for a, b in pairwise(names))
    document = Document(title, "text/plain", text, text_hash(text), title=title, facts=facts, mentions=mentions)
    kg.write_document(document, [(0, len(text), "text")])


def titles(kg: KnowledgeGraph, ranking: list[tuple[int, float]]) -> list[str]:
    rows = [row for row, _ in ranking]
    chunks = dict(kg.store.chunks(rows))
    return [kg.store.source(chunks[row].source_id).title for row in rows]


def test_the_second_hop_is_found_by_hybrid_and_not_by_words_and_meaning(kg: KnowledgeGraph) -> None:
    search = PassageSearch(kg, Encoder.default())
    gold = {"Brightwater Labs", "Orla Vance"}
    assert recall_at_k(titles(kg, search.rrf(QUESTION, 2)), gold, 2) < 1
    assert titles(kg, search.hybrid(QUESTION, 2)) == ["Brightwater Labs", "Orla Vance"]


@pytest.mark.parametrize("method", METHODS)
def test_rankings_are_sorted_unique_and_at_most_k(kg: KnowledgeGraph, method: str) -> None:
    search = getattr(PassageSearch(kg, Encoder.default()), method)
    ranking = search(QUESTION, 10)
    assert "Brightwater Labs" in titles(kg, ranking)[:3]
    assert len({row for row, _ in ranking}) == len(ranking)
    assert [score for _, score in ranking] == sorted((score for _, score in ranking), reverse=True)
    assert search(QUESTION, 2) == ranking[:2]


@pytest.mark.parametrize("method", METHODS)
def test_changes_are_seen_at_the_next_question(kg: KnowledgeGraph, method: str) -> None:
    search = PassageSearch(kg, Encoder.default())
    assert "Orla Vance" in titles(kg, getattr(search, method)("Orla Vance", 3))
    kg.forget("Orla Vance")
    after = titles(kg, getattr(search, method)("Orla Vance", 3))
    assert after
    assert "Orla Vance" not in after
    put(kg, "Vance, Orla", "Vance, Orla\nOrla Vance swims.")
    assert "Vance, Orla" in titles(kg, getattr(search, method)("Orla Vance", 3))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("question", ["", "\0\ud800", '" OR *', "?" * 2000])
def test_any_question_is_answered_with_a_list(kg: KnowledgeGraph, method: str, question: str) -> None:
    assert isinstance(getattr(PassageSearch(kg, Encoder.default()), method)(question, 3), list)


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_graph_gives_nothing(tmp_path: Path, method: str) -> None:
    with KnowledgeGraph.open(tmp_path / "empty") as kg:
        assert getattr(PassageSearch(kg, Encoder.default()), method)(QUESTION, 3) == []


def test_a_longer_title_in_the_question_hides_a_shorter_one(kg: KnowledgeGraph) -> None:
    put(kg, "Brightwater", "Brightwater\nBrightwater is a village.")
    named = PassageSearch(kg, Encoder.default()).links().named("Who runs Brightwater Labs?")
    assert titles(kg, [(int(row), 0.0) for row in named]) == ["Brightwater Labs"]


def test_common_entities_are_not_followed(kg: KnowledgeGraph) -> None:
    search = PassageSearch(kg, Encoder.default())
    row = next(row for row, chunk in kg.store.chunks() if chunk.text.startswith("Brightwater Labs\n"))
    near, _ = search.links().around(row)
    assert titles(kg, [(int(other), 0.0) for other in near]) == ["Orla Vance"]
    for i in range(40):
        put(kg, f"n{i}", f"n{i}\nOrla Vance, note {i}.")
    assert len(search.links().around(row)[0]) == 0


def test_equal_vectors_rank_by_row(kg: KnowledgeGraph) -> None:
    document = Document("copy", "text/plain", PASSAGES["Yeast"], "0" * 64, title="Yeast")
    kg.write_document(document, [(0, len(document.text), "text")])
    found = PassageSearch(kg, Encoder.default()).dense("What does yeast do?", 2)
    np.testing.assert_allclose(found[0][1], found[1][1])
    assert found[0][0] < found[1][0]
