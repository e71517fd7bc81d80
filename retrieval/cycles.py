"""Order and cycles of a graph, exactly: what comes before what, and whether anything leads back to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency


def topological_order(adjacency: Adjacency, *, day: int | None = None) -> np.ndarray | None:
    """Every node that has an edge, subjects before objects, int32 [n]; None when there is a cycle.

    Kahn (1962), a generation at a time, sorted within each.

    Args:
        adjacency: the graph.
        day: only triples that hold on this day ordinal.
    """
    subject, object_ = _links(adjacency, day)
    order, stays = _peel(subject, object_, np.bincount(object_, minlength=adjacency.size))
    return None if stays.any() else order


def find_cycle(adjacency: Adjacency, *, directed: bool, day: int | None = None) -> tuple[int, ...] | None:
    """The nodes of one cycle in its order, the first not repeated; None when there is none.

    Args:
        adjacency: the graph.
        directed: follow triples from subject to object only. Else a cycle has three nodes or more, or is a loop: several
            triples between the same two nodes are one link.
        day: only triples that hold on this day ordinal.
    """
    subject, object_ = _links(adjacency, day)
    loops = subject[subject == object_]
    if len(loops):
        return (int(loops[0]),)
    if directed:
        _, stays = _peel(subject, object_, np.bincount(object_, minlength=adjacency.size))
        return _turn(stays, object_, subject, simple=False)[::-1] if stays.any() else None
    pairs = np.unique(np.sort(np.stack([subject, object_], axis=1), axis=1), axis=0)
    source, target = np.concatenate([pairs, pairs[:, ::-1]]).T
    _, stays = _peel(source, target, np.bincount(source, minlength=adjacency.size), leaves=1)
    return _turn(stays, source, target, simple=True) if stays.any() else None


def _links(adjacency: Adjacency, day: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(subject rows, object rows) of every triple that holds."""
    groups = adjacency.groups(np.arange(adjacency.size, dtype=np.int32), day)
    groups = groups.take(groups.direction == 1)
    edges = adjacency.edges(groups, day=day)
    return groups.origin[edges.group], edges.neighbor


def _peel(source: np.ndarray, target: np.ndarray, degree: np.ndarray, *, leaves: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Take away nodes of `degree` at most `leaves`, generation by generation.

    Args:
        source: node rows [e]; taking away a node lowers the degree of every target of its edges.
        target: node rows [e].
        degree: int [node rows]; changed in place.

    Returns:
        (nodes in the order they went, bool [node rows] those that stay).
    """
    order = np.argsort(source, kind="stable")
    targets, first = target[order], np.searchsorted(source[order], np.arange(len(degree) + 1))
    stays = np.zeros(len(degree), bool)
    stays[source] = stays[target] = True
    gone = [np.zeros(0, np.int32)]
    frontier = np.flatnonzero(stays & (degree <= leaves))
    while len(frontier):
        stays[frontier] = False
        gone.append(frontier.astype(np.int32))
        count = first[frontier + 1] - first[frontier]
        edge = np.arange(count.sum()) + np.repeat(first[frontier] - np.cumsum(count) + count, count)
        hit = targets[edge]
        np.subtract.at(degree, hit, 1)
        frontier = np.unique(hit[stays[hit] & (degree[hit] <= leaves)])
    return np.concatenate(gone), stays


def _turn(inside: np.ndarray, source: np.ndarray, target: np.ndarray, *, simple: bool) -> tuple[int, ...]:
    """Walk from source to target among nodes that all have somewhere to go until a node comes again: the cycle found.

    Args:
        inside: bool [node rows], where to walk.
        simple: never straight back over the link just taken.
    """
    kept = inside[source] & inside[target]
    order = np.lexsort((target[kept], source[kept]))
    sources, targets = source[kept][order], target[kept][order]
    trail: list[int] = []
    place: dict[int, int] = {}
    node, came = int(np.flatnonzero(inside)[0]), -1
    while node not in place:
        place[node] = len(trail)
        trail.append(node)
        low, high = np.searchsorted(sources, node), np.searchsorted(sources, node, side="right")
        options = targets[low:high].tolist()
        node, came = next(there for there in options if not simple or there != came), node
    return tuple(trail[place[node] :])


__all__ = ["find_cycle", "topological_order"]
