"""Connections to one SQLite file: one for writing, one per reading thread, and SQLite's errors as ours."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .errors import CorruptionError, HoptraceError, InputError, MissingPathError, StorageError, StorageFullError
from .migrations import migrate, pending
from .model import ANY, end_key

FILE_NAME = "kg.sqlite"
# Kind and key of each entity or value that a fact is about, all names of a merged one, with the relation and the way to walk it.
ENDS = " UNION ".join(
    f"SELECT other.kind, other.key, relation.key, {way} FROM triple JOIN relation ON relation.row = triple.relation "
    f"JOIN node ON node.row = triple.{end} JOIN node AS other ON other.canon = node.canon WHERE {{which}}"
    for end, way in (("subject", 1), ("object", -1))
)
_PREFIXES = frozenset("scelrt")


def key_of(stable: str) -> int:
    """The 64 bits of a stable id as the signed integer that SQLite stores; 0 for text of another form.

    >>> key_of("e00000000000000ff")
    255
    """
    try:
        value = int(stable[1:], 16) if len(stable) == 17 and stable[0] in _PREFIXES else 0
    except ValueError:
        return 0
    return value - (1 << 64) if value >> 63 else value


def id_of(prefix: str, key: int) -> str:
    """The stable id of a key: the inverse of `key_of`."""
    return f"{prefix}{key & 0xFFFFFFFFFFFFFFFF:016x}"


def end_keys(ends: Iterable[tuple[str, int, int, int]]) -> set[int]:
    """`kg.model.end_key` of each row that `ENDS` gave, with its relation and with any."""
    return {
        end_key(id_of(kind[0], node), which, way) for kind, node, relation, way in ends for which in (id_of("r", relation), ANY)
    }


def is_id(text: str) -> bool:
    return key_of(text) != 0


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


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Reading rows into values: what Python cannot make of a stored value is damage, not a bug of the caller."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise CorruptionError(f"{path} is damaged: it holds a value that cannot be ({reason})") from error


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


class Connections:
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

    def _connect(self, *, write: bool) -> sqlite3.Connection:
        if write:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"cannot create {self.folder}: {error.strerror}") from error
        mode = "rwc" if write else "rw" if not self.read_only else "ro"
        uri = f"{self.file.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
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
        """Several statements on one committed state; nests."""
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
        """All rows of a reading statement."""
        with translated(self.file):
            return self._db.execute(sql, args).fetchall()

    def _one(self, sql: str, *args: Any) -> Any:
        with translated(self.file):
            return self._db.execute(sql, args).fetchone()

    def _table(self, sql: str, *args: Any, width: int) -> np.ndarray:
        """An integer query as an int64 array [n, width], read in blocks so that a million rows stay small."""
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


def batches(rows: np.ndarray, size: int = 512) -> Iterator[list[int]]:
    """`rows` as lists of at most `size` Python integers."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size].tolist()
