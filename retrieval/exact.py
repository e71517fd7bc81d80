"""Exact path questions: the shortest paths between two entities, with no scoring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from ..kg.errors import InputError
from ..kg.model import Entity, Hop, Literal, Path

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph

_VISITS = 20_000  # nodes visited while listing paths: between two hubs there can be exponentially many dead ends


def shortest_paths(
    kg: KnowledgeGraph, a: Entity, b: Entity, *, max_hops: int = 4, k: int = 5, day: date | None = None
) -> list[Path]:
    """The k shortest paths from one entity to another, along triples in either direction.

    A breadth-first search from `b` gives every node its distance; paths are then listed from `a` in order of length,
    never taking a step that cannot reach `b` in time. No node is visited twice, parallel triples give several paths, and
    values (dates, numbers) are never passed through. Ties are broken by the order in which triples were recorded.
    Between hubs the listing stops after 20,000 visits, so that there may be more paths than are returned.

    Args:
        kg: the graph.
        a: where the paths start.
        b: where they end.
        max_hops: longest path.
        k: how many paths.
        day: only triples that hold on this day.

    Raises:
        InputError: `max_hops` or `k` is below 1.
    """
    if max_hops < 1 or k < 1:
        raise InputError(f"max_hops and k must be at least 1, not {max_hops} and {k}")
    adjacency = kg.adjacency()
    start, end = kg.store.row_of(a.id), kg.store.row_of(b.id)
    ordinal = day.toordinal() if day else None
    distance = _distances(adjacency, end, max(adjacency.size, start + 1, end + 1), max_hops, ordinal)
    if start == end or distance[start] < 0:
        return []
    search = _Listing(kg, adjacency, distance, ordinal)
    found: list[Path] = []
    for length in range(int(distance[start]), max_hops + 1):
        for steps in search.paths(start, end, length):
            triples = kg.store.triples_at([row for row, _ in steps])
            hops = tuple(Hop(triple, direction) for triple, (_, direction) in zip(triples, steps))
            found.append(Path(hops, score=1 / length, parts={"hops": float(length)}))
            if len(found) == k:
                return found
    return found


def _distances(adjacency: Adjacency, source: int, size: int, limit: int, day: int | None) -> np.ndarray:
    """Hops to `source`: int16 [size], -1 where it is farther than `limit`."""
    distance = np.full(size, -1, np.int16)
    distance[source] = 0
    frontier = np.array([source], np.int32)
    for depth in range(1, limit + 1):
        _, edges = adjacency.expand(frontier, day=day)
        frontier = np.unique(edges.neighbor)
        frontier = frontier[distance[frontier] < 0]
        if not len(frontier):
            break
        distance[frontier] = depth
    return distance


class _Listing:
    """Depth-first listing of simple paths of one length, pruned by the distance that is left."""

    def __init__(self, kg: KnowledgeGraph, adjacency: Adjacency, distance: np.ndarray, day: int | None) -> None:
        self._kg, self._adjacency, self._distance, self._day = kg, adjacency, distance, day
        self._steps: dict[int, list[tuple[int, int, int]]] = {}
        self._left = _VISITS

    def paths(self, start: int, end: int, length: int) -> Iterator[list[tuple[int, int]]]:
        """Every path of exactly `length` triples, as (triple row, direction)."""
        yield from self._from(start, end, length, [start], [])

    def _from(
        self, node: int, end: int, left: int, visited: list[int], steps: list[tuple[int, int]]
    ) -> Iterator[list[tuple[int, int]]]:
        self._left -= 1
        for triple, direction, neighbor in self._out_of(node) if self._left >= 0 else ():
            if neighbor in visited or not 0 <= self._distance[neighbor] <= left - 1:
                continue
            if neighbor == end:
                if left == 1:
                    yield [*steps, (triple, direction)]
                continue
            yield from self._from(neighbor, end, left - 1, [*visited, neighbor], [*steps, (triple, direction)])

    def _out_of(self, node: int) -> list[tuple[int, int, int]]:
        """(triple, direction, neighbor) of the edges to entities that can reach the goal, in triple order."""
        if node not in self._steps:
            groups, edges = self._adjacency.expand(np.array([node], np.int32), day=self._day)
            near = np.flatnonzero(self._distance[edges.neighbor] >= 0)
            near = near[np.argsort(edges.triple[near], kind="stable")]
            rows, neighbors = edges.triple[near].tolist(), edges.neighbor[near].tolist()
            directions = groups.direction[edges.group[near]].tolist()
            nodes = self._kg.store.nodes(neighbors)
            steps = zip(rows, directions, neighbors, nodes)
            self._steps[node] = [(row, way, there) for row, way, there, known in steps if not isinstance(known, Literal)]
        return self._steps[node]


__all__ = ["shortest_paths"]
