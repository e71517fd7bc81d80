"""Dense search over chunks and over facts: the same vectors as rows of a table, kept in step with the store.

`DenseIndex` holds the chunks: prose always, rows of tables only while there are few (they are found by words and through
the graph). Chunk vectors are cached in the store by model and text, so that re-chunking or rebuilding encodes nothing twice.
`FactIndex` holds the triples as short sentences, as HippoRAG 2 does for its query-to-triple step.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from ..kg.errors import LockedError, StorageFullError
from ..kg.generations import changes, position
from ..kg.model import stable_id
from .encoder import Progress, TextEncoder
from .vectors import RowVectors

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from ..kg.store import Changes

RECORD_LIMIT = 2000  # record chunks above which none is encoded
_BATCH = 512  # texts encoded between two writes to the cache: what a killed run loses at most


class DenseIndex:
    """Chunk vectors of a knowledge graph under one encoder.

    Args:
        kg: the graph. A read-only one keeps missing vectors in memory.
        encoder: its `id` is part of every cache key and index name, so another encoder never reads these vectors.
    """

    def __init__(self, kg: KnowledgeGraph, encoder: TextEncoder) -> None:
        self.kg, self.encoder = kg, encoder
        self._kind = f"dense_{stable_id('v', encoder.id)}"
        self._state: RowVectors | None = None
        self._lock = threading.Lock()

    def refresh(self, progress: Progress | None = None) -> int:
        """Bring the index in step with the store; returns how many texts had to be encoded."""
        with self._lock:
            if self._state is not None and self._state.meta["seq"] == self.kg.store.seq:
                return 0
            work = _Work(self.kg, self.encoder, progress)
            state = self._state or RowVectors.load(self.kg.generations, self._kind, self.encoder.dim)
            delta = None if state is None else changes(self.kg.store, state.meta)
            updated = None if state is None or delta is None else self._update(state, delta, work)
            if updated is None:
                self._state = self._rebuild(work).publish(self.kg.generations, self._kind)
            else:
                self._state = updated.settle(self.kg.generations, self._kind)
            return work.encoded

    def search(self, vector: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k live chunks nearest to a unit vector [d]: (chunk rows int64 [j], cosines float32 [j]), best first."""
        return self.state().search(vector, k)

    def state(self) -> RowVectors:
        """The index in step with the store."""
        self.refresh()
        if self._state is None:
            raise RuntimeError("refresh left no state")
        return self._state

    @property
    def whole(self) -> bool:
        """Whether every chunk has a vector: there are not too many records."""
        return len(self.state().meta["records"]) <= RECORD_LIMIT

    def _rebuild(self, work: _Work) -> RowVectors:
        meta = position(self.kg.store)
        kinds = {row: chunk.kind for row, chunk in self.kg.store.chunks()}
        records = [row for row, kind in kinds.items() if kind != "text"]
        rows = np.array([row for row, kind in kinds.items() if kind == "text" or len(records) <= RECORD_LIMIT], dtype=np.int64)
        return RowVectors.of(rows, work.vectors(rows), meta | {"records": sorted(records)})

    def _update(self, state: RowVectors, delta: Changes, work: _Work) -> RowVectors | None:
        """None when the number of records crossed the limit, which changes what belongs into the index."""
        meta = position(self.kg.store)
        if delta.seq != meta["seq"]:
            return None
        kinds = {row: chunk.kind for row, chunk in self.kg.store.chunks(delta.chunks_new)}
        before = set(state.meta["records"])
        records = (before - set(delta.chunks_gone.tolist())) | {row for row, kind in kinds.items() if kind != "text"}
        if (len(before) <= RECORD_LIMIT) != (len(records) <= RECORD_LIMIT):
            return None
        kept = len(records) <= RECORD_LIMIT
        rows = np.array([row for row, kind in kinds.items() if kind == "text" or kept], dtype=np.int64)
        return state.apply(delta.chunks_gone, rows, work.vectors(rows), meta | {"records": sorted(records)})


