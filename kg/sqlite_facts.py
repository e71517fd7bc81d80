"""Writes one document's chunks, names, mentions and triples, in batches that a million facts fit through."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from zlib import crc32

from .errors import InputError
from .grounding import Grounder
from .model import Document, Fact, Literal, Name, Status, normalize, stable_id
from .resolve import block_of
from .sqlite_base import key_of
from .sqlite_settle import Settle
from .store import OPEN_END, OPEN_START

_BATCH = 20_000
_NORM_LIMIT = 200  # a literal may be megabytes long; nobody looks it up by more than this


class FactWriter:
    """One `put_document`. New rows are numbered here, so that a whole batch goes in with one statement per table."""

    def __init__(
        self,
        db: sqlite3.Connection,
        seq: int,
        settle: Settle,
        source: int,
        source_id: str,
        document: Document,
        cuts: Sequence[tuple[int, int, str]],
    ) -> None:
        self._db, self._seq, self._settle = db, seq, settle
        self._source, self._source_id, self._document, self._cuts = source, source_id, document, cuts
        self._starts = [start for start, _, _ in cuts]
        self._first_chunk = self._next_row("chunk")
        self._nodes: dict[Name | Literal, tuple[int, str]] = {}
        self._relations: dict[tuple[str, str], tuple[int, str]] = {}
        self._functional = {row for (row,) in db.execute("SELECT row FROM relation WHERE functional")}
        self._names: dict[tuple[int, str, str], bool] = {}
        self._shown: dict[int, tuple[str, str]] = {}  # label and type of live nodes; one more use of them changes nothing
        self._grounder = Grounder(document)

    def write(self) -> None:
        self._write_chunks()
        self._write_mentions()
        facts = iter(self._document.facts)
        while batch := list(islice(facts, _BATCH)):
            self._write_facts(batch)
        self._write_names()

    def _next_row(self, table: str) -> int:
        found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return int(found[0]) + 1 if found else 1

    def _write_chunks(self) -> None:
        text, first = self._document.text, self._first_chunk
        pieces = [text[start:end] for start, end, _ in self._cuts]
        self._db.executemany(
            "INSERT INTO chunk (row, key, source, start, end, text, sha256, kind, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    first + i, key_of(stable_id("c", self._source_id, str(start), str(end))), self._source, start, end,
                    piece, hashlib.sha256(piece.encode()).digest(), kind, self._seq,
                )
                for i, ((start, end, kind), piece) in enumerate(zip(self._cuts, pieces))
            ),
        )  # fmt: skip
        self._db.executemany("INSERT INTO fts (rowid, text) VALUES (?, ?)", enumerate(pieces, first))

    def _write_mentions(self) -> None:
        mentions = self._document.mentions
        self._number_nodes({mention.name: None for mention in mentions})
        self._db.executemany(
            "INSERT OR IGNORE INTO mention VALUES (?, ?, ?, ?)",
            (
                (self._first_chunk + self._chunk_at(mention.start), mention.start, mention.end, self._nodes[mention.name][0])
                for mention in mentions
            ),
        )

    def _chunk_at(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1

    # ---- triples

    def _write_facts(self, facts: Sequence[Fact]) -> None:
        self._number_nodes({end: None for fact in facts for end in (fact.subject, fact.object)})
        grounded: dict[int, bool] = {}
        triples: dict[int, tuple[int, int, int, int, int]] = {}
        spans = []
        for fact in facts:
            key, triple = self._triple(fact)
            span, shown = self._span(fact)
            triples[key] = triple
            grounded[key] = grounded.get(key, False) or shown
            spans.append((key, *span))
        known = self._known("triple", triples)
        row = self._next_row("triple")
        new = []
        for key, (subject, relation, object_, begin, end) in triples.items():
            if key not in known:
                known[key] = row
                new.append((row, key, subject, relation, object_, begin, end, self._status(grounded[key]), self._seq))
                if relation in self._functional:
                    self._settle.touch_triples([row])
                row += 1
            else:
                self._settle.touch_triples([known[key]])
        self._db.executemany("INSERT INTO triple VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, 1, ?)", new)
        self._db.executemany(
            "INSERT OR IGNORE INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((known[key], self._source, *span) for key, *span in spans),
        )

    def _triple(self, fact: Fact) -> tuple[int, tuple[int, int, int, int, int]]:
        subject, subject_id = self._nodes[fact.subject]
        object_, object_id = self._nodes[fact.object]
        relation, relation_id = self._relation(fact.relation, fact.relation_iri)
        begin, end = fact.valid_from, fact.valid_to
        if begin and end and begin >= end:
            raise InputError(f"{self._document.uri}: a fact about {fact.subject.label!r} ends ({end}) before it begins ({begin})")
        key = key_of(
            stable_id(
                "t", subject_id, relation_id, object_id, begin.isoformat() if begin else "", end.isoformat() if end else ""
            )
        )
        days = (begin.toordinal() if begin else OPEN_START, end.toordinal() if end else OPEN_END)
        return key, (subject, relation, object_, *days)

    def _span(self, fact: Fact) -> tuple[tuple[int, int, str, str, int, int, bool, float], bool]:
        if not 0.0 <= fact.confidence <= 1.0:
            raise InputError(f"{self._document.uri}: confidence {fact.confidence!r} is not between 0 and 1")
        at = self._chunk_at(fact.start)
        shown = self._grounder.grounded(fact, self._cuts[at][0], self._cuts[at][1])
        crc = crc32(self._document.text[fact.start : fact.end].encode())
        chunk = self._first_chunk + at
        return (fact.start, fact.end, fact.extractor, fact.graph, chunk, crc, shown, fact.confidence), shown

    def _status(self, grounded: bool) -> str:
        """The status of a triple that only this document states; a triple with more than one is settled at the end."""
        if self._document.kind == "human":
            return Status.AUDITED.value
        return Status.GROUNDED.value if grounded else Status.PROPOSED.value

    def _relation(self, label: str, iri: str) -> tuple[int, str]:
        found = self._relations.get((label, iri))
        if found is None:
            if not label.strip():
                raise InputError(f"{self._document.uri}: a fact has an empty relation")
            relation_id = stable_id("r", iri or normalize(label))
            key = key_of(relation_id)
            row, shown = self._db.execute("SELECT row, label FROM relation WHERE key = ?", (key,)).fetchone() or (0, label)
            if not row:
                insert = "INSERT INTO relation (key, label, iri, functional) VALUES (?, ?, ?, 0)"
                row = int(self._db.execute(insert, (key, label, iri)).lastrowid or 0)
            self._db.execute("INSERT OR IGNORE INTO relation_name VALUES (?, ?, ?)", (row, self._source, label))
            if shown != label:
                self._db.execute("INSERT OR IGNORE INTO touched_relation VALUES (?)", (row,))
            found = self._relations[(label, iri)] = (row, relation_id)
        return found

    # ---- nodes and names

    def _number_nodes(self, ends: Iterable[Name | Literal]) -> None:
        """Give every name and literal its row, inserting those that the store does not hold."""
        fresh = [end for end in ends if end not in self._nodes]
        ids = [self._node_id(end) for end in fresh]
        keys = [key_of(node_id) for node_id in ids]
        known = self._known("node", keys)
        row, new, blocks = self._next_row("node"), [], set()
        for end, node_id, key in zip(fresh, ids, keys):
            if key not in known:
                known[key] = row
                new.append(self._node_row(row, key, end))
                blocks.add(new[-1][8])
                row += 1
            self._nodes[end] = (known[key], node_id)
            if isinstance(end, Name):
                self._add_names(end, known[key])
        self._db.executemany("INSERT INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)", new)
        self._settle.dirty(blocks - {""})

    def _node_id(self, end: Name | Literal) -> str:
        if isinstance(end, Literal):
            return end.id
        if not end.label.strip():
            raise InputError(f"{self._document.uri}: an entity has an empty name")
        return stable_id("e", end.iri) if end.iri else stable_id("e", normalize(end.label), end.type)

    def _node_row(self, row: int, key: int, end: Name | Literal) -> tuple[int, int, str, str, str, str, str, str, str, int]:
        if isinstance(end, Literal):
            norm = normalize(end.value[:_NORM_LIMIT])
            return row, key, "literal", "", end.value, norm, end.datatype, end.language, "", row
        norm = normalize(end.label)
        self._shown[row] = (end.label, end.type)
        return row, key, "entity", end.iri, end.label, norm, end.type, "", block_of(norm), row

    def _add_names(self, name: Name, row: int) -> None:
        self._names[(row, name.label, name.type)] = True
        for alias in name.aliases:
            if alias.strip():
                self._names.setdefault((row, alias, name.type), False)
        if row not in self._shown:
            found = self._db.execute("SELECT label, type, live FROM node WHERE row = ?", (row,)).fetchone()
            self._shown[row] = found[:2] if found[2] else ("", "")
        label, type_ = self._shown[row]
        if name.label != label or name.type not in ("", type_):
            self._settle.touch_nodes([row])  # which label and type are shown is decided at the end

    def _write_names(self) -> None:
        self._db.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
            ((row, self._source, text, type_, normalize(text), used) for (row, text, type_), used in self._names.items()),
        )

    def _known(self, table: str, keys: Iterable[int] | Mapping[int, object]) -> dict[int, int]:
        """Rows of the keys that the store already holds."""
        sql = f"SELECT key, row FROM {table} WHERE key IN (SELECT value FROM json_each(?))"
        return dict(self._db.execute(sql, (json.dumps(list(keys)),)))
