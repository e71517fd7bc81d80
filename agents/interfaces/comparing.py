"""Commands that hold answers and states of the graph against each other, and that judge answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ...kg.errors import InputError
from . import plain, render
from .registry import Argument, Result, command

if TYPE_CHECKING:
    from rich.console import Console

    from .session import Session

_SAME = ("status", "text", "realised", "answers", "confidence", "rationale", "paths", "citations")  # of a replay


@command(
    "diff",
    "Show what differs between two answers, or what was stated and withdrawn between two checkpoints or ledger numbers.",
    Argument("first", "number of an answer; name of a checkpoint"),
    Argument("second", "the same; for a checkpoint the present state when left out", optional=True, default="now"),
    Argument("ledger", "numbers are ledger numbers, as log shows them", bool, option=True),
    examples=("3 7", "before now", "12 15 --ledger"),
    python="kg.checkpoints.difference",
)
def diff(session: Session, first: str, second: str, ledger: bool) -> Result:
    if not ledger and first.isdigit() and second.isdigit():
        return _answers(session.answers.get(int(first)), session.answers.get(int(second)))
    from ...kg.checkpoints import difference

    found = difference(session.kg, first, second)
    data: dict[str, Any] = {"first": found.first, "last": found.last}
    for name, triples in (("added", found.added), ("removed", found.removed)):
        data[name] = [plain.fact(session.kg, triple) for triple in triples]

    def show(out: Console) -> None:
        render.line(out, f"ledger {found.first} to {found.last}: {len(found.added)} added, {len(found.removed)} removed")
        for mark, triples, style in (("+ ", found.added, "green"), ("- ", found.removed, "red")):
            for triple in triples:
                render.line(out, (f"{mark}{render.one_line(triple)}  ({triple.id})", style))

    return Result(data, show)


def _answers(one: dict[str, Any], two: dict[str, Any]) -> Result:
    """What the second answer has and the first has not, and the other way round."""
    parts = {
        "answers": (one["answers"], two["answers"]),
        "paths": ([_chain(path) for path in one["paths"]], [_chain(path) for path in two["paths"]]),
        "citations": ([_place(c) for c in one["citations"]], [_place(c) for c in two["citations"]]),
    }
    data: dict[str, Any] = {"first": one["number"], "second": two["number"]}
    for name, (before, after) in parts.items():
        data[name] = {"added": [x for x in after if x not in before], "removed": [x for x in before if x not in after]}
    kept = [("question", one["question"], two["question"]), ("status", one["status"], two["status"])]
    kept += [("route", one["route"]["action"], two["route"]["action"]), ("confidence", one["confidence"], two["confidence"])]
    data["changed"] = {name: [before, after] for name, before, after in kept if before != after}
    data["same"] = not data["changed"] and not any(data[name][way] for name in parts for way in ("added", "removed"))

    def show(out: Console) -> None:
        render.line(out, f"[{one['number']}] and [{two['number']}]: {'the same' if data['same'] else 'different'}")
        for name, (before, after) in data["changed"].items():
            render.line(out, (name, "bold"), f": {before} → {after}")
        for name in parts:
            _marked(out, name, data[name])

    return Result(data, show)


def _marked(out: Console, name: str, changed: dict[str, list[str]]) -> None:
    for way, mark, style in (("added", "+ ", "green"), ("removed", "- ", "red")):
        for text in changed[way]:
            render.line(out, (f"{mark}{render.one_line(text)}", style), (f"  {name}", "dim"))


def _chain(path: dict[str, Any]) -> str:
    return "".join(
        part if isinstance(part, str) else part[0]
        for part in render.chain({"hops": [{**hop, "citations": []} for hop in path["hops"]]})
    )


def _place(citation: dict[str, Any]) -> str:
    return f"{citation['source']}:{citation['start']}-{citation['end']} “{citation['quote']}”"


@command(
    "replay",
    "Ask the question of an answer again, in the same way, and say whether the answer is the same.",
    Argument("number", "number of an answer; the last one when left out", int, optional=True),
    examples=("", "3"),
    python="agents.agent.Agent.ask",
)
def replay(session: Session, number: int | None) -> Result:
    old = session.answers.get(number)
    asked = old.get("asked")
    if asked is None:
        raise InputError(f"answer {old['number']} is advice on a profile, or older than replay: it cannot be asked again")
    day, seq = date.fromisoformat(asked["as_of"]) if asked["as_of"] else None, session.kg.store.seq
    new = session.ask(old["question"], as_of=day, gate=asked["gate"])
    differ = [name for name in _SAME if old[name] != new[name]]
    stands = seq == asked["seq"]
    data = {"number": old["number"], "again": new["number"], "same": not differ, "differ": differ, "same_graph": stands}
    data |= {"answers": new["answers"], "ledger": [asked["seq"], seq]}

    def show(out: Console) -> None:
        graph = f"the same graph (ledger {seq})" if stands else f"the graph has changed since: ledger {asked['seq']}, now {seq}"
        said = ("same answer", "green") if not differ else (f"different {', '.join(differ)}", "bold yellow")
        render.line(out, f"[{old['number']}] asked again as [{new['number']}], {graph}: ", said)
        if differ:
            render.line(out, f"then: {old['text']}")
            render.line(out, f"now:  {new['text']}")

    return Result(data, show)


@command(
    "feedback",
    "Judge an answer; it becomes a labelled question in feedback.jsonl, for `train gate --asked`.",
    Argument("number", "number of an answer", int),
    Argument("verdict", "good or bad", choices=("good", "bad")),
    Argument("answer", "of a bad one: what is right; 'nothing' where the graph cannot know", option=True),
    examples=("3 good", '3 bad --answer "Piet Aalders"'),
    python="agents.feedback.keep",
    local="it judges answers that one person was given",
)
def feedback(session: Session, number: int, verdict: str, answer: str | None) -> Result:
    from ..feedback import FILE, keep

    record = session.answers.get(number)
    if (asked := record.get("asked")) is None or record["status"] == "stopped":
        raise InputError(f"answer {number} is advice, or was stopped: no label for the gate")
    if verdict == "good" and answer:
        raise InputError("--answer says what is right in place of a bad answer")
    right: Sequence[str] | None = None if answer is None else [] if answer == "nothing" else [answer]
    cited = [citation["source"] for citation in record["citations"]]
    said = {"said": record["answers"], "as_of": asked["as_of"], "sources": cited}
    row = keep(session.kg, question=record["question"], good=verdict == "good", right=right, **said)
    text = f"kept in {session.folder / FILE}: {verdict}"
    text += "; without --answer the gate cannot learn from it" if row["answers"] is None else ""
    return Result(row, lambda out: render.lines(out, text))
