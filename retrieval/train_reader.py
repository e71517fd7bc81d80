"""Train the packaged reader of questions: `python -m hoptrace.retrieval.train_reader FOLDER`.

Its questions are about no graph at all: chains of one to three families of the lexicon whose types fit, said by `Phraser`.
At each hop the right step must be told from a draw of others, and a step is represented by some of its wordings only, so
that a question is often worded in a way its step does not show: the reader has to learn what words mean alike. Of the packaged
encoder, the reader trains a copy of the top layers for itself; the encoder, and with it every vector, stays as it is. Another
encoder stays frozen as a whole. Needs the extra `models`.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from ..kg.errors import MissingExtraError
from ..kg.top_layers import top_module
from .encoder import LOWER, Encoder, TextEncoder
from .phrases import SLOT, Phraser, Step, say, wordings_of
from .stepwise import DEPTHS, HEADS, NEAR, PLACES, Reader, token_inputs
from .top import WithStates
from .train_top import packed
from .wordings import Family, families

KEY, RANK = 128, 96
BATCH = 128
_RATE, _DROPOUT, _RETURNS, _FITTING = 2e-3, 0.15, 0.35, 0.9
_TOP_RATE = 1e-4
_HIDDEN = 0.7  # of the questions are worded in a way that their steps do not show
_OTHERS = 40  # steps that the right one must be told from
_SHARES = (0.2, 0.4, 0.4)

Report = Callable[[str], None]
Drawn = tuple[str, int, int, Sequence[int]]  # text, start and end of the seed, step codes of the gold path


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Questions as the trainer reads them.

    Attributes:
        states: padded token states, float16 [n, t, h].
        places: places beside the seed, int64 [n, t].
        mask: real tokens, bool [n, t].
        steps: gold steps with the stop after them, -1 beyond, int64 [n, DEPTHS].
    """

    states: np.ndarray
    places: np.ndarray
    mask: np.ndarray
    steps: np.ndarray


def chains(known: Sequence[Family], count: int, rng: random.Random) -> list[list[tuple[int, int]]]:
    """Random paths over families, (index, way) by hop; where two hops meet their types mostly fit."""
    leaving: dict[str, list[tuple[int, int]]] = {}
    for i, family in enumerate(known):
        for way, kind in ((1, family.subject_type), (-1, family.object_type)):
            leaving.setdefault(kind, []).append((i, way))
    every = [step for steps in leaving.values() for step in steps]
    found = []
    for hops in rng.choices((1, 2, 3), _SHARES, k=count):
        path = [rng.choice(every)]
        while len(path) < hops:
            i, way = path[-1]
            if rng.random() < _RETURNS:
                path.append((i, -way))
                continue
            kind = known[i].object_type if way > 0 else known[i].subject_type
            path.append(rng.choice([*leaving.get(kind, ()), *leaving.get("", ())] if kind and rng.random() < _FITTING else every))
        found.append(path)
    return found


def compose(
    known: Sequence[Family], count: int, rng: random.Random, allowed: Callable[[Family, int, str], bool] | None = None
) -> tuple[list[Drawn], list[tuple[str, ...]]]:
    """Questions about random chains, and the wordings of each; somewhat fewer than `count`, as some have no words."""
    phraser = Phraser(rng, allowed)
    drawn: list[Drawn] = []
    used: list[tuple[str, ...]] = []
    for path in chains(known, count, rng):
        steps: list[Step] = [(known[i], way) for i, way in path]
        if (said := say(steps, phraser)) is not None:
            before, _, after = said[0].partition(SLOT)
            drawn.append((f"{before}X{after}", len(before), len(before) + 1, [2 * i + (way < 0) for i, way in path]))
            used.append(said[1])
    return drawn, used


