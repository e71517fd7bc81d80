"""Facts and values in words: the sentences of an answer that no model has written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from ..kg.ingest.dates import find_dates
from ..kg.model import Literal, Triple
from ..retrieval.wordings import lexicon

_PARTICIPLE = re.compile(r"^\w+(ed|en|own|orn|uilt|old|ade)\b (in|by|at|on|to|from|with)\b")
_ROLE = re.compile(r"\b(of|member|partner|for)$")
_ATTRIBUTE_VERBS = frozenset("founded acquired owns supplies produces operates fined directed wrote employs".split())


def join(items: Sequence[str]) -> str:
    """A, B and C.

    >>> join(["A", "B", "C"])
    'A, B and C'
    """
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


def sentence(triple: Triple) -> str:
    """A fact as a sentence without a full stop; what holds only for a time says so."""
    subject, label, value = triple.subject.label, triple.relation.label, triple.object.label
    words = label.split()
    if label == "is a":
        text = f"{subject} is {_article(value)} {value}"
    elif _PARTICIPLE.match(label):
        text = f"{subject} {'was' if _happened(label) else 'is'} {label} {value}"
    elif _ROLE.search(label) and not words[0].endswith("s"):
        text = f"{subject} is {label} {value}"
    elif isinstance(triple.object, Literal) or (len(words) <= 3 and not _verb(words[0])):
        text = f"{subject}: {label} {value}"
    else:
        text = f"{subject} {label} {value}"
    return text + period(triple)


def period(triple: Triple) -> str:
    """` (from 1 May 2021 until 30 June 2023)`, ` (2011)` for an event, or nothing for a fact without bounds."""
    start, end = triple.valid_from, triple.valid_to
    if start and lexicon().family(triple.relation.label)[0].event:
        return f" ({as_said(triple, start)})"
    parts = [f"from {as_said(triple, start)}"] if start else []
    parts += [f"until {as_said(triple, end - timedelta(days=1))}"] if end else []
    return f" ({' '.join(parts)})" if parts else ""


def as_said(triple: Triple, when: date) -> str:
    """A day in the words of the fact's quotes ("2011", "May 2021"), else in full."""
    for span in triple.spans:
        for found in find_dates(span.quote):
            if found.first <= when < found.last_exclusive:
                return span.quote[found.start : found.end]
    return day(when)


def day(value: date) -> str:
    """1 May 2021, the same on every platform."""
    return f"{value.day} {value.strftime('%B %Y')}"


_PAST = frozenset("built bought sold made won led wrote held took ran had became left met gave sent grew lent met".split())


def _happened(label: str) -> bool:
    return label.endswith(" by") or label.split()[0] in {"born", "founded", "established", "released", "died", "published"}


def _verb(word: str) -> bool:
    return word in _PAST or word in _ATTRIBUTE_VERBS or (word.endswith(("s", "ed")) and not word.endswith(("ss", "us")))


def _article(phrase: str) -> str:
    return "an" if phrase[:1].lower() in "aeiou" else "a"
