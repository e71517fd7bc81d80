"""The top layers of the encoder as torch trains them, and how they are packed. Needs the extra `models`."""

from __future__ import annotations

from typing import Any

from ..kg.quantised import int8
from .encoder import LOWER
from .export_encoder import original
from .top import TopLayers


def top_module(torch: Any) -> Any:
    """The layers after the first `LOWER` as the original has them; `forward` takes their input [n, t, d] and real tokens [n, t].

    Raises:
        MissingExtraError: the extra is not installed.
        ArtefactError: the weights are not the known ones.
    """
    origin = original()
    from transformers import AutoModel

    class Top(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = AutoModel.from_pretrained(origin, attn_implementation="eager").encoder.layer[LOWER:]

        def forward(self, states: Any, mask: Any = None) -> Any:
            hidden = None if mask is None else (~mask)[:, None, None].float() * -1e9
            for layer in self.layers:
                given = layer(states, attention_mask=hidden)
                states = given[0] if isinstance(given, tuple) else given
            return states

    return Top()


def packed(torch: Any, top: Any) -> TopLayers:
    """What `top_module` gave, after training."""
    axes = {name: {0: "n", 1: "t"} for name in ("lower", "states")}
    width = top.layers[0].attention.self.query.in_features
    return TopLayers(int8(top.eval(), {"lower": torch.randn(2, 7, width)}, ["states"], axes))


__all__ = ["packed", "top_module"]
