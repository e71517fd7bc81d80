"""Answers from memory: what an expert that looks nothing up believes, and how it stands beside what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kg.model import normalize
from .answer import Route
from .compose import Draft
from .opinion import Opinion

if TYPE_CHECKING:
    from ..retrieval.linking import Link
    from .pool import Memory

MEMORY = "memory"  # the composer of what no source was read for
UNVERIFIED = "from memory, not in your documents: no source was read"
_SURE = 0.5  # belief from which a memory that says something else is worth a note


@dataclass(frozen=True, slots=True)
class Recalled:
    """A draft from memory.

    Attributes:
        opinion: over the answers it knows.
        scores: what a gate may know of it: how often the memory was taught about what is asked, margin and entropy of the draft,
            and whether it is stale.
        forbidden: why it may not be used: what it was taught has been changed or erased since; "" where it may.
    """

    opinion: Opinion
    scores: dict[str, float]
    forbidden: str = ""


def recalled(memory: Memory | None, question: str, links: Sequence[Link]) -> Recalled | None:
    """What a memory says, None where there is none or it says nothing."""
    draft = memory.recall(question, links) if memory is not None else None
    return draft if draft is not None and (draft.opinion.candidates or draft.forbidden) else None


def remembered(draft: Recalled, route: Route) -> Draft:
    """The answer from memory, marked as one that no source was read for."""
    answer, belief = draft.opinion.best
    sure = route.scores.get("p(internal)", belief)
    return Draft(f"{answer} ({UNVERIFIED}).", (answer,), confidence=sure, notes=(UNVERIFIED,), composer=MEMORY)


def contradicted(answers: Sequence[str], draft: Recalled | None) -> tuple[str, ...]:
    """A note where a memory that is sure says something else than what was found."""
    if draft is None or draft.forbidden:
        return ()
    other, belief = draft.opinion.best
    if belief < _SURE or normalize(other) in {normalize(answer) for answer in answers}:
        return ()
    return (f"the memory says {other}, and no source for it was found",)


__all__ = ["MEMORY", "UNVERIFIED", "Recalled", "contradicted", "recalled", "remembered"]
