"""What stands in brackets after a name: birth and death, years, other names."""

from __future__ import annotations

import re

from ..model import Literal
from .coref import Entry
from .dates import DateSpan
from .lexicon import CLASS_TYPES
from .marks import Token
from .statements import Statements

_BORN = re.compile(r"\b(?:born|b\.|née)\b", re.I)
_DIED = re.compile(r"\b(?:died|d\.|†)(?=\W)", re.I)
_DASH = re.compile(r"[–—-]")
_PLACE = re.compile(
    r"\b(?:in|at|near) ([A-Z][\w.'’-]*(?:,? (?:[A-Z][\w.'’-]*|de|la|of))*)|(?<=\d), ([A-Z][\w.'’]*(?:,? [A-Z][\w.'’]*)*)"
)
_OTHER_NAME = re.compile(
    r"^(?:also |formerly |previously |originally )?(?:known as|called|or|aka|a\.k\.a\.|née|formerly) "
    r"['\"“]?([A-Z][^;,\"”]{1,60})",
    re.I,
)
_ACRONYM = re.compile(r"^[A-Z][A-Z&.]{1,9}$")


def read_aside(statements: Statements, entry: Entry, aside: Token, dates: dict[int, DateSpan]) -> None:
    """Add what the parenthesis `aside` says about `entry`."""
    text = aside.text.strip().lstrip("(").rstrip(")").strip()
    inside = [dates[at] for at in sorted(dates) if aside.start <= at < aside.end]
    statements.weak = False
    if _ACRONYM.match(text):
        entry.alias(text)
        return
    if match := _OTHER_NAME.match(text):
        entry.alias(match[1].strip())
    if not inside:
        return
    dash = _dash_between(statements.text, inside)
    if entry.type in ("", "person") and (_BORN.search(text) or _DIED.search(text) or dash):
        _life(statements, entry, aside, inside, dash)
    elif len(inside) == 1 and entry.type == "work":
        statements.add(entry, "released in", Literal(inside[0].value, inside[0].datatype), 0.85)


def _dash_between(text: str, dates: list[DateSpan]) -> bool:
    return len(dates) == 2 and bool(_DASH.search(text[dates[0].end : dates[1].start]))


def _life(statements: Statements, entry: Entry, aside: Token, dates: list[DateSpan], both: bool) -> None:
    """Dates and places of birth and death."""
    if entry.type == "" and entry.classes and not any(CLASS_TYPES.get(c) == "person" for c in entry.classes):
        return
    entry.type = "person"
    whole = statements.text
    for n, day in enumerate(dates[:2]):
        before = whole[aside.start : day.start]
        died = bool(_DIED.search(before)) if not both else n == 1
        if not died and not both and not _BORN.search(before):
            died = bool(_DASH.search(before))
        statements.add(entry, "date of death" if died else "date of birth", Literal(day.value, day.datatype), 0.9)
        end = dates[n + 1].start if n + 1 < len(dates) else aside.end
        place = _PLACE.search(whole[day.start : end])
        if place:
            _place(statements, entry, "place of death" if died else "place of birth", place[1] or place[2])


def _place(statements: Statements, entry: Entry, label: str, text: str) -> None:
    first, _, rest = text.partition(", ")
    place = statements.discourse.add(first.strip(), "place")
    if rest:
        place.alias(text)
        statements.add(place, "located in", statements.discourse.add(rest.split(", ")[0], "place"), 0.75)
    statements.add(entry, label, place, 0.9)
