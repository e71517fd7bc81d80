"""hoptrace: ask a multi-hop question over your own documents; every hop traced to the characters it came from.

    kg = KnowledgeGraph.open("my.kg")           a folder; SQLite inside
    kg.ingest(["reports/", "facts.ttl"])        text, tables, PDF, Word, RDF; resumable
    answer = Agent(kg).ask("Who owns the supplier of Brightwater Labs?")
    answer.text, answer.paths, answer.citations

The four folders, each built on the ones before: `kg` (what is known, and from where), `retrieval` (finding paths and
passages), `prompts` (templates), `agents` (deciding, answering, checking; the command line on top).

Importing this module loads the standard library only; each name below is loaded when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agents.agent import Agent
    from .agents.answer import Answer, Citation
    from .kg.errors import HoptraceError
    from .kg.graph import KnowledgeGraph
    from .kg.model import Chunk, Entity, Hop, Literal, Path, Relation, Source, Span, Status, Triple
    from .retrieval.base import Budget

__version__ = "0.1.0"

_HOME = {
    "Agent": "agents.agent",
    "Answer": "agents.answer",
    "Budget": "retrieval.base",
    "Chunk": "kg.model",
    "Citation": "agents.answer",
    "Entity": "kg.model",
    "Hop": "kg.model",
    "HoptraceError": "kg.errors",
    "KnowledgeGraph": "kg.graph",
    "Literal": "kg.model",
    "Path": "kg.model",
    "Relation": "kg.model",
    "Source": "kg.model",
    "Span": "kg.model",
    "Status": "kg.model",
    "Triple": "kg.model",
}

__all__ = [
    "Agent",
    "Answer",
    "Budget",
    "Chunk",
    "Citation",
    "Entity",
    "Hop",
    "HoptraceError",
    "KnowledgeGraph",
    "Literal",
    "Path",
    "Relation",
    "Source",
    "Span",
    "Status",
    "Triple",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hoptrace' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext hoptrace` in a notebook or IPython; see `agents.interfaces.notebook`."""
    from .agents.interfaces.notebook import load

    load(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
