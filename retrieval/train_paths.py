"""Train the path scorer of one graph on questions mined from it: `hoptrace train retriever --kg DIR`.

Token states come from the frozen encoder once; what is trained is an attention per hop, a low-rank residual and a vector per
relation and direction (some 200,000 numbers), in minutes on two cores. Needs the extra `models` (torch).

Three splits are held out and never trained on: seeds (a fifth of the nodes), compositions (an eighth of the patterns of two
and three hops) and wordings (one in six of those a relation has in one direction).
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kg.errors import InputError, MissingExtraError
from ..kg.mining import Pattern
from .encoder import TextEncoder
from .mining import MinedQuestion, QuestionMiner
from .phrases import Phraser
from .stepwise import DEPTHS, PLACES, StepScorer, token_inputs
from .wordings import Family, stems

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

KEY, RANK = 128, 64
_BATCH, _RATE, _DROPOUT = 128, 2e-3, 0.15
MIN_QUESTIONS = 50

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Split:
    """What is held out, by a hash, so that every run holds out the same."""

    seed: int = 0

    def seeds(self, row: int) -> bool:
        """Whether a node may be a seed of a training question."""
        return _bucket(self.seed, "node", row) >= 200

    def pattern(self, pattern: Pattern) -> bool:
        """Whether a pattern may be trained on; single hops always."""
        return len(pattern.steps) == 1 or _bucket(self.seed, "pattern", pattern.steps) >= 125

    def wording(self, family: Family, direction: int, phrase: str) -> bool:
        """Whether a wording may be trained on; what shares a word with the family's name always may, as that is known."""
        words = stems(phrase)
        return bool({*words} & {*stems(family.name)}) or _bucket(self.seed, "wording", family.name, words) >= 167


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Questions as the trainer reads them: padded token states float16 [n, t, h], places, mask, gold steps [n, DEPTHS], and
    which steps the graph offers at each hop, bool [n, DEPTHS, steps]."""

    states: np.ndarray
    places: np.ndarray
    mask: np.ndarray
    steps: np.ndarray
    options: np.ndarray


def train(
    kg: KnowledgeGraph,
    relations: RelationIndex,
    encoder: TextEncoder,
    *,
    questions: int = 6000,
    epochs: int = 12,
    seed: int = 0,
    split: Split | None = None,
    report: Report = lambda line: None,
) -> StepScorer:
    """A path scorer for a graph, with its held-out figures in `meta`.

    Args:
        kg: the graph; it needs at least two relations that connect entities.
        relations: its families.
        encoder: frozen; the scorer can only be used with it.
        questions: mined for training.
        epochs: passes over them.
        seed: of the draws.
        split: what is held out.
        report: called with a line of progress now and then.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: the graph gives too few questions to learn from.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("training the path scorer", "models") from error
    start = time.perf_counter()
    split = split or Split(seed)
    rng = random.Random(seed)
    miner = QuestionMiner(kg, relations)
    mined = miner.mine(questions, rng, keep=split.pattern, allowed=split.wording, seeds=split.seeds)
    if len(mined) < MIN_QUESTIONS:
        raise InputError(f"the graph gives only {len(mined)} questions to learn from; at least {MIN_QUESTIONS} are needed")
    report(f"{len(mined)} questions from {len(miner.found)} patterns")
    names = [family.name for family in relations.families]
    data = encode(mined, miner, encoder)
    report(f"encoded in {time.perf_counter() - start:.0f} s")
    torch.manual_seed(seed)
    model = _module(torch, initial_steps(relations, encoder, split.wording), encoder)
    _fit(torch, model, data, epochs, seed, report)
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in model.named_parameters()}
    scorer = StepScorer(tuple(names), weights, encoder.id, {})
    figures = {name: evaluate(scorer, some, miner, encoder) for name, some in held_out(miner, split, seed).items()}
    for name, values in figures.items():
        report(f"{name}: path@1 {values['path@1']:.3f} of {values['n']}")
    meta: dict[str, object] = {"questions": len(mined), "epochs": epochs, "seed": seed, "held_out": figures}
    return StepScorer(tuple(names), weights, encoder.id, {**meta, "seconds": round(time.perf_counter() - start, 1)})


def held_out(miner: QuestionMiner, split: Split, seed: int, count: int = 400) -> dict[str, list[MinedQuestion]]:
    """Questions about unseen seeds; about unseen seeds and compositions; and with unseen wordings as well."""
    rng = random.Random(seed + 1)

    def unseen(row: int) -> bool:
        return not split.seeds(row)

    def new(pattern: Pattern) -> bool:
        return not split.pattern(pattern)

    def unsaid(family: Family, direction: int, phrase: str) -> bool:
        return not split.wording(family, direction, phrase)

    return {
        "entities": miner.mine(count, rng, keep=split.pattern, allowed=split.wording, seeds=unseen),
        "compositions": miner.mine(count, rng, keep=new, allowed=split.wording, seeds=unseen, hops=(2, 3)),
        "wordings": miner.mine(count, rng, allowed=unsaid, seeds=unseen),
    }


def evaluate(
    scorer: StepScorer, questions: Sequence[MinedQuestion], miner: QuestionMiner, encoder: TextEncoder
) -> dict[str, float]:
    """Share of questions whose every step, and the stop after them, is the most probable of those the graph offers."""
    hits = 0
    for question in questions:
        table = scorer.read(encoder, question.text, [(question.start, question.end)])
        stop = table.shape[1] - 1
        gold = [*(2 * family + (way < 0) for family, way in question.steps), stop]
        open_ = [[*codes, stop] for codes in miner.options(question)]
        hits += all(codes[int(row[codes].argmax())] == one for row, codes, one in zip(table, open_, gold, strict=False))
    return {"path@1": hits / len(questions) if questions else 0.0, "n": len(questions)}


