"""The shared statements (`kg.sql`) as PostgreSQL takes them, and a connection that takes them so."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import psycopg

_PART = re.compile(
    r"(?P<literal>'[^']*')"
    r"|IN \(SELECT value FROM json_each\((?P<list>\?\d?)\)\)"
    r"|(?P<cross>CROSS JOIN)"
    r"|(?P<hint> INDEXED BY \w+)"
    r"|(?P<column>\bend\b)"
    r"|\?(?P<place>\d?)"
    r"|(?<!:):(?P<name>[a-z]+)"
)
_PLAIN = re.compile(r"INSERT INTO (\w+)(?: \(([^)]*)\))? VALUES \(\?(?:, \?)*\)( ON CONFLICT DO NOTHING)?")
_KINDS = """SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = CAST(%s AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_LONGEST = 200  # characters of a word that are looked at
_HEADER, _END = 19, 2  # bytes around the rows of a binary COPY


@lru_cache(maxsize=512)
def translated(sql: str) -> bytes:
    r"""A shared statement in PostgreSQL's words, with psycopg's marks for arguments.

    >>> translated("SELECT start, end FROM span WHERE graph != 'end?' AND source = ?1")
    b'SELECT start, "end" FROM span WHERE graph != \'end?\' AND source = %(p1)s'
    """
    return _PART.sub(_part, sql).encode()


def _part(found: re.Match[str]) -> str:
    if found["literal"]:
        return found[0]
    if found["list"]:
        mark = _mark(found["list"][1:])
        return f"= ANY(ARRAY(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST({mark} AS json))))"
    if found["cross"]:
        return "JOIN"
    if found["hint"]:
        return ""
    if found["column"]:
        return '"end"'
    return f"%({found['name']})s" if found["name"] else _mark(found["place"])


def _mark(place: str) -> str:
    return f"%(p{place})s" if place else "%s"


def _bound(sql: str, args: Any) -> Any:
    """Arguments by name where the statement counts them: one may stand in several places."""
    if args and not isinstance(args, dict) and "?1" in sql:
        return {f"p{place}": value for place, value in enumerate(args, 1)}
    return args or None


class Database:
    """A PostgreSQL connection with the methods of `kg.sql.WriteConnection`.

    Full text is an inverted index in tables, so that a score is BM25 as SQLite's FTS5 counts it: `word` holds how often a
    stem stands in a live chunk, `shown` how many words the chunk has, `shown_total` the sums of that.
    """

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self._kinds: dict[str, dict[str, str]] = {}  # types of the columns of each table

    def execute(self, sql: str, args: Any = (), /) -> psycopg.Cursor[Any]:
        return self.raw.execute(translated(sql), _bound(sql, args))

    def executemany(self, sql: str, rows: Iterable[Any], /) -> None:
        """One statement for many rows; a plain INSERT sends its columns as arrays."""
        listed = list(rows)
        plain = _PLAIN.fullmatch(sql)
        if plain and listed:
            self._insert(plain[1], plain[2] or "", listed, plain[3] or "")
        elif listed:
            with self.raw.cursor() as cursor:
                cursor.executemany(translated(sql), [_bound(sql, row) for row in listed])

    def _insert(self, table: str, named: str, rows: Sequence[Any], otherwise: str = "") -> None:
        kinds = self._kinds.get(table)
        if kinds is None:
            kinds = self._kinds[table] = dict(self.raw.execute(_KINDS, (table,)).fetchall())
        columns = named.split(", ") if named else list(kinds)
        arrays = ", ".join(f"CAST(%s AS {kinds[column]}[])" for column in columns)
        quoted = ", ".join(f'"{column}"' for column in columns)
        sql = f"INSERT INTO {table} ({quoted}) SELECT * FROM unnest({arrays}){otherwise}"
        self.raw.execute(sql.encode(), [list(column) for column in zip(*rows)])

    def table(self, sql: str, args: Any, width: int) -> np.ndarray:
        """The rows of a query of `width` bigint columns as an array, read as PostgreSQL sends them in a binary COPY."""
        query = b"COPY (" + translated(sql) + b") TO STDOUT (FORMAT BINARY)"
        with self.raw.cursor() as cursor, cursor.copy(query, _bound(sql, args)) as copy:
            data = b"".join(copy)
        columns = [(f"{kind}{i}", code) for i in range(width) for kind, code in (("size", ">i4"), ("value", ">i8"))]
        row = np.dtype([("columns", ">i2"), *columns])
        rows = np.frombuffer(data, dtype=row, offset=_HEADER, count=(len(data) - _HEADER - _END) // row.itemsize)
        made = np.empty((len(rows), width), dtype=np.int64)
        for i in range(width):
            made[:, i] = rows[f"value{i}"]
        return made

    # ---- full text

    def index_text(self, first: int, pieces: Sequence[str]) -> None:
        self._index(dict(enumerate(pieces, first)))

    def show_text(self, source: int) -> None:
        self._index(self._texts(source))

    def hide_text(self, source: int) -> None:
        hidden = self._texts(source)
        counted = {row: Counter(words(text)) for row, text in hidden.items()}
        stems = self._stems(counted)
        pairs = [(stems[word], row) for row, found in counted.items() for word in found]
        self.raw.execute(
            "DELETE FROM word USING unnest(CAST(%s AS text[]), CAST(%s AS bigint[])) AS gone (stem, chunk) "
            "WHERE word.stem = gone.stem AND word.chunk = gone.chunk",
            [[stem for stem, _ in pairs], [row for _, row in pairs]],
        )
        self.raw.execute("DELETE FROM shown WHERE chunk = ANY(%s)", (list(hidden),))
        self._count(-len(hidden), -sum(found.total() for found in counted.values()))

    def purge_text(self) -> None:
        """What is deleted is gone for every reader; its bytes are the server's to overwrite (VACUUM)."""

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Indexes stay, readers need them; but the planner must hear of so many rows before they are settled."""
        yield
        self.execute("ANALYZE triple, span, node, source")

    def _texts(self, source: int) -> dict[int, str]:
        return dict(self.raw.execute("SELECT row, text FROM chunk WHERE source = %s", (source,)).fetchall())

    def _index(self, texts: dict[int, str]) -> None:
        counted = {row: Counter(words(text)) for row, text in texts.items()}
        stems = self._stems(counted)
        held: Counter[tuple[str, int]] = Counter()
        for row, found in counted.items():
            for word, times in found.items():
                held[stems[word], row] += times
        self.executemany("INSERT INTO word VALUES (?, ?, ?)", ((stem, row, times) for (stem, row), times in held.items()))
        self.executemany("INSERT INTO shown VALUES (?, ?)", ((row, found.total()) for row, found in counted.items()))
        self._count(len(texts), sum(found.total() for found in counted.values()))

    def _count(self, chunks: int, total: int) -> None:
        self.raw.execute("UPDATE shown_total SET chunks = chunks + %s, words = words + %s", (chunks, total))

    def _stems(self, counted: dict[int, Counter[str]]) -> dict[str, str]:
        distinct = list(set().union(*counted.values()))
        sql = "SELECT word, coalesce((ts_lexize('porter', word))[1], word) FROM unnest(CAST(%s AS text[])) AS given (word)"
        return dict(self.raw.execute(sql, (distinct,)).fetchall())


def words(text: str) -> list[str]:
    """Words as FTS5's `unicode61 remove_diacritics 2` finds them.

    >>> words("Évian's C++ foo_bar")
    ['evian', 's', 'c', 'foo', 'bar']
    """
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")
    return [word[:_LONGEST] for word in _WORD.findall(bare.lower())]


_WORD = re.compile(r"[^\W_]+")
