"""Train the path scorer of one graph on questions mined from it: `hoptrace train retriever --kg DIR`.

Training starts at the packaged reader, which has read questions about relations in general, and goes on with questions
mined from the graph, its own choice of steps at each hop included: minutes on two cores. Needs the extra `models` (torch).

Three splits are held out and never trained on: seeds (a fifth of the nodes), compositions (an eighth of the patterns of two
and three hops) and wordings (one in six of those a relation has).
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kg.errors import InputError
from ..kg.mining import Pattern
from .encoder import TextEncoder
from .mining import MinedQuestion, QuestionMiner
from .stepwise import DEPTHS, SHARED, Reader, StepScorer
from .train_reader import Report, encode, fit, import_torch, module
from .trained import general_scorer
from .wordings import Family, stems

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

_RATE = 1e-3
MIN_QUESTIONS = 50


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


def train(
    kg: KnowledgeGraph,
    relations: RelationIndex,
    encoder: TextEncoder,
    *,
    questions: int = 8000,
    epochs: int = 12,
    seed: int = 0,
    split: Split | None = None,
    reader: Reader | None = None,
    report: Report = lambda line: None,
) -> StepScorer:
    """A path scorer for a graph, with its held-out figures in `meta`.

    Args:
        kg: the graph.
        relations: its families.
        encoder: frozen; the scorer can only be used with it.
        questions: mined for training.
        epochs: passes over them.
        seed: of the draws.
        split: what is held out.
        reader: where training starts; the packaged one where None.
        report: called with a line of progress now and then.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: the graph gives too few questions to learn from.
    """
    torch = import_torch()
    start = time.perf_counter()
    split, reader, rng = split or Split(seed), reader or Reader.default(), random.Random(seed)
    miner = QuestionMiner(kg, relations)
    mined = miner.mine(questions, rng, keep=split.pattern, allowed=split.wording, seeds=split.seeds)
    if len(mined) < MIN_QUESTIONS:
        raise InputError(f"the graph gives only {len(mined)} questions to learn from; at least {MIN_QUESTIONS} are needed")
    report(f"{len(mined)} questions from {len(miner.found)} patterns")
    families = tuple(family.name for family in relations.families)
    known = [(q.text, q.start, q.end, [2 * family + (way < 0) for family, way in q.steps]) for q in mined]
    first = general_scorer(reader, relations)
    data = encode(known, 2 * len(families), first.reading(encoder), report)
    options = np.zeros((len(mined), DEPTHS, 2 * len(families) + 1), bool)
    options[:, :, -1] = True
    for i, question in enumerate(mined):
        for depth, codes in enumerate(miner.options(question)[:DEPTHS]):
            options[i, depth, codes] = True
    torch.manual_seed(seed)
    model = module(torch, encoder.dim, {name: first.weights[name] for name in SHARED})
    steps, bias = (torch.nn.Parameter(torch.tensor(first.weights[name])) for name in ("steps", "bias"))

    def logits(rows: np.ndarray, states: Any, places: Any, mask: Any) -> Any:
        return model(states, places, mask, steps, bias).masked_fill(~torch.tensor(options[rows]), -30.0)

    trained = {name: parameter for name, parameter in model.named_parameters() if name in SHARED} | {"steps": steps, "bias": bias}
    fit(torch, list(trained.values()), data, logits, epochs, seed, report, _RATE)
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in trained.items()}
    scorer = StepScorer(families, weights, encoder.id, {}, first.top)
    figures = {}
    for name, some in held_out(miner, split, seed).items():
        figures[name] = {"reader": evaluate(first, some, miner, encoder), "trained": evaluate(scorer, some, miner, encoder)}
        report(f"{name}: path@1 {figures[name]['trained']:.3f} (before training {figures[name]['reader']:.3f}) of {len(some)}")
    meta: dict[str, object] = {"questions": len(mined), "epochs": epochs, "seed": seed, "held_out_path@1": figures}
    return StepScorer(families, weights, encoder.id, {**meta, "seconds": round(time.perf_counter() - start, 1)}, first.top)


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


def evaluate(scorer: StepScorer, questions: Sequence[MinedQuestion], miner: QuestionMiner, encoder: TextEncoder) -> float:
    """Share of questions whose every step, and the stop after them, is the most probable of those the graph offers."""
    hits = 0
    for question in questions:
        table = scorer.read(encoder, question.text, [(question.start, question.end)])
        stop = table.shape[1] - 1
        gold = [*(2 * family + (way < 0) for family, way in question.steps), stop]
        offered = [[*codes, stop] for codes in miner.options(question)]
        hits += all(codes[int(row[codes].argmax())] == one for row, codes, one in zip(table, offered, gold, strict=False))
    return round(hits / len(questions), 4) if questions else 0.0


def _bucket(*parts: object) -> int:
    """A number from 0 to 999 that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()) % 1000


__all__ = ["Split", "evaluate", "held_out", "train"]
