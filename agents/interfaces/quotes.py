"""Citations read again, now: the characters that stand at their offsets, with the text around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...kg.errors import HoptraceError
from ...kg.model import text_hash

if TYPE_CHECKING:
    from ..profiles import Library

AROUND = 240  # characters of context on each side


@dataclass(frozen=True, slots=True)
class Quote:
    """A citation checked against the store. `problem` is "" when the characters and the chunk's hash are as recorded.

    `before` and `after` are context from the same source, empty when the source cannot be read any more.
    """

    id: int
    source: str
    start: int
    end: int
    before: str
    text: str
    after: str
    problem: str = ""

    @property
    def verified(self) -> bool:
        return not self.problem

    def to_dict(self) -> dict[str, Any]:
        fields = ("id", "source", "start", "end", "before", "text", "after", "verified", "problem")
        return {name: getattr(self, name) for name in fields}


def reread(kg: Library, citation: Mapping[str, Any]) -> Quote:
    """Check one citation of `Answer.to_dict()` against the store as it is now.

    Three things must hold: the source is still there, the chunk's text has the SHA-256 it was stored with, and
    `source_text[start:end]` is the quote.
    """
    start, end, said = citation["start"], citation["end"], citation["quote"]
    where = (citation["id"], citation["source"], start, end)
    try:
        chunk = kg.store.chunk(citation["chunk_id"])
        before = kg.store.text(chunk.source_id, max(0, start - AROUND), start)
        text = kg.store.text(chunk.source_id, start, end)
        after = kg.store.text(chunk.source_id, end, end + AROUND)
    except HoptraceError as error:
        return Quote(*where, "", said, "", f"cannot be read any more: {error}")
    problem = ""
    if text_hash(chunk.text) != chunk.sha256:
        problem = f"chunk {chunk.id} does not match its hash"
    elif text != said:
        problem = f"other characters stand there now: {text[:60]!r}"
    return Quote(*where, before, text, after, problem)
