"""Tasks about what people taught and corrected, so that a student learns it whatever was drawn at random."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ...kg.model import Triple
from ..corrections import asked, corrections, goal
from .evidence import Asked, EvidenceMaker, Example
from .facts import Query

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from .tasks import TaskMiner


def examples(kg: KnowledgeGraph, miner: TaskMiner, rng: random.Random) -> list[Example]:
    """A task for each item that stands: in the person's words where they name an end of the fact, else in ours."""
    maker, found = EvidenceMaker(miner.reader, rng), dict[str, Example]()
    for item, triple in corrections(kg):
        example = _example(maker, miner, triple, item.question)
        if example is not None:
            found[example.id] = example
    return list(found.values())


def _example(maker: EvidenceMaker, miner: TaskMiner, triple: Triple, question: str) -> Example | None:
    end = goal(triple, question)
    start = triple.subject if end is triple.object else triple.object
    seed = miner.reader.kg.store.row_of(start.id)
    fact = next((one for one in miner.reader.out(seed) if one.triple.id == triple.id), None)
    code = -1 if fact is None else fact.forth if end is triple.object else fact.back
    text = question if start.label.lower() in question.lower() else asked(triple)
    at = text.lower().find(start.label.lower())
    if code < 0 or at < 0:
        return None
    return maker.make(Asked(text, ((at, at + len(start.label), seed),), Query("lookup", (seed,), (code,))), "plain")


__all__ = ["examples"]
