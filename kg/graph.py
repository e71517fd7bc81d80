"""The facade: one object to open, fill, ask, edit and export a knowledge graph.

    with KnowledgeGraph.open("my.kg") as kg:
        kg.ingest(["reports/"])
        kg.add("Orla Vance", "founded", "Brightwater Labs")
        kg.undo()

It holds no knowledge of its own: the store is the truth (`kg.store`), an edit is a ledger entry (`kg.edits`), and the
adjacency follows the store's `seq` (`kg.adjacency`).
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any

from . import edits
from .adjacency import Adjacency, follow, load_adjacency
from .errors import InputError, UnknownEntityError, UnknownRelationError
from .frames import Row, Tabular, rows_of
from .generations import Generations
from .graph_view import GraphView
from .model import Document, Entity, Literal, Name, Node, Relation, Source, Status, Triple, normalize
from .show import Picture, Shown, of_graph
from .statements import fact, literal
from .store import Entry, Store

if TYPE_CHECKING:
    import networkx as nx  # type: ignore[import-untyped]
    import rdflib

    from .ingest.extract import Extractor
    from .ingest.report import IngestReport, ProgressEvent
    from .model import Path as Hops
    from .sparql import SparqlResult

Value = str | bool | int | float | Decimal | date | Entity | Name | Literal

_ID = re.compile(r"[elrt][0-9a-f]{16}")
_PAST_VIEWS = 4


class KnowledgeGraph(Tabular, Shown):
    """A knowledge graph. Make one with `open`; use it from any thread, write from one process at a time.

    Attributes:
        path: the folder; of a shared store the local one that holds what is derived.
        store: the system of record; search reads it directly.
        generations: derived indexes beside it.
        read_only: nothing is written, not even derived indexes.
    """

    def __init__(self, path: Path, store: Store, *, read_only: bool = False) -> None:
        self.path, self.store, self.read_only = path, store, read_only
        self.generations = Generations(path / "derived", read_only=read_only)
        self._guard = threading.Lock()
        self._adjacency: Adjacency | None = None
        self._past: dict[datetime, Adjacency] = {}

    @classmethod
    def open(cls, path: str | Path, *, create: bool = True, read_only: bool = False) -> KnowledgeGraph:
        """Open the graph in a folder or at a `postgresql://` URL, or make an empty one there; see `kg.places`.

        Raises:
            As `kg.places.open_store`.
        """
        from .places import open_store

        folder, store = open_store(path, create=create, read_only=read_only)
        return cls(folder, store, read_only=read_only)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> KnowledgeGraph:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # ---- documents

    def ingest(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        extractor: Extractor | str | None = None,
        dry_run: bool = False,
        strict: bool = False,
        progress: Callable[[ProgressEvent], None] | None = None,
    ) -> IngestReport:
        """Read files and folders into the graph; see `kg.ingest.pipeline.ingest`."""
        from .ingest.pipeline import ingest

        several = [paths] if isinstance(paths, str | Path) else list(paths)
        return ingest(self, several, extractor=extractor, dry_run=dry_run, strict=strict, progress=progress)

    def add_frame(self, frame: Any, name: str) -> Source:
        """Read a table from memory: a pandas or polars frame, anything Arrow, rows. See `kg.ingest.frames.add_frame`."""
        from .ingest.frames import add_frame

        return add_frame(self, frame, name)

    def write_document(self, document: Document, cuts: Sequence[tuple[int, int, str]], *, defer_resolve: bool = False) -> Source:
        """Make `document` the live version of its uri, in one transaction; the same content again changes nothing.

        Args:
            document: text, facts and mentions.
            cuts: `(start, end, kind)` of each chunk; they tile the text.
            defer_resolve: leave entity resolution to a later transaction.

        Raises:
            InputError: cuts do not tile, or an offset lies outside the text.
        """
        return edits.write_document(self.store, document, cuts, defer_resolve=defer_resolve)

    def forget(self, source: str) -> int:
        """Erase a document (id or uri) with all its versions and whatever only it held; returns the number of versions.

        This cannot be undone. Triples, entities and vectors that another source supports stay.

        Raises:
            InputError: no such source; names the nearest uris.
        """
        erased = edits.forget(self.store, source)
        edits.scrub(self.path, {version.uri for version in erased})
        return len(erased)

    # ---- statements

    def add(
        self,
        subject: str | Entity | Name,
        relation: str,
        object: Value,
        *,
        subject_type: str = "",
        object_type: str = "",
        valid_from: date | None = None,
        valid_to: date | None = None,
        note: str = "",
        functional: bool | None = None,
    ) -> Triple:
        """Teach a fact. It becomes a small source of kind `human`, so it can be cited, forgotten and undone.

        Args:
            subject: a name, or the id of a known entity.
            relation: its label.
            object: a name or entity id; a number, bool, date or `Literal` for a value.
            subject_type: type of a subject given by name.
            object_type: type of an object given by name.
            valid_from: first day on which it holds.
            valid_to: first day on which it no longer holds.
            note: where it is known from; kept with the statement.
            functional: say whether `relation` has at most one object at a time.

        Raises:
            InputError: an empty name, a value that is none, or an end before the start.
        """
        stated = fact(self._name(subject, subject_type), relation, self._object(object, object_type), valid_from, valid_to)
        return edits.teach(self.store, stated, note, functional=functional)

    def edit(
        self,
        triple_id: str,
        *,
        subject: str | Entity | Name | None = None,
        relation: str | None = None,
        object: Value | None = None,
        valid_from: date | EllipsisType | None = ...,
        valid_to: date | EllipsisType | None = ...,
        note: str = "",
    ) -> Triple:
        """Correct a fact: the old triple is retracted and the new one taught, in one transaction.

        What is not given stays; `None` for a day opens that end.

        Raises:
            InputError: no such triple, or as for `add`.
            LedgerError: nothing would change.
        """
        old = self.store.triple(triple_id)
        stated = fact(
            self._name(subject or old.subject),
            relation or old.relation.label,
            self._object(old.object if object is None else object),
            old.valid_from if isinstance(valid_from, EllipsisType) else valid_from,
            old.valid_to if isinstance(valid_to, EllipsisType) else valid_to,
            relation_iri="" if relation else old.relation.iri,
        )
        return edits.teach(self.store, stated, note, replacing=triple_id)

    def retract(self, triple_id: str, reason: str = "") -> None:
        """Withdraw a fact whatever supports it; history keeps it.

        Raises:
            InputError: no such triple.
            LedgerError: it is retracted already.
        """
        edits.retract(self.store, self.store.triple(triple_id), reason)

    def audit(self, triple_id: str, status: Status | str | None) -> Triple:
        """Mark a triple with a person's judgement, which outranks the computed status; None removes the mark.

        Raises:
            InputError: no such triple, or no such status.
        """
        if status is not None and status not in tuple(Status):
            raise InputError(f"no status {status!r}; one of {', '.join(Status)}")
        edits.audit(self.store, self.store.triple(triple_id), None if status is None else Status(status))
        return self.store.triple(triple_id)

    def merge(self, first: str, second: str) -> Entity:
        """Say that two entities (ids or labels) are the same; returns the one they now are."""
        one, two = self.entity(first).id, self.entity(second).id
        edits.link(self.store, one, two, True)
        return self.store.entity(one)

    def split(self, first: str, second: str) -> None:
        """Say that two entities (ids, or labels of different entities) are not the same."""
        one, two = (text if _ID.fullmatch(text) else self.entity(text).id for text in (first, second))
        edits.link(self.store, one, two, False)

    def undo(self, seq: int | None = None) -> Entry:
        """Take back the last change that stands, or ledger entry `seq`; returns the entry that did.

        Raises:
            LedgerError: there is none, it cannot be undone (`forget`), or something later changed the same thing.
        """
        return edits.undo(self.store, seq)

    def redo(self) -> Entry:
        """Take back the last undo.

        Raises:
            LedgerError: nothing was undone, or something else was done since.
        """
        return edits.redo(self.store)

    # ---- reading

    def entity(self, name: str) -> Entity:
        """An entity by id, IRI or label.

        Raises:
            UnknownEntityError: names the nearest labels.
        """
        return self.store.entity(name)

    def entities(self, prefix: str = "", limit: int | None = None) -> Iterator[Entity]:
        """Entities whose label starts with `prefix`."""
        return self.store.entities(prefix=prefix, limit=limit)

    def relation(self, name: str) -> Relation:
        """A relation by id, IRI or label.

        Raises:
            UnknownRelationError: names the nearest labels.
        """
        relations = [relation for _, relation in self.store.relations()]
        for found in relations:
            if name in (found.id, found.iri) or normalize(found.label) == normalize(name):
                return found
        near = difflib.get_close_matches(name, [found.label for found in relations], n=3, cutoff=0.4)
        raise UnknownRelationError(f"no relation {name!r}{'; nearest: ' if near else ''}{', '.join(map(repr, near))}")

    def relations(self) -> list[Relation]:
        return [relation for _, relation in self.store.relations()]

    def triples(
        self,
        subject: str | None = None,
        relation: str | None = None,
        object: str | Literal | None = None,
        *,
        source: str | None = None,
        valid_at: date | None = None,
        known_at: datetime | None = None,
        evidence_only: bool = False,
    ) -> Iterator[Triple]:
        """Triples by id or label, None as wildcard; a text that is no entity is looked up as a string literal.

        Raises:
            UnknownEntityError, UnknownRelationError: a name that the graph does not hold.
        """
        return self.store.triples(
            self.entity(subject).id if subject is not None else None,
            self.relation(relation).id if relation is not None else None,
            self._object_id(object) if object is not None else None,
            source_id=source,
            valid_at=valid_at,
            known_at=known_at,
            evidence_only=evidence_only,
        )

    def triple(self, triple_id: str) -> Triple:
        return self.store.triple(triple_id)

    def support(self, entity: str) -> dict[str, int]:
        """How many live triples, mentions, chunks and sources hold an entity."""
        return self.store.support(self.entity(entity).id)

    def history(self, entity: str) -> list[Triple]:
        """Everything ever recorded about an entity and not erased, oldest first."""
        return self.store.history(self.entity(entity).id)

    def sources(self, *, live: bool | None = True) -> Iterator[Source]:
        """Document versions; `live=None` includes superseded ones."""
        return self.store.sources(live=live)

    def text(self, source_id: str, start: int = 0, end: int | None = None) -> str:
        """Characters `[start, end)` of a source."""
        return self.store.text(source_id, start, end)

    def ledger(self, limit: int | None = None) -> list[Entry]:
        """What was done, latest first."""
        return self.store.ledger(limit)

    def as_of(self, day: date | str | None = None, *, known_at: datetime | None = None) -> GraphView:
        """The graph as it holds on a day, and optionally as the store believed it at a time.

        Raises:
            InputError: a text that is no ISO date.
        """
        if isinstance(day, str):
            try:
                day = date.fromisoformat(day)
            except ValueError:
                raise InputError(f"no date {day!r}; YYYY-MM-DD") from None
        return GraphView(self, day, known_at)

    def adjacency(self, known_at: datetime | None = None) -> Adjacency:
        """The graph as integers, in step with the store; with `known_at`, as it was believed then."""
        with self._guard:
            if known_at is None:
                known = self._adjacency
                where = (self.store, self.generations)
                self._adjacency = follow(known, *where) if known else load_adjacency(*where)
                return self._adjacency
            past = self._past.get(known_at)
            if past is None or past.seq != self.store.seq:  # forgetting changes the past too
                seq = self.store.seq
                past = self._past[known_at] = Adjacency.build(self.store.edges(known_at=known_at), seq=seq)
                for stale in list(self._past)[:-_PAST_VIEWS]:
                    del self._past[stale]
            return past

    def _shown(self) -> Picture:
        return of_graph(self.path.name, self.stats(), self.triples())

    # ---- health

    def stats(self) -> dict[str, int]:
        """Counts of what is live: sources, chunks, entities, relations, triples, spans, and triples by status."""
        return self.store.counts()

    def verify(self) -> Iterator[str]:
        """One line for every broken invariant of the store; none when it is sound."""
        return self.store.verify()

    def content_hash(self) -> str:
        """Equal for equal content, whatever the order it came in."""
        return self.store.content_hash()

    # ---- other forms

    def sparql(self, query: str, timeout: float = 10.0) -> SparqlResult:
        """Run a read-only query in a worker process; see `kg.sparql.run`."""
        from .sparql import run

        return run(self, query, timeout=timeout)

    def to_dataset(self) -> rdflib.Dataset:
        """A live, read-only rdflib view."""
        from .rdf import to_dataset

        return to_dataset(self)

    def to_networkx(self) -> nx.MultiDiGraph:
        """A copy as a networkx graph; see `kg.views.to_networkx`."""
        from .views import Facts, to_networkx

        return to_networkx(Facts(self))

    def rows(self) -> Iterator[Row]:
        """Every live statement once for each place that states it."""
        return rows_of(self.store, self.store.triples())

    def export(
        self, path: str | Path, format: str | None = None, *, paths: Iterable[Hops] | None = None, machine: bool = False
    ) -> Path:
        """Write the graph, or the facts on some paths, to a file; the format follows the suffix. See `kg.exports.files`."""
        from .exports.files import export

        return export(self, path, format, paths=paths, machine=machine)

    # ---- names and values

    def _name(self, given: str | Entity | Name, type_: str = "") -> Name:
        if isinstance(given, str):
            if not _ID.fullmatch(given):
                return Name(given.strip(), type_)
            given = self.entity(given)
        return given if isinstance(given, Name) else Name(given.label, given.type, given.iri)

    def _object(self, given: Value | Node, type_: str = "") -> Name | Literal:
        if isinstance(given, str | Entity | Name):
            return self._name(given, type_)
        return given if isinstance(given, Literal) else literal(given)

    def _object_id(self, given: str | Literal) -> str:
        if isinstance(given, Literal) or _ID.fullmatch(given):
            return given.id if isinstance(given, Literal) else given
        try:
            return self.entity(given).id
        except UnknownEntityError:
            value = Literal(given)
            try:
                self.store.row_of(value.id)
            except InputError:
                raise UnknownEntityError(f"nothing is called {given!r}, neither an entity nor a value") from None
            return value.id


__all__ = ["KnowledgeGraph", "Value"]
