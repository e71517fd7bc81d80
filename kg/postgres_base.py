"""Connections to one namespace of a PostgreSQL database: one for writing, one per reading thread, and its errors as ours."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import numpy as np
import psycopg
from psycopg import errors as pg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from .errors import (
    ConnectionLostError,
    CorruptionError,
    HoptraceError,
    InputError,
    LockedError,
    MissingPathError,
    StorageError,
    StorageFullError,
)
from .postgres_schema import migrate, pending
from .postgres_sql import Database
from .sql import Reads
from .sql_settle import TOUCHED

Result = TypeVar("Result")
_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PATIENCE_S = 30  # how long a writer waits for another
_CONNECT_S = 10


@dataclass(frozen=True, slots=True)
class Address:
    """Where a namespace is: `dsn` for libpq, `place` for people (without a password)."""

    dsn: str
    namespace: str
    place: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a URL apart: libpq's own, with `namespace` among its parameters (`default` when it is not).

        Raises:
            InputError: not a URL that libpq takes, or a namespace that cannot be a schema's name.
        """
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True)
        named = dict(given)
        namespace = named.get("namespace", "default")
        if not _NAMESPACE.fullmatch(namespace):
            raise InputError(f"namespace {namespace!r} is not up to 40 lower-case letters, digits and _, a letter first")
        kept = urlencode([(key, value) for key, value in given if key not in ("namespace", "cache")], quote_via=quote)
        dsn = f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{kept}" if kept else "")
        try:
            known = conninfo_to_dict(dsn)
        except psycopg.ProgrammingError as error:
            raise InputError(f"not a PostgreSQL URL: {_line(error)}") from None
        host = str(known.get("host") or "localhost") + (f":{known['port']}" if known.get("port") else "")
        return cls(dsn, namespace, f"postgresql://{host}/{known.get('dbname') or ''}?namespace={namespace}")

    @property
    def schema(self) -> str:
        return f"hoptrace_{self.namespace}"

    @property
    def lock(self) -> int:
        """The key of the advisory lock that one writer at a time holds."""
        return int.from_bytes(hashlib.blake2b(self.schema.encode(), digest_size=8).digest(), "big", signed=True)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _typed(error: psycopg.Error, place: str, *, lost: bool) -> HoptraceError:
    text = _line(error)
    if lost or isinstance(error, pg.AdminShutdown | pg.CrashShutdown | pg.CannotConnectNow):
        return ConnectionLostError(f"no connection to {place}: {text}")
    if isinstance(error, pg.DiskFull):
        return StorageFullError(f"no space left to write {place}: {text}")
    if isinstance(error, pg.DataCorrupted | pg.IndexCorrupted):
        return CorruptionError(f"{place} is damaged: {text}")
    if isinstance(error, psycopg.DataError | pg.ProgramLimitExceeded):
        return InputError(f"the store cannot hold this: {text}")
    return StorageError(f"{place}: {text}")


