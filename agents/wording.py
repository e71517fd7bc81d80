"""Facts and values in words: the sentences of an answer that no model has written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from ..kg.ingest.dates import find_dates
from ..kg.model import Triple
from ..retrieval.wordings import lexicon
from .predicates import article, is_plural, possessive, predicates


def join(items: Sequence[str]) -> str:
    """A, B and C.

    >>> join(["A", "B", "C"])
    'A, B and C'
    """
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


def sentence(triple: Triple) -> str:
    """A fact as a sentence without a full stop; what holds only for a time says so."""
    subject, value, said = triple.subject.label, triple.object.label, predicates(triple.relation.label)[0]
    be = "was" if said.past else "is"
    if said.kind == "class":
        text = f"{subject} is {article(value)} {value}"
    elif said.kind == "participle":
        text = f"{subject} {be} {said.words} {value}"
    elif said.kind == "verb":
        text = f"{subject} {said.words} {value}"
    elif said.flip:
        text = f"{subject} is {'the' if said.one else article(said.words)} {said.words} of {value}"
    else:
        text = f"{possessive(subject)} {said.words} {'are' if is_plural(said.words) else 'is'} {value}"
    return text + period(triple)


def period(triple: Triple) -> str:
    """` (from 1 May 2021 until 30 June 2023)`, ` (2011)` for an event or what held through a year, or nothing without bounds."""
    start, end = triple.valid_from, triple.valid_to
    if start and lexicon().family(triple.relation.label)[0].event:
        return f" ({as_said(triple, start)})"
    first = as_said(triple, start) if start else ""
    last = as_said(triple, end - timedelta(days=1)) if end else ""
    if first and first == last:
        return f" ({first})"
    parts = [f"from {first}"] if first else []
    parts += [f"until {last}"] if last else []
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
