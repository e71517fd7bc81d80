"""The contract between a knowledge graph and what keeps it.

A `Store` is the single system of record. Everything is written by a `Writer` inside one transaction, and every
transaction appends one `Entry` to the ledger. What a transaction changed is visible to derived indexes through one
number: each edge and chunk carries the `seq` of the ledger entry that touched it last, so an index built at `seq` n
asks only for `changes_since(n)`.

Rows are the store's own small integers (dense enough to index numpy arrays); ids are the stable strings of
`kg.model`. Search works on rows, people see ids. A row is never used twice.

Liveness, all derived from intervals: a source version is live until it is superseded or forgotten; a span is live
while its source is; a triple is live while it has a live span and nobody has retracted it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

import numpy as np

from .model import Chunk, Document, Entity, Mention, Node, Relation, Source, Span, Status, Triple


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an implementation can do beyond the contract. The conformance suite reads them."""

    full_text: bool = True
    concurrent_readers: bool = True
    concurrent_writers: bool = False
    durable: bool = True


class Edges(NamedTuple):
    """Live, evidence-grade edges as parallel arrays, one entry per triple.

    Endpoints are canonical: a merged entity's edges stand at the entity it was merged into. Days are proleptic
    Gregorian ordinals (`date.toordinal`); an open start is `OPEN_START`, an open end `OPEN_END`.
    """

    triple: np.ndarray  # int64 [n] triple rows
    subject: np.ndarray  # int32 [n] node rows
    relation: np.ndarray  # int32 [n] relation rows
    object: np.ndarray  # int32 [n] node rows
    valid_from: np.ndarray  # int32 [n] day ordinals, inclusive
    valid_to: np.ndarray  # int32 [n] day ordinals, exclusive


OPEN_START, OPEN_END = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened after a given `seq`: rows to take out of an index and what to put in.

    `edges_gone` and `chunks_gone` hold every touched row, also those that `edges` and `chunks_new` bring back.
    """

    seq: int
    edges_gone: np.ndarray  # int64 triple rows
    edges: Edges
    chunks_gone: np.ndarray  # int64 chunk rows
    chunks_new: np.ndarray  # int64 rows of live chunks


@dataclass(frozen=True, slots=True)
class Marks:
    """What people have said about live content, which no source holds; a lossless export writes them beside the sources."""

    retracted: tuple[str, ...]  # triple ids
    statuses: tuple[tuple[str, Status], ...]  # (triple id, audit mark)
    links: tuple[tuple[str, str, bool], ...]  # (entity id, entity id, the same or not)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: what was done, when, and whether and by which entry it was undone."""

    seq: int
    at: datetime
    action: str  # ingest | update | forget | add | edit | retract | merge | split | audit | undo | redo | resolve
    summary: str
    undone_by: int | None = None
    undoable: bool = True


class TextHit(NamedTuple):
    chunk: int  # row
    score: float  # BM25, larger is better


