"""Numbers with units: exact, converted within a dimension, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hoptrace.agents.quantities import Quantity
from hoptrace.kg.errors import InputError


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("5.5 hours", "minutes", "330"),
        ("6 h 30 min", "hours", "6.5"),
        ("90 minutes", "h", "1.5"),
        ("18 months", "years", "1.5"),
        ("2 years", "months", "24"),
        ("82 %", "percent", "82"),
        ("1,200 ml", "l", "1.2"),
        ("7.1 mm/s", "mm/s", "7.1"),
        ("-20 °C", "°c", "-20"),
        ("0.1 h 0.2 h", "hours", "0.3"),
        ("3", "", "3"),
    ],
)
def test_a_quantity_is_read_and_converted_without_rounding(text: str, unit: str, number: str) -> None:
    assert Quantity.read(text).to(unit).number == Decimal(number)


@pytest.mark.parametrize("text", ["", "hours", "5,5 hours", "5 kg 3 hours", "1e3 hours", "about 5 hours", "5..5 hours", "nan"])
def test_what_states_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Quantity.read(text)


@pytest.mark.parametrize(("text", "unit"), [("5 kg", "hours"), ("5", "hours"), ("5 hours", ""), ("5 points", "mm/s")])
def test_another_dimension_is_refused_and_named(text: str, unit: str) -> None:
    with pytest.raises(InputError, match=r"5.* is not in"):
        Quantity.read(text).to(unit)


def test_it_prints_as_people_write_it() -> None:
    written = {"7.0 hours": "7 hours", "100 minutes": "100 minutes", "82 %": "82%", "3": "3"}
    assert {text: str(Quantity.read(text)) for text in written} == written
