"""What the SQL stores share: how ids become keys, and what a connection must offer to whoever reads and writes.

    sql_text         sources, chunks, words       sql_write    the open transaction: what is put and taken away
    sql_graph        names, triples, edges        sql_facts    one document's rows, in batches
    sql_document     a source as it was put       sql_settle   what is derived: orphans, labels, merges
    sql_store        ledger, counts, vectors      sql_status   what is derived: liveness, status, disputes
    sql_check        content hash, verify

Their statements are written once, for SQLite and PostgreSQL: `?`, `?1` and `:name` stand for arguments, a list of
integers comes as JSON into `IN (SELECT value FROM json_each(?))`, truth is TRUE and FALSE, an upsert is ON CONFLICT.
`CROSS JOIN ... ON` and `INDEXED BY` tell SQLite's planner which way to go; PostgreSQL (`kg.postgres_sql`) finds its own.
What no wording has in common, the full-text index and how a large document is loaded, is a method of the connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np

from .errors import CorruptionError
from .model import ANY, end_key

ALL = 2**63 - 1  # a LIMIT that limits nothing
# Kind and key of each entity or value that a fact is about, all names of a merged one, with the relation and the way to walk it.
ENDS = " UNION ".join(
    f"SELECT other.kind, other.key, relation.key, {way} FROM triple JOIN relation ON relation.row = triple.relation "
    f"JOIN node ON node.row = triple.{end} JOIN node AS other ON other.canon = node.canon WHERE {{which}}"
    for end, way in (("subject", 1), ("object", -1))
)
_PREFIXES = frozenset("scelrt")


class Cursor(Protocol):
    """Rows as tuples; `fetchone` and `fetchall` as in the DB-API."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What reads need."""

    def execute(self, sql: str, args: Any = ..., /) -> Cursor: ...
    def executemany(self, sql: str, rows: Any, /) -> Any: ...


class WriteConnection(Connection, Protocol):
    """What an open transaction needs beyond statements."""

    def index_text(self, first: int, pieces: Sequence[str]) -> None:
        """Make chunks `first`, `first + 1`, ... with these texts findable by their words."""

    def show_text(self, source: int) -> None:
        """Make the chunks of a source row findable again."""

    def hide_text(self, source: int) -> None:
        """Take the chunks of a live source row out of the full-text index."""

    def purge_text(self) -> None:
        """Leave nothing in the full-text index of the words that were hidden."""

    def bulk(self) -> AbstractContextManager[None]:
        """A stretch in which more triples and spans are added than there are."""


class Reads:
    """Reading from one place, whatever engine keeps it."""

    read_only: bool

    @property
    def place(self) -> str:
        """See `kg.store.Store`."""
        raise NotImplementedError

    def _snapshot(self) -> AbstractContextManager[Connection]:
        """Several statements on one committed state; nests."""
        raise NotImplementedError

    def query(self, sql: str, *args: Any) -> list[Any]:
        """All rows of a reading statement."""
        raise NotImplementedError

    def _one(self, sql: str, *args: Any) -> Any:
        """The first row of a reading statement, or None."""
        raise NotImplementedError

    def _table(self, sql: str, *args: Any, width: int) -> np.ndarray:
        """An integer query as an int64 array [n, width], read in blocks so that a million rows stay small."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def key_of(stable: str) -> int:
    """The 64 bits of a stable id as the signed integer that is stored; 0 for text of another form.

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
def sound(place: str) -> Iterator[None]:
    """Reading rows into values: what Python cannot make of a stored value is damage, not a bug of the caller."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise CorruptionError(f"{place} is damaged: it holds a value that cannot be ({reason})") from error


def batches(rows: np.ndarray, size: int = 512) -> Iterator[list[int]]:
    """`rows` as lists of at most `size` Python integers."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size].tolist()
