"""Passage recall of every search in one run: `python benchmarks/retrieval.py DATASET_DIR [--limit N] [--k 2 5 10]`.

The folder holds passages.jsonl, questions.jsonl and, optionally, triples.jsonl (without it, or with `--own-triples`, an
extractor reads the passages). All systems search the same new graph with the same encoder. `index_s` is what `hoptrace` needs
before its first question: ingestion and passage vectors; the facts that only `ppr` encodes are timed apart (`ppr_index_s`).
Recall is also printed by kind of question (field `type` or `hops`), where there are several.
"""

from __future__ import annotations

import argparse
import tempfile
import time
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
from hoptrace import KnowledgeGraph
from hoptrace.kg.ingest.extract import DEFAULT, EXTRACTORS
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.metrics import recall_at_k
from hoptrace.retrieval.passages import PassageSearch

SYSTEMS = {"bm25": "bm25", "dense": "dense", "rrf": "rrf", "ppr": "ppr", "hoptrace": "hybrid"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int, help="only the first N questions")
    parser.add_argument("--k", type=int, nargs="+", default=[2, 5, 10])
    parser.add_argument("--own-triples", action="store_true", help="leave triples that are given aside and extract")
    parser.add_argument("--extractor", choices=EXTRACTORS, default=DEFAULT, help="what reads passages without triples")
    options = parser.parse_args()
    questions = [q for q in read_jsonl(options.dataset / "questions.jsonl") if supporting_pids(q)][: options.limit]
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        dataset = passages_only(options.dataset, Path(folder), set(), None) if options.own_triples else options.dataset
        start = time.perf_counter()
        kg.ingest([dataset], extractor=options.extractor)
        search = PassageSearch(kg, Encoder.default())
        search.refresh()
        search.hybrid("warm", 1)
        index_s = time.perf_counter() - start
        start = time.perf_counter()
        search.ppr("warm", 1)
        ppr_index_s = time.perf_counter() - start
        pids = passage_ids(kg)
        results = {name: run(search, method, questions, pids, options.k) for name, method in SYSTEMS.items()}
    by_kind(questions, results, options.k)
    report(options.dataset.resolve().name, len(questions), len(pids), results, index_s, ppr_index_s)


def passage_ids(kg: KnowledgeGraph) -> dict[int, str]:
    """Chunk row to pid; the uri of a passage ends in `#pid`."""
    uris = {source.id: source.uri for source in kg.store.sources()}
    return {row: uris[chunk.source_id].rpartition("#")[2] for row, chunk in kg.store.chunks()}


def run(
    search: PassageSearch, method: str, questions: list[dict[str, Any]], pids: dict[int, str], ks: list[int]
) -> dict[str, Any]:
    """Recall at each k with its interval, and milliseconds per question. Several chunks of one passage count once."""
    recalls: dict[int, list[float]] = {k: [] for k in ks}
    milliseconds = []
    for question in questions:
        start = time.perf_counter()
        ranking = getattr(search, method)(question["question"], 4 * max(ks))
        milliseconds.append(1000 * (time.perf_counter() - start))
        found = list(dict.fromkeys(pids[row] for row, _ in ranking))
        for k in ks:
            recalls[k].append(recall_at_k(found, supporting_pids(question), k))
    figures: dict[str, Any] = {"latency_ms": percentiles(milliseconds), "each": recalls}
    for k in ks:
        figures |= with_interval(f"recall@{k}", recalls[k])
    return figures


def by_kind(questions: list[dict[str, Any]], results: dict[str, dict[str, Any]], ks: list[int]) -> None:
    """A table of recall by kind of question; takes the recalls of single questions out of the results."""
    each = {system: figures.pop("each") for system, figures in results.items()}
    kinds: dict[str, list[int]] = {}
    for i, question in enumerate(questions):
        kinds.setdefault(str(question.get("type") or question.get("hops") or "all"), []).append(i)
    if len(kinds) < 2:
        return
    rows = []
    for kind, spots in sorted(kinds.items()):
        for system, recalls in each.items():
            means = {f"recall@{k}": round(float(np.mean([recalls[k][i] for i in spots])), 4) for k in ks}
            results[system].setdefault("by_kind", {})[kind] = {"n": len(spots), **means}
            rows.append([f"{kind} ({len(spots)})", system, *(f"{value:.3f}" for value in means.values())])
    print_table(["questions", "system", *(f"recall@{k}" for k in ks)], rows)
    print()


def report(dataset: str, n: int, passages: int, results: dict[str, dict[str, Any]], index_s: float, ppr_index_s: float) -> None:
    """The table for people and the line for programs."""
    measures = [name for name in results["hoptrace"] if name.startswith("recall") and not name.endswith("ci95")]
    print(f"{dataset}: {n} questions, {passages} chunks; 95 % bootstrap intervals")
    rows = []
    for system, figures in results.items():
        cells = [f"{figures[m]:.3f} [{figures[f'{m}_ci95'][0]:.3f}, {figures[f'{m}_ci95'][1]:.3f}]" for m in measures]
        rows.append([system, *cells, figures["latency_ms"]["p50"], figures["latency_ms"]["p95"]])
    print_table(["system", *measures, "p50 ms", "p95 ms"], rows)
    peak = peak_mb()
    print(f"index {index_s:.1f} s, facts for ppr {ppr_index_s:.1f} s, peak {peak:.0f} MB")
    print_result(
        {
            "benchmark": "retrieval",
            "dataset": dataset,
            "n": n,
            "systems": results,
            "latency_ms": results["hoptrace"]["latency_ms"],
            "index_s": round(index_s, 2),
            "ppr_index_s": round(ppr_index_s, 2),
            "peak_mb": peak,
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
