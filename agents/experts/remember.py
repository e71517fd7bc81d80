"""The memory of a graph as the loop asks it: its draft, what a gate may know of it, and the veto of the ledger."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...kg.artefacts import MANIFEST
from ...kg.errors import ArtefactError
from ...kg.ledger import FactLedger
from ..opinion import VACUOUS
from ..recall import Recalled
from .memory import FLOOR, Memory, memory_folder
from .veto import veto

if TYPE_CHECKING:
    from ...retrieval.linking import Link
    from ...retrieval.retriever import Retriever

_FORBIDDEN = {
    "stale": "what the memory was taught of this has changed since",
    "erased": "what the memory was taught of this has been erased",
}


class Remembering:
    """The memory trained for a graph, with the ledger that forbids what has changed since.

    Args:
        retriever: over the graph.
        memory: trained for it.
    """

    def __init__(self, retriever: Retriever, memory: Memory) -> None:
        self.retriever, self.memory, self.ledger = retriever, memory, FactLedger(retriever.kg)

    def recall(self, question: str, links: Sequence[Link]) -> Recalled:
        """The draft to a question; none where it does not know its one name, and where the ledger forbids it only the reason."""
        said = self.memory.answer(question, links)
        if not said.opinion.candidates:
            return Recalled(VACUOUS, {})
        reason = veto(self.memory, self.ledger, self.retriever, question, links, said)
        if reason:
            return Recalled(VACUOUS, {"stale": 1.0}, _FORBIDDEN[reason])
        taught = math.log1p(self.memory.shown(said.subjects[0]))
        return Recalled(said.opinion, {"taught": taught, "margin": said.margin, "entropy": said.entropy, "stale": 0.0})

    def best(self, question: str, candidates: Sequence[str], links: Sequence[Link]) -> int | None:
        """Which of some nodes, by id, it believes in most; None where it knows none of them."""
        if sum(bool(link.seeds) for link in links) != 1:
            return None
        logs = self.memory.rank(question, candidates, links)
        at = int(logs.argmax())
        return at if logs[at] > FLOOR else None


def remembering(retriever: Retriever) -> Remembering | None:
    """The memory of a graph, None where none was trained; one that does not fit the graph is left aside with a warning."""
    if not (memory_folder(retriever.kg) / MANIFEST).is_file():
        return None
    try:
        return Remembering(retriever, Memory.load(retriever.kg, retriever.encoder))
    except ArtefactError as error:
        warnings.warn(f"the memory is not used: {error}", stacklevel=2)
        return None


__all__ = ["Remembering", "remembering"]
