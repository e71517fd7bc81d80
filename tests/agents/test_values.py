"""Numbers, units and days out of words; what compares and what does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hoptrace.agents.values import Value, parse_number, value_of
from hoptrace.kg.model import Entity, Literal
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("EUR 41.2 million", "41200000", "eur"),
        ("EUR 900,000", "900000", "eur"),
        ("€3bn", "3000000000", "eur"),
        ("$ 5m", "5000000", "usd"),
        ("£12", "12", "gbp"),
        ("1,234,567 tonnes", "1234567", "tonnes"),
        ("about 4.5 percent", "4.5", "%"),
        ("4.5%", "4.5", "%"),
        ("-3", "-3", ""),
        ("40", "40", ""),
        ("2 thousand", "2000", ""),
        ("12k", "12000", ""),
    ],
)
def test_parse_number(text: str, number: str, unit: str) -> None:
    value = parse_number(text)
    assert value is not None
    assert (value.number, value.unit) == (Decimal(number), unit)


@pytest.mark.parametrize("text", ["", "no number", "EUR", "million"])
def test_no_number(text: str) -> None:
    assert parse_number(text) is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=2), st.sampled_from(["", "EUR ", "USD "]))
def test_numbers_written_with_and_without_separators_are_one(number: Decimal, unit: str) -> None:
    plain, grouped = parse_number(f"{unit}{number}"), parse_number(f"{unit}{number:,}")
    assert plain == grouped
    assert plain is not None
    assert plain.number == number


@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    value = parse_number(text)
    assert value is None or (value.number is not None and value.number.is_finite())


def test_only_values_of_one_unit_and_kind_compare() -> None:
    eur, usd, plain = (parse_number(text) for text in ("EUR 5", "USD 5", "5"))
    assert eur
    assert usd
    assert plain
    day = Value(day=date(2020, 1, 1))
    assert eur.comparable(Value(Decimal(7), "eur"))
    assert not eur.comparable(usd)
    assert not eur.comparable(plain)
    assert not plain.comparable(day)
    assert day.comparable(Value(day=date(1999, 1, 1)))


@pytest.mark.parametrize(
    ("small", "large", "kind"),
    [
        (Literal("EUR 900,000"), Literal("EUR 41.2 million"), "number"),
        (Literal("9", "integer"), Literal("10", "integer"), "number"),
        (Literal("1987", "gYear"), Literal("2011-03-01", "date"), "date"),
        (Entity("e1", "1982"), Literal("May 1982"), "date"),
    ],
)
def test_order_is_by_value(small: Literal, large: Literal, kind: str) -> None:
    low, high = value_of(small, kind), value_of(large, kind)
    assert low
    assert high
    assert low.comparable(high)
    assert low.key < high.key


@pytest.mark.parametrize(
    ("node", "kind"),
    [(Literal("1987", "gYear"), "number"), (Literal("true", "boolean"), "number"), (Entity("e1", "Alda Works"), "date")],
)
def test_a_value_of_the_wrong_kind_is_none(node: Literal, kind: str) -> None:
    assert value_of(node, kind) is None
