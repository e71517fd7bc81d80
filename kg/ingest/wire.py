"""Documents as JSON values, to carry them between this process and its sandbox children."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from ..model import Document, Fact, Literal, Mention, Name

Findings = tuple[tuple[Fact, ...], tuple[Mention, ...]]


def pack(document: Document) -> list[Any]:
    """A document as nested lists; `unpack` is its inverse."""
    d = document
    return [d.uri, d.media_type, d.text, d.sha256, d.title, d.kind, d.records, *pack_findings((d.facts, d.mentions))]


def unpack(packed: list[Any]) -> Document:
    """The document that `pack` was given."""
    uri, media_type, text, sha256, title, kind, records, *findings = packed
    return Document(uri, media_type, text, sha256, title, kind, records, *unpack_findings(findings))


def pack_findings(findings: Findings) -> list[Any]:
    """Facts and mentions as nested lists."""
    facts, mentions = findings
    return [[_fact(fact) for fact in facts], [[_name(m.name), m.start, m.end] for m in mentions]]


def unpack_findings(packed: Iterable[Any]) -> Findings:
    """The facts and mentions that `pack_findings` was given."""
    facts, mentions = packed
    return tuple(map(_to_fact, facts)), tuple(Mention(_to_name(name), start, end) for name, start, end in mentions)


def _name(name: Name) -> list[Any]:
    return [name.label, name.type, name.iri, name.aliases]


def _to_name(packed: list[Any]) -> Name:
    label, type, iri, aliases = packed
    return Name(label, type, iri, tuple(aliases))


def _fact(fact: Fact) -> list[Any]:
    node = fact.object
    return [
        _name(fact.subject),
        fact.relation,
        _name(node) if isinstance(node, Name) else [node.value, node.datatype, node.language],
        fact.start,
        fact.end,
        fact.extractor,
        fact.confidence,
        fact.valid_from and fact.valid_from.isoformat(),
        fact.valid_to and fact.valid_to.isoformat(),
        fact.relation_iri,
        fact.graph,
    ]


def _to_fact(packed: list[Any]) -> Fact:
    subject, relation, node, start, end, extractor, confidence, valid_from, valid_to, iri, graph = packed
    return Fact(
        _to_name(subject),
        relation,
        _to_name(node) if len(node) == 4 else Literal(*node),
        start,
        end,
        extractor,
        confidence,
        date.fromisoformat(valid_from) if valid_from else None,
        date.fromisoformat(valid_to) if valid_to else None,
        iri,
        graph,
    )
