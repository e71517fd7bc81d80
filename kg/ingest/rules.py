"""The extractor that works everywhere: English rules, the standard library, no model and no token spent.

    sentences -> tokens -> phrases -> clauses -> statements
                 (tags)    (NP, VG)   (who did what)  (facts, coreference, dates)

It reads encyclopaedic and business English. Each step is a module of its own; this one runs them over a document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..model import Document, Fact, Literal, Mention
from .asides import read_aside
from .clauses import parse
from .coref import Discourse, Entry, guess_type
from .dates import find_dates
from .extract import Extraction, unique
from .lexicon import CLASS_TYPES, LEGAL_FORMS, NAME_JOINTS
from .marks import Token, marks
from .phrases import chunk
from .sentences import sentences
from .statements import Statements
from .tokens import Tagger

_HINT = re.compile(r"\s*\(([^()]*)\)\s*$")
_HEADING = re.compile(r"^#+\s*|\s*\([^()]*\)\s*$")
_PASSAGE = "application/x-passage"
_LOWER_WORD = re.compile(r"(?<![\w-])[a-z]{3,}")


class RuleExtractor:
    """Facts and mentions by rules.

    >>> from hoptrace.kg.model import Document
    >>> text = "Brightwater Labs was founded in 2011 by Orla Vance. The company is based in Tarn City."
    >>> facts, mentions = RuleExtractor().extract([Document("a.txt", "text/plain", text, "")])[0]
    >>> sorted((f.subject.label, f.relation, f.object.label) for f in facts)[:2]
    [('Brightwater Labs', 'founded in', '2011'), ('Brightwater Labs', 'headquartered in', 'Tarn City')]
    """

    name = "rules"
    version = "1"

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        """Facts and mentions of each document, in order; records are left alone."""
        return [(document.facts, document.mentions) if document.records else self._read(document) for document in documents]

    def _read(self, document: Document) -> Extraction:
        text = document.text
        discourse = Discourse()
        spans = sentences(text)
        dates = {span.start: span for span in find_dates(text)}
        titles = about(document, discourse)
        known = marks(text, [(d.start, d.end) for d in dates.values()], titles)
        tagger = Tagger(text, known, frozenset(_LOWER_WORD.findall(text)))
        statements = Statements(text, discourse, dates, f"{self.name}-{self.version}")
        named: list[tuple[int, int, Entry]] = []
        heading = heading_length(document)
        body = False
        for start, end in spans:
            tokens = tagger.sentence(start, end)
            if end > heading and heading and not body:
                body = True
                _alias_opening(tokens, discourse)
            if text[start:end].isupper():
                continue
            if discourse.main is None and not named and document.media_type != _PASSAGE and tokens and tokens[0].tag == "N":
                discourse.main = discourse.add(tokens[0].text)  # a headline names what the news is about first
            if "|" not in text[start:end] and (not heading or end > heading):
                parsed = parse(chunk(tokens))
                statements.span = (start, end)
                for noun in parsed.nouns:
                    if noun.aside and noun.name:
                        read_aside(statements, discourse.add(noun.name), noun.aside, dates)
                statements.read(parsed, start, end)
            named += [(t.start, t.end, discourse.add(t.text)) for t in tokens if t.tag == "N"]
        facts = [current(fact, discourse) for fact in statements.facts]
        mentions = tuple(Mention(entry.name(), start, end) for start, end, entry in named)
        return unique([*document.facts, *facts]), document.mentions + mentions


def about(document: Document, discourse: Discourse) -> list[str]:
    """Register what the document is about, if its title says so; returns the names to look for in the text."""
    first = document.text.split("\n", 1)[0]
    title = document.title if document.media_type == _PASSAGE else _HEADING.sub("", first).split(":")[0].strip()
    if not title or len(title) > 120:
        return []
    if document.media_type != _PASSAGE:
        if title.isupper() and (match := re.search(re.escape(title), document.text[len(first) :], re.I)):
            title = match.group()
        words = title.split()
        named = all(
            word[0].isupper() or word[0].isdigit() or word in NAME_JOINTS or word in LEGAL_FORMS or word == "&" for word in words
        )
        if not named or len(words) > 7 or not _spoken_of(title, document.text[len(first) :]):
            return []
    hint = _HINT.search(title)
    label = title[: hint.start()] if hint else title
    kind = next((CLASS_TYPES[w] for w in reversed(hint[1].lower().split()) if w in CLASS_TYPES), "") if hint else ""
    entry = discourse.add(label, kind)
    if hint:
        entry.alias(title)
    discourse.main, discourse.titled = entry, True
    short = label.split(",")[0].strip()
    if short != label and document.media_type == _PASSAGE:
        entry.alias(short)
        discourse.entries.setdefault(short.lower(), entry)
    return [label]


def heading_length(document: Document) -> int:
    """Characters of the title in front of a passage."""
    return len(document.title) if document.media_type == _PASSAGE and document.text.startswith(document.title) else 0


def _spoken_of(title: str, body: str) -> bool:
    return title in body or guess_type(title) == "organization" or (" " in title and title.rsplit(" ", 1)[0] in body)


def _alias_opening(tokens: list[Token], discourse: Discourse) -> None:
    """An encyclopaedia article opens with its subject, often under a longer name than its title."""
    names = [n for n, token in enumerate(tokens[:4]) if token.tag == "N"]
    if not names or discourse.main is None or any(t.tag not in "NDw~" for t in tokens[: names[0]]):
        return
    following = tokens[names[0] + 1].tag if names[0] + 1 < len(tokens) else ""
    if following and following in "pX,C":
        discourse.same(tokens[names[0]].text, discourse.main)


def current(fact: Fact, discourse: Discourse) -> Fact:
    """The fact with what was learnt about its ends by the end of the document: types and aliases."""
    other = fact.object if isinstance(fact.object, Literal) else discourse.current(fact.object)
    return replace(fact, subject=discourse.current(fact.subject), object=other)
