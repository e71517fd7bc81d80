"""Questions over given graphs, hop count not told: `python benchmarks/kgqa.py DATASET_DIR [--limit N] [--skip N]
[--split dev|test]`.

The folder holds `kb.txt` with `qa_SPLIT_*.jsonl` (MetaQA), or `NAME_kb.tsv` with `NAME_questions.jsonl` (PathQuestion), any
number of each. Every graph is ingested into a new folder and asked through `Agent`. A question is
{question, topic_entity, answers}; of a longer file, N are drawn at random (seed 0). `--skip N` leaves out those
that `--limit N` draws, so that what was looked at while developing is not measured again.

`hits@1`: the first answer is gold. `f1`: between the set of answers and the gold set; 0 for an abstention. `abstained` and
`wrong` (answered, first answer not gold) show what a system does with the `*_kb_incomplete` files, whose graph lacks a
fact of the gold answer; some gold answers are often still reachable there, so neither share has a known best value. `incomplete`:
it abstained or said that its answers may be incomplete.

`hoptrace` trains its path scorer on questions mined from the graph alone before it is asked (`train_s`); `untrained` is the
same without.

Baselines are told the topic entity. `bm25`, `dense` and `rrf` rank the relation signatures that exist within three hops of it
("directed by of, release year": labels in the order walked, "of" where an edge is walked backwards) against the question
without the name; the answers are the nodes at the end of the best one that leads beyond the topic. `ppr` walks from
the topic over all edges, each weighted by the cosine of question and relation label, and answers the node with most mass.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import commit, peak_mb, percentiles, print_result, print_table, read_jsonl, with_interval
from hoptrace import Agent, KnowledgeGraph
from hoptrace.kg.model import normalize
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.fusion import reciprocal_rank_fusion
from hoptrace.retrieval.pagerank import personalized_pagerank, stochastic
from hoptrace.retrieval.train_paths import train
from hoptrace.retrieval.trained import install

HOPS = 3  # longest signature of the baselines
FAN_OUT, FRONTIER = 4096, 5000  # as in the path search
SYSTEMS = ("bm25", "dense", "rrf", "ppr", "untrained", "hoptrace")
MEASURES = ("hits@1", "f1", "abstained", "wrong", "incomplete")

Signature = tuple[tuple[int, int], ...]  # (relation row, 1 or -1) of each hop


class Question(NamedTuple):
    """A question; `group` names the file it is from."""

    text: str
    topic: str
    gold: frozenset[str]
    group: str


@dataclass(frozen=True, slots=True)
class Row:
    """How one system did on one question."""

    group: str
    answers: tuple[str, ...]
    gold: frozenset[str]
    milliseconds: float
    noted: bool = False

    def measures(self) -> dict[str, float]:
        found = list(dict.fromkeys(normalize(answer) for answer in self.answers))
        hit = float(bool(found) and found[0] in self.gold)
        shared = len(self.gold & set(found))
        f1 = 2 * shared / (len(self.gold) + len(found))
        return {"hits@1": hit, "f1": f1, "abstained": float(not found), "wrong": float(bool(found) and not hit)} | {
            "incomplete": float(self.noted or not found)
        }


# ---- reading ---------------------------------------------------------------------------------------------------------


def graphs(folder: Path, split: str) -> dict[Path, list[Path]]:
    """Each graph file and the question files that are asked of it."""
    if (folder / "kb.txt").is_file():
        return {folder / "kb.txt": sorted(folder.glob(f"qa_{split}_*.jsonl"))}
    return {kb: [kb.with_name(kb.name.replace("_kb.tsv", "_questions.jsonl"))] for kb in sorted(folder.glob("*_kb.tsv"))}


def sample(path: Path, limit: int, skip: int = 0) -> list[Question]:
    rows = read_jsonl(path)
    seen = set(random.Random(0).sample(range(len(rows)), min(skip, len(rows))))  # what `--limit SKIP` draws
    rows = [row for i, row in enumerate(rows) if i not in seen]
    drawn = random.Random(0).sample(rows, limit) if len(rows) > limit else rows
    group = re.sub(r"^qa_[a-z]+_|_questions$", "", path.stem)
    return [Question(row["question"], row["topic_entity"], frozenset(map(normalize, row["answers"])), group) for row in drawn]


# ---- baselines -------------------------------------------------------------------------------------------------------


class Signatures:
    """Baselines over the relation signatures around a topic entity."""

    def __init__(self, kg: KnowledgeGraph, encoder: Encoder) -> None:
        self.kg, self.encoder, self.adjacency = kg, encoder, kg.adjacency()
        self.labels = {row: relation.label for row, relation in kg.store.relations()}
        self._vectors: dict[str, np.ndarray] = {}
        edges = np.diff(self.adjacency.group_start)
        self._relation_of_edge = np.repeat(self.adjacency.group_key >> 1, edges)

    def ask(self, system: str, question: Question) -> tuple[str, ...]:
        """The answers of one baseline."""
        topics = self.kg.store.alias_rows(normalize(question.topic))
        if not topics:
            return ()
        words = question.text.replace(f"[{question.topic}]", "").replace(question.topic, "")
        if system == "ppr":
            return self._labels(self._walk(words, topics))
        found = self._around(np.array(topics))
        texts = {signature: self._text(signature) for signature in found}
        rankings: dict[str, Callable[[], list[Signature]]] = {
            "bm25": lambda: self._by_words(words, texts),
            "dense": lambda: self._by_meaning(words, texts),
            "rrf": lambda: _fused(self._by_words(words, texts), self._by_meaning(words, texts)),
        }
        reached = (self._ends(np.array(topics), signature) for signature in rankings[system]())
        return self._labels(next((nodes for nodes in reached if len(nodes)), np.zeros(0, np.int64)))

    def _around(self, topics: np.ndarray) -> list[Signature]:
        """Every signature of one to three hops, shortest first."""
        found: list[Signature] = []
        level: list[tuple[Signature, np.ndarray]] = [((), topics)]
        for depth in range(HOPS):
            grown: list[tuple[Signature, np.ndarray]] = []
            for signature, nodes in level:
                groups = self.adjacency.groups(nodes)
                for step in sorted({*zip(groups.relation.tolist(), groups.direction.tolist(), strict=True)}):
                    found.append((*signature, step))
                    if depth + 1 < HOPS:
                        grown.append(((*signature, step), self._step(nodes, step)))
            level = grown
        return found

    def _step(self, nodes: np.ndarray, step: tuple[int, int]) -> np.ndarray:
        groups = self.adjacency.groups(nodes)
        chosen = groups.take((groups.relation == step[0]) & (groups.direction == step[1]))
        reached: np.ndarray = np.unique(self.adjacency.edges(chosen, limit=FAN_OUT).neighbor)
        return reached[:FRONTIER]

    def _ends(self, topics: np.ndarray, signature: Signature) -> np.ndarray:
        nodes = topics
        for step in signature:
            nodes = self._step(nodes, step)
        return np.setdiff1d(nodes, topics)

    def _text(self, signature: Signature) -> str:
        return ", ".join(self.labels[relation] + (" of" if way < 0 else "") for relation, way in signature)

    def _by_words(self, question: str, texts: dict[Signature, str]) -> list[Signature]:
        words = set(re.findall(r"\w+", question.lower()))
        order = list(texts)
        table = sqlite3.connect(":memory:")
        table.execute("CREATE VIRTUAL TABLE signature USING fts5(text, tokenize = 'porter')")
        table.executemany("INSERT INTO signature(rowid, text) VALUES (?, ?)", enumerate(texts.values()))
        query = " OR ".join(f'"{word}"' for word in sorted(words))
        rows = table.execute("SELECT rowid FROM signature WHERE text MATCH ? ORDER BY bm25(signature), rowid", [query]).fetchall()
        table.close()
        return [order[row] for (row,) in rows]

    def _by_meaning(self, question: str, texts: dict[Signature, str]) -> list[Signature]:
        missing = sorted({text for text in texts.values() if text not in self._vectors})
        if missing:
            self._vectors.update(zip(missing, self.encoder.encode(missing), strict=True))
        cosines = np.array([self._vectors[text] for text in texts.values()]) @ self.encoder.encode([question])[0]
        order = list(texts)
        return [order[i] for i in np.argsort(-cosines, kind="stable")]

    def _walk(self, question: str, topics: list[int]) -> np.ndarray:
        from scipy import sparse

        vectors = self.encoder.encode(list(self.labels.values())) @ self.encoder.encode([question])[0]
        weight = np.zeros(max(self.labels) + 1)
        weight[list(self.labels)] = np.maximum(vectors, 0.01)
        indptr, neighbors = self.adjacency.csr()
        size = self.adjacency.size
        walk = stochastic(sparse.csr_array((weight[self._relation_of_edge], neighbors, indptr), shape=(size, size)))
        reset = np.bincount(topics, minlength=size).astype(float)
        mass = personalized_pagerank(walk, reset)
        mass[topics] = 0
        return np.array([mass.argmax()])

    def _labels(self, rows: np.ndarray) -> tuple[str, ...]:
        return tuple(node.label for node in self.kg.store.nodes(rows.tolist()))


def _fused(*rankings: list[Signature]) -> list[Signature]:
    return [signature for signature, _ in reciprocal_rank_fusion(rankings)]


# ---- running ---------------------------------------------------------------------------------------------------------


def run(kb: Path, questions: list[Question], encoder: Encoder) -> tuple[float, float, dict[str, list[Row]]]:
    """Seconds until the first question can be asked, seconds of training, and the rows of every system."""
    rows: dict[str, list[Row]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        start = time.perf_counter()
        kg.ingest([kb])
        agent = Agent(kg, encoder=encoder)
        agent.retriever.warm_up()
        agent.ask("warm")
        index_s = time.perf_counter() - start
        signatures = Signatures(kg, encoder)
        for system in SYSTEMS:
            if system == "hoptrace":
                start = time.perf_counter()
                install(kg, train(kg, agent.retriever.relations, encoder))
                train_s = time.perf_counter() - start
            for question in questions:
                start = time.perf_counter()
                ours = system in {"hoptrace", "untrained"}
                answer = agent.ask(question.text) if ours else None
                found = answer.answers if answer else signatures.ask(system, question)
                spent = 1000 * (time.perf_counter() - start)
                rows[system].append(Row(question.group, found, question.gold, spent, bool(answer and answer.notes)))
    return index_s, train_s, rows


def figures(rows: list[Row]) -> dict[str, Any]:
    """Measures with intervals over all rows, and by group."""

    def means(some: list[Row]) -> dict[str, Any]:
        measured = [row.measures() for row in some]
        intervals = [with_interval(name, [m[name] for m in measured]) for name in MEASURES]
        return {"n": len(some)} | {key: value for interval in intervals for key, value in interval.items()}

    groups = list(dict.fromkeys(row.group for row in rows))
    by_group = {group: means([row for row in rows if row.group == group]) for group in groups}
    return means(rows) | {"by_group": by_group, "latency_ms": percentiles([row.milliseconds for row in rows])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="questions drawn from each file (200)")
    parser.add_argument("--skip", type=int, default=0, help="draw from those that --limit SKIP does not draw (0)")
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="of MetaQA's files (dev)")
    options = parser.parse_args()
    found = graphs(options.dataset, options.split)
    if not any(found.values()):
        sys.exit(f"no kb.txt with qa_{options.split}_*.jsonl and no *_kb.tsv in {options.dataset}")
    encoder = Encoder.default()
    index_s, train_s, rows = 0.0, 0.0, defaultdict(list)
    for kb, files in found.items():
        asked = [question for file in files for question in sample(file, options.limit, options.skip)]
        indexing, training, more = run(kb, asked, encoder)
        index_s, train_s = index_s + indexing, train_s + training
        for system, some in more.items():
            rows[system] += some
    report(options.dataset.resolve().name, {system: figures(rows[system]) for system in SYSTEMS}, index_s, train_s)


def report(dataset: str, systems: dict[str, dict[str, Any]], index_s: float, train_s: float) -> None:
    """The table for people and the line for programs."""
    ours = systems["hoptrace"]
    print(f"{dataset}: {ours['n']} questions; 95 % bootstrap intervals of hits@1")
    table: list[list[object]] = []
    for group, first in ours["by_group"].items():
        for system in SYSTEMS:
            one = systems[system]["by_group"][group]
            low, high = one["hits@1_ci95"]
            shares = [f"{one[name]:.3f}" for name in MEASURES[1:]]
            table.append([f"{group} ({first['n']})", system, f"{one['hits@1']:.3f} [{low:.3f}, {high:.3f}]", *shares])
    print_table(["questions", "system", *MEASURES], table)
    print()
    print_table(["system", "p50 ms", "p95 ms"], [[s, f["latency_ms"]["p50"], f["latency_ms"]["p95"]] for s, f in systems.items()])
    peak = peak_mb()
    print(f"index {index_s:.1f} s, training {train_s:.0f} s, peak {peak:.0f} MB")
    print_result(
        {
            "benchmark": "kgqa",
            "dataset": dataset,
            "n": ours["n"],
            "systems": systems,
            "latency_ms": ours["latency_ms"],
            "index_s": round(index_s, 2),
            "train_s": round(train_s, 1),
            "peak_mb": peak,
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
