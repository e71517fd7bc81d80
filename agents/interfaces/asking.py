"""Commands that ask, and that say how an answer came about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import UnknownEntityError
from . import render
from .registry import AS_OF, Argument, Result, command, writable
from .session import GATES

if TYPE_CHECKING:
    from rich.console import Console

    from .session import Session

_NUMBER = Argument("number", "number of an answer; the last one when left out", int, optional=True)


@command(
    "ask",
    "Ask a question; the answer's hops and quotes are traced to their sources and verified.",
    Argument("question", "the question", greedy=True),
    AS_OF,
    Argument("seconds", "give up the search after so long and say so", float, option=True),
    Argument(
        "gate",
        "where the answer comes from: what the gate chooses, never memory, memory alone, or both",
        option=True,
        default=GATES[0],
        choices=GATES,
    ),
    Argument("both", "show the plain text too, fact by fact, under the written one", bool, option=True),
    examples=('"Who owns the supplier of Brightwater Labs?"', '"Who ran it?" --as-of 2023-06-30'),
    python="agents.agent.Agent.ask",
)
def ask(session: Session, question: str, as_of: date | None, seconds: float | None, gate: str, both: bool) -> Result:
    budget = None if seconds is None else replace(session.agent.budget, seconds=seconds)
    record = session.ask(question, as_of=as_of, budget=budget, gate=gate)

    def show(out: Console) -> None:
        render.answer(out, record, both=both)
        if "internal" in record:
            render.beside(out, record)

    return Result(_shown(record), show)


@command(
    "advise",
    "Say what the graph's rules call for, given a profile; with a question, answer it about that advice.",
    Argument("question", "a question about the advice", greedy=True, optional=True),
    Argument("profile", "JSON file of one person's, firm's or machine's measurements and conditions", option=True),
    AS_OF,
    examples=("--profile profile-01.json", '--profile profile-01.json "What about caffeine?"'),
    python="agents.agent.Agent.consult",
    local="a profile is a file of the person asking, and a consultation is one person's",
)
def advise(session: Session, question: str, profile: str | None, as_of: date | None) -> Result:
    record = session.advise(Path(profile) if profile else None, question, as_of=as_of)
    return Result(_shown(record), lambda out: render.answer(out, record))


@command(
    "why",
    "Show how an answer came about: route, seeds, all paths with their scores.",
    _NUMBER,
    examples=("", "3"),
    python="agents.answer.Answer.to_dict",
)
def why(session: Session, number: int | None) -> Result:
    record = session.answers.get(number)
    return Result(record, lambda out: render.why(out, record))


@command(
    "why-not",
    "Show why something else is not the answer: the best rejected path to it and what it lost by.",
    Argument("question", "the question, in quotes; the last one asked when left out", many=True, optional=True),
    Argument("entity", "a name, alias, IRI or entity id", entity=True),
    AS_OF,
    examples=('"Who owns the supplier of Brightwater Labs?" Norland', "Norland"),
    python="agents.agent.Agent.why_not",
)
def why_not(session: Session, question: tuple[str, ...], entity: str, as_of: date | None) -> Result:
    text, name = _asked_about(session, [*question, entity])
    if not text:
        record = session.answers.get()
        given = (record.get("asked") or {}).get("as_of")
        text, as_of = record["question"], as_of or (date.fromisoformat(given) if given else None)
    found = session.agent.why_not(text, name, as_of=as_of)
    return Result(found.to_dict(), lambda out: render.why_not(out, found.to_dict()))


@command(
    "without",
    "Show what an answer would be if a source had never been read.",
    Argument("source", "a source's URI or id"),
    Argument("question", "the question; the last one asked when left out", greedy=True, optional=True),
    AS_OF,
    examples=('suppliers.csv "Who supplied Brightwater Labs?"', "suppliers.csv"),
    python="agents.without.without",
    local="it copies the whole graph",
)
def without(session: Session, source: str, question: str, as_of: date | None) -> Result:
    from ..without import without as asked_without

    found = asked_without(session.agent, source, question or session.answers.get()["question"], as_of=as_of).to_dict()
    return Result(found, lambda out: render.without(out, found))


@command(
    "sources",
    "Show an answer's citations in their text, checked against the store now.",
    _NUMBER,
    examples=("", "3"),
    python="agents.answer.Answer.citations",
)
def sources(session: Session, number: int | None) -> Result:
    from .quotes import reread

    record = session.answers.get(number)
    quotes = [reread(session.library, citation) for citation in record["citations"]]
    data = {"number": record["number"], "citations": [quote.to_dict() for quote in quotes]}
    return Result(data, lambda out: render.quotes(out, quotes))


@command(
    "report",
    "Write answers with their paths and sources: as one self-contained HTML page, or as an Excel workbook.",
    Argument("file", "the file, .html or .xlsx"),
    Argument("force", "overwrite the file", bool, option=True),
    examples=("answers.html", "answers.xlsx"),
    python="agents.interfaces.report.write",
    local="it writes a file of the machine it runs on",
)
def report(session: Session, file: str, force: bool) -> Result:
    from .report import write

    target = writable(file, force)
    records = list(session.answers)
    settings: dict[str, str | int] = {"graph": str(session.folder), "generation": session.kg.store.seq, **session.kg.stats()}
    write(session.library, records, target, settings)
    said = f"{len(records)} answers written to {file}"
    return Result({"file": file, "answers": len(records)}, lambda out: render.lines(out, said))


def _asked_about(session: Session, words: list[str]) -> tuple[str, str]:
    """(question, name) of words that may lack quotes; "" where they are a name and no question is among them."""
    for i, word in enumerate(words[:-1], start=1):
        if word.endswith("?"):
            return " ".join(words[:i]), " ".join(words[i:])
    question, whole = " ".join(words[:-1]), " ".join(words)
    try:
        session.kg.entity(whole)
    except UnknownEntityError:
        return (question, words[-1]) if len(question.split()) > 2 else ("", whole)
    return "", whole


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    """A record as `ask --json` prints it."""
    hidden = ("trace", "at", "asked")
    return {name: _shown(value) if name == "internal" else value for name, value in record.items() if name not in hidden}
