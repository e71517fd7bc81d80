"""Reading sources, their text and chunks, and full-text search."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .errors import CorruptionError, InputError
from .model import Chunk, Document, Source
from .sql import Reads, batches, id_of, key_of
from .sql_document import restore
from .sql_write import moment
from .store import TextHit

_SOURCE = """SELECT key, uri, media_type, sha256, title, kind, length, min(begin), CASE WHEN NOT live THEN max(end) END
FROM source JOIN life ON life.source = source.row"""
_CHUNK = """SELECT chunk.row, chunk.key, source.key, start, end, text, chunk.sha256, chunk.kind
FROM chunk JOIN source ON source.row = chunk.source"""
_WORD = re.compile(r"\w+")
_STOPWORDS = frozenset(
    "a an and are as at be been but by did do does for from had has have he her his how i in into is it its of on or she "
    "that the their them they this to was were what when where which who whom whose why will with".split()
)


class TextReads(Reads):
    """The part of `kg.store.Store` about text."""

    def sources(self, *, uri: str | None = None, live: bool | None = True) -> Iterator[Source]:
        where, args = ["TRUE"], []
        if uri is not None:
            where.append("uri = ?")
            args.append(uri)
        if live is not None:
            where.append("live" if live else "NOT live")
        sql = f"{_SOURCE} WHERE {' AND '.join(where)} GROUP BY source.row ORDER BY source.row"
        return (_source(fields) for fields in self.query(sql, *args))

    def source(self, source_id: str) -> Source:
        found = self._one(f"{_SOURCE} WHERE key = ? GROUP BY source.row", key_of(source_id))
        if not found:
            raise InputError(f"no source {source_id!r}")
        return _source(found)

    def text(self, source_id: str, start: int = 0, end: int | None = None) -> str:
        end = self.source(source_id).length if end is None else end
        where = "WHERE source.key = ? AND end > ? AND start < ? ORDER BY start"
        chunks = [self._chunk(fields) for fields in self.query(f"{_CHUNK} {where}", key_of(source_id), start, end)]
        if not chunks:
            return ""
        first = chunks[0].start
        return "".join(chunk.text for chunk in chunks)[max(start - first, 0) : end - first]

    def chunk(self, chunk_id: str) -> Chunk:
        found = self._one(f"{_CHUNK} WHERE chunk.key = ?", key_of(chunk_id))
        if not found:
            raise InputError(f"no chunk {chunk_id!r}")
        return self._chunk(found)

    def chunks(
        self, rows: Sequence[int] | np.ndarray | None = None, *, source_id: str | None = None
    ) -> Iterator[tuple[int, Chunk]]:
        if rows is None:
            where, args = "WHERE live", []
            if source_id is not None:
                where, args = "WHERE live AND source.key = ?", [key_of(source_id)]
            order = "ORDER BY source.row, start"
            rows = self._table(f"SELECT chunk.row FROM chunk JOIN source ON source.row = source {where} {order}", *args, width=1)[
                :, 0
            ]
        for batch in batches(np.asarray(rows, dtype=np.int64)):
            found = {
                fields[0]: self._chunk(fields)
                for fields in self.query(
                    f"{_CHUNK} WHERE live AND chunk.row IN (SELECT value FROM json_each(?))", json.dumps(batch)
                )
            }
            yield from ((row, found[row]) for row in batch if row in found)

    def _chunk(self, fields: Any) -> Chunk:
        """A chunk whose text still has the hash it was stored with: SQLite pages carry no checksum of their own."""
        _, key, source, start, end, text, sha256, kind = fields
        chunk = Chunk(id_of("c", key), id_of("s", source), start, end, text, bytes(sha256).hex(), kind)
        if hashlib.sha256(str(text).encode()).digest() != sha256:
            raise CorruptionError(f"chunk {chunk.id} of {chunk.source_id} ({start}-{end}) does not match its hash")
        return chunk

    def search_text(self, query: str, k: int = 10) -> list[TextHit]:
        words = list(dict.fromkeys(word.lower() for word in _WORD.findall(query.replace("_", " "))))[:256]
        telling = [word for word in words if word not in _STOPWORDS] or words
        if not telling or k <= 0:
            return []
        return self._ranked(telling, k)

    def _ranked(self, telling: list[str], k: int) -> list[TextHit]:
        """The best live chunks that hold any of these words, equal scores in the order of their ids."""
        raise NotImplementedError

    def document(self, source_id: str) -> tuple[Document, list[tuple[int, int, str]]]:
        with self._snapshot() as db:
            return restore(db, self.source(source_id), self.text(source_id))

    # ---- vectors

    def _packed(self, vector: np.ndarray) -> Any:
        """A float32 vector as the engine keeps it."""
        return vector.tobytes()

    def _unpacked(self, data: Any) -> np.ndarray:
        return np.frombuffer(data, dtype="<f4")

    def vectors(self, model: str, chunk_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = np.asarray(chunk_rows, dtype=np.int64)
        data: dict[int, Any] = {}
        for batch in batches(rows):
            data.update(
                self.query(
                    "SELECT row, data FROM chunk JOIN vector USING (sha256) WHERE model = ? "
                    "AND row IN (SELECT value FROM json_each(?))",
                    model, json.dumps(batch),
                )
            )  # fmt: skip
        found = np.fromiter((int(row) in data for row in rows), dtype=bool, count=len(rows))
        kept = [self._unpacked(data[int(row)]) for row in rows[found]]
        return found, np.stack(kept).astype(np.float32) if kept else np.empty((0, 0), dtype=np.float32)


def _source(fields: Any) -> Source:
    key, uri, media_type, sha256, title, kind, length, begin, end = fields
    return Source(id_of("s", key), uri, media_type, sha256, title, kind, length, moment(begin), moment(end) if end else None)
