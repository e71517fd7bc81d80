"""Personalised PageRank over entities and passages, as HippoRAG 2 ranks passages (Gutiérrez et al. 2025).

Nodes are the graph's nodes and the chunks. Edges, all undirected: one per triple between its ends, one between a chunk
and each entity it mentions. The walk restarts at what the question is about; passages are ranked by the mass they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

DAMPING = 0.5
_TOLERANCE = 1e-8
_ROUNDS = 100


class PassageRank:
    """The walk's matrix, built once per ledger number."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self._built: tuple[int, _Walk] | None = None

    def walk(self) -> _Walk:
        """The walk in step with the store."""
        seq = self.kg.store.seq
        built = self._built
        if built is None or built[0] != seq:
            built = self._built = seq, _Walk.build(self.kg)
        return built[1]

    def rank(
        self, nodes: np.ndarray, weights: np.ndarray, chunks: np.ndarray, chunk_weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rank all passages.

        Args:
            nodes: int [s] node rows where the walk restarts.
            weights: float [s] how often, before a node's share is divided by the number of chunks that mention it.
            chunks: int [p] chunk rows where it restarts as well.
            chunk_weights: float [p].

        Returns:
            (chunk rows int64 [c], mass float64 [c]), best first, ties by row. Nothing when no restart is known.
        """
        walk = self.walk()
        reset = np.zeros(walk.size + len(walk.chunks))
        known = nodes < walk.size
        np.add.at(reset, nodes[known], weights[known] / np.maximum(walk.mentions[nodes[known]], 1))
        if len(walk.chunks):
            spots = np.minimum(np.searchsorted(walk.chunks, chunks), len(walk.chunks) - 1)
            present = walk.chunks[spots] == chunks
            np.add.at(reset, walk.size + spots[present], chunk_weights[present])
        if not reset.sum() > 0:
            return np.empty(0, dtype=np.int64), np.empty(0)
        mass = personalized_pagerank(walk.transition, reset)[walk.size :]
        order = np.lexsort((walk.chunks, -mass))
        return walk.chunks[order], mass[order]


class _Walk:
    """Column-stochastic matrix over [node rows 0..size) and [chunks]; `mentions` counts chunks per node."""

    def __init__(self, size: int, chunks: np.ndarray, mentions: np.ndarray, transition: Any) -> None:
        self.size, self.chunks, self.mentions, self.transition = size, chunks, mentions, transition

    @classmethod
    def build(cls, kg: KnowledgeGraph) -> _Walk:
        from scipy import sparse  # type: ignore[import-untyped]

        indptr, neighbors = kg.adjacency().csr()
        nodes, places = kg.store.mentions()
        known = len(indptr) - 1
        size = max(known, int(nodes.max()) + 1 if len(nodes) else 0)
        indptr = np.concatenate([indptr, np.full(size - known, indptr[-1])])
        facts = sparse.csr_array((np.ones(len(neighbors)), neighbors, indptr), shape=(size, size))
        chunks = np.unique(places)
        spots = np.searchsorted(chunks, places)
        mentions = sparse.csr_array((np.ones(len(nodes)), (nodes, spots)), shape=(size, len(chunks)))
        matrix = sparse.block_array([[facts, mentions], [mentions.T, None]], format="csr") if len(chunks) else facts
        return cls(size, chunks, np.bincount(nodes, minlength=size), stochastic(matrix))


def stochastic(weights: Any) -> Any:
    """Divide each column of a square sparse matrix by its sum; empty columns stay empty."""
    from scipy import sparse

    out = np.asarray(weights.sum(axis=0)).ravel()
    return (weights @ sparse.diags_array(1.0 / np.where(out > 0, out, 1.0))).tocsr()


def personalized_pagerank(transition: Any, reset: np.ndarray, *, damping: float = DAMPING) -> np.ndarray:
    """Stationary mass of a walk that follows an edge with probability `damping` and else restarts.

    Args:
        transition: sparse [n, n], columns sum to 1, or to 0 where the walk always restarts.
        reset: float [n] not negative, not all 0: where it restarts, in proportion.

    Returns:
        float64 [n], sums to 1.
    """
    reset = reset / reset.sum()
    mass = reset
    for _ in range(_ROUNDS):
        moved = damping * (transition @ mass)
        following: np.ndarray = moved + (1.0 - moved.sum()) * reset
        if np.abs(following - mass).sum() < _TOLERANCE:
            return following
        mass = following
    return mass
