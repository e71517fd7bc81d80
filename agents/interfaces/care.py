"""Commands that keep a graph well: export, restore, doctor, evaluation; and the demo and the shell."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import ROOT
from ...kg.errors import InputError, MissingPathError
from . import plain, render
from .registry import Argument, Result, command, writable

if TYPE_CHECKING:
    from .session import Session


@command(
    "export",
    "Write the graph to a file: nq and trig without loss; ttl, nt, jsonld, rdf, graphml, csv, json.",
    Argument("file", "the file; its suffix says the format"),
    Argument("format", "when the suffix does not say it", option=True),
    Argument("force", "overwrite the file", bool, option=True),
    examples=("graph.trig", "graph.graphml"),
    python="kg.graph.KnowledgeGraph.export",
    local="it writes a file of the machine it runs on",
)
def export(session: Session, file: str, format: str | None, force: bool) -> Result:
    session.kg.export(writable(file, force), format=format)
    return Result({"file": file}, lambda out: render.lines(out, f"written to {file}"))


@command(
    "restore",
    "Read an nq or trig export back: sources, spans, times, and what people said (audits, retractions, merges).",
    Argument("file", "a file that export wrote"),
    examples=("graph.trig", "graph.nq"),
    python="kg.rdf.restore",
    writes=True,
    local="it reads a file of the machine it runs on",
)
def restore(session: Session, file: str) -> Result:
    from ...kg.rdf import restore as read_back

    if not Path(file).is_file():
        raise MissingPathError(f"no such file: {file}")
    sources = read_back(session.open(create=True), Path(file))
    return Result({"file": file, "sources": sources}, lambda out: render.lines(out, f"{sources} sources restored from {file}"))


@command(
    "doctor",
    "Check the graph's health; with --verify re-read every chunk and span.",
    Argument("verify", "re-read everything", bool, option=True),
    Argument("repair", "rebuild what is derived", bool, option=True),
    examples=("", "--verify"),
    python="kg.doctor.check",
    writes=True,
    local="it repairs files of the machine it runs on",
)
def doctor(session: Session, verify: bool, repair: bool) -> Result:
    from ...kg.doctor import check

    findings = [plain.value(asdict(finding)) for finding in check(session.kg, verify=verify, repair=repair)]
    columns = ("severity", "what", "where", "fix")
    broken = any(finding["severity"] == "error" for finding in findings)
    rows = [[finding[column] for column in columns] for finding in findings]
    return Result({"findings": findings}, lambda out: render.table(out, columns, rows), exit_code=1 if broken else 0)


@command(
    "eval",
    "Ask the questions of a file and score the answers.",
    Argument("questions", "JSON lines with question and answer or answers; the demo's when left out", option=True),
    Argument("corrections", "ask about what was taught and corrected instead", bool, option=True),
    examples=("--questions questions.jsonl", "--corrections"),
    python="agents.evaluate.evaluate",
    local="minutes of work, for the owner of the graph",
)
def evaluate(session: Session, questions: str | None, corrections: bool) -> Result:
    from ..corrections import questions as taught
    from ..evaluate import evaluate as score

    if questions and corrections:
        raise InputError("--questions or --corrections, not both")
    report = score(session.agent, taught(session.kg) if corrections else questions or ROOT / "demo" / "questions.jsonl")
    rows = [("right" if row.right else "WRONG", row.question.text, "; ".join(row.answer.answers)) for row in report.rows]

    def show(out: Any) -> None:
        render.table(out, ("", "question", "answer"), rows)
        render.lines(out, str(report))

    return Result(report.to_dict(), show)


@command(
    "demo",
    "Read a packaged corpus, ask its questions, write an HTML report.",
    Argument("out", "folder for the graph and the report", option=True, default="out"),
    Argument("pack", "demo (companies and ships) or sleep (advice; no medical device)", option=True, default="demo"),
    needs_graph=False,
    examples=("", "--pack sleep"),
    local="it makes a graph of its own",
)
def demo(session: Session, out: str, pack: str) -> Result:
    from . import demo as tour

    return tour.run(session, Path(out), pack)


@command(
    "repl",
    "Ask and explore interactively.",
    Argument("plain", "no colour, drawing, menus or ghost text, for screen readers", bool, option=True),
    Argument("vi", "vi keys in place of emacs'", bool, option=True),
    examples=("", "--plain"),
    interactive=True,
    local="it holds the terminal",
)
def repl(session: Session, plain: bool, vi: bool) -> Result:
    from . import repl as shell

    return Result({}, lambda out: None, exit_code=shell.run(session, plain=plain, vi=vi))
