"""Train a student on tasks with their targets, from the packaged one or from the encoder. Needs the extra `models`.

Training is a fixed number of steps, so that it gives the same weights however often it was interrupted: a budget of minutes is
turned into steps once, after the first few, and written down beside the checkpoint.
"""

from __future__ import annotations

import copy
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...kg.artefacts import Artefact, load_artefact, write_manifest
from ...kg.errors import InputError
from ...kg.model import normalize
from ...retrieval.encoder import Encoder
from ...retrieval.train_reader import import_torch
from .inputs import Inputs, read_task
from .items import OPERATIONS, Target, Task
from .network import STEPS, exported, network, restore
from .student import MODEL

TOKENS = 3000  # of a batch
_RATE, _HEAD_RATE, _WARM_UP = 2e-4, 2e-3, 0.06
_STEP, _OPERATION = 0.5, 0.2  # weights of the losses beside that of the answers
_UNUSED = 0.3  # weight of an item that is not used: most are not
_SAVE, _TIMED = 25, 12  # steps between checkpoints, and steps by which a budget is turned into steps
Report = Callable[[str], None]
Example = tuple[Task, Target]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """An example as arrays.

    Attributes:
        steps: int64 [k], 0 or the place of each item in the rationale.
        answers: per answer, int64 [spots, 2] of its first and last tokens; empty where the evidence holds none.
        operation: index into `OPERATIONS`.
    """

    inputs: Inputs
    steps: np.ndarray
    answers: tuple[np.ndarray, ...]
    operation: int


def lesson(task: Task, target: Target, encoder: Encoder) -> Lesson:
    """Tokens and what should be said of them; spots beyond the window are left out."""
    inputs = read_task(task, encoder)
    steps = np.zeros(len(inputs.marks), np.int64)
    for place, item in enumerate(target.steps):
        if item < len(steps):
            steps[item] = min(place + 1, STEPS)
    spots: dict[str, list[tuple[int, int]]] = {}
    for spot in target.answers:
        inside = (inputs.item == spot.item + 1) & (inputs.offsets[:, 1] > spot.start) & (inputs.offsets[:, 0] < spot.end)
        tokens = np.flatnonzero(inside)
        if len(tokens):
            said = normalize(task.items[spot.item].text[spot.start : spot.end])
            spots.setdefault(said, []).append((int(tokens[0]), int(tokens[-1])))
    answers = tuple(np.array(places, np.int64) for places in spots.values())
    return Lesson(inputs, steps, answers, OPERATIONS.index(target.operation))


def train(
    examples: Sequence[Example],
    folder: Path,
    *,
    encoder: Encoder | None = None,
    start: Path | None = None,
    epochs: float = 2,
    minutes: float | None = None,
    steps: int | None = None,
    tokens: int = TOKENS,
    seed: int = 0,
    report: Report = lambda line: None,
) -> Any:
    """Train and return the network; `package` makes an artefact of it.

    Args:
        examples: tasks with their targets.
        folder: for the checkpoint; the same call goes on from it.
        encoder: the packaged one where None.
        start: a packaged student to go on from; the layers of the encoder where None.
        epochs: passes over the examples.
        minutes: at most about so long, in place of some of the epochs.
        steps: exactly so many batches, in place of epochs and minutes.
        tokens: of a batch, about.
        seed: of the order.
        report: called with a line of progress now and then.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: no examples.
        ArtefactError: `start` is no student.
    """
    return _trainer(examples, folder, encoder, start, tokens, seed, report).run(epochs, minutes, steps)


def affordable(
    examples: Sequence[Example],
    folder: Path,
    minutes: float,
    *,
    epochs: float,
    tokens: int = TOKENS,
    start: Path | None = None,
) -> int:
    """Steps of training that a budget pays for on this machine, by the time that the first few take; as for `train`."""
    trainer = _trainer(examples, folder, None, start, tokens, 0, lambda line: None)
    total = max(1, round(epochs * len(trainer.order(0))))
    return min(total, trainer.affordable(minutes, total))


