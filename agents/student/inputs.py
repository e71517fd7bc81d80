"""A task as the student's tokens: [CLS] question [SEP] item [SEP] item [SEP] ..., each [SEP] standing for the text before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kg.errors import InputError
from ...retrieval.encoder import Encoder
from .items import Mention, Task

WINDOW = 384  # tokens that are read of a task
QUESTION = 96  # of which the question may take


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """A task of t tokens and k items that fitted.

    Attributes:
        ids: int64 [t] word pieces.
        item: int64 [t], 0 for the question and [CLS], i + 1 for item i with its [SEP].
        entity: int64 [t], 0 for no mention, e + 1 for one of entity e.
        marks: int64 [k] where the [SEP] of each item stands.
        offsets: int64 [t, 2] characters in the text the token is of; (0, 0) for special tokens.
        candidates: int64 [c, 2] first and last tokens of mentions in items, but of entities that the question names: an answer is
            one of them. Empty where no item has a mention: any span may then be one.
    """

    ids: np.ndarray
    item: np.ndarray
    entity: np.ndarray
    marks: np.ndarray
    offsets: np.ndarray
    candidates: np.ndarray


def read_task(task: Task, encoder: Encoder) -> Inputs:
    """The tokens of a task. Items are read until the window is full, the one that does not fit only in part.

    Raises:
        InputError: there is no evidence.
    """
    if not task.items:
        raise InputError("a student needs at least one piece of evidence")
    pieces = encoder.pieces([task.question, *(item.text for item in task.items)])
    cls, sep = encoder.special
    ids, item, entity, where, marks = [cls], [0], [0], [(0, 0)], list[int]()
    mentions = [task.mentions, *(one.mentions for one in task.items)]
    for number, ((some, spans), named) in enumerate(zip(pieces, mentions, strict=True)):
        room = QUESTION if number == 0 else WINDOW - len(ids) - 1
        if number and room < min(len(some), 8):
            break
        some, spans = some[:room], spans[:room]
        ids += [*some, sep]
        item += [number] * (len(some) + 1)
        entity += [*_entities(spans, named), 0]
        where += [*spans, (0, 0)]
        if number:
            marks.append(len(ids) - 1)
    items, offsets = np.array(item, dtype=np.int64), np.array(where, dtype=np.int64).reshape(-1, 2)
    return Inputs(
        np.array(ids, dtype=np.int64),
        items,
        np.array(entity, dtype=np.int64),
        np.array(marks, dtype=np.int64),
        offsets,
        _candidates(task, items, offsets),
    )


def _candidates(task: Task, item: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Tokens of the mentions that may be answers."""
    asked = {mention.entity for mention in task.mentions}
    found: dict[tuple[int, int], None] = {}
    for number, one in enumerate(task.items, 1):
        own = np.flatnonzero((item == number) & (offsets[:, 1] > offsets[:, 0]))
        starts, ends = offsets[own, 0], offsets[own, 1]
        for mention in one.mentions:
            inside = own[(ends > mention.start) & (starts < mention.end)]
            if len(inside) and mention.entity not in asked and offsets[inside[-1], 1] >= mention.end:
                found[int(inside[0]), int(inside[-1])] = None
    return np.array([*found], dtype=np.int64).reshape(-1, 2)


def _entities(spans: list[tuple[int, int]], mentions: tuple[Mention, ...]) -> list[int]:
    """Of each token, 1 + the entity of the mention that it stands in."""
    found = [0] * len(spans)
    for mention in mentions:
        for i, (start, end) in enumerate(spans):
            if start < mention.end and mention.start < end:
                found[i] = mention.entity + 1
    return found


__all__ = ["QUESTION", "WINDOW", "Inputs", "read_task"]
