"""Reading names and triples, and the arrays that derived indexes are built from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32

import numpy as np

from .errors import CorruptionError, InputError, UnknownEntityError
from .model import EVIDENCE, Entity, Literal, Node, Relation, Span, Status, Triple, normalize
from .sql import ALL, ENDS, batches, end_keys, id_of, is_id, key_of, sound
from .sql_document import day
from .sql_text import TextReads
from .sql_write import EPOCH, moment
from .store import Changes, Edges, Marks

_EVIDENCE = "(" + ", ".join(f"'{status.value}'" for status in EVIDENCE) + ")"
_RELATION = "SELECT row, key, label, iri, functional FROM relation"
_TRIPLE = """
SELECT triple.row, triple.key, subject.canon, triple.relation, object.canon, status, retracted, valid_from, valid_to,
       (SELECT min(life.begin) FROM span JOIN life ON life.source = span.source WHERE span.triple = triple.row),
       CASE WHEN NOT triple.live THEN coalesce(
           (SELECT begin FROM retraction WHERE retraction.triple = triple.row AND end IS NULL),
           (SELECT max(life.end) FROM span JOIN life ON life.source = span.source WHERE span.triple = triple.row)) END
FROM triple JOIN node AS subject ON subject.row = triple.subject JOIN node AS object ON object.row = triple.object
"""
_EDGE = "SELECT triple.row, subject, relation, object, valid_from, valid_to FROM triple"
_FEW = 10_000  # edges
_KNOWN = """EXISTS (SELECT 1 FROM span JOIN life ON life.source = span.source
    WHERE span.triple = triple.row AND life.begin <= :at AND (life.end IS NULL OR life.end > :at))
AND NOT EXISTS (SELECT 1 FROM retraction WHERE retraction.triple = triple.row
    AND retraction.begin <= :at AND (retraction.end IS NULL OR retraction.end > :at))"""


def microseconds(when: datetime) -> int:
    """A datetime as stored; a naive one is taken as UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    delta = aware - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


