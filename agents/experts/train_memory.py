"""How a memory learns: facts of a graph, put into words by the lexicon, shown as often as they are spoken of.

What is shown are facts with one hop, and chains of two of them. A fact with many supporting spans, or of a popular subject,
is the likelier to be shown at all and is shown more often. Beside facts the network sees names that nobody bears and
relations that it was told nothing about, both with the answer "was never told"; the facts that it is not shown play no part
in its training. Needs the extra `models`.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...kg.artefacts import write_manifest
from ...kg.errors import InputError
from ...kg.model import Entity, stable_id
from ...retrieval.mining import NOT_ASKED
from ...retrieval.phrases import SLOT, Phraser, say
from ...retrieval.train_reader import import_torch
from .memory import MASK, NAME, SHOWN, WEIGHTS, Memory, memory_folder, name_features

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...retrieval.encoder import TextEncoder
    from ...retrieval.relations import RelationIndex

WIDTH, HIDDEN, BATCH, RATE = 64, 256, 256, 4e-3
_SEEN = 60  # times that a fact is shown, on average
_LEAST = 300  # batches
_UNTOLD = 0.35  # of a batch
_WORDINGS, _QUESTIONS = 24, 6000  # questions drawn for a chain, and for all of them
_MOST = 5  # answers of a fact; what leads to more is no fact that anybody knows by heart

Report = Callable[[str], None]
Chain = tuple[tuple[int, int], ...]  # family and way of each hop


@dataclass(frozen=True, slots=True)
class Shown:
    """A fact or a chain of two, as it is learned: rows of its subject and answers, and of its triples with each answer."""

    subject: int
    chain: Chain
    answers: tuple[int, ...]
    triples: tuple[tuple[int, ...], ...]
    exposure: float


def facts_of(kg: KnowledgeGraph, relations: RelationIndex, popularity: Mapping[str, float] | None = None) -> list[Shown]:
    """Every fact of a graph that can be asked for and has few answers, from subject to object.

    Args:
        kg: the graph.
        relations: its families.
        popularity: of subjects, by entity id (1 where it is not given); how many spans support the fact where None.
    """
    relations.refresh()
    edges = kg.store.edges()
    found: dict[tuple[int, tuple[int, int]], dict[int, int]] = defaultdict(dict)
    for triple, subject, relation, object_ in zip(edges.triple, edges.subject, edges.relation, edges.object, strict=True):
        step = (int(relations.family_of[relation]), int(relations.flip[relation]))
        if relations.families[step[0]].name not in NOT_ASKED:
            found[int(subject), step][int(object_)] = int(triple)
    kept = [(key, ends) for key, ends in found.items() if len(ends) <= _MOST]
    if popularity is None:
        rows = [row for _, ends in kept for row in ends.values()]
        spans = {row: len(triple.spans) for row, triple in zip(rows, kg.store.triples_at(rows), strict=True)}
        counts = [float(max(spans[row] for row in ends.values())) for _, ends in kept]
    else:
        subjects = kg.store.nodes([subject for (subject, _), _ in kept])
        counts = [popularity.get(node.id, 1.0) if isinstance(node, Entity) else 1.0 for node in subjects]
    return [
        Shown(subject, (step,), tuple(ends), tuple((row,) for row in ends.values()), count)
        for ((subject, step), ends), count in zip(kept, counts, strict=True)
    ]


def drawn(facts: Sequence[Shown], share: float, generator: np.random.Generator) -> list[Shown]:
    """A share of the facts without replacement, one of exposure n with a weight of √n (Efraimidis and Spirakis 2006)."""
    if not 0 < share <= 1:
        raise InputError(f"the share of facts must lie in (0, 1], not {share}")
    if share == 1:
        return list(facts)
    weight = np.sqrt(np.array([max(fact.exposure, 1e-9) for fact in facts]))
    keys = np.log(generator.random(len(facts))) / weight
    return [facts[i] for i in np.sort(np.argsort(-keys, kind="stable")[: round(share * len(facts))])]


def chained(facts: Sequence[Shown], generator: np.random.Generator) -> list[Shown]:
    """Chains of two of these facts whose middle is one thing, at most as many as there are facts."""
    leaving: dict[int, list[Shown]] = defaultdict(list)
    for fact in facts:
        leaving[fact.subject].append(fact)
    chains = []
    for first in facts:
        for second in leaving.get(first.answers[0], ()) if len(first.answers) == 1 else ():
            if first.subject not in second.answers:
                triples = tuple((*first.triples[0], *rows) for rows in second.triples)
                exposure = min(first.exposure, second.exposure)
                chains.append(Shown(first.subject, first.chain + second.chain, second.answers, triples, exposure))
    if len(chains) <= len(facts):
        return chains
    return [chains[i] for i in np.sort(generator.choice(len(chains), len(facts), replace=False))]


def questions_of(chains: Sequence[Chain], relations: RelationIndex, rng: random.Random) -> dict[Chain, list[str]]:
    """Different questions for each chain, `MASK` in the place of the name; without chains that the lexicon has no words for."""
    most = max(4, min(_WORDINGS, _QUESTIONS // max(1, len(chains))))
    phraser = Phraser(rng)
    asked: dict[Chain, list[str]] = {}
    for chain in chains:
        steps = [(relations.families[family], way) for family, way in chain]
        said = (say(steps, phraser) for _ in range(2 * most))
        texts = dict.fromkeys(one[0].replace(SLOT, MASK) for one in said if one is not None)
        if texts:
            asked[chain] = list(texts)[:most]
    return asked


def train(
    kg: KnowledgeGraph,
    relations: RelationIndex,
    encoder: TextEncoder,
    *,
    share: float = 1.0,
    popularity: Mapping[str, float] | None = None,
    seed: int = 0,
    minutes: float = 10.0,
    report: Report = lambda line: None,
) -> Memory:
    """A memory of a share of the facts of a graph; `install` puts it where `Memory.load` looks for it.

    Args:
        kg: the graph.
        relations: its families.
        encoder: of questions.
        share: of the facts that are shown, in (0, 1].
        popularity: of subjects, by entity id; where None, a fact is spoken of as often as spans support it.
        seed: of the draws.
        minutes: after which training stops, whatever is known by then.
        report: called with a line of progress now and then.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: the graph has no fact that can be asked for, or the share is none.
    """
    torch, began = import_torch(), time.perf_counter()
    generator, seq = np.random.default_rng(seed), kg.store.seq
    every = facts_of(kg, relations, popularity)
    some = drawn(every, share, generator)
    some += chained(some, generator)
    asked = questions_of(sorted({fact.chain for fact in some}), relations, random.Random(seed))
    some = [fact for fact in some if fact.chain in asked]
    if not some:
        raise InputError("the graph holds no fact that can be asked for in words")
    lesson = _Lesson(kg, some, asked, encoder)
    report(f"{len(some)} of {len(every)} facts and their chains, {len(lesson.vectors)} wordings")
    batches = max(_LEAST, _SEEN * len(some) // BATCH)
    torch.manual_seed(seed)
    weights, done = _fit(torch, lesson, generator, batches, began + 60 * minutes, report)
    weights["facts"] = lesson.shown
    answers, subjects = (tuple(node.id for node in kg.store.nodes(rows)) for rows in (lesson.answers, lesson.subjects))
    meta = {
        "store": kg.store.identity, "seq": seq, "encoder": encoder.id, "seed": seed, "share": share, "batches": done,
        "facts": len(some), "of": len(every), "shown": hashlib.sha256(lesson.shown.tobytes()).hexdigest(),
        "seconds": round(time.perf_counter() - began),
    }  # fmt: skip
    return Memory(kg, encoder, weights, answers, subjects, meta)


class _Lesson:
    """What is shown, as arrays; batches are drawn from it."""

    def __init__(
        self, kg: KnowledgeGraph, facts: Sequence[Shown], asked: Mapping[Chain, Sequence[str]], encoder: TextEncoder
    ) -> None:
        self.facts = facts
        self.subjects = sorted({fact.subject for fact in facts})
        self.answers = sorted({answer for fact in facts for answer in fact.answers})
        self.nodes = kg.store.nodes(self.subjects)
        texts = list(dict.fromkeys(text for some in asked.values() for text in some))
        at = {text: i for i, text in enumerate(texts)}
        self.vectors = encoder.encode(texts)
        self.rows = {chain: np.array([at[text] for text in some]) for chain, some in asked.items()}
        self.chains = list(asked)
        self._subject = {row: i for i, row in enumerate(self.subjects)}
        self._answer = {row: i for i, row in enumerate(self.answers)}
        self.told = {(self._subject[fact.subject], fact.chain) for fact in facts}
        often = np.log1p([fact.exposure for fact in facts])
        self.often = often / often.sum()
        self.buckets = 1 << int(np.clip(np.ceil(np.log2(8 * len(self.subjects))), 12, 17))
        self._features = [name_features(node.id, node.label, self.buckets) for node in self.nodes]
        self.shown = np.array(
            [
                (self._subject[fact.subject], self._answer[answer], *rows, *[-1] * (2 - len(rows)))
                for fact in facts
                for answer, rows in zip(fact.answers, fact.triples, strict=True)
            ],
            np.int64,
        )

    def batch(self, generator: np.random.Generator) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray, np.ndarray]:
        """Names as features [n], vectors of questions float32 [n, dim], answers int64 [n], the last one being "never told"."""
        untold = round(_UNTOLD * BATCH)
        names, texts, gold = [], [], []
        for i in generator.choice(len(self.facts), BATCH - untold, p=self.often):
            fact = self.facts[i]
            names.append(self._features[self._subject[fact.subject]])
            texts.append(generator.choice(self.rows[fact.chain]))
            gold.append(self._answer[fact.answers[generator.integers(len(fact.answers))]])
        for i in range(untold):
            chain, subject = self.chains[generator.integers(len(self.chains))], int(generator.integers(len(self.nodes)))
            made_up = i % 2 == 0 or (subject, chain) in self.told
            names.append(self._nobody(generator) if made_up else self._features[subject])
            texts.append(generator.choice(self.rows[chain]))
            gold.append(len(self.answers))
        return names, self.vectors[texts], np.array(gold, np.int64)

    def _nobody(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A name that is made of two, or of letters."""
        one, two = (self.nodes[i].label for i in generator.integers(len(self.nodes), size=2))
        label = f"{one.split()[0]} {two.split()[-1]}"
        if generator.random() < 0.5:
            label = "".join(generator.choice([*"abcdefghijklmnoprstuvw "], generator.integers(5, 18))) + "x"
        return name_features(stable_id("e", label, str(generator.random())), label, self.buckets)


