"""Rare things to ask about: bindings of a pattern, searched variable by variable, the rarest kept.

The search of LINK (Li et al. 2023) with the graph in place of language models: the critic is the store (a binding is kept while
the rest of the pattern can be walked from it), the likelihood that orders it is how often a thing occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...kg.mining import PatternMiner

_BEAM, _KEPT = 200, 0.75
Binding = tuple[int, ...]  # the nodes of a walk, the seed first


def bindings(
    patterns: PatternMiner,
    steps: Sequence[int],
    frequency: np.ndarray,
    *,
    tail: bool = True,
    beam: int = _BEAM,
    seeds: Callable[[int], bool] | None = None,
) -> list[Binding]:
    """Walks along the steps through rare nodes (or frequent ones), the rarest (or most frequent) first.

    Args:
        patterns: of the graph.
        steps: step codes.
        frequency: [nodes] how often each node occurs.
        tail: rare ones.
        beam: partial bindings kept at each step, of the three quarters that are the rarest.
        seeds: node rows that may begin one; all where None.
    """
    sign = 1 if tail else -1
    first = np.flatnonzero(patterns.alive(tuple(steps)))
    first = first[np.argsort(sign * frequency[first], kind="stable")]
    allowed = (row for row in first.tolist() if seeds is None or seeds(row))
    found: list[Binding] = [(row,) for row, _ in zip(allowed, range(beam), strict=False)]
    for at, code in enumerate(steps):
        rest = patterns.alive(tuple(steps[at + 1 :]))
        matrix = patterns.matrices[code]
        grown: list[Binding] = []
        for one in found:
            nodes = matrix.indices[matrix.indptr[one[-1]] : matrix.indptr[one[-1] + 1]]
            nodes = nodes[rest[nodes]]
            nodes = nodes[np.argsort(sign * frequency[nodes], kind="stable")][: beam + len(one)]
            grown += [(*one, node) for node in nodes.tolist() if node not in one]
        grown.sort(key=lambda one: (sign * int(frequency[one[-1]]), one))
        found = grown[: min(beam, max(1, round(_KEPT * len(grown))))]
    return sorted(found, key=lambda one: (sign * sum(int(frequency[node]) for node in one), one))


def rarest(frequency: np.ndarray, share: float = 0.2) -> int:
    """The frequency up to which a node counts as rare: that of the rarest `share` of those that occur."""
    return int(np.quantile(frequency[frequency > 0], share)) if (frequency > 0).any() else 0


__all__ = ["Binding", "bindings", "rarest"]