class Writer(Protocol):
    """The open transaction. Leaving the block commits all of it; an exception rolls all of it back."""

    def put_document(self, document: Document, cuts: Sequence[tuple[int, int, str]]) -> Source:
        """Add a document version, superseding the live version of the same uri.

        Args:
            document: text, facts and mentions. Every fact's and mention's offsets must lie inside the text.
            cuts: `(start, end, kind)` of each chunk; they must tile `[0, len(text))`.

        Putting the same bytes and text again (same source id) replaces the facts and mentions of that version and
        makes it live: that is how a document is re-extracted.

        Raises:
            InputError: cuts do not tile, an offset is out of range, a name is empty, or text is not valid Unicode.
        """

    def supersede(self, source_id: str) -> None:
        """End a source version's life; it stays readable for history."""

    def revive(self, source_id: str) -> None:
        """Undo of `supersede`."""

    def erase(self, source_id: str) -> None:
        """Delete a source version, its chunks, spans, mentions, and every triple, entity and ledger text only it held."""

    def set_retracted(self, triple_id: str, retracted: bool) -> None: ...

    def set_status(self, triple_id: str, status: Status | None) -> None:
        """A person's audit mark, which outranks the computed status; None removes the mark."""

    def set_functional(self, relation: str, functional: bool) -> None:
        """Say whether a relation (id or label) has at most one object at a time."""

    def set_link(self, first: str, second: str, same: bool | None) -> None:
        """A person's word that two entities are the same (True), are not (False), or nothing (None: let the rules decide)."""

    def resolve(self) -> int:
        """Run entity resolution on every block that waits for it; returns how many blocks that were.

        Done by itself when the transaction commits, unless it was opened with `defer_resolve`.
        """

    def set_meta(self, key: str, value: str | None) -> None:
        """Keep a small string in the same transaction (None removes it). Not content: no ledger entry is needed."""

    def note(self, action: str, summary: str, payload: dict[str, object], *, undoable: bool = True) -> int:
        """Append the ledger entry of this transaction; returns its seq. Exactly once per transaction.

        Erasing a source blanks the entries of earlier transactions that touched it. The entry of the erasing
        transaction itself is the caller's: write nothing into it that should be forgotten.

        Raises:
            LedgerError: noted twice.
        """

    def mark_undone(self, seq: int, by: int) -> None: ...


