"""A stored source as the `Document` that was put: names as this source uses them, facts and mentions at their offsets."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from .errors import CorruptionError
from .model import Document, Fact, Literal, Mention, Name, Source
from .sql import Connection, key_of
from .store import OPEN_END, OPEN_START

_FACTS = """
SELECT subject, relation, object, start, end, extractor, confidence, valid_from, valid_to, graph
FROM span JOIN triple ON triple.row = span.triple WHERE span.source = ? ORDER BY start, end, triple.row, extractor, graph
"""


def day(ordinal: int) -> date | None:
    """The date of a stored day; None for an open end."""
    return None if ordinal in (OPEN_START, OPEN_END) else date.fromordinal(ordinal)


def restore(db: Connection, source: Source, text: str) -> tuple[Document, list[tuple[int, int, str]]]:
    """The document and its cuts; putting them into an empty store gives the same content."""
    row, records = db.execute("SELECT row, records FROM source WHERE key = ?", (key_of(source.id),)).fetchone()
    cuts = list(db.execute("SELECT start, end, kind FROM chunk WHERE source = ? ORDER BY start", (row,)))
    nodes = _Nodes(db, row)
    facts = [_fact(nodes, fields) for fields in db.execute(_FACTS, (row,)).fetchall()]
    mentions = [
        Mention(name, start, end)
        for start, end, node in db.execute(
            "SELECT mention.start, mention.end, node FROM mention JOIN chunk ON chunk.row = mention.chunk "
            "WHERE source = ? ORDER BY mention.start, mention.end, node",
            (row,),
        ).fetchall()
        if isinstance(name := nodes.use(node), Name)
    ]
    document = Document(
        source.uri, source.media_type, text, source.sha256, source.title, source.kind, bool(records),
        tuple(facts), tuple(mentions),
    )  # fmt: skip
    return document, cuts


def _fact(nodes: _Nodes, fields: Any) -> Fact:
    subject, relation, object_, start, end, extractor, confidence, begin, until, graph = fields
    head, (label, iri) = nodes.use(subject), nodes.relation(relation)
    if isinstance(head, Literal):
        raise CorruptionError(f"span {start}-{end} has a value as its subject")
    return Fact(head, label, nodes.use(object_), start, end, extractor, confidence, day(begin), day(until), iri, graph)


class _Nodes:
    """Names of nodes as one source uses them. Several labels of one node take turns, so that each is used again."""

    def __init__(self, db: Connection, source: int) -> None:
        self._db, self._source = db, source
        self._made: dict[int, list[Name] | Literal] = {}
        self._turn: dict[int, int] = defaultdict(int)
        self._relations: dict[int, list[tuple[str, str]]] = {}

    def use(self, row: int) -> Name | Literal:
        made = self._made.get(row)
        if made is None:
            made = self._made[row] = self._make(row)
        if isinstance(made, Literal):
            return made
        self._turn[row] += 1
        return made[(self._turn[row] - 1) % len(made)]

    def _make(self, row: int) -> list[Name] | Literal:
        kind, iri, label, type_, language = self._db.execute(
            "SELECT kind, iri, label, type, language FROM node WHERE row = ?", (row,)
        ).fetchone()
        if kind == "literal":
            return Literal(label, type_, language)
        names: list[Any] = self._db.execute(
            "SELECT text, type, used FROM name WHERE node = ? AND source = ? ORDER BY text, type", (row, self._source)
        ).fetchall()
        labels = [(text, type_) for text, type_, used in names if used]
        aliases: dict[str, list[str]] = defaultdict(list)
        for text, type_, used in names:
            if not used:
                aliases[type_].append(text)
        return [Name(text, type_, iri, tuple(aliases.get(type_, ()))) for text, type_ in labels]

    def relation(self, row: int) -> tuple[str, str]:
        """Label and IRI, several labels taking turns."""
        if row not in self._relations:
            self._relations[row] = self._db.execute(
                "SELECT text, iri FROM relation_name JOIN relation ON relation.row = relation WHERE relation = ? AND source = ? "
                "ORDER BY text",
                (row, self._source),
            ).fetchall()
        known = self._relations[row]
        self._turn[-row] += 1
        return known[(self._turn[-row] - 1) % len(known)]
