"""What may be an answer in a sentence that nobody has marked: names by their capitals, days and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...kg.ingest.dates import find_dates

_CAPITAL = r"(?:[^\W\d_a-zß-öø-ÿ](?:[\w&'’-]|\.(?=\w))*\.?)"
_JOINER = r"(?:of|the|de|du|des|la|le|del|della|di|da|von|van|der|den|bin|ibn|al|el|for|&|-|–)"
_NAME = re.compile(rf"{_CAPITAL}(?:(?:\s+{_JOINER}){{0,2}}\s+{_CAPITAL}|\s+\d+\b)*")
_NUMBER = re.compile(r"[€$£]?\d[\d,]*(?:\.\d+)?%?(?:\s+(?:million|billion|thousand|percent))?")
_FIRST = frozenset(
    "the a an in on at by for from with of to and or but he she it they his her its their this that these those as after before "
    "when while during since until there was is are were i we you who which what where".split()
)


def candidates(text: str, known: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """`[start, end)` of names, days and numbers, by start; days before names before numbers where they overlap.

    Args:
        text: a sentence.
        known: spans that are known already; what overlaps them is left out.

    >>> [s[a:b] for s in ["He was born in Port of Spain on 3 May 1960."] for a, b in candidates(s)]
    ['Port of Spain', '3 May 1960']
    """
    taken = [*known]
    found = []
    dates = [(date.start, date.end) for date in find_dates(text)]
    names = [_trimmed(text, *match.span()) for match in _NAME.finditer(text)]
    for start, end in (*dates, *names, *(match.span() for match in _NUMBER.finditer(text))):
        if start < end and all(end <= a or b <= start for a, b in taken):
            taken.append((start, end))
            found.append((start, end))
    return sorted(found)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A run of capitals without the function words that it begins with, nor a full stop at its end."""
    while start < end:
        word = re.match(r"\S+\s*", text[start:end])
        if word is None or word[0].strip().lower() not in _FIRST:
            break
        start += word.end()
    return start, end - (text[start:end].endswith(".") and "." not in text[start : end - 1])


__all__ = ["candidates"]
