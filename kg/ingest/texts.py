"""Texts that come without a file, as a server is sent them. They go the way that files go: each is one for the run.

They are put into a folder that only this user can read and that is gone when the run ends; what the graph records of them is
the uri they were sent with.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InputError
from .pipeline import Progress, ingest_files
from .report import IngestReport

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph
    from .extract import Extractor

SUFFIXES = {
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/jsonl": ".jsonl",
}
MAX_URI = 500  # characters
_STRANGE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff#]")  # a `#` sets a record apart from its file


class Text(NamedTuple):
    """`media_type` is one of `SUFFIXES`; "" goes by the end of `uri`, else plain text."""

    uri: str
    text: str
    media_type: str = ""


def ingest_texts(
    kg: KnowledgeGraph,
    texts: Sequence[Text],
    *,
    extractor: Extractor | str | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Read texts into a graph; one with the uri of an earlier one replaces it. The rest is as for `pipeline.ingest`.

    Raises:
        InputError: a uri is empty, too long, there twice or holds `#` or control characters, a media type is unknown, or a text
            is no Unicode.
        LockedError: another process is writing.
    """
    if len({text.uri for text in texts}) < len(texts):
        raise InputError("two texts have the same uri")
    with tempfile.TemporaryDirectory(prefix="hoptrace-") as folder:
        files = [(_put(Path(folder) / str(i), text), text.uri) for i, text in enumerate(texts)]
        return ingest_files(kg, files, extractor=extractor, progress=progress)


def _put(folder: Path, text: Text) -> Path:
    """Write a text to a file in a folder of its own, so that nothing lies beside it; the name gives its title and format."""
    if not text.uri.strip() or len(text.uri) > MAX_URI or _STRANGE.search(text.uri):
        raise InputError(f"a uri has 1 to {MAX_URI} characters, no control character and no #, not {text.uri!r:.80}")
    if text.media_type and text.media_type not in SUFFIXES:
        raise InputError(f"no media type {text.media_type!r:.80}; one of {', '.join(SUFFIXES)}")
    name = PurePosixPath(text.uri)
    own = name.suffix.lower() if name.suffix.lower() in SUFFIXES.values() else ".txt"
    stem = re.sub(r"[^\w ,-]", " ", name.stem)[:60].strip() or "text"
    path = folder / (stem + (SUFFIXES[text.media_type] if text.media_type else own))
    folder.mkdir()
    try:
        path.write_bytes(text.text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise InputError(f"{text.uri}: not valid Unicode at character {error.start}") from None
    return path


__all__ = ["MAX_URI", "SUFFIXES", "Text", "ingest_texts"]
