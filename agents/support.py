"""How well an answer is supported: by how many sources of their own, and whether another source says otherwise.

A poisoned or mistaken document is not recognised by its words. What can be shown is that nobody else says the same, or that
somebody says something else; the reader decides, and `KnowledgeGraph.quarantine` and `forget` take a source out. Two sources
that hold the same file, or the same sentence word by word, count as one: copying adds no witness.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kg.conflicts import overlap
from ..kg.model import Hop, Path, Triple, normalize

if TYPE_CHECKING:
    from datetime import date

    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph

ALONE, TORN = "single source", "sources disagree"
USUAL = 0.9  # share of things with one value in a source from which a second value is a contradiction
FEWEST = 10  # things with a relation, below which nothing is usual
_LOOKED = 50  # facts about one thing that are compared
_SAMPLED = 100  # things by which a relation is judged


@dataclass(frozen=True, slots=True)
class Conflict:
    """A fact of the answer and one that another source states in its place."""

    said: str
    other: str
    sources: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """What stands behind an answer.

    Attributes:
        sources: independent sources of the hop that has the fewest; 0 where nothing is cited.
        marks: "single source", "sources disagree".
        conflicts: what other sources say.
    """

    sources: int = 0
    marks: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        conflicts = [
            {"said": one.said, "other": one.other, "sources": list(one.sources), "against": list(one.against)}
            for one in self.conflicts
        ]
        return {"sources": self.sources, "marks": list(self.marks), "conflicts": conflicts}


NOBODY = Support()


class Witnesses:
    """Counts the sources behind answers over one graph.

    Args:
        kg: the graph.
    """

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self._seen = -1
        self._codes: dict[str, int] = {}  # relation rows by id
        self._single: dict[int, bool] = {}  # by 2 * relation + (1 when backwards)

    def behind(self, paths: Sequence[Path], adjacency: Adjacency) -> Support:
        """What stands behind the paths of an answer; none where it has none.

        Args:
            paths: of the answer.
            adjacency: of the graph as it was searched.
        """
        hops = list({(hop.triple.id, hop.direction): hop for path in paths for hop in path.hops}.values())
        cited = [hop for hop in hops if hop.triple.spans]
        if not cited:
            return NOBODY
        counts = [len(independent(self.kg, hop.triple)) for hop in cited]
        conflicts = tuple(self._conflicts(cited, adjacency))
        torn = bool(conflicts) or any(hop.triple.status == "disputed" for hop in cited)
        marks = [*([ALONE] if min(counts) == 1 else []), *([TORN] if torn else [])]
        return Support(min(counts), tuple(marks), conflicts)

    def _conflicts(self, hops: Sequence[Hop], adjacency: Adjacency) -> Iterable[Conflict]:
        if self._seen != adjacency.seq:
            self._codes = {relation.id: row for row, relation in self.kg.store.relations()}
            self._seen, self._single = adjacency.seq, {}
        for hop in hops:
            triple, row = hop.triple, self._codes.get(hop.triple.relation.id)
            if row is None or not (triple.relation.functional or self._has_one(2 * row + (hop.direction < 0), adjacency)):
                continue
            for other in self._beside(hop):
                yield Conflict(str(triple), str(other), independent(self.kg, triple), independent(self.kg, other))

    def _beside(self, hop: Hop) -> list[Triple]:
        """Live facts at the same time that give the thing where the hop starts another value of the relation."""
        triple = hop.triple
        start = (triple.subject.id, None) if hop.direction > 0 else (None, triple.object.id)
        found = islice(self.kg.store.triples(start[0], triple.relation.id, start[1], evidence_only=True), _LOOKED)
        others = [other for other in found if other.id != triple.id and overlap(_days(other), _days(triple))]
        return [other for other in others if not _shared(other, triple)]

    def _has_one(self, code: int, adjacency: Adjacency) -> bool:
        """Whether a source that gives a thing this relation gives it one value, nearly always; read off a sample of things.

        It is counted by source, so that a source which contradicts all others does not make contradicting usual.
        """
        if code not in self._single:
            groups = np.flatnonzero(adjacency.group_key == code)
            groups = groups[:: len(groups) // _SAMPLED + 1]
            at = [np.arange(*adjacency.group_start[[group, group + 1]])[:_LOOKED] for group in groups]
            values: dict[tuple[int, str], set[str]] = {}
            for group, edges in zip(groups.tolist(), at):
                for triple in self.kg.store.triples_at(adjacency.triple[edges]):
                    for span in triple.spans:
                        value = triple.subject.id if code & 1 else triple.object.id
                        values.setdefault((group, span.source_id), set()).add(value)
            once = sum(len(some) == 1 for some in values.values())
            self._single[code] = len(groups) >= FEWEST and once >= USUAL * len(values)
        return self._single[code]


def independent(kg: KnowledgeGraph, triple: Triple) -> tuple[str, ...]:
    """URIs of the sources that state a fact, one for each that does not copy another."""
    seen: set[str] = set()
    found = []
    for span in triple.spans:
        source = kg.store.source(span.source_id)
        marks = {source.sha256, normalize(span.quote)}
        if seen.isdisjoint(marks) and source.uri not in found:
            found.append(source.uri)
        seen |= marks
    return tuple(found)


def _shared(first: Triple, second: Triple) -> bool:
    """Whether one source states both: a list of values is no contradiction."""
    return not {span.source_id for span in first.spans}.isdisjoint(span.source_id for span in second.spans)


def _days(triple: Triple) -> tuple[date | None, date | None]:
    return triple.valid_from, triple.valid_to


__all__ = ["ALONE", "NOBODY", "TORN", "Conflict", "Support", "Witnesses", "independent"]
