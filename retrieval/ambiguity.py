"""Which of several entities of one name a question means, as far as its words tell without a search.

"Who directed Brazil" is about something that was directed, "the film Brazil" about a film. The order of equally certain
entities follows that; whether the path search agrees is seen later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..kg.adjacency import Adjacency
from .linking import Link
from .question import TYPE_NOUNS, Understanding
from .relations import RelationIndex
from .types import NodeTypes

KEPT = 8  # entities of one mention


def preferred(
    links: Sequence[Link], question: Understanding, relations: RelationIndex, adjacency: Adjacency, types: NodeTypes
) -> list[Link]:
    """The links with the entities of each in order: certainty, then kind and relations that fit, then as they came.

    Args:
        links: mentions of the question.
        question: it, read.
        relations: the graph's.
        adjacency: its edges.
        types: what its nodes are.

    Returns:
        Links with at most eight entities each.
    """
    ordered = []
    for i, link in enumerate(links):
        rows = np.array([seed.row for seed in link.seeds], np.int32)
        use = support(rows, question, relations, adjacency) if len(rows) > 1 else np.zeros(len(rows))
        if len(rows) > 1 and (noun := _noun_before(question, i)):
            use += [types.fit(row, TYPE_NOUNS[noun], noun) for row in rows.tolist()]
        order = sorted(range(len(rows)), key=lambda k: (-link.seeds[k].score, -use[k], k))
        ordered.append(replace(link, seeds=tuple(link.seeds[k] for k in order[:KEPT])))
    return ordered


def support(
    rows: np.ndarray, question: Understanding, relations: RelationIndex, adjacency: Adjacency, free: np.ndarray | None = None
) -> np.ndarray:
    """How well the relations of each entity answer to the words of a question, by its best one; nothing is searched.

    Args:
        rows: int32 [n] node rows.
        question: it, read.
        relations: the graph's.
        adjacency: its edges.
        free: bool [units], which units count; all where None.

    Returns:
        float64 [n], gain times weight of the unit, 0 to 1.
    """
    weights = np.array([unit.weight for unit in question.units], np.float32) * (1 if free is None else free)
    weighted = (relations.gains(question.units) * weights).max(axis=2, initial=0)
    groups = adjacency.groups(rows)
    backward = (groups.direction * relations.flip[groups.relation] < 0).astype(int)
    best = np.zeros(len(rows))
    np.maximum.at(best, groups.origin, weighted[relations.family_of[groups.relation], backward])
    return best


def _noun_before(question: Understanding, mention: int) -> str:
    """The type noun right before a mention, "" for none."""
    first = next(iter(question.mention_positions(mention)), 0)
    word = question.tokens[first - 1].lower if first else ""
    return word if word in TYPE_NOUNS else ""
