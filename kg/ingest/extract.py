"""What an extractor is: documents in, facts and mentions with offsets out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..model import Document, Fact, Mention

Extraction = tuple[tuple[Fact, ...], tuple[Mention, ...]]


class Extractor(Protocol):
    """Reads facts out of text.

    `name` and `version` identify what was run: a store extracted by another version is extracted anew.
    """

    name: str
    version: str

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        """Facts and mentions of each document, in order.

        Offsets are into `Document.text`; a fact's `[start, end)` is the sentence that states it, a mention's is the name
        itself. Documents with `records=True` come back as they are: their facts are given.
        """


def unique(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts without repetitions in the same place, the most confident kept, in text order."""
    best: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        key = (fact.subject.label, fact.relation, fact.object.label, fact.start)
        if key not in best or best[key].confidence < fact.confidence:
            best[key] = fact
    return tuple(sorted(best.values(), key=lambda fact: (fact.start, fact.end)))
