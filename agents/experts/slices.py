"""A trained feed-forward layer as routed slices: at first all of them work, and then a router learns which ones each token needs.

After Innovator (arXiv 2507.18671), without its pretraining: the slices add up to the layer exactly, and nothing but the router is
trained. Needs the extra `models`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ...kg.errors import InputError
from ...retrieval.train_reader import import_torch

_NAMES = (("gate", "up", "down"), ("gate_proj", "up_proj", "down_proj"))
_RATE = 1e-2


def add_slices(model: Any, n: int) -> list[Any]:
    """Make every gated (SiLU) feed-forward layer of a model `n` routed slices, in place; the layers that were made.

    Each has `active`, the number of slices per token, to begin with all; all weights but the routers' are frozen.

    Raises:
        InputError: the model has no such layer, or one with fewer inner units than slices.
        MissingExtraError: torch is not installed.
    """
    torch = import_torch()
    found = [
        (parent, name, child, [getattr(child, part) for part in parts])
        for parent in model.modules()
        for name, child in parent.named_children()
        for parts in _NAMES
        if all(hasattr(child, part) for part in parts)
    ]
    if not found or any(not 2 <= n <= parts[0].out_features for *_, parts in found):
        raise InputError(f"the model has no gated feed-forward layer that could be split into {n}")
    model.requires_grad_(False)
    made = []
    for parent, name, child, parts in found:
        layer = _sliced(torch, child, parts, n)
        setattr(parent, name, layer)
        made.append(layer)
    return made


def _sliced(torch: Any, base: Any, parts: list[Any], n: int) -> Any:
    gate, up, down = parts
    slice_of = torch.arange(gate.out_features) * n // gate.out_features

    class Slices(torch.nn.Module):  # type: ignore[misc]
        """The sum of the `active` slices that the router likes best; with all of them, the layer itself to the bit."""

        def __init__(self) -> None:
            super().__init__()
            self.base, self.router, self.active = base, torch.nn.Linear(gate.in_features, n, bias=False), n

        def forward(self, x: Any) -> Any:
            if self.active == n:
                return self.base(x)
            share = self.router(x).softmax(-1)
            chosen = torch.zeros_like(share).scatter(-1, share.topk(self.active, -1).indices, 1.0)
            mask = chosen + share - share.detach()  # ones and zeros, with the gradient of the shares
            return down(torch.nn.functional.silu(gate(x)) * up(x) * mask[..., slice_of])

    return Slices()


def warm_router(layers: Collection[Any], loss: Callable[[], Any], steps: int, active: int) -> None:
    """Let the routers learn, and nothing else, which `active` slices of each token to use.

    Args:
        layers: of `add_slices`.
        loss: of one batch, on the model that holds them.

    Raises:
        InputError: no layers, or no such number of slices.
    """
    torch = import_torch()
    if not layers or any(not 1 <= active <= layer.router.out_features for layer in layers):
        raise InputError(f"active={active}: no such number of slices")
    for layer in layers:
        layer.active = active
    routers = [parameter for layer in layers for parameter in layer.router.parameters()]
    optimiser = torch.optim.AdamW(routers, lr=_RATE, weight_decay=0.0)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()


__all__ = ["add_slices", "warm_router"]
