"""The graph as integers: compressed sparse rows over both directions, grouped by relation.

Each triple is two directed edges. They lie sorted by (node, relation, direction, triple row), so the edges of a node that
share relation and direction are one run, a *group*. A second, shorter index holds the groups of each node: a search first
sees which relations leave a node and how many edges each has, and bounds a hub inside each group without ever losing a
relation.

    node_groups [size + 1]  groups of node n are node_groups[n] .. node_groups[n + 1]
    group_key   [g]         2 * relation + (1 when the edge runs from object to subject)
    group_start [g + 1]     edges of group j are group_start[j] .. group_start[j + 1]
    triple, neighbor [2 e]  triple row and the node at the other end
    valid_from, valid_to    day ordinals [2 e]; empty when no fact of the graph is bounded in time
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .generations import Generation, Generations, changes, position
from .store import OPEN_END, OPEN_START, Changes, Edges, Store

KIND = "graph"
_VERSION = 1
_REPUBLISH = 20_000  # changed edges after which catching up costs more than a new generation


class Groups(NamedTuple):
    """Runs of edges that leave the asked nodes, one entry per (node, relation, direction) that has any."""

    origin: np.ndarray  # int32 [g] index into the asked nodes
    relation: np.ndarray  # int32 [g] relation row
    direction: np.ndarray  # int8 [g] 1 from subject to object, -1 from object to subject
    start: np.ndarray  # int64 [g] where the run begins
    count: np.ndarray  # type: ignore[assignment]  # int32 [g] edges, those valid on the asked day

    def take(self, which: np.ndarray) -> Groups:
        """The groups at these indices (or where this mask is true), in that order."""
        return Groups(self.origin[which], self.relation[which], self.direction[which], self.start[which], self.count[which])


class Expansion(NamedTuple):
    """Edges of groups, group by group, in the order of triple rows."""

    group: np.ndarray  # int32 [m] index into the groups
    triple: np.ndarray  # int64 [m] triple row
    neighbor: np.ndarray  # int32 [m] node row
    truncated: np.ndarray  # bool [g] the group has more edges than were taken


@dataclass(frozen=True, slots=True, eq=False)
class Adjacency:
    """An immutable adjacency at ledger number `seq`; see the module for the arrays."""

    node_groups: np.ndarray
    group_key: np.ndarray
    group_start: np.ndarray
    triple: np.ndarray
    neighbor: np.ndarray
    valid_from: np.ndarray
    valid_to: np.ndarray
    seq: int = 0

    @staticmethod
    def build(edges: Edges, *, seq: int = 0) -> Adjacency:
        """Sort edges into rows. O(e log e), about half a second and 60 MB for a million."""
        node = np.concatenate([edges.subject, edges.object]).astype(np.int64)
        key = np.concatenate([edges.relation, edges.relation]).astype(np.int64) * 2
        key[len(edges.triple) :] += 1
        dated = bool((edges.valid_from != OPEN_START).any() or (edges.valid_to != OPEN_END).any())
        triple = edges.triple.astype(np.int64)
        order = _order(node, key, np.concatenate([triple, triple]))
        neighbor = np.concatenate([edges.object, edges.subject]).astype(np.int32)[order]
        valid = [np.concatenate([days, days]).astype(np.int32)[order] for days in (edges.valid_from, edges.valid_to) if dated]
        return _rows(node[order], key[order], np.concatenate([triple, triple])[order], neighbor, valid, seq)

    @property
    def size(self) -> int:
        """One more than the highest node row that has an edge: the length of arrays over nodes."""
        return len(self.node_groups) - 1

    @property
    def node_count(self) -> int:
        """Nodes that have an edge."""
        return int(np.count_nonzero(np.diff(self.node_groups)))

    @property
    def edge_count(self) -> int:
        """Triples."""
        return len(self.triple) // 2

    def relation_ids(self) -> np.ndarray:
        """Sorted relation rows that have an edge, int32."""
        has = np.zeros(int(self.group_key.max(initial=-1) >> 1) + 1, bool)
        has[self.group_key >> 1] = True
        return np.flatnonzero(has).astype(np.int32)

    def degree(self, nodes: np.ndarray) -> np.ndarray:
        """Edges at each node, both directions (a loop counts twice), int64 [n]; 0 for a row without edges."""
        first, last = self._group_range(nodes)
        degree: np.ndarray = self.group_start[last] - self.group_start[first]
        return degree

    def csr(self) -> tuple[np.ndarray, np.ndarray]:
        """(indptr int64 [size + 1], neighbors int32 [2 e]), the undirected rows as scipy.sparse takes them."""
        return self.group_start[self.node_groups], self.neighbor

    def positions(self, nodes: np.ndarray) -> np.ndarray:
        """Where the edges that leave nodes lie in the arrays over edges, int64 [m], node by node."""
        first, last = self._group_range(nodes)
        at, _ = _ranges(self.group_start[first], self.group_start[last] - self.group_start[first])
        return at

    def groups(self, nodes: np.ndarray, day: int | None = None) -> Groups:
        """The relations that leave nodes.

        Args:
            nodes: node rows [n]; rows without edges have no groups.
            day: only edges valid on this day ordinal.
        """
        first, last = self._group_range(nodes)
        index, origin = _ranges(first, last - first)
        start = self.group_start[index]
        count = self.group_start[index + 1] - start
        if day is not None and self._dated:
            edge, owner = _ranges(start, count)
            count = np.bincount(owner[self._holds(edge, day)], minlength=len(index))
            kept = count > 0
            index, origin, start, count = index[kept], origin[kept], start[kept], count[kept]
        key = self.group_key[index]
        direction = (1 - 2 * (key & 1)).astype(np.int8)
        return Groups(origin.astype(np.int32), (key >> 1).astype(np.int32), direction, start, count.astype(np.int32))

    def edges(self, groups: Groups, *, limit: int | None = None, day: int | None = None) -> Expansion:
        """The edges of groups.

        Args:
            groups: as `groups` gave them for the same `day`.
            limit: at most this many edges of each group, those with the lowest triple rows.
            day: only edges valid on this day ordinal.
        """
        take = groups.count if limit is None else np.minimum(groups.count, limit)
        truncated = groups.count > take
        if day is None or not self._dated:
            edge, group = _ranges(groups.start, take)
        else:
            run = np.searchsorted(self.group_start, groups.start, side="right")
            edge, group = _ranges(groups.start, self.group_start[run] - groups.start)
            holds = self._holds(edge, day)
            edge, group = edge[holds], group[holds]
            kept = _rank(group, len(take)) < take[group]
            edge, group = edge[kept], group[kept]
        return Expansion(group.astype(np.int32), self.triple[edge], self.neighbor[edge], truncated)

    def expand(self, nodes: np.ndarray, *, limit: int | None = None, day: int | None = None) -> tuple[Groups, Expansion]:
        """`groups` and their `edges` in one call."""
        groups = self.groups(nodes, day)
        return groups, self.edges(groups, limit=limit, day=day)

    def apply(self, delta: Changes) -> Adjacency:
        """This adjacency after `delta`: the sorted rows are merged, not sorted again (some 50 ms beside a million edges)."""
        if not len(delta.edges_gone) and not len(delta.edges.triple):
            return replace(self, seq=delta.seq)
        added = Adjacency.build(delta.edges)
        node, key = self._node_and_key()
        columns = [node, key, self.triple, self.neighbor]
        extra = [*added._node_and_key(), added.triple, added.neighbor]
        if self._dated or added._dated:
            columns += self._days()
            extra += added._days()
        gone = np.isin(self.triple, delta.edges_gone)
        if gone.any():
            columns = [column[~gone] for column in columns]
        if len(added.triple):
            spot = _place(columns[:3], extra[:3])
            columns = [np.insert(column, spot, new) for column, new in zip(columns, extra)]
        return _rows(columns[0], columns[1], columns[2], columns[3], columns[4:], delta.seq)

    @property
    def _dated(self) -> bool:
        return len(self.valid_from) > 0

    def _holds(self, edge: np.ndarray, day: int) -> np.ndarray:
        holds: np.ndarray = (self.valid_from[edge] <= day) & (day < self.valid_to[edge])
        return holds

    def _group_range(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nodes = np.asarray(nodes, dtype=np.int64)
        known = (nodes >= 0) & (nodes < self.size)
        rows = np.where(known, nodes, 0)
        if not self.size:
            return rows, rows
        first = self.node_groups[rows].astype(np.int64)
        return first, np.where(known, self.node_groups[rows + 1], first).astype(np.int64)

    def _node_and_key(self) -> tuple[np.ndarray, np.ndarray]:
        """Per edge, the node it leaves and its group key, int64."""
        runs = np.diff(self.group_start)
        node = np.repeat(np.arange(self.size), np.diff(self.node_groups))
        return np.repeat(node, runs), np.repeat(self.group_key.astype(np.int64), runs)

    def _days(self) -> list[np.ndarray]:
        if self._dated:
            return [self.valid_from, self.valid_to]
        return [np.full(len(self.triple), bound, np.int32) for bound in (OPEN_START, OPEN_END)]

    # ---- on disk

    def save(self, generations: Generations, meta: dict[str, object]) -> Adjacency:
        """Publish it as the current generation of the graph and return the memory-mapped form."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return Adjacency.load(generations.publish(KIND, arrays, {**meta, "version": _VERSION, "edges": self.edge_count}))

    @staticmethod
    def load(generation: Generation) -> Adjacency:
        """From a generation that `save` published.

        Raises:
            KeyError: an array is missing.
        """
        return Adjacency(**{name: generation.array(name) for name in _ARRAYS}, seq=int(generation.meta["seq"]))


