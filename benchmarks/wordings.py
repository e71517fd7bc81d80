"""Paths for wordings never seen: `python benchmarks/wordings.py [KB_FILE] [--questions N] [--seed S]`.

Without KB_FILE (head|relation|tail), a graph of companies, people, places and products is generated. One in six wordings of
every relation is taken out of the lexicon and out of all training (what shares a word with the relation's name stays in). A
reader for relations in general is trained without them, and from there a path scorer on questions mined from the graph.
Asked are mined questions about seeds not trained on, by hops: `trained` uses known wordings, `unseen` only wordings taken
out. The hop count is not told.

`path@k`: the gold relation path is among the k best. A relation whose two ends go by the same nouns ("the rivals of X") is
one step, walked from either end. Baselines rank the signatures that exist around the seed:
`mean` by the mean cosine of the question with each hop's relation, `signature` by the cosine with the labels in the order
walked.
`general` and `trained` are beams by the reader alone, before and after training on the graph; `untrained` and `hoptrace` are
the whole path search without it and with the trained one.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import commit, peak_mb, percentiles, print_result, print_table, with_interval
from hoptrace import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.mining import MinedQuestion, QuestionMiner
from hoptrace.retrieval.relations import RelationIndex
from hoptrace.retrieval.retriever import Retriever
from hoptrace.retrieval.stepwise import DEPTHS, Reader, StepScorer
from hoptrace.retrieval.train_paths import Split, train
from hoptrace.retrieval.train_reader import train_reader
from hoptrace.retrieval.trained import general_scorer, install
from hoptrace.retrieval.wordings import Family, Lexicon, lexicon

SYSTEMS = ("mean", "signature", "general", "trained", "untrained", "hoptrace")
BEAM = 24
Steps = tuple[tuple[int, int], ...]

ENDS = {  # relation: (type of subject, type of object, facts per subject)
    "owns": ("company", "company", 0.7), "supplies": ("company", "company", 1.2), "founded": ("person", "company", 0.35),
    "chief executive of": ("person", "company", 0.35), "headquartered in": ("company", "city", 1),
    "located in": ("city", "country", 1), "works for": ("person", "company", 0.8), "invested in": ("company", "company", 0.5),
    "competes with": ("company", "company", 0.5), "produces": ("company", "product", 1.5), "born in": ("person", "city", 1),
    "educated at": ("person", "university", 0.8), "married to": ("person", "person", 0.3),
}  # fmt: skip
SIZES = {"company": 9000, "person": 8000, "city": 800, "country": 60, "product": 1200, "university": 240}


def generate(path: Path, rng: random.Random, scale: float) -> None:
    """A graph of companies as head|relation|tail."""
    syllables = [a + b for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "or")]

    def name() -> str:
        return "".join(rng.choice(syllables) for _ in range(rng.randint(3, 4))).capitalize()

    kinds = {kind: [f"{name()} {name()}" for _ in range(max(int(size * scale), 12))] for kind, size in SIZES.items()}
    lines = set()
    for relation, (subject, target, rate) in ENDS.items():
        for one in kinds[subject]:
            for _ in range(int(rate) + (rng.random() < rate % 1)):
                other = kinds[target][int(len(kinds[target]) * rng.random() ** 2)]  # some are far better connected than others
                if other != one:
                    lines.add(f"{one}|{relation}|{other}")
    path.write_text("\n".join(sorted(lines)), encoding="utf-8")


def without(split: Split) -> Lexicon:
    """The packaged lexicon less the wordings held out."""

    def kept(family: Family, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word for word in words if split.wording(family, 1, word))

    fields = ("verbs", "weak_verbs", "subject_nouns", "object_nouns")
    return Lexicon(replace(f, **{name: kept(f, getattr(f, name)) for name in fields}) for f in lexicon().families.values())


class Ranker:
    """Rankings of signatures around a seed that do not use the path search."""

    def __init__(self, miner: QuestionMiner, relations: RelationIndex, encoder: Encoder, readers: dict[str, StepScorer]) -> None:
        self.miner, self.encoder, self.readers = miner, encoder, readers
        self.labels = [family.name for family in relations.families]
        self.vectors = encoder.encode([text for label in self.labels for text in (label, f"{label} of")])
        self._texts: dict[str, np.ndarray] = {}

    def rank(self, system: str, question: MinedQuestion) -> list[Steps]:
        """Signatures, best first."""
        masked = question.text[: question.start] + "it" + question.text[question.end :]
        if system in self.readers:
            return self._read(
                self.readers[system].read(self.encoder, question.text, [(question.start, question.end)]), question.seed
            )
        vector = self.encoder.encode([masked])[0]
        around = self._around(question.seed)
        if system == "mean":
            scores = [float(np.mean(self.vectors[list(codes)] @ vector)) for codes in around]
        else:
            texts = [", ".join(self.labels[c // 2] + (" of" if c & 1 else "") for c in codes) for codes in around]
            missing = sorted({text for text in texts if text not in self._texts})
            self._texts.update(zip(missing, self.encoder.encode(missing), strict=True))
            scores = [float(self._texts[text] @ vector) for text in texts]
        order = np.argsort(-np.array(scores), kind="stable")
        return [_steps(around[i]) for i in order]

    def _around(self, seed: int) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = []
        level: list[tuple[int, ...]] = [()]
        for _ in range(DEPTHS - 1):
            level = [(*codes, code) for codes in level for code in self.miner.patterns.options(seed, codes)]
            found += level
        return found

    def _read(self, table: np.ndarray, seed: int) -> list[Steps]:
        """A beam by the reader alone."""
        ended: list[tuple[float, tuple[int, ...]]] = []
        level: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
        for depth in range(DEPTHS):
            grown = []
            for score, codes in level:
                options = self.miner.patterns.options(seed, codes)
                logits = table[depth][[*options, -1]].astype(float)
                logs = score + logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
                ended += [(float(logs[-1]), codes)] if codes else []
                grown += [(float(log), (*codes, code)) for log, code in zip(logs[:-1], options, strict=True)]
            level = sorted(grown, reverse=True)[:BEAM] if depth < DEPTHS - 1 else []
        return [_steps(codes) for _, codes in sorted(ended, reverse=True)]


def _steps(codes: tuple[int, ...]) -> Steps:
    return tuple((code // 2, 1 - 2 * (code & 1)) for code in codes)


def searched(retriever: Retriever, question: MinedQuestion) -> list[Steps]:
    """Signatures of the path search, best first."""
    links = retriever.link(question.marked)
    found = retriever.search(retriever.read(question.marked, links), links)
    return list(dict.fromkeys(candidate.states[0].steps for candidate in found.candidates))


Asked = dict[tuple[str, int], list[MinedQuestion]]  # by kind of wordings and hops
Figures = dict[tuple[str, int], dict[str, Any]]


def measure(rank: Callable[[MinedQuestion], list[Steps]], asked: Asked) -> Figures:
    """path@1 and path@5 with intervals, and times."""
    return {key: _measured(rank, questions) for key, questions in asked.items()}


def _measured(rank: Callable[[MinedQuestion], list[Steps]], questions: list[MinedQuestion]) -> dict[str, Any]:
    hits: dict[int, list[float]] = {1: [], 5: []}
    spent = []
    for question in questions:
        start = time.perf_counter()
        ranking = rank(question)
        spent.append(1000 * (time.perf_counter() - start))
        for k, values in hits.items():
            values.append(float(question.steps in ranking[:k]))
    figures = {"n": len(questions)} | with_interval("path@1", hits[1]) | with_interval("path@5", hits[5])
    return figures | {"latency_ms": percentiles(spent)}


def ask(miner: QuestionMiner, split: Split, count: int, rng: random.Random) -> Asked:
    """Questions about seeds not trained on, with known wordings and with those taken out."""

    def unseen(family: Family, way: int, phrase: str) -> bool:
        return not split.wording(family, way, phrase)

    def seeds(row: int) -> bool:
        return not split.seeds(row)

    kinds = {"trained": split.wording, "unseen": unseen}
    return {
        (kind, hops): miner.mine(count, rng, hops=(hops,), allowed=allowed, seeds=seeds)
        for kind, allowed in kinds.items()
        for hops in (2, 3)
    }


def compare(kg: KnowledgeGraph, options: argparse.Namespace, rng: random.Random) -> tuple[dict[str, Figures], float]:
    """Figures by system, and how long training on the graph took (seconds)."""
    encoder, split = Encoder.default(), Split(options.seed)
    relations = RelationIndex(kg, encoder)
    miner = QuestionMiner(kg, relations)
    asked = ask(miner, split, options.questions, rng)
    reader = Reader.load(options.reader) if options.reader else train_reader(encoder, allowed=split.wording, report=print)
    retriever = Retriever(kg, encoder, lexicon=without(split))
    results = {"untrained": measure(lambda q: searched(retriever, q), asked)}
    start = time.perf_counter()
    scorer = train(kg, relations, encoder, questions=options.train, seed=options.seed, split=split, reader=reader, report=print)
    install(kg, scorer)
    train_s = time.perf_counter() - start
    ranker = Ranker(miner, relations, encoder, {"general": general_scorer(reader, relations), "trained": scorer})
    for system in SYSTEMS[:4]:
        results[system] = measure(lambda q, s=system: ranker.rank(s, q), asked)
    results["hoptrace"] = measure(lambda q: searched(retriever, q), asked)
    return results, train_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kb", type=Path, nargs="?")
    parser.add_argument("--questions", type=int, default=200, help="asked of each kind and length (200)")
    parser.add_argument("--train", type=int, default=8000, help="mined for training (8000)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the generated graph (1: about 19,000 entities)")
    parser.add_argument("--reader", type=Path, help="a reader trained without the wordings held out, instead of training one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed + 7)
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        kb = options.kb or Path(folder) / "kb.txt"
        if options.kb is None:
            generate(kb, rng, options.scale)
        kg.ingest([kb])
        results, train_s = compare(kg, options, rng)
    report(options.kb.name if options.kb else "generated", results, train_s)


def report(dataset: str, results: dict[str, Figures], train_s: float) -> None:
    """The table for people and the line for programs."""
    table: list[list[object]] = []
    for (kind, hops), first in results["hoptrace"].items():
        for system in SYSTEMS:
            one = results[system][kind, hops]
            cells = ["{:.3f} [{:.3f}, {:.3f}]".format(one[m], *one[f"{m}_ci95"]) for m in ("path@1", "path@5")]
            table.append(
                [f"{kind}, {hops} hops ({first['n']})", system, *cells, one["latency_ms"]["p50"], one["latency_ms"]["p95"]]
            )
    print_table(["wordings", "system", "path@1", "path@5", "p50 ms", "p95 ms"], table)
    print(f"training {train_s:.0f} s")
    systems = {s: {f"{kind}_{hops}hop": one for (kind, hops), one in results[s].items()} for s in SYSTEMS}
    n = sum(one["n"] for one in results["hoptrace"].values())
    print_result(
        {
            "benchmark": "wordings",
            "dataset": dataset,
            "n": n,
            "systems": systems,
            "train_s": round(train_s, 1),
            "peak_mb": peak_mb(),
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
