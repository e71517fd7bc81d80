"""Train the extractor: `python -m hoptrace.kg.extraction.train FOLDER --documents FILE --sentences FILE [--epochs N]`.

Trains top layers, which start as those of all-MiniLM-L6-v2, over the lower layers of the packaged encoder, with the heads on
them. Documents (Re-DocRED) have all their entities and relations marked; sentences (Text2KGBench) what their ontology asks of
their subject: each has a threshold of its own. Names that rules see and nobody marked are entities without relations. One
text in twenty is kept to set the thresholds by. A checkpoint is written after every epoch, and the same command goes on from it.
Needs the extra `models`.
"""

from __future__ import annotations

import argparse
import os
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..ingest.dates import find_dates
from ..ingest.rules import RuleExtractor
from ..model import Document, normalize
from ..quantised import open_session
from ..top_layers import SOURCE, original
from ..transformer import Transformer, after
from .examples import TYPES, Example, plain, read_documents, read_sentences
from .export import export
from .extractor import LOWER, MODEL, WEIGHTS, read_states
from .heads import ARRAYS, IMPLIED, STATED
from .network import BEGIN, INSIDE, UNKNOWN, Item, calibrate, network, pooled, reading, relation_loss, tag_loss
from .windows import Window, windows

_TOKENS, _RATE, _HEAD_RATE, _WARM_UP = 1600, 1.5e-4, 1e-3, 0.06
_FORGET = 0.15  # share of steps in which known labels are compared by their vectors alone
Report = Callable[[str], None]
Place = tuple[int, int, int]  # start, end, entity


def labels_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """Every relation that texts are marked with, sorted."""
    return tuple(sorted({label for example in examples for _, label, _ in example.relations}))


def prepare(
    examples: Sequence[Example], model: Transformer, labels: Sequence[str], implied: Sequence[str], session: Any = None
) -> list[Item]:
    """Examples as arrays; of a text longer than a window the first window.

    Args:
        examples: texts.
        model: what reads them.
        labels: known relations.
        implied: those that documents are marked with.
        session: own layers that stay as they are; None where they are trained.
    """
    index, items = {label: i for i, label in enumerate(labels)}, []
    for example, more in zip(examples, _unmarked(examples), strict=True):
        made = windows(example.text, example.sentences, model.tokenizer)
        if not made:
            continue
        window = made[0]
        mentions = [(words[0], words[-1], entity) for words, entity in _words(window, [*example.mentions, *more])]
        present = {entity for *_, entity in mentions}
        relations: dict[tuple[int, int], list[int]] = {}
        for s, label, o in example.relations:
            if label in index:
                relations.setdefault((s if s in present else -1, o), []).append(index[label])
        allowed = np.isin(labels, implied if example.complete else example.labels)
        if session:
            lower, attention = (given.astype(np.float16) for given in read_states(model, session, window.ids))
        else:
            lower, attention = model.run(window.ids, after(LOWER)).astype(np.float16), None
        threshold = IMPLIED if example.complete else STATED
        items.append(Item(window, lower, attention, _tags(example, window), mentions, relations, allowed, threshold))
    return items


def _tags(example: Example, window: Window) -> np.ndarray:
    tags = np.zeros(len(window.starts), np.int64)
    if not example.complete:  # an unmarked word with a capital may well be a name
        tags[[not example.text[a:b].islower() for a, b in zip(window.starts, window.ends)]] = UNKNOWN
    for words, entity in _words(window, example.mentions):
        kind = TYPES.index(example.types[entity]) if example.types[entity] else -1
        tags[words] = 2 + 2 * kind if kind >= 0 else INSIDE
        tags[words[0]] = 1 + 2 * kind if kind >= 0 else BEGIN
    return tags


def _words(window: Window, mentions: Sequence[Place]) -> Iterator[tuple[list[int], int]]:
    """Words of each mention that stands in the window, and its entity."""
    for start, end, entity in mentions:
        words = np.flatnonzero((window.starts < end) & (window.ends > start)).tolist()
        if words and window.starts[words[0]] <= start:
            yield words, entity


def _unmarked(examples: Sequence[Example]) -> Iterator[list[Place]]:
    """Names and dates outside of all mentions: of an entity without mention whose name holds theirs, or of a new one."""
    documents = [Document(str(i), "text/plain", example.text, str(i)) for i, example in enumerate(examples)]
    for example, (_, mentions) in zip(examples, RuleExtractor().extract(documents), strict=True):
        spans = {(m.start, m.end) for m in mentions} | {(day.start, day.end) for day in find_dates(example.text)}
        free = sorted((a, b) for a, b in spans if all(b <= start or end <= a for start, end, _ in example.mentions))
        present = {entity for *_, entity in example.mentions}
        missing = {i: set(normalize(plain(name)).split()) for i, name in enumerate(example.names) if i not in present}
        entities: dict[str, int] = {}
        for start, end in free:
            name = normalize(example.text[start:end])
            words = set(name.split())
            known = next((i for i, other in missing.items() if words and (words <= other or words >= other > set())), None)
            entities.setdefault(name, len(example.names) + len(entities) if known is None else known)
        yield [(start, end, entities[normalize(example.text[start:end])]) for start, end in free]


