"""A task with other names in place of some of its entities, everywhere in it: what is right of the one is right of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .items import Item, Mention, Spot, Target, Task


def renamed(task: Task, target: Target, names: Mapping[int, str]) -> tuple[Task, Target]:
    """The same task and target about other names.

    Args:
        names: by entity, what its mentions say instead. Answers that are mentions move with them.
    """
    question, mentions, _ = _rewritten(task.question, task.mentions, names)
    items, moves = [], []
    for item in task.items:
        text, named, move = _rewritten(item.text, item.mentions, names)
        items.append(Item(text, named))
        moves.append(move)
    answers = tuple(Spot(i, _moved(moves[i], start, 0), _moved(moves[i], end, 1)) for i, start, end in target.answers)
    return Task(question, mentions, tuple(items)), replace(target, answers=answers)


_Moves = list[tuple[int, int, int, int]]  # old start and end, new start and end of each mention


def _rewritten(text: str, mentions: Sequence[Mention], names: Mapping[int, str]) -> tuple[str, tuple[Mention, ...], _Moves]:
    said, at, found, moves = "", 0, [], list[tuple[int, int, int, int]]()
    for start, end, entity in sorted(mentions):
        if start < at:
            continue  # a mention inside another
        said += text[at:start]
        new = names.get(entity, text[start:end])
        found.append(Mention(len(said), len(said) + len(new), entity))
        moves.append((start, end, len(said), len(said) + len(new)))
        said, at = said + new, end
    return said + text[at:], tuple(found), moves


def _moved(moves: _Moves, place: int, side: int) -> int:
    """Where a place is now; `side` 0 for the first character of something and 1 for the one after its last."""
    shift = 0
    for start, end, low, high in moves:
        if place == (start, end)[side]:
            return (low, high)[side]
        if end <= place:
            shift = high - end
    return place + shift


__all__ = ["renamed"]