def encode(questions: Sequence[Drawn], steps: int, encoder: TextEncoder, report: Report = lambda line: None) -> Encoded:
    """Token states of questions, once; the steps of their gold paths are of `steps` steps."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        read = list(pool.map(lambda q: token_inputs(encoder, q[0], [(q[1], q[2])]), questions))
    report(f"{len(questions)} questions encoded")
    n, longest, width = len(read), max(len(states) for states, _ in read), read[0][0].shape[1]
    states, places = np.zeros((n, longest, width), np.float16), np.full((n, longest), PLACES, np.int64)
    mask, gold = np.zeros((n, longest), bool), np.full((n, DEPTHS), -1, np.int64)
    for i, ((tokens, at), (_, _, _, path)) in enumerate(zip(read, questions, strict=True)):
        states[i, : len(tokens)], places[i, : len(tokens)], mask[i, : len(tokens)] = tokens, at, True
        walked = [*path, steps][:DEPTHS]
        gold[i, : len(walked)] = walked
    return Encoded(states, places, mask, gold)


def wording_table(
    known: Sequence[Family], allowed: Callable[[Family, int, str], bool] | None = None
) -> tuple[list[str], np.ndarray]:
    """All wordings of all steps, and which belong to a step, bool [2 * families, wordings].

    The name of a family stands among the wordings of both its steps.
    """
    index: dict[str, int] = {}
    rows: list[list[int]] = []
    for family in known:
        for way in (1, -1):
            rows.append([index.setdefault(text, len(index)) for text in wordings_of(family, way, allowed)])
    belongs = np.zeros((len(rows), len(index)), bool)
    for i, columns in enumerate(rows):
        belongs[i, columns] = True
    return list(index), belongs


def twins(gold: np.ndarray, symmetric: np.ndarray) -> np.ndarray:
    """Steps that a question cannot tell from its gold ones, the other way of a symmetric family: bool [n, DEPTHS, steps].

    Args:
        gold: steps with the stop after them, -1 beyond, int64 [n, DEPTHS].
        symmetric: of each step but the stop, whether its family is, bool [steps - 1].
    """
    result = np.zeros((*gold.shape, len(symmetric) + 1), bool)
    known = np.append(symmetric, False)[gold] & (gold >= 0)
    np.put_along_axis(result, np.where(known, gold ^ 1, 0)[:, :, None], known[:, :, None], axis=2)
    return result


def step_wordings(
    known: Sequence[Family], encoder: TextEncoder, allowed: Callable[[Family, int, str], bool] | None = None
) -> np.ndarray:
    """The mean of the vectors of each step's wordings, float32 [2 * families, d]: what `Reader.scorer` takes."""
    texts, belongs = wording_table(known, allowed)
    means: np.ndarray = (belongs @ encoder.encode(texts)) / belongs.sum(axis=1, keepdims=True)
    return means.astype(np.float32)


