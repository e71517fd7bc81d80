"""The commands: each is one function over the Python API, registered once for every surface.

Heavy modules are imported inside the functions, so that listing the commands costs little.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import ROOT
from ...kg.errors import InputError, MissingPathError, UnknownEntityError
from ...kg.ingest.extract import DEFAULT, EXTRACTORS
from . import plain, render, training  # noqa: F401  (training registers its command)
from .registry import COMMANDS, Argument, Result, command

if TYPE_CHECKING:
    from ...kg.model import Triple
    from .session import Session

_AS_OF = Argument("as_of", "facts that hold on this day, YYYY-MM-DD", date, option=True)
_LIMIT = Argument("limit", "most rows", int, option=True, default=50)
_NUMBER = Argument("number", "number of an answer; the last one when left out", int, optional=True)
_ASKED = Argument("question", "a question that the fact answers; eval --corrections asks it again", option=True, default="")
_ENTITY = Argument("name", "a name, alias, IRI or entity id", greedy=True, entity=True)


# ---- putting things in ------------------------------------------------------------------------------------------


@command(
    "ingest",
    "Read files, folders or dataset folders into the graph; unchanged ones are skipped.",
    Argument("paths", "files, folders or globs", many=True),
    Argument("dry_run", "say what would be done and what it would cost; write nothing", bool, option=True),
    Argument("strict", "stop at the first item that cannot be read", bool, option=True),
    Argument("extractor", f"what reads facts out of prose: {', '.join(EXTRACTORS)}", option=True, default=DEFAULT),
    Argument("no_vectors", "leave the encoding of new text to the first question", bool, option=True),
    examples=("reports/ facts.ttl", "reports/ --dry-run"),
)
def ingest(session: Session, paths: tuple[str, ...], dry_run: bool, strict: bool, extractor: str, no_vectors: bool) -> Result:
    kg = session.open(create=True)
    report = kg.ingest(list(paths), extractor=extractor, dry_run=dry_run, strict=strict, progress=session.progress)
    nothing_in = report.quarantined and not (report.added or report.updated or report.unchanged)
    if nothing_in and len(report.quarantined) == 1:
        raise report.quarantined[0]
    if not (dry_run or no_vectors) and (report.added or report.updated):
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
    examples=('"Orla Vance" founded "Brightwater Labs" --note "annual report"',),
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
) -> Result:
    from ..corrections import remember

    kg = session.open(create=True)
    triple = kg.add(subject, relation, object, note=note, valid_from=valid_from, valid_to=valid_to)
    remember(kg, triple, question)
    return _said("taught", triple)


@command(
    "correct",
    "Correct the object of a fact: the old fact is retracted, the new one taught, and kept as a question to be asked again.",
    Argument("triple", "a triple id, as entity and neighbors show it"),
    Argument("object", "the name or value that is right", entity=True),
    Argument("note", "where you know it from", option=True, default=""),
    _ASKED,
    examples=('t0123456789abcdef "Tarn City" --question "Where is Brightwater Labs based?"',),
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
    examples=("t0123456789abcdef --reason outdated",),
)
def retract(session: Session, triple: str, reason: str) -> Result:
    session.kg.retract(triple, reason)
    return _said("retracted", session.kg.store.triple(triple))


@command(
    "forget",
    "Erase a source: its text, its facts and the answers that cite it. Cannot be undone.",
    Argument("source", "a source's URI or id"),
    examples=("reports/2023.pdf",),
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
)
def undo(session: Session, seq: int | None) -> Result:
    entry = session.kg.undo(seq)
    return Result(plain.value(asdict(entry)), lambda out: render.lines(out, f"{entry.seq}  {entry.action}: {entry.summary}"))


# ---- asking -----------------------------------------------------------------------------------------------------


@command(
    "ask",
    "Ask a question; the answer's hops and quotes are traced to their sources and verified.",
    Argument("question", "the question", greedy=True),
    _AS_OF,
    Argument("seconds", "give up the search after so long and say so", float, option=True),
    Argument("both", "show the plain text too, fact by fact, under the written one", bool, option=True),
    examples=('"Who owns the supplier of Brightwater Labs?"', '"Who ran it?" --as-of 2023-06-30'),
)
def ask(session: Session, question: str, as_of: date | None, seconds: float | None, both: bool) -> Result:
    from ...retrieval.base import Budget

    record = session.ask(question, as_of=as_of, budget=None if seconds is None else Budget(seconds=seconds))
    shown = {name: value for name, value in record.items() if name not in ("trace", "at")}
    return Result(shown, lambda out: render.answer(out, record, both=both))


@command(
    "advise",
    "Say what the graph's rules call for, given a profile; with a question, answer it about that advice.",
    Argument("question", "a question about the advice", greedy=True, optional=True),
    Argument("profile", "JSON file of one person's, firm's or machine's measurements and conditions", option=True),
    _AS_OF,
    examples=("--profile profile-01.json", '--profile profile-01.json "What about caffeine?"'),
)
def advise(session: Session, question: str, profile: str | None, as_of: date | None) -> Result:
    record = session.advise(Path(profile) if profile else None, question, as_of=as_of)
    shown = {name: value for name, value in record.items() if name not in ("trace", "at")}
    return Result(shown, lambda out: render.answer(out, record))


@command("why", "Show how an answer came about: route, seeds, all paths with their scores.", _NUMBER, examples=("", "3"))
def why(session: Session, number: int | None) -> Result:
    record = session.answers.get(number)
    return Result(record, lambda out: render.why(out, record))


@command(
    "why-not",
    "Show why something else is not the answer: the best rejected path to it and what it lost by.",
    Argument("question", "the question, in quotes; the last one asked when left out", many=True, optional=True),
    Argument("entity", "a name, alias, IRI or entity id", entity=True),
    _AS_OF,
    examples=('"Who owns the supplier of Brightwater Labs?" Norland', "Norland"),
)
def why_not(session: Session, question: tuple[str, ...], entity: str, as_of: date | None) -> Result:
    text, name = _asked_about(session, [*question, entity])
    if not text:
        record = session.answers.get()
        text, as_of = record["question"], as_of or _day_given(session, record)
    found = session.agent.why_not(text, name, as_of=as_of)
    return Result(found.to_dict(), lambda out: render.why_not(out, found.to_dict()))


@command("sources", "Show an answer's citations in their text, checked against the store now.", _NUMBER, examples=("", "3"))
def sources(session: Session, number: int | None) -> Result:
    from .quotes import reread

    record = session.answers.get(number)
    quotes = [reread(session.library, citation) for citation in record["citations"]]
    data = {"number": record["number"], "citations": [quote.to_dict() for quote in quotes]}
    return Result(data, lambda out: render.quotes(out, quotes))


@command(
    "report",
    "Write answers with their paths and sources as one self-contained HTML page.",
    Argument("file", "the HTML file"),
    Argument("force", "overwrite the file", bool, option=True),
    examples=("answers.html",),
)
def report(session: Session, file: str, force: bool) -> Result:
    from . import report as html

    target = _target(file, force)
    records = list(session.answers)
    target.write_text(html.page(session.library, records), "utf-8")
    said = f"{len(records)} answers written to {file}"
    return Result({"file": file, "answers": len(records)}, lambda out: render.lines(out, said))


# ---- looking around ---------------------------------------------------------------------------------------------


@command(
    "path",
    "Show the shortest paths between two entities.",
    Argument("start", "an entity", entity=True),
    Argument("end", "an entity", entity=True),
    Argument("max_hops", "longest path", int, option=True, default=4),
    Argument("k", "how many paths", int, option=True, default=5, short="k"),
    _AS_OF,
    examples=('"Orla Vance" "Norland"', '"Orla Vance" "Norland" --max-hops 3 -k 1'),
)
def path(session: Session, start: str, end: str, max_hops: int, k: int, as_of: date | None) -> Result:
    from ...retrieval.exact import shortest_paths

    first, last = session.kg.entity(start), session.kg.entity(end)
    found = shortest_paths(session.kg, first, last, max_hops=max_hops, k=k, day=as_of)
    data = {"start": first.label, "end": last.label, "max_hops": max_hops, "paths": [plain.path(one) for one in found]}
    text = "\n".join(map(str, found)) or f"no path within {max_hops} hops from {first.label} to {last.label}"
    return Result(data, lambda out: render.lines(out, text))


@command("entity", "Show an entity and the facts about it.", _ENTITY, _LIMIT, examples=("Brightwater Labs",))
def entity(session: Session, name: str, limit: int) -> Result:
    found = session.kg.entity(name)
    support = session.kg.store.support(found.id)
    card = {**asdict(found), "aliases": list(found.aliases), "support": support}
    facts = plain.facts(session.kg, found, limit)

    def show(out: Any) -> None:
        render.fields(out, {key: ", ".join(value) if isinstance(value, list) else value for key, value in card.items() if value})
        _fact_table(out, facts)

    return Result({**card, "facts": facts}, show)


@command("neighbors", "List what an entity is directly linked to.", _ENTITY, _LIMIT, examples=("Tarn City --limit 20",))
def neighbors(session: Session, name: str, limit: int) -> Result:
    facts = plain.facts(session.kg, session.kg.entity(name), limit)
    return Result({"entity": name, "facts": facts}, lambda out: _fact_table(out, facts))


@command("history", "List every fact ever recorded about an entity, oldest first.", _ENTITY, examples=("Brightwater Labs",))
def history(session: Session, name: str) -> Result:
    facts = [plain.fact(session.kg, triple) for triple in session.kg.history(session.kg.entity(name).id)]
    columns = ("recorded_at", "retracted_at", "status", "subject", "relation", "object", "valid_from", "valid_to", "id")
    rows = [[fact[column] for column in columns] for fact in facts]
    return Result({"entity": name, "facts": facts}, lambda out: render.table(out, columns, rows))


@command("log", "List the changes made to the graph, newest first.", _LIMIT, examples=("--limit 10",))
def log(session: Session, limit: int) -> Result:
    entries = [plain.value(asdict(entry)) for entry in session.kg.ledger(limit)]
    columns = ("seq", "at", "action", "summary", "undone_by")
    rows = [[entry[column] for column in columns] for entry in entries]
    return Result({"entries": entries}, lambda out: render.table(out, columns, rows))


@command(
    "sparql",
    "Run a read-only SPARQL query.",
    Argument("query", "SELECT, ASK or CONSTRUCT", greedy=True),
    Argument("timeout", "seconds", float, option=True, default=10.0),
    examples=('"SELECT ?s ?o WHERE { ?s rel:founded ?o } LIMIT 5"',),
)
def sparql(session: Session, query: str, timeout: float) -> Result:
    result = session.kg.sparql(query, timeout=timeout)
    data = {"columns": result.columns, "rows": result.rows, "truncated": result.truncated}

    def show(out: Any) -> None:
        render.table(out, result.columns, result.rows, empty="no rows")
        if result.truncated:
            render.line(out, "… more rows were cut")

    return Result(plain.value(data), show)


@command("stats", "Count what the graph holds.")
def stats(session: Session) -> Result:
    counts = plain.value(session.kg.stats())
    return Result(counts, lambda out: render.fields(out, counts))


# ---- care -------------------------------------------------------------------------------------------------------


@command(
    "export",
    "Write the graph to a file: nq and trig without loss; ttl, nt, jsonld, rdf, graphml, csv, json.",
    Argument("file", "the file; its suffix says the format"),
    Argument("format", "when the suffix does not say it", option=True),
    Argument("force", "overwrite the file", bool, option=True),
    examples=("graph.trig", "graph.graphml"),
)
def export(session: Session, file: str, format: str | None, force: bool) -> Result:
    session.kg.export(_target(file, force), format=format)
    return Result({"file": file}, lambda out: render.lines(out, f"written to {file}"))


@command(
    "restore",
    "Read an nq or trig export back: sources, spans, times, and what people said (audits, retractions, merges).",
    Argument("file", "a file that export wrote"),
    examples=("graph.trig",),
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
    examples=("--verify",),
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
)
def demo(session: Session, out: str, pack: str) -> Result:
    from . import demo as tour

    return tour.run(session, Path(out), pack)


@command("repl", "Ask and explore interactively.", interactive=True)
def repl(session: Session) -> Result:
    from . import repl as shell

    return Result({}, lambda out: None, exit_code=shell.run(session))


# ---- helpers ----------------------------------------------------------------------------------------------------


def _said(what: str, triple: Triple) -> Result:
    data = {"done": what, "id": triple.id, "subject": triple.subject.label, "relation": triple.relation.label}
    data |= {"object": triple.object.label, "status": str(triple.status)}
    return Result(data, lambda out: render.lines(out, f"{what}: {triple}  ({triple.id})"))


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


def _day_given(session: Session, record: dict[str, Any]) -> date | None:
    """The day that an answer was asked for, where its question does not name one."""
    given = next((step["as_of"] for step in record["trace"] if step["step"] == "understood"), "")
    retriever = session.agent.retriever
    named = retriever.read(record["question"], retriever.link(record["question"])).last
    return date.fromisoformat(given) if given and named is None else None


def _target(file: str, force: bool) -> Path:
    """The file to write, which must not be there unless `force` says that it may be overwritten."""
    target = Path(file)
    if target.exists() and not force:
        raise InputError(f"{file} exists; --force overwrites it")
    return target


def _fact_table(out: Any, facts: list[dict[str, Any]]) -> None:
    columns = ("subject", "relation", "object", "status", "valid_from", "valid_to", "id", "source")
    rows = [[*(fact[name] for name in columns[:-1]), next(iter(fact["sources"]), "")] for fact in facts]
    render.table(out, columns, rows, empty="no facts")


__all__ = ["COMMANDS"]
