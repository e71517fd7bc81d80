"""What is the matter with a graph folder, and what to do about it.

Severities: `info` is worth knowing, `warning` heals by itself or by the named fix, `error` means that something the graph
says cannot be trusted until it is dealt with.
"""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .adjacency import KIND
from .errors import CorruptionError, LockedError, StorageError
from .generations import Generations, changes
from .graph import KnowledgeGraph
from .lock import WriterLock

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: what, where, and the command or step that mends it ("" when there is nothing to do)."""

    severity: Severity
    what: str
    where: str
    fix: str = ""


def check(kg: KnowledgeGraph, *, verify: bool = False, repair: bool = False) -> list[Finding]:
    """Look at a graph, and mend what is derived.

    Args:
        kg: the graph; nothing is changed unless `repair`.
        verify: also re-read every chunk and span (minutes for a large graph).
        repair: rebuild damaged indexes and resolve waiting names before reporting.

    Returns:
        Errors first, then warnings, then facts.
    """
    if repair and not kg.read_only:
        _repair(kg)
    parts: list[Callable[[KnowledgeGraph], Iterator[Finding]]] = [_versions, _sizes, _writer, _names, _indexes, _quarantine]
    findings = [finding for part in parts for finding in part(kg)]
    if verify:
        findings += _verified(kg)
    order = ("error", "warning", "info")
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def _repair(kg: KnowledgeGraph) -> None:
    if kg.store.unresolved:
        with kg.store.writing() as writer:
            writer.resolve()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the damage is what is being mended
        for kind in _kinds(kg):
            if kg.generations.current(kind, thorough=True) is None:
                kg.generations.discard(kind)
    KnowledgeGraph(kg.path, kg.store).adjacency()


def _versions(kg: KnowledgeGraph) -> Iterator[Finding]:
    yield Finding("info", f"Python {platform.python_version()}, {kg.store.engine}", platform.system())


def _sizes(kg: KnowledgeGraph) -> Iterator[Finding]:
    counts = ", ".join(f"{count} {what}" for what, count in kg.stats().items() if count)
    yield Finding("info", counts or "empty", str(kg.path))
    for part in sorted(kg.path.iterdir()) if kg.path.is_dir() else ():
        size = sum(path.stat().st_size for path in [part, *part.rglob("*")] if path.is_file())
        yield Finding("info", f"{size / 1e6:.1f} MB", part.name)


def _writer(kg: KnowledgeGraph) -> Iterator[Finding]:
    if kg.read_only or kg.store.capabilities.concurrent_writers:
        return
    lock = WriterLock(kg.path / "write.lock", patience=0.0)
    try:
        lock.acquire()
    except LockedError as error:
        yield Finding("warning", str(error), "write.lock", "wait for it, or end that process")
    except StorageError as error:
        yield Finding("warning", str(error), "write.lock", "open the graph read-only, or give write permission")
    else:
        lock.release()


def _names(kg: KnowledgeGraph) -> Iterator[Finding]:
    if waiting := kg.store.unresolved:
        what = f"{waiting} blocks of names wait for entity resolution (an interrupted run)"
        yield Finding("warning", what, _file(kg), "run the same ingest again, or doctor --repair")


def _indexes(kg: KnowledgeGraph) -> Iterator[Finding]:
    reader = Generations(kg.generations.root, read_only=True)
    for kind in _kinds(kg):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            generation = reader.current(kind, thorough=True)
        where = f"derived/{kind}"
        if generation is None:
            what = str(caught[0].message) if caught else f"the {kind} index was not published"
            yield Finding("warning", what, where, "doctor --repair (queries rebuild it too)")
        elif kind != KIND:
            yield Finding("info", "index is sound", where)
        elif (delta := changes(kg.store, generation.meta)) is None:
            what = "index belongs to another store or an older state of this one"
            yield Finding("warning", what, where, "doctor --repair (queries rebuild it too)")
        else:
            yield Finding("info", f"index is sound, {len(delta.edges_gone)} edges behind", where)


def _quarantine(kg: KnowledgeGraph) -> Iterator[Finding]:
    path = kg.path / "quarantine.jsonl"
    if path.is_file() and (items := len(path.read_text("utf-8").splitlines())):
        yield Finding("warning", f"{items} items could not be read and were left out", path.name, "mend the files, ingest again")


def _verified(kg: KnowledgeGraph) -> Iterator[Finding]:
    for line in kg.verify():
        yield Finding("error", line, _file(kg), "restore a backup, or forget and ingest the source again")
    right = total = 0
    for source in kg.sources():
        try:
            text = kg.text(source.id)
            spans = [span for triple in kg.store.triples(source_id=source.id) for span in triple.spans]
        except CorruptionError as error:
            yield Finding("error", str(error), source.uri, "forget the source and ingest it again")
            continue
        spans = [span for span in spans if span.source_id == source.id]
        total += len(spans)
        right += sum(text[span.start : span.end] == span.quote for span in spans)
    severity: Severity = "info" if right == total else "error"
    yield Finding(severity, f"{right} of {total} spans are found word for word in their source", _file(kg))


def _file(kg: KnowledgeGraph) -> str:
    """The store's file in the graph's folder, or its address."""
    return kg.store.place.removeprefix(f"{kg.path}{os.sep}")


def _kinds(kg: KnowledgeGraph) -> list[str]:
    root: Path = kg.generations.root
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


__all__ = ["Finding", "check"]
