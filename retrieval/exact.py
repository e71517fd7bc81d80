"""Exact answers about the graph's shape: how far, by which paths, through what, how many. No scoring, no beam.

`ExactSolver` works on the integers of `kg.adjacency`; every edge it reports is a triple row, so nothing can be invented.
`shortest_paths` is the same for people: entities in, `Path`s with their triples out.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ..kg.errors import InputError
from ..kg.model import Entity, Hop, Path
from ..kg.model import Literal as Value

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency, Expansion, Groups
    from ..kg.graph import KnowledgeGraph

Way = Literal["forward", "backward", "either"]
_REVERSED: dict[Way, Way] = {"forward": "backward", "backward": "forward", "either": "either"}
_FAR = np.iinfo(np.int32).max


Step = tuple[int, int]  # triple row; 1 from subject to object, -1 from object to subject


class Walk(NamedTuple):
    """Triples that join end to start. `nodes` has one entry more than `steps`."""

    nodes: tuple[int, ...]  # node rows
    steps: tuple[Step, ...]
    length: float  # number of triples, or the sum of their lengths


class _Deviation(NamedTuple):
    """A path, or while `exact` is 0 a lower bound on the next one that leaves `walk` after its first `at` triples."""

    length: float
    exact: int
    steps: tuple[Step, ...]
    walk: Walk
    at: int
    banned: frozenset[Step]


@dataclass(slots=True)
class _Side:
    """One side of a search from both ends."""

    seen: np.ndarray
    frontier: np.ndarray
    depth: int
    way: Way


@dataclass(slots=True, eq=False)
class ExactSolver:
    """Graph algorithms over one adjacency, on one day.

    Args:
        adjacency: the graph.
        day: only triples that hold on this day ordinal; None for all times.
        way: along triples from subject to object, against them, or in either direction.
        lengths: float [triple rows], not negative, by triple row; None counts triples.
        ends: bool [node rows] that a path may reach and never pass through, such as values.

    Raises:
        InputError: a length is negative or no number.
    """

    adjacency: Adjacency
    day: int | None = None
    way: Way = "either"
    lengths: np.ndarray | None = None
    ends: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.lengths is not None and not bool((np.nan_to_num(self.lengths, nan=-1.0) >= 0).all()):
            raise InputError("lengths of triples must be 0 or more")

    # ---- how far

    def distance(self, start: int, goal: int, *, limit: int | None = None) -> int | None:
        """Triples on the shortest path, None where there is none within `limit`.

        Breadth first from both sides at once, always from the smaller frontier (Pohl 1971).
        """
        if start == goal:
            return 0
        size = max(self.adjacency.size, start + 1, goal + 1)
        sides = []
        for node, way in ((start, self.way), (goal, _REVERSED[self.way])):
            seen = np.full(size, _FAR, np.int32)
            seen[node] = 0
            sides.append(_Side(seen, np.array([node], np.int32), 0, way))
        while all(len(side.frontier) for side in sides):
            if limit is not None and sides[0].depth + sides[1].depth >= limit:
                return None
            near, other = sorted(sides, key=lambda side: len(side.frontier))
            near.frontier = self._next(near.frontier, near.way, near.seen, first=near.depth == 0)
            near.depth += 1
            near.seen[near.frontier] = near.depth
            met = other.seen[near.frontier[self._passable(near.frontier, start, goal)]]
            if len(met) and met.min() < _FAR:
                return near.depth + int(met.min())
        return None

    def distances(self, source: int, *, limit: int | None = None, reverse: bool = False) -> np.ndarray:
        """Triples on the shortest path from `source` to every node (to it where `reverse`): int32 [node rows], -1 for none.

        Args:
            limit: nodes farther than this count as not reached.
        """
        way = _REVERSED[self.way] if reverse else self.way
        seen = np.full(max(self.adjacency.size, source + 1), _FAR, np.int32)
        seen[source] = depth = 0
        frontier = np.array([source], np.int32)
        while len(frontier) and (limit is None or depth < limit):
            frontier = self._next(frontier, way, seen, first=depth == 0)
            depth += 1
            seen[frontier] = depth
        seen[seen == _FAR] = -1
        return seen

    # ---- by which paths

    def paths(self, start: int, goal: int, k: int = 1, *, limit: float | None = None) -> list[Walk]:
        """The k shortest simple paths, shortest first; equally long ones in the order of their triple rows.

        Parallel triples give several paths. The time is polynomial in the graph's size (Yen 1971), whatever `k`.

        Args:
            k: how many.
            limit: no path longer than this.

        Raises:
            InputError: `k` is below 1.
        """
        if k < 1:
            raise InputError(f"k must be at least 1, not {k}")
        if start == goal:
            return []
        if self.lengths is None:  # near paths are often enough, and then most of the graph need not be read
            nearest = self.distance(start, goal, limit=None if limit is None else int(limit))
            if nearest is None:
                return []
            for horizon in (nearest, nearest + 1):
                found = _Yen(self, start, goal, horizon).first(k) if limit is None or horizon < limit else []
                if len(found) == k:
                    return found
        return _Yen(self, start, goal, limit).first(k)

    def _to_goal(self, start: int, goal: int, limit: float | None) -> np.ndarray:
        """Length of the shortest path from each node to the goal, float64 [node rows]; inf where no path may pass."""
        size = max(self.adjacency.size, start + 1, goal + 1)
        left = np.full(size, np.inf)
        if self.lengths is None:
            hops = self.distances(goal, limit=None if limit is None else int(limit), reverse=True)
            left[: len(hops)] = np.where(hops < 0, np.inf, hops)
        else:
            left = self._dijkstra(goal, size)
        left[~self._passable(np.arange(size), start, goal)] = np.inf
        return left

    def _dijkstra(self, goal: int, size: int) -> np.ndarray:
        """Length of the shortest path from each node to the goal, float64 [size], inf for none (Dijkstra 1959)."""
        from scipy import sparse  # type: ignore[import-untyped]

        assert self.lengths is not None
        nodes = np.arange(self.adjacency.size, dtype=np.int32)
        nodes = nodes[self._passable(nodes, goal)]
        groups, edges = self._expand(nodes, _REVERSED[self.way])
        starts = np.searchsorted(nodes[groups.origin[edges.group]], np.arange(size + 1))
        lengths = self.lengths[edges.triple].astype(np.float64)
        matrix = sparse.csr_array((lengths, edges.neighbor, starts), shape=(size, size))  # parallel triples stand side by side
        left: np.ndarray = sparse.csgraph.dijkstra(matrix, indices=goal)
        return left

    # ---- through what

    def common_neighbors(self, nodes: Sequence[int]) -> np.ndarray:
        """Nodes one triple away from every one of `nodes`: sorted int32 [n], none of `nodes` among them.

        Raises:
            InputError: no node is given.
        """
        if not len(nodes):
            raise InputError("neighbours of no node were asked for")
        shared: np.ndarray | None = None
        for node in nodes:
            near = np.unique(self._expand(np.array([node], np.int32), self.way)[1].neighbor)
            shared = near if shared is None else np.intersect1d(shared, near, assume_unique=True)
        assert shared is not None
        others: np.ndarray = np.setdiff1d(shared, np.asarray(nodes, np.int32))
        return others

    def count_shortest(self, start: int, goal: int) -> int:
        """How many paths have the fewest triples, parallel triples apart; exact however many (Brandes 2001)."""
        nearest = self.distance(start, goal)
        if not nearest:
            return 0
        left = self.distances(goal, limit=nearest, reverse=True)
        nodes, ways = np.array([start], np.int32), [1]
        for depth in range(nearest - 1, -1, -1):
            groups, edges = self._expand(nodes, self.way)
            on = (left[edges.neighbor] == depth) & self._passable(edges.neighbor, goal)
            reached, place = np.unique(edges.neighbor[on], return_inverse=True)
            after = [0] * len(reached)  # Python's integers do not overflow
            for at, origin in zip(place.tolist(), groups.origin[edges.group[on]].tolist()):
                after[at] += ways[origin]
            nodes, ways = reached, after
        return ways[0]

    # ---- edges

    def _expand(self, nodes: np.ndarray, way: Way) -> tuple[Groups, Expansion]:
        groups = self.adjacency.groups(nodes, self.day)
        if way != "either":
            groups = groups.take(groups.direction == (1 if way == "forward" else -1))
        return groups, self.adjacency.edges(groups, day=self.day)

    def _next(self, frontier: np.ndarray, way: Way, seen: np.ndarray, *, first: bool) -> np.ndarray:
        """The nodes one triple on that were not seen before; a path starts at an end but never passes one."""
        if not first:
            frontier = frontier[self._passable(frontier)]
        reached = self._expand(frontier, way)[1].neighbor
        fresh = np.zeros(len(seen), bool)
        fresh[reached] = True
        new: np.ndarray = np.flatnonzero(fresh & (seen == _FAR)).astype(np.int32)
        return new

    def _length(self, triple: int) -> float:
        return 1.0 if self.lengths is None else float(self.lengths[triple])

    def _passable(self, nodes: np.ndarray, *also: int) -> np.ndarray:
        """Which nodes a path may pass, bool [n]: all that are no ends, and those in `also`."""
        if self.ends is None or not len(self.ends):
            return np.ones(len(nodes), bool)
        inside = nodes < len(self.ends)
        passable: np.ndarray = ~(inside & self.ends[np.where(inside, nodes, 0)]) | np.isin(nodes, also)
        return passable


class _Yen:
    """The shortest simple paths between two nodes, one after another.

    A deviation (Yen 1971, Lawler 1972) waits in the queue under a lower bound and is searched for only at the top, by A*
    (Hart, Nilsson, Raphael 1968) under the exact distance to the goal. A node's edges are sorted by what they leave to go
    and taken one at a time, so that a hub costs no more than another node.
    """

    def __init__(self, solver: ExactSolver, start: int, goal: int, limit: float | None) -> None:
        self._solver, self._start, self._goal = solver, start, goal
        self._left = solver._to_goal(start, goal, limit)
        self._bound = float("inf") if limit is None else limit
        self._edges: dict[int, list[tuple[float, Step, int, float]]] = {}

    def first(self, k: int) -> list[Walk]:
        """At most k of them."""
        found: list[Walk] = []
        queue: list[_Deviation] = []
        best = self._search(self._start, frozenset(), frozenset(), self._bound)
        if best is not None:
            queue.append(_Deviation(best.length, 1, best.steps, best, 0, frozenset()))
        while queue and len(found) < k:
            top = heapq.heappop(queue)
            if top.exact:
                found.append(top.walk)
                for deviation in self._deviations(top):
                    heapq.heappush(queue, deviation)
            elif (walk := self._deviate(top)) is not None:
                heapq.heappush(queue, _Deviation(walk.length, 1, walk.steps, walk, top.at, top.banned))
        return found

    def _deviations(self, top: _Deviation) -> Iterator[_Deviation]:
        """Where later paths may leave this one, with a lower bound on the length of each."""
        walk, length = top.walk, 0.0
        before: set[int] = set()
        for at, (step, node) in enumerate(zip(walk.steps, walk.nodes)):
            before.add(node)
            if at >= top.at:
                banned = (top.banned if at == top.at else frozenset()) | {step}
                options = (left for left, other, there, _ in self._out_of(node) if other not in banned and there not in before)
                least = length + next(options, float("inf"))
                if least <= self._bound and least < float("inf"):
                    yield _Deviation(least, 0, walk.steps[:at], walk, at, banned)
            length += self._solver._length(step[0])

    def _deviate(self, deviation: _Deviation) -> Walk | None:
        """The shortest path that shares the first `at` triples and takes none of the banned next ones."""
        walk, at = deviation.walk, deviation.at
        root = sum(self._solver._length(triple) for triple, _ in walk.steps[:at])
        tail = self._search(walk.nodes[at], frozenset(walk.nodes[:at]), deviation.banned, self._bound - root)
        if tail is None:
            return None
        return Walk(walk.nodes[:at] + tail.nodes, walk.steps[:at] + tail.steps, root + tail.length)

    def _search(self, start: int, before: frozenset[int], banned: frozenset[Step], bound: float) -> Walk | None:
        """The shortest path from `start` that avoids nodes and first steps; the first in triple order where hops are counted."""
        closed = {*before, start}
        queue: list[tuple[float, tuple[Step, ...], float, int, tuple[int, ...]]] = []

        def push(walk: Walk, place: int) -> None:
            """Put the next edge out of the end of `walk` that is still worth taking on the queue."""
            edges = self._out_of(walk.nodes[-1])
            for at in range(place, len(edges)):
                left, step, there, _ = edges[at]
                if walk.length + left > bound:
                    return
                if there not in closed and not (len(walk.nodes) == 1 and step in banned):
                    heapq.heappush(queue, (walk.length + left, (*walk.steps, step), walk.length, at, walk.nodes))
                    return

        push(Walk((start,), (), 0.0), 0)
        while queue:
            _, steps, length, place, nodes = heapq.heappop(queue)
            _, _, there, cost = self._out_of(nodes[-1])[place]
            push(Walk(nodes, steps[:-1], length), place + 1)
            if there in closed:
                continue
            walk = Walk((*nodes, there), steps, length + cost)
            if there == self._goal:
                return walk
            closed.add(there)
            push(walk, 0)
        return None

    def _out_of(self, node: int) -> list[tuple[float, Step, int, float]]:
        """(length left by this edge, step, neighbour, length of the edge), nearest to the goal first, then in triple order."""
        if node not in self._edges:
            groups, edges = self._solver._expand(np.array([node], np.int32), self._solver.way)
            left = self._left[edges.neighbor]
            kept = np.flatnonzero((left < np.inf) & (edges.neighbor != node))
            triple, way = edges.triple[kept], groups.direction[edges.group[kept]]
            cost = np.ones(len(kept)) if self._solver.lengths is None else self._solver.lengths[triple]
            order = np.lexsort((way, triple, left[kept] + cost))
            columns = (left[kept] + cost, triple, way, edges.neighbor[kept], cost)
            rows = zip(*(column[order].tolist() for column in columns))
            self._edges[node] = [(far, (row, direction), there, length) for far, row, direction, there, length in rows]
        return self._edges[node]


# ---- for people


def shortest_paths(
    kg: KnowledgeGraph, a: Entity, b: Entity, *, max_hops: int | None = 4, k: int = 5, day: date | None = None
) -> list[Path]:
    """The k shortest paths from one entity to another, along triples in either direction.

    No node is visited twice, parallel triples give several paths, and values (dates, numbers) are never passed through.
    Ties are broken by the order in which triples were recorded.

    Args:
        kg: the graph.
        a: where the paths start.
        b: where they end.
        max_hops: longest path; None for any.
        k: how many paths.
        day: only triples that hold on this day.

    Raises:
        InputError: `max_hops` or `k` is below 1.
    """
    if k < 1 or (max_hops is not None and max_hops < 1):
        raise InputError(f"max_hops and k must be at least 1, not {max_hops} and {k}")
    adjacency = kg.adjacency()
    solver = ExactSolver(adjacency, day.toordinal() if day else None, ends=values(kg, adjacency))
    found = solver.paths(kg.store.row_of(a.id), kg.store.row_of(b.id), k, limit=max_hops)
    return [grounded(kg, walk) for walk in found]


def grounded(kg: KnowledgeGraph, walk: Walk) -> Path:
    """A walk with its triples and their spans. The score is one over the number of hops."""
    triples = kg.store.triples_at([row for row, _ in walk.steps])
    hops = tuple(Hop(triple, direction) for triple, (_, direction) in zip(triples, walk.steps, strict=True))
    return Path(hops, score=1 / len(hops), parts={"hops": float(len(hops))})


def values(kg: KnowledgeGraph, adjacency: Adjacency) -> np.ndarray:
    """Which nodes are values that join two triples or more, bool [node rows]; only objects can be, so only those are read."""
    found = np.zeros(adjacency.size, bool)
    groups = adjacency.groups(np.arange(adjacency.size, dtype=np.int32))
    objects = np.ones(adjacency.size, bool)
    objects[groups.origin[groups.direction == 1]] = False
    rows = np.flatnonzero(objects & (adjacency.degree(np.arange(adjacency.size)) > 1))
    found[rows] = [isinstance(node, Value) for node in kg.store.nodes(rows)]
    return found


__all__ = ["ExactSolver", "Step", "Walk", "Way", "grounded", "shortest_paths", "values"]
