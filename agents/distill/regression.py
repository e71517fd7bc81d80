"""Tasks about what people taught and corrected, so that a student learns it whatever was drawn at random."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ...kg.model import Triple
from ..corrections import asked, corrections
from .evidence import Asked, EvidenceMaker, Example
from .facts import Query

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from .tasks import TaskMiner


def examples(kg: KnowledgeGraph, miner: TaskMiner, rng: random.Random) -> list[Example]:
    """A task for each item that stands: in the person's words where they name the subject, else in ours."""
    maker, found = EvidenceMaker(miner.reader, rng), dict[str, Example]()
    for item, triple in corrections(kg):
        example = _example(maker, miner, triple, item.question)
        if example is not None:
            found[example.id] = example
    return list(found.values())


def _example(maker: EvidenceMaker, miner: TaskMiner, triple: Triple, question: str) -> Example | None:
    subject = miner.reader.kg.store.row_of(triple.subject.id)
    fact = next((one for one in miner.reader.out(subject) if one.triple.id == triple.id), None)
    if fact is None or fact.forth < 0:
        return None
    text = question if triple.subject.label in question else asked(triple)
    start = text.index(triple.subject.label)
    named = ((start, start + len(triple.subject.label), subject),)
    return maker.make(Asked(text, named, Query("lookup", (subject,), (fact.forth,))), "plain")


__all__ = ["examples"]
