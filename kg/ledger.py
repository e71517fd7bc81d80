"""What has been said about a fact since: the veto on anything that learned the facts of a graph at one moment.

A model that has learned a graph goes on to say what it learned. `FactLedger` tells, from what the store keeps, whether a question
still rests on the same facts: after KnowEdit (Zhang et al. 2024, arXiv 2401.01286), the scope of an edit is its subject under
all its names, the relation walked either way, and what is reached over it (a two-hop question whose middle changed). Nothing is
compared: a fact that was so much as confirmed since counts as touched, because the safe side costs one look into the graph.

    ledger = FactLedger(kg)
    ledger.stale({vance.id}, {(founded.id, 1)}, since=41)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from .errors import UnknownEntityError
from .model import ANY, end_key

if TYPE_CHECKING:
    from .graph import KnowledgeGraph

HOPS = 2
Walk = tuple[str, int]  # a relation id and 1 (subject to object) or -1


class FactLedger:
    """What was changed or erased in a graph after a ledger number.

    Args:
        kg: the graph.
    """

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self._known: dict[bool, tuple[int, int, frozenset[int]]] = {}

    def stale(self, subjects: Iterable[str], walks: Collection[Walk] | None, since: int, *, hops: int = HOPS) -> bool:
        """Whether a fact in the scope of a question was touched after `since`, erased ones apart.

        Args:
            subjects: ids of the entities that the question is about, as the graph has them now.
            walks: relations that it may ask for; every relation where None.
            since: ledger number of what the answer was learned from. One that the store has not reached is of another
                history, for which everything is stale.
            hops: the longest chain of these relations that it may walk, in any order.
        """
        return since > self.kg.store.seq or self._meets(subjects, walks, since, hops, erased=False)

    def erased(self, subjects: Iterable[str], walks: Collection[Walk] | None, since: int, *, hops: int = HOPS) -> bool:
        """Whether a fact in the scope of a question was erased after `since`; arguments as for `stale`.

        The graph then holds no word of it: only hashes of what it was about are left.
        """
        return self._meets(subjects, walks, since, hops, erased=True)

    def touched(self, triples: np.ndarray, since: int) -> bool:
        """Whether any of these triple rows (int64 [n]) was changed or erased after `since`."""
        changes = self.kg.store.changes_since(since)
        return changes is None or bool(np.isin(triples, changes.edges_gone).any())

    def _meets(self, subjects: Iterable[str], walks: Collection[Walk] | None, since: int, hops: int, *, erased: bool) -> bool:
        said = self._said(since, erased)
        if not said:
            return False
        nodes, seen = set(subjects), set[str]()
        for hop in range(hops):
            asked = [(ANY, 1), (ANY, -1)] if walks is None else walks
            if any(end_key(node, relation, way) in said for node in nodes for relation, way in asked):
                return True
            seen |= nodes
            nodes = self._reached(nodes, walks) - seen if hop + 1 < hops else set()
        return False

    def _said(self, since: int, erased: bool) -> frozenset[int]:
        seq = self.kg.store.seq
        if (known := self._known.get(erased)) is None or known[:2] != (since, seq):
            self._known[erased] = known = (since, seq, self.kg.store.ends_since(since, erased=erased))
        return known[2]

    def _reached(self, nodes: Iterable[str], walks: Collection[Walk] | None) -> set[str]:
        """Ids of what one step over any of the walks leads to."""
        rows = []
        for node in nodes:
            with suppress(UnknownEntityError):  # erased, so that no fact leaves it
                rows.append(self.kg.store.row_of(node))
        adjacency = self.kg.adjacency()
        groups = adjacency.groups(np.array(rows, np.int64))
        if walks is not None:
            names = {row: relation.id for row, relation in self.kg.store.relations()}
            steps = zip(groups.relation.tolist(), groups.direction.tolist(), strict=True)
            groups = groups.take(np.array([(names[row], way) in walks for row, way in steps], bool))
        return {node.id for node in self.kg.store.nodes(np.unique(adjacency.edges(groups).neighbor))}


__all__ = ["HOPS", "FactLedger", "Walk"]
