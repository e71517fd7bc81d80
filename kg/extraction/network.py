"""The extractor in torch, and what it is trained to lessen. `heads` computes the same in numpy. Needs the extra `models`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..top_layers import top_module
from .examples import TYPES
from .extractor import LOWER
from .heads import IMPLIED, NEAR, STATED, TINY
from .windows import Window

HIDDEN, MENTION, PAIR = 384, 256, 160
UNKNOWN, BEGIN, INSIDE = -1, -2, -3  # gold tags: nothing known; a mention of a type not known


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An example as arrays.

    Attributes:
        lower: states of the window below the layers to train, float16 [t, h]; of layers that stay, their own states.
        attention: of layers that stay, float16 [heads, t, t].
        tags: gold, int64 [w]: columns of the tag logits, or `UNKNOWN`, `BEGIN`, `INSIDE`.
        mentions: (first word, last word, entity), also of entities that nobody marked.
        relations: labels of pairs of entities; -1 is a subject that is not named, so that any other may be it.
        allowed: bool [labels], those that may hold in this text.
        threshold: `IMPLIED` or `STATED`.
    """

    window: Window
    lower: np.ndarray
    attention: np.ndarray | None
    tags: np.ndarray
    mentions: list[tuple[int, int, int]]
    relations: dict[tuple[int, int], list[int]]
    allowed: np.ndarray
    threshold: int


def network(labels: int) -> Any:
    """Own layers and heads for so many labels; parameters of the heads are named as in `heads.ARRAYS`."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.top = top_module(torch, LOWER)
            self.top.layers[-1].attention.self.register_forward_hook(self._keep)
            for layer in self.top.layers:  # attention is read itself, and drawing for all of it would take a third of the time
                layer.attention.self.dropout.p = 0.0

            def matrix(*shape: int) -> torch.nn.Parameter:
                return torch.nn.Parameter(torch.randn(*shape) / shape[0] ** 0.5)

            self.tag, self.tag_bias = matrix(HIDDEN, 1 + 2 * len(TYPES)), torch.nn.Parameter(torch.zeros(1 + 2 * len(TYPES)))
            self.mention, self.mention_bias = matrix(2 * HIDDEN, MENTION), torch.nn.Parameter(torch.zeros(MENTION))
            self.head, self.tail, self.near = matrix(MENTION, MENTION), matrix(MENTION, MENTION), matrix(NEAR, MENTION)
            self.context = matrix(HIDDEN, MENTION)
            self.pair, self.label = matrix(MENTION, PAIR), matrix(HIDDEN, PAIR)
            self.threshold = torch.nn.Parameter(torch.zeros(2, PAIR))
            self.shift = torch.nn.Parameter(torch.zeros(2), requires_grad=False)  # set by `calibrate`
            self.bias, self.known = torch.nn.Parameter(torch.zeros(labels)), torch.nn.Parameter(torch.zeros(labels, PAIR))
            self.drop = torch.nn.Dropout(0.1)

        def _keep(self, module: Any, given: Any, output: Any) -> None:
            self._attention = output[1]

        def forward(self, lower: Any, mask: Any = None) -> tuple[Any, Any]:
            """Token states [n, t, h] and their attention [n, heads, t, t]."""
            return self.drop(self.top(lower, mask)), self._attention

    return Network()


def reading(net: Any, items: Sequence[Item]) -> list[tuple[Any, Any]]:
    """Token states [t, h] and attention [heads, t, t] of each item, by its own layers or as they were given."""
    import torch

    if items[0].attention is not None:
        return [(net.drop(_floats(item.lower)), _floats(item.attention)) for item in items]
    sizes = [len(item.lower) for item in items]
    lower = torch.nn.utils.rnn.pad_sequence([_floats(item.lower) for item in items], batch_first=True)
    states, attention = net(lower, torch.arange(max(sizes)) < torch.tensor(sizes)[:, None])
    return [(states[row, :size], attention[row, :, :size, :size]) for row, size in enumerate(sizes)]


def _floats(array: Any) -> Any:
    import torch

    return torch.from_numpy(array.astype(np.float32))


def tag_loss(net: Any, states: Any, item: Item) -> Any:
    """Cross-entropy of the tags that are known; of a mention whose type is not, of the sum over types."""
    import torch

    tags = torch.from_numpy(item.tags)
    logs = torch.log_softmax(states[torch.from_numpy(item.window.first)] @ net.tag + net.tag_bias, dim=1)
    known = tags >= 0
    parts = [-logs[known, tags[known]]]
    for code, column in ((BEGIN, 0), (INSIDE, 1)):
        parts.append(-torch.logsumexp(logs[tags == code, 1:].reshape(-1, len(TYPES), 2)[:, :, column], dim=1))
    every = torch.cat(parts)
    return every.mean() if len(every) else states.sum() * 0


def pooled(net: Any, states: Any, attention: Any, item: Item, vectors: Any, forget: bool = False) -> tuple[Any, np.ndarray]:
    """Logits of pairs of entities [pairs, 1 + labels], and which pairs.

    Args:
        net: of `network`.
        states, attention: of one text, [t, h] and [heads, t, t].
        item: the text.
        vectors: of the labels, [labels, h].
        forget: compare known labels by their vectors alone.
    """
    import torch

    window, gelu = item.window, torch.nn.functional.gelu
    entity = np.array([m[2] for m in item.mentions], np.int64)
    i, j = (np.ravel(x) for x in np.meshgrid(np.arange(len(entity)), np.arange(len(entity)), indexing="ij"))
    i, j = (x[entity[i] != entity[j]] for x in (i, j))
    if not len(i):
        return states.sum() * 0 + states.new_zeros(0, 1 + len(vectors)), np.zeros((0, 2), np.int64)
    first = torch.from_numpy(window.first[[m[0] for m in item.mentions]])
    last = torch.from_numpy(window.last[[m[1] for m in item.mentions]])
    sentence = window.sentence[[m[0] for m in item.mentions]]
    near = torch.from_numpy(np.minimum(np.abs(sentence[i] - sentence[j]), NEAR - 1))
    m = gelu(torch.cat([states[first], states[last]], dim=1) @ net.mention + net.mention_bias, approximate="tanh")
    both, which = np.unique(np.sort(np.stack([i, j], axis=1), axis=1), axis=0, return_inverse=True)
    context = _shared(attention[:, first] + attention[:, last], both) @ (states @ net.context)
    sides = (m @ net.head)[i] + (m @ net.tail)[j] + net.near[near] + context[torch.from_numpy(which.ravel())]
    u = net.drop(gelu(sides, approximate="tanh"))
    rows = vectors @ net.label + (0 if forget else net.known)
    bias = torch.cat([net.shift[item.threshold][None], net.bias * 0 if forget else net.bias])
    logits = (u @ net.pair) @ torch.cat([net.threshold[item.threshold][None], rows]).T + bias
    pairs, which = np.unique(np.stack([entity[i], entity[j]], axis=1), axis=0, return_inverse=True)
    return _log_sum_exp(logits, torch.from_numpy(which.ravel()), len(pairs)), pairs


def _shared(attention: Any, pairs: np.ndarray) -> Any:
    """How much both mentions of a pair attend to each token [pairs, t], from that of each [heads, mentions, t]."""
    i, j = pairs.T
    weights = sum(head[i] * head[j] for head in attention)
    return weights / weights.sum(dim=1, keepdim=True).clamp(min=TINY)


def _log_sum_exp(values: Any, groups: Any, count: int) -> Any:
    """Of the rows of each group, [count, columns]."""
    import torch

    top = torch.full((count, values.shape[1]), -torch.inf)
    top = top.scatter_reduce(0, groups[:, None].expand_as(values), values.detach(), "amax")
    total = torch.zeros_like(top).scatter_add(0, groups[:, None].expand_as(values), torch.exp(values - top[groups]))
    return top + torch.log(total)


def _held(pairs: np.ndarray, columns: int, item: Item) -> Any:
    """Which relations hold, bool [pairs, columns]; the first column is the threshold's."""
    import torch

    held = torch.zeros((len(pairs), columns), dtype=torch.bool)
    for row, (s, o) in enumerate(pairs.tolist()):
        held[row, [1 + label for label in item.relations.get((s, o), ())]] = True
    return held


