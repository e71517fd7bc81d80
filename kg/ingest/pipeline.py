"""Ingestion from paths to a written graph: discover, load, extract, cut, write, resolve.

One document is one transaction, in the order of the files, so a run killed at any moment leaves whole documents and is
resumed by running it again: what is there and unchanged is skipped, the rest is done, and entity resolution, which looks
only at the names themselves, comes last.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, MissingExtraError, ParseError
from ..model import Document, Source
from .cut import cut
from .datasets import companions
from .discover import discover
from .extract import DEFAULT, extractor_named
from .journal import Journal, Quarantine
from .loaders import format_of, load
from .report import IngestReport, Issues, ProgressEvent
from .sidecar import GIVEN
from .text import sha256
from .workers import extracted

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph
    from .extract import Extractor

LOADERS = "2"  # raised when a loader, the tables or the cuts change what they give for the same bytes
_RATE = 90_000.0  # characters that the rule extractor reads per second and core; for estimates only
_COMMIT_S = 0.006
Progress = Callable[[ProgressEvent], None]


@dataclass(slots=True)
class File:
    """One file of a run and what became of it."""

    path: Path
    uri: str
    size: int
    sha256: str
    issues: Issues
    uris: set[str] = field(default_factory=set)
    characters: int = 0  # written so far
    failed: bool = False


def ingest(
    kg: KnowledgeGraph,
    paths: Sequence[str | os.PathLike[str]],
    *,
    extractor: Extractor | str | None = None,
    dry_run: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Read files into a graph.

    Args:
        kg: the graph.
        paths: files, folders and glob patterns.
        extractor: reads facts out of prose; a name of `extract.EXTRACTORS` or one of your own, the default one where None.
        dry_run: say what would be done; nothing is extracted or written.
        strict: raise the first item that cannot be read instead of putting it into quarantine.
        progress: called after every document and file.

    Returns:
        What was done. Items that could not be read are in `quarantined`, everything else went in.

    Raises:
        MissingPathError: a path is not there.
        UnsupportedFormatError: a file that was named itself has no loader.
        ParseError: with `strict`, the first broken item.
        LockedError: another process is writing.
    """
    # Uris are relative to the folder that holds the graph, so that a folder moved as a whole keeps them.
    roots = [place for place in (Path(os.path.abspath(kg.path)).parent, Path.cwd()) if place != Path(place.anchor)]
    files, skipped = discover(paths, roots)
    report = IngestReport(dry_run=dry_run, skipped=skipped)
    return ingest_files(kg, files, extractor=extractor, strict=strict, progress=progress, report=report)


def ingest_files(
    kg: KnowledgeGraph,
    files: list[tuple[Path, str]],
    *,
    extractor: Extractor | str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
    report: IngestReport | None = None,
) -> IngestReport:
    """Read files that were found, each with the uri that it has in the graph; the rest is as for `ingest`.

    Args:
        report: where it is told what was done; it says whether the run is dry.
    """
    if extractor is None or isinstance(extractor, str):
        extractor = extractor_named(extractor or DEFAULT)
    run = _Run(kg, extractor, strict, progress, report or IngestReport())
    return run.plan(files) if run.report.dry_run else run.execute(files)


