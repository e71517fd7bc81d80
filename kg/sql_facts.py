"""Writes one document's chunks, names, mentions and triples, in batches that a million facts fit through."""

from __future__ import annotations

import gc
import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zlib import crc32

from .errors import InputError
from .grounding import Grounder
from .model import Document, Fact, Literal, Name, Status, frame, framed_key, normalize, stable_id, stable_key
from .resolve import block_of
from .sql import WriteConnection, key_of
from .sql_settle import Settle
from .store import OPEN_END, OPEN_START

_BATCH = 20_000
_BULK = 50_000  # facts
_NORM_LIMIT = 200  # a literal may be megabytes long; nobody looks it up by more than this


@dataclass(slots=True)
class _Node:
    key: int
    frame: str
    row: int = 0


_ALWAYS = (OPEN_START, OPEN_END, frame("", ""))
_Statement = tuple[_Node, int, _Node, int, int]  # subject, relation row, object, first day, first day after


class FactWriter:
    """One `put_document`. New rows are numbered here, so that a whole batch goes in with one statement per table."""

    def __init__(
        self,
        db: WriteConnection,
        seq: int,
        settle: Settle,
        source: int,
        source_id: str,
        document: Document,
        cuts: Sequence[tuple[int, int, str]],
    ) -> None:
        self._db, self._seq, self._settle = db, seq, settle
        self._source, self._source_id, self._document, self._cuts = source, source_id, document, cuts
        self._here = (0, 0, 0)  # start, end and number of the chunk that the last fact stands in
        self._starts = [start for start, _, _ in cuts]
        self._last = {kind: int(row) for kind, row in db.execute("SELECT kind, row FROM last_row")}
        self._first_chunk = self._last["chunk"] + 1
        self._nodes: dict[Name | Literal, _Node] = {}
        self._met: dict[int, _Node] = {}  # by the identity of a name, which costs less than to compare names
        self._fresh: list[tuple[Name | Literal, _Node]] = []
        self._relations: dict[tuple[str, str], tuple[int, str]] = {}
        self._functional = {row for (row,) in db.execute("SELECT row FROM relation WHERE functional")}
        self._names: dict[tuple[int, str, str], bool] = {}
        self._norms: dict[str, str] = {}
        self._shown: dict[int, tuple[str, str]] = {}  # label and type of live nodes; one more use of them changes nothing
        self._grounder = Grounder(document)
        self._sure = Status.AUDITED if document.kind == "human" else Status.GROUNDED

    def write(self) -> None:
        self._write_chunks()
        self._write_mentions()
        with self._bulk():
            facts = iter(self._document.facts)
            while batch := list(islice(facts, _BATCH)):
                self._write_facts(batch)
        self._write_names()
        self._db.executemany("UPDATE last_row SET row = ? WHERE kind = ?", ((row, kind) for kind, row in self._last.items()))

    @contextmanager
    def _bulk(self) -> Iterator[None]:
        """Write a document larger than all before it without looking up from the work.

        Indexes are faster to make afterwards than to keep while inserting, and the collector would walk the millions
        of facts in memory again and again, though nothing here makes cycles: together more than half of the time.
        """
        if len(self._document.facts) <= max(_BULK, self._last["triple"]):
            yield
            return
        collecting = gc.isenabled()
        gc.disable()
        try:
            with self._db.bulk():
                yield
        finally:
            if collecting:
                gc.enable()

    def _write_chunks(self) -> None:
        text, first = self._document.text, self._first_chunk
        pieces = [text[start:end] for start, end, _ in self._cuts]
        self._db.executemany(
            "INSERT INTO chunk (row, key, source, start, end, text, sha256, kind, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    first + i, stable_key(self._source_id, str(start), str(end)), self._source, start, end,
                    piece, hashlib.sha256(piece.encode()).digest(), kind, self._seq,
                )
                for i, ((start, end, kind), piece) in enumerate(zip(self._cuts, pieces))
            ),
        )  # fmt: skip
        self._db.index_text(first, pieces)
        self._last["chunk"] += len(pieces)

    def _write_mentions(self) -> None:
        placed = []
        for mention in self._document.mentions:
            node = self._nodes.get(mention.name) or self._meet(mention.name)
            placed.append((self._first_chunk + self._chunk_at(mention.start), mention.start, mention.end, node))
        self._number_nodes()
        rows = ((chunk, start, end, node.row) for chunk, start, end, node in placed)
        self._db.executemany("INSERT INTO mention VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)

    def _chunk_at(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1

    # ---- triples

    def _write_facts(self, facts: Sequence[Fact]) -> None:
        statements: dict[int, _Statement] = {}
        shown: set[int] = set()
        spans = []
        met, relations, always = self._met, self._relations, _ALWAYS
        for fact in facts:
            subject = met.get(id(fact.subject)) or self._node(fact.subject)
            object_ = met.get(id(fact.object)) or self._node(fact.object)
            relation = relations.get((fact.relation, fact.relation_iri)) or self._relation(fact)
            begin, end, days = always if fact.valid_from is None and fact.valid_to is None else self._days(fact)
            key = framed_key(subject.frame + relation[1] + object_.frame + days)
            statements[key] = (subject, relation[0], object_, begin, end)
            span = self._span(fact)
            spans.append((key, span))
            if span[6]:
                shown.add(key)
        self._number_nodes()
        rows = self._number_triples(statements, shown)
        source = self._source
        self._db.executemany(
            "INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(rows[key], source, *span) for key, span in spans],
        )

    def _node(self, end: Name | Literal) -> _Node:
        """The node of an end of a fact. The document keeps its names in memory, so the next time its place will do."""
        node = self._met[id(end)] = self._nodes.get(end) or self._meet(end)
        return node

    def _number_triples(self, statements: dict[int, _Statement], shown: set[int]) -> dict[int, int]:
        """Give every statement its row, inserting those that the store does not hold; the others are settled at the end."""
        rows = dict(self._known("triple", "key, row", statements))
        self._settle.touch_triples(rows.values())
        row, new, functional = self._last["triple"], [], []
        for key, (subject, relation, object_, begin, end) in statements.items():
            if key not in rows:
                rows[key] = row = row + 1
                status = self._sure if key in shown else Status.PROPOSED
                new.append((row, key, subject.row, relation, object_.row, begin, end, status.value, "", False, True, self._seq))
                if relation in self._functional:
                    functional.append(row)
        self._last["triple"] = row
        self._db.executemany("INSERT INTO triple VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", new)
        self._settle.touch_triples(functional)
        return rows

    def _days(self, fact: Fact) -> tuple[int, int, str]:
        """First day, first day after, and their part of the triple's key."""
        begin, end = fact.valid_from, fact.valid_to
        if begin and end and begin >= end:
            raise InputError(f"{self._document.uri}: a fact about {fact.subject.label!r} ends ({end}) before it begins ({begin})")
        framed = frame(begin.isoformat() if begin else "", end.isoformat() if end else "")
        return begin.toordinal() if begin else OPEN_START, end.toordinal() if end else OPEN_END, framed

    def _span(self, fact: Fact) -> tuple[int, int, str, str, int, int, bool, float]:
        """The columns of table span after triple and source."""
        if not 0.0 <= fact.confidence <= 1.0:
            raise InputError(f"{self._document.uri}: confidence {fact.confidence!r} is not between 0 and 1")
        start, end = fact.start, fact.end
        first, last, at = self._here
        if not first <= start < last:  # facts mostly come in the order of the text
            at = self._chunk_at(start)
            first, last, _ = self._cuts[at]
            self._here = first, last, at
        shown = self._grounder.sure or self._grounder.grounded(fact, first, last)
        crc = crc32(self._document.text[start:end].encode())
        return start, end, fact.extractor, fact.graph, self._first_chunk + at, crc, shown, fact.confidence

    def _relation(self, fact: Fact) -> tuple[int, str]:
        """Row and framed id of a relation that this document had not used before."""
        label, iri = fact.relation, fact.relation_iri
        if not label.strip():
            raise InputError(f"{self._document.uri}: a fact has an empty relation")
        relation_id = stable_id("r", iri or normalize(label))
        key = key_of(relation_id)
        row, shown = self._db.execute("SELECT row, label FROM relation WHERE key = ?", (key,)).fetchone() or (0, label)
        if not row:
            insert = "INSERT INTO relation (key, label, iri, functional) VALUES (?, ?, ?, FALSE) RETURNING row"
            row = int(self._db.execute(insert, (key, label, iri)).fetchone()[0])
        self._db.execute("INSERT INTO relation_name VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (row, self._source, label))
        if shown != label:
            self._db.execute("INSERT INTO touched_relation VALUES (?) ON CONFLICT DO NOTHING", (row,))
        found = self._relations[(label, iri)] = (row, frame(relation_id))
        return found

    # ---- nodes and names

    def _meet(self, end: Name | Literal) -> _Node:
        """The node of a name or literal that this document had not used before; its row is 0 until `_number_nodes`."""
        node_id = self._node_id(end)
        node = self._nodes[end] = _Node(key_of(node_id), frame(node_id))
        self._fresh.append((end, node))
        return node

    def _number_nodes(self) -> None:
        """Give the nodes met since the last time their rows, inserting those that the store does not hold."""
        keys = [node.key for _, node in self._fresh]
        known: dict[int, int] = {}
        for key, row, label, type_, live in self._known("node", "key, row, label, type, live", keys):
            known[key] = row
            self._shown.setdefault(row, (label, type_) if live else ("", ""))
        new, blocks = [], set()
        for end, node in self._fresh:
            key = node.key
            if key not in known:
                known[key] = self._last["node"] = self._last["node"] + 1
                new.append(self._node_row(known[key], key, end))
                blocks.add(new[-1][8])
            node.row = known[key]
            if isinstance(end, Name):
                self._add_names(end, node.row)
        self._fresh.clear()
        self._db.executemany("INSERT INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", new)
        self._settle.dirty(blocks - {""})

    def _node_id(self, end: Name | Literal) -> str:
        if isinstance(end, Literal):
            return end.id
        if not end.label.strip():
            raise InputError(f"{self._document.uri}: an entity has an empty name")
        return stable_id("e", end.iri) if end.iri else stable_id("e", self._norm(end.label), end.type)

    def _node_row(self, row: int, key: int, end: Name | Literal) -> tuple[int, int, str, str, str, str, str, str, str, bool, int]:
        if isinstance(end, Literal):
            norm = normalize(end.value[:_NORM_LIMIT])
            return row, key, "literal", "", end.value, norm, end.datatype, end.language, "", True, row
        norm = self._norm(end.label)
        self._shown[row] = (end.label, end.type)
        return row, key, "entity", end.iri, end.label, norm, end.type, "", block_of(norm), True, row

    def _add_names(self, name: Name, row: int) -> None:
        self._names[(row, name.label, name.type)] = True
        for alias in name.aliases:
            if alias.strip():
                self._names.setdefault((row, alias, name.type), False)
        label, type_ = self._shown[row]
        if name.label != label or name.type not in ("", type_):
            self._settle.touch_nodes([row])  # which label and type are shown is decided at the end

    def _write_names(self) -> None:
        self._db.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
            ((row, self._source, text, type_, self._norm(text), used) for (row, text, type_), used in self._names.items()),
        )

    def _norm(self, text: str) -> str:
        norm = self._norms.get(text)
        if norm is None:
            norm = self._norms[text] = normalize(text)
        return norm

    def _known(self, table: str, columns: str, keys: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        """Columns of the rows that the store already holds."""
        sql = f"SELECT {columns} FROM {table} WHERE key IN (SELECT value FROM json_each(?))"
        return iter(self._db.execute(sql, (json.dumps(list(keys)),)))
