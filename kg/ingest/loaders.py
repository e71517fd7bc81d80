"""From a file to documents: one table of formats, and the sandbox for those whose bytes are not plain text."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .. import sandbox
from ..errors import BudgetExceededError, MissingPathError, ParseError, UnsupportedFormatError
from ..model import Document
from . import wire
from .datasets import is_passages, load_passages
from .delimited import load_table, load_triples
from .jsonfile import load_json
from .markup import load_html
from .office import load_docx, load_pdf, load_xlsx
from .plain import load_text
from .report import Issues
from .text import decode, read_bytes

Loader = Callable[[Path, str, Issues], Iterator[Document]]


class Format(NamedTuple):
    """How a suffix is read.

    Attributes:
        foreign: parsed in the sandbox child, as its bytes are not plain text.
        prose: holds text to extract from; an RDF file states all its facts, also those of the documents it restores.
    """

    loader: Loader
    foreign: bool = False
    prose: bool = True


def _load_rdf(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    from .. import rdf

    return rdf.load(path, uri)


def _load_jsonl(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    head = decode(read_bytes(path, uri), uri, Issues())
    return (load_passages if is_passages(head) else load_json)(path, uri, issues)


FORMATS: dict[str, Format] = {
    ".txt": Format(load_text),
    ".md": Format(load_text),
    ".csv": Format(load_table),
    ".tsv": Format(load_table),
    ".json": Format(load_json),
    ".jsonl": Format(_load_jsonl),
    ".html": Format(load_html, foreign=True),
    ".htm": Format(load_html, foreign=True),
    ".pdf": Format(load_pdf, foreign=True),
    ".docx": Format(load_docx, foreign=True),
    ".xlsx": Format(load_xlsx, foreign=True),
    **dict.fromkeys([".ttl", ".nt", ".nq", ".trig", ".jsonld", ".rdf", ".owl"], Format(_load_rdf, foreign=True, prose=False)),
}


def load(path: Path, uri: str, issues: Issues | None = None) -> Iterator[Document]:
    """The documents of a file.

    Args:
        path: a regular file.
        uri: what the documents are called; records of a file add `#<id>`.
        issues: takes rejected items and warnings; None raises the first rejected item.

    Raises:
        MissingPathError: there is no such file.
        UnsupportedFormatError: its suffix is not in `FORMATS`, or it is no regular file.
        ParseError: it is broken as a whole.
    """
    issues = issues or Issues(strict=True)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPathError(f"no such file: {uri}") from None
    except (OSError, ValueError) as error:
        raise ParseError(f"cannot be opened: {error}", uri=uri) from None
    if not stat.S_ISREG(mode):
        raise UnsupportedFormatError(f"{uri}: not a regular file")
    form = format_of(path, uri)
    try:
        if form.foreign:
            yield from _sandboxed(path, uri, issues)
        else:
            yield from form.loader(path, uri, issues)
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror or error}", uri=uri) from None


def format_of(path: Path, uri: str) -> Format:
    """The format of a path, by suffix; `head|relation|tail` files are known by their names.

    Raises:
        UnsupportedFormatError: names the accepted suffixes.
    """
    if path.name == "kb.txt" or path.name.endswith("_kb.tsv") or path.name.endswith("_kb.txt"):
        return Format(load_triples)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        kind = repr(path.suffix) if path.suffix else "a name without suffix"
        raise UnsupportedFormatError(f"{uri}: no loader for {kind}; accepted: {' '.join(FORMATS)}")
    return form


def _sandboxed(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Parse in the child. Its limits grow with the file, so that only what unpacks out of proportion is stopped."""
    megabytes = path.stat().st_size // 2**20
    try:
        documents, rejected, warnings = sandbox.run(
            load_packed, str(path), uri, memory_mb=1024 + 64 * megabytes, cpu_s=20 + 10 * megabytes, wall_s=30 + 15 * megabytes
        )
    except BudgetExceededError as error:
        raise ParseError(str(error), uri=uri) from None
    except ParseError as error:
        raise error if error.uri else ParseError(error.reason, uri=uri, line=error.line) from None
    issues.warnings.extend(warnings)
    for reason, line in rejected:
        issues.reject(ParseError(reason, uri=uri, line=line))
    yield from map(wire.unpack, documents)


def load_packed(path: str, uri: str) -> list[Any]:
    """In the child: documents, rejected items and warnings of a foreign file as JSON values."""
    issues = Issues()
    documents = [wire.pack(document) for document in format_of(Path(path), uri).loader(Path(path), uri, issues)]
    return [documents, [[error.reason, error.line] for error in issues.rejected], issues.warnings]