def module(torch: Any, width: int, start: dict[str, np.ndarray] | None = None) -> Any:
    """The parameters of a `Reader` as a torch module; `forward` gives logits over given rows of steps."""

    def draw(*shape: int) -> Any:
        return torch.nn.Parameter(torch.randn(*shape) / np.sqrt(width))

    def zeros(*shape: int) -> Any:
        return torch.nn.Parameter(torch.zeros(*shape))

    class Module(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.keys, self.query, self.carry = draw(width, KEY), draw(DEPTHS, width, KEY), draw(width, KEY)
            self.mix_query, self.mix_key, self.mix_value = draw(KEY, KEY), draw(KEY, KEY), draw(KEY, KEY)
            self.mix_out, self.near = zeros(KEY, KEY), zeros(HEADS, 2 * NEAR + 1)
            self.wide, self.narrow = draw(KEY, 2 * KEY), zeros(2 * KEY, KEY)
            self.onward, self.halt = zeros(KEY, KEY), zeros(KEY)
            self.place, self.used = zeros(DEPTHS, 2 * PLACES + 1), torch.nn.Parameter(torch.ones(DEPTHS))
            self.down, self.up, self.scale = draw(width, RANK), zeros(RANK, width), torch.nn.Parameter(torch.tensor(15.0))
            self.ways, self.stop, self.stop_bias = zeros(2, width), draw(width), zeros(DEPTHS)
            self.lift_down, self.lift_up = draw(width, RANK), zeros(RANK, width)
            self.content, self.content_bias = zeros(width), torch.nn.Parameter(torch.tensor(-1.0))
            self.rest, self.sharp = torch.nn.Parameter(torch.tensor(1.0)), torch.nn.Parameter(torch.tensor(8.0))
            for name, value in (start or {}).items():
                getattr(self, name).data = torch.tensor(value)

        def lifted(self, wordings: Any) -> Any:
            """Rows of steps from means of wordings [2 * families, d], with the stop after them."""
            rows = wordings + self.ways.repeat(len(wordings) // 2, 1)
            rows = rows + rows @ self.lift_down @ self.lift_up
            return torch.cat([rows / (rows.norm(dim=1, keepdim=True) + 1e-6), self.stop[None]])

        def forward(self, states: Any, places: Any, mask: Any, steps: Any, bias: Any) -> Any:
            """Logits [batch, DEPTHS, steps]."""
            lengths = mask.sum(dim=1, keepdim=True).float()
            whole, keys = states.sum(dim=1) / lengths, block(torch, self, states @ self.keys, mask)
            context, spot = torch.zeros_like(whole), torch.zeros_like(keys[:, 0])
            covered = torch.zeros_like(mask, dtype=torch.float32)
            content = torch.sigmoid(states @ self.content + self.content_bias) * mask
            stop = torch.zeros(len(steps)).index_fill_(0, torch.tensor([len(steps) - 1]), 1.0)
            rows = []
            for t in range(DEPTHS):
                query = whole @ self.query[t] + context @ self.carry + spot @ self.onward
                unread = (content * torch.exp(-self.sharp * covered)).sum(dim=1)
                score = (keys @ query[:, :, None])[:, :, 0] / np.sqrt(KEY) + self.place[t][places] - self.used[t] * covered
                attention = torch.softmax(score.masked_fill(~mask, -1e9), dim=1)
                covered = covered + attention
                context, spot = (attention[:, None] @ states)[:, 0], (attention[:, None] @ keys)[:, 0]
                value = context + context @ self.down @ self.up
                value = value / (value.norm(dim=1, keepdim=True) + 1e-6)
                end = spot @ self.halt - self.rest * unread
                rows.append(self.scale * (value @ steps.T) + bias[t] + end[:, None] * stop)
            return torch.stack(rows, dim=1)

    return Module()


def block(torch: Any, model: Any, keys: Any, mask: Any) -> Any:
    """Keys [batch, t, k] that have seen each other."""
    n, t, k = keys.shape
    seen = keys / (keys.square().mean(dim=2, keepdim=True) + 1e-6).sqrt()
    query, key, value = (
        (seen @ one).reshape(n, t, HEADS, -1).transpose(1, 2) for one in (model.mix_query, model.mix_key, model.mix_value)
    )
    apart = (torch.arange(t) - torch.arange(t)[:, None]).clamp(-NEAR, NEAR) + NEAR
    scores = query @ key.transpose(2, 3) / np.sqrt(k // HEADS) + model.near[:, apart]
    mixed = torch.softmax(scores.masked_fill(~mask[:, None, None], -1e9), dim=3) @ value
    keys = keys + mixed.transpose(1, 2).reshape(n, t, k) @ model.mix_out
    return keys + torch.relu(keys @ model.wide) @ model.narrow


def fit(
    torch: Any,
    parameters: list[Any],
    data: Encoded,
    logits: Callable[[np.ndarray, Any, Any, Any], Any],
    epochs: int,
    seed: int,
    report: Report,
    rate: float = _RATE,
    top: Any = None,
) -> None:
    """Cross-entropy of the gold steps.

    Args:
        torch: the library.
        parameters: what is trained.
        data: the questions.
        logits: of a batch: (its rows in `data`, states, places, mask) to [batch, DEPTHS, steps].
        epochs: passes over the questions.
        seed: of the order and of token dropout.
        report: called after each epoch.
        rate: highest learning rate.
        top: layers that the states go through first, if they are to be trained as well; `data` then holds the special tokens.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these matrices are small: two threads on a busy machine are twenty times slower than one
    generator = np.random.default_rng(seed)
    trained = [parameters, *([list(top.parameters())] if top else [])]
    rates = [rate, _TOP_RATE][: len(trained)]
    optimizer = torch.optim.AdamW([{"params": some} for some in trained], lr=rate, weight_decay=0.01)
    batches = -(-len(data.states) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rates, total_steps=max(epochs * batches, 2), pct_start=0.1)
    for epoch in range(epochs):
        order, total = generator.permutation(len(data.states)), 0.0
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            longest = int(data.mask[rows].sum(axis=1).max())
            states = torch.tensor(data.states[rows, :longest].astype(np.float32))
            places, mask = (torch.tensor(values[rows, :longest]) for values in (data.places, data.mask))
            if top:  # and away with the special tokens at both ends
                states, places, mask = top(states, mask)[:, 1:-1] * mask[:, 2:, None], places[:, 1:-1], mask[:, 2:]
            states = states * torch.tensor(generator.random(tuple(states.shape[:2])) > _DROPOUT)[:, :, None]
            scores = logits(rows, states, places, mask)
            gold = torch.tensor(data.steps[rows])
            loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), gold.flatten(), ignore_index=-1)
            optimizer.zero_grad()
            loss.backward()
            for some in trained:
                torch.nn.utils.clip_grad_norm_(some, 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        report(f"epoch {epoch + 1} of {epochs}: loss {total / len(order):.3f}")
    torch.set_num_threads(threads)


def train_reader(
    encoder: TextEncoder,
    *,
    questions: int = 24_000,
    epochs: int = 16,
    seed: int = 0,
    allowed: Callable[[Family, int, str], bool] | None = None,
    start: Reader | None = None,
    report: Report = lambda line: None,
) -> Reader:
    """A reader for relations in general.

    Args:
        encoder: the reader can only be used with it. Of the packaged one, the reader gets top layers of its own.
        questions: drawn for training.
        epochs: passes over them.
        seed: of the draws.
        allowed: wordings that may be used, given family, direction and phrase; all where None.
        start: a reader to go on from, trained with the same encoder; top layers start from the encoder's all the same.
        report: called with a line of progress now and then.

    Raises:
        MissingExtraError: torch is not installed.
    """
    torch = import_torch()
    began, known = time.perf_counter(), families()
    drawn, used = compose(known, questions, random.Random(seed), allowed)
    lower = WithStates(encoder, encoder.lower_states) if isinstance(encoder, Encoder) else None
    data = encode(drawn, 2 * len(known), lower or encoder, report)
    texts, belongs = wording_table(known, allowed)
    vectors, column = encoder.encode(texts), {text: i for i, text in enumerate(texts)}
    own = [[column[word] for word in words if word in column] for words in used]
    symmetric = np.array([family.symmetric for family in known]).repeat(2)
    report(f"{len(drawn)} questions over {len(known)} families and {len(vectors)} wordings, {time.perf_counter() - began:.0f} s")
    torch.manual_seed(seed)
    first = {name: value for name, value in start.weights.items() if name != "wordings"} if start else {}
    model = module(torch, encoder.dim, first)
    top = top_module(torch, LOWER).train() if lower else None
    generator = np.random.default_rng(seed)

    def logits(rows: np.ndarray, states: Any, places: Any, mask: Any) -> Any:
        shown = belongs & (generator.random(belongs.shape) < generator.choice((0.1, 0.3, 0.7)))
        for row in rows[generator.random(len(rows)) < _HIDDEN]:
            shown[np.ix_([code for code in data.steps[row] if 0 <= code < len(belongs)], own[row])] = False
        shown |= belongs & (~shown.any(axis=1))[:, None]
        step, wording = np.nonzero(shown)
        share = sparse.csr_array((1 / shown.sum(axis=1)[step], (step, wording)), shape=shown.shape)
        steps = model.lifted(torch.tensor((share @ vectors).astype(np.float32)))
        bias = torch.cat([torch.zeros(DEPTHS, len(belongs)), model.stop_bias[:, None]], dim=1)
        scores = model(states, places, mask, steps, bias)
        offered = generator.random((len(rows), DEPTHS, len(steps))) < _OTHERS / len(steps)
        gold = data.steps[rows]
        offered &= ~twins(gold, symmetric)
        np.put_along_axis(offered, np.maximum(gold, 0)[:, :, None], True, axis=2)
        offered[:, :, -1] = True
        return scores.masked_fill(~torch.tensor(offered), -30.0)

    fit(torch, list(model.parameters()), data, logits, epochs, seed, report, _RATE / 2 if start else _RATE, top)
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in model.named_parameters()}
    meta: dict[str, object] = {"questions": len(drawn), "epochs": epochs, "seed": seed, "wordings": len(vectors)}
    meta |= {"start": start.meta} if start else {}
    weights["wordings"] = step_wordings(known, encoder, allowed).astype(np.float32)
    meta |= {"seconds": round(time.perf_counter() - began)}
    return Reader(tuple(family.name for family in known), weights, encoder.id, meta, packed(torch, top) if top else None)


def import_torch() -> Any:
    """torch.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("training", "models") from error
    return torch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=24_000)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="a reader to go on from (a folder), instead of training a new one")
    options = parser.parse_args()
    reader = train_reader(
        Encoder.default(),
        questions=options.questions,
        epochs=options.epochs,
        seed=options.seed,
        start=Reader.load(options.start) if options.start else None,
        report=lambda line: print(line, flush=True),
    )
    reader.save(options.folder)


if __name__ == "__main__":
    main()

__all__ = [
    "Drawn", "Encoded", "chains", "compose", "encode", "fit", "import_torch", "module", "step_wordings", "train_reader", "twins",
    "wording_table",
]  # fmt: skip
