"""The gate where it decides, on a folder of passages: part of `benchmarks/gate.py DATASET_DIR`.

The graph is read as the other benchmarks read it, with the triples of the folder where there are any; a memory is trained on half
of its facts, the often supported first. Every action is run once on every question, which gives the fixed choices. Then `Agent`
is asked by its rules, and, for each of three splits by entity and each price, with the gate calibrated on one half and laid
beside the graph as `hoptrace train gate` does: it is asked the other half. What was spent is what the routes say was spent.

Right is the exact match of the first answer with the accepted one or an alias, as in `answers.py`. Exact search between two
entities has no row: it is a part of every action that walks paths (`agents.acting.escalated`). Intervals are over questions; one
that several splits hold out counts once, with its mean.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from answers import gold
from common import percentiles, print_table, read_jsonl, with_interval
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.acting import Asked, Means, first_route
from hoptrace.agents.answer import Answer
from hoptrace.agents.compose import PathComposer
from hoptrace.agents.evaluate import Question
from hoptrace.agents.experts.train_memory import install, train
from hoptrace.agents.gate import Able, Gate, found
from hoptrace.agents.loop import for_values
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.train_gate import fit, load_gate, observe, save_gate
from hoptrace.agents.utility import Price, oracle, worth
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.metrics import exact_match
from hoptrace.retrieval.relations import RelationIndex

PRICES = {"a wrong answer costs half a right one": Price(), "a wrong answer costs nothing": Price(loss=0.0)}
SHARE, MINUTES, SEEDS = 0.5, 6, 3
GATE = "gate"
Values = dict[str, dict[str, np.ndarray]]  # by system and measure, float64 [questions], nan where it was not asked


@dataclass(frozen=True, slots=True)
class Done:
    """What one asking came to."""

    right: bool
    said: bool
    cost: float
    action: str

    def worth(self, price: Price) -> float:
        gained = price.value if self.right else -price.loss if self.said else 0.0
        return gained - price.retrieval * self.cost


def questions_of(dataset: Path, skip: int, limit: int | None) -> list[Question]:
    """Questions of a folder with all accepted answers, and where there are single steps of them, these after them."""
    rows = [row for row in read_jsonl(dataset / "questions.jsonl") if any(gold(row))][skip:][:limit]
    asked = {str(row["id"]) for row in rows}
    if (dataset / "subquestions.jsonl").is_file():
        rows += [row for row in read_jsonl(dataset / "subquestions.jsonl") if row["of"] in asked]
    return [Question(str(row["id"]), row["question"], tuple(map(str, gold(row)))) for row in rows]


def matches(question: Question, answer: Answer) -> bool:
    return bool(answer.answers) and exact_match(answer.answers[0], question.gold) == 1


def asked(agent: Agent, question: Question) -> Done:
    """The answer to a question as the agent comes."""
    answer = agent.ask(question.text)
    cost, action = answer.route.cost["retrievals"], answer.route.action
    return Done(matches(question, answer), answer.status != "abstained", cost, action)


def gated(agent: Agent, questions: list[Question], log: Outcomes, price: Price) -> list[dict[int, Done]]:
    """For each split, what the calibrated agent did with the questions held out, by their index."""
    runs, rows = [], np.arange(len(log))
    for seed in range(SEEDS):
        fitted, held = log.split(0.5, seed)
        save_gate(agent, Gate(fit(fitted, price)), {"guaranteed": False})
        runs.append({int(i): asked(agent, questions[i]) for i in rows[np.isin(log.groups, held.groups)]})
    return runs


def valued(log: Outcomes, ruled: list[Done], runs: list[dict[int, Done]], price: Price) -> Values:
    """Every measure of every system by question, over the questions that some split holds out."""
    held = sorted({i for run in runs for i in run})
    part = log.take(np.array(held))
    values: Values = {}
    for a, action in enumerate(log.actions):
        used = {"right": part.right[:, a], "utility": worth(part, np.full(len(part), a), price), "retrievals": part.cost[:, a]}
        values[f"always {action}"] = {name: value.astype(np.float64) for name, value in used.items()}
    systems = {"rules": [[ruled[i]] for i in held], GATE: [[run[i] for run in runs if i in run] for i in held]}
    for name, each in systems.items():
        values[name] = {
            "right": np.array([np.mean([one.right for one in some]) for some in each]),
            "utility": np.array([np.mean([one.worth(price) for one in some]) for some in each]),
            "retrievals": np.array([np.mean([one.cost for one in some]) for some in each]),
        }
    values["oracle"] = {"right": part.right.any(axis=1).astype(np.float64), "utility": oracle(part, price)}
    return values


def compared(values: Values, runs: list[dict[int, Done]]) -> dict[str, Any]:
    """Means with intervals, and the gate less the best fixed choice, question by question."""
    systems = {
        name: {key: one for measure, value in row.items() for key, one in with_interval(measure, value.tolist()).items()}
        for name, row in values.items()
    }
    fixed = max((name for name in values if name.startswith("always ")), key=lambda name: values[name]["utility"].mean())
    ahead = values[GATE]["utility"] - values[fixed]["utility"]
    chosen = Counter(done.action for run in runs for done in run.values())
    share = {action: round(count / chosen.total(), 3) for action, count in chosen.most_common()}
    return {"systems": systems, "best_fixed": fixed, **with_interval("gate_less_best_fixed", ahead.tolist()), "chosen": share}


def overhead(agent: Agent, questions: list[Question]) -> dict[str, dict[str, float]]:
    """Milliseconds of a decision by what linking and reading know, and of one after paths were walked, that walk included."""
    retriever, gate = agent.retriever, load_gate(agent)
    early, late = [], []
    for question in questions:
        links = retriever.link(question.text)
        reading = for_values(retriever.read(question.text, links))
        one = Asked(question.text, question.text, reading, links, retriever.budget, None)
        begun = time.perf_counter()
        route = first_route(retriever, Means(gate=gate), one, None)
        known = time.perf_counter()
        looked = retriever.search(reading, links, retriever.budget)
        draft = PathComposer(retriever).compose(reading, links, looked)
        gate.after(route, found(draft, [candidate.score for candidate in looked.candidates[:2]]), Able(reader=True))
        early.append(1000 * (known - begun))
        late.append(1000 * (time.perf_counter() - begun))
    return {"tier 0": percentiles(early), "with path probe": percentiles(late)}


def show(title: str, found: dict[str, Any]) -> None:
    """The table of one price."""
    print(f"\n{title}")
    cells = []
    for name, row in found["systems"].items():
        at = ["{:.3f} [{:.3f}, {:.3f}]".format(row[m], *row[f"{m}_ci95"]) for m in ("right", "utility")]
        cells.append((name, *at, f"{row['retrievals']:.2f}" if "retrievals" in row else "-"))
    print_table(("system", "right", "utility", "retrievals"), cells)
    print(
        "gate less {}: {:.3f} [{:.3f}, {:.3f}]; chosen: {}".format(
            found["best_fixed"],
            found["gate_less_best_fixed"],
            *found["gate_less_best_fixed_ci95"],
            ", ".join(f"{action} {share:.2f}" for action, share in found["chosen"].items()),
        )
    )


def measure(dataset: Path, skip: int, limit: int | None) -> dict[str, Any]:
    """The tables of a folder, printed, and their figures."""
    questions, encoder = questions_of(dataset, skip, limit), Encoder.default()
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        kg.ingest([dataset])
        install(train(kg, RelationIndex(kg, encoder), encoder, share=SHARE, minutes=MINUTES, report=print))
        agent = Agent(kg, encoder=encoder, writer=False)
        log = observe(agent, questions, judge=matches)
        ruled = [asked(agent, question) for question in questions]
        print(f"{len(log)} questions, {len(set(log.groups.tolist()))} entities")
        tables = {}
        for title, price in PRICES.items():
            runs = gated(agent, questions, log, price)
            tables[title] = compared(valued(log, ruled, runs, price), runs)
            show(title, tables[title])
        latency = overhead(agent, questions)
    for what, spent in latency.items():
        print(f"a decision, {what}: p50 {spent['p50']} ms, p95 {spent['p95']} ms")
    return {"n": len(log), "prices": tables, "latency_ms": latency}


__all__ = ["measure"]
