"""What a table cell says: a name, a typed value, a day, or nothing."""

from __future__ import annotations

import re
from datetime import date, datetime

from ..model import Literal, Name
from .dates import DateSpan, find_dates

_NOTHING = frozenset(["", "-", "–", "—", "n/a", "na", "none", "null", "nil", "unknown", "tbd", "?"])
_OPEN_END = frozenset(["present", "current", "now", "today", "ongoing", "open", "open-ended", "indefinite"])
_INTEGER = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)")
_DECIMAL = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)\.\d+(?:[eE][-+]?\d+)?")
_MEASURE = re.compile(r"(?:[A-Z]{3}|[$€£¥])?\s?[-+]?\d[\d.,]*\s?(?:%|[\w/°]{1,4}|[a-z/. ]{0,20})|https?://\S+|\S+@\S+\.\S+")
_YEARLY = re.compile(r"\b(?:year|founded|established|incorporated|released|built|born|since|date)\b")
_NAME_WORDS, _NAME_LENGTH, _DATE_LENGTH = 12, 120, 40


def is_nothing(text: str) -> bool:
    """Whether a cell is empty or says that there is no value."""
    return text.strip().casefold() in _NOTHING


def period(text: str) -> DateSpan | None:
    """The day, month, quarter or year that a whole cell names; None when it names none.

    >>> str(period(" 31 May 2023 ").last_exclusive), period("in 2023")
    ('2023-06-01', None)
    """
    if len(text) > _DATE_LENGTH:
        return None
    text = re.sub(r"[T ]\d{2}:\d{2}.*$", "", text.strip())
    found = find_dates(text)
    return found[0] if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)) else None


def is_open(text: str) -> bool:
    """Whether an end column says that the fact still holds."""
    return is_nothing(text) or text.strip().casefold() in _OPEN_END


def value_of(text: str, header: str = "", type: str = "") -> Name | Literal | None:
    """A cell as a node: typed literal, name, or None when it says nothing.

    Args:
        text: the cell.
        header: its column's header in lower-case words; tells a year from a number.
        type: the entity type the column gives to names.

    >>> value_of("1,231"), value_of("2011", "founded"), value_of("Orla Vance", type="person").type
    (Literal(value='1231', datatype='integer', language=''), Literal(value='2011', datatype='gYear', language=''), 'person')
    """
    text = " ".join(text.split())
    if is_nothing(text):
        return None
    if re.fullmatch(r"[12]\d{3}", text) and _YEARLY.search(header):
        return Literal(text, "gYear")
    if _INTEGER.fullmatch(text):
        return Literal(text.replace(",", ""), "integer")
    if _DECIMAL.fullmatch(text):
        return Literal(text.replace(",", ""), "decimal")
    if text.casefold() in ("true", "false"):
        return Literal(text.casefold(), "boolean")
    if (day := period(text)) and day.precision != "year":
        return Literal(day.value, day.datatype)
    if text.casefold() in ("yes", "no") or _MEASURE.fullmatch(text):
        return Literal(text)
    if len(text) > _NAME_LENGTH or len(text.split()) > _NAME_WORDS:
        return Literal(text)
    return name_of(text, type)


def name_of(text: str, type: str = "", aliases: tuple[str, ...] = ()) -> Name:
    """A name as people write it; underscores become spaces and the raw form stays as an alias."""
    label = " ".join(text.replace("_", " ").split()) or text
    raw = (text,) if "_" in text and label != text else ()
    return Name(label, type, aliases=raw + aliases)


def words_of(header: str) -> str:
    """A column header or key as lower-case words: `chiefExecutive_name` -> `chief executive name`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header)
    return " ".join(re.sub(r"[_\-./*#]+", " ", spaced).lower().split()).strip(" :")


def cell_text(value: object) -> str:
    """A value of a spreadsheet or frame as the text of a table cell, "" for none: one line, ISO days, whole numbers whole."""
    if value is None or type(value).__name__ == "NAType" or value != value:  # NaN and NaT are not equal to themselves
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if not value.time().isoformat().strip("0:") else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(printable(str(value)).split())


def printable(text: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f]", " ", text).strip()
