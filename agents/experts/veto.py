"""When the memory may not speak: what it learned has changed, or was erased, since.

Two looks at the ledger. By the words of the question: whether anything in the scope of what is asked was touched, which also
finds facts that are new. By the answer: whether one of the facts that it was shown between this subject and this answer was
touched, however the question was worded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ...kg.ledger import HOPS, FactLedger
from ...retrieval.retriever import Retriever
from .memory import Memory, Recall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...retrieval.linking import Link

Reason = Literal["", "stale", "erased"]
_ASKED = 0.55  # gain from which a relation may be what a word asks for; nouns for kinds of things stay below


def asked(retriever: Retriever, question: str, links: Sequence[Link]) -> tuple[frozenset[str] | None, int]:
    """Ids of the relations that a question may ask for, whichever way, and in how many hops.

    None where its words explain no relation of the graph: then it may ask for any.
    """
    understood, relations = retriever.read(question, links), retriever.relations
    explains = retriever.gains(understood).max(axis=1, initial=0) >= _ASKED
    families, hops = set(np.flatnonzero(explains.any(axis=1)).tolist()), int(explains.any(axis=0).sum())
    if not families:
        return None, HOPS
    rows = retriever.kg.store.relations()
    return frozenset(relation.id for row, relation in rows if int(relations.family_of[row]) in families), hops


def veto(
    memory: Memory, ledger: FactLedger, retriever: Retriever, question: str, links: Sequence[Link], recall: Recall
) -> Reason:
    """Why the memory may not give this answer, "" where it may.

    Args:
        memory: what recalled it.
        ledger: of the graph.
        retriever: reads the words of the question; nothing is searched.
        question: in plain English.
        links: its mentions.
        recall: what the memory said.
    """
    found, hops = asked(retriever, question, links)
    near = None if found is None else [(relation, way) for relation in found for way in (1, -1)]
    far = None if found is None else [(relation, 1) for relation in found]  # it has learned chains in this direction alone
    looks: tuple[tuple[Reason, Callable[..., bool]], ...] = (("erased", ledger.erased), ("stale", ledger.stale))
    for reason, touched in looks:
        if touched(recall.subjects, near, memory.seq, hops=1) or touched(recall.subjects, far, memory.seq, hops=hops):
            return reason
    return "stale" if ledger.touched(memory.rests_on(recall), memory.seq) else ""


__all__ = ["Reason", "asked", "veto"]
