"""The word table: against reading every text anew, and in step with the store."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, normalize, text_hash
from hoptrace.retrieval.words import WordIndex, WordTable, name_key, word_key, word_keys

TEXTS = {
    "Silver (film)": "Silver was directed by Orla Vance.",
    "Orla Vance": "Orla Vance directs films in Skibbereen. She owns silver.",
    "": "A note without a title.",
}


def put(kg: KnowledgeGraph, title: str, text: str, uri: str = "") -> None:
    document = Document(uri or title or "note", "text/plain", text, text_hash(text), title=title)
    half = len(text) // 2
    kg.write_document(document, [(0, half, "text"), (half, len(text), "text")])


@pytest.fixture
def kg(tmp_path: Path) -> KnowledgeGraph:
    graph = KnowledgeGraph.open(tmp_path / "kg")
    for title, text in TEXTS.items():
        put(graph, title, text)
    return graph


def holders(kg: KnowledgeGraph, word: str) -> set[int]:
    """Rows of the chunks that hold a word in text or title, by reading them all."""
    titles = {source.id: source.title for source in kg.store.sources()}
    key = word_key(word)
    return {row for row, chunk in kg.store.chunks() if key in word_keys(f"{chunk.text} {titles[chunk.source_id]}")}


def same(one: WordTable, other: WordTable) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(WordTable))


@pytest.mark.parametrize("word", ["silver", "directed", "films", "skibbereen", "absent", "film"])
def test_holders_of_a_word_are_those_that_reading_finds(kg: KnowledgeGraph, word: str) -> None:
    table = WordIndex(kg).table()
    assert set(table.rows[table.holding(word_key(word))].tolist()) == holders(kg, word)


def test_holders_of_several_words_hold_each(kg: KnowledgeGraph) -> None:
    table = WordIndex(kg).table()
    found = set(table.rows[table.holding_all(word_keys("Orla Vance"))].tolist())
    assert found == holders(kg, "orla") & holders(kg, "vance") != set()


def test_a_title_is_found_without_its_qualifier_and_for_the_first_chunk_only(kg: KnowledgeGraph) -> None:
    table = WordIndex(kg).table()
    chunks = dict(kg.store.chunks())
    found = [chunks[row] for row in table.rows[table.about_name("silver")].tolist()]
    assert [(kg.store.source(chunk.source_id).title, chunk.start) for chunk in found] == [("Silver (film)", 0)]
    assert not len(table.about(name_key("")))
    assert normalize("Silver") != normalize("Silver (film)")


def test_after_any_change_the_table_is_that_of_a_fresh_build(kg: KnowledgeGraph) -> None:
    index = WordIndex(kg)
    index.table()
    steps = [
        lambda: put(kg, "Skibbereen", "Skibbereen is a town in Cork."),
        lambda: kg.forget("Orla Vance"),
        lambda: put(kg, "Silver (film)", "Silver was directed by nobody.", uri="Silver (film)"),
        lambda: kg.undo(),
    ]
    for number, step in enumerate(steps):
        step()
        kg.generations.discard("words")
        assert same(index.table(), WordIndex(kg).table()), number


def test_the_same_table_is_used_until_the_store_changes(kg: KnowledgeGraph) -> None:
    index = WordIndex(kg)
    table = index.table()
    assert index.table() is table
    put(kg, "Cork", "Cork is a county.")
    assert index.table() is not table


def test_a_published_table_is_used_again(kg: KnowledgeGraph) -> None:
    first = WordIndex(kg).table()
    assert kg.generations.current("words") is not None
    assert same(first, WordIndex(kg).table())
