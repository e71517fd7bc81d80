"""Answers with their sources over passages: `python benchmarks/answers.py DATASET_DIR [--limit N] [--passages N]`.

The folder holds passages.jsonl, questions.jsonl {question, answer | answers, supporting_pids | supporting_facts} and,
optionally, triples.jsonl (else an extractor reads the passages). Every question is asked through `Agent`. With
`--passages N` the graph holds the gold passages of the questions asked and N others only, and all of it is extracted.

`em` and `f1` are SQuAD's, of the first answer against the accepted answer it fits best; 0 for an abstention.
`citation_precision` is the share of an answer's citations that lie in a gold passage, `citation_recall` the share of gold
passages that it cites, both over questions that were answered with a citation (`cited` of n). `grounded` is the share of
answers all of whose words stand in a quote that is cited, the title of its source or the question, or that are derived: yes, no
and numbers that were counted.

`hoptrace` is `Agent` as it comes; `paths` is without the student that reads passages. `--gold` gives every question a graph of
its own that holds only its gold passages.

Baselines take the best passage by `bm25`, `dense` or `rrf` and answer the entity in it that the question does not name
and whose sentence is nearest to the question by cosine, the earliest of those; yes-no questions included. They cite that
passage.

Evidence for a reader is measured in three regimes (S1, S2, S3: see `regimes`), in WordPiece tokens and by whether the
accepted answer stands in it, over all questions whose answer is not yes or no.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    commit,
    passages_only,
    peak_mb,
    percentiles,
    print_result,
    print_table,
    read_jsonl,
    supporting_pids,
    with_interval,
)
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.answer import Answer
from hoptrace.agents.steps import Retrieved, Understood
from hoptrace.kg.ingest.extract import DEFAULT, EXTRACTORS
from hoptrace.kg.ingest.sentences import sentences
from hoptrace.kg.model import normalize
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.metrics import exact_match, token_f1
from hoptrace.retrieval.passages import PassageSearch
from regimes import Regimes, table

SYSTEMS = ("bm25", "dense", "rrf", "paths", "hoptrace")
MEASURES = ("em", "f1", "abstained", "citation_precision", "citation_recall", "grounded")


@dataclass(frozen=True, slots=True)
class Row:
    """How one system did on one question: its answers, the pids it cites, quotes it packed."""

    question: dict[str, Any]
    answers: tuple[str, ...]
    cited: tuple[str, ...]
    milliseconds: float
    quotes: tuple[str, ...] = ()
    grounded: bool = True

    def measures(self) -> dict[str, float]:
        """Measures of this question; those of citations only where there are any."""
        accepted = gold(self.question)
        said = self.answers[0] if self.answers else ""
        found = {"em": exact_match(said, accepted), "f1": token_f1(said, accepted), "abstained": float(not self.answers)}
        if self.answers:
            found["grounded"] = float(self.grounded)
        wanted = set(supporting_pids(self.question))
        if self.cited and wanted:
            found["citation_precision"] = sum(pid in wanted for pid in self.cited) / len(self.cited)
            found["citation_recall"] = len(wanted & set(self.cited)) / len(wanted)
        return found


def gold(question: dict[str, Any]) -> list[str]:
    """Accepted answers."""
    return [*question.get("answers", [question.get("answer", "")]), *question.get("answer_aliases", [])]


class Extractive:
    """Baselines: the entity of the best passage that stands in the sentence nearest to the question."""

    def __init__(self, kg: KnowledgeGraph, search: PassageSearch) -> None:
        self.kg, self.search = kg, search
        nodes, chunks = kg.store.mentions()
        order = np.argsort(chunks, kind="stable")
        self._nodes, self._chunks = nodes[order], chunks[order]

    def ask(self, system: str, question: str) -> tuple[str, int]:
        """(answer or "", chunk row or -1)."""
        ranking = getattr(self.search, system)(question, 1)
        if not ranking:
            return "", -1
        row = ranking[0][0]
        text = next(chunk.text for _, chunk in self.kg.store.chunks([row]))
        start, end = np.searchsorted(self._chunks, [row, row + 1])
        asked = normalize(question)
        labels = [node.label for node in self.kg.store.nodes(np.unique(self._nodes[start:end]).tolist())]
        labels = [label for label in labels if normalize(label) not in asked]
        pieces = [text[begin:stop] for begin, stop in sentences(text)]
        if not pieces:
            return "", row
        cosines = self.search.encoder.encode(pieces) @ self.search.encoder.encode([question])[0]
        for i in np.argsort(-cosines, kind="stable").tolist():
            inside = [(pieces[i].find(label), label) for label in labels if label in pieces[i]]
            if inside:
                return min(inside)[1], row
        return "", row


class Runner:
    """One graph, every system."""

    def __init__(self, kg: KnowledgeGraph, encoder: Encoder) -> None:
        self.kg, self.encoder = kg, encoder
        self.agents = {"hoptrace": Agent(kg, encoder=encoder), "paths": Agent(kg, encoder=encoder, reads=False)}
        self.search = PassageSearch(kg, encoder)
        self.extractive = Extractive(kg, self.search)
        uris = {source.id: source.uri for source in kg.sources()}
        self.pids = {row: uris[chunk.source_id].rpartition("#")[2] for row, chunk in kg.store.chunks()}

    def warm_up(self) -> None:
        """Read all indexes once, so that no question pays for it."""
        for agent in self.agents.values():
            agent.retriever.warm_up()
            agent.ask("warm")

    def run(self, system: str, question: dict[str, Any]) -> Row:
        start = time.perf_counter()
        if system in self.agents:
            answer = self.agents[system].ask(question["question"])
            spent = 1000 * (time.perf_counter() - start)
            cited = tuple(citation.source.rpartition("#")[2] for citation in answer.citations)
            packed = [path for step in answer.trace if isinstance(step, Retrieved) for path in step.paths]
            quotes = tuple(hop.triple.spans[0].quote for path in packed for hop in path.hops if hop.triple.spans)
            return Row(question, answer.answers, cited, spent, quotes, self._grounded(answer))
        said, row = self.extractive.ask(system, question["question"])
        spent = 1000 * (time.perf_counter() - start)
        return Row(question, (said,) if said else (), (self.pids[row],) if said else (), spent)

    def _grounded(self, answer: Answer) -> bool:
        """Whether every word of the answers stands in the evidence cited or the question, or is derived."""
        titles = {source.uri: source.title for source in self.kg.sources()}
        texts = [answer.question, *(f"{titles.get(c.source, '')} {c.quote}" for c in answer.citations if c.verified)]
        known = {"yes", "no", "equal", *(word for text in texts for word in normalize(text).split())}
        counted = {step.operation for step in answer.trace if isinstance(step, Understood)} == {"count"}
        return all(word in known or (counted and word.isdigit()) for said in answer.answers for word in normalize(said).split())


def over_gold(dataset: Path, questions: list[dict[str, Any]], extractor: str) -> dict[str, list[Row]]:
    """Every system on every question, over a graph of its gold passages alone."""
    passages = {one["pid"]: one for one in read_jsonl(dataset / "passages.jsonl")}
    triples: dict[str, list[dict[str, Any]]] = {}
    if (dataset / "triples.jsonl").exists():
        for one in read_jsonl(dataset / "triples.jsonl"):
            triples.setdefault(one["pid"], []).append(one)
    rows: dict[str, list[Row]] = {system: [] for system in SYSTEMS}
    for question in questions:
        with tempfile.TemporaryDirectory() as folder:
            pids = supporting_pids(question)
            given = {"passages": [passages[pid] for pid in pids if pid in passages]}
            if triples:
                given["triples"] = [one for pid in pids for one in triples.get(pid, ())]
            for name, items in given.items():
                (Path(folder) / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in items), encoding="utf-8")
            with KnowledgeGraph.open(Path(folder) / "kg") as kg:
                kg.ingest([*Path(folder).glob("*.jsonl")], extractor=extractor)
                runner = Runner(kg, Encoder.default())
                for system in SYSTEMS:
                    rows[system].append(runner.run(system, question))
    return rows


def figures(rows: list[Row]) -> dict[str, Any]:
    """Means with intervals."""
    measured = [row.measures() for row in rows]
    found: dict[str, Any] = {"n": len(rows), "cited": sum("citation_precision" in m for m in measured)}
    for name in MEASURES:
        values = [m[name] for m in measured if name in m]
        found |= with_interval(name, values) if values else {name: None}
    return found | {"latency_ms": percentiles([row.milliseconds for row in rows])}


def evidence(regimes: Regimes, rows: list[Row]) -> dict[str, dict[str, Any]]:
    """Tokens and answer recall by regime."""
    measured = []
    for row in rows:
        accepted = gold(row.question)
        if {normalize(answer) for answer in accepted} & {"yes", "no"}:
            continue
        texts = regimes.texts(row.question["question"], row.quotes)
        measured.append({name: regimes.measure(given, accepted) for name, given in texts.items()})
    return table(measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int, help="only the first N questions")
    parser.add_argument("--skip", type=int, default=0, help="questions to leave out before them")
    parser.add_argument("--passages", type=int, help="only the gold passages and the first N others, without triples given")
    parser.add_argument("--extractor", choices=EXTRACTORS, default=DEFAULT, help="what reads passages without triples")
    parser.add_argument("--gold", action="store_true", help="ask each question over its gold passages alone")
    options = parser.parse_args()
    questions = [q for q in read_jsonl(options.dataset / "questions.jsonl") if any(gold(q))][options.skip :][: options.limit]
    name = options.dataset.resolve().name
    if options.gold:
        report(f"{name}, gold passages", over_gold(options.dataset, questions, options.extractor), 0.0, {})
        return
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        dataset = options.dataset
        if options.passages is not None:
            keep = {pid for question in questions for pid in supporting_pids(question)}
            dataset = passages_only(options.dataset, Path(folder), keep, options.passages)
        start = time.perf_counter()
        kg.ingest([dataset], extractor=options.extractor)
        runner = Runner(kg, Encoder.default())
        runner.warm_up()
        index_s = time.perf_counter() - start
        rows = {system: [runner.run(system, question) for question in questions] for system in SYSTEMS}
        used = evidence(Regimes(kg, runner.search, runner.encoder), rows["hoptrace"])
    report(name, rows, index_s, used)


def report(dataset: str, rows: dict[str, list[Row]], index_s: float, used: dict[str, dict[str, Any]]) -> None:
    """The tables for people and the line for programs."""
    systems = {system: figures(some) for system, some in rows.items()}
    ours = systems["hoptrace"]
    print(f"{dataset}: {ours['n']} questions; 95 % bootstrap intervals")
    lines = []
    for system, one in systems.items():
        cells = ["-" if one[m] is None else "{:.3f} [{:.3f}, {:.3f}]".format(one[m], *one[f"{m}_ci95"]) for m in MEASURES]
        lines.append([system, *cells, one["latency_ms"]["p50"], one["latency_ms"]["p95"]])
    print_table(["system", *MEASURES, "p50 ms", "p95 ms"], lines)
    if used:
        print()
        whole = used["S2"]["tokens"] or 1.0
        shares = [
            [name, one["tokens"], f"{one['tokens'] / whole:.0%}", f"{one['answer_recall']:.3f}"] for name, one in used.items()
        ]
        print_table(["evidence", "tokens", "of S2", "answer recall"], shares)
    peak = peak_mb()
    print(f"index {index_s:.1f} s, peak {peak:.0f} MB")
    systems["hoptrace"] |= {"evidence": used}
    print_result(
        {
            "benchmark": "answers",
            "dataset": dataset,
            "n": ours["n"],
            "systems": systems,
            "latency_ms": ours["latency_ms"],
            "index_s": round(index_s, 2),
            "peak_mb": peak,
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
