"""What words of a question may stand for that are no exact name: candidates by name alone, then by what the graph says of them.

No path is searched here. A guess is judged by how sure its name is and by its *support*: how well the relations of its
entities answer to the other words of the question, which the adjacency tells at once. So only the best few guesses need pay
for a search.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import normalize
from .ambiguity import KEPT, support
from .linking import LONGEST, Link
from .names import FORM
from .paths import MATCHED
from .question import STOPWORDS, TYPE_NOUNS, Token, Understanding, tokenize

if TYPE_CHECKING:
    from .retriever import Retriever

MOST = 3  # guesses worth a search
RELATED = 0.2  # support from which a relation is the one asked for, though perhaps from its other end
_GAP = re.compile(r"(?:['’]s)?[ '’&.,:/-]{1,3}")  # what may stand between two words of a name


@dataclass(frozen=True, slots=True)
class Guess:
    """A mention that may be meant.

    Attributes:
        link: its entities, the best supported first.
        words: how many of its words carry content.
        firm: it holds a word that is nothing else, or several that are not known to ask for anything, or one that begins the
            name of something with a relation that is asked for.
        support: of each entity, 0 to 1.
    """

    link: Link
    words: int
    support: tuple[float, ...]
    firm: bool = True

    @property
    def rank(self) -> tuple[float, ...]:
        """Order of guesses: more words, then a surer name, then more support, then place."""
        return -self.words, -certainty(self.link), -self.support[0], self.link.start

    @property
    def sure(self) -> bool:
        """Whether it needs no path to be believed: one entity, misspelt, with a relation that is asked for from either end."""
        return self.firm and len(self.link.seeds) == 1 and self.link.how != "part" and self.support[0] >= RELATED

    def settled(self) -> Guess:
        """The one entity with a relation that is asked for, its rivals having none; the guess as it is without one."""
        if len(self.support) < 2 or self.support[0] < MATCHED or self.support[1] >= RELATED:
            return self
        return replace(self, link=only(self.link, self.link.seeds[0].row), support=self.support[:1])


def certainty(link: Link) -> float:
    """How sure the name is, whichever of its entities is meant."""
    return sum(seed.score for seed in link.seeds)


def only(link: Link, row: int) -> Link:
    """The mention when it means one of its entities."""
    return replace(link, seeds=tuple(seed._replace(score=certainty(link)) for seed in link.seeds if seed.row == row))


def guesses(question: Understanding, links: Sequence[Link], odd: Collection[int], retriever: Retriever) -> list[Guess]:
    """The best guesses, at most one at each place.

    A guess holds a mention that is unknown or, in a question without capitals, an odd word; where nothing is linked in such a
    question, any words may be a name. It takes the place of the mentions inside it. An exact name whose entities have no
    relation that is asked for may be the beginning of a longer one.

    Args:
        question: it, read with its links.
        links: its mentions as they were linked.
        odd: starts of words that are no name and no English word either.
        retriever: over the graph.
    """
    unknown = {link.start for link in links if not link.seeds}
    lower = not any(token.text[:1].isupper() for token in question.tokens[1:])
    doubted = unknown | (set(odd) if lower else set())
    anywhere = lower and not links
    found = [*_longer(question, links, retriever)]
    if not doubted and not anywhere:
        return found
    opened = {question.tokens[unit.position].start for unit in question.units if not (unit.families or unit.type)}
    for window in _windows(question.text):
        held = {token.start for token in window}
        start, end = window[0].start, window[-1].end
        crossed = any(link.start < start < link.end or link.start < end < link.end for link in links)
        if crossed or not (anywhere or doubted & held):
            continue
        link = _meant(retriever, question.text, start, end, exact=not doubted)
        inside = any(start <= other.start and other.end <= end for other in links)
        named = bool(held & opened) and (inside or not links)
        if link is not None and (link.how != "part" or named):
            guess = supported(link, question, retriever)
            firm = bool(doubted & held) or len(held & opened) > 1 or _begins(guess, question, opened)
            found.append(replace(guess, firm=firm))
    best = [guess for guess in found if guess.firm] or found
    return _apart(sorted(best, key=lambda guess: guess.rank))


def _begins(guess: Guess, question: Understanding, opened: Collection[int]) -> bool:
    """Whether a word that stands alone among known ones begins the name of something that is asked about ("joan's spouse")."""
    link, places = guess.link, [i for i, token in enumerate(question.tokens) if guess.link.start <= token.start < guess.link.end]
    beside = question.tokens[max(places[0] - 1, 0) : places[0]] + question.tokens[places[-1] + 1 : places[-1] + 2]
    alone = not any(token.start in opened for token in beside)
    said = normalize(link.text) + " "
    return alone and guess.support[0] >= MATCHED and normalize(link.seeds[0].node.label).startswith(said)


def _longer(question: Understanding, links: Sequence[Link], retriever: Retriever) -> Iterator[Guess]:
    """Longer names that begin as one does that nothing is asked of, if something can be asked of them."""
    for link in links:
        if link.seeds and link.how == "exact" and max(supported(link, question, retriever).support) < RELATED:
            longer = retriever.linker.longer(link)
            if longer.seeds and (guess := supported(longer, question, retriever)).support[0] >= MATCHED:
                yield replace(guess, firm=False)


def _meant(retriever: Retriever, text: str, start: int, end: int, *, exact: bool) -> Link | None:
    """What a window names; an exact name the linker passed over is no surer than another form of one."""
    link = retriever.linker.resolve(start, end, text[start:end])
    if exact and link.how == "exact":
        link = replace(link, how="form", seeds=tuple(seed._replace(score=FORM) for seed in link.seeds))
    return link if link.seeds and link.how != "exact" else None


def supported(link: Link, question: Understanding, retriever: Retriever) -> Guess:
    """A mention with its entities in the order of their support, settled where that tells them apart."""
    inside = [link.start <= token.start < link.end for token in question.tokens]
    free = [not inside[unit.position] for unit in question.units]
    rows = np.array([seed.row for seed in link.seeds], np.int32)
    held = support(rows, question, retriever.relations, retriever.adjacency(), np.array(free, bool))
    order = sorted(range(len(rows)), key=lambda k: (-link.seeds[k].score, -held[k], k))
    words = sum(token.lower not in STOPWORDS for token, held_in in zip(question.tokens, inside) if held_in)
    ordered = replace(link, seeds=tuple(link.seeds[k] for k in order))
    guess = Guess(ordered, words, tuple(held[order].tolist())).settled()
    return replace(guess, link=replace(guess.link, seeds=guess.link.seeds[:KEPT]), support=guess.support[:KEPT])


def _windows(text: str) -> Iterator[list[Token]]:
    """Runs of words close together, not all mere types, that do not end in a small word or begin with one but "the"."""
    tokens = tokenize(text)
    for i, first in enumerate(tokens):
        for j in range(i, min(i + LONGEST, len(tokens))):
            if j > i and not _GAP.fullmatch(text[tokens[j - 1].end : tokens[j].start]):
                break
            window = tokens[i : j + 1]
            bare = all(token.lower in STOPWORDS or token.lower in TYPE_NOUNS for token in window)
            starts = first.lower not in STOPWORDS or (first.lower in {"the", "a"} and j > i)
            if starts and not bare and tokens[j].lower not in STOPWORDS:
                yield window


def _apart(ranked: Sequence[Guess]) -> list[Guess]:
    """The best guesses that do not overlap."""
    chosen: list[Guess] = []
    for guess in ranked:
        if len(chosen) < MOST and not any(meet(guess.link, other.link) for other in chosen):
            chosen.append(guess)
    return chosen


def meet(link: Link, other: Link) -> bool:
    """Whether two mentions share a character."""
    return link.start < other.end and other.start < link.end


__all__ = ["MOST", "Guess", "certainty", "guesses", "meet", "only", "supported"]
