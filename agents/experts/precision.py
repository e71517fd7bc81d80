"""How few bits the weights of an expert may have, by what calibration says.

After EdgeMoE (Yi et al. 2023, arXiv 2308.14352): the width of an expert is lowered where the loss on calibration data allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...kg.errors import InputError

WIDTHS = {"float32": 32, "float16": 16, "int8": 8, "int4": 4}  # bits of a weight
Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Precision:
    """The width that was chosen.

    Attributes:
        dtype: one of `WIDTHS`.
        losses: nats on calibration data of each width that was tried, widest first.
    """

    dtype: str
    losses: dict[str, float]


def lowered(weights: np.ndarray, dtype: str) -> np.ndarray:
    """The weights as they are after being stored in so many bits, float32; integers take one scale per row.

    Raises:
        InputError: no such width.
    """
    if dtype not in WIDTHS:
        raise InputError(f"no width {dtype!r}; accepted: {', '.join(WIDTHS)}")
    whole = np.asarray(weights, np.float32)
    if dtype == "float32" or not whole.size:
        return whole
    if dtype == "float16":
        return np.clip(whole, -65504, 65504).astype(np.float16).astype(np.float32)
    top = 2 ** (WIDTHS[dtype] - 1) - 1
    scale = np.maximum(np.abs(whole).max(axis=-1, keepdims=True), np.float32(1e-30)) / top
    rounded: np.ndarray = (np.round(whole / scale) * scale).astype(np.float32)
    return rounded


def fit_precision(weights: Weights, loss: Callable[[Weights], float], tolerance: float) -> Precision:
    """The narrowest width up to which no loss was more than `tolerance` above that of the full weights.

    Args:
        weights: matrices of one expert by name.
        loss: nats on calibration data with these weights in place.
        tolerance: nats that may be lost.

    Raises:
        InputError: the tolerance is negative.
    """
    if not tolerance >= 0:
        raise InputError(f"tolerance={tolerance}: nats that may be lost cannot be negative")
    losses: dict[str, float] = {}
    chosen = "float32"
    for dtype in WIDTHS:
        losses[dtype] = float(loss({name: lowered(matrix, dtype) for name, matrix in weights.items()}))
        if not losses[dtype] <= losses["float32"] + tolerance:
            break
        chosen = dtype
    return Precision(chosen, losses)


__all__ = ["WIDTHS", "Precision", "fit_precision", "lowered"]
