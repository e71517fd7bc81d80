"""What is known about a text before it is read: where dates, amounts, quoted titles and given names stand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_MONEY = re.compile(
    r"(?:(?:EUR|USD|GBP|NOK|SEK|DKK|CHF|JPY|US\$|A\$|C\$|[$€£¥₹])\s?\d(?:[\d,.]*\d)?(?:\s?(?:thousand|million|billion|trillion|m|bn|k)\b)?"
    r"|\d(?:[\d,.]*\d)?\s?(?:thousand |million |billion |trillion )?(?:euros?|dollars?|pounds|crowns|kroner|francs|EUR|USD|GBP)\b"
    r"|\d(?:[\d,.]*\d)?\s?(?:%|per ?cent\b|percentage points))"
)
_QUOTED = re.compile(r'[“"]\s?([A-Z0-9¿¡][^“”"\n]{0,80}?)[,.]?\s?[”"]|``\s?([A-Z0-9][^`\n]{0,80}?)\s?\'\'')
_TRIM = re.compile(r"^[\s\"“”]+|[\s\"“”,]+$")


class Token(NamedTuple):
    text: str
    start: int
    end: int
    tag: str
    lemma: str = ""


class Mark(NamedTuple):
    """A stretch of text known beforehand: a date (d), an amount (#) or a title (N)."""

    start: int
    end: int
    tag: str
    text: str


def clean(label: str) -> str:
    """A name without stray spaces, quotes and the article."""
    label = re.sub(r"\s+", " ", label.replace("- ", "-"))
    return _TRIM.sub("", label).strip()


def marks(text: str, dates: Iterable[tuple[int, int]], names: Iterable[str]) -> list[Mark]:
    """Dates, amounts, quoted titles and the given names where they stand, the earliest and longest winning."""
    found = [Mark(start, end, "d", text[start:end]) for start, end in dates]
    found += [Mark(m.start(), m.end(), "#", " ".join(m.group().split())) for m in _MONEY.finditer(text)]
    for m in _QUOTED.finditer(text):
        title = clean(m[1] or m[2])
        if title:
            found.append(Mark(m.start(), m.end(), "N" if _title_like(title) else "~", title))
    for name in names:
        found += [Mark(m.start(), m.end(), "N", clean(name)) for m in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    found.sort(key=lambda mark: (mark.start, -mark.end))
    kept: list[Mark] = []
    for mark in found:
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return kept


def _title_like(quote: str) -> bool:
    """Whether a quotation is the title of a work and not something said."""
    words = quote.split()
    large = [word for word in words if len(word) > 3]
    return (
        len(words) <= 12
        and quote[-1] not in ",;"
        and sum(word[0].isupper() or word[0].isdigit() for word in large) * 2 >= len(large)
    )
