"""What kind of thing a node is, as far as the graph says, and whether that is the kind a question asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import Entity, Literal, Node, normalize
from .question import CONTAINMENT_NOUNS, DATE, NUMBER, ORGANIZATION, PERSON, PLACE, PRODUCT, TYPE_NOUNS, WORK
from .wordings import IS_A, lexicon

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph

MATCH, COARSE, UNKNOWN, CONFLICT = 1.0, 0.85, 0.5, 0.0
_KEPT = 50_000  # nodes, and facts
_YEAR = re.compile(r"[12]\d{3}")
_DATED = re.compile(r"\b[12]\d{3}\b")


class NodeTypes:
    """Type look-ups in one state of a graph, each node read once.

    Args:
        kg: the graph.
        adjacency: its edges.
        cased: whether names in this graph are capitalised, so that "container maker" is no company.
    """

    def __init__(self, kg: KnowledgeGraph, adjacency: Adjacency, *, cased: bool = False) -> None:
        self.kg, self.adjacency, self.cased = kg, adjacency, cased
        self._is_a = {row for row, relation in kg.store.relations() if lexicon().family(relation.label)[0].name == IS_A}
        self._known: dict[int, tuple[Node, frozenset[str]]] = {}
        self._dated: dict[int, bool] = {}

    def node(self, row: int) -> Node:
        """The node at a row."""
        return self._look(row)[0]

    def words(self, row: int) -> frozenset[str]:
        """Words that say what a node is: its type, its classes ("is a"), and type nouns in its name."""
        return self._look(row)[1]

    def _look(self, row: int) -> tuple[Node, frozenset[str]]:
        if (known := self._known.get(row)) is None:
            node = self.kg.store.nodes([row])[0]
            words: set[str] = set()
            if isinstance(node, Entity):
                words.update(normalize(node.type).split() if node.type else ())
                words.update(w for w in normalize(node.label).split()[1:] if w in TYPE_NOUNS)
                words.update(self._classes(row))
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[row] = node, frozenset(words)
        return known

    def dated(self, triples: list[int]) -> list[bool]:
        """Whether facts carry a day, by their rows."""
        if len(self._dated) >= _KEPT:
            self._dated = {}
        known = self._dated
        if new := [row for row in triples if row not in known]:
            known.update(zip(new, (bool(t.valid_from or t.valid_to) for t in self.kg.store.triples_at(new)), strict=True))
        return [known[row] for row in triples]

    def _classes(self, row: int) -> set[str]:
        groups = self.adjacency.groups(np.array([row], np.int32))
        mask = np.isin(groups.relation, list(self._is_a)) & (groups.direction == 1)
        if not mask.any():
            return set()
        edges = self.adjacency.edges(groups.take(mask), limit=8)
        return {word for node in self.kg.store.nodes(edges.neighbor) for word in normalize(node.label).split()}

    def fit(self, row: int, wanted: str, noun: str, implied: str = "") -> float:
        """How well a node is of the wanted kind: MATCH, COARSE, UNKNOWN or CONFLICT.

        Args:
            row: the node.
            wanted: coarse type, "agent" for a person or an organization, "" for anything.
            noun: the very noun asked for ("country"), "" for none.
            implied: coarse type that the last hop promises, used where the graph says nothing.
        """
        if not wanted:
            return COARSE
        node, words = self._look(row)
        if wanted in {DATE, NUMBER}:
            return _fit_value(node, wanted)
        if self.cased and node.label.islower():
            return CONFLICT
        if isinstance(node, Literal):
            return UNKNOWN if node.datatype == "string" else CONFLICT
        if noun and noun in words:
            return MATCH
        coarse = {TYPE_NOUNS.get(w, w) for w in words} & {PERSON, ORGANIZATION, PLACE, WORK, PRODUCT, "event"}
        if noun in CONTAINMENT_NOUNS and words & CONTAINMENT_NOUNS:
            return CONFLICT
        accepted = {PERSON, ORGANIZATION} if wanted == "agent" else {wanted}
        if wanted == PLACE and not noun:
            accepted.add(ORGANIZATION)  # "where does X work" asks for a firm
        if coarse:
            return COARSE if coarse & accepted else CONFLICT
        if implied:
            return COARSE if implied in accepted else CONFLICT
        return UNKNOWN


def _fit_value(node: Node, wanted: str) -> float:
    if isinstance(node, Entity) and not _YEAR.fullmatch(node.label):
        return CONFLICT
    datatype = node.datatype if isinstance(node, Literal) else "gYear"
    if wanted == DATE:
        if datatype in {"date", "gYear", "gYearMonth", "dateTime"}:
            return MATCH
        return COARSE if _DATED.search(node.label) else CONFLICT
    if datatype in {"integer", "decimal", "double", "float"}:
        return MATCH
    return COARSE if any(c.isdigit() for c in node.label) and datatype == "string" else CONFLICT


__all__ = ["COARSE", "CONFLICT", "MATCH", "UNKNOWN", "NodeTypes"]
