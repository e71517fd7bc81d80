"""The order of relations in a nested noun phrase: "the C of the B of X's A" walks A, then B, then C.

A possessive binds tighter than an "of" before it, so what follows the name comes first, from left to right, and then what
stands before it, from right to left. Only signs between the words are read; what is no such phrase has no order here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLOSING = r"[\])\"'’”]?"
_POSSESSIVE = re.compile(_CLOSING + r"\s*['’]s?\s+(?:(?:own|first|last|current|former|late)\s+)*", re.IGNORECASE)
_OF = re.compile(r"\s+of\s+(?:(?:the|a|an|all|any|each|his|her|their)\s+)*[\[(\"“]?", re.IGNORECASE)
_BESIDE = re.compile(_CLOSING + r"[\s\[(\"“,]*")


def nested(text: str, name: tuple[int, int], spans: Sequence[tuple[int, int]], kinds: Sequence[bool]) -> tuple[int, ...]:
    """Indices of the phrases that a nested noun phrase around a name consists of, the one walked first in front.

    Args:
        text: the question.
        name: `[start, end)` of the name.
        spans: `[start, end)` of the phrases that ask for something, in order of place.
        kinds: whether a phrase only says what kind of thing stands beside it ("the film X").
    """
    order: list[int] = []
    end = name[1]
    for i in (i for i, span in enumerate(spans) if span[0] >= name[1]):
        if not _POSSESSIVE.fullmatch(text, end, spans[i][0]):
            break
        order.append(i)
        end = spans[i][1]
    start = name[0]
    before = [i for i, span in enumerate(spans) if span[1] <= name[0]]
    if before and kinds[before[-1]] and _BESIDE.fullmatch(text, spans[before[-1]][1], start):
        start = spans[before.pop()][0]
    for i in reversed(before):
        if not _of_before(text, spans[i][1], start):
            break
        order.append(i)
        start = spans[i][0]
    return tuple(order)


def _of_before(text: str, end: int, start: int) -> bool:
    return bool(_OF.fullmatch(text, end, start))


__all__ = ["nested"]
