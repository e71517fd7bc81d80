"""Tie the names in a question to nodes of the graph.

Exact names first (longest wins), then names that contain the words, then misspelt ones (rapidfuzz). A proper name that
matches nothing is reported, because a question about something the graph does not hold must not be answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kg.model import Entity, normalize
from .base import Seed
from .question import STOPWORDS, TYPE_NOUNS, Token, tokenize
from .wordings import lexicon, stems

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

_MARKED = re.compile(r"\[([^\[\]]+)\]")
_JOINERS = frozenset("of the and de van von der den di la le du & for".split())
_CALENDAR = frozenset(
    """
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday q1 q2 q3 q4 ceo cfo coo cto eur usd gbp
    """.split()
)
_LONGEST = 12
FUZZY_CUTOFF = 88


@dataclass(frozen=True, slots=True)
class Link:
    """One mention: `[start, end)` in the question and the nodes it may mean, best first; none when unknown."""

    start: int
    end: int
    text: str
    seeds: tuple[Seed, ...]


class Linker:
    """Links question mentions to entities of a graph.

    Args:
        kg: the graph. Labels for fuzzy search are read when the first name fails to match, and again after a change.
    """

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self._labels: tuple[int, list[str], list[Entity]] = (-1, [], [])

    def link(self, question: str) -> list[Link]:
        """Mentions in order of place; they do not overlap. `[brackets]` mark a mention explicitly."""
        marked = [self._resolve(m.start(1), m.end(1), m.group(1)) for m in _MARKED.finditer(question)]
        if marked:
            return marked
        tokens = tokenize(question)
        cased = any(t.text[:1].isupper() for t in tokens[1:])
        links: list[Link] = []
        i = 0
        while i < len(tokens):
            link, used = self._exact_at(question, tokens, i, cased)
            if link is None:
                link, used = self._proper_at(question, tokens, i)
            if link is not None:
                links.append(link)
            i += max(used, 1)
        return links

    def _exact_at(self, question: str, tokens: list[Token], i: int, cased: bool) -> tuple[Link | None, int]:
        for length in range(min(_LONGEST, len(tokens) - i), 0, -1):
            last = tokens[i + length - 1]
            surface = question[tokens[i].start : last.end]
            if not _nameable([t.text for t in tokens[i : i + length]], cased, at_start=i == 0):
                continue
            rows = self.kg.store.alias_rows(normalize(surface))
            seeds = self._seeds(rows, tokens[i].start, last.end, 1.0)
            if seeds:
                return Link(tokens[i].start, last.end, surface, seeds), length
        return None, 0

    def _proper_at(self, question: str, tokens: list[Token], i: int) -> tuple[Link | None, int]:
        """A run of capitalised words from token `i` that no exact name covers."""
        if not _proper(tokens[i].text) or (i == 0 and tokens[i].lower in STOPWORDS):
            return None, 0
        if i == 0 and (tokens[0].lower in TYPE_NOUNS or stems(tokens[0].text) in lexicon().phrases):
            return None, 0
        j = i + 1
        while j < len(tokens) and question[tokens[j - 1].end : tokens[j].start] in {" ", "-", ". ", " & "}:
            if not (_proper(tokens[j].text) or _joins(tokens, j) or tokens[j].text.isdigit()):
                break
            j += 1
        surface = question[tokens[i].start : tokens[j - 1].end]
        return self._resolve(tokens[i].start, tokens[j - 1].end, surface), j - i

    def _resolve(self, start: int, end: int, surface: str) -> Link:
        """Exact, then part of a name, then misspelt, then unknown."""
        normal = normalize(surface)
        seeds = self._seeds(self.kg.store.alias_rows(normal), start, end, 1.0)
        if not seeds:
            seeds = self._approximate(normal, start, end)
        return Link(start, end, surface, seeds)

    def _seeds(self, rows: list[int], start: int, end: int, score: float) -> tuple[Seed, ...]:
        nodes = self.kg.store.nodes(rows) if rows else []
        return tuple(Seed(row, node, start, end, score) for row, node in zip(rows, nodes) if isinstance(node, Entity))

    def _approximate(self, normal: str, start: int, end: int) -> tuple[Seed, ...]:
        from rapidfuzz import fuzz, process

        names, entities = self._names()
        words = set(normal.split())
        inside = [i for i, name in enumerate(names) if words <= set(name.split())] if words else []
        if 0 < len(inside) <= 5:
            found = [(i, 0.85 / len(inside)) for i in inside]
        else:
            matches = process.extract(normal, names, scorer=fuzz.ratio, score_cutoff=FUZZY_CUTOFF, limit=3)
            best = matches[0][1] if matches else 0.0
            found = [(i, score / 110) for _, score, i in matches if score >= best - 2]
        seeds: list[Seed] = []
        for i, score in found:
            row = self.kg.store.row_of(entities[i].id)
            if all(seed.row != row for seed in seeds):
                seeds.append(Seed(row, entities[i], start, end, score))
        return tuple(seeds)

    def _names(self) -> tuple[list[str], list[Entity]]:
        if self._labels[0] != self.kg.store.seq:
            names, owners = [], []
            for entity in self.kg.store.entities():
                for name in {normalize(entity.label), *(normalize(alias) for alias in entity.aliases)}:
                    names.append(name)
                    owners.append(entity)
            self._labels = (self.kg.store.seq, names, owners)
        return self._labels[1], self._labels[2]


def _proper(word: str) -> bool:
    return (word[:1].isupper() or (word[:1].isdigit() and not word.isdigit())) and word.lower() not in _CALENDAR


def _joins(tokens: list[Token], j: int) -> bool:
    """Whether the small words at `j` ("of", "van der") lead on to a capitalised one; "and the" starts another name."""
    k = j + 1
    while k < len(tokens) and tokens[k].lower in _JOINERS and tokens[j].lower not in {"and", "&"}:
        k += 1
    return tokens[j].lower in _JOINERS and k < len(tokens) and _proper(tokens[k].text)


def _nameable(words: list[str], cased: bool, *, at_start: bool) -> bool:
    """Whether these words of the question may be a name at all."""
    first, last = words[0].lower(), words[-1].lower()
    if last in STOPWORDS and len(words) == 1:
        return False
    capitals = [w for w in words if w[:1].isupper()]
    if len(words) == 1:
        known_word = first in TYPE_NOUNS or first.rstrip("s") in TYPE_NOUNS or stems(first) in lexicon().phrases
        if cased or known_word:
            return bool(capitals) and first not in _CALENDAR and not (at_start and known_word)
        return first not in STOPWORDS and len(first) > 2
    if not capitals and cased:
        return False
    return not (first in STOPWORDS and first not in {"the", "a"} and not words[0][:1].isupper())
