"""The dense index stays in step with the store, whatever happens to it."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.errors import LockedError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, text_hash
from hoptrace.retrieval import dense
from hoptrace.retrieval.dense import DenseIndex, FactIndex
from hoptrace.retrieval.vectors import RowVectors
from hypothesis import given, settings
from hypothesis import strategies as st


class WordEncoder:
    """Bags of hashed words; remembers what it was asked to encode."""

    def __init__(self, name: str = "words", dim: int = 64) -> None:
        self.id, self.dim, self.seen = f"{name}@000000000000", dim, list[str]()

    def encode(self, texts: Sequence[str], *, batch_size: int = 32, progress: object = None) -> np.ndarray:
        self.seen += texts
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                vector[zlib.crc32(word.strip(".,").encode()) % self.dim] += 1
            vector /= max(float(np.linalg.norm(vector)), 1e-9)
        return vectors

    def token_states(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        raise NotImplementedError

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "kg") as graph:
        yield graph


def put(kg: KnowledgeGraph, uri: str, text: str, *, title: str = "", kind: str = "text") -> None:
    document = Document(uri, "text/plain", text, text_hash(title + text), title=title, records=kind == "records")
    kg.write_document(document, [(0, len(text), kind)])


def found(kg: KnowledgeGraph, index: DenseIndex, query: str, k: int = 10) -> list[str]:
    rows, scores = index.search(index.encoder.encode([query])[0], k)
    assert (np.diff(scores) <= 0).all()
    texts = {row: chunk.text for row, chunk in kg.store.chunks(rows)}
    return [texts[row] for row, score in zip(rows.tolist(), scores, strict=True) if score > 0.1]


def test_nearest_first_and_updates_are_seen(kg: KnowledgeGraph) -> None:
    index = DenseIndex(kg, WordEncoder())
    assert found(kg, index, "pumps") == []
    put(kg, "a", "Red pumps.")
    put(kg, "b", "Pumps and valves and seals.")
    assert found(kg, index, "pumps") == ["Red pumps.", "Pumps and valves and seals."]
    assert found(kg, index, "pumps", 1) == ["Red pumps."]
    put(kg, "a", "Blue boats.")
    assert found(kg, index, "pumps") == ["Pumps and valves and seals."]
    kg.forget("b")
    assert found(kg, index, "pumps") == []
    assert found(kg, index, "boats") == ["Blue boats."]


def test_nothing_is_encoded_twice(kg: KnowledgeGraph) -> None:
    encoder = WordEncoder()
    put(kg, "a", "One text.")
    assert DenseIndex(kg, encoder).refresh() == 1
    put(kg, "b", "Other text.")
    again = DenseIndex(kg, encoder)  # a new process: the generation is there, b is not
    assert (again.refresh(), again.refresh()) == (1, 0)
    assert encoder.seen == ["One text.", "Other text."]
    put(kg, "c", "One text.")  # the same text elsewhere
    assert again.refresh() == 0


def test_another_encoder_has_its_own_vectors(kg: KnowledgeGraph) -> None:
    put(kg, "a", "One text.")
    assert DenseIndex(kg, WordEncoder("first")).refresh() == 1
    assert DenseIndex(kg, WordEncoder("second", 32)).refresh() == 1
    assert DenseIndex(kg, WordEncoder("first")).refresh() == 0


def test_the_title_is_read_with_a_chunk_that_lacks_it(kg: KnowledgeGraph) -> None:
    encoder = WordEncoder()
    put(kg, "a", "It makes pumps.", title="Brightwater")
    put(kg, "b", "It makes pumps.", title="Halden")
    put(kg, "c", "Halden makes pumps.", title="Halden")
    DenseIndex(kg, encoder).refresh()
    assert sorted(encoder.seen) == ["Brightwater. It makes pumps.", "Halden makes pumps.", "Halden. It makes pumps."]
    assert DenseIndex(kg, WordEncoder()).refresh() == 0  # each was cached under its own title


def test_records_are_left_out_when_there_are_many(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "RECORD_LIMIT", 2)
    index = DenseIndex(kg, WordEncoder())
    put(kg, "p", "Prose about pumps.")
    for uri in "ab":
        put(kg, uri, f"pumps {uri}", kind="records")
    assert len(found(kg, index, "pumps")) == 3
    put(kg, "c", "pumps c", kind="records")
    assert found(kg, index, "pumps") == ["Prose about pumps."]
    kg.forget("a")
    assert len(found(kg, index, "pumps")) == 3


def test_a_read_only_graph_keeps_vectors_in_memory(kg: KnowledgeGraph) -> None:
    put(kg, "a", "Red pumps.")
    before = sorted(path.relative_to(kg.path) for path in kg.path.rglob("*") if "derived" in path.parts)
    with KnowledgeGraph.open(kg.path, read_only=True) as reader:
        assert found(reader, DenseIndex(reader, WordEncoder()), "pumps") == ["Red pumps."]
    assert before == sorted(path.relative_to(kg.path) for path in kg.path.rglob("*") if "derived" in path.parts)
    assert DenseIndex(kg, WordEncoder()).refresh() == 1  # nothing had been written


def test_a_locked_store_does_not_stop_a_search(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> None:
        raise LockedError("locked by pid 1")

    put(kg, "a", "Red pumps.")
    monkeypatch.setattr(kg.store, "put_vectors", locked)
    assert found(kg, DenseIndex(kg, WordEncoder()), "pumps") == ["Red pumps."]


def test_a_damaged_generation_is_rebuilt_from_the_cache(kg: KnowledgeGraph) -> None:
    put(kg, "a", "Red pumps.")
    DenseIndex(kg, WordEncoder()).refresh()
    for file in kg.path.rglob("vectors.npy"):
        file.write_bytes(file.read_bytes()[:-4])
    encoder = WordEncoder()
    index = DenseIndex(kg, encoder)
    with pytest.warns(UserWarning, match="damaged"):
        assert index.refresh() == 0
    assert found(kg, index, "pumps") == ["Red pumps."]


def test_threads_share_one_index(kg: KnowledgeGraph) -> None:
    encoder = WordEncoder()
    put(kg, "a", "Red pumps.")
    index = DenseIndex(kg, encoder)
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(found(kg, index, "pumps"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [["Red pumps."]] * 4
    assert encoder.seen.count("Red pumps.") == 1


def test_facts_follow_the_store(kg: KnowledgeGraph) -> None:
    index = FactIndex(kg, WordEncoder())
    kept = kg.add("Orla Vance", "founded", "Brightwater Labs")
    assert len(index.state()) == 1
    gone = kg.add("Orla Vance", "born in", "Cork")
    assert len(index.state()) == 2
    kg.retract(gone.id)
    rows, scores = index.state().search(index.encoder.encode(["Orla Vance founded Brightwater Labs"])[0], 5)
    assert [triple.id for triple in kg.store.triples_at(rows)] == [kept.id]
    assert scores[0] == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sets(st.integers(0, 12), max_size=5), st.sets(st.integers(0, 12), max_size=5)), max_size=6),
    st.integers(1, 8),
)
def test_base_and_delta_answer_like_a_plain_table(steps: list[tuple[set[int], set[int]]], k: int) -> None:
    """Random removals and insertions, against a dictionary and numpy."""
    generator = np.random.default_rng(0)
    table = {row: generator.integers(-3, 4, 4).astype(np.float32) for row in (7, 1, 4)}
    state = RowVectors.of(np.array(list(table)), np.array(list(table.values())), {})
    for gone, new in steps:
        rows = np.array(sorted(new), dtype=np.int64)
        vectors = generator.integers(-3, 4, (len(rows), 4)).astype(np.float32)
        state = state.apply(np.array(sorted(gone), dtype=np.int64), rows, vectors, {})
        table = {row: vector for row, vector in table.items() if row not in gone} | dict(zip(rows.tolist(), vectors, strict=True))
    query = np.array([1, 2, -1, 0.5], dtype=np.float32)
    expected = sorted((-float(vector @ query), row) for row, vector in table.items())[:k]
    rows, scores = state.search(query, k)
    assert len(state) == len(table)
    np.testing.assert_allclose(scores, [-score for score, _ in expected])
    assert {row: float(score) for row, score in zip(*state.scores(query), strict=True)} == pytest.approx(
        {row: float(vector @ query) for row, vector in table.items()}
    )
    asked = np.arange(14)
    np.testing.assert_array_equal(state.take(asked), [table.get(row, np.zeros(4)) for row in asked.tolist()])
