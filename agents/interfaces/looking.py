"""Commands that look around in the graph."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from . import plain, render
from .registry import AS_OF, Argument, Result, command

if TYPE_CHECKING:
    from .session import Session

_LIMIT = Argument("limit", "most rows", int, option=True, default=50, most=1000)
_ENTITY = Argument("name", "a name, alias, IRI or entity id", greedy=True, entity=True)


@command(
    "path",
    "Show the shortest paths between two entities.",
    Argument("start", "an entity", entity=True),
    Argument("end", "an entity", entity=True),
    Argument("max_hops", "longest path", int, option=True, default=4, most=8),
    Argument("k", "how many paths", int, option=True, default=5, short="k", most=50),
    AS_OF,
    examples=('"Orla Vance" "Norland"', '"Orla Vance" "Norland" --max-hops 3 -k 1'),
    python="retrieval.exact.shortest_paths",
)
def path(session: Session, start: str, end: str, max_hops: int, k: int, as_of: date | None) -> Result:
    from ...retrieval.exact import shortest_paths

    first, last = session.kg.entity(start), session.kg.entity(end)
    found = shortest_paths(session.kg, first, last, max_hops=max_hops, k=k, day=as_of)
    data = {"start": first.label, "end": last.label, "max_hops": max_hops, "paths": [plain.path(one) for one in found]}
    text = "\n".join(map(str, found)) or f"no path within {max_hops} hops from {first.label} to {last.label}"
    return Result(data, lambda out: render.lines(out, text))


@command(
    "entity",
    "Show an entity and the facts about it.",
    _ENTITY,
    _LIMIT,
    examples=("Brightwater Labs",),
    python="kg.graph.KnowledgeGraph.entity",
)
def entity(session: Session, name: str, limit: int) -> Result:
    found = session.kg.entity(name)
    support = session.kg.store.support(found.id)
    card = {**asdict(found), "aliases": list(found.aliases), "support": support}
    facts = plain.facts(session.kg, found, limit)

    def show(out: Any) -> None:
        render.fields(out, {key: ", ".join(value) if isinstance(value, list) else value for key, value in card.items() if value})
        _fact_table(out, facts)

    return Result({**card, "facts": facts}, show)


@command(
    "entities",
    "List entities whose name begins like this, in alphabetical order.",
    Argument("prefix", "the beginning of a name; all entities when left out", greedy=True, optional=True),
    _LIMIT,
    examples=("Tarn", "--limit 20"),
    python="kg.graph.KnowledgeGraph.entities",
)
def entities(session: Session, prefix: str, limit: int) -> Result:
    found = [{"id": one.id, "label": one.label, "type": one.type} for one in session.kg.entities(prefix, max(0, limit))]
    rows = [(one["label"], one["type"], one["id"]) for one in found]
    return Result({"entities": found}, lambda out: render.table(out, ("label", "type", "id"), rows, empty="no entities"))


@command(
    "neighbors",
    "List what an entity is directly linked to.",
    _ENTITY,
    _LIMIT,
    examples=("Tarn City --limit 20",),
    python="kg.graph.KnowledgeGraph.triples",
)
def neighbors(session: Session, name: str, limit: int) -> Result:
    facts = plain.facts(session.kg, session.kg.entity(name), limit)
    return Result({"entity": name, "facts": facts}, lambda out: _fact_table(out, facts))


@command(
    "search",
    "Find passages about a question, best first; nothing is answered.",
    Argument("question", "what to look for", greedy=True),
    Argument("limit", "most passages", int, option=True, default=10, most=100),
    examples=('"suppliers of Brightwater Labs" --limit 5',),
    python="retrieval.retriever.Retriever.passages",
)
def search(session: Session, question: str, limit: int) -> Result:
    store = session.kg.store
    found = [(hit, store.source(hit.chunk.source_id).uri) for hit in session.agent.retriever.passages(question, limit)]
    rows: list[dict[str, Any]] = [
        {
            "chunk_id": hit.chunk.id,
            "source": uri,
            "start": hit.chunk.start,
            "end": hit.chunk.end,
            "text": hit.chunk.text,
            "score": round(float(hit.score), 6),
        }
        for hit, uri in found
    ]

    def show(out: Any) -> None:
        cells = [[f"{row['score']:.3f}", render.place(row["source"], row["start"], row["end"]), row["text"]] for row in rows]
        render.table(out, ("score", "source", "text"), cells, empty="no passages")

    return Result({"question": question, "passages": rows}, show)


@command(
    "history",
    "List every fact ever recorded about an entity, oldest first.",
    _ENTITY,
    examples=("Brightwater Labs",),
    python="kg.graph.KnowledgeGraph.history",
)
def history(session: Session, name: str) -> Result:
    facts = [plain.fact(session.kg, triple) for triple in session.kg.history(session.kg.entity(name).id)]
    columns = ("recorded_at", "retracted_at", "status", "subject", "relation", "object", "valid_from", "valid_to", "id")
    rows = [[fact[column] for column in columns] for fact in facts]
    return Result({"entity": name, "facts": facts}, lambda out: render.table(out, columns, rows))


@command(
    "log",
    "List the changes made to the graph, newest first.",
    _LIMIT,
    examples=("--limit 10",),
    python="kg.graph.KnowledgeGraph.ledger",
)
def log(session: Session, limit: int) -> Result:
    entries = [plain.value(asdict(entry)) for entry in session.kg.ledger(limit)]
    columns = ("seq", "at", "action", "summary", "undone_by")
    rows = [[entry[column] for column in columns] for entry in entries]
    return Result({"entries": entries}, lambda out: render.table(out, columns, rows))


@command(
    "sparql",
    "Run a read-only SPARQL query.",
    Argument("query", "SELECT, ASK or CONSTRUCT", greedy=True),
    Argument("timeout", "seconds", float, option=True, default=10.0, most=30.0),
    examples=('"SELECT ?s ?o WHERE { ?s rel:founded ?o } LIMIT 5"',),
    python="kg.graph.KnowledgeGraph.sparql",
)
def sparql(session: Session, query: str, timeout: float) -> Result:
    result = session.kg.sparql(query, timeout=timeout)
    data = {"columns": result.columns, "rows": result.rows, "truncated": result.truncated}

    def show(out: Any) -> None:
        render.table(out, result.columns, result.rows, empty="no rows")
        if result.truncated:
            render.line(out, "… more rows were cut")

    return Result(plain.value(data), show)


@command(
    "stats",
    "Count what the graph holds.",
    python="kg.graph.KnowledgeGraph.stats",
)
def stats(session: Session) -> Result:
    counts = plain.value(session.kg.stats())
    return Result(counts, lambda out: render.fields(out, counts))


def _fact_table(out: Any, facts: list[dict[str, Any]]) -> None:
    columns = ("subject", "relation", "object", "status", "valid_from", "valid_to", "id", "source")
    rows = [[*(fact[name] for name in columns[:-1]), next(iter(fact["sources"]), "")] for fact in facts]
    render.table(out, columns, rows, empty="no facts")
