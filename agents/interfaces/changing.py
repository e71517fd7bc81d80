"""Commands that change what the graph holds: read, teach, correct, retract, forget, undo, redo, checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from ...kg.errors import ConflictError, InputError
from ...kg.ingest.extract import EXTRACTORS
from . import plain, render
from .registry import Argument, Result, command

if TYPE_CHECKING:
    from ...kg.ingest.report import IngestReport
    from ...kg.ingest.texts import Text
    from ...kg.model import Triple
    from .session import Session

_ASKED = Argument("question", "a question that the fact answers; eval --corrections asks it again", option=True, default="")


@command(
    "ingest",
    "Read files, folders or dataset folders into the graph; unchanged ones are skipped.",
    Argument("paths", "files, folders or globs", many=True),
    Argument("dry_run", "say what would be done and what it would cost; write nothing", bool, option=True),
    Argument("strict", "stop at the first item that cannot be read", bool, option=True),
    Argument("extractor", f"what reads facts out of prose: {', '.join(EXTRACTORS)}; as configured when left out", option=True),
    Argument("no_vectors", "leave the encoding of new text to the first question", bool, option=True),
    examples=("reports/ facts.ttl", "reports/ --dry-run"),
    python="kg.graph.KnowledgeGraph.ingest",
    writes=True,
    local="it reads files of the machine it runs on; a server takes texts (POST /ingest)",
)
def ingest(
    session: Session, paths: tuple[str, ...], dry_run: bool, strict: bool, extractor: str | None, no_vectors: bool
) -> Result:
    kg, extractor = session.open(create=True), extractor or session.config.extractor
    report = kg.ingest(list(paths), extractor=extractor, dry_run=dry_run, strict=strict, progress=session.progress)
    return _read(session, report, vectors=not (dry_run or no_vectors))


def take(session: Session, texts: Sequence[Text]) -> Result:
    """What `ingest` is for texts that come without a file: a server is sent them."""
    from ...kg.ingest.texts import ingest_texts

    return _read(session, ingest_texts(session.kg, texts, progress=session.progress), vectors=True)


def _read(session: Session, report: IngestReport, *, vectors: bool) -> Result:
    """Encode what came in, and tell it.

    Raises:
        ParseError: the one item that there was could not be read.
    """
    nothing_in = report.quarantined and not (report.added or report.updated or report.unchanged)
    if nothing_in and len(report.quarantined) == 1:
        raise report.quarantined[0]
    if vectors and (report.added or report.updated):
        session.warm_up()
    data = {**asdict(report), "quarantined": [str(error) for error in report.quarantined]}
    return Result(data, lambda out: render.lines(out, str(report)), InputError.exit_code if nothing_in else 0)


@command(
    "teach",
    "State a fact; it becomes a small source of its own that answers can cite.",
    Argument("subject", "who or what", entity=True),
    Argument("relation", "e.g. 'supplied by'"),
    Argument("object", "a name or a value", entity=True),
    Argument("note", "where you know it from", option=True, default=""),
    Argument("valid_from", "first day on which it holds", date, option=True),
    Argument("valid_to", "first day on which it no longer holds", date, option=True),
    _ASKED,
    Argument("functional", "the relation has at most one object at a time, from now on", bool, option=True),
    Argument("anyway", "state it though it contradicts another fact; both are then disputed", bool, option=True),
    examples=(
        '"Orla Vance" founded "Brightwater Labs" --note "annual report"',
        '"Tarn City" mayor "Ada Roe" --functional --anyway',
    ),
    python="kg.graph.KnowledgeGraph.add",
    writes=True,
)
def teach(
    session: Session,
    subject: str,
    relation: str,
    object: str,
    note: str,
    valid_from: date | None,
    valid_to: date | None,
    question: str,
    functional: bool,
    anyway: bool,
) -> Result:
    from ...kg.conflicts import conflicts, named
    from ..corrections import remember

    kg = session.open(create=True)
    days: Any = {"valid_from": valid_from, "valid_to": valid_to}
    against = conflicts(kg, subject, relation, object, functional=functional, **days)
    if against and not anyway:
        raise ConflictError(f"{subject} — {relation} → {object} contradicts {named(against)}; --anyway states it, both disputed")
    triple = kg.add(subject, relation, object, note=note, functional=functional or None, **days)
    remember(kg, triple, question)
    return _said("taught", triple, against)


@command(
    "correct",
    "Correct the object of a fact: the old fact is retracted, the new one taught, and kept as a question to be asked again.",
    Argument("triple", "a triple id, as entity and neighbors show it"),
    Argument("object", "the name or value that is right", entity=True),
    Argument("note", "where you know it from", option=True, default=""),
    _ASKED,
    examples=('t0123456789abcdef "Tarn City"', 't0123456789abcdef "Tarn City" --question "Where is Brightwater Labs based?"'),
    python="kg.graph.KnowledgeGraph.edit",
    writes=True,
)
def correct(session: Session, triple: str, object: str, note: str, question: str) -> Result:
    from ..corrections import remember

    made = session.kg.edit(triple, object=object, note=note)
    remember(session.kg, made, question)
    return _said("corrected", made)


@command(
    "retract",
    "Withdraw a fact; it stays in the history and undo brings it back.",
    Argument("triple", "a triple id, as entity and neighbors show it"),
    Argument("reason", "why", option=True, default=""),
    examples=("t0123456789abcdef", "t0123456789abcdef --reason outdated"),
    python="kg.graph.KnowledgeGraph.retract",
    writes=True,
)
def retract(session: Session, triple: str, reason: str) -> Result:
    session.kg.retract(triple, reason)
    return _said("retracted", session.kg.store.triple(triple))


@command(
    "quarantine",
    "Set a source aside: its text and facts count for nothing until that is undone.",
    Argument("source", "a source's URI or id"),
    examples=("reports/2023.pdf", "suppliers.csv"),
    python="kg.edits.quarantine",
    writes=True,
)
def quarantine(session: Session, source: str) -> Result:
    from ...kg.edits import quarantine as set_aside

    entry = set_aside(session.kg.store, source)
    return Result(plain.value(asdict(entry)), lambda out: render.lines(out, f"{entry.summary}; undo {entry.seq} brings it back"))


@command(
    "forget",
    "Erase a source: its text, its facts and the answers that cite it. Cannot be undone.",
    Argument("source", "a source's URI or id"),
    examples=("reports/2023.pdf", "human:0123456789abcdef"),
    python="kg.graph.KnowledgeGraph.forget",
    writes=True,
)
def forget(session: Session, source: str) -> Result:
    names = {source, *(known.uri for known in session.kg.store.sources(live=None) if known.id == source)}
    answers = session.answers.drop(names)
    try:
        erased = session.kg.forget(source)
    except InputError:
        if not answers:
            raise
        erased = 0  # a profile: answers quote it, the graph has never held it
    data = {"source": source, "versions_erased": erased, "answers_erased": answers}
    return Result(data, lambda out: render.lines(out, f"forgot {source}: {erased} versions and {answers} answers that cite it"))


@command(
    "undo",
    "Take back the last change, or the one with that ledger number. Undoing an undo redoes.",
    Argument("seq", "ledger number, as log shows it", int, optional=True),
    examples=("", "12"),
    python="kg.graph.KnowledgeGraph.undo",
    writes=True,
)
def undo(session: Session, seq: int | None) -> Result:
    entry = session.kg.undo(seq)
    return Result(plain.value(asdict(entry)), lambda out: render.lines(out, f"{entry.seq}  {entry.action}: {entry.summary}"))


@command(
    "redo",
    "Take back the last undo, as long as nothing else was done since.",
    examples=("",),
    python="kg.graph.KnowledgeGraph.redo",
    writes=True,
)
def redo(session: Session) -> Result:
    entry = session.kg.redo()
    return Result(plain.value(asdict(entry)), lambda out: render.lines(out, f"{entry.seq}  {entry.action}: {entry.summary}"))


@command(
    "checkpoint",
    "Name the present state of the graph, for diff; without a name, list the names.",
    Argument("name", "what to call it", greedy=True, optional=True),
    examples=("before the audit", ""),
    python="kg.checkpoints.checkpoint",
    writes=True,
)
def checkpoint(session: Session, name: str) -> Result:
    from ...kg.checkpoints import checkpoint as name_it
    from ...kg.checkpoints import checkpoints

    if name:
        name_it(session.kg, name)
    known = checkpoints(session.kg)
    rows = [{"name": each, "seq": seq} for each, seq in known.items() if not name or each == name.strip()]
    cells = [[row["name"], row["seq"]] for row in rows]
    return Result({"checkpoints": rows}, lambda out: render.table(out, ("checkpoint", "ledger"), cells, empty="no checkpoints"))


def _said(what: str, triple: Triple, against: Sequence[Triple] = ()) -> Result:
    data: dict[str, Any] = {"done": what, "id": triple.id, "subject": triple.subject.label, "relation": triple.relation.label}
    data |= {"object": triple.object.label, "status": str(triple.status)}
    data["contradicts"] = [str(other) for other in against]
    text = "\n".join([f"{what}: {triple}  ({triple.id})", *(f"  contradicts {other}  ({other.id})" for other in against)])
    return Result(data, lambda out: render.lines(out, text))
