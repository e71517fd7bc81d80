"""The store on one machine: a SQLite file in write-ahead-log mode, full-text index in the same transaction.

`sqlite_base` connects and translates errors; what is read and written, and how, is in the `sql_` files (see `kg.sql`).
One writer at a time (`kg.lock`), any number of readers, which never wait. A committed transaction survives a killed
process and a power cut (synchronous=FULL). What is erased is overwritten in the file, its full-text index and its log.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import StorageError
from .lock import WriterLock
from .sql_store import SQLStore
from .sqlite_base import SQLiteReads, WriteDatabase, translated
from .store import Capabilities, TextHit

_TIES = 64  # equal scores are ordered by id, not by row: fetch a few more than asked so that the cut does not decide


class SQLiteStore(SQLiteReads, SQLStore):
    """A folder that holds `kg.sqlite`. See `kg.store.Store`.

    Args:
        path: the folder; created when missing.
        read_only: never write; works on a folder that this user cannot write to as long as its log can be opened.
    """

    capabilities = Capabilities()

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path, read_only=read_only)
        self.lock = WriterLock(self.folder / "write.lock")
        self._write_db: WriteDatabase | None = None
        self._turn = threading.Lock()

    @property
    def engine(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    @contextmanager
    def exclusive(self) -> Iterator[WriteDatabase]:
        if self.read_only:
            raise StorageError(f"{self.folder} is open for reading only")
        self.lock.acquire()
        try:
            with self._turn, translated(self.file):
                if self._write_db is None:
                    self._write_db = self._connect_to_write()
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

    def after_erasing(self) -> None:
        """Fold the log into the file, so that erased text is in neither. Open readers delay it to the next time."""
        with translated(self.file):
            if self._write_db is not None:
                self._write_db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _ranked(self, telling: list[str], k: int) -> list[TextHit]:
        rows = self.query(
            "SELECT found.rowid, -score FROM (SELECT rowid, bm25(fts) AS score FROM fts WHERE fts MATCH ? "
            "ORDER BY score LIMIT ?) AS found JOIN chunk ON chunk.row = found.rowid ORDER BY score, chunk.key LIMIT ?",
            " OR ".join(f'"{word}"' for word in telling), k + _TIES, k,
        )  # fmt: skip
        return [TextHit(row, score) for row, score in rows]

    def verify_engine(self) -> Iterator[str]:
        for (line,) in self.query("PRAGMA quick_check(100)"):
            if line != "ok":
                yield f"{self.file}: {line}"
        for table, row, parent, _ in self.query("PRAGMA foreign_key_check"):
            yield f"{self.file}: row {row} of {table} points to a missing {parent}"
        if not self.read_only:  # the check is a write statement to SQLite, though it writes nothing
            with self.exclusive() as db:
                try:
                    db.execute("INSERT INTO fts (fts, rank) VALUES ('integrity-check', 1)")
                except sqlite3.DatabaseError as error:
                    yield f"the full-text index does not match the chunks: {error}"

    def close(self) -> None:
        with self._turn:
            if self._write_db is not None:
                self._write_db.close()
                self._write_db = None
        super().close()
