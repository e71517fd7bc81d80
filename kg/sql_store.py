"""A store in SQL, whatever engine runs it: transactions, the ledger, counts, the vector cache, the content hash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np

from .errors import InputError, LedgerError
from .model import Status
from .sql import ALL, WriteConnection
from .sql_check import content_hash, verify
from .sql_graph import GraphReads
from .sql_write import SQLWriter, moment
from .store import Entry


class SQLStore(GraphReads):
    """What SQLite and PostgreSQL have in common of `kg.store.Store`."""

    @contextmanager
    def writing(self, *, defer_resolve: bool = False) -> Iterator[SQLWriter]:
        with self.exclusive() as db:
            writer = SQLWriter(db)
            yield writer
            writer.finish(defer_resolve=defer_resolve)
        if writer.erased:
            self.after_erasing()

    def exclusive(self) -> AbstractContextManager[WriteConnection]:
        """The write connection inside a transaction; commits on leaving, rolls back on any exception."""
        raise NotImplementedError

    def after_erasing(self) -> None:
        """What is left to do about the bytes of what a committed transaction erased."""

    def verify_engine(self) -> Iterator[str]:
        """One line for each broken invariant that only this engine has."""
        raise NotImplementedError

    def put_vectors(self, model: str, chunk_rows: np.ndarray, vectors: np.ndarray) -> None:
        rows, data = np.asarray(chunk_rows, dtype=np.int64), np.ascontiguousarray(vectors, dtype="<f4")
        if data.ndim != 2 or len(data) != len(rows):
            raise InputError(f"vectors of shape {data.shape} do not fit {len(rows)} chunks")
        if not np.isfinite(data).all():
            raise InputError(f"vectors of {model} hold a value that is not finite")
        with self.exclusive() as db:
            db.executemany(
                "INSERT INTO vector SELECT sha256, ?, ? FROM chunk WHERE row = ? "
                "ON CONFLICT (sha256, model) DO UPDATE SET data = excluded.data",
                ((model, self._packed(vector), row) for row, vector in zip(rows.tolist(), data)),
            )

    # ---- ledger, meta

    @property
    def seq(self) -> int:
        return int(self._one("SELECT coalesce(max(seq), 0) FROM ledger")[0])

    @property
    def identity(self) -> str:
        return self.meta("store_id")["store_id"]

    @property
    def unresolved(self) -> int:
        return int(self._one("SELECT count(*) FROM dirty_block")[0])

    def meta(self, prefix: str = "") -> dict[str, str]:
        return dict(self.query("SELECT key, value FROM meta WHERE substr(key, 1, ?) = ?", len(prefix), prefix))

    def ledger(self, limit: int | None = None) -> list[Entry]:
        rows = self.query(
            "SELECT seq, at, action, summary, undone_by, undoable FROM ledger ORDER BY seq DESC LIMIT ?",
            ALL if limit is None else limit,
        )
        return [Entry(seq, moment(at), what, text, by, bool(undoable)) for seq, at, what, text, by, undoable in rows]

    def payload(self, seq: int) -> dict[str, object]:
        found = self._one("SELECT payload FROM ledger WHERE seq = ?", seq)
        if not found:
            raise LedgerError(f"no ledger entry {seq}")
        payload: dict[str, object] = json.loads(found[0])
        return payload

    # ---- health

    def counts(self) -> dict[str, int]:
        live = "JOIN source ON source.row = {}.source WHERE source.live"
        tables = {
            "sources": "source WHERE live",
            "chunks": f"chunk {live.format('chunk')}",
            "entities": "node WHERE kind = 'entity' AND live AND canon = row",
            "relations": "relation WHERE EXISTS "
            f"(SELECT 1 FROM relation_name {live.format('relation_name')} AND relation_name.relation = relation.row)",
            "triples": "triple WHERE live",
            "spans": f"span JOIN triple ON triple.row = span.triple AND triple.live {live.format('span')}",
        }
        with self._snapshot() as db:
            counts = {name: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for name, table in tables.items()}
            by_status = dict(db.execute("SELECT status, count(*) FROM triple WHERE live GROUP BY status").fetchall())
        return counts | {status.value: by_status.get(status.value, 0) for status in Status if status is not Status.RETRACTED}

    def has_prose(self) -> bool:
        live = "JOIN source ON source.row = chunk.source WHERE source.live"
        return bool(self._one(f"SELECT 1 FROM chunk {live} AND chunk.kind = 'text' LIMIT 1"))

    def content_hash(self) -> str:
        with self._snapshot() as db:
            return content_hash(db)

    def verify(self) -> Iterator[str]:
        return verify(self)
