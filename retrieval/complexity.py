"""How hard it is to find the way from one entity to another, and when a beam should not be trusted with it.

Lookahead and branches are the two dials of DeepRD (Rameshkumar et al. 2025, *Reasoning Models Reason Well, Until They
Don't*): how many steps ahead one must look before the right first step is certain, and how many first steps there are.

>>> escalate(Complexity(lookahead=2, branches=4, hops=2), Budget())
False
>>> escalate(Complexity(lookahead=9, branches=4, hops=9), Budget())
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .base import Budget

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from .exact import Way


@dataclass(frozen=True, slots=True)
class Complexity:
    """What finding one path costs a search that looks ahead step by step.

    Attributes:
        lookahead: levels of a breadth-first search until one first step explains the whole frontier, or the goal is found.
        branches: different first steps.
        hops: triples the question asks to walk, 0 when it leaves that open ("how are A and B connected?").
    """

    lookahead: int
    branches: int
    hops: int = 0


def complexity(
    adjacency: Adjacency,
    start: int,
    goal: int,
    *,
    hops: int = 0,
    day: int | None = None,
    way: Way = "either",
    limit: int | None = None,
) -> Complexity:
    """The complexity of getting from `start` to `goal`.

    The children of `start` are expanded level by level; each node of the frontier carries one bit for every child that
    leads to it along a shortest path. The lookahead is the first level at which the goal stands or a bit is common to all.

    Args:
        adjacency: the graph.
        start: node row.
        goal: node row.
        hops: triples the question asks to walk, 0 for any number.
        day: only triples that hold on this day ordinal.
        way: along triples from subject to object, against them, or in either direction.
        limit: levels after which to stop; the lookahead is then `limit`.

    Returns:
        A `Complexity`; lookahead and branches are 0 where no step leads out of `start` or it is the goal itself.
    """
    seen = np.zeros(max(adjacency.size, start + 1, goal + 1), bool)
    seen[start] = True
    children, _ = _beyond(adjacency, np.array([start], np.int32), seen, day, way)
    branches = len(children)
    if not branches or start == goal:
        return Complexity(0, branches if start != goal else 0, hops)
    frontier = children
    masks = np.zeros((branches, (branches + 63) // 64), np.uint64)  # [frontier, words]
    masks[np.arange(branches), np.arange(branches) // 64] = np.uint64(1) << (np.arange(branches) % 64).astype(np.uint64)
    level = 1
    while limit is None or level < limit:
        if goal in frontier or np.bitwise_and.reduce(masks, axis=0).any():
            break
        seen[frontier] = True
        following, origins = _beyond(adjacency, frontier, seen, day, way)
        if not len(following):
            break
        first = np.flatnonzero(np.diff(origins[0], prepend=-1))
        masks = np.bitwise_or.reduceat(masks[origins[1]], first, axis=0)
        frontier, level = following, level + 1
    return Complexity(level, branches, hops)


def _beyond(
    adjacency: Adjacency, frontier: np.ndarray, seen: np.ndarray, day: int | None, way: Way
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Nodes one triple on that were not seen: (sorted rows [n], (reached row, index in the frontier) of each edge [e])."""
    groups = adjacency.groups(frontier, day)
    if way != "either":
        groups = groups.take(groups.direction == (1 if way == "forward" else -1))
    edges = adjacency.edges(groups, day=day)
    new = ~seen[edges.neighbor]
    reached, origin = edges.neighbor[new], groups.origin[edges.group[new]]
    order = np.argsort(reached, kind="stable")
    return np.unique(reached), (reached[order], origin[order])


def escalate(known: Complexity, budget: Budget) -> bool:
    """Whether to leave a beam under `budget` for exact search.

    A beam decides the first step from at most `budget.hops` levels, and keeps at most `budget.beam` ways open; a question
    that does not say which relations to walk gives it nothing to choose by.
    """
    return known.hops == 0 or max(known.hops, known.lookahead) > budget.hops or known.branches > budget.beam


__all__ = ["Complexity", "complexity", "escalate"]
