"""Extraction of a stream of documents, in order: in this process, or in as many sandbox children as there are cores.

An extractor looks at one document at a time, so how documents are grouped changes nothing in the result.
"""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import HoptraceError
from ..model import Document
from ..sandbox import Sandbox
from . import wire
from .extract import Extraction

if TYPE_CHECKING:
    from .extract import Extractor

Place = TypeVar("Place")
Item = tuple[Place, Document | None, bool]  # where it belongs, the document, whether it is to be extracted
_BATCH_DOCUMENTS, _BATCH_CHARACTERS = 24, 60_000
_CHARACTERS_PER_S = 2_000  # far slower than any document is; what is slower still is stopped


def extracted(
    items: Iterable[Item[Place]], extractor: Extractor, *, parallel: bool, warnings: list[str]
) -> Iterator[tuple[Place, Document | None]]:
    """Pass a stream on with the facts and mentions that the extractor finds.

    Args:
        items: in any number; read a little ahead of what is handed on.
        extractor: what to run.
        parallel: use all cores where the extractor can be made anew in a child (the rule extractor can).
        warnings: takes a line for every document that the extractor failed on; it is passed on as it was loaded.
    """
    from .rules import RuleExtractor

    batches = _batches(items)
    if not (parallel and type(extractor) is RuleExtractor):
        for batch in batches:
            yield from _run(batch, extractor.extract, warnings)
        return
    count = os.cpu_count() or 1
    children: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
    sandboxes = [Sandbox() for _ in range(count)]
    for sandbox in sandboxes:
        children.put(sandbox)

    def task(batch: list[Item[Place]]) -> list[tuple[Place, Document | None]]:
        child = children.get()
        try:
            return list(_run(batch, lambda documents: _in_child(child, documents), warnings))
        finally:
            children.put(child)

    waiting: deque[Future[list[tuple[Place, Document | None]]]] = deque()
    try:
        with ThreadPoolExecutor(count) as pool:
            for batch in batches:
                waiting.append(pool.submit(task, batch))
                if len(waiting) > 2 * count:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
    finally:
        for sandbox in sandboxes:
            sandbox.close()


def _batches(items: Iterable[Item[Place]]) -> Iterator[list[Item[Place]]]:
    batch: list[Item[Place]] = []
    characters = 0
    for item in items:
        batch.append(item)
        characters += len(item[1].text) if item[1] is not None else 0
        if len(batch) >= _BATCH_DOCUMENTS or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _run(
    batch: list[Item[Place]], extract: Callable[[Sequence[Document]], list[Extraction]], warnings: list[str]
) -> Iterator[tuple[Place, Document | None]]:
    documents = [document for _, document, wanted in batch if wanted and document is not None]
    findings = iter(_findings(documents, extract, warnings))
    for place, document, wanted in batch:
        yield place, _merged(document, next(findings)) if wanted and document is not None else document


def _findings(
    documents: list[Document], extract: Callable[[Sequence[Document]], list[Extraction]], warnings: list[str]
) -> list[Extraction]:
    """Results for all; when the batch fails, for each alone, so that one document cannot take others with it."""
    if not documents:
        return []
    try:
        return extract(documents)
    except Exception as error:  # an extractor is a plug-in, and a document must not be lost through its faults
        if isinstance(error, HoptraceError) and error.exit_code not in (65, 75):
            raise
        if len(documents) > 1:
            return [finding for document in documents for finding in _findings([document], extract, warnings)]
        warnings.append(f"{documents[0].uri}: no facts extracted: {type(error).__name__}: {str(error)[:200]}")
        return [((), ())]


def _merged(document: Document, finding: Extraction) -> Document:
    """Facts that were given, and those found outside the rows that stated them."""
    rows = sorted({(fact.start, fact.end) for fact in document.facts})
    given = set(document.facts)
    facts = [fact for fact in finding[0] if fact not in given and not any(s <= fact.start < e for s, e in rows)]
    return replace(document, facts=(*document.facts, *facts), mentions=tuple(dict.fromkeys((*document.mentions, *finding[1]))))


def _in_child(child: Sandbox, documents: Sequence[Document]) -> list[Extraction]:
    seconds = 30 + sum(len(document.text) for document in documents) // _CHARACTERS_PER_S
    packed = child.run(extract_packed, list(map(wire.pack, documents)), memory_mb=2048, cpu_s=seconds, wall_s=2 * seconds)
    return list(map(wire.unpack_findings, packed))


def extract_packed(documents: list[Any]) -> list[Any]:
    """In the child: run the rule extractor over packed documents."""
    from .rules import RuleExtractor

    return [wire.pack_findings(finding) for finding in RuleExtractor().extract(list(map(wire.unpack, documents)))]