_ARRAYS = ("node_groups", "group_key", "group_start", "triple", "neighbor", "valid_from", "valid_to")


def load_adjacency(store: Store, generations: Generations) -> Adjacency:
    """The adjacency of a store's live evidence, in step with it.

    The published generation is brought up to date with what changed since; where there is none, or it belongs to another
    store or is too old, the graph is built anew. What was expensive to get is published for the next reader.
    """
    generation = generations.current(KIND)
    if generation is not None and generation.meta.get("version") == _VERSION:
        delta = changes(store, generation.meta)
        if delta is not None:
            base = Adjacency.load(generation)
            if _small(delta, base):
                return base.apply(delta)
    where = position(store)
    return Adjacency.build(store.edges(), seq=where["seq"]).save(generations, where)


def follow(adjacency: Adjacency, store: Store, generations: Generations) -> Adjacency:
    """The same adjacency after whatever the store has committed since."""
    if store.seq == adjacency.seq:
        return adjacency
    delta = store.changes_since(adjacency.seq)
    if delta is not None and _small(delta, adjacency):
        return adjacency.apply(delta)
    return load_adjacency(store, generations)


def _small(delta: Changes, base: Adjacency) -> bool:
    return len(delta.edges_gone) + len(delta.edges.triple) <= max(_REPUBLISH, base.edge_count // 10)


def _rows(
    node: np.ndarray, key: np.ndarray, triple: np.ndarray, neighbor: np.ndarray, valid: list[np.ndarray], seq: int
) -> Adjacency:
    """Index edges that are already in order."""
    first = np.flatnonzero((np.diff(node, prepend=-1) != 0) | (np.diff(key, prepend=-1) != 0))
    size = int(node[-1]) + 1 if len(node) else 0
    return Adjacency(
        node_groups=np.searchsorted(node[first], np.arange(size + 1)).astype(np.int32),
        group_key=key[first].astype(np.int32),
        group_start=np.append(first, len(node)).astype(np.int64),
        triple=triple,
        neighbor=neighbor,
        valid_from=valid[0] if valid else np.zeros(0, np.int32),
        valid_to=valid[1] if valid else np.zeros(0, np.int32),
        seq=seq,
    )


def _order(node: np.ndarray, key: np.ndarray, triple: np.ndarray) -> np.ndarray:
    """Indices that sort by (node, key, triple); one sort of packed integers where the three fit 63 bits together."""
    spans = [int(values.max(initial=0)) + 1 for values in (node, key)]
    n = len(node)
    if n and spans[0] * spans[1] * n < 2**62 and bool((np.diff(triple[: n // 2]) > 0).all()):
        packed = (node * spans[1] + key) * n + np.arange(n)  # rows ascend, so position breaks ties as the row would
        packed.sort()
        order: np.ndarray = packed % n
        return order
    return np.lexsort((triple, key, node))


def _place(into: list[np.ndarray], new: list[np.ndarray]) -> np.ndarray:
    """Where each new (node, key, triple) goes among sorted ones."""
    width = max(int(into[1].max(initial=0)), int(new[1].max(initial=0))) + 1
    run, wanted = into[0] * width + into[1], new[0] * width + new[1]
    low: np.ndarray = np.searchsorted(run, wanted, side="left")
    spot: np.ndarray = np.searchsorted(run, wanted, side="right")
    # Rows only grow, so a new edge ends its group; only one that comes back (undo, revival) must look inside.
    inside = np.flatnonzero((low < spot) & (into[2][np.maximum(spot, 1) - 1] > new[2])) if len(run) else np.zeros(0, np.int64)
    for i in inside.tolist():
        spot[i] = low[i] + np.searchsorted(into[2][low[i] : spot[i]], new[2][i])
    return spot


def _ranges(start: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All of `start[i] .. start[i] + count[i]` one after another, and the i each belongs to."""
    owner = np.repeat(np.arange(len(start)), count)
    return np.arange(len(owner)) - np.repeat(np.cumsum(count) - count - start, count), owner


def _rank(group: np.ndarray, size: int) -> np.ndarray:
    """The how-many-eth of its group each element is; elements of a group stand together."""
    counts = np.bincount(group, minlength=size)
    return np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)


__all__ = ["Adjacency", "Expansion", "Groups", "follow", "load_adjacency"]
