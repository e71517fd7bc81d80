"""Which experts enter the pool, from a handful of labelled questions; and which may leave it, from a handful of demonstrations.

Choosing follows Rocket (Yang et al. 2024, arXiv 2408.15915): accuracy alone is coarse with K questions, perplexity alone falls
for parrots, and both together choose the same skill several times over. Leaving follows EASY-EP (Dong et al. 2025, arXiv
2504.06792).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...kg.errors import InputError

SHORTLIST = 8  # experts of which groups are compared: 70 groups of four


@dataclass(frozen=True, slots=True)
class Selection:
    """Experts that were chosen.

    Attributes:
        names: the group, best first.
        ranks: of every expert of the bank, its rank by perplexity plus its rank by accuracy; the lower the better.
        diversity: 1 - mean cosine between two experts of the group, 0 for a single one.
    """

    names: tuple[str, ...]
    ranks: dict[str, float]
    diversity: float


def select_experts(
    names: Sequence[str], right: np.ndarray, nll: np.ndarray, vectors: np.ndarray, n: int = 4, shortlist: int = SHORTLIST
) -> Selection:
    """The `n` experts that are good on K labelled questions and unlike each other.

    Experts are ranked by perplexity and by accuracy (equal ones share the mean of their ranks). Of the `shortlist` with the
    least sum, the group wins whose sums, and whose own rank among all groups by diversity, add up to the least.

    Args:
        names: of the experts.
        right: bool [experts, K], whether the answer was right to the letter.
        nll: float [experts, K], mean nats per token of the right answer, with a rationale where there is one.
        vectors: float [experts, d], or [experts, layers, d] (cosines are then averaged over layers): flattened adapters.
        n: experts wanted.
        shortlist: experts that are left after ranking.

    Raises:
        InputError: shapes do not fit, a number is not finite, or fewer than `n` experts are there.
    """
    right, nll, vectors = np.asarray(right, np.float64), np.asarray(nll, np.float64), np.asarray(vectors, np.float64)
    if right.ndim != 2 or right.shape != nll.shape or len(names) != len(right) or len(vectors) != len(right) or not right.size:
        raise InputError("select_experts needs one row per expert and one column per question")
    if not 1 <= n <= min(shortlist, len(names)):
        raise InputError(f"{n} experts wanted of {len(names)}, of which {shortlist} are looked at")
    if not (np.isfinite(nll).all() and np.isfinite(vectors).all()):
        raise InputError("select_experts needs finite losses and vectors")
    sums = rank(np.exp(np.minimum(nll, 700)).sum(axis=1)) + rank(-right.mean(axis=1))
    best = np.argsort(sums, kind="stable")[:shortlist]
    alike = likeness(vectors[best])
    groups = np.array([*combinations(range(len(best)), n)])
    pairs = [*combinations(range(n), 2)]
    inside = np.mean([alike[groups[:, i], groups[:, j]] for i, j in pairs], axis=0) if pairs else np.ones(len(groups))
    at = int((sums[best[groups]].sum(axis=1) + rank(inside)).argmin())
    chosen = [names[i] for i in best[groups[at]]]
    return Selection(tuple(chosen), dict(zip(names, sums.tolist(), strict=True)), 1 - float(inside[at]))


def likeness(vectors: np.ndarray) -> np.ndarray:
    """Cosines between experts, float64 [n, n], averaged over layers; 0 beside an adapter that changes nothing."""
    layers = vectors.reshape(len(vectors), -1, vectors.shape[-1]).astype(np.float64)
    unit = layers / np.maximum(np.linalg.norm(layers, axis=2, keepdims=True), 1e-12)
    cosines: np.ndarray = np.einsum("ild,jld->ij", unit, unit) / layers.shape[1]
    return cosines


def rank(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 for the least, float64; equal values share the mean of their ranks."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2


def importance(gates: np.ndarray, norms: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How much each expert of a layer, or of the pool, matters on some demonstrations, float64 [experts].

    An expert counts by its gate, by the size of what it put out, and by how far all of them together turned the state. Of a pool,
    rows are questions and states are distributions over answers.

    Args:
        gates: float [tokens, experts], 0 where an expert was not called.
        norms: float [tokens, experts], length of each expert's output.
        before, after: float [tokens, d], states without and with what the routed experts put out.

    Raises:
        InputError: shapes do not fit.
    """
    if gates.shape != norms.shape or before.shape != after.shape or len(gates) != len(before):
        raise InputError("importance needs gates and norms of one shape, and two states for each of their rows")
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    turned = np.maximum(0.0, 1 - (before * after).sum(axis=1) / np.maximum(lengths, 1e-12))
    scores: np.ndarray = (gates * norms * turned[:, None]).sum(axis=0)
    return scores


def merge(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Importance over several domains: each is divided by its sum first, so that none outweighs another; float64 [experts]."""
    merged: np.ndarray = np.sum([one / max(float(one.sum()), 1e-12) for one in scores], axis=0)
    return merged


def prune(scores: np.ndarray, keep: float = 0.75, *, force: bool = False) -> np.ndarray:
    """The experts that stay, int64, in their order.

    Args:
        scores: float [experts], of `importance`.
        keep: share that stays. With less than a half, counting calls chose better in the measurements.
        force: lets `keep` be less than a half.

    Raises:
        InputError: `keep` is no share, or less than a half without `force`.
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep={keep} is no share of experts; accepted: above 0, at most 1")
    if keep < 0.5 and not force:
        raise InputError(f"keep={keep} leaves less than half of the experts; pass force=True to insist")
    count = math.ceil(keep * len(scores) - 1e-9)
    return np.sort(np.argsort(-np.asarray(scores), kind="stable")[:count])


__all__ = ["SHORTLIST", "Selection", "importance", "likeness", "merge", "prune", "rank", "select_experts"]