class PostgresReads(Reads):
    """Connects to `url`, brings the namespace's schema up to date and hands out connections.

    A lost connection is made anew by the next call. A read outside `_snapshot` is tried a second time by itself, also the
    beginning of a snapshot; what was lost in the middle of a snapshot or a transaction is the caller's to repeat.

    Raises:
        MissingPathError: no such namespace, and it shall not be made.
        ConnectionLostError: the server does not answer.
        SchemaVersionError: written by a newer version.
    """

    def __init__(self, url: str, *, read_only: bool = False, create: bool = True) -> None:
        self.address, self.read_only = Address.parse(url), read_only
        self._local = threading.local()
        self._all: dict[threading.Thread, Database] = {}
        self._guard = threading.Lock()
        db = self._connect(write=not read_only)
        try:
            with self.translated(db):
                self._prepare(db, create=create and not read_only)
        finally:
            db.raw.close()

    @property
    def place(self) -> str:
        return self.address.place

    def _prepare(self, db: Database, *, create: bool) -> None:
        schema = self.address.schema
        there = "SELECT has_schema_privilege(nspname, 'USAGE') FROM pg_namespace WHERE nspname = ?"
        found = db.execute(there, (schema,)).fetchone()
        if not found and not create:
            raise MissingPathError(f"no knowledge graph at {self.place}")
        if found and not found[0]:
            raise StorageError(f"permission denied: {db.raw.info.user} may not use {self.place}")
        if self.read_only:
            if pending(db):
                raise StorageError(f"{self.place} needs an upgrade; open it once for writing")
            return
        with db.raw.transaction():
            self.lock(db)
            if not db.execute(there, (schema,)).fetchone():
                db.execute(f"CREATE SCHEMA {schema}")
            migrate(db)

    def _connect(self, *, write: bool) -> Database:
        settings = {
            "search_path": self.address.schema,
            "default_transaction_read_only": "off" if write else "on",
            "synchronous_commit": "on",
            "lock_timeout": f"{_PATIENCE_S}s",
            "random_page_cost": "1.1",  # the tables that a transaction touches have no statistics: prefer an index
        }
        known = conninfo_to_dict(self.address.dsn)
        try:
            raw = psycopg.connect(
                self.address.dsn,
                autocommit=True,
                client_encoding="utf8",
                connect_timeout=int(known.get("connect_timeout") or _CONNECT_S),
                application_name=f"hoptrace pid {os.getpid()} on {socket.gethostname()}"[:63],
            )
        except psycopg.Error as error:
            raise _typed(error, self.place, lost=True) from error
        db = Database(raw)
        with self.translated(db):
            raw.execute("SELECT " + ", ".join(["set_config(%s, %s, false)"] * len(settings)), sum(settings.items(), ()))
        return db

    def _connect_to_write(self) -> Database:
        """A connection with the private tables that collect what a transaction touched."""
        db = self._connect(write=True)
        with self.translated(db):
            for table in TOUCHED:
                db.execute(f"CREATE TEMP TABLE {table} (row bigint PRIMARY KEY) ON COMMIT DELETE ROWS")
        return db

    def lock(self, db: Database) -> None:
        """Wait, inside a transaction, until no other process writes to this namespace.

        Raises:
            LockedError: one still does after 30 seconds; the message names it.
        """
        try:
            db.execute("SELECT pg_advisory_xact_lock(?)", (self.address.lock,))
        except pg.LockNotAvailable:
            raise LockedError(f"{self.place} is locked by {self.holder() or 'another process'}") from None

    def holder(self) -> str:
        """Who writes at the moment, as `hoptrace pid N on HOST since T`; "" when nobody does."""
        high, low = divmod(self.address.lock % (1 << 64), 1 << 32)
        rows = self.query(
            "SELECT application_name, xact_start FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND granted AND classid = ? AND objid = ? AND objsubid = 1",
            high, low,
        )  # fmt: skip
        return f"{rows[0][0]} since {rows[0][1]:%Y-%m-%dT%H:%M:%S%z}" if rows else ""

    @contextmanager
    def translated(self, db: Database) -> Iterator[None]:
        """Turn what psycopg raises into this package's errors, naming the store."""
        try:
            yield
        except psycopg.Error as error:
            raise _typed(error, self.place, lost=db.raw.closed) from error
        except UnicodeEncodeError as error:
            raise InputError(f"text is not valid Unicode: lone surrogate at character {error.start}") from error

    @property
    def _db(self) -> Database:
        """This thread's reading connection, made anew when it was lost."""
        db: Database | None = getattr(self._local, "db", None)
        if db is None or db.raw.closed:
            db = self._local.db = self._connect(write=False)
            with self._guard:
                self._all[threading.current_thread()] = db
                for ended in [thread for thread in self._all if not thread.is_alive()]:
                    self._all.pop(ended).raw.close()
        return db

    def _read(self, work: Callable[[Database], Result]) -> Result:
        """Do something that only reads, a second time when the connection turns out to be lost."""
        db = self._db
        inside = db.raw.info.transaction_status != TransactionStatus.IDLE
        try:
            with self.translated(db):
                return work(db)
        except ConnectionLostError:
            if inside:
                raise
        db.raw.close()
        db = self._db
        with self.translated(db):
            return work(db)

    @contextmanager
    def _snapshot(self) -> Iterator[Database]:
        if self._db.raw.info.transaction_status == TransactionStatus.INTRANS:
            yield self._db
            return
        self._read(lambda db: db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        db = self._db
        try:
            with self.translated(db):
                yield db
        finally:
            with suppress(psycopg.Error):  # nothing was written
                db.execute("COMMIT")

    def query(self, sql: str, *args: Any) -> list[Any]:
        return self._read(lambda db: db.execute(sql, args).fetchall())

    def _one(self, sql: str, *args: Any) -> Any:
        return self._read(lambda db: db.execute(sql, args).fetchone())

    def _table(self, sql: str, *args: Any, width: int) -> np.ndarray:
        given = args[0] if args and isinstance(args[0], dict) else args  # by name or by place
        return self._read(lambda db: db.table(sql, given, width))

    def close(self) -> None:
        with self._guard:
            for db in self._all.values():
                db.raw.close()
            self._all.clear()
        self._local = threading.local()
