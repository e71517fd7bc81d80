"""Small transformers as int8 ONNX: made from torch modules, opened for one thread, and what goes into and out of them.

Matrices are quantised per channel and word embeddings per row; per tensor, the cosine to the fp32 vectors of the encoder falls
from .996 to .958. One matrix keeps fp32 because its inputs (after the first GELU) have the widest outliers.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ArtefactError

KEPT_FP32 = "/model/encoder/layer.0/output/dense/MatMul"


def open_session(model: bytes | Path) -> Any:
    """An int8 model for one thread."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # encode() runs texts side by side instead
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1")  # else sums saturate on CPUs without VNNI
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def cores() -> int:
    """Texts that can be run side by side."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def clean(text: str) -> str:
    """The text with what UTF-8 cannot hold (lone surrogates) and NUL replaced one for one, so that offsets still fit."""
    if "\0" not in text and text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" or c == "\0" else c for c in text)


def finite(values: np.ndarray, model: str) -> np.ndarray:
    """`values` unchanged.

    Raises:
        ArtefactError: one of them is NaN or infinite; such a vector would poison every search after it.
    """
    if not np.isfinite(values).all():
        raise ArtefactError(f"{model}: the model gave numbers that are not finite")
    return values


def int8(model: Any, inputs: dict[str, Any], outputs: list[str], axes: dict[str, dict[int, str]]) -> bytes:
    """A torch module as int8 ONNX, weights per channel.

    Args:
        model: in evaluation mode.
        inputs: an example of each, in the order of its arguments.
        outputs: names of what it returns.
        axes: of each input and output, the axes whose length may change.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]
    from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as scratch:
        plain, prepared, made = (Path(scratch) / name for name in ("fp32.onnx", "prepared.onnx", "int8.onnx"))
        torch.onnx.export(
            model,
            tuple(inputs.values()),
            str(plain),
            dynamo=False,
            opset_version=17,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=axes,
        )
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            made,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=[KEPT_FP32],
            extra_options={"MatMulConstBOnly": True},
        )
        return made.read_bytes()


def row_quantised(weight: Any) -> Any:
    """An embedding table [v, d] as int8 codes with one scale per row: onnxruntime itself would take one for the table."""
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


__all__ = ["clean", "cores", "finite", "int8", "open_session", "row_quantised"]
