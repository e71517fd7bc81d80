"""Relation patterns of a graph by level-wise counting, and real walks that follow them.

A pattern is a sequence of step codes, each a relation (or a group of relations that mean one thing) in one direction. Its
support is the number of nodes from which it can be walked to the end. Counting multiplies sparse matrices with vectors of
nodes, so no walk is ever listed: `alive(p) = A[first] @ alive(rest)`.

The shape follows the pattern mining of FinReflectKG-MultiHop (typed paths kept when frequent).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from ..adjacency import Adjacency

_STEPS = 48  # most frequent steps from which longer patterns are made


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """Step codes walked from the seed, and how many seeds there are."""

    steps: tuple[int, ...]
    support: int


class PatternMiner:
    """Counts the patterns of one adjacency.

    Args:
        adjacency: the graph.
        codes: int [2 * relations], the step code of group key `2 * relation + (1 when walked backwards)`; -1 leaves it out.
    """

    def __init__(self, adjacency: Adjacency, codes: np.ndarray) -> None:
        self.size = adjacency.size
        self._adjacency, self._codes = adjacency, codes
        node_of_group = np.repeat(np.arange(self.size), np.diff(adjacency.node_groups))
        edges = np.diff(adjacency.group_start)
        code = np.repeat(codes[adjacency.group_key], edges)
        node = np.repeat(node_of_group, edges)
        self.matrices: dict[int, sparse.csr_array] = {}
        for one in np.unique(code[code >= 0]).tolist():
            mask = code == one
            shape = (self.size, self.size)
            self.matrices[one] = sparse.csr_array(
                (np.ones(int(mask.sum()), np.float32), (node[mask], adjacency.neighbor[mask])), shape
            )
        self._alive: dict[tuple[int, ...], np.ndarray] = {(): np.ones(self.size, bool)}

    def alive(self, steps: tuple[int, ...]) -> np.ndarray:
        """Nodes from which the steps can be walked, bool [size]. Walks may come back to a node they have passed."""
        if steps not in self._alive:
            self._alive[steps] = (self.matrices[steps[0]] @ self.alive(steps[1:]).astype(np.float32)) > 0
        return self._alive[steps]

    def mine(self, hops: Iterable[int], min_support: int = 1) -> list[Pattern]:
        """Patterns of these lengths with enough seeds, by length, then by support, most first.

        Args:
            hops: lengths; every length up to the longest is counted.
            min_support: a pattern is dropped below it, and with it every longer one that begins with it.
        """
        wanted = set(hops)
        if not wanted or min(wanted) < 1 or min_support < 1:
            raise ValueError(f"hops and min_support must be at least 1, not {sorted(wanted)} and {min_support}")
        singles = [Pattern((code,), self.support((code,))) for code in self.matrices]
        singles.sort(key=lambda p: (-p.support, p.steps))
        extensions = [p.steps[0] for p in singles[:_STEPS]]  # a rare step may end a frequent pattern: many lead to one hub
        level = [p for p in singles if p.support >= min_support]
        found = level if 1 in wanted else []
        level = level[:_STEPS]
        for length in range(2, max(wanted) + 1):
            grown = [Pattern((*p.steps, code), self.support((*p.steps, code))) for p in level for code in extensions]
            level = sorted((p for p in grown if p.support >= min_support), key=lambda p: (-p.support, p.steps))
            if length in wanted:
                found = [*found, *level]
        return found

    def support(self, steps: tuple[int, ...]) -> int:
        """Number of seeds of a pattern."""
        return int(self.alive(steps).sum())

    def reached(self, seed: int, steps: Sequence[int]) -> np.ndarray:
        """Nodes at the end of the steps from a seed, sorted, int; the seed itself is left out."""
        nodes = self._walked(seed, steps)
        others: np.ndarray = nodes[nodes != seed]
        return others

    def options(self, seed: int, steps: Sequence[int]) -> list[int]:
        """Step codes that leave the nodes at the end of the steps, sorted."""
        groups = self._adjacency.groups(self._walked(seed, steps))
        code = self._codes[2 * groups.relation.astype(np.int64) + (groups.direction < 0)]
        found: list[int] = np.unique(code[code >= 0]).tolist()
        return found

    def _walked(self, seed: int, steps: Sequence[int]) -> np.ndarray:
        nodes = np.array([seed])
        for code in steps:
            matrix = self.matrices[code]
            count = matrix.indptr[nodes + 1] - matrix.indptr[nodes]
            before = np.cumsum(count) - count
            nodes = np.unique(matrix.indices[np.repeat(matrix.indptr[nodes] - before, count) + np.arange(count.sum())])
        return nodes

    def seeds(self, steps: tuple[int, ...], rng: random.Random, count: int) -> list[int]:
        """Up to `count` different seeds of a pattern, drawn at random."""
        rows = np.flatnonzero(self.alive(steps))
        return [int(rows[i]) for i in rng.sample(range(len(rows)), min(count, len(rows)))]


__all__ = ["Pattern", "PatternMiner"]
