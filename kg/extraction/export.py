"""Package a trained extractor: encoder to int8 ONNX, heads to safetensors, card and manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..artefacts import write_manifest
from ..quantised import int8, row_quantised
from .extractor import MODEL, TOKENIZER, WEIGHTS
from .heads import ARRAYS


def export(net: Any, labels: tuple[str, ...], vectors: np.ndarray, tokenizer: Any, folder: Path, meta: dict[str, Any]) -> None:
    """Write what `DistilledExtractor.load` reads.

    Args:
        net: of `train.network`, trained.
        labels: relations it knows, in the order of its rows.
        vectors: float32 [labels, d].
        tokenizer: of the `tokenizers` package.
        folder: where to.
        meta: for the manifest.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER))
    arrays = {name: getattr(net, name).detach().numpy().astype(np.float32) for name in ARRAYS}
    save_file({name: np.ascontiguousarray(value) for name, value in (arrays | {"vectors": vectors}).items()}, folder / WEIGHTS)
    (folder / MODEL).write_bytes(_quantised(net.encoder))
    for file in (MODEL, WEIGHTS, TOKENIZER):
        (folder / file).chmod(0o644)
    write_manifest(folder, "extractor", [MODEL, WEIGHTS, TOKENIZER], {"labels": list(labels), **meta})


def _quantised(encoder: Any) -> bytes:
    """Ids and mask to token states, as int8 ONNX."""
    import torch

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = encoder

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    encoder.set_attn_implementation("eager")
    model = States().eval()
    model.model.embeddings.word_embeddings = row_quantised(model.model.embeddings.word_embeddings.weight.data)
    sample = torch.ones(2, 8, dtype=torch.long)
    axes = {name: {0: "n", 1: "t"} for name in ("input_ids", "attention_mask", "token_states")}
    return int8(model, {"input_ids": sample, "attention_mask": sample}, ["token_states"], axes)
