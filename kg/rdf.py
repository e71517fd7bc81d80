"""RDF in: a file becomes a `Document` whose facts keep their IRIs and point at the statements they came from.

Turtle, TriG, N-Triples and N-Quads are read by this package (`rdf_turtle`, `rdf_nquads`) because they can be cited to the
statement; RDF/XML and JSON-LD through rdflib (`rdf_foreign`). Nothing is ever fetched. RDF out is in `rdf_export`, a live
`rdflib.Dataset` in `rdf_dataset`, which is re-exported here.

Every triple of the file becomes a fact, names and types included, so nothing is lost. A node's label is its
`rdfs:label`, `skos:prefLabel`, `foaf:name` or `schema:name` in the file, English or untagged before others, else its local
name spelt out (`worksFor` is "works for"). Blank nodes get labels that are the same whenever the same file is read and
different in different files.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from .errors import MissingPathError, ParseError, UnsupportedFormatError
from .model import Document, Fact, Literal, Name, stable_id
from .rdf_restore import documents, is_export, restore
from .rdf_terms import RDF, RDFS, Blank, Iri, Statement, Term, is_absolute
from .rdf_vocabulary import MINTED

if TYPE_CHECKING:
    import rdflib

    from .graph import KnowledgeGraph

MEDIA_TYPES = {
    ".ttl": "text/turtle",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".trig": "application/trig",
    ".jsonld": "application/ld+json",
    ".rdf": "application/rdf+xml",
    ".owl": "application/rdf+xml",
}

_SKOS, _FOAF = "http://www.w3.org/2004/02/skos/core#", "http://xmlns.com/foaf/0.1/"
_LABELS = (RDFS + "label", _SKOS + "prefLabel", _FOAF + "name", "http://schema.org/name", "https://schema.org/name")
_ALIASES = (_SKOS + "altLabel", "http://schema.org/alternateName", "https://schema.org/alternateName")
_RANK = {predicate: rank for rank, predicate in enumerate((*_LABELS, *_ALIASES))}
_OWL = "http://www.w3.org/2002/07/owl#"
_VACUOUS = (_OWL + "NamedIndividual", _OWL + "Thing", RDFS + "Resource")  # types that tell nothing


def load(path: Path, uri: str) -> Iterator[Document]:
    """Read an RDF file: one document of records, or the sources it holds where hoptrace itself exported it.

    Args:
        path: a `.ttl`, `.nt`, `.nq`, `.trig`, `.jsonld`, `.rdf` or `.owl` file.
        uri: the document's uri; also the base of relative IRIs.

    Raises:
        MissingPathError: no such file.
        UnsupportedFormatError: another suffix.
        ParseError: broken, or it needs something from outside the file; carries the line where known.
    """
    raw, text = _read(path, uri)
    suffix = path.suffix.lower()
    statements = list(_statements(suffix, raw, text, uri))
    if suffix in (".nq", ".trig") and is_export(statements):
        yield from documents(statements, uri)
        return
    facts = tuple(_facts(statements, uri))
    digest = hashlib.sha256(raw).hexdigest()
    yield Document(uri, MEDIA_TYPES[suffix], text, digest, title=path.stem, records=True, facts=facts)


def read_statements(path: Path, uri: str) -> Iterable[Statement]:
    """The statements of an RDF file with the characters that state them; errors as for `load`."""
    return _statements(path.suffix.lower(), *_read(path, uri), uri)


def _read(path: Path, uri: str) -> tuple[bytes, str]:
    if path.suffix.lower() not in MEDIA_TYPES:
        raise UnsupportedFormatError(f"{path.name}: not an RDF suffix; accepted: {' '.join(MEDIA_TYPES)}")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise MissingPathError(f"no such file: {path}") from None
    return raw, _decode(raw, uri)


def base_iri(uri: str) -> str:
    """What relative references in a file are resolved against: its uri, made absolute without naming this machine."""
    return uri if is_absolute(uri) else "file:///" + quote(uri.lstrip("/"))


def _decode(raw: bytes, uri: str) -> str:
    encoding = "utf-8-sig"
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([A-Za-z0-9._-]+)", raw)
    if declared:
        encoding = declared[1].decode("ascii")
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    try:
        return raw.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ParseError(f"not {error.encoding}: byte {raw[error.start]:#04x}", uri=uri, line=line) from None
    except LookupError:
        raise ParseError(f"unknown encoding {encoding}", uri=uri, line=1) from None


def _statements(suffix: str, raw: bytes, text: str, uri: str) -> Iterable[Statement]:
    if suffix in (".nt", ".nq"):
        from . import rdf_nquads

        return rdf_nquads.statements(text, quads=suffix == ".nq", uri=uri)
    if suffix in (".ttl", ".trig"):
        from . import rdf_turtle

        return rdf_turtle.statements(text, base=base_iri(uri), graphs=suffix == ".trig", uri=uri)
    from . import rdf_foreign

    if suffix == ".jsonld":
        return rdf_foreign.json_statements(text, base=base_iri(uri), uri=uri)
    return rdf_foreign.xml_statements(raw, text, base=base_iri(uri), uri=uri)


# ---- from statements to facts -----------------------------------------------------------------------------------


def readable(iri: str) -> str:
    """The local name of an IRI in words.

    >>> readable("http://example.org/ns#worksFor"), readable("http://example.org/Brightwater_Labs")
    ('works For', 'Brightwater Labs')
    """
    local = unquote(re.split(r"[/#]", iri.rstrip("/#"))[-1]).split(":")[-1]
    local = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", local).replace("_", " ")
    return " ".join(local.split()) or iri


def _facts(statements: list[Statement], uri: str) -> Iterator[Fact]:
    names = _Names(statements, uri)
    for statement in statements:
        target = statement.object
        yield Fact(
            subject=names.name(statement.subject),
            relation=names.relation(statement.predicate),
            object=target if isinstance(target, Literal) else names.name(target),
            start=statement.start,
            end=statement.end,
            extractor="rdf",
            relation_iri="" if statement.predicate.startswith(MINTED) else statement.predicate,
            graph=names.iri(statement.graph) if statement.graph is not None else "",
        )


class _Names:
    """The names of one file's nodes, each made once."""

    def __init__(self, statements: list[Statement], uri: str) -> None:
        self._scope = stable_id("b", uri)[:9]  # a letter first, for RDF/XML
        self._made: dict[Term, Name] = {}
        self._relations: dict[Iri, str] = {}
        self._types: dict[Term, str] = {}
        self._labels: defaultdict[Term, list[tuple[tuple[bool, bool, int], str]]] = defaultdict(list)
        for subject, predicate, target, *_ in statements:
            if predicate in _RANK and isinstance(target, Literal) and target.value.strip():
                foreign = target.language.split("-")[0] not in ("", "en")
                rank = (predicate in _ALIASES, foreign, _RANK[predicate])
                self._labels[subject].append((rank, " ".join(target.value.split())))
            elif predicate == RDF + "type" and isinstance(target, Iri) and target not in _VACUOUS:
                self._types.setdefault(subject, target)

    def iri(self, term: Iri | Blank) -> str:
        """The IRI, or a blank node's label with this file's mark in it."""
        return f"_:{self._scope}-{term}" if isinstance(term, Blank) else term

    def name(self, term: Iri | Blank) -> Name:
        found = self._made.get(term)
        if found is None:
            labels = self._ranked(term)
            label = labels[0] if labels else f"_:{term.lstrip('-')}" if isinstance(term, Blank) else readable(term)
            aliases = tuple(dict.fromkeys(other for other in labels if other != label))
            iri = "" if term.startswith(MINTED) else self.iri(term)  # minted by an export: a plain name again
            found = self._made[term] = Name(label, self._type(term), iri, aliases)
        return found

    def _ranked(self, term: Term) -> list[str]:
        """Names before aliases, English or untagged before other languages, else in the order of the file."""
        return [label for _, label in sorted(self._labels.get(term, ()), key=lambda item: item[0])]

    def _type(self, term: Term) -> str:
        kind = self._types.get(term, "")
        return readable(kind).lower() if kind else ""

    def relation(self, predicate: Iri) -> str:
        found = self._relations.get(predicate)
        if found is None:
            found = self._relations[predicate] = next(iter(self._ranked(predicate)), readable(predicate).lower())
        return found


def to_dataset(kg: KnowledgeGraph) -> rdflib.Dataset:
    """The live graph as an `rdflib.Dataset` that cannot be written to; see `rdf_dataset`."""
    from .rdf_dataset import to_dataset as view

    return view(kg)


__all__ = ["MEDIA_TYPES", "base_iri", "load", "read_statements", "readable", "restore", "to_dataset"]
