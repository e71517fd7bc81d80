"""Package a trained extractor: own layers to int8 ONNX, heads to safetensors, manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..artefacts import write_manifest
from ..quantised import int8
from .extractor import MODEL, WEIGHTS
from .heads import ARRAYS


def export(
    net: Any, labels: tuple[str, ...], implied: tuple[str, ...], vectors: np.ndarray, folder: Path, meta: dict[str, Any],
    layers: bytes | None = None,
) -> None:  # fmt: skip
    """Write what `DistilledExtractor.load` reads.

    Args:
        net: of `train.network`, trained.
        labels: relations it knows, in the order of its rows.
        implied: those of them to look for where no others are asked for.
        vectors: float32 [labels, d].
        folder: where to.
        meta: for the manifest; `encoder` is the id of what it stands on.
        layers: own layers as ONNX, where they are not those of `net`.
    """
    import torch
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(net, name).detach().numpy() for name in ARRAYS} | {"vectors": vectors}
    save_file({name: np.ascontiguousarray(value, np.float16) for name, value in arrays.items()}, folder / WEIGHTS)
    if layers is None:
        axes = {name: {0: "n", 1: "t"} for name in ("lower", "states")} | {"attention": {0: "n", 2: "t", 3: "t"}}
        layers = int8(net.eval(), {"lower": torch.randn(2, 8, vectors.shape[1])}, ["states", "attention"], axes)
    (folder / MODEL).write_bytes(layers)
    for file in (MODEL, WEIGHTS):
        (folder / file).chmod(0o644)
    write_manifest(folder, "extractor", [MODEL, WEIGHTS], {"labels": labels, "implied": implied, **meta})
