"""Package a trained extractor: encoder to int8 ONNX, heads to safetensors, card and manifest."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..artefacts import write_manifest
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
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copyfile(_quantised(net.encoder, Path(scratch)), folder / MODEL)
    for file in (MODEL, WEIGHTS, TOKENIZER):
        (folder / file).chmod(0o644)
    write_manifest(folder, "extractor", [MODEL, WEIGHTS, TOKENIZER], {"labels": list(labels), **meta})


def _quantised(encoder: Any, scratch: Path) -> Path:
    """The encoder as ONNX: matrices int8 per channel, word embeddings int8 per row."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]
    from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = encoder

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    encoder.set_attn_implementation("eager")
    model = States().eval()
    model.model.embeddings.word_embeddings = _row_quantised(model.model.embeddings.word_embeddings.weight.data)
    sample = torch.ones(2, 8, dtype=torch.long)
    torch.onnx.export(
        model,
        (sample, sample),
        str(scratch / "fp32.onnx"),
        dynamo=False,
        opset_version=17,
        input_names=["input_ids", "attention_mask"],
        output_names=["token_states"],
        dynamic_axes={name: {0: "n", 1: "t"} for name in ("input_ids", "attention_mask", "token_states")},
    )
    quant_pre_process(str(scratch / "fp32.onnx"), str(scratch / "prepared.onnx"), skip_symbolic_shape=True)
    quantize_dynamic(
        scratch / "prepared.onnx",
        scratch / "int8.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul"],
        nodes_to_exclude=["/model/encoder/layer.0/output/dense/MatMul"],
        extra_options={"MatMulConstBOnly": True},
    )
    return scratch / "int8.onnx"


def _row_quantised(weight: Any) -> Any:
    import torch

    class RowQuantised(torch.nn.Module):
        codes: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            self.register_buffer("codes", (weight / scale).round().to(torch.int8))
            self.register_buffer("scale", scale)

        def forward(self, ids: Any) -> Any:
            return self.codes[ids].float() * self.scale[ids]

    return RowQuantised()
