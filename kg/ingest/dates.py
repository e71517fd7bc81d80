"""Dates in English text: where they stand and which days they cover.

Every date is a half-open range of days, as wide as its precision: "May 2023" is [2023-05-01, 2023-06-01). Dates outside
the years 1 to 9999 and days that do not exist (31 June) are not dates and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal as OneOf

Precision = OneOf["day", "month", "quarter", "year", "decade"]

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = (
    r"(?P<{0}>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?"
    r"|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_YEAR = r"(?P<{0}>[12]\d{{3}}|[1-9]\d{{2}}(?!\d))"
_PATTERNS = (
    r"(?P<iso>\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b)",
    rf"\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?:\sof)?\s{_MONTH.format('m1')},?\s{_YEAR.format('y1')}\b",
    rf"\b{_MONTH.format('m2')}\s(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s{_YEAR.format('y2')}\b",
    rf"\b{_MONTH.format('m3')},?\s(?:of )?{_YEAR.format('y3')}\b",
    r"\b(?P<ym>(?:1\d|20)\d{2}-(?:0[1-9]|1[0-2]))\b(?!-)",
    r"\b(?:Q(?P<q1>[1-4])|(?P<q2>first|second|third|fourth) quarter)(?: of)? (?P<y4>(?:1[5-9]|20)\d{2})\b",
    r"\b(?P<decade>(?:1[5-9]|20)\d0)s\b",
    r"(?<![\w.,$€£-])(?P<y5>1[0-9]\d{2}|20\d{2})(?!\w|\s?%|,\d|\.\d|-\d)",
)
_DATE = re.compile("|".join(_PATTERNS))
_EARLY_YEAR = re.compile(r"(?<=\bin )(?P<y>[1-9]\d{2})(?![\w%,.-]*\d)(?=[\s.,;)]+(?:[a-z]|$|[A-Z]))")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A date at `text[start:end]`, covering the days `first` up to, not including, `last_exclusive`."""

    start: int
    end: int
    first: date
    last_exclusive: date
    precision: Precision

    @property
    def value(self) -> str:
        """ISO form at its own precision: 2023-05-04, 2023-05 or 2023 (quarters and decades as ranges of days)."""
        if self.precision == "day":
            return self.first.isoformat()
        if self.precision == "month":
            return f"{self.first.year:04d}-{self.first.month:02d}"
        if self.precision == "year":
            return f"{self.first.year:04d}"
        return f"{self.first.isoformat()}/{(self.last_exclusive - timedelta(days=1)).isoformat()}"

    @property
    def datatype(self) -> str:
        """XSD local name of `value`."""
        return {"day": "date", "month": "gYearMonth", "year": "gYear"}.get(self.precision, "string")


def find_dates(text: str) -> list[DateSpan]:
    """Dates written as 2023-05-04, 4 May 2023, May 4, 2023, May 2023, Q2 2023, the 1990s or 2023, in order, not overlapping.

    >>> [(d.value, str(d.last_exclusive)) for d in find_dates("She ran it from March 2021 until 31 May 2023.")]
    [('2021-03', '2021-04-01'), ('2023-05-31', '2023-06-01')]
    """
    found = sorted(_scan(text), key=lambda span: span.start)
    return [span for i, span in enumerate(found) if not i or span.start >= found[i - 1].end]


def _scan(text: str) -> Iterator[DateSpan]:
    for match in _DATE.finditer(text):
        span = _span(match)
        if span:
            yield span
    for match in _EARLY_YEAR.finditer(text):
        year = int(match["y"])
        yield DateSpan(match.start(), match.end(), date(year, 1, 1), date(year + 1, 1, 1), "year")


def _span(match: re.Match[str]) -> DateSpan | None:
    group = match.groupdict()
    try:
        first, last, precision = _range(group)
    except (ValueError, OverflowError):  # a day that does not exist, or the last one there is
        return None
    return DateSpan(match.start(), match.end(), first, last, precision)


def _range(group: dict[str, str | None]) -> tuple[date, date, Precision]:
    if group["iso"]:
        day = date.fromisoformat(group["iso"])
        return day, day + timedelta(days=1), "day"
    for n in "12":
        if group["d" + n]:
            day = date(int(group["y" + n] or 0), _month(group["m" + n] or ""), int(group["d" + n] or 0))
            return day, day + timedelta(days=1), "day"
    if group["m3"]:
        return _months(int(group["y3"] or 0), _month(group["m3"]), 1, "month")
    if group["ym"]:
        return _months(int(group["ym"][:4]), int(group["ym"][5:]), 1, "month")
    if group["y4"]:
        quarter = int(group["q1"]) if group["q1"] else _ORDINALS[group["q2"] or ""]
        return _months(int(group["y4"]), 3 * quarter - 2, 3, "quarter")
    if group["decade"]:
        year = int(group["decade"])
        return date(year, 1, 1), date(year + 10, 1, 1), "decade"
    year = int(group["y5"] or 0)
    return date(year, 1, 1), date(year + 1, 1, 1), "year"


def _month(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _months(year: int, month: int, count: int, precision: Precision) -> tuple[date, date, Precision]:
    end = year * 12 + month - 1 + count
    return date(year, month, 1), date(end // 12, end % 12 + 1, 1), precision
