"""Tie the names in a question to nodes of the graph.

Exact names first, the longest at each place, then names that are near (`names`): another legal form, a part, a slip of the
pen, an acronym. A proper name is taken whole: when "Brightwater Mills" is unknown it does not become "Brightwater". One
that matches nothing is reported, because a question about something the graph does not hold must not be answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..kg.model import Entity, normalize
from ..kg.resolve import LEGAL_FORMS, split_legal_form, type_path
from .base import Seed
from .names import GENERIC, How, Match, NameIndex
from .question import PERSON, PLACE, PRODUCT, STOPWORDS, TYPE_NOUNS, WORK, Token, tokenize
from .wordings import lexicon, stems

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

Case = Literal["lower", "title", "names"]

_MARKED = re.compile(r"\[([^\[\]]+)\]")
_ACRONYM = re.compile(r"(?:[A-Z]\.?){3,6}")
_JOINERS = frozenset("of the and de van von der den di la le du & for".split())
_SMALL = _JOINERS | frozenset("a an in by on at to from with or".split())  # lower-case in titles
_CALENDAR = frozenset(
    """
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday q1 q2 q3 q4 ceo cfo coo cto eur usd gbp
    """.split()
)
_TITLES = frozenset("mr mrs ms dr prof professor president director chairman minister senator king queen sir lady".split())
LONGEST = 12  # words of a name
MOST_SEEDS = 256


@dataclass(frozen=True, slots=True)
class Link:
    """One mention: `[start, end)` in the question and the nodes it may mean, best first; none when unknown.

    `how` says what makes the nodes match; it means nothing where there are none.
    """

    start: int
    end: int
    text: str
    seeds: tuple[Seed, ...]
    how: How = "exact"


class Linker:
    """Links question mentions to entities of a graph.

    Args:
        kg: the graph. Its names are read when the first name fails to match, and the new ones after a change.
    """

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self.names = NameIndex(kg.store)

    def link(self, question: str) -> list[Link]:
        """Mentions in order of place; they do not overlap. `[brackets]` mark a mention explicitly."""
        marked = [self.resolve(m.start(1), m.end(1), m.group(1)) for m in _MARKED.finditer(question)]
        if marked:
            return marked
        tokens = tokenize(question)
        links: list[Link] = []
        i, case = 0, _case(tokens)
        while i < len(tokens):
            link, used = self._at(question, tokens, i, case)
            if link is not None:
                links.append(link)
            i += max(used, 1)
        return links

    def resolve(self, start: int, end: int, surface: str) -> Link:
        """A mention that is known to be one: exact, else near, else unknown."""
        normal = normalize(surface)
        if seeds := self._seeds(self.kg.store.alias_rows(normal), start, end, 1.0):
            return Link(start, end, surface, seeds)
        matches = self.names.near(normal)
        if not matches and _ACRONYM.fullmatch(surface):
            matches = self.names.abbreviated(normal)
        return self._near(matches, start, end, surface)

    def longer(self, link: Link) -> Link:
        """What is called by a longer name that begins with that of a mention."""
        return self._near(self.names.begun(normalize(link.text)), link.start, link.end, link.text)

    def _at(self, question: str, tokens: list[Token], i: int, case: Case) -> tuple[Link | None, int]:
        """The mention that starts at token `i`, if one does, and how many tokens are read."""
        exact, length = self._exact_at(question, tokens, i, case)
        end = _run_end(question, tokens, i)
        article = not exact and tokens[i].lower in {"the", "a"}
        if end > i + 1 and article and i + 1 + self._exact_at(question, tokens, i + 1, case)[1] >= end:
            return None, 1
        if end > i and case != "title" and (title := self._title_at(question, tokens, i, length, case)):
            return title
        if i + length >= end or (exact and self._ends(question, tokens, i + length, end, case)):
            return exact, length
        leads = (_describes(tokens[i]) and (i == 0 or case == "title")) or tokens[i].lower in _TITLES
        starts = tokens[i].lower not in STOPWORDS and (exact or not leads)
        if not starts and (end == i + 1 or (tokens[i].lower not in {"the", "a"} and (i == 0 or case == "title"))):
            return None, 1
        whole = self.resolve(tokens[i].start, tokens[end - 1].end, question[tokens[i].start : tokens[end - 1].end])
        if not whole.seeds and not starts:
            return None, 1
        if not whole.seeds and (parts := self._before_joiner(question, tokens, i, end)):
            return parts
        return whole, end - i

    def _exact_at(self, question: str, tokens: list[Token], i: int, case: Case) -> tuple[Link | None, int]:
        for length in range(min(LONGEST, len(tokens) - i), 0, -1):
            last = tokens[i + length - 1]
            surface = question[tokens[i].start : last.end]
            window = tokens[i : i + length]
            if not _nameable(window, case, at_start=i == 0) or (length == 1 and case == "lower" and _asks(tokens, i)):
                continue
            rows = self.kg.store.alias_rows(normalize(surface))
            seeds = self._seeds(rows, tokens[i].start, last.end, 1.0)
            if seeds:
                return Link(tokens[i].start, last.end, surface, seeds), length
        return None, 0

    def _title_at(self, question: str, tokens: list[Token], i: int, length: int, case: Case) -> tuple[Link, int] | None:
        """A near name with small words inside ("A Sttudy in Terror") that goes past the capitalised run at token `i`."""
        ends, end = [], _run_end(question, tokens, i)
        while True:
            k = end
            while k < len(tokens) and tokens[k].text in _SMALL:
                k += 1
            adjacent = k < len(tokens) and question[tokens[end - 1].end : tokens[k].start].replace(" ", "").isalpha()
            if k == end or not adjacent or not _proper(tokens[k].text):
                break
            if i + length >= end and self._exact_at(question, tokens, k, case)[0] is not None:
                break
            end = _run_end(question, tokens, k)
            ends.append(end)
        for end in reversed(ends):
            link = self.resolve(tokens[i].start, tokens[end - 1].end, question[tokens[i].start : tokens[end - 1].end])
            if link.seeds and link.how in {"spelling", "form"} and i + length < end:
                return link, end - i
        return None

    def _ends(self, question: str, tokens: list[Token], k: int, end: int, case: Case) -> bool:
        """Whether a known name that stops before token `k` is whole, though the capitalised run goes on to `end`."""
        word = tokens[k]
        if "&" in question[tokens[k - 1].end : word.start] or word.lower in {"and", "&"}:
            k += word.lower == "and"
            following, length = self._exact_at(question, tokens, k, case)
            return following is not None and k + length >= end
        if word.lower in _JOINERS or word.lower in STOPWORDS or re.fullmatch(r"[12]\d{3}", word.text):
            return True
        return case == "title" and _describes(word) and word.lower not in GENERIC and word.lower not in LEGAL_FORMS

    def _before_joiner(self, question: str, tokens: list[Token], i: int, end: int) -> tuple[Link, int] | None:
        """A near name in the words before "of", "the" and the like, where the whole run is unknown."""
        for k in range(i + 1, end):
            if tokens[k].text in _JOINERS:
                link = self.resolve(tokens[i].start, tokens[k - 1].end, question[tokens[i].start : tokens[k - 1].end])
                return (link, k - i) if link.seeds and link.how != "part" else None
        return None

    def _near(self, matches: Sequence[Match], start: int, end: int, surface: str) -> Link:
        """The entities behind the best matches, equally likely; the ones with most facts where there are many."""
        best = [match for match in matches if match.score == matches[0].score]
        rows = {row: match for match in best for row in self.kg.store.alias_rows(match.name)}
        nodes = dict(zip(rows, self.kg.store.nodes(list(rows)))) if rows else {}
        fitting = {
            row: node for row, node in nodes.items() if isinstance(node, Entity) and _may_be(node, rows[row], normalize(surface))
        }
        if len(fitting) > 1:
            import numpy as np

            degree = dict(zip(fitting, self.kg.adjacency().degree(np.array(list(fitting))).tolist()))
            fitting = dict(sorted(fitting.items(), key=lambda item: (-degree[item[0]], item[1].label, item[0]))[:MOST_SEEDS])
        seeds = tuple(Seed(row, node, start, end, rows[row].score / len(fitting)) for row, node in fitting.items())
        return Link(start, end, surface, seeds, best[0].how if seeds else "exact")

    def _seeds(self, rows: list[int], start: int, end: int, score: float) -> tuple[Seed, ...]:
        nodes = self.kg.store.nodes(rows) if rows else []
        return tuple(Seed(row, node, start, end, score) for row, node in zip(rows, nodes) if isinstance(node, Entity))


def _may_be(entity: Entity, match: Match, normal: str) -> bool:
    """Whether the kind of an entity allows the match: firms have legal forms and acronyms, people do not."""
    kind = type_path(entity.type)[:1]
    if match.how == "acronym":
        return kind != (PERSON,)
    firm = match.how == "form" and (split_legal_form(normal)[1] or normal.split(" ")[-1] in GENERIC)
    return not firm or kind not in {(PERSON,), (PLACE,), (WORK,), (PRODUCT,)}


def _proper(word: str) -> bool:
    return (word[:1].isupper() or (word[:1].isdigit() and not word.isdigit())) and word.lower() not in _CALENDAR


def _run_end(question: str, tokens: list[Token], i: int) -> int:
    """One past the last token of the capitalised run that starts at token `i`; `i` when none does."""
    if not _proper(tokens[i].text):
        return i
    j = i + 1
    while j < len(tokens) and question[tokens[j - 1].end : tokens[j].start] in {" ", "-", ". ", " & "}:
        if not (_proper(tokens[j].text) or _joins(tokens, j) or tokens[j].text.isdigit()):
            break
        j += 1
    return j


def _joins(tokens: list[Token], j: int) -> bool:
    """Whether the small words at `j` ("of", "van der") lead on to a capitalised one; "and the" starts another name."""
    k = j + 1
    while k < len(tokens) and tokens[k].lower in _JOINERS and tokens[j].lower not in {"and", "&"}:
        k += 1
    return tokens[j].lower in _JOINERS and k < len(tokens) and _proper(tokens[k].text)


def _describes(token: Token) -> bool:
    """Whether a word is known as a type or as a wording of a relation, so that it need not be part of a name."""
    return token.lower in TYPE_NOUNS or token.lower.rstrip("s") in TYPE_NOUNS or stems(token.text) in lexicon().phrases


def _asks(tokens: list[Token], i: int) -> bool:
    """Whether a word is part of several that ask for a relation ("art forms")."""
    longest = lexicon().longest
    return any(
        lexicon().match([token.lower for token in tokens[j:end]])
        for j in range(max(0, i - longest + 1), i + 1)
        for end in range(max(i + 1, j + 2), min(j + longest, len(tokens)) + 1)
    )


def _case(tokens: list[Token]) -> Case:
    """ "lower" without capitals after the first word, "title" when all words but the small ones have one, else "names"."""
    capitals = [t.text[:1].isupper() for t in tokens[1:]]
    if not any(capitals):
        return "lower"
    small = [t.lower in _SMALL for t in tokens[1:]]
    return "title" if tokens[0].lower in STOPWORDS and all(c or s for c, s in zip(capitals, small)) else "names"


def _nameable(tokens: list[Token], case: Case, *, at_start: bool) -> bool:
    """Whether these words of the question may be a name at all."""
    first = tokens[0]
    capitals = any(t.text[:1].isupper() for t in tokens)
    if len(tokens) == 1:
        if first.lower in STOPWORDS:
            return False
        known_word = _describes(first)
        if case != "lower" or known_word:
            return capitals and first.lower not in _CALENDAR and not (at_start and known_word)
        return len(first.text) > 2
    if not capitals:
        asks = at_start and first.lower in STOPWORDS and first.lower not in {"the", "a"}
        named = any(t.lower not in STOPWORDS and not _describes(t) for t in tokens)
        return case == "lower" and (named or len(tokens) > 3) and not asks
    return first.lower not in STOPWORDS or first.lower in {"the", "a"} or first.text[:1].isupper()


__all__ = ["LONGEST", "MOST_SEEDS", "Link", "Linker"]