def relation_loss(logits: Any, pairs: np.ndarray, item: Item) -> Any:
    """Adaptive thresholding, summed over pairs: relations that hold must be above the threshold (column 0), others below it."""
    import torch

    held = _held(pairs, logits.shape[1], item)
    allowed = torch.from_numpy(np.concatenate([[True], item.allowed]))
    zero = torch.zeros_like(held)
    zero[:, 0] = True
    some = held.any(dim=1)
    above = torch.where(held | zero, logits, -torch.inf)
    up = -(torch.where(held, logits - torch.logsumexp(above, dim=1, keepdim=True), 0.0)).sum(dim=1)[some]
    doubtful = _held(np.stack([np.full(len(pairs), -1), pairs[:, 1]], axis=1), logits.shape[1], item)
    below = torch.where(~held & ~doubtful & allowed, logits, -torch.inf)
    down = torch.logsumexp(below, dim=1) - logits[:, 0]
    return up.sum() + down.sum()


def calibrate(net: Any, items: Sequence[Item], vectors: Any) -> tuple[float, float]:
    """Set the shift of each threshold to what gives these items the best F1 of relations; returns those F1."""
    import torch

    net.eval().shift.data.zero_()
    best = [0.0, 0.0]
    for threshold in (IMPLIED, STATED):
        margins, gold, total = [torch.zeros(0)], [torch.zeros(0, dtype=torch.bool)], 0
        for item in (one for one in items if one.threshold == threshold):
            with torch.inference_mode():
                logits, pairs = pooled(net, *reading(net, [item])[0], item, vectors)
            margins.append((logits[:, 1:] - logits[:, :1])[:, item.allowed].flatten())
            gold.append(_held(pairs, logits.shape[1], item)[:, 1:][:, item.allowed].flatten())
            total += sum(map(len, item.relations.values()))
        margin, order = torch.cat(margins).sort(descending=True)
        hits = torch.cat(gold)[order].cumsum(0)
        f1 = 2 * hits / (torch.arange(1, len(hits) + 1) + total)
        if len(f1):
            net.shift.data[threshold], best[threshold] = margin[f1.argmax()].item() - 1e-4, f1.max().item()
    return best[0], best[1]


__all__ = [
    *("BEGIN", "HIDDEN", "INSIDE", "UNKNOWN", "Item"),
    *("calibrate", "network", "pooled", "reading", "relation_loss", "tag_loss"),
]