class Store(Protocol):
    """System of record. Readers see one committed state; `writing()` is exclusive across processes.

    Every method that takes None for a field treats it as a wildcard. Iterators are lazy and read in batches; each
    batch is one committed state. Reads never see an open transaction, not even their own thread's.

    `Triple.subject`, `Triple.object` and `Mention` nodes are canonical (a merged entity shows as the one it was merged
    into, with all names as aliases), so that hops join; `document()` gives the facts as they were put.
    """

    capabilities: Capabilities

    # ---- writing
    def writing(self, *, defer_resolve: bool = False) -> AbstractContextManager[Writer]:
        """Open the only write transaction.

        Args:
            defer_resolve: leave the touched blocks to a later transaction (bulk ingestion). The list of waiting blocks
                is part of the store, so a killed run can be resumed; see `unresolved`.

        Raises:
            LedgerError: on leaving, when content was changed and `note` was not called.
            LockedError: another process holds it; the message names its pid and since when.
            StorageFullError: no space; everything acknowledged before stays readable.
        """

    # ---- sources, text
    def sources(self, *, uri: str | None = None, live: bool | None = True) -> Iterator[Source]: ...
    def source(self, source_id: str) -> Source:
        """Any version that was not erased. `recorded_at` is when it first went live, `retracted_at` when it last ended.

        Raises:
            InputError: no such source.
        """

    def document(self, source_id: str) -> tuple[Document, list[tuple[int, int, str]]]:
        """The document and cuts of a source, as `put_document` takes them: what a lossless export writes.

        Putting them into an empty store gives the same content again.
        """

    def text(self, source_id: str, start: int = 0, end: int | None = None) -> str:
        """Characters of the extracted text, put together from the chunks that cover them."""

    def chunk(self, chunk_id: str) -> Chunk: ...
    def chunks(
        self, rows: Sequence[int] | np.ndarray | None = None, *, source_id: str | None = None
    ) -> Iterator[tuple[int, Chunk]]:
        """(row, chunk) of live chunks; in the order of `rows` where given."""

    def has_prose(self) -> bool:
        """Whether any live chunk is text and not rows of a table or graph."""

    def search_text(self, query: str, k: int = 10) -> list[TextHit]:
        """BM25 over live chunks. Any string is a valid query; words are matched, never operators."""

    # ---- names
    def nodes(self, rows: Sequence[int] | np.ndarray) -> list[Node]:
        """Nodes in the order of `rows`."""

    def labels(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """Labels alone, in the order of `rows`: what many nodes are called costs a fraction of reading them."""

    def entity(self, id_or_label: str) -> Entity:
        """By id, iri or label (exact, then normalised or alias; the best-supported one where several share it).

        Raises:
            UnknownEntityError: names the nearest labels.
        """

    def entities(self, *, prefix: str = "", limit: int | None = None) -> Iterator[Entity]: ...
    def row_of(self, node_id: str) -> int:
        """Canonical row of an entity or literal id."""

    def alias_rows(self, normalized: str) -> list[int]:
        """Canonical node rows that carry this normalised name or alias."""

    def names(self, after: int = 0) -> tuple[list[str], int]:
        """Normalised names of entities that sources past row `after` gave, each once, and the newest source row.

        Names of superseded versions are among them; `alias_rows` says which still mean something.
        """

    def relations(self) -> list[tuple[int, Relation]]: ...
    def marks(self) -> Marks: ...
    def support(self, entity_id: str) -> dict[str, int]:
        """Counts of live `triples`, `mentions`, `chunks` and `sources` that hold the entity."""

    def mentions(self, chunk_rows: Sequence[int] | np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(node rows, chunk rows), one pair per distinct entity in a live chunk; the passage edges of PageRank."""

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
        """Triples by node id and relation id. `known_at` is answered from history; the default is the live state."""

    def triple(self, triple_id: str) -> Triple: ...
    def triples_at(self, rows: Sequence[int] | np.ndarray) -> list[Triple]:
        """Triples in the order of `rows`, with spans."""

    def history(self, entity_id: str) -> list[Triple]:
        """Every triple about an entity that was ever recorded and not erased, oldest first."""

    # ---- for derived indexes
    @property
    def seq(self) -> int:
        """The last committed ledger number."""

    def edges(self, *, known_at: datetime | None = None) -> Edges:
        """Live evidence, or what was known at a moment; statuses and merges of names are today's in both."""

    def changes_since(self, seq: int) -> Changes | None:
        """None when the past is no longer known that far back: rebuild."""

    def ends_since(self, seq: int, *, erased: bool = False) -> frozenset[int]:
        """`kg.model.end_key` of both ends, under all their names, of every fact that was touched after `seq`.

        With `erased` of those that were erased, of which nothing else is kept; without it of those that still have a history.
        """

    def vectors(self, model: str, chunk_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(found [n] bool, float32 [found, d]) from the vector cache keyed by (model, chunk text hash)."""

    def put_vectors(self, model: str, chunk_rows: np.ndarray, vectors: np.ndarray) -> None:
        """Cache vectors; not a ledger change. Vectors that are not finite are refused (InputError)."""

    # ---- ledger, health
    @property
    def place(self) -> str:
        """Where the store is, as a message names it; never with a password."""

    @property
    def engine(self) -> str:
        """What keeps it, with its version."""

    @property
    def identity(self) -> str:
        """Random id of this store, made when it was created; a derived index of another store does not fit."""

    @property
    def unresolved(self) -> int:
        """Blocks of names that wait for entity resolution."""

    def meta(self, prefix: str = "") -> dict[str, str]:
        """Small strings kept by `Writer.set_meta` whose key starts with `prefix`."""

    def ledger(self, limit: int | None = None) -> list[Entry]: ...
    def payload(self, seq: int) -> dict[str, object]: ...
    def counts(self) -> dict[str, int]:
        """Live `sources`, `chunks`, `entities`, `relations`, `triples`, `spans`, and triples by status (`grounded`, ...)."""

    def content_hash(self) -> str:
        """Order-free hash of the live content (sources, chunks, entities, triples, spans, links); no times, no rows."""

    def verify(self) -> Iterator[str]:
        """One line for every broken invariant: chunk hashes, tiling, spans, orphans, the file itself."""

    def close(self) -> None: ...


__all__ = [
    "OPEN_END",
    "OPEN_START",
    "Capabilities",
    "Changes",
    "Edges",
    "Entry",
    "Marks",
    "Mention",
    "Span",
    "Store",
    "TextHit",
    "Writer",
]
