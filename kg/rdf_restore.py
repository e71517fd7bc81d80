"""Reading hoptrace's own exports back into the sources they were made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ParseError
from .model import Document, Fact, Literal, Mention, Name, Status, normalize, stable_id, text_hash
from .rdf_terms import RDF, RDFS, Iri, Statement, Term
from .rdf_vocabulary import ID, METADATA, MINTED, ht

if TYPE_CHECKING:
    from .graph import KnowledgeGraph
    from .store import Writer

Cuts = list[tuple[int, int, str]]
_LABEL, _TYPE = Iri(RDFS + "label"), Iri(RDF + "type")


def is_export(statements: Iterable[Statement]) -> bool:
    """Whether a dataset was written by `rdf_export`: its metadata graph describes a source."""
    return any(s.graph == METADATA and s.predicate == _TYPE and s.object == ht("Source") for s in statements)


def documents(statements: Iterable[Statement], uri: str) -> Iterator[Document]:
    """The documents that an export was made from.

    Raises:
        ParseError: something is missing, or a quoted text is not what stands at its offsets.
    """
    return (document for document, _ in _Metadata(statements, uri).sources())


def restore(kg: KnowledgeGraph, path: Path) -> int:
    """Read a `.nq` or `.trig` export into a graph in one transaction; returns how many sources it held.

    Unlike ingesting the file this also keeps the chunk borders and what people have said (functional relations, audits,
    retractions, merges), so an empty graph ends with the `content_hash` of the exported one. Times of recording are those of
    the new graph.

    Raises:
        ParseError: not an export of hoptrace, or a broken one.
    """
    from .rdf import read_statements

    metadata = _Metadata(read_statements(path, str(path)), str(path))
    sources = list(metadata.sources())
    if not sources:
        raise ParseError("holds no hoptrace source; use ingest for other RDF files", uri=str(path))
    with kg.store.writing() as writer:
        for document, cuts in sources:
            writer.put_document(document, cuts)
        metadata.mark(writer)
        writer.note("ingest", f"restored {len(sources)} sources from {path.name}", {}, undoable=False)
    return len(sources)


class _Metadata:
    """The metadata graph of an export, by node and property."""

    def __init__(self, statements: Iterable[Statement], uri: str) -> None:
        self.uri = uri
        self._values: defaultdict[Term, dict[str, list[Term]]] = defaultdict(dict)
        self._kinds: defaultdict[Term, list[Term]] = defaultdict(list)
        self._parts: defaultdict[tuple[Term, Term], list[Term]] = defaultdict(list)
        self._names: dict[Term, Name] = {}
        for s in statements:
            if s.graph == METADATA:
                if s.predicate == _TYPE:
                    self._kinds[s.object].append(s.subject)
                self._values[s.subject].setdefault(s.predicate, []).append(s.object)
        for kind in ("Chunk", "Fact", "Mention"):
            for node in self._kinds[ht(kind)]:
                self._parts[ht(kind), self._one(node, ht("source"))].append(node)

    def sources(self) -> Iterator[tuple[Document, Cuts]]:
        for node in self._kinds[ht("Source")]:
            pieces = sorted(
                (self._int(chunk, "start"), self._int(chunk, "end"), self._text(chunk, "text"), self._text(chunk, "kind"))
                for chunk in self._parts[ht("Chunk"), node]
            )
            text = "".join(piece for _, _, piece, _ in pieces)
            document = Document(
                uri=self._text(node, "uri"),
                media_type=self._text(node, "mediaType"),
                text=text,
                sha256=self._text(node, "sha256"),
                title=self._text(node, "title"),
                kind=self._text(node, "kind"),
                records=self._text(node, "records") == "true",
                facts=tuple(self._fact(fact, text) for fact in self._parts[ht("Fact"), node]),
                mentions=tuple(self._mention(mention) for mention in self._parts[ht("Mention"), node]),
            )
            if node != ID + stable_id("s", document.uri, document.sha256, text_hash(text)):
                raise self._broken(node, "its text, uri and hash are not those it was exported with")
            yield document, [(start, end, kind) for start, end, _, kind in pieces]

    def mark(self, writer: Writer) -> None:
        """Say again what people had said."""
        for node, values in self._values.items():
            local = node.removeprefix(ID) if isinstance(node, Iri) else ""
            if ht("functional") in values and self._text(node, "functional") == "true":
                writer.set_functional(self._relation_id(node), True)
            if ht("mark") in values:
                writer.set_status(local, self._status(node))
            if ht("retracted") in values:
                writer.set_retracted(local, True)
            for predicate, same in ((ht("sameAs"), True), (ht("differentFrom"), False)):
                for other in values.get(predicate, ()):
                    if isinstance(other, Iri):
                        writer.set_link(local, other.removeprefix(ID), same)

    def _relation_id(self, node: Term) -> str:
        plain = not isinstance(node, Iri) or node.startswith(MINTED)
        return stable_id("r", normalize(self._label(node)) if plain else str(node))

    def _status(self, node: Term) -> Status:
        text = self._text(node, "mark")
        try:
            return Status(text)
        except ValueError:
            raise self._broken(node, f"{text!r} is not a status") from None

    def _fact(self, node: Term, text: str) -> Fact:
        target = self._one(node, ht("object"))
        start, end = self._int(node, "start"), self._int(node, "end")
        if text[start:end] != self._text(node, "quote"):
            raise self._broken(node, f"its quote does not stand at {start} to {end} of its source")
        return Fact(
            subject=self._name(self._one(node, ht("subject"))),
            relation=self._text(node, "relation"),
            object=target if isinstance(target, Literal) else self._name(target),
            start=start,
            end=end,
            extractor=self._text(node, "extractor"),
            confidence=self._number(node, "confidence"),
            valid_from=self._day(node, "validFrom"),
            valid_to=self._day(node, "validTo"),
            relation_iri=self._text(node, "relationIri"),
            graph=self._text(node, "graph"),
        )

    def _mention(self, node: Term) -> Mention:
        return Mention(self._name(self._one(node, ht("name"))), self._int(node, "start"), self._int(node, "end"))

    def _name(self, node: Term) -> Name:
        if node not in self._names:
            values = self._values[node]
            aliases = tuple(alias.value for alias in values.get(ht("alias"), ()) if isinstance(alias, Literal))
            self._names[node] = Name(self._label(node), self._text(node, "type"), self._text(node, "iri"), aliases)
        return self._names[node]

    # ---- values
    def _one(self, node: Term, predicate: Iri) -> Term:
        found = self._values[node].get(predicate)
        if not found:
            raise self._broken(node, f"<{predicate}> is missing")
        return found[0]

    def _label(self, node: Term) -> str:
        label = self._one(node, _LABEL)
        if not isinstance(label, Literal):
            raise self._broken(node, "its label is not a text")
        return label.value

    def _text(self, node: Term, local: str) -> str:
        """A text property; one that is absent is empty, since empty ones are not written."""
        found = self._values[node].get(ht(local))
        return found[0].value if found and isinstance(found[0], Literal) else ""

    def _int(self, node: Term, local: str) -> int:
        return int(self._number(node, local))

    def _number(self, node: Term, local: str) -> float:
        text = self._text(node, local)
        try:
            return float(text)
        except ValueError:
            raise self._broken(node, f"{local} {text!r} is not a number") from None

    def _day(self, node: Term, local: str) -> date | None:
        text = self._text(node, local)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise self._broken(node, f"{local} {text!r} is not a date") from None

    def _broken(self, node: Term, reason: str) -> ParseError:
        shown = node.value if isinstance(node, Literal) else node
        return ParseError(f"{shown.removeprefix(ID)}: {reason}", uri=self.uri)
