"""Dates in text: offsets, ranges, precisions."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest
from hoptrace.kg.ingest.dates import find_dates
from hypothesis import given
from hypothesis import strategies as st

DAYS = st.dates(min_value=date(1000, 1, 1), max_value=date(2999, 12, 31))
FORMATS = {
    "iso": lambda d: d.isoformat(),
    "day first": lambda d: f"{d.day} {calendar.month_name[d.month]} {d.year}",
    "month first": lambda d: f"{calendar.month_name[d.month]} {d.day}, {d.year}",
    "short": lambda d: f"{d.day} {calendar.month_abbr[d.month]} {d.year}",
    "ordinal": lambda d: f"{d.day}th {calendar.month_name[d.month]}, {d.year}",
    "wrapped": lambda d: f"{d.day} {calendar.month_name[d.month]}\n{d.year}",
}


@pytest.mark.parametrize("form", FORMATS)
@given(day=DAYS)
def test_a_written_day_is_that_day(form: str, day: date) -> None:
    written = FORMATS[form](day)
    text = f"It was sold on {written}."
    [span] = find_dates(text)
    assert text[span.start : span.end] == written
    assert (span.first, span.last_exclusive, span.precision) == (day, day + timedelta(days=1), "day")
    assert (span.value, span.datatype) == (day.isoformat(), "date")


@pytest.mark.parametrize(
    ("text", "first", "last", "precision", "value"),
    [
        ("since May 2023", date(2023, 5, 1), date(2023, 6, 1), "month", "2023-05"),
        ("in December 2023", date(2023, 12, 1), date(2024, 1, 1), "month", "2023-12"),
        ("in 2019", date(2019, 1, 1), date(2020, 1, 1), "year", "2019"),
        ("in Q4 2022", date(2022, 10, 1), date(2023, 1, 1), "quarter", "2022-10-01/2022-12-31"),
        ("the second quarter of 2022", date(2022, 4, 1), date(2022, 7, 1), "quarter", "2022-04-01/2022-06-30"),
        ("in the 1990s", date(1990, 1, 1), date(2000, 1, 1), "decade", "1990-01-01/1999-12-31"),
        ("in 875 he died", date(875, 1, 1), date(876, 1, 1), "year", "875"),
        ("on 11 November 875", date(875, 11, 11), date(875, 11, 12), "day", "0875-11-11"),
        ("on 29 February 2024", date(2024, 2, 29), date(2024, 3, 1), "day", "2024-02-29"),
    ],
)
def test_wider_dates(text: str, first: date, last: date, precision: str, value: str) -> None:
    [span] = find_dates(text)
    assert (span.first, span.last_exclusive, span.precision) == (first, last, precision)
    assert span.value.lstrip("0") == value.lstrip("0")


@pytest.mark.parametrize(
    "text",
    ["EUR 2,019", "2,023 people", "2019 %", "2019%", "12019", "version 1.2019", "31 June", "", "May I?", "MV-2019-4"],
)
def test_what_is_no_date(text: str) -> None:
    assert find_dates(text) == []


def test_a_day_that_does_not_exist_is_not_a_day() -> None:
    assert [span.precision for span in find_dates("on 31 June 2023")] != ["day"]


def test_spans_are_in_order_and_apart() -> None:
    text = "From 1 May 2021 to June 2022, then 2023-05-04 and Q1 2024; since 2025."
    spans = find_dates(text)
    assert [text[s.start : s.end] for s in spans] == ["1 May 2021", "June 2022", "2023-05-04", "Q1 2024", "2025"]


@given(st.text(alphabet="0123456789 May,-Qq.\n", max_size=60))
def test_any_text_gives_spans_inside_it(text: str) -> None:
    at = 0
    for span in find_dates(text):
        assert at <= span.start < span.end <= len(text)
        assert span.first < span.last_exclusive
        at = span.end
