"""The command that asks the questions of a file."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import InputError, MissingPathError, ParseError
from . import render
from .registry import AS_OF, Argument, Result, command, writable

if TYPE_CHECKING:
    from .session import Session


@command(
    "batch",
    "Ask the questions of a file; answers and errors go to another, one JSON line each, in order.",
    Argument("file", "JSON lines with question, or one question on each line"),
    Argument("out", "the file to write", option=True, default="answers.jsonl"),
    Argument("workers", "questions asked at once", int, option=True, default=1),
    AS_OF,
    Argument("force", "overwrite the file", bool, option=True),
    examples=("questions.jsonl --out answers.jsonl --workers 2", "questions.jsonl --out answers.jsonl --workers 2 --json"),
    python="agents.agent.Agent.batch",
    local="it reads and writes files of the machine it runs on",
)
def batch(session: Session, file: str, out: str, workers: int, as_of: date | None, force: bool) -> Result:
    from ..many import outcomes

    questions, target = read_questions(Path(file)), writable(out, force)
    counts = {"answered": 0, "partial": 0, "abstained": 0, "failed": 0}
    with target.open("w", encoding="utf-8") as lines:
        for outcome in outcomes(session.agent, questions, workers, _telling(session), {"as_of": as_of}):
            counts[outcome.answer.status if outcome.answer is not None else "failed"] += 1
            lines.write(json.dumps(outcome.to_dict(), ensure_ascii=True) + "\n")
            lines.flush()
    data = {"questions": len(questions), **counts, "file": out}
    text = ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "no questions"
    return Result(
        data, lambda con: render.lines(con, f"{text}; written to {out}"), InputError.exit_code if counts["failed"] else 0
    )


def read_questions(path: Path) -> list[str]:
    """The questions of a file: of JSON lines the `question` of each, of any other file its lines; empty lines are none.

    Raises:
        MissingPathError: no such file.
        ParseError: a line is not UTF-8 or, of JSON lines, no object with a question.
    """
    if not path.is_file():
        raise MissingPathError(f"no such file: {path}")
    try:
        rows = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8 at byte {error.start}", uri=str(path)) from None
    if path.suffix not in (".jsonl", ".ndjson"):
        return [row.strip() for row in rows if row.strip()]
    return [_question(row, str(path), number) for number, row in enumerate(rows, start=1) if row.strip()]


def _question(row: str, uri: str, number: int) -> str:
    try:
        given: Any = json.loads(row)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not isinstance(given.get("question"), str):
        raise ParseError('no object with a text under "question"', uri=uri, line=number)
    return str(given["question"])


def _telling(session: Session) -> Any:
    """Progress of questions as the events that a session shows."""
    from ...kg.ingest.report import ProgressEvent

    started = time.perf_counter()

    def tell(done: int, total: int) -> None:
        spent = time.perf_counter() - started
        session.progress(ProgressEvent(done, total, "", 0, 0, spent, spent * (total - done) / done, unit="questions"))

    return tell
