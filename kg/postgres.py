"""The store on a PostgreSQL server, shared by any number of processes and machines.

    postgres_base      connections, errors, the lock      postgres_schema    tables, named migrations
    postgres_sql       the shared statements in PostgreSQL's words, full text

What is read and written, and how, is in the `sql_` files (see `kg.sql`), as for SQLite: the same history gives the same
content hash. A namespace is a schema of its own, `hoptrace_<namespace>`: no statement can reach into another by a
forgotten condition, keys and rows are dense in each, and PostgreSQL's own privileges keep other roles out of it.

One writer at a time for each namespace, by an advisory lock that ends with its transaction, so that the ledger is one
order; readers see one snapshot (REPEATABLE READ) and never wait. What was acknowledged survives the server's crash.
What is erased is gone for every reader at once; the bytes stay in dead rows until VACUUM, and in the server's log and
its backups as long as the server keeps those.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import psycopg

from .errors import ConnectionLostError, StorageError
from .postgres_base import PostgresReads
from .postgres_sql import Database, words
from .sql_store import SQLStore
from .store import Capabilities, TextHit

# BM25 with FTS5's constants; a stem that several words of the query share counts as often.
_RANKED = """
WITH term AS (
    SELECT stem, weight, greatest(ln((chunks - held + 0.5) / (held + 0.5)), 1e-6) AS rarity, total.words / chunks AS usual
    FROM (SELECT coalesce((ts_lexize('porter', given))[1], given) AS stem, count(*) AS weight
          FROM unnest(CAST(? AS text[])) AS asked (given) GROUP BY 1) AS query
    CROSS JOIN LATERAL (SELECT CAST(count(*) AS double precision) AS held FROM word WHERE word.stem = query.stem) AS found ON TRUE
    CROSS JOIN (SELECT CAST(chunks AS double precision), CAST(words AS double precision) FROM shown_total) AS total ON chunks > 0)
SELECT chunk.row, score FROM (
    SELECT word.chunk, sum(weight * rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * words / usual))) AS score
    FROM term JOIN word USING (stem) JOIN shown USING (chunk) GROUP BY word.chunk) AS ranked
JOIN chunk ON chunk.row = ranked.chunk ORDER BY score DESC, key LIMIT ?"""


_ENGINE_RULES = {
    "live chunks are not in the full-text index, or others are": "SELECT count(*) FROM (SELECT chunk.row FROM chunk "
    "JOIN source ON source.row = chunk.source WHERE live) AS live FULL JOIN shown ON shown.chunk = live.row "
    "WHERE live.row IS NULL OR shown.chunk IS NULL",
    "chunks have another number of words in the full-text index": "SELECT count(*) FROM (SELECT chunk, sum(times) AS times "
    "FROM word GROUP BY chunk) AS counted FULL JOIN shown USING (chunk) WHERE coalesce(times, 0) != coalesce(words, 0)",
    "totals of the full-text index are wrong": "SELECT count(*) FROM shown_total WHERE (chunks, words) != "
    "(SELECT count(*), coalesce(sum(words), 0) FROM shown)",
}


class PostgresStore(PostgresReads, SQLStore):
    """One namespace of a database. See `kg.store.Store`.

    Args:
        url: `postgresql://user@host/db?namespace=acme`, with whatever other parameters libpq takes.
        read_only: never write; a role that may only SELECT will do.
        create: make the namespace when it is missing.
    """

    capabilities = Capabilities(concurrent_writers=True)

    def __init__(self, url: str, *, read_only: bool = False, create: bool = True) -> None:
        super().__init__(url, read_only=read_only, create=create)
        self._write_db: Database | None = None
        self._turn = threading.Lock()
        kinds = "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'vector'::regclass AND attname = 'data'"
        self._bytes = self._one(kinds)[0] == "bytea"  # else pgvector's type

    @property
    def engine(self) -> str:
        return f"PostgreSQL {self._one('SHOW server_version')[0]}"

    @contextmanager
    def exclusive(self) -> Iterator[Database]:
        if self.read_only:
            raise StorageError(f"{self.place} is open for reading only")
        with self._turn:
            db = self._begun()
            with self.translated(db):
                try:
                    yield db
                except BaseException:
                    with suppress(psycopg.Error):  # a lost connection rolls back by itself
                        db.execute("ROLLBACK")
                    raise
                self._commit(db)

    def _begun(self) -> Database:
        """The writing connection in a new transaction that has the lock; a connection lost before is made anew."""
        for known in (self._write_db, None):
            db = known or self._connect_to_write()
            self._write_db = db
            try:
                with self.translated(db):
                    db.execute("BEGIN")
                    try:
                        self.lock(db)
                    except BaseException:
                        with suppress(psycopg.Error):
                            db.execute("ROLLBACK")
                        raise
                return db
            except ConnectionLostError:
                if known is None:
                    raise
        raise AssertionError("unreachable")

    def _commit(self, db: Database) -> None:
        try:
            db.execute("COMMIT")
        except psycopg.OperationalError as error:
            if not db.raw.closed:
                raise
            reason = "while committing: the ledger says whether it was done"
            raise ConnectionLostError(f"the connection to {self.place} was lost {reason}") from error

    # ---- what differs from SQLite

    def _ranked(self, telling: list[str], k: int) -> list[TextHit]:
        asked = [part for word in telling for part in words(word)]
        return [TextHit(row, score) for row, score in self.query(_RANKED, asked, k)]

    def _packed(self, vector: np.ndarray) -> Any:
        return super()._packed(vector) if self._bytes else vector.tolist()

    def _unpacked(self, data: Any) -> np.ndarray:
        return super()._unpacked(data) if self._bytes else np.fromstring(data[1:-1], dtype=np.float32, sep=",")

    def verify_engine(self) -> Iterator[str]:
        for what, sql in _ENGINE_RULES.items():
            if count := self._one(sql)[0]:
                yield f"{self.place}: {count} {what}"

    def close(self) -> None:
        with self._turn:
            if self._write_db is not None:
                self._write_db.raw.close()
                self._write_db = None
        super().close()