def encode(questions: Sequence[MinedQuestion], miner: QuestionMiner, encoder: TextEncoder) -> Encoded:
    """Token states of questions, once."""
    families = len(miner.relations.families)
    read = [token_inputs(encoder, q.text, [(q.start, q.end)]) for q in questions]
    longest = max(len(states) for states, _ in read)
    n, width = len(read), read[0][0].shape[1]
    states, places = np.zeros((n, longest, width), np.float16), np.full((n, longest), PLACES, np.int64)
    mask, steps = np.zeros((n, longest), bool), np.full((n, DEPTHS), -1, np.int64)
    options = np.zeros((n, DEPTHS, 2 * families + 1), bool)
    for i, ((tokens, at), question) in enumerate(zip(read, questions, strict=True)):
        states[i, : len(tokens)], places[i, : len(tokens)], mask[i, : len(tokens)] = tokens, at, True
        gold = [*(2 * family + (way < 0) for family, way in question.steps), 2 * families]
        steps[i, : len(gold)] = gold[:DEPTHS]
        for depth, codes in enumerate(miner.options(question)[:DEPTHS]):
            options[i, depth, [*codes, 2 * families]] = True
    return Encoded(states, places, mask, steps, options)


def initial_steps(relations: RelationIndex, encoder: TextEncoder, allowed: Callable[[Family, int, str], bool]) -> np.ndarray:
    """Vectors of the wordings of each step, averaged, float32 [2 * families + 1, d]; the label where it has no wording."""
    phraser = Phraser(random.Random(0), allowed)
    rows = []
    for family in relations.families:
        for way in (1, -1):
            step = (family, way)
            texts = [*phraser.nouns(step), *phraser.verbs(step), family.name]
            mean = encoder.encode(texts).mean(axis=0)
            rows.append(mean / (np.linalg.norm(mean) + 1e-9))
    return np.array([*rows, np.zeros(len(rows[0]))], np.float32)


def _module(torch: Any, steps: np.ndarray, encoder: TextEncoder) -> Any:
    """The parameters of a `StepScorer`, as a torch module of the same arithmetic."""
    d = encoder.dim

    def draw(*shape: int) -> Any:
        return torch.nn.Parameter(torch.randn(*shape) / np.sqrt(d))

    class Module(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.keys, self.query, self.carry = (draw(*shape) for shape in ((d, KEY), (DEPTHS, d, KEY), (d, KEY)))
            self.place = torch.nn.Parameter(torch.zeros(DEPTHS, 2 * PLACES + 1))
            self.used = torch.nn.Parameter(torch.ones(DEPTHS))
            self.down, self.up = draw(d, RANK), torch.nn.Parameter(torch.zeros(RANK, d))
            start = torch.tensor(steps)
            start[-1] = draw(d).detach()
            self.steps = torch.nn.Parameter(start)
            self.bias = torch.nn.Parameter(torch.zeros(DEPTHS, len(steps)))
            self.scale = torch.nn.Parameter(torch.tensor(15.0))

        def forward(self, states: Any, places: Any, mask: Any) -> Any:
            """Logits [batch, DEPTHS, steps]."""
            lengths = mask.sum(dim=1, keepdim=True).float()
            whole, keys = states.sum(dim=1) / lengths, states @ self.keys
            context, covered = torch.zeros_like(whole), torch.zeros_like(mask, dtype=torch.float32)
            rows = []
            for t in range(DEPTHS):
                query = whole @ self.query[t] + context @ self.carry
                score = (keys @ query[:, :, None])[:, :, 0] / np.sqrt(KEY) + self.place[t][places] - self.used[t] * covered
                attention = torch.softmax(score.masked_fill(~mask, -1e9), dim=1)
                covered = covered + attention
                context = (attention[:, None] @ states)[:, 0]
                value = context + context @ self.down @ self.up
                value = value / (value.norm(dim=1, keepdim=True) + 1e-6)
                rows.append(self.scale * (value @ self.steps.T) + self.bias[t])
            return torch.stack(rows, dim=1)

    return Module()


def _fit(torch: Any, model: Any, data: Encoded, epochs: int, seed: int, report: Report) -> None:
    generator = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01)
    batches = -(-len(data.states) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=max(epochs * batches, 2), pct_start=0.1)
    model.train()
    for epoch in range(epochs):
        order, total = generator.permutation(len(data.states)), 0.0
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            longest = int(data.mask[rows].sum(axis=1).max())
            states = torch.tensor(data.states[rows, :longest].astype(np.float32))
            mask = torch.tensor(data.mask[rows, :longest])
            states = states * torch.tensor(generator.random(states.shape[:2]) > _DROPOUT)[:, :, None]
            logits = model(states, torch.tensor(data.places[rows, :longest]), mask)
            logits = logits.masked_fill(~torch.tensor(data.options[rows]), -30.0)  # the graph has the last word at search, too
            gold = torch.tensor(data.steps[rows])
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), gold.flatten(), ignore_index=-1)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        report(f"epoch {epoch + 1} of {epochs}: loss {total / len(order):.3f}")


def _bucket(*parts: object) -> int:
    """A number from 0 to 999 that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()) % 1000


__all__ = ["Split", "evaluate", "held_out", "train"]