class GraphReads(TextReads):
    """The part of `kg.store.Store` about names, triples and derived indexes."""

    # ---- names

    def nodes(self, rows: Sequence[int] | np.ndarray) -> list[Node]:
        wanted = np.asarray(rows, dtype=np.int64)
        found: dict[int, Node] = {}
        for batch in batches(np.unique(wanted)):
            with sound(self.place):
                found.update(self._nodes(batch))
        if missing := [row for row in wanted.tolist() if row not in found]:
            raise InputError(f"no node in row {missing[0]}")
        return [found[row] for row in wanted.tolist()]

    def labels(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        wanted = np.asarray(rows, dtype=np.int64)
        found: dict[int, str] = {}
        for batch in batches(np.unique(wanted)):
            found.update(
                self.query("SELECT row, label FROM node WHERE row IN (SELECT value FROM json_each(?))", json.dumps(batch))
            )
        if missing := [row for row in wanted.tolist() if row not in found]:
            raise InputError(f"no node in row {missing[0]}")
        return [found[row] for row in wanted.tolist()]

    def _nodes(self, rows: Iterable[int]) -> dict[int, Node]:
        listed = json.dumps(list(rows))
        with self._snapshot() as db:
            names: dict[int, list[str]] = defaultdict(list)
            for row, text in db.execute(
                "SELECT DISTINCT canon, name.text FROM node JOIN name ON name.node = node.row "
                "JOIN source ON source.row = name.source AND source.live "
                "WHERE canon IN (SELECT value FROM json_each(?)) ORDER BY canon, name.text",
                (listed,),
            ):
                names[row].append(text)
            found: dict[int, Node] = {}
            for row, key, kind, label, type_, iri, language in db.execute(
                "SELECT row, key, kind, label, type, iri, language FROM node WHERE row IN (SELECT value FROM json_each(?))",
                (listed,),
            ):
                if kind == "literal":
                    found[row] = Literal(label, type_, language)
                else:
                    aliases = tuple(text for text in names[row] if text != label)
                    found[row] = Entity(id_of("e", key), label, type_, aliases, iri)
        return found

    def entity(self, id_or_label: str) -> Entity:
        if not (row := self._entity_row(id_or_label)):
            near = ", ".join(repr(label) for label in self._near(id_or_label))
            raise UnknownEntityError(f"no entity {id_or_label[:200]!r}" + (f"; near: {near}" if near else ""))
        node = self.nodes([row])[0]
        if not isinstance(node, Entity):
            raise UnknownEntityError(f"{id_or_label!r} is a value, not an entity")
        return node

    def _entity_row(self, id_or_label: str) -> int:
        found = self._one("SELECT canon FROM node WHERE iri = ? AND iri != '' AND kind = 'entity'", id_or_label)
        if not found and is_id(id_or_label):
            found = self._one("SELECT canon FROM node WHERE key = ? AND kind = 'entity'", key_of(id_or_label))
        if not found:
            found = self._one(
                "SELECT canon FROM node JOIN name ON name.node = node.row JOIN source ON source.row = name.source "
                "WHERE name.norm = ? AND source.live GROUP BY canon ORDER BY max(CAST(name.text = ? AS INTEGER)) DESC, "
                "max(CAST(used AS INTEGER)) DESC, "
                "(SELECT count(*) FROM node AS n JOIN triple ON subject = n.row OR object = n.row "
                "WHERE n.canon = node.canon AND triple.live) DESC, min(node.key) LIMIT 1",
                normalize(id_or_label), id_or_label,
            )  # fmt: skip
        return int(found[0]) if found else 0

    def _near(self, label: str, k: int = 3) -> list[str]:
        """Labels a person may have meant, the likeliest first."""
        from rapidfuzz import fuzz, process

        norm = normalize(label[:200])
        found: dict[str, str] = {}
        for start in {norm[:3], norm[:1]}:
            for text, name_norm in self.query(
                "SELECT label, norm FROM node WHERE kind = 'entity' AND live AND norm >= ? AND norm < ? LIMIT 5000",
                start, start + "\U0010ffff",
            ):  # fmt: skip
                found[name_norm] = text
        return [found[norm] for norm, _, _ in process.extract(norm, list(found), scorer=fuzz.ratio, limit=k, score_cutoff=60)]

    def entities(self, *, prefix: str = "", limit: int | None = None) -> Iterator[Entity]:
        norm = normalize(prefix) if prefix.strip() else ""
        rows = self._table(
            "SELECT row FROM node WHERE kind = 'entity' AND live AND canon = row AND norm >= ? AND norm < ? "
            "ORDER BY norm, key LIMIT ?",
            norm, norm + "\U0010ffff", ALL if limit is None else limit, width=1,
        )[:, 0]  # fmt: skip
        for batch in batches(rows):
            found = self._nodes(batch)
            yield from (node for row in batch if isinstance(node := found.get(row), Entity))

    def row_of(self, node_id: str) -> int:
        kind = "literal" if node_id.startswith("l") else "entity"
        found = self._one("SELECT canon FROM node WHERE key = ? AND kind = ?", key_of(node_id), kind)
        if not found:
            raise UnknownEntityError(f"no entity or value {node_id[:200]!r}")
        return int(found[0])

    def alias_rows(self, normalized: str) -> list[int]:
        rows = self.query(
            "SELECT canon FROM name JOIN source ON source.row = name.source JOIN node ON node.row = name.node "
            "WHERE name.norm = ?1 AND source.live UNION "
            "SELECT row FROM node WHERE norm = ?1 AND kind = 'literal' "
            "AND EXISTS (SELECT 1 FROM triple WHERE object = node.row AND triple.live) ORDER BY 1",
            normalized,
        )
        return [row for (row,) in rows]

    def names(self, after: int = 0) -> tuple[list[str], int]:
        with self._snapshot() as db:
            last = int(db.execute("SELECT coalesce(max(row), 0) FROM source").fetchone()[0])
            rows = db.execute("SELECT norm FROM name WHERE source > ?", (after,)).fetchall()
        return sorted({norm for (norm,) in rows}), last

    def marks(self) -> Marks:
        marked = self.query(
            "SELECT key, retracted, mark FROM triple WHERE (retracted OR mark != '') AND EXISTS "
            "(SELECT 1 FROM span JOIN source ON source.row = span.source WHERE span.triple = triple.row AND source.live)"
        )
        linked = self.query(
            "SELECT first, second, same FROM link_mark JOIN node AS a ON a.key = first JOIN node AS b ON b.key = second "
            "WHERE a.live AND b.live"
        )
        return Marks(
            tuple(id_of("t", key) for key, retracted, _ in marked if retracted),
            tuple((id_of("t", key), Status(mark)) for key, _, mark in marked if mark),
            tuple((id_of("e", first), id_of("e", second), bool(same)) for first, second, same in linked),
        )

    def relations(self) -> list[tuple[int, Relation]]:
        return [_relation(fields) for fields in self.query(f"{_RELATION} ORDER BY row")]

    def support(self, entity_id: str) -> dict[str, int]:
        row = self.row_of(entity_id)
        with self._snapshot() as db:
            members = json.dumps([member for (member,) in db.execute("SELECT row FROM node WHERE canon = ?", (row,))])
            within = "IN (SELECT value FROM json_each(?1))"
            counts = {
                "triples": f"SELECT count(*) FROM triple WHERE live AND (subject {within} OR object {within})",
                "mentions": "SELECT count(*) FROM mention JOIN chunk ON chunk.row = mention.chunk "
                f"JOIN source ON source.row = chunk.source WHERE source.live AND node {within}",
                "chunks": f"SELECT count(DISTINCT chunk) FROM ({_ABOUT.format(within=within)}) AS about",
                "sources": f"SELECT count(DISTINCT source) FROM ({_ABOUT.format(within=within)}) AS about",
            }
            return {what: int(db.execute(sql, (members,)).fetchone()[0]) for what, sql in counts.items()}

    def mentions(self, chunk_rows: Sequence[int] | np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        where, args = "", []
        if chunk_rows is not None:
            where, args = "AND chunk.row IN (SELECT value FROM json_each(?))", [json.dumps(np.asarray(chunk_rows).tolist())]
        tables = [
            self._table(
                f"SELECT canon, chunk.row FROM {origin} JOIN source ON source.row = chunk.source "
                f"WHERE source.live AND node.kind = 'entity' {where}",
                *args, width=2,
            )
            for origin in (
                "mention JOIN chunk ON chunk.row = mention.chunk JOIN node ON node.row = mention.node",
                "span JOIN triple ON triple.row = span.triple AND triple.live JOIN chunk ON chunk.row = span.chunk "
                "JOIN node ON node.row = triple.subject",
                "span JOIN triple ON triple.row = span.triple AND triple.live JOIN chunk ON chunk.row = span.chunk "
                "JOIN node ON node.row = triple.object",
            )
        ]  # fmt: skip
        pairs = np.unique(np.concatenate(tables), axis=0)
        return pairs[:, 0], pairs[:, 1]

    # ---- triples

    def triples(
        self,
        subject: str | None = None,
        relation: str | None = None,
        object: str | None = None,
        *,
        source_id: str | None = None,
        valid_at: date | None = None,
        known_at: datetime | None = None,
        evidence_only: bool = False,
    ) -> Iterator[Triple]:
        where, args = ["TRUE"], dict[str, Any]()
        for column, node_id in (("subject", subject), ("object", object)):
            if node_id is not None:
                cluster = "SELECT other.row FROM node JOIN node AS other ON other.canon = node.canon WHERE node.key"
                where.append(f"triple.{column} IN ({cluster} = :{column})")
                args[column] = key_of(node_id)
        if relation is not None:
            where.append("relation = (SELECT row FROM relation WHERE key = :relation)")
            args["relation"] = key_of(relation)
        if source_id is not None:
            where.append("triple.row IN (SELECT triple FROM span WHERE source = (SELECT row FROM source WHERE key = :source))")
            args["source"] = key_of(source_id)
        if valid_at is not None:
            where.append("valid_from <= :day AND valid_to > :day")
            args["day"] = valid_at.toordinal()
        if known_at is not None:
            args["at"] = microseconds(known_at)
        where.append(_KNOWN if known_at is not None else "triple.live")
        if evidence_only:
            where.append(f"status IN {_EVIDENCE}")
        sql = f"SELECT triple.row FROM triple WHERE {' AND '.join(where)} ORDER BY triple.row"
        rows = self._table(sql, args, width=1)[:, 0] if args else self._table(sql, width=1)[:, 0]
        return (triple for batch in batches(rows) for triple in self._triples(batch))

    def triple(self, triple_id: str) -> Triple:
        found = self._one("SELECT row FROM triple WHERE key = ?", key_of(triple_id))
        if not found:
            raise InputError(f"no triple {triple_id!r}")
        return self.triples_at([found[0]])[0]

    def triples_at(self, rows: Sequence[int] | np.ndarray) -> list[Triple]:
        wanted = np.asarray(rows, dtype=np.int64)
        found: list[Triple] = [triple for batch in batches(wanted) for triple in self._triples(batch)]
        if len(found) != len(wanted):
            raise InputError("a triple was erased while it was read")
        return found

    def history(self, entity_id: str) -> list[Triple]:
        rows = self._table(
            "SELECT triple.row FROM triple JOIN node ON node.row = subject WHERE canon = ?1 UNION "
            "SELECT triple.row FROM triple JOIN node ON node.row = object WHERE canon = ?1 ORDER BY 1",
            self.row_of(entity_id), width=1,
        )[:, 0]  # fmt: skip
        oldest = datetime.min.replace(tzinfo=UTC)
        return sorted(self.triples_at(rows), key=lambda triple: triple.recorded_at or oldest)

    def _triples(self, rows: list[int]) -> list[Triple]:
        """Triples in the order of `rows`; rows that are gone are left out."""
        with sound(self.place):
            return self._made_triples(rows)

    def _made_triples(self, rows: list[int]) -> list[Triple]:
        listed = json.dumps(rows)
        with self._snapshot() as db:
            fields = {
                one[0]: one for one in db.execute(f"{_TRIPLE} WHERE triple.row IN (SELECT value FROM json_each(?))", (listed,))
            }
            nodes = self._nodes({node for one in fields.values() for node in (one[2], one[4])})
            used = json.dumps(sorted({one[3] for one in fields.values()}))
            relations = dict(map(_relation, db.execute(f"{_RELATION} WHERE row IN (SELECT value FROM json_each(?))", (used,))))
            spans = self._spans(fields, listed)
        made = {}
        for row, key, subject, relation, object_, status, retracted, begin, end, recorded, until in fields.values():
            head = nodes[subject]
            if not isinstance(head, Entity):
                raise CorruptionError(f"triple {id_of('t', key)} has a value as its subject")
            made[row] = Triple(
                id_of("t", key), head, relations[relation], nodes[object_], tuple(spans[row]),
                Status.RETRACTED if retracted else Status(status), day(begin), day(end),
                moment(recorded) if recorded else None, moment(until) if until else None,
            )  # fmt: skip
        return [made[row] for row in rows if row in made]

    def _spans(self, triples: dict[int, Any], listed: str) -> dict[int, list[Span]]:
        """Spans with their quotes re-read from the chunks; live ones, or historic ones of a triple that has no others."""
        spans: dict[int, list[Span]] = defaultdict(list)
        historic: dict[int, list[Span]] = defaultdict(list)
        rows = self.query(
            "SELECT span.triple, source.key, span.start, span.end, crc, extractor, confidence, graph, source.live, chunk.row, "
            "chunk.key, chunk.start, chunk.end FROM span JOIN source ON source.row = span.source JOIN chunk ON chunk.row = chunk "
            "WHERE span.triple IN (SELECT value FROM json_each(?)) ORDER BY source.uri, span.start, span.end, source.key",
            listed,
        )
        holding = json.dumps(sorted({fields[9] for fields in rows}))
        texts = dict(self.query("SELECT row, text FROM chunk WHERE row IN (SELECT value FROM json_each(?))", holding))
        for triple, source, start, end, crc, extractor, confidence, graph, live, chunk, chunk_key, begin, until in rows:
            source_id = id_of("s", source)
            quote = texts[chunk][start - begin : end - begin] if end <= until else self.text(source_id, start, end)
            if crc32(quote.encode()) != crc:
                raise CorruptionError(f"span {start}-{end} of {source_id} does not show what it was stored with")
            span = Span(source_id, start, end, quote, id_of("c", chunk_key), extractor, confidence, graph)
            (spans if live else historic)[triple].append(span)
        return defaultdict(list, {row: spans.get(row) or historic.get(row, []) for row in triples})

    # ---- derived indexes

    def edges(self, *, known_at: datetime | None = None) -> Edges:
        with self._snapshot():
            if known_at is None:
                return self._edges(f"{_EDGE} WHERE live AND status IN {_EVIDENCE} ORDER BY triple.row")
            where = f"{_KNOWN} AND status IN {_EVIDENCE}"
            return self._edges(f"{_EDGE} WHERE {where} ORDER BY triple.row", {"at": microseconds(known_at)})

    def _edges(self, sql: str, *args: Any) -> Edges:
        table = self._table(sql, *args, width=6)
        if len(table) < _FEW:  # a change: a look at every node of a large graph would be most of the time it takes
            ends = json.dumps(np.unique(table[:, [1, 3]]).tolist())
            few = "SELECT row, canon FROM node WHERE row IN (SELECT value FROM json_each(?)) AND canon != row"
            moved = self._table(few, ends, width=2)
        else:
            moved = self._table("SELECT row, canon FROM node WHERE canon != row", width=2)
        canon = np.arange(int(table[:, [1, 3]].max(initial=0)) + 1, dtype=np.int32)
        moved = moved[moved[:, 0] < len(canon)]
        canon[moved[:, 0]] = moved[:, 1]
        return Edges(
            triple=table[:, 0].copy(),
            subject=canon[table[:, 1]],
            relation=table[:, 2].astype(np.int32),
            object=canon[table[:, 3]],
            valid_from=table[:, 4].astype(np.int32),
            valid_to=table[:, 5].astype(np.int32),
        )

    def changes_since(self, seq: int) -> Changes | None:
        with self._snapshot() as db:
            last = int(db.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()[0])
            if not 0 <= seq <= last:
                return None
            gone = {
                kind: self._table(
                    f"SELECT row FROM {kind} WHERE seq > ?1 UNION SELECT row FROM tombstone WHERE seq > ?1 AND kind = ?2",
                    seq, kind, width=1,
                )[:, 0]
                for kind in ("triple", "chunk")
            }  # fmt: skip
            recent = f"{_EDGE} INDEXED BY triple_seq WHERE seq > ?"  # the planner would rather scan than sort
            edges = self._edges(f"{recent} AND live AND status IN {_EVIDENCE} ORDER BY triple.row", seq)
            new = self._table(
                "SELECT chunk.row FROM chunk INDEXED BY chunk_seq JOIN source ON source.row = source "
                "WHERE seq > ? AND live ORDER BY chunk.row",
                seq, width=1,
            )[:, 0]  # fmt: skip
        return Changes(last, gone["triple"], edges, gone["chunk"], new)

    def ends_since(self, seq: int, *, erased: bool = False) -> frozenset[int]:
        if erased:
            return frozenset(key for (key,) in self.query("SELECT row FROM tombstone WHERE seq > ? AND kind = 'end'", seq))
        return frozenset(end_keys(self.query(ENDS.format(which="triple.seq > ?1"), seq)))


_ABOUT = """SELECT chunk.row AS chunk, chunk.source AS source FROM mention JOIN chunk ON chunk.row = mention.chunk
JOIN source ON source.row = chunk.source WHERE source.live AND node {within}
UNION SELECT span.chunk, span.source FROM triple JOIN span ON span.triple = triple.row JOIN source ON source.row = span.source
WHERE source.live AND triple.live AND (subject {within} OR object {within})"""


def _relation(fields: tuple[int, int, str, str, int]) -> tuple[int, Relation]:
    row, key, label, iri, functional = fields
    return row, Relation(id_of("r", key), label, iri, bool(functional))
