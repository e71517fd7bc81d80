"""Train the writer's model on sentences that people wrote, and measure it on others: `python -m hoptrace.agents.writer.train`.

Two losses: of the texts that the grammar can write for a story, those most like the person's sentence should score best; and the
person's sentence itself should be likely, where most of its words can be said. Needs the extra `models`.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...data import model_folder
from ...kg.artefacts import Artefact, write_manifest
from ...kg.errors import InputError
from ...retrieval.encoder import Encoder
from ...retrieval.train_reader import import_torch
from .corpora import Lesson, batches, lessons, likeness
from .grammar import Variant, variants
from .inputs import arrays
from .network import exported, network
from .source import VOCABULARY, Source, source

MODEL = "model.onnx"
_SHOWN, _SHARP, _TEXT = 10, 0.03, 0.3  # texts of a story in a step, how sharply the likest is preferred, weight of the sentences
_RATE, _WARM_UP, _BATCH, _SAVE = 1e-3, 0.06, 1500, 50  # learning rate, tokens of a step, steps between checkpoints


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A lesson as the model learns it: its units, texts of the grammar, and how like the person's sentence each is."""

    lesson: Lesson
    source: Source
    texts: tuple[Variant, ...]
    like: np.ndarray


def task(lesson: Lesson, encoder: Encoder) -> Task:
    """The texts that the grammar has for a lesson, rated."""
    texts = tuple(variants(lesson.story))
    like = np.array([likeness(v.text, lesson.text) for v in texts], np.float32)
    return Task(lesson, source(lesson.story, encoder), texts, like)


def train(tasks: Sequence[Task], folder: Path, *, epochs: int = 4, seed: int = 0, report: Callable[[str], None] = print) -> Any:
    """Train and return the network; the same call goes on from the checkpoint in `folder`.

    Raises:
        InputError: no tasks.
    """
    torch = import_torch()
    if not tasks:
        raise InputError("no sentences to learn from")
    torch.manual_seed(seed)
    net = network(torch, tasks[0].source.states.shape[1])
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.01)
    folder.mkdir(parents=True, exist_ok=True)
    state, done = folder / "checkpoint.pt", 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        done = saved["done"]
    plan = _plan(tasks, epochs, seed)
    sums, since = np.zeros(2), time.monotonic()
    for step in range(done, len(plan)):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / max(1.0, _WARM_UP * len(plan))) * (1 - step / len(plan))
        torch.manual_seed(seed * 1_000_003 + step)
        sums += _step(torch, net.train(), optimizer, [tasks[i] for i in plan[step]], random.Random(step))
        if (step + 1) % _SAVE == 0 or step + 1 == len(plan):
            parts = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "done": step + 1}
            torch.save(parts, state.with_suffix(".new"))
            os.replace(state.with_suffix(".new"), state)
            order, text = sums / _SAVE
            sums = np.zeros(2)
            report(f"step {step + 1} of {len(plan)}: order {order:.3f}, text {text:.3f}, {time.monotonic() - since:.0f} s")
    return net.eval()


def _plan(tasks: Sequence[Task], epochs: int, seed: int) -> list[list[int]]:
    sizes = [1 + min(_SHOWN, len(one.texts)) * len(one.lesson.text.split()) for one in tasks]
    rng = random.Random(seed)
    return [batch for _ in range(epochs) for batch in batches(sizes, _BATCH, rng)]


def _step(torch: Any, net: Any, optimizer: Any, tasks: Sequence[Task], rng: random.Random) -> np.ndarray:
    chosen = [[*range(len(one.texts))] for one in tasks]
    chosen = [sorted(rng.sample(some, min(_SHOWN, len(some)))) for some in chosen]
    texts = [[one.texts[i].text for i in some] + [one.lesson.text] for one, some in zip(tasks, chosen, strict=True)]
    costs = [[one.texts[i].cost for i in some] + [0.0] for one, some in zip(tasks, chosen, strict=True)]
    given = arrays([one.source for one in tasks], texts, costs)
    scores, likely = net(*(torch.from_numpy(value) for value in given.values()))
    order, text, at = torch.zeros(()), torch.zeros(()), 0
    for one, some in zip(tasks, chosen, strict=True):
        if len(some) > 1:
            wanted = torch.from_numpy(one.like[some] / _SHARP).softmax(dim=0)
            order = order - (wanted * scores[at : at + len(some)].log_softmax(dim=0)).sum() / len(tasks)
        at += len(some) + 1
        if one.lesson.sayable:
            text = text - likely[at - 1] / len(tasks)
    (order + _TEXT * text).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return np.array([order.item(), text.item()])


def measure(torch: Any, net: Any, tasks: Sequence[Task]) -> dict[str, float]:
    """Mean likeness to the person's sentence of the text chosen, of the grammar's first, and of the best there is."""
    found = []
    net.eval()
    with torch.no_grad():
        for one in tasks:
            given = arrays([one.source], [[v.text for v in one.texts]], [[v.cost for v in one.texts]])
            scores = net(*(torch.from_numpy(value) for value in given.values()))[0].numpy()
            found.append((one.like[int(scores.argmax())], one.like[0], one.like.max()))
    chosen, first, best = np.array(found).mean(axis=0)
    return {"model": round(float(chosen), 4), "grammar": round(float(first), 4), "best": round(float(best), 4)}


def package(net: Any, folder: Path, encoder: Encoder, meta: dict[str, Any]) -> Artefact:
    """Write what `Writer.load` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(exported(import_torch(), net))
    return write_manifest(folder, "writer", [MODEL], {"encoder": encoder.id, "vocabulary": VOCABULARY, **meta})


def main() -> None:
    """Train on the sentences of two public data sets, a tenth held out by subject, and package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, help="Text2KGBench, the sentences for training")
    parser.add_argument("documents", type=Path, help="Re-DocRED, a document a line")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=model_folder("writer"))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--most", type=int, help="sentences to learn from")
    options = parser.parse_args()
    encoder, rng = Encoder.default(), random.Random(0)
    found = [one for one in lessons(options.sentences, options.documents, rng) if one.sayable and len(variants(one.story)) > 1]
    rng.shuffle(found)
    held = {name for name in sorted({one.story.names[0] for one in found}) if rng.random() < 0.1}
    own = [task(one, encoder) for one in [one for one in found if not held & {*one.story.names}][: options.most]]
    others = [task(one, encoder) for one in found if one.story.names[0] in held]
    print(f"{len(own)} sentences to learn from, {len(others)} held out", flush=True)
    net = train(own, options.checkpoint, epochs=options.epochs, report=lambda line: print(line, flush=True))
    result = measure(import_torch(), net, others)
    artefact = package(net, options.out, encoder, {"trained_on": len(own), "held_out": len(others), "likeness": result})
    print(result, artefact.files)


if __name__ == "__main__":
    main()