def _trainer(
    examples: Sequence[Example],
    folder: Path,
    encoder: Encoder | None,
    start: Path | None,
    tokens: int,
    seed: int,
    report: Report,
) -> _Trainer:
    torch = import_torch()
    encoder = encoder or Encoder.default()
    lessons = [lesson(task, target, encoder) for task, target in examples]
    if not lessons:
        raise InputError("no examples to learn from")
    torch.manual_seed(seed)
    net = network(torch)
    if start is not None:
        restore(torch, net, load_artefact(start).path(MODEL).read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    return _Trainer(torch, net, lessons, encoder, folder, tokens, seed, report)


class _Trainer:
    """Steps over batches, with checkpoints."""

    def __init__(
        self,
        torch: Any,
        net: Any,
        lessons: list[Lesson],
        encoder: Encoder,
        folder: Path,
        tokens: int,
        seed: int,
        report: Report,
    ) -> None:
        self.torch, self.net, self.lessons, self.encoder = torch, net, lessons, encoder
        self.folder, self.tokens, self.seed, self.report = folder, tokens, seed, report
        self._batches: tuple[int, list[list[int]]] | None = None
        old: list[Any] = []
        new: list[Any] = []
        for name, parameter in net.named_parameters():
            (old if name.startswith("layers.") and ".favour." not in name else new).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [{"params": old, "peak": _RATE}, {"params": new, "peak": _HEAD_RATE}], weight_decay=0.01
        )

    def run(self, epochs: float, minutes: float | None, steps: int | None = None) -> Any:
        total, done = self._resumed() or (steps or 0, 0)
        per_epoch = len(self.order(0))
        if not total:
            total = max(1, round(epochs * per_epoch))
            if minutes is not None:
                total = min(total, self.affordable(minutes, total))
            self._save(total, 0)
        sums, counted, since = np.zeros(3), 0, time.monotonic()
        for step in range(done, total):
            epoch, at = divmod(step, per_epoch)
            sums, counted = sums + self._step(self.order(epoch)[at], step, total), counted + 1
            if (step + 1) % _SAVE == 0 or step + 1 == total:
                self._save(total, step + 1)
                answer, used, operation = sums / counted
                spent, since, sums, counted = time.monotonic() - since, time.monotonic(), np.zeros(3), 0
                parts = f"answers {answer:.3f}, steps {used:.3f}, operation {operation:.3f}"
                self.report(f"step {step + 1} of {total}: {parts}, {spent:.0f} s")
        return self.net.eval()

    def affordable(self, minutes: float, total: int) -> int:
        """Steps that a budget pays for, by the time that the first few take; they are taken back."""
        parts = {"net": self.net, "optimizer": self.optimizer}
        before = {name: _copied(part.state_dict()) for name, part in parts.items()}
        begun = time.monotonic()
        for at in range(_TIMED):
            self._step(self.order(0)[at % len(self.order(0))], at, total)
        each = (time.monotonic() - begun) / _TIMED
        for name, part in parts.items():
            part.load_state_dict(before[name])
        return max(1, int(60 * minutes / each))

    def _step(self, batch: list[int], step: int, total: int) -> np.ndarray:
        torch = self.torch
        torch.manual_seed(self.seed * 1_000_003 + step)
        self.net.train()
        up = max(1.0, _WARM_UP * total)
        share = min((step + 1) / up, max(0.0, (total - step) / max(total - up, 1.0)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share
        lessons = [self.lessons[i] for i in batch]
        found = losses(torch, self.net(*padded(torch, lessons, self.encoder)), lessons)
        (found[0] + _STEP * found[1] + _OPERATION * found[2]).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return np.array([part.item() for part in found])

    def order(self, epoch: int) -> list[list[int]]:
        """Batches of lessons of like length, about `tokens` in each, in random order that the epoch decides."""
        if self._batches is None or self._batches[0] != epoch:
            rng = random.Random(f"{self.seed}/{epoch}")
            lengths = [len(one.inputs.ids) for one in self.lessons]
            batches: list[list[int]] = [[]]
            for i in sorted(range(len(lengths)), key=lambda i: lengths[i] * rng.uniform(0.85, 1.15)):
                if batches[-1] and (len(batches[-1]) + 1) * lengths[i] > self.tokens:
                    batches.append([])
                batches[-1].append(i)
            rng.shuffle(batches)
            self._batches = epoch, batches
        return self._batches[1]

    def _save(self, total: int, done: int) -> None:
        state = self.folder / "checkpoint.pt"
        parts = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "total": total, "done": done}
        self.torch.save(parts, state.with_suffix(".new"))
        os.replace(state.with_suffix(".new"), state)

    def _resumed(self) -> tuple[int, int] | None:
        state = self.folder / "checkpoint.pt"
        if not state.exists():
            return None
        saved = self.torch.load(state, weights_only=True)
        self.net.load_state_dict(saved["net"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.report(f"going on after step {saved['done']} of {saved['total']}")
        return saved["total"], saved["done"]


def padded(torch: Any, lessons: Sequence[Lesson], encoder: Encoder) -> tuple[Any, Any, Any]:
    """Lower states [n, t, d], items [n, t] (-1 where there is no token) and entities [n, t] of a batch."""
    longest = max(len(one.inputs.ids) for one in lessons)
    lower = np.zeros((len(lessons), longest, encoder.dim), np.float32)
    item, entity = np.full((len(lessons), longest), -1, np.int64), np.zeros((len(lessons), longest), np.int64)
    for row, one in enumerate(lessons):
        t = len(one.inputs.ids)
        lower[row, :t], item[row, :t], entity[row, :t] = encoder.lower(one.inputs.ids), one.inputs.item, one.inputs.entity
    return torch.from_numpy(lower), torch.from_numpy(item), torch.from_numpy(entity)


def losses(torch: Any, logits: tuple[Any, Any, Any], lessons: Sequence[Lesson]) -> tuple[Any, Any, Any]:
    """Means over a batch: of answers (cross-entropy; of one answer in several places, of the sum over them), of items used, of
    operations."""
    operation, steps, ends = logits
    answers, used, rare = [], [], torch.tensor([_UNUSED, *[1.0] * STEPS])
    for row, one in enumerate(lessons):
        answers.append(_answer_loss(torch, ends[row, : len(one.inputs.ids)], one))
        gold = torch.from_numpy(one.steps)
        used.append(torch.nn.functional.cross_entropy(steps[row, torch.from_numpy(one.inputs.marks)], gold, rare))
    right = torch.tensor([one.operation for one in lessons])
    return torch.stack(answers).mean(), torch.stack(used).mean(), torch.nn.functional.cross_entropy(operation, right)


def _answer_loss(torch: Any, ends: Any, one: Lesson) -> Any:
    """Of one lesson from logits [t, 2]: over its candidates where every answer is one of them, else over all tokens."""
    candidates = [tuple(spot) for spot in one.inputs.candidates.tolist()]
    places = [[candidates.index(spot) + 1 for spot in map(tuple, spots.tolist()) if spot in candidates] for spots in one.answers]
    if candidates and all(places):
        first, last = torch.from_numpy(one.inputs.candidates).T
        odds = torch.cat([ends[0].sum()[None], ends[first, 0] + ends[last, 1]]).log_softmax(dim=0)
        return -sum(odds[torch.tensor(spots)].logsumexp(0) for spots in places or [[0]]) / max(len(places), 1)
    allowed = torch.from_numpy((one.inputs.item > 0) & (one.inputs.offsets[:, 1] > one.inputs.offsets[:, 0]))
    allowed[0] = True
    odds = ends.masked_fill(~allowed[:, None], -1e9).log_softmax(dim=0)
    spans = [torch.from_numpy(spots) for spots in one.answers] or [torch.zeros(1, 2, dtype=torch.long)]
    return -sum(odds[spots[:, side], side].logsumexp(0) for spots in spans for side in (0, 1)) / len(spans)


def average(net: Any, start: Path, keep: float) -> None:
    """Mix the weights of a packaged student into those of a network trained from it (Wortsman et al. 2022, arXiv 2203.05482).

    Args:
        keep: share of the packaged weights.

    Raises:
        ArtefactError: `start` is no student.
    """
    torch = import_torch()
    old = network(torch)
    restore(torch, old, load_artefact(start).path(MODEL).read_bytes())
    mixed = {name: torch.lerp(value, old.state_dict()[name], keep) for name, value in net.state_dict().items()}
    net.load_state_dict(mixed)


def package(net: Any, folder: Path, encoder: Encoder, meta: dict[str, Any], *, name: str = "student") -> Artefact:
    """Write what `Student.load` reads and `train` can go on from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(exported(import_torch(), net))
    return write_manifest(folder, name, [MODEL], {"encoder": encoder.id, **meta})


def _copied(state: Any) -> Any:
    """A state dict whose tensors training does not change."""
    return copy.deepcopy(state)


__all__ = ["Example", "Lesson", "affordable", "average", "lesson", "losses", "package", "padded", "train"]
