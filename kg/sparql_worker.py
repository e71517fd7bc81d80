"""The child process of `sparql`: reads one JSON request a line, writes one JSON reply a line. Not for importing.

Requests are `{"load": path, "memory_mb": n}`, once, and `{"query": text, "prologue": lines, "max_rows": n, "seconds": s}`.
Replies are `{}`, `{"columns", "rows", "truncated"}`, `{"error": line}` or `{"memory": true}`.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, TextIO

REPLY_CHARACTERS = 8_000_000
_FORBIDDEN = {"ServiceGraphPattern": "SERVICE", "DatasetClause": "FROM"}
_FORMS = {"SelectQuery": "SELECT", "AskQuery": "ASK", "ConstructQuery": "CONSTRUCT"}


def serve(requests: TextIO, replies: TextIO) -> None:
    engine: Any = None
    for text in requests:
        request = json.loads(text)
        reply: dict[str, Any] = {}
        try:
            if "load" in request:
                _limit(request["memory_mb"])
                engine = _engine(request["load"])
            else:
                if hasattr(signal, "alarm"):  # ends a runaway child whose parent is gone
                    signal.alarm(math.ceil(request["seconds"]) + 2)
                reply = _answer(engine, request)
        except MemoryError:
            reply = {"memory": True}
        except RecursionError:
            reply = {"error": "query is nested too deep"}
        except ValueError as error:
            reply = {"error": " ".join(str(error).split())[:300]}
        finally:
            if hasattr(signal, "alarm"):
                signal.alarm(0)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _limit(memory_mb: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    size = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


# ---- engines ----------------------------------------------------------------------------------------------------


def _engine(path: str) -> Any:
    try:
        return _Oxigraph(path)
    except ImportError:
        return _Rdflib(path)


class _Oxigraph:
    def __init__(self, path: str) -> None:
        import pyoxigraph

        self.store = pyoxigraph.Store()
        self.store.load(path=path, format=pyoxigraph.RdfFormat.N_QUADS, lenient=True)

    def table(self, query: str) -> tuple[list[str], Iterator[list[str | None]]]:
        import pyoxigraph

        try:
            found = self.store.query(query)
        except SyntaxError as error:
            raise ValueError(str(error)) from None
        if isinstance(found, pyoxigraph.QueryBoolean):
            return ["answer"], iter([["true" if found else "false"]])
        if isinstance(found, pyoxigraph.QueryTriples):
            return ["subject", "predicate", "object"], ([_value(term) for term in triple] for triple in found)
        columns = [variable.value for variable in found.variables]
        return columns, ([_value(term) for term in solution] for solution in found)


def _value(term: Any) -> str | None:
    """The bare text of an Oxigraph term: no brackets, no quotes."""
    if term is None:
        return None
    value = getattr(term, "value", None)
    return str(term) if value is None or type(term).__name__ == "BlankNode" else str(value)


class _Rdflib:
    def __init__(self, path: str) -> None:
        import rdflib

        self.dataset = rdflib.Dataset()
        self.dataset.parse(path, format="nquads")

    def table(self, query: str) -> tuple[list[str], Iterator[list[str | None]]]:
        from rdflib.plugins.sparql.sparql import SPARQLError

        try:
            found = self.dataset.query(query)
        except SPARQLError as error:
            raise ValueError(str(error)) from None
        if found.type == "ASK":
            return ["answer"], iter([["true" if found.askAnswer else "false"]])
        rows: Iterable[Any] = found
        columns = ["subject", "predicate", "object"] if found.type == "CONSTRUCT" else [str(name) for name in found.vars or ()]
        return columns, ([_text(term) for term in row] for row in rows)


def _text(term: Any) -> str | None:
    import rdflib

    if term is None:
        return None
    return f"_:{term}" if isinstance(term, rdflib.BNode) else str(term)


# ---- queries ----------------------------------------------------------------------------------------------------


def _answer(engine: Any, request: dict[str, Any]) -> dict[str, Any]:
    query = _checked(request["query"], request["prologue"])
    columns, found = engine.table(query)
    rows: list[list[str | None]] = []
    room = REPLY_CHARACTERS
    truncated = False
    for row in found:
        room -= sum(len(value or "") for value in row)
        if len(rows) == request["max_rows"] or room < 0:
            truncated = True
            break
        rows.append(row)
    return {"columns": columns, "rows": rows, "truncated": truncated}


def _checked(query: str, prologue: int) -> str:
    """The query with its character escapes undone, which is what was checked and what is run.

    Raises:
        ValueError: it does not parse, or is not a read of this graph.
    """
    from pyparsing import ParseException
    from rdflib.plugins.sparql.parser import expandUnicodeEscapes, parseQuery

    expanded = expandUnicodeEscapes(query)
    try:
        tree = parseQuery(expanded)
    except ParseException as error:
        lines = expanded.split("\n")
        shown = lines[min(error.lineno, len(lines)) - 1].strip()[:80]
        raise ValueError(f"not a SELECT, ASK or CONSTRUCT query; line {max(error.lineno - prologue, 1)}: {shown!r}") from None
    found = list(_names(tree))
    for name, keyword in _FORBIDDEN.items():
        if name in found:
            raise ValueError(f"{keyword} is not allowed: a query reads this graph only")
    if not any(name in _FORMS for name in found):
        raise ValueError(f"only {', '.join(_FORMS.values())} are allowed")
    return expanded


def _names(tree: Any) -> Iterator[str]:
    """Names of all productions in rdflib's parse tree."""
    from pyparsing import ParseResults
    from rdflib.plugins.sparql.parserutils import CompValue

    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, CompValue):
            yield node.name
            stack.extend(node.values())
        elif isinstance(node, ParseResults | list | tuple):
            stack.extend(chain(node))


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
