"""What a statement contradicts, known before it is made: another object of a functional relation at an overlapping time."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from .errors import UnknownEntityError, UnknownRelationError
from .model import Triple, normalize

if TYPE_CHECKING:
    from .graph import KnowledgeGraph

Days = tuple[date | None, date | None]


def conflicts(
    kg: KnowledgeGraph,
    subject: str,
    relation: str,
    object: str,
    *,
    valid_from: date | None = None,
    valid_to: date | None = None,
    functional: bool = False,
) -> list[Triple]:
    """Evidence that a statement would make disputed, and that would make it disputed; none where the graph holds no such name.

    Args:
        kg: the graph.
        subject: a name or id.
        relation: its label.
        object: a name, id or value.
        valid_from: first day on which the statement holds.
        valid_to: first day on which it no longer holds.
        functional: the statement says so of its relation, whatever the graph knows.
    """
    try:
        known = kg.relation(relation)
        standing = list(kg.triples(subject, relation, evidence_only=True)) if known.functional or functional else []
    except (UnknownEntityError, UnknownRelationError):
        return []
    return [
        one
        for one in standing
        if object != one.object.id
        and normalize(object) not in map(normalize, (one.object.label, *getattr(one.object, "aliases", ())))
        and overlap((valid_from, valid_to), (one.valid_from, one.valid_to))
    ]


def overlap(first: Days, second: Days) -> bool:
    """Whether two times share a day; each is the first day and the day after the last, None where it is open."""
    return not (
        (first[1] is not None and second[0] is not None and first[1] <= second[0])
        or (second[1] is not None and first[0] is not None and second[1] <= first[0])
    )


def named(found: list[Triple]) -> str:
    """The facts in one line, each with its days and id."""
    said = []
    for one in found:
        days = f", {one.valid_from or ''} to {one.valid_to or ''}" if one.valid_from or one.valid_to else ""
        said.append(f"{one}{days} ({one.id})")
    return "; ".join(said)


__all__ = ["conflicts", "named", "overlap"]