class _Run:
    """The state of one run."""

    def __init__(
        self, kg: KnowledgeGraph, extractor: Extractor, strict: bool, progress: Progress | None, report: IngestReport
    ) -> None:
        self.kg, self.extractor, self.strict, self.progress, self.report = kg, extractor, strict, progress, report
        self.journal = Journal(kg.store, f"{extractor.name}/{extractor.version}+loaders/{LOADERS}")
        self.started = time.perf_counter()
        self.done = self.total = self.triples = 0

    # ---- running
    def execute(self, paths: list[tuple[Path, str]]) -> IngestReport:
        report = self.report
        files = self._changed(paths)
        if files:
            quarantine = Quarantine(self.kg.path)
            self.journal.begin()
            parallel = self.total > 2**20
            for file, document in extracted(self._documents(files), self.extractor, parallel=parallel, warnings=report.warnings):
                if document is None:
                    self._end_file(file, quarantine)
                else:
                    self._write(file, document)
        if files or self.kg.store.unresolved:
            with self.kg.store.writing() as writer:
                writer.resolve()
            if files:
                self.journal.end()
        stats = self.kg.stats()
        report.triples, report.entities = stats["triples"], stats["entities"]
        report.seconds = time.perf_counter() - self.started
        return report

    def _changed(self, paths: list[tuple[Path, str]]) -> list[File]:
        """The files that have to be read."""
        files = []
        for path, uri in paths:
            try:
                digest = sha256(*(part.read_bytes() for part in (path, *companions(path))))
                size = path.stat().st_size
            except OSError as error:
                broken = ParseError(f"cannot be read: {error.strerror or error}", uri=uri)
                if self.strict:
                    raise broken from None
                self.report.quarantined.append(broken)
                continue
            if self.journal.is_complete(uri, digest):
                self.report.unchanged_files += 1
                self.report.unchanged += self.journal.documents(uri)
            else:
                files.append(File(path, uri, size, digest, Issues(self.strict)))
        self.total = sum(file.size for file in files)
        return files

    def _documents(self, files: list[File]) -> Iterator[tuple[File, Document | None, bool]]:
        """(file, document, whether text is to be extracted), and (file, None, False) after the last of each file."""
        for file in files:
            try:
                for document in load(file.path, file.uri, file.issues):
                    file.uris.add(document.uri)
                    self.report.characters += len(document.text)
                    wanted = self._to_extract(file, document)
                    self.report.llm_tokens_saved += len(document.text) // 4 if wanted else 0
                    yield file, document, wanted
            except (ParseError, MissingExtraError) as error:
                file.failed = True
                if self.strict:
                    raise
                file.issues.reject(error if isinstance(error, ParseError) else ParseError(str(error), uri=file.uri))
            yield file, None, False

    def _to_extract(self, file: File, document: Document) -> bool:
        prose = not document.records and not document.media_type.endswith(GIVEN) and format_of(file.path, file.uri).prose
        return prose and not self._is_unchanged(file, document)

    def _is_unchanged(self, file: File, document: Document) -> bool:
        live = self.journal.live.get(document.uri)
        return live is not None and live.sha256 == document.sha256 and not self.journal.is_foreign(file.uri)

    def _write(self, file: File, document: Document) -> None:
        report, known = self.report, document.uri in self.journal.live
        if self._is_unchanged(file, document):
            report.unchanged += 1
        else:
            cuts = cut(document)
            try:
                self.kg.write_document(document, cuts, defer_resolve=True)
            except InputError as error:  # something in it that no store takes, such as half a surrogate pair
                file.issues.reject(ParseError(str(error), uri=document.uri))
                return
            report.updated += known
            report.added += not known
            report.chunks += len(cuts)
            self.triples += len(document.facts)
        file.characters += len(document.text)
        self._tell(file, min(file.size, file.characters))

    def _end_file(self, file: File, quarantine: Quarantine) -> None:
        """Take out documents that the file no longer holds, and record that it was read."""
        report = self.report
        report.files += 1
        if not file.failed:
            for source in self.journal.of_file(file.uri):
                if source.uri not in file.uris:
                    self._remove(source)
        quarantine.replace(file.uri, file.issues.rejected)
        report.quarantined += file.issues.rejected
        report.warnings += file.issues.warnings
        if not file.failed:
            self.journal.finish_file(file.uri, file.sha256, file.uris)
        self.done += file.size
        self._tell(file, 0)

    def _remove(self, source: Source) -> None:
        """The version stays in history, as when a newer one replaces it."""
        with self.kg.store.writing(defer_resolve=True) as writer:
            writer.supersede(source.id)
            changes = [["version", source.uri, source.id, None]]
            writer.note("update", f"gone from its file: {source.uri}", {"changes": changes})
        self.report.removed += 1

    def _tell(self, file: File, part: int) -> None:
        if self.progress is not None:
            elapsed, done = time.perf_counter() - self.started, self.done + part
            eta = elapsed * (self.total - done) / done if done else None
            documents = self.report.added + self.report.updated + self.report.unchanged
            self.progress(ProgressEvent(done, self.total, file.uri, documents, self.triples, elapsed, eta))

    # ---- planning
    def plan(self, paths: list[tuple[Path, str]]) -> IngestReport:
        """Read everything that changed, extract and write nothing."""
        report, prose = self.report, 0
        for file, document, wanted in self._documents(self._changed(paths)):
            if document is None:
                report.files += 1
                report.quarantined += file.issues.rejected
                report.warnings += file.issues.warnings
                report.removed += sum(source.uri not in file.uris for source in self.journal.of_file(file.uri) if not file.failed)
            elif self._is_unchanged(file, document):
                report.unchanged += 1
            else:
                known = document.uri in self.journal.live
                report.updated += known
                report.added += not known
                report.chunks += len(cut(document))
                prose += len(document.text) if wanted else 0
        cores = os.cpu_count() or 1
        report.seconds = prose / _RATE / cores + (report.added + report.updated) * _COMMIT_S
        return report
