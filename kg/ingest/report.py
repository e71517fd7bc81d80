"""What ingestion tells its caller: item-level issues while it runs, progress, and the final report."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import ParseError


@dataclass(slots=True)
class Issues:
    """Collects what was wrong with single items, so that one bad line does not lose a file.

    Attributes:
        strict: raise the first rejected item instead of keeping it for quarantine.
    """

    strict: bool = False
    rejected: list[ParseError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def reject(self, error: ParseError) -> None:
        """An item that is left out.

        Raises:
            ParseError: `strict` is set.
        """
        if self.strict:
            raise error
        self.rejected.append(error)


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Where a run stands. `done` and `total` count bytes of the files to be read, or `unit`s; `eta_s` is None while unknown."""

    done: int
    total: int
    file: str
    documents: int
    triples: int
    elapsed_s: float
    eta_s: float | None
    unit: str = ""


@dataclass(slots=True)
class IngestReport:
    """The outcome of one run; with `dry_run`, what a run would do.

    Attributes:
        files: files read (or, dry, to be read).
        unchanged_files: files whose bytes, extractor and documents are as recorded, so that they were not parsed.
        added, updated, unchanged, removed: documents.
        chunks: chunks written (dry: estimated).
        triples, entities: in the graph after the run.
        characters: text of the documents read.
        quarantined: items left out, each with file, line and reason.
        skipped: files that are no documents, each with the reason.
        seconds: wall clock (dry: estimated).
        llm_tokens_saved: what an LLM extractor would have been sent, at 4 characters per token.
    """

    dry_run: bool = False
    files: int = 0
    unchanged_files: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    chunks: int = 0
    triples: int = 0
    entities: int = 0
    characters: int = 0
    quarantined: list[ParseError] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    llm_calls: int = 0
    llm_tokens_saved: int = 0

    @property
    def documents(self) -> int:
        """Documents added, updated and found unchanged."""
        return self.added + self.updated + self.unchanged

    def __str__(self) -> str:
        verb = "would read" if self.dry_run else "read"
        lines = [
            f"{verb} {self.files} files ({self.unchanged_files} more unchanged) in {self.seconds:.1f} s: documents"
            f" {self.added} added, {self.updated} updated, {self.unchanged} unchanged, {self.removed} removed",
            f"{self.chunks} chunks from {self.characters:,} characters; LLM calls {self.llm_calls}"
            f" (an LLM extractor would have read about {self.llm_tokens_saved:,} tokens)",
        ]
        if not self.dry_run:
            lines.append(f"the graph now holds {self.triples:,} triples and {self.entities:,} entities")
        lines += [f"skipped: {reason}" for reason in self.skipped[:5]]
        lines += [f"warning: {warning}" for warning in self.warnings[:5]]
        lines += [f"quarantined: {error}" for error in self.quarantined[:5]]
        hidden = sum(max(0, len(part) - 5) for part in (self.skipped, self.warnings, self.quarantined))
        return "\n".join([*lines, f"and {hidden} more"] if hidden else lines)
