"""Knowledge cards: what the graph says of one entity, in the few words that tell it from its namesakes.

After CardRewriter: a query of the long tail is rewritten with the help of a compact card of what it may be about. Here a
card is read from the graph alone, so it holds no word that the graph does not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import Entity, normalize
from ..kg.store import OPEN_END, OPEN_START
from .wordings import Family, lexicon, stems

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph

_RELATIONS = 5
_NEIGHBOURS = 5
_READ = 200  # neighbours whose names are read


@dataclass(frozen=True, slots=True)
class KnowledgeCard:
    """An entity in short.

    Attributes:
        id: the entity's.
        label, aliases, type: as the graph has them.
        relations: labels of its most distinctive relations: held often here and seldom elsewhere.
        neighbours: names beside it that share a word with the question.
        first, last: earliest start and latest last day of its facts, None where none is dated.
        triples: ids of the facts that the relations and neighbours were read from.
    """

    id: str
    label: str
    aliases: tuple[str, ...]
    type: str
    relations: tuple[str, ...]
    neighbours: tuple[str, ...]
    first: date | None
    last: date | None
    triples: tuple[str, ...]

    def wordings(self) -> tuple[str, ...]:
        """How people ask for its relations, from the lexicon; a relation outside it is asked for by its label."""
        families: list[Family] = [lexicon().family(label)[0] for label in self.relations]
        return tuple(w for f in families for w in (*f.verbs, *f.subject_nouns, *f.object_nouns) or (f.name,))

    def terms(self) -> frozenset[str]:
        """Normalised words of all names on the card."""
        names = (self.label, *self.aliases, self.type, *self.relations, *self.neighbours)
        return frozenset(word for name in names for word in normalize(name).split())


def card(kg: KnowledgeGraph, row: int, question_words: Collection[str] = ()) -> KnowledgeCard:
    """The card of the entity at a node row.

    Args:
        kg: the graph.
        row: of an entity.
        question_words: neighbours that share a stem with one of them are named.

    Raises:
        UnknownEntityError: no node stands at the row.
    """
    (node,) = kg.store.nodes([row])
    adjacency, at = kg.adjacency(), np.array([row], np.int32)
    labels = {number: relation.label for number, relation in kg.store.relations()}
    groups, edges = adjacency.expand(at, limit=_READ)
    everywhere = np.bincount(adjacency.group_key >> 1, np.diff(adjacency.group_start), minlength=len(groups.relation) + 1)
    here = np.bincount(groups.relation, groups.count, minlength=len(everywhere))
    chosen = sorted({*groups.relation.tolist()}, key=lambda r: (-here[r] / everywhere[r], labels[r]))[:_RELATIONS]
    proof = [int(edges.triple[np.argmax(groups.relation[edges.group] == relation)]) for relation in chosen]
    echoes: dict[str, int] = {}
    asked = {*stems(" ".join(question_words))}
    for neighbour, triple in zip(kg.store.nodes(edges.neighbor[:_READ]), edges.triple[:_READ].tolist()):
        if asked & {*stems(neighbour.label)} and len(echoes) < _NEIGHBOURS:
            echoes.setdefault(neighbour.label, triple)
    first, last = _days(adjacency, at)
    return KnowledgeCard(
        id=node.id,
        label=node.label,
        aliases=node.aliases if isinstance(node, Entity) else (),
        type=node.type if isinstance(node, Entity) else "",
        relations=tuple(labels[relation] for relation in chosen),
        neighbours=tuple(echoes),
        first=first,
        last=last,
        triples=tuple(triple.id for triple in kg.store.triples_at([*dict.fromkeys([*proof, *echoes.values()])])),
    )


def _days(adjacency: Adjacency, nodes: np.ndarray) -> tuple[date | None, date | None]:
    """First and last day that bounds a fact of the nodes."""
    if not len(adjacency.valid_from):
        return None, None
    at = adjacency.positions(nodes)
    starts, ends = adjacency.valid_from[at], adjacency.valid_to[at]
    starts, ends = starts[starts > OPEN_START], ends[ends < OPEN_END]
    first = date.fromordinal(int(starts.min())) if len(starts) else None
    return first, date.fromordinal(int(ends.max()) - 1) if len(ends) else None


__all__ = ["KnowledgeCard", "card"]
