"""The first gate: rules over what linking and reading already know. It costs nothing and says why.

A later gate learns from outcomes; this one only refuses what cannot succeed (a name the graph does not hold, a question
that asks for nothing the graph has) and otherwise retrieves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..retrieval.linking import Link
from ..retrieval.paths import SEEDLESS
from ..retrieval.question import Understanding
from .answer import Action, Route
from .wording import join


def decide(
    question: Understanding, links: Sequence[Link], gains: np.ndarray, *, model: bool = False, reader: bool = False
) -> Route:
    """Choose the route of a question.

    Args:
        question: the question, read.
        links: its mentions.
        gains: float32 [families, 2, units], how well each relation of the graph answers to each unit.
        model: a chat model composes answers and reads passages always.
        reader: passages can be read where the graph has no answer.
    """
    unknown = [link.text for link in links if not link.seeds]
    linked = [link for link in links if link.seeds]
    coverage = float(gains.max(axis=(0, 1)).mean()) if gains.size else 0.0
    best = float(gains.max(initial=0.0))
    scores = {
        "linked": min((seed.score for link in linked for seed in link.seeds[:1]), default=0.0),
        "unknown": float(len(unknown)),
        "ambiguity": float(max((len(link.seeds) for link in linked), default=0)),
        "coverage": coverage,
    }
    if unknown and not model:
        reason = f"nothing in the graph is named {join(unknown)}"
        return Route("path+text" if reader else "abstain", "rule", scores, reason)
    if not linked and best < SEEDLESS:
        reason = "the question names no entity and no relation of the graph"
        return Route("path+text" if model or reader else "abstain", "rule", scores, reason)
    action: Action = "path+text" if model else "path"
    named = join([link.text for link in linked]) or "no entity, a relation"
    return Route(action, "rule", scores, f"{named} known to the graph")
