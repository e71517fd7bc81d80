"""Merge rankings that do not share a scale."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Item]], *, weights: Sequence[float] | None = None, constant: int = 60
) -> list[tuple[Item, float]]:
    """Fuse rankings by the sum of `weight / (constant + rank)`, rank counted from 1.

    Cormack, Clarke and Büttcher, *Reciprocal Rank Fusion outperforms Condorcet and individual rank learning methods*
    (SIGIR 2009). An item missing from a ranking gets nothing from it; one that stands in it twice counts once, at its better
    place. Equal scores keep the order in which the items first appear, ranking by ranking.

    Args:
        rankings: items, best first.
        weights: one for each ranking; 1 for each when None.
        constant: how much the first places are levelled.

    Returns:
        (item, score), best first.

    >>> reciprocal_rank_fusion([["a", "b"], ["b", "c"]])[0][0]
    'b'
    """
    scores: dict[Item, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, item in enumerate(dict.fromkeys(ranking), start=1):
            scores[item] = scores.get(item, 0.0) + weight / (constant + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])
