"""What a student is given and what it says: tasks, targets to learn from, readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

OPERATIONS = ("lookup", "list", "count", "compare", "superlative", "yes-no")


class Mention(NamedTuple):
    """Characters `[start, end)` of a text that name something; equal numbers are one entity within a task."""

    start: int
    end: int
    entity: int


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: a fact as a sentence ("Acme supplies Borg"), a title, or a sentence of a source."""

    text: str
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A question and its evidence, the best first: what does not fit into the student's window is not read."""

    question: str
    mentions: tuple[Mention, ...]
    items: tuple[Item, ...]


class Spot(NamedTuple):
    """Characters `[start, end)` of the text of an item."""

    item: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Target:
    """What is right for a task.

    Attributes:
        operation: one of `OPERATIONS`.
        steps: items used, in the order walked.
        answers: where they stand, one answer in several places perhaps; none where the evidence does not hold it.
    """

    operation: str
    steps: tuple[int, ...]
    answers: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a student says of a task.

    Attributes:
        operation: one of `OPERATIONS`.
        steps: (item, probability) of the items used, in the order walked.
        answers: (spot, probability), the best first, none of them over another; there may be some where `absent` is high.
        absent: probability that the evidence does not hold the answer.
    """

    operation: str
    steps: tuple[tuple[int, float], ...]
    answers: tuple[tuple[Spot, float], ...]
    absent: float


__all__ = ["OPERATIONS", "Item", "Mention", "Reading", "Spot", "Target", "Task"]
