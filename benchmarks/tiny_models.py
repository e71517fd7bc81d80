"""Small causal transformers, trained here and now, on facts that are tokens: `first last relation value`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

torch.set_num_threads(1)


class Feed(torch.nn.Module):
    """A gated feed-forward layer."""

    def __init__(self, d: int, inner: int) -> None:
        super().__init__()
        self.gate, self.up = torch.nn.Linear(d, inner, bias=False), torch.nn.Linear(d, inner, bias=False)
        self.down = torch.nn.Linear(inner, d, bias=False)

    def forward(self, x: Any) -> Any:
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class Mixture(torch.nn.Module):
    """One shared expert and `n` routed ones, of which each token gets two; `allowed` masks the router."""

    def __init__(self, d: int, inner: int, n: int) -> None:
        super().__init__()
        self.shared, self.experts = Feed(d, inner), torch.nn.ModuleList(Feed(d, inner) for _ in range(n))
        self.router = torch.nn.Linear(d, n, bias=False)
        self.allowed = torch.ones(n, dtype=torch.bool)
        self.seen: dict[str, np.ndarray] = {}
        self.balance: Any = 0.0
        self.stream: Any = None  # what the layer adds to, for the states before and after the routed experts

    def forward(self, x: Any) -> Any:
        flat = x.reshape(-1, x.shape[-1])
        p = self.router(flat).masked_fill(~self.allowed, -1e9).softmax(-1)
        top, at = p.topk(2, -1)
        gates = torch.zeros_like(p).scatter(1, at, top / top.sum(-1, keepdim=True))
        outs = torch.stack([expert(flat) for expert in self.experts], 1)
        self.balance = len(self.experts) * ((gates > 0).float().mean(0) / 2 * p.mean(0)).sum()
        routed = (gates[:, :, None] * outs).sum(1)
        if not self.training:
            common = self.stream.reshape(flat.shape) + self.shared(flat)
            kept = {"gates": gates, "norms": outs.norm(dim=2), "before": common, "after": common + routed}
            self.seen = {name: value.detach().numpy() for name, value in kept.items()}
        return (self.shared(flat) + routed).reshape(x.shape)


class Layer(torch.nn.Module):
    """Attention and feed-forward, normalised before."""

    def __init__(self, d: int, heads: int, feed: Any) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.qkv, self.out, self.feed = torch.nn.Linear(d, 3 * d), torch.nn.Linear(d, d), feed

    def forward(self, x: Any) -> Any:
        n, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(n, t, d))
        if isinstance(self.feed, Mixture):
            self.feed.stream = x
        return x + self.feed(self.norm2(x))


class Tiny(torch.nn.Module):
    """Tokens [n, t] to logits [n, t, vocabulary]; the embedding is also the way out."""

    def __init__(
        self, vocabulary: int, d: int = 48, layers: int = 2, inner: int = 96, experts: int = 0, length: int = 12
    ) -> None:
        super().__init__()
        self.embed, self.place = torch.nn.Embedding(vocabulary, d), torch.nn.Embedding(length, d)
        torch.nn.init.normal_(self.embed.weight, std=0.1)
        torch.nn.init.normal_(self.place.weight, std=0.1)
        feeds = [Mixture(d, inner, experts) if experts else Feed(d, inner) for _ in range(layers)]
        self.layers = torch.nn.ModuleList(Layer(d, 4, feed) for feed in feeds)
        self.norm = torch.nn.LayerNorm(d)

    def forward(self, ids: Any) -> Any:
        x = self.embed(ids) + self.place.weight[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) @ self.embed.weight.T


@dataclass(frozen=True)
class Facts:
    """Facts as tokens, int64 [n, 4], and which relation each is of; values of a relation have tokens of their own."""

    tokens: np.ndarray
    relation: np.ndarray
    vocabulary: int
    values: int


def facts(entities: int, relations: int, values: int, seed: int) -> Facts:
    """Every entity with every relation; names are pairs of a first and a last name, values drawn alike."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(entities)))
    pairs = rng.permutation(side * side)[:entities]
    who, relation = np.repeat(np.arange(entities), relations), np.tile(np.arange(relations), entities)
    value = 2 * side + relations + relation * values + rng.integers(values, size=len(who))
    tokens = np.stack([pairs[who] // side, side + pairs[who] % side, 2 * side + relation, value], 1)
    return Facts(tokens, relation, 2 * side + relations + relations * values, values)


def last_loss(model: Any, ids: np.ndarray) -> Any:
    """Nats of each row's last token, [n]."""
    rows = torch.as_tensor(ids)
    return functional.cross_entropy(model(rows[:, :-1])[:, -1], rows[:, -1], reduction="none")


def nats(model: Any, ids: np.ndarray) -> np.ndarray:
    """Nats of each row's last token, without training anything."""
    with torch.no_grad():
        return last_loss(model.eval(), ids).numpy()


def recalled(model: Any, ids: np.ndarray) -> np.ndarray:
    """Whether each row's last token is what the model would say, bool [n]."""
    with torch.no_grad():
        return (model.eval()(torch.as_tensor(ids[:, :-1]))[:, -1].argmax(-1).numpy()) == ids[:, -1]


def fit(
    model: Any, loss: Callable[[int], Any], steps: int, rate: float, parameters: Sequence[Any] | None = None, decay: float = 0.01
) -> None:
    """AdamW with one cycle over `steps` of `loss(step)`."""
    trained = [p for p in (parameters or list(model.parameters())) if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    model.train()
    for step in range(steps):
        optimiser.zero_grad()
        loss(step).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        cycle.step()


def batches(ids: np.ndarray, size: int, seed: int) -> Callable[[], np.ndarray]:
    """Rows in a new order at each pass, `size` at a time."""
    rng, order = np.random.default_rng(seed), np.zeros(0, np.int64)

    def draw() -> np.ndarray:
        nonlocal order
        if len(order) < size:
            order = np.concatenate([order, *(rng.permutation(len(ids)) for _ in range(1 + size // len(ids)))])
        rows, order = order[:size], order[size:]
        return ids[rows]

    return draw
