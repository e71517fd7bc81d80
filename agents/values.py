"""Numbers and dates out of the words a graph holds, comparable with each other or refused.

Money and quantities keep their unit: EUR 41.2 million and EUR 900,000 compare, EUR and USD do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from ..kg.ingest.dates import find_dates
from ..kg.model import Literal, Node

_SCALES = {
    "thousand": 10**3, "k": 10**3, "million": 10**6, "m": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?P<sign>-)?(?P<number>\d[\d,]*(?:\.\d+)?)\s*(?P<scale>thousand|million|billion|trillion|bn|mn|[km]\b)?", re.IGNORECASE
)
_CURRENCIES = {
    "€": "eur",
    "$": "usd",
    "£": "gbp",
    "eur": "eur",
    "euro": "eur",
    "euros": "eur",
    "usd": "usd",
    "gbp": "gbp",
    "chf": "chf",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A number with its unit ("" for none), or a day."""

    number: Decimal | None = None
    unit: str = ""
    day: date | None = None

    def comparable(self, other: Value) -> bool:
        """Whether larger and smaller mean anything between the two."""
        return (self.day is None) == (other.day is None) and self.unit == other.unit

    @property
    def key(self) -> Decimal:
        """Order among comparable values."""
        return Decimal(self.day.toordinal()) if self.day else self.number or Decimal(0)


def value_of(node: Node, kind: str) -> Value | None:
    """The value a node states, or None.

    Args:
        node: a literal or an entity named like one ("1982").
        kind: "date" or "number".
    """
    text = node.label
    if kind == "date":
        dates = find_dates(text)
        return Value(day=dates[0].first) if dates else None
    if isinstance(node, Literal) and node.datatype in {"date", "gYear", "gYearMonth", "dateTime", "boolean"}:
        return None
    return parse_number(text)


def parse_number(text: str) -> Value | None:
    """The first number of a text with its scale and unit.

    >>> parse_number("EUR 41.2 million")
    Value(number=Decimal('41200000.0'), unit='eur', day=None)
    """
    match = _NUMBER.search(text)
    if match is None:
        return None
    try:
        number = Decimal(match["number"].replace(",", ""))
    except InvalidOperation:
        return None
    number *= _SCALES.get((match["scale"] or "").lower(), 1)
    around = re.findall(r"[^\W\d_]+|[€$£%]", text[: match.start()] + " " + text[match.end() :])
    unit = next((_CURRENCIES[w.lower()] for w in around if w.lower() in _CURRENCIES), "")
    if not unit:
        unit = "%" if {"%", "percent", "per"} & {w.lower() for w in around[:2]} else " ".join(w.lower() for w in around[:1])
    return Value(number=-number if match["sign"] else number, unit=unit)
