"""Adapters in torch: routed ones that keep what the student knows, and singular-value ones. Needs the extra `models`.

`loramoe_linear` and its loss follow LoRAMoE (Dou et al. 2023, arXiv 2312.09979): the first half of the adapters of a layer is to
keep memory, the second to learn a skill. On the students measured here, they kept no more than one LoRA of as many parameters.
KaSA (Wang et al. 2024, arXiv 2412.06071) is peft's; it changes the base for good, so a
process that makes such an adapter has a base of its own, and `checksum` tells whether one is still as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, Literal

from ...kg.errors import InputError, MissingExtraError
from ...retrieval.train_reader import import_torch

_ALPHA = 32
FEED_FORWARD = ("gate", "up", "down", "gate_proj", "up_proj", "down_proj")  # names of the projections that get adapters


def loramoe_linear(base: Any, n: int = 4, r: int = 4) -> Any:
    """A frozen linear layer with `n` routed adapters of rank `r`; to begin with, it is the layer and nothing else.

    Args:
        base: torch.nn.Linear; it is frozen.

    Raises:
        InputError: no adapters or no rank.
        MissingExtraError: torch is not installed.
    """
    torch = import_torch()
    if n < 1 or r < 1:
        raise InputError(f"{n} adapters of rank {r}: at least one of each is needed")
    return _routed(torch, base, n, r)


def _routed(torch: Any, base: Any, n: int, r: int) -> Any:
    class LoRAMoELinear(torch.nn.Module):  # type: ignore[misc]
        """y = W x + (alpha / r) sum_i G_i(x) B_i A_i x, G a softmax; `mass` is G of the last call, [..., n]."""

        def __init__(self) -> None:
            super().__init__()
            self.base = base.requires_grad_(False)
            self.a = torch.nn.Parameter(torch.randn(n, r, base.in_features) / base.in_features**0.5)
            self.b = torch.nn.Parameter(torch.zeros(n, base.out_features, r))
            self.router = torch.nn.Linear(base.in_features, n, bias=False)
            self.mass: Any = None

        def forward(self, x: Any) -> Any:
            self.mass = self.router(x).softmax(-1)
            low = torch.einsum("...d,nrd->...nr", x, self.a) * self.mass[..., None]
            return self.base(x) + (_ALPHA / r) * torch.einsum("...nr,nor->...o", low, self.b)

    return LoRAMoELinear()


def add_loramoe(model: Any, n: int = 4, r: int = 4, names: Collection[str] = FEED_FORWARD) -> list[Any]:
    """Freeze a model and give its feed-forward projections routed adapters, in place; the layers that were added.

    Raises:
        InputError: it has no linear layer of such a name.
    """
    torch = import_torch()
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if name in names and isinstance(child, torch.nn.Linear)
    ]
    if not found:
        raise InputError(f"the model has no linear layer named {', '.join(names)}")
    model.requires_grad_(False)
    added = []
    for parent, name, child in found:
        layer = loramoe_linear(child, n, r)
        setattr(parent, name, layer)
        added.append(layer)
    return added


def localized_balance_loss(layers: Collection[Any], skill: Any, delta: float = 0.1, weight: float = 0.1) -> Any:
    """How unevenly the routers of the last call spread over samples and adapters, when each sample's own half counts more.

    The first half is for samples of memory, the second for those of skill: mass there counts 1 + delta, elsewhere 1 - delta. The
    loss is the squared coefficient of variation, mean over layers. It is least where the weighed masses are equal, so a positive
    delta, as published, moves a little mass away from a sample's own half; a negative one moves it there. Neither kept
    more facts on the students measured here, so nothing uses it by default.

    Args:
        layers: of `add_loramoe`, after a forward pass over [samples, tokens, d].
        skill: bool tensor [samples], whether a sample teaches the skill.

    Raises:
        InputError: no layers, or they were not called yet.
    """
    torch = import_torch()
    if not layers or any(layer.mass is None for layer in layers):
        raise InputError("localized_balance_loss needs routed layers after a forward pass")
    total: Any = 0.0
    for layer in layers:
        mass = layer.mass.flatten(1, -2).sum(1)  # [samples, n]
        second = torch.arange(mass.shape[1], device=mass.device) >= mass.shape[1] // 2
        weighed = mass * torch.where(skill[:, None] == second[None], 1 + delta, 1 - delta)
        total = total + weighed.var(unbiased=False) / weighed.mean() ** 2
    return weight * total / len(layers)


def make_adapter(model: Any, kind: Literal["lora", "kasa"], rank: int = 8, names: Collection[str] = FEED_FORWARD) -> Any:
    """The model with one adapter of peft's around its feed-forward projections. With `kasa`, the base is changed for good.

    Raises:
        InputError: another kind.
        MissingExtraError: peft is not installed, or too old to know KaSA.
    """
    if kind not in ("lora", "kasa"):
        raise InputError(f"no adapter of kind {kind!r}; accepted: lora, kasa")
    try:
        import peft
    except ImportError as error:
        raise MissingExtraError("an adapter", "models") from error
    if kind == "kasa" and not hasattr(peft, "KasaConfig"):
        raise MissingExtraError("KaSA (a newer peft)", "models")
    own = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    more: dict[str, Any] = {"kasa_config": peft.KasaConfig()} if kind == "kasa" else {}
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=sorted(own & {*names}), **more)
    return peft.get_peft_model(model, config)


def kasa_penalty(model: Any) -> Any:
    """What a KaSA adapter's loss adds to that of the task, of peft's own weights."""
    return model.base_model._get_kasa_loss()


def checksum(model: Any) -> str:
    """SHA-256 over the base's weights by name, adapters left out: whether a base is still the one it was."""
    digest = hashlib.sha256()
    weights = {
        name.removeprefix("base_model.model.").replace(".base_layer.", "."): value
        for name, value in model.state_dict().items()
        if "lora_" not in name
    }
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()


__all__ = [
    "FEED_FORWARD", "add_loramoe", "checksum", "kasa_penalty", "localized_balance_loss", "loramoe_linear", "make_adapter",
]  # fmt: skip
