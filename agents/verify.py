"""Mechanical verification: every span is read again from the store before an answer leaves.

A citation is verified when the chunk's text still has its recorded sha256 and the source's characters at `[start, end)`
are the quote. A claim whose citations all fail is dropped; an answer that loses a claim of its path abstains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kg.errors import HoptraceError
from ..kg.model import Span, text_hash
from .answer import Citation, Claim
from .compose import Draft

if TYPE_CHECKING:
    from .profiles import Library


@dataclass(frozen=True, slots=True)
class Verdict:
    """Citations with their marks, the claims that stand, and how many citations failed and claims fell."""

    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    failed: int
    dropped: int


def verify(kg: Library, draft: Draft) -> Verdict:
    """Re-read every span of a draft. Never raises for a damaged store: what cannot be read is not verified."""
    citations: dict[tuple[str, int, int, str], Citation] = {}
    claims: list[Claim] = []
    for reason in draft.reasons:
        ids = []
        for span in reason.spans:
            place = (span.source_id, span.start, span.end, span.quote)
            if place not in citations:
                citations[place] = cite(kg, span, len(citations) + 1)
            if citations[place].verified:
                ids.append(citations[place].id)
        if ids:
            marks = "".join(f" [{i}]" for i in ids)
            claims.append(Claim(f"{reason.text}{marks}.", tuple(ids)))
    failed = sum(not c.verified for c in citations.values())
    return Verdict(tuple(citations.values()), tuple(claims), failed, len(draft.reasons) - len(claims))


def cite(kg: Library, span: Span, number: int) -> Citation:
    """A citation of a span, verified or not."""
    try:
        source = kg.store.source(span.source_id)
        chunk = kg.store.chunk(span.chunk_id) if span.chunk_id else None
        sound = chunk is None or text_hash(chunk.text) == chunk.sha256
        verified = sound and kg.store.text(span.source_id, span.start, span.end) == span.quote
    except HoptraceError:
        return Citation(number, span.source_id, span.chunk_id, span.start, span.end, span.quote)
    return Citation(number, source.uri, span.chunk_id, span.start, span.end, span.quote, verified)
