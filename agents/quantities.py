"""Numbers with units, exact: read from words, converted within a dimension, or refused.

    >>> Quantity.read("6 h 30 min").to("hours")
    Quantity(number=Decimal('6.5'), unit='hours')

Units that the table does not hold ("points", "mm/s") are compared with themselves only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ..kg.errors import InputError

_TABLE = {  # dimension: names of a unit and how many of the first one it is
    "time": "s sec second seconds=1|min mins minute minutes=60|h hr hrs hour hours=3600|d day days=86400|week weeks=604800",
    "length": "m metre metres meter meters=1|mm=0.001|cm=0.01|km=1000",
    "mass": "kg kilogram kilograms=1|mg=0.000001|g gram grams=0.001|t tonne tonnes=1000",
    "volume": "l litre litres liter liters=1|ml=0.001",
    "pressure": "bar=1|mbar=0.001|pa=0.00001|kpa=0.01",
    "age": "year years=1|month months=1/12",
    "share": "% percent=1",
}
_FACTORS = {
    name: (dimension, factor)
    for dimension, entries in _TABLE.items()
    for names, _, factor in (entry.partition("=") for entry in entries.split("|"))
    for name in names.split()
}
_PART = re.compile(r"\s*(-?\d+(?:,\d{3})*(?:\.\d+)?)\s*([^\d\s.,;-][^\d,;]*)?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit as written; "" for none."""

    number: Decimal
    unit: str = ""

    @classmethod
    def read(cls, text: str) -> Quantity:
        """The quantity that a whole text states; several parts ("6 h 30 min") are added up in the unit of the first.

        Raises:
            InputError: it states none.
        """
        parts, at = [], 0
        while at < len(text.rstrip()) and (match := _PART.match(text, at)):
            parts.append(cls(Decimal(match[1].replace(",", "")), (match[2] or "").strip()))
            at = match.end()
        if not parts or at < len(text.rstrip()):
            raise InputError(f"no number with a unit: {text!r}")
        unit = parts[0].unit
        return cls(sum((part.to(unit).number for part in parts), Decimal(0)), unit)

    def to(self, unit: str) -> Quantity:
        """The same amount in another unit.

        Raises:
            InputError: the units measure different things.
        """
        if unit.lower() == self.unit.lower():
            return Quantity(self.number, unit)
        mine, other = _FACTORS.get(self.unit.lower()), _FACTORS.get(unit.lower())
        if mine is None or other is None or mine[0] != other[0]:
            raise InputError(f"{self} is not in {unit or 'a number without unit'}")
        (above, below), (other_above, other_below) = _fraction(mine[1]), _fraction(other[1])
        return Quantity(self.number * above * other_below / (below * other_above), unit)

    def __str__(self) -> str:
        number = format(self.number.normalize(), "f")
        return f"{number}{self.unit}" if self.unit == "%" else f"{number} {self.unit}".strip()


def _fraction(factor: str) -> tuple[Decimal, Decimal]:
    above, _, below = factor.partition("/")
    return Decimal(above), Decimal(below or 1)


__all__ = ["Quantity"]