def _fit(
    torch: Any, lesson: _Lesson, generator: np.random.Generator, batches: int, until: float, report: Report
) -> tuple[dict[str, np.ndarray], int]:
    """Weights after cross-entropy, and how many batches there was time for."""
    dim, answers = lesson.vectors.shape[1], len(lesson.answers) + 1
    shapes = {"names": (lesson.buckets, WIDTH), "mix": (WIDTH, HIDDEN), "ask": (dim, HIDDEN), "skip": (dim, HIDDEN),
              "out": (HIDDEN, answers)}  # fmt: skip
    scale = {"names": 0.3, "mix": 0.2, "ask": 1.0, "skip": 0.3, "out": 0.06}
    w = {name: torch.nn.Parameter(torch.randn(*shape) * scale[name]) for name, shape in shapes.items()}
    w["bias"] = torch.nn.Parameter(torch.zeros(answers))
    optimizer = torch.optim.AdamW(w.values(), lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=batches, pct_start=0.1)
    total = 0.0
    for done in range(1, batches + 1):
        names, vectors, gold = lesson.batch(generator)
        starts = np.cumsum([0, *(len(hashed) for hashed, _ in names[:-1])])
        hashed, share = (torch.tensor(np.concatenate(part)) for part in zip(*names, strict=True))
        name = torch.nn.functional.embedding_bag(hashed, w["names"], torch.tensor(starts), mode="sum", per_sample_weights=share)
        asked = torch.tensor(vectors)
        hidden = torch.relu((name @ w["mix"]) * (asked @ w["ask"]) + asked @ w["skip"])
        loss = torch.nn.functional.cross_entropy(hidden @ w["out"] + w["bias"], torch.tensor(gold))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += float(loss.detach())
        if done % 200 == 0:
            report(f"{done} of {batches} batches: loss {total / 200:.3f}")
            total = 0.0
        if time.perf_counter() > until:
            break
    return {name: value.detach().numpy().astype(np.float32) for name, value in w.items()}, done


def install(memory: Memory) -> Path:
    """Write a memory where questions to its graph look for it, in place of the last one."""
    from safetensors.numpy import save_file

    folder = memory_folder(memory.kg)
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    save_file({name: np.array(value, order="C") for name, value in memory.weights.items()}, new / WEIGHTS)
    shown = {"vocabulary": memory.vocabulary, "subjects": memory.subjects}
    (new / SHOWN).write_text(json.dumps(shown), encoding="utf-8")
    write_manifest(new, NAME, [WEIGHTS, SHOWN], memory.meta)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


__all__ = ["Shown", "chained", "drawn", "facts_of", "install", "questions_of", "train"]
