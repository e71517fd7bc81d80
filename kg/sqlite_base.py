"""Connections to one SQLite file: one for writing, one per reading thread, and SQLite's errors as ours."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .errors import CorruptionError, HoptraceError, InputError, MissingPathError, StorageError, StorageFullError
from .migrations import migrate, pending
from .sql import Reads
from .sql_settle import TOUCHED

FILE_NAME = "kg.sqlite"
_SECURE_FTS = sqlite3.sqlite_version_info >= (3, 42)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into this package's errors, naming the store."""
    try:
        yield
    except sqlite3.Error as error:
        raise _typed(error, path) from error
    except UnicodeDecodeError as error:
        raise CorruptionError(f"{path} is damaged: a text in it is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise InputError(f"text is not valid Unicode: lone surrogate at character {error.start}") from error


def _typed(error: sqlite3.Error, path: Path) -> HoptraceError:
    name = str(getattr(error, "sqlite_errorname", ""))
    text = " ".join(str(error).split())
    if name.startswith("SQLITE_FULL") or name in ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMMAP"):
        return StorageFullError(f"no space left to write {path}: {text}")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or (isinstance(error, sqlite3.DatabaseError) and not name):
        return CorruptionError(f"{path} is damaged: {text}")
    if name.startswith("SQLITE_TOOBIG") or isinstance(error, sqlite3.DataError):
        return InputError(f"too large for the store: {text}")
    return StorageError(f"{path}: {text}")


class WriteDatabase(sqlite3.Connection):
    """The writing connection: statements, and the FTS5 table `fts` beside the chunks. See `kg.sql.WriteConnection`."""

    def index_text(self, first: int, pieces: Sequence[str]) -> None:
        self.executemany("INSERT INTO fts (rowid, text) VALUES (?, ?)", enumerate(pieces, first))

    def show_text(self, source: int) -> None:
        self.execute("INSERT INTO fts (rowid, text) SELECT row, text FROM chunk WHERE source = ?", (source,))

    def hide_text(self, source: int) -> None:
        if _SECURE_FTS:  # deletions then overwrite the old words in place; older versions purge when erasing
            self.execute("INSERT INTO fts (fts, rank) VALUES ('secure-delete', 1)")
        self.execute("INSERT INTO fts (fts, rowid, text) SELECT 'delete', row, text FROM chunk WHERE source = ?", (source,))

    def purge_text(self) -> None:
        if not _SECURE_FTS:
            self.execute("INSERT INTO fts (fts) VALUES ('optimize')")  # rewrites the index without the erased words

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Without the indexes of triples and spans, which are faster to make afterwards than to keep while inserting."""
        indexes = self.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('triple', 'span') AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            self.execute(f"DROP INDEX {name}")
        yield
        for _, create in indexes:
            self.execute(create)


class SQLiteReads(Reads):
    """Opens `folder/kg.sqlite`, brings its schema up to date and hands out connections.

    Raises:
        MissingPathError: read-only and not there.
        SchemaVersionError: written by a newer version.
        CorruptionError: not a database.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.folder, self.read_only = Path(path), read_only
        self.file = self.folder / FILE_NAME
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        if read_only and not self.file.is_file():
            raise MissingPathError(f"no store at {self.folder}")
        with translated(self.file):
            self._prepare()

    def _prepare(self) -> None:
        db = self._connect(write=not self.read_only)
        try:
            if not pending(db):
                return
            if self.read_only:
                raise StorageError(f"{self.file} needs an upgrade; open it once for writing")
            migrate(db)
        finally:
            db.close()

    @property
    def place(self) -> str:
        return str(self.file)

    def _connect_to_write(self) -> WriteDatabase:
        """A connection with the private tables that collect what a transaction touched."""
        db = self._connect(write=True)
        assert isinstance(db, WriteDatabase)
        for table in TOUCHED:
            db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (row INTEGER PRIMARY KEY)")
        return db

    def _connect(self, *, write: bool) -> sqlite3.Connection:
        if write:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"cannot create {self.folder}: {error.strerror}") from error
        mode = "rwc" if write else "rw" if not self.read_only else "ro"
        uri = f"{self.file.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256,
            factory=WriteDatabase if write else sqlite3.Connection,
        )  # fmt: skip
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA temp_store = MEMORY")
        if write:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA wal_autocheckpoint = 8192")  # pages: a checkpoint every 32 MB, not every few documents
            db.execute("PRAGMA cache_size = -98304")  # KiB: random index inserts of a bulk load stay in memory
        else:
            db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA cache_size = -16384")
        return db

    @property
    def _db(self) -> sqlite3.Connection:
        """This thread's reading connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            with translated(self.file):
                db = self._connect(write=False)
            self._local.db = db
            with self._guard:
                self._all.append(db)
        return db

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        with translated(self.file):
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("COMMIT")

    def query(self, sql: str, *args: Any) -> list[Any]:
        with translated(self.file):
            return self._db.execute(sql, args).fetchall()

    def _one(self, sql: str, *args: Any) -> Any:
        with translated(self.file):
            return self._db.execute(sql, args).fetchone()

    def _table(self, sql: str, *args: Any, width: int) -> np.ndarray:
        with translated(self.file):
            cursor = self._db.execute(sql, args[0] if args and isinstance(args[0], dict) else args)  # by name or by place
            blocks = [np.empty((0, width), dtype=np.int64)]
            while block := cursor.fetchmany(1 << 15):
                blocks.append(np.array(block, dtype=np.int64))
        return np.concatenate(blocks)

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        with self._guard:
            for db in self._all:
                db.close()
            self._all.clear()
        self._local = threading.local()
