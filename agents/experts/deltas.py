"""Adapters as plain arrays: several fused into one, and one split into several that add up to it.

Fusing follows LongCat-Flash-Thinking (Meituan 2025, arXiv 2509.18883): equal magnitudes, random dropping as in DARE, erasing of
minority signs as in SCE, then a sum. Splitting a trained layer follows Innovator (arXiv 2507.18671); it is exact, since a gated
feed-forward layer is a sum over its inner units, and an adapter one over its ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...kg.errors import InputError

Delta = Mapping[str, np.ndarray]  # what an adapter adds to each matrix, by the matrix's name


def fuse(
    deltas: Sequence[Delta],
    weights: Sequence[float],
    *,
    normalise: bool = True,
    drop: float = 0.2,
    erase: bool = True,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """One adapter of several, float64 arrays.

    Args:
        deltas: what each adapter adds, all to the same matrices.
        weights: of each adapter in the sum.
        normalise: scale the adapters of a matrix to their mean length first.
        drop: share of entries of each adapter that is dropped by chance; those left are scaled up by 1 / (1 - drop).
        erase: leave out entries whose sign is not that of the weighted sum at their place; where all signs agree, all stay.
        seed: of the dropping.

    Raises:
        InputError: adapters of other matrices or shapes, not one weight each, or `drop` is no share below 1.
    """
    if not deltas or len(weights) != len(deltas) or not 0 <= drop < 1:
        raise InputError("fuse needs adapters, one weight for each, and a share to drop of at least 0 and below 1")
    shapes = [{name: matrix.shape for name, matrix in delta.items()} for delta in deltas]
    if any(one != shapes[0] for one in shapes):
        raise InputError("adapters that are fused change the same matrices of the same shapes")
    rng, fused = np.random.default_rng(seed), {}
    for name in sorted(shapes[0]):
        parts = np.stack([np.asarray(delta[name], np.float64) for delta in deltas])
        if normalise:
            lengths = np.array([float(np.linalg.norm(part)) for part in parts])
            factors = np.divide(lengths.mean(), lengths, out=np.ones_like(lengths), where=lengths > 0)
            parts = parts * _along(factors, parts)
        if drop:
            parts = np.where(rng.random(parts.shape) < drop, 0.0, parts / (1 - drop))
        parts = parts * _along(np.asarray(weights, np.float64), parts)
        if erase:
            parts = np.where(np.sign(parts) == np.sign(parts.sum(axis=0)), parts, 0.0)
        fused[name] = parts.sum(axis=0)
    return fused


def split_lora(a: np.ndarray, b: np.ndarray, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """An adapter as `n` of lower rank, whose products add up to its own.

    Args:
        a: float [r, inputs].
        b: float [outputs, r].

    Raises:
        InputError: the two do not fit, or there are fewer ranks than parts.
    """
    if len(a) != b.shape[1] or not 1 <= n <= len(a):
        raise InputError(f"an adapter of rank {len(a)} (and {b.shape[1]}) cannot be split into {n}")
    return [(a[part], b[:, part]) for part in np.array_split(np.arange(len(a)), n)]


def split_ffn(gate: np.ndarray, up: np.ndarray, down: np.ndarray, n: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A gated feed-forward layer as `n` smaller ones, whose outputs add up to its own.

    Args:
        gate, up: float [inner, d].
        down: float [d, inner].

    Raises:
        InputError: they do not fit, or there are fewer inner units than parts.
    """
    inner = len(gate)
    if gate.shape != up.shape or down.shape != gate.shape[::-1] or not 1 <= n <= inner:
        raise InputError(f"a feed-forward layer of {inner} inner units cannot be split into {n}")
    return [(gate[part], up[part], down[:, part]) for part in np.array_split(np.arange(inner), n)]


def _along(factors: np.ndarray, parts: np.ndarray) -> np.ndarray:
    return factors.reshape(-1, *[1] * (parts.ndim - 1))


__all__ = ["Delta", "fuse", "split_ffn", "split_lora"]
