"""Commands that keep a graph well: export, restore, doctor, evaluation; and the demo and the shell."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import ROOT
from ...kg.errors import InputError, MissingPathError
from ...kg.exports import FORMATS
from . import plain, render
from .registry import Argument, Result, command, writable

if TYPE_CHECKING:
    from .session import Session

_OUTRANKED = {"seconds": "ask --seconds", "extractor": "ingest --extractor"}  # options that count for one command


@command(
    "export",
    "Write the graph to a file: nq and trig without loss; RDF, graphs, tables and pictures (kg/exports/files.py lists them).",
    Argument("file", "the file; its suffix says the format"),
    Argument("format", "when the suffix does not say it: " + " ".join(FORMATS), option=True),
    Argument("answer", "number of an answer: only the facts on its paths, in a table, graph or picture", int, option=True),
    Argument("machine", "csv cells as they are, though a spreadsheet would run them", bool, option=True),
    Argument("force", "overwrite the file", bool, option=True),
    examples=("graph.trig", "graph.graphml", "why.svg --answer 3"),
    python="kg.graph.KnowledgeGraph.export",
    local="it writes a file of the machine it runs on",
)
def export(session: Session, file: str, format: str | None, answer: int | None, machine: bool, force: bool) -> Result:
    paths = None if answer is None else session.paths(answer)
    session.kg.export(writable(file, force), format, paths=paths, machine=machine)
    return Result({"file": file}, lambda out: render.lines(out, f"written to {file}"))


@command(
    "backup",
    "Copy the graph with its models into a new folder, while it is in use; the copy is a graph like any other.",
    Argument("folder", "a folder that is not there yet"),
    examples=("backups/monday.kg", "../copy.kg"),
    python="kg.backup.backup",
    local="it writes files of the machine it runs on",
)
def backup(session: Session, folder: str) -> Result:
    from ...kg.backup import backup as copy

    made = copy(session.kg, folder)
    return Result({"folder": str(made)}, lambda out: render.lines(out, f"copied to {made}"))


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
    "config",
    "Show the dials that hold for the graph and where each came from: default, hoptrace.toml, environment.",
    python="agents.config.load",
    local="files and variables of the machine it runs on",
)
def config(session: Session) -> Result:
    from ..config import load

    held, origins = load(session.folder)
    dials = {name: {"value": getattr(held, name), "from": origin} for name, origin in origins.items()}
    rows = [(name, json.dumps(dial["value"]), dial["from"], _OUTRANKED.get(name, "")) for name, dial in dials.items()]
    return Result({"dials": dials}, lambda out: render.table(out, ("dial", "value", "from", "outranked by"), rows))


@command(
    "eval",
    "Ask the questions of a file and score the answers.",
    Argument("questions", "JSON lines with question and answer or answers; the demo's when left out", option=True),
    Argument("corrections", "ask about what was taught and corrected instead", bool, option=True),
    Argument("report", "measure the gate too, with every action on every question, and write this HTML page", option=True),
    Argument("force", "overwrite the page", bool, option=True),
    examples=("--questions questions.jsonl", "--corrections", "--report gate.html"),
    python="agents.evaluate.evaluate",
    local="minutes of work, for the owner of the graph",
)
def evaluate(session: Session, questions: str | None, corrections: bool, report: str | None, force: bool) -> Result:
    from ..corrections import questions as taught
    from ..evaluate import evaluate as score
    from .gate_page import extended

    if questions and corrections:
        raise InputError("--questions or --corrections, not both")
    target = writable(report, force) if report else None
    scored = score(session.agent, taught(session.kg) if corrections else questions or ROOT / "demo" / "questions.jsonl")
    rows = [("right" if row.right else "WRONG", row.question.text, "; ".join(row.answer.answers)) for row in scored.rows]

    def show(out: Any) -> None:
        render.table(out, ("", "question", "answer"), rows)
        render.lines(out, str(scored))

    result = Result(scored.to_dict(), show)
    return extended(session, scored, target, result) if target else result


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
