"""Does the quoted text show both ends of a fact? A pure function of one document, so that it never depends on others."""

from __future__ import annotations

import re

from .model import Document, Fact, Literal, Name, normalize

_DIGITS = re.compile(r"\d+")
_COREFERENT_CONFIDENCE = 0.5


class Grounder:
    """Decides for each fact of one document whether it is grounded.

    A fact is grounded when one of these holds:

    - the document is made of records (a table, an RDF file) or was taught by a person: the quote is the statement;
    - the normalised label or an alias of both ends stands in the quote, as whole words;
    - one end stands in the quote, the other in the surrounding chunk or the document's title, and the extractor's
      confidence is at least 0.5: pronouns and "the company" are resolved by the extractor, not by us.

    A literal stands in a text that holds its words or, for numbers and dates, its leading digits ("1.2 million" shows
    1200000, "in May 1998" shows 1998-05-01).
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.sure = document.records or document.kind == "human"
        self._title = _words(document.title)
        self._spans: dict[tuple[int, int], str] = {}

    def grounded(self, fact: Fact, chunk_start: int, chunk_end: int) -> bool:
        """`[chunk_start, chunk_end)` is the chunk that holds the fact's span."""
        if self.sure:
            return True
        quote = self._normal(fact.start, fact.end)
        subject, object_ = _shown(fact.subject, quote), _shown(fact.object, quote)
        if subject and object_:
            return True
        if not (subject or object_) or fact.confidence < _COREFERENT_CONFIDENCE:
            return False
        missing = fact.object if subject else fact.subject
        return _shown(missing, self._normal(chunk_start, chunk_end)) or _shown(missing, self._title)

    def _normal(self, start: int, end: int) -> str:
        found = self._spans.get((start, end))
        if found is None:
            if len(self._spans) > 256:  # facts come in text order, so old spans are not asked for again
                self._spans.clear()
            found = self._spans[(start, end)] = _words(self.document.text[start:end])
        return found


def _words(text: str) -> str:
    return f" {normalize(text)} "


def _shown(end: Name | Literal, text: str) -> bool:
    if isinstance(end, Name):
        return any(_words(label) in text for label in (end.label, *end.aliases))
    if _words(end.value) in text or end.datatype == "boolean":
        return True
    digits = _DIGITS.findall(end.value)
    if end.datatype == "string" or not digits:
        return False
    leading = digits[0] if "date" in end.datatype.lower() or "year" in end.datatype.lower() else "".join(digits).rstrip("0")
    return leading.lstrip("0") in "".join(_DIGITS.findall(text))
