"""What is known, and from where.

A **source** is one version of a document; its text is tiled by **chunks**. A **triple** (subject, relation, object) is
known because **spans** of sources say so: `source_text[span.start:span.end] == span.quote`, always. A **path** is a chain
of triples, and because each of its hops carries spans, whatever is answered from it can be followed to the characters.

    model, errors       the nouns; the tree of errors
    store               the contract of the system of record; sql* are what any engine does, sqlite* keep it in one file
                        (migrations and lock beside it), postgres* on a server; places says which a path or URL means
    resolve             which names mean the same entity
    extraction/         facts out of prose by a small trained model; artefacts checks every trained file by its hash
    ingest/             files -> documents with facts; sandbox reads foreign formats in a child process
    graph, graph_view   KnowledgeGraph, the facade; edits and statements are what a person changes
    generations         derived indexes on disk: adjacency (the graph as integers); retrieval adds vectors
    rdf*, sparql        the same graph as RDF and as query results
    views, frames       and as networkx, as tables; exports/ writes files; safe_text makes labels harmless, drawing draws
    conflicts           what a statement would contradict; checkpoints: named moments and what changed between two
    ledger              whether facts that something was learned from have changed since, or were erased
    doctor              what is wrong with a graph folder, and what to do about it

    >>> import tempfile
    >>> from hoptrace.kg import KnowledgeGraph
    >>> with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(folder) as kg:
    ...     triple = kg.add("Orla Vance", "founded", "Brightwater Labs")
    ...     print(triple, triple.spans[0].quote, sep="; ")
    Orla Vance — founded → Brightwater Labs; Orla Vance founded Brightwater Labs.

Names are loaded on first use, so that `import hoptrace.kg` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adjacency import Adjacency
    from .errors import HoptraceError
    from .graph import KnowledgeGraph
    from .graph_view import GraphView
    from .model import Chunk, Document, Entity, Fact, Hop, Literal, Mention, Name, Path, Relation, Source, Span, Status, Triple
    from .store import Store

_HOME = {
    "Adjacency": "adjacency",
    "Chunk": "model",
    "Document": "model",
    "Entity": "model",
    "Fact": "model",
    "GraphView": "graph_view",
    "Hop": "model",
    "HoptraceError": "errors",
    "KnowledgeGraph": "graph",
    "Literal": "model",
    "Mention": "model",
    "Name": "model",
    "Path": "model",
    "Relation": "model",
    "Source": "model",
    "Span": "model",
    "Status": "model",
    "Store": "store",
    "Triple": "model",
}

__all__ = [
    "Adjacency",
    "Chunk",
    "Document",
    "Entity",
    "Fact",
    "GraphView",
    "Hop",
    "HoptraceError",
    "KnowledgeGraph",
    "Literal",
    "Mention",
    "Name",
    "Path",
    "Relation",
    "Source",
    "Span",
    "Status",
    "Store",
    "Triple",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hoptrace.kg' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
