"""Do answers follow the evidence: `python benchmarks/faithfulness.py DATASET_DIR [--limit N] [--beside N]`.

The folder holds passages.jsonl and questions.jsonl {question, answer, supporting_pids | supporting_facts}. Every question is
asked over a small graph of its gold passages and some others, and again after an edit:

    deleted   the sentence that the answer cites last is taken out of its passage: it should change or be refused
    swapped   the answer is replaced by that of another question, of like form, wherever it stands: it should follow
    absent    every passage with the accepted answer is taken out: the question should be refused

`changed` and `followed` are shares of the questions that were answered with a citation (`followed` without comparisons and
yes-no questions, whose answer is not stated), `refused` is a share of all questions whose answer is stated, and
`refused_wrongly` the share refused although the gold passages were there.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from common import commit, peak_mb, percentiles, print_result, print_table, read_jsonl, supporting_pids, with_interval
from hoptrace import Agent, Answer, KnowledgeGraph
from hoptrace.kg.model import normalize
from hoptrace.retrieval.encoder import Encoder

Passage = dict[str, Any]


def asked(question: str, passages: list[Passage], encoder: Encoder) -> Answer:
    """The answer over these passages alone."""
    with tempfile.TemporaryDirectory() as folder:
        lines = "".join(json.dumps(one) + "\n" for one in passages)
        (Path(folder) / "passages.jsonl").write_text(lines, encoding="utf-8")
        with KnowledgeGraph.open(Path(folder) / "kg") as kg:
            kg.ingest([Path(folder) / "passages.jsonl"])
            return Agent(kg, encoder=encoder).ask(question)


def plain(passage: Passage) -> Passage:
    """A passage as {pid, title, text}."""
    text = passage["text"] if "text" in passage else " ".join(s.strip() for s in passage["sentences"])
    return {"pid": passage["pid"], "title": passage["title"], "text": text}


def without(passages: list[Passage], quote: str) -> list[Passage]:
    """Passages with a quote taken out; one that is left empty is dropped."""
    cut = [{**one, "text": one["text"].replace(quote, " ").strip()} for one in passages]
    return [one for one in cut if one["text"]]


def swapped(passages: list[Passage], old: str, new: str) -> list[Passage]:
    """Passages with a name in place of another."""
    return [{**one, "title": one["title"].replace(old, new), "text": one["text"].replace(old, new)} for one in passages]


def like(answer: str, others: list[str], rng: random.Random) -> str | None:
    """Another answer of like form: with digits or without, and about as many words."""
    alike = [
        one
        for one in others
        if normalize(one) not in {normalize(answer), "yes", "no"}
        and any(c.isdigit() for c in one) == any(c.isdigit() for c in answer)
        and abs(len(one.split()) - len(answer.split())) <= 1
    ]
    return rng.choice(alike) if alike else None


def measure(
    question: Passage, passages: list[Passage], others: list[str], encoder: Encoder, rng: random.Random
) -> dict[str, float]:
    """Measures of one question."""
    start = time.perf_counter()
    first = asked(question["question"], passages, encoder)
    found: dict[str, float] = {"ms": 1000 * (time.perf_counter() - start), "refused_wrongly": float(not first.answers)}
    gold = [question["answer"], *question.get("answer_aliases", [])]
    named = normalize(question["question"])
    stated = all(normalize(one) not in {"yes", "no"} and normalize(one) not in named for one in gold)
    if first.answers and first.citations:
        again = asked(question["question"], without(passages, first.citations[-1].quote), encoder)
        found["changed"] = float(again.answers != first.answers)
        said = first.answers[0]
        new = like(said, others, rng) if normalize(said) not in named and normalize(said) not in {"yes", "no"} else None
        if new is not None and any(said in one["text"] for one in passages):
            again = asked(question["question"], swapped(passages, said, new), encoder)
            found["followed"] = float(bool(again.answers) and normalize(again.answers[0]) == normalize(new))
    if stated:
        left = [one for one in passages if not any(normalize(g) in normalize(f"{one['title']} {one['text']}") for g in gold)]
        found["refused"] = float(not asked(question["question"], left, encoder).answers) if left else 1.0
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int, default=60, help="questions asked")
    parser.add_argument("--skip", type=int, default=0, help="questions passed over at the beginning")
    parser.add_argument("--beside", type=int, default=4, help="passages that are not gold, drawn anew for every question")
    options = parser.parse_args()
    everything = {one["pid"]: plain(one) for one in read_jsonl(options.dataset / "passages.jsonl")}
    questions = read_jsonl(options.dataset / "questions.jsonl")
    others = [str(one["answer"]) for one in questions if one.get("answer")]
    asked_now = [one for one in questions if one.get("answer")][options.skip : options.skip + options.limit]
    encoder, rng = Encoder.default(), random.Random(0)
    rows = []
    for question in asked_now:
        gold = [pid for pid in supporting_pids(question) if pid in everything]
        beside = rng.sample(sorted(set(everything) - set(gold)), options.beside)
        rows.append(measure(question, [everything[pid] for pid in [*gold, *beside]], others, encoder, rng))
    report(options.dataset.resolve().name, rows)


def report(dataset: str, rows: list[dict[str, float]]) -> None:
    """The table for people and the line for programs."""
    figures: dict[str, Any] = {}
    lines = []
    for name in ("changed", "followed", "refused", "refused_wrongly"):
        values = [row[name] for row in rows if name in row]
        figures |= {f"{name}_n": len(values)} | (with_interval(name, values) if values else {name: None})
        shown = "-" if not values else "{:.3f} [{:.3f}, {:.3f}]".format(figures[name], *figures[f"{name}_ci95"])
        lines.append([name, len(values), shown])
    print(f"{dataset}: {len(rows)} questions; 95 % bootstrap intervals")
    print_table(["measure", "n", "share"], lines)
    latency = percentiles([row["ms"] for row in rows])
    result = {"benchmark": "faithfulness", "dataset": dataset, "n": len(rows), "systems": {"hoptrace": figures}}
    print_result(result | {"latency_ms": latency, "index_s": 0.0, "peak_mb": peak_mb(), "commit": commit()})


if __name__ == "__main__":
    main()
