"""What a graph shows to be missing along a path, so that its answers may be incomplete.

Two things can be seen. A thing on the way lacks the relation that is walked next. And a thing that another relation joins to one
on the way lacks the relation walked altogether, though most of its kind have it: a film that X wrote, and nobody is recorded as
its director, may be one of the films that X directed. A fact that is missing beside others like it leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .paths import State

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

USUAL = 0.7  # share of a kind that has a relation from which it is noticed where one lacks it
_NAMED = 2
_MOST = 50  # things on the way, and edges of each group, past which other relations are not followed
_SAMPLED = 20_000  # groups of edges that are looked at to find things of a kind
_OF_A_KIND = 300
_FEWEST = 10  # of a kind, to say what is usual


class Gaps:
    """Finds what is missing along paths of one graph.

    Args:
        kg: the graph.
        relations: its families.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex) -> None:
        self.kg, self.relations = kg, relations
        self._usual: dict[tuple[int, int, int], bool] = {}
        self._sample: tuple[int, np.ndarray, np.ndarray] = -1, np.empty(0, np.int64), np.empty(0, np.int64)

    def along(self, state: State, adjacency: Adjacency) -> tuple[str, ...]:
        """Sentences on what is missing from hop to hop."""
        found = [self._unrecorded(state, depth, adjacency) for depth in range(1, state.depth)]
        found += [self._unlisted(state, depth, adjacency) for depth in range(state.depth)]
        return tuple(dict.fromkeys(sentence for sentence in found if sentence))

    def _unrecorded(self, state: State, depth: int, adjacency: Adjacency) -> str:
        """Things on the way that the relation walked next is not recorded for."""
        nodes, step = state.level(depth).nodes, state.steps[depth]
        groups = adjacency.groups(nodes)
        walked = self.relations.codes(groups) == 2 * step[0] + (step[1] < 0)
        lacking = np.setdiff1d(np.arange(len(nodes)), groups.origin[walked])
        if not len(lacking):
            return ""
        name = self.relations.families[step[0]].name
        return f"nothing is recorded under '{name}' for {self._named(nodes[lacking])} ({len(lacking)} of {len(nodes)})"

    def _unlisted(self, state: State, depth: int, adjacency: Adjacency) -> str:
        """Things that another relation joins to one on the way and that lack the relation walked, though it is usual."""
        nodes, step = state.level(depth).nodes, state.steps[depth]
        if len(nodes) > _MOST:
            return ""
        code = 2 * step[0] + (step[1] < 0)
        back = self.relations.reverse(code)
        groups = adjacency.groups(nodes)
        codes = self.relations.codes(groups)
        aside = np.flatnonzero(codes >> 1 != code >> 1)
        edges = adjacency.edges(groups.take(aside), limit=_MOST)
        passed = np.unique(np.concatenate([state.level(d).nodes for d in range(state.depth + 1)]))
        new = ~np.isin(edges.neighbor, passed)
        around, by = edges.neighbor[new], codes[aside][edges.group[new]]
        holders = adjacency.groups(around)
        has = holders.origin[self.relations.codes(holders) == back]
        lacks = np.setdiff1d(np.arange(len(around)), has)
        lacks = lacks[[self._is_usual(self.relations.reverse(int(by[i])), back, adjacency) for i in lacks.tolist()]]
        if not len(lacks):
            return ""
        other, name = (self.relations.families[f].name for f in (int(by[lacks[0]]) >> 1, step[0]))
        lacking = np.unique(around[lacks])
        return f"nothing is recorded under '{name}' for {self._named(lacking)}, to which '{other}' leads as well"

    def _is_usual(self, kind: int, code: int, adjacency: Adjacency) -> bool:
        """Whether most things that a step of this kind leaves have the other step too."""
        key = (adjacency.seq, kind, code)
        if key not in self._usual:
            self._usual[key] = self._share(kind, code, adjacency) >= USUAL
        return self._usual[key]

    def _share(self, kind: int, code: int, adjacency: Adjacency) -> float:
        origin, codes = self._sampled(adjacency)
        alike = np.unique(origin[codes == kind])
        alike = alike[np.linspace(0, len(alike) - 1, min(len(alike), _OF_A_KIND)).astype(np.int64)] if len(alike) else alike
        having = np.isin(alike, origin[codes == code])
        return float(having.mean()) if len(alike) >= _FEWEST else 0.0

    def _sampled(self, adjacency: Adjacency) -> tuple[np.ndarray, np.ndarray]:
        """Groups of edges of some nodes: the node of each, and its step; read once for each state of the graph."""
        sample = self._sample
        if sample[0] != adjacency.seq:
            total = len(adjacency.group_key)
            sampled = np.unique(np.linspace(0, total - 1, min(total, _SAMPLED)).astype(np.int64))
            nodes = np.unique(np.searchsorted(adjacency.node_groups, sampled, side="right") - 1)
            groups = adjacency.groups(nodes)
            sample = self._sample = adjacency.seq, groups.origin, self.relations.codes(groups)
        return sample[1:]

    def _named(self, nodes: np.ndarray) -> str:
        labels = [node.label for node in self.kg.store.nodes(nodes[:_NAMED].tolist())]
        return ", ".join(labels) + (f" and {len(nodes) - len(labels)} more" if len(nodes) > len(labels) else "")


__all__ = ["Gaps"]
