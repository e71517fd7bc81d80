"""The nouns of hoptrace: frozen values that travel from a file to a citation.

Ids are stable: the same content gets the same id in every store, on every machine. They are a letter and
16 hexadecimal digits (`s` source, `c` chunk, `e` entity, `l` literal, `r` relation, `t` triple).
Offsets are Python string indices (Unicode code points) into the extracted text of a source; the invariant
of the whole system is `source_text[span.start:span.end] == span.quote`.

Four times, as in bitemporal databases (Snodgrass, *Developing Time-Oriented Database Applications in SQL*):
`valid_from`/`valid_to` say when a fact holds in the world (half-open: `valid_to` is the first day on which it no
longer holds), `recorded_at`/`retracted_at` say when the store believed it.
"""

from __future__ import annotations

import enum
import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .show import Picture, Shown, of_paths


def frame(*parts: str) -> str:
    """Parts with their lengths in front, so that no two lists of parts give the same text."""
    return "".join([f"{len(part)}:{part}" for part in parts])


def framed_key(framed: str) -> int:
    """64 bits of BLAKE2b as a signed integer: `framed_key(frame(a) + frame(b))` is `stable_key(a, b)`."""
    digest = hashlib.blake2b(framed.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def stable_key(*parts: str) -> int:
    """The 64 bits behind a content id, as the signed integer that stores keep."""
    return framed_key(frame(*parts))


def stable_id(prefix: str, *parts: str) -> str:
    """A content id: `prefix` and the 16 hex digits of `stable_key(*parts)`."""
    return f"{prefix}{stable_key(*parts) & 0xFFFFFFFFFFFFFFFF:016x}"


ANY = ""  # stands for any relation in an `end_key`


def end_key(node_id: str, relation_id: str, way: int) -> int:
    """64 bits for one end of a fact: a node with a relation (or `ANY`) that leaves it, `way` 1 as subject and -1 as object."""
    return stable_key(node_id, relation_id, str(way))


_SEPARATORS = re.compile(r"[^\w&+#]+")


def normalize(label: str) -> str:
    """The form under which names are compared: NFKD without marks, case-folded, punctuation as single spaces.

    >>> normalize("  Brightwater   Labs, Inc. ")
    'brightwater labs inc'
    >>> normalize("Café_Müller")
    'cafe muller'
    """
    if label.isascii():
        plain = label.lower()
    else:
        plain = unicodedata.normalize("NFKD", label).casefold()
        plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = plain.replace("'s ", " ").replace("_", " ").replace(".", "")
    return _SEPARATORS.sub(" ", plain).strip() or label.strip().casefold()


class Status(enum.StrEnum):
    """How far a triple has been checked. Only `EVIDENCE` statuses may support an answer.

    proposed: extracted, but its span does not show both ends; grounded: it does; audited: a second source or a
    person agrees; disputed: contradicts another fact of a functional relation (both are kept and shown);
    retracted: withdrawn by a person.
    """

    PROPOSED = "proposed"
    GROUNDED = "grounded"
    AUDITED = "audited"
    DISPUTED = "disputed"
    RETRACTED = "retracted"


EVIDENCE = (Status.GROUNDED, Status.AUDITED, Status.DISPUTED)


@dataclass(frozen=True, slots=True)
class Source:
    """One version of one document. `kind` is document, human (a statement taught by a person) or profile (never stored)."""

    id: str
    uri: str
    media_type: str
    sha256: str
    title: str = ""
    kind: str = "document"
    length: int = 0
    recorded_at: datetime | None = None
    retracted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a source's text. The chunks of a source tile it: each starts where the one before ends."""

    id: str
    source_id: str
    start: int
    end: int
    text: str
    sha256: str
    kind: str = "text"  # text: prose, embedded for dense search; records: rows, found by words and by the graph


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of a source's text, with the text that must stand there."""

    source_id: str
    start: int
    end: int
    quote: str
    chunk_id: str = ""
    extractor: str = ""
    confidence: float = 1.0
    graph: str = ""  # the named graph it was stated in, for sources that are RDF datasets


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing with a name. `type` is "" when unknown; `iri` is set for things that came from RDF."""

    id: str
    label: str
    type: str = ""
    aliases: tuple[str, ...] = ()
    iri: str = ""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value. `datatype` is an XSD local name (string, integer, decimal, date, gYear, boolean) or a full IRI."""

    value: str
    datatype: str = "string"
    language: str = ""

    @property
    def id(self) -> str:
        return stable_id("l", self.value, self.datatype, self.language)

    @property
    def label(self) -> str:
        return self.value


Node = Entity | Literal


@dataclass(frozen=True, slots=True)
class Relation:
    """A named, directed kind of link. `functional`: at most one object at a time (a ship has one flag)."""

    id: str
    label: str
    iri: str = ""
    functional: bool = False


@dataclass(frozen=True, slots=True)
class Triple:
    """A fact: subject, relation, object, and where, when and how it is known."""

    id: str
    subject: Entity
    relation: Relation
    object: Node
    spans: tuple[Span, ...] = ()
    status: Status = Status.PROPOSED
    valid_from: date | None = None
    valid_to: date | None = None
    recorded_at: datetime | None = None
    retracted_at: datetime | None = None

    @property
    def confidence(self) -> float:
        """The best extractor confidence among its spans, 0 to 1."""
        return max((span.confidence for span in self.spans), default=0.0)

    def holds_on(self, day: date) -> bool:
        """Whether the fact is valid on `day`; an open end is unbounded."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    def __str__(self) -> str:
        return f"{self.subject.label} — {self.relation.label} → {self.object.label}"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step along a triple. `direction` is 1 from subject to object, -1 from object to subject."""

    triple: Triple
    direction: int = 1

    @property
    def start(self) -> Node:
        return self.triple.subject if self.direction == 1 else self.triple.object

    @property
    def end(self) -> Node:
        return self.triple.object if self.direction == 1 else self.triple.subject

    def to_dict(self) -> dict[str, Any]:
        """Names, direction and triple id: what JSON output and pictures show of a hop."""
        return {
            "subject": self.triple.subject.label,
            "relation": self.triple.relation.label,
            "object": self.triple.object.label,
            "direction": self.direction,
            "triple_id": self.triple.id,
        }


@dataclass(frozen=True, slots=True)
class Path(Shown):
    """Hops that join end to start, with the score and the parts that make it up."""

    hops: tuple[Hop, ...]
    score: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def start(self) -> Node:
        return self.hops[0].start

    @property
    def end(self) -> Node:
        return self.hops[-1].end

    def __str__(self) -> str:
        text = self.start.label
        for hop in self.hops:
            text += f" —{hop.triple.relation.label}→ " if hop.direction == 1 else f" ←{hop.triple.relation.label}— "
            text += hop.end.label
        return text

    def to_dict(self) -> dict[str, Any]:
        return {"hops": [hop.to_dict() for hop in self.hops]}

    def _shown(self) -> Picture:
        return of_paths([self])


# ---- what loaders and extractors hand to the store -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """An entity as a text names it; the store turns it into an `Entity`."""

    label: str
    type: str = ""
    iri: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A triple as found in a text: `text[start:end]` is its evidence (a sentence, a row, a statement)."""

    subject: Name
    relation: str
    object: Name | Literal
    start: int
    end: int
    extractor: str = "rules"
    confidence: float = 1.0
    valid_from: date | None = None
    valid_to: date | None = None
    relation_iri: str = ""
    graph: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity named at `text[start:end]`."""

    name: Name
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded file (or one record of it) before chunking and extraction.

    `sha256` is that of the raw bytes it came from; `text` is what offsets point into. `records` says that the text
    is rows of a table or graph and not prose: the text extractor leaves it alone and `facts` are already there.
    """

    uri: str
    media_type: str
    text: str
    sha256: str
    title: str = ""
    kind: str = "document"
    records: bool = False
    facts: tuple[Fact, ...] = ()
    mentions: tuple[Mention, ...] = ()


def text_hash(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
