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
PASSAGES |= {
    f"{name} {kind}": f"{name} {kind}\n{name} {kind} is a {kind.lower()} that was {made} by {maker} in {year}."
    for name, maker, year in (("Amber", "Tove Lind", 1901), ("Basalt", "Piet Maes", 1956), ("Cinder", "Ana Ruiz", 1987))
    for kind, made in (
        ("Bridge", "built"),
        ("Ballad", "written"),
        ("Dairy", "opened"),
        ("Trophy", "given"),
        ("Orchard", "planted"),
    )
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
    assert recall_at_k(titles(kg, search.rrf(QUESTION, 3)), gold, 3) < 1
    assert recall_at_k(titles(kg, search.hybrid(QUESTION, 3)), gold, 3) == 1


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


def test_after_changes_the_ranking_is_that_of_a_fresh_search(kg: KnowledgeGraph) -> None:
    search = PassageSearch(kg, Encoder.default())
    search.hybrid(QUESTION, 3)
    for change in (
        lambda: put(kg, "Skibbereen", "Skibbereen\nSkibbereen is a town."),
        kg.undo,
        lambda: kg.forget("Halden Marine"),
    ):
        change()
        fresh = PassageSearch(kg, Encoder.default()).hybrid(QUESTION, 10)
        assert [row for row, _ in search.hybrid(QUESTION, 10)] == [row for row, _ in fresh]
        np.testing.assert_allclose([score for _, score in search.hybrid(QUESTION, 10)], [score for _, score in fresh], atol=1e-6)


def test_nothing_is_read_again_for_a_question_when_nothing_changed(kg: KnowledgeGraph) -> None:
    search = PassageSearch(kg, Encoder.default())
    corpus = search.corpus()
    search.hybrid(QUESTION, 3)
    assert search.corpus() is corpus
    put(kg, "Cork", "Cork\nCork is a county.")
    assert search.corpus() is not corpus


def test_equal_vectors_rank_by_row(kg: KnowledgeGraph) -> None:
    document = Document("copy", "text/plain", PASSAGES["Yeast"], "0" * 64, title="Yeast")
    kg.write_document(document, [(0, len(document.text), "text")])
    found = PassageSearch(kg, Encoder.default()).dense("What does yeast do?", 2)
    np.testing.assert_allclose(found[0][1], found[1][1])
    assert found[0][0] < found[1][0]
