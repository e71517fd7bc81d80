"""The store on one machine: a SQLite file in write-ahead-log mode, full-text index in the same transaction.

    sqlite_base      connections, errors          sqlite_write    the open transaction: what is put and taken away
    sqlite_text      sources, chunks, search      sqlite_facts    one document's rows, in batches
    sqlite_graph     names, triples, edges        sqlite_settle   what is derived: orphans, labels, merges
    sqlite_document  a source as it was put       sqlite_status   what is derived: liveness, status, disputes
    sqlite_check     content hash, verify

One writer at a time (`kg.lock`), any number of readers, which never wait. A committed transaction survives a killed
process and a power cut (synchronous=FULL). What is erased is overwritten in the file, its full-text index and its log.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from .errors import InputError, LedgerError, StorageError
from .lock import WriterLock
from .model import Status
from .sqlite_base import translated
from .sqlite_check import content_hash, verify
from .sqlite_graph import GraphReads
from .sqlite_settle import prepare
from .sqlite_write import SQLiteWriter, moment
from .store import Capabilities, Entry


class SQLiteStore(GraphReads):
    """A folder that holds `kg.sqlite`. See `kg.store.Store`.

    Args:
        path: the folder; created when missing.
        read_only: never write; works on a folder that this user cannot write to as long as its log can be opened.
    """

    capabilities = Capabilities()

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path, read_only=read_only)
        self.lock = WriterLock(self.folder / "write.lock")
        self._write_db: sqlite3.Connection | None = None
        self._turn = threading.Lock()

    @contextmanager
    def writing(self, *, defer_resolve: bool = False) -> Iterator[SQLiteWriter]:
        with self.exclusive() as db:
            writer = SQLiteWriter(db)
            yield writer
            writer.finish(defer_resolve=defer_resolve)
        if writer.erased:
            self._truncate_log()

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """The write connection inside a transaction; commits on leaving, rolls back on any exception."""
        if self.read_only:
            raise StorageError(f"{self.folder} is open for reading only")
        self.lock.acquire()
        try:
            with self._turn, translated(self.file):
                if self._write_db is None:
                    self._write_db = self._connect(write=True)
                    prepare(self._write_db)
                db = self._write_db
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):  # a full disk may have rolled back already
                        db.execute("ROLLBACK")
                    raise
        finally:
            self.lock.release()

    def _truncate_log(self) -> None:
        """Fold the log into the file, so that erased text is in neither. Open readers delay it to the next time."""
        with translated(self.file):
            if self._write_db is not None:
                self._write_db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def put_vectors(self, model: str, chunk_rows: np.ndarray, vectors: np.ndarray) -> None:
        rows, data = np.asarray(chunk_rows, dtype=np.int64), np.ascontiguousarray(vectors, dtype="<f4")
        if data.ndim != 2 or len(data) != len(rows):
            raise InputError(f"vectors of shape {data.shape} do not fit {len(rows)} chunks")
        if not np.isfinite(data).all():
            raise InputError(f"vectors of {model} hold a value that is not finite")
        with self.exclusive() as db:
            db.executemany(
                "INSERT OR REPLACE INTO vector SELECT sha256, ?, ? FROM chunk WHERE row = ?",
                ((model, vector.tobytes(), row) for row, vector in zip(rows.tolist(), data)),
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
            -1 if limit is None else limit,
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

    def close(self) -> None:
        with self._turn:
            if self._write_db is not None:
                self._write_db.close()
                self._write_db = None
        super().close()