class FactIndex:
    """Vectors of the live, evidence-grade triples, each written as a short sentence."""

    def __init__(self, kg: KnowledgeGraph, encoder: TextEncoder) -> None:
        self.kg, self.encoder = kg, encoder
        self._kind = f"facts_{stable_id('v', encoder.id)}"
        self._state: RowVectors | None = None
        self._lock = threading.Lock()

    def state(self, progress: Progress | None = None) -> RowVectors:
        """The index in step with the store, rows being triple rows."""
        with self._lock:
            store = self.kg.store
            if self._state is not None and self._state.meta["seq"] == store.seq:
                return self._state
            state = self._state or RowVectors.load(self.kg.generations, self._kind, self.encoder.dim)
            delta = None if state is None else changes(store, state.meta)
            meta = position(store)
            if state is None or delta is None:
                rows = np.sort(store.edges().triple)
                state = RowVectors.of(rows, self._encode(rows, progress), meta).publish(self.kg.generations, self._kind)
            else:
                rows = delta.edges.triple
                state = state.apply(delta.edges_gone, rows, self._encode(rows, progress), meta)
                state = state.settle(self.kg.generations, self._kind)
            self._state = state
            return state

    def _encode(self, rows: np.ndarray, progress: Progress | None) -> np.ndarray:
        store = self.kg.store
        texts = [f"{t.subject.label} {t.relation.label} {t.object.label}" for t in store.triples_at(rows)]
        return self.encoder.encode(texts, progress=progress)


class _Work:
    """The vectors of some chunks: from the store's cache where they are there, else encoded and cached."""

    def __init__(self, kg: KnowledgeGraph, encoder: TextEncoder, progress: Progress | None) -> None:
        self.kg, self.encoder, self.progress, self.encoded = kg, encoder, progress, 0

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """float32 [n, d] in the order of `rows`; zeros for a row that died meanwhile (the next refresh takes it out)."""
        vectors = np.zeros((len(rows), self.encoder.dim), dtype=np.float32)
        titles: dict[str, str] = {}
        for first in range(0, len(rows), _BATCH):
            part = rows[first : first + _BATCH]
            spots = {int(row): spot for spot, row in enumerate(part, start=first)}
            texts: dict[str, list[tuple[int, str]]] = {}
            for row, chunk in self.kg.store.chunks(part):
                if chunk.source_id not in titles:
                    titles[chunk.source_id] = self.kg.store.source(chunk.source_id).title
                key, text = self._titled(titles[chunk.source_id], chunk.text)
                texts.setdefault(key, []).append((spots[row], text))
            for key, items in texts.items():
                chosen = np.array([spot for spot, _ in items])
                vectors[chosen] = self._cached(key, rows[chosen], [text for _, text in items])
            if self.progress:
                self.progress(first + len(part), len(rows))
        return vectors

    def _titled(self, title: str, text: str) -> tuple[str, str]:
        """(cache key, text to encode). The cache knows only the chunk's own text, so an added title goes into the key."""
        if not title or title in text:
            return self.encoder.id, text
        return f"{self.encoder.id}+{stable_id('t', title)}", f"{title}. {text}"

    def _cached(self, key: str, rows: np.ndarray, texts: list[str]) -> np.ndarray:
        found, known = self.kg.store.vectors(key, rows)
        vectors = np.empty((len(rows), self.encoder.dim), dtype=np.float32)
        if found.any():
            vectors[found] = known
        missing = np.flatnonzero(~found)
        if len(missing):
            vectors[missing] = self.encoder.encode([texts[i] for i in missing])
            self.encoded += len(missing)
            self._put(key, rows[missing], vectors[missing])
        return vectors

    def _put(self, key: str, rows: np.ndarray, vectors: np.ndarray) -> None:
        if self.kg.read_only:
            return
        try:
            self.kg.store.put_vectors(key, rows, vectors)
        except (LockedError, StorageFullError):
            return  # a cache: the vectors are in the index, the next run writes them


__all__ = ["RECORD_LIMIT", "DenseIndex", "FactIndex"]
