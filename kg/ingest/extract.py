"""What an extractor is: documents in, facts and mentions with offsets out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ..errors import InputError
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


class Together:
    """Several extractors over the same documents, their facts side by side.

    >>> from hoptrace.kg.ingest.rules import RuleExtractor
    >>> Together(RuleExtractor(), RuleExtractor()).name
    'rules+rules'
    """

    def __init__(self, *extractors: Extractor) -> None:
        self.extractors = extractors
        self.name = "+".join(one.name for one in extractors)
        self.version = "+".join(one.version for one in extractors)

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        """Facts and mentions of each document by all extractors, in order; where two give the same, the more confident one."""
        found = zip(*(extractor.extract(documents) for extractor in self.extractors), strict=True)
        return [
            (unique(fact for facts, _ in several for fact in facts), tuple(dict.fromkeys(m for _, some in several for m in some)))
            for several in found
        ]


EXTRACTORS = ("rules", "distilled", "rules+distilled")
DEFAULT = "rules"


def extractor_named(name: str) -> Extractor:
    """One of `EXTRACTORS`.

    Raises:
        InputError: another name.
        ArtefactError: the packaged model is damaged.
    """
    from ..extraction.extractor import DistilledExtractor
    from .rules import RuleExtractor

    made: dict[str, Callable[[], Extractor]] = {"rules": RuleExtractor, "distilled": DistilledExtractor.default}
    if name not in EXTRACTORS:
        raise InputError(f"no extractor {name!r}; there are: {', '.join(EXTRACTORS)}")
    parts = [made[part]() for part in name.split("+")]
    return parts[0] if len(parts) == 1 else Together(*parts)


def unique(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts without repetitions in the same place, the most confident kept, in text order."""
    best: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        key = (fact.subject.label, fact.relation, fact.object.label, fact.start)
        if key not in best or best[key].confidence < fact.confidence:
            best[key] = fact
    return tuple(sorted(best.values(), key=lambda fact: (fact.start, fact.end)))
