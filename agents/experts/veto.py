"""When the memory may not speak: what it learned has changed, or was erased, since.

Two looks at the ledger. By the words of the question: whether anything in the scope of what is asked was touched, which also
finds facts that are new. By the answer: whether one of the facts that it was shown between this subject and this answer was
touched, however the question was worded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ...kg.ledger import FactLedger, Walk
from ...retrieval.retriever import Retriever
from .memory import Memory, Recall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...retrieval.linking import Link

Reason = Literal["", "stale", "erased"]
_ASKED = 0.55  # gain from which a relation may be what a word asks for; nouns for kinds of things stay below


def walks(retriever: Retriever, question: str, links: Sequence[Link]) -> tuple[frozenset[Walk] | None, int]:
    """Relations that a question may ask for, with the way to walk them, and in how many hops.

    None where some of its words explain no relation: then it may ask for any.
    """
    understood, relations = retriever.read(question, links), retriever.relations
    gains = retriever.gains(understood)
    asked = {(int(family), 1 - 2 * int(back)) for family, back, _ in np.argwhere(gains >= _ASKED)}
    hops = int((gains >= _ASKED).any(axis=(0, 1)).sum()) if gains.size else 0
    if not asked:
        return None, 2
    found = set[Walk]()
    for row, relation in retriever.kg.store.relations():
        family, flip = int(relations.family_of[row]), int(relations.flip[row])
        ways = [way for way in (1, -1) if (family, way) in asked]
        if ways and relations.symmetric[family]:
            ways = [1, -1]
        found.update((relation.id, way * flip) for way in ways)
    return frozenset(found), hops


def veto(memory: Memory, ledger: FactLedger, retriever: Retriever, question: str, links: Sequence[Link], recall: Recall) -> Reason:
    """Why the memory may not give this answer, "" where it may.

    Args:
        memory: what recalled it.
        ledger: of the graph.
        retriever: reads the words of the question; nothing is searched.
        question: in plain English.
        links: its mentions.
        recall: what the memory said.
    """
    asked, hops = walks(retriever, question, links)
    if ledger.erased(recall.subjects, asked, memory.seq, hops=hops):
        return "erased"
    stale = ledger.stale(recall.subjects, asked, memory.seq, hops=hops) or ledger.touched(memory.rests_on(recall), memory.seq)
    return "stale" if stale else ""


__all__ = ["Reason", "veto", "walks"]