def train(
    folder: Path, items: list[Item], kept: list[Item], vectors: np.ndarray, *, epochs: int, seed: int,
    start: Mapping[str, np.ndarray] | None = None, report: Report = lambda line: None,
) -> Any:  # fmt: skip
    """Train from the checkpoint in `folder`, or from the start; returns the network.

    Args:
        folder: of the checkpoint.
        items: what to train on.
        kept: what to set the thresholds by.
        vectors: of the labels, float32 [labels, h].
        epochs, seed: as they say.
        start: heads to begin with, by name.
        report: takes a line for every epoch.
    """
    import torch

    torch.manual_seed(seed)
    net = network(len(vectors))
    for name, value in (start or {}).items():
        getattr(net, name).data.copy_(torch.from_numpy(value))
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
        began, sums, rng = time.monotonic(), np.zeros(3), random.Random(f"{seed}/{epoch}")
        torch.manual_seed(seed * 1000 + epoch)
        net.train().shift.data.zero_()
        for batch in _batches(items, rng):
            sums += _step(net, optimizer, batch, known, rng.random() < _FORGET)
            plan.step()
        tag, relation = sums[:2] / sums[2]
        documents, sentences = calibrate(net, kept, known)
        report(
            f"epoch {epoch + 1} of {epochs}: tags {tag:.3f}, relations {relation:.3f}, {time.monotonic() - began:.0f} s; "
            f"kept documents F1 {documents:.3f}, sentences {sentences:.3f}"
        )
        torch.save({name: part.state_dict() for name, part in parts.items()} | {"epoch": epoch + 1}, state.with_suffix(".new"))
        os.replace(state.with_suffix(".new"), state)
    calibrate(net, kept, known)
    return net.eval()


def _schedule(net: Any, steps: int) -> tuple[Any, Any]:
    """Optimizer of what is trained, and its rate: up for a few steps, then down to nothing."""
    import torch

    heads = [p for n, p in net.named_parameters() if not n.startswith("top.") and p.requires_grad]
    groups = [{"params": list(net.top.parameters()), "lr": _RATE}, {"params": heads, "lr": _HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    up = max(_WARM_UP * steps, 1.0)
    plan = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / up, max(0.0, (steps - step) / max(steps - up, 1.0)))
    )
    return optimizer, plan


def _step(net: Any, optimizer: Any, batch: list[Item], vectors: Any, forget: bool) -> np.ndarray:
    import torch

    tags, relations, count = [], [], 1
    for item, (states, attention) in zip(batch, reading(net, batch), strict=True):
        logits, pairs = pooled(net, states, attention, item, vectors, forget)
        tags.append(tag_loss(net, states, item))
        relations.append(relation_loss(logits, pairs, item))
        count += len(pairs)
    tag, relation = torch.stack(tags).mean(), torch.stack(relations).sum() / count
    (2 * tag + relation).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in net.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return np.array([tag.item(), relation.item(), 1.0])


def _batches(items: list[Item], rng: random.Random) -> list[list[Item]]:
    """Items of like length together, about `_TOKENS` a batch, in random order."""
    order = sorted(range(len(items)), key=lambda i: len(items[i].lower) * rng.uniform(0.9, 1.1))
    batches: list[list[Item]] = [[]]
    for i in order:
        if batches[-1] and (len(batches[-1]) + 1) * len(items[i].lower) > _TOKENS:
            batches.append([])
        batches[-1].append(items[i])
    rng.shuffle(batches)
    return batches


def held_out(text: str) -> bool:
    """Whether a document is kept from all training, by its text alone: one in five."""
    return zlib.crc32(text.encode()) % 5 == 0


def kept_back(text: str) -> bool:
    """Whether a text is kept to set the thresholds by: one in twenty."""
    return zlib.crc32(text.encode()) % 20 == 1


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
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--over", type=Path, help="an extractor whose layers stay; with --epochs 0 its heads, too")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    origin, model = original(), Transformer.default()
    from safetensors.numpy import load_file

    examples = [one for one in read_documents(options.documents) if not held_out(one.text)] + read_sentences(options.sentences)
    labels, implied = labels_of(examples), labels_of(one for one in examples if one.complete)
    session = open_session(options.over / MODEL) if options.over else None
    heads = load_file(options.over / WEIGHTS) if options.over else {}
    kept = prepare([example for example in examples if kept_back(example.text)], model, labels, implied, session)
    trained = [example for example in examples if options.epochs and not kept_back(example.text)]
    items = prepare(trained, model, labels, implied, session)
    tokens = sum(len(item.lower) for item in items)
    print(f"{len(items)} texts, {tokens} tokens, {len(labels)} labels, {len(kept)} texts kept", flush=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    vectors = sentence_vectors(labels, origin)
    net = train(
        options.folder, items, kept, vectors, epochs=options.epochs, seed=options.seed,
        start={name: value for name, value in heads.items() if name in ARRAYS}, report=lambda line: print(line, flush=True),
    )  # fmt: skip
    meta = {"source": SOURCE, "licence": "Apache-2.0", "epochs": options.epochs, "encoder": model.id}
    layers = (options.over / MODEL).read_bytes() if options.over else None
    export(net, labels, implied, vectors, options.folder, meta, layers)


if __name__ == "__main__":
    main()
