"""The order of relations in a nested noun phrase: "the C of the B of X's A" walks A, then B, then C.

A possessive binds tighter than an "of" before it, so what follows the name comes first, from left to right, and then what
stands before it, from right to left. Only signs between the words are read; what is no such phrase has no order here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_CLOSING = r"[\])\"'’”]?"
_POSSESSIVE = re.compile(_CLOSING + r"\s*['’]s?\s+(?:(?:own|first|last|current|former|late)\s+)*", re.IGNORECASE)
_OF = re.compile(r"\s+of\s+(?:(?:the|a|an|all|any|each|his|her|their)\s+)*[\[(\"“]?", re.IGNORECASE)
_BESIDE = re.compile(_CLOSING + r"\s+[\[(\"“]?")
_THE = re.compile(r"(?:^|\s)(?:the|a|an)\s+$", re.IGNORECASE)


class Phrase(NamedTuple):
    """A phrase that asks for something, `[start, end)` of the text; `kind`: it says what a thing is ("film"); `noun`: it is a
    noun for the end of a relation and nothing else ("writer")."""

    start: int
    end: int
    kind: bool
    noun: bool


def nested(text: str, name: tuple[int, int], phrases: Sequence[Phrase]) -> tuple[int, ...]:
    """Indices of the phrases that a nested noun phrase around a name consists of, the one walked first in front.

    Args:
        text: the question.
        name: `[start, end)` of the name.
        phrases: in order of place.
    """
    order: list[int] = []
    end = name[1]
    for i in (i for i, phrase in enumerate(phrases) if phrase.start >= name[1]):
        beside = not order and phrases[i].noun and _BESIDE.fullmatch(text, end, phrases[i].start)  # "the X directors"
        if not beside and not _POSSESSIVE.fullmatch(text, end, phrases[i].start):
            break
        order.append(i)
        end = phrases[i].end
    after = [phrase for phrase in phrases if phrase.start >= end]
    if after and _BESIDE.fullmatch(text, end, after[0].start):  # "the years of X directed films" are none of X
        return tuple(order)
    before = [i for i, phrase in enumerate(phrases) if phrase.end <= name[0]]
    start = name[0]
    if before and (phrases[before[-1]].kind or apposed(text, name, phrases[before[-1]])):
        start = phrases[before.pop()].start if _BESIDE.fullmatch(text, phrases[before[-1]].end, start) else start
    for i in reversed(before):
        if not _OF.fullmatch(text, phrases[i].end, start):
            break
        order.append(i)
        start = phrases[i].start
    return tuple(order)


def apposed(text: str, name: tuple[int, int], phrase: Phrase) -> bool:
    """Whether a noun says what the thing named after it is: "the *writer* X"."""
    return phrase.noun and bool(_BESIDE.fullmatch(text, phrase.end, name[0]) and _THE.search(text, 0, phrase.start))


__all__ = ["Phrase", "apposed", "nested"]
