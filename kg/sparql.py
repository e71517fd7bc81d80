"""Read-only SPARQL over the live graph, in a process of its own that can be stopped.

A query may ask for more than a machine has, and engines offer no deadline, so it runs in a child process with a memory limit;
a child that overruns is killed and the next query gets a new one. The child holds a copy of the graph as of one ledger number,
in pyoxigraph where the `sparql` extra is installed and in rdflib otherwise. It parses the query first and runs it only when the
parse tree holds nothing that reaches outside (`SERVICE`, `FROM`) or writes.

A query sees every live statement once, with an `rdfs:label` for every entity and relation, and one named graph per chunk.
Five prefixes are declared:

    rel:   relations by name, words joined by "_":   ?who rel:founded ?what
    ent:   entities by id:                           ent:e0123456789abcdef
    ht:    provenance (see rdf_vocabulary):          GRAPH ?chunk { ... } ?chunk ht:source ?source . ?source ht:uri ?uri
    rdfs:  rdfs:label finds a thing by its name:     ?who rdfs:label "Orla Vance"
    xsd:   datatypes

Things that came from RDF keep their own IRIs.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BudgetExceededError, QueryError
from .model import Literal
from .rdf_export import Quad, chunk_quads, label_quads, line, triple_quads
from .rdf_terms import RDFS, XSD
from .rdf_vocabulary import HT, ID, REL, ht, minted
from .show import Picture, Shown, of_table

if TYPE_CHECKING:
    from .graph import KnowledgeGraph
    from .store import Store

PREFIXES = {"rel": REL, "ent": ID, "ht": HT, "rdfs": RDFS, "xsd": XSD}
LOAD_SECONDS = 300.0  # for copying our own graph into the child; the query's deadline starts after it


@dataclass(frozen=True, slots=True)
class SparqlResult(Shown):
    """A table. Values are IRIs and lexical forms as text, None where unbound.

    ASK gives one column `answer` with one row, "true" or "false"; CONSTRUCT the columns subject, predicate, object.
    `truncated`: there were more rows than `max_rows` or more text than a reply may hold.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    truncated: bool = False

    def _shown(self) -> Picture:
        return of_table(self.columns, self.rows, f"{len(self.rows)} rows{', and more were cut' if self.truncated else ''}")


def run(kg: KnowledgeGraph, query: str, *, timeout: float = 10.0, max_rows: int = 10_000, memory_mb: int = 1024) -> SparqlResult:
    """Run a SELECT, ASK or CONSTRUCT query.

    Args:
        timeout: seconds for this query, waiting for others included.
        max_rows: rows kept of the result.
        memory_mb: address space of the child, the copy of the graph included.

    Raises:
        QueryError: it does not parse, writes, or reaches outside the graph.
        BudgetExceededError: the deadline or the memory limit was hit.
    """
    deadline = time.monotonic() + timeout
    with _guard:
        queue = _queues.setdefault(kg.store, threading.Lock())
    if not queue.acquire(timeout=max(timeout, 0)):
        raise BudgetExceededError(f"query did not start within {timeout:g} s: others are running")
    try:
        started = time.monotonic()
        worker = _worker(kg, memory_mb)
        deadline += time.monotonic() - started
        return worker.ask(query, max_rows, timeout, deadline - time.monotonic())
    finally:
        queue.release()


_guard = threading.Lock()
_queues: weakref.WeakKeyDictionary[Store, threading.Lock] = weakref.WeakKeyDictionary()
_workers: weakref.WeakKeyDictionary[Store, _Worker] = weakref.WeakKeyDictionary()


def _worker(kg: KnowledgeGraph, memory_mb: int) -> _Worker:
    """The running child that holds this state of the graph, or a new one."""
    key = (kg.store.seq, memory_mb)
    worker = _workers.get(kg.store)
    if worker is None or worker.key != key or worker.process.poll() is not None:
        if worker is not None:
            worker.stop()
        worker = _workers[kg.store] = _Worker(kg, key)
    return worker


class _Worker:
    """A child process and the pipe of JSON lines to it."""

    def __init__(self, kg: KnowledgeGraph, key: tuple[int, int]) -> None:
        self.key = key
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hoptrace.kg.sparql_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._end = weakref.finalize(self, _kill, self.process)
        handle, name = tempfile.mkstemp(suffix=".nq", prefix="hoptrace-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
                out.writelines(line(quad) + "\n" for quad in _quads(kg))
            self._call({"load": name, "memory_mb": key[1]}, LOAD_SECONDS)
        finally:
            Path(name).unlink(missing_ok=True)

    def ask(self, query: str, max_rows: int, timeout: float, left: float) -> SparqlResult:
        text = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items()) + query
        request = {"query": text, "prologue": len(PREFIXES), "max_rows": max_rows, "seconds": timeout}
        reply = self._call(request, left)
        return SparqlResult(tuple(reply["columns"]), tuple(tuple(row) for row in reply["rows"]), reply["truncated"])

    def _call(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """One request and its reply; the child is killed when there is none in time."""
        overrun = threading.Event()

        def stop() -> None:
            overrun.set()
            self.process.kill()

        timer = threading.Timer(max(seconds, 0.0), stop)
        timer.start()
        reply = ""
        try:
            if self.process.stdin and self.process.stdout:
                with contextlib.suppress(BrokenPipeError):
                    self.process.stdin.write(json.dumps(request) + "\n")
                    self.process.stdin.flush()
                reply = self.process.stdout.readline()
        finally:
            timer.cancel()
        answer: dict[str, Any] = json.loads(reply) if reply.endswith("\n") else {"memory": True}
        if "error" in answer:
            raise QueryError(answer["error"])
        if "memory" in answer:  # said so, or aborted without a word, as Oxigraph does
            self.stop()
            what = "loading the graph" if "load" in request else "query"
            spent = f"was stopped after {request.get('seconds', seconds):g} s"
            limit = spent if overrun.is_set() else f"needs more than {self.key[1]} MB"
            raise BudgetExceededError(f"{what} {limit}")
        return answer

    def stop(self) -> None:
        self._end()


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _quads(kg: KnowledgeGraph) -> Iterator[Quad]:
    """What the child holds: in the default graph statements, labels, places of chunks and times of statements that have some;
    in a named graph for each chunk what it states. (A union of the named graphs would count a statement once per chunk.)
    """
    for triple in kg.store.triples():
        for quad in chunk_quads(triple):
            yield from (quad, Quad(*quad[:3]))
        if triple.valid_from or triple.valid_to:
            yield from (Quad(*quad[:3]) for quad in triple_quads(triple))
    for quad in itertools.chain(label_quads(kg), _places(kg)):
        yield Quad(*quad[:3])


def _places(kg: KnowledgeGraph) -> Iterator[Quad]:
    for source in kg.store.sources():
        yield Quad(minted(source.id), ht("uri"), Literal(source.uri))
    for _, chunk in kg.store.chunks():
        yield Quad(minted(chunk.id), ht("source"), minted(chunk.source_id))
