"""How the reader's top layers are packed after training. Needs the extra `models`."""

from __future__ import annotations

from typing import Any

from ..kg.quantised import int8
from .top import TopLayers


def packed(torch: Any, top: Any) -> TopLayers:
    """What `kg.top_layers.top_module` gave, after training."""
    axes = {name: {0: "n", 1: "t"} for name in ("lower", "states")}
    width = top.layers[0].attention.self.query.in_features
    return TopLayers(int8(top.eval(), {"lower": torch.randn(2, 7, width)}, ["states"], axes))


__all__ = ["packed"]
