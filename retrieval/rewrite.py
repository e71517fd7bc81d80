"""Rewrite a question whose names were not found as they stand, with the words of the graph, when that measurably helps.

After CardRewriter: for each doubtful mention a card of what it may mean is read from the graph, the question is rewritten with
words of the cards and its own, and the rewrite is kept only if it gains: more of its words are names, or a path explains more,
and the meaning stays (cosine of question and rewrite). Otherwise the question stays as it is. The edits are those of
linking (another form or part of a name, slips of the pen, acronyms) and slips in the words that ask for a relation.

What a card says of an entity is weighed before any path is searched (`guesses`); a search is paid for where that leaves doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .base import Budget
from .cards import KnowledgeCard, card
from .guesses import Guess, guesses, meet, only, supported
from .linking import Link
from .names import How, allowed_slips
from .question import TYPE_NOUNS, Token, Understanding, tokenize
from .scoring import Candidate
from .wordings import stem

if TYPE_CHECKING:
    from .retriever import Retriever

Replacement = tuple[int, int, str]  # [start, end) of the question and what takes its place

SIMILAR = 0.6  # cosine from which a rewrite still means the question
GAIN = 0.05  # least rise of the path score that counts
DECISIVE = 2.0  # factor by which the path of one entity must beat those of its rivals
SOUND = 0.3  # least path score that may speak for a guess
_GLANCE = Budget(beam=8, fan_out=512)  # of the searches that weigh a guess
_ALL = 1000  # candidates of such a search
_RIVALS = 3  # most entities of one mention that are told apart by search
_SHORTEST = 5  # letters of the stem of a relation word that is repaired


@dataclass(frozen=True, slots=True)
class Edit:
    """Words of the question and what stands for them in the rewrite."""

    how: How | Literal["wording"]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """An accepted rewrite.

    Attributes:
        original, text: the question before and after; the same where only a mention was found that may mean several things.
        edits: what was changed, in order of place.
        links: the mentions of `text`; a repaired one is as certain as its repair, not as an exact name.
        cards: of the entities that repaired mentions mean.
        linked: words of the question that exact names cover before, and any names after.
        path: score of the best path before and after; 0 where the names alone decided.
        similarity: cosine of the two texts, slips and acronyms aside.
    """

    original: str
    text: str
    edits: tuple[Edit, ...]
    links: tuple[Link, ...]
    cards: tuple[KnowledgeCard, ...]
    linked: tuple[int, int]
    path: tuple[float, float]
    similarity: float


def rewrite(question: str, links: Sequence[Link], retriever: Retriever) -> Rewrite | None:
    """The first rewrite of a question that gains, surest guesses first; None when none does or a name stays unknown.

    Args:
        question: any text.
        links: its mentions, as `retriever.link` gave them.
        retriever: over the graph.
    """
    reading = retriever.read(question, links)
    opened = _open(reading)
    strange = {token.start for token in opened if _strange(token.lower, retriever)}
    slips = _slips([token for token in opened if token.start in strange], retriever)
    guessed = guesses(reading, links, strange, retriever)
    near = tuple(supported(link, reading, retriever) for link in links if link.seeds and link.how != "exact")
    if not (near or slips or guessed):
        return None
    asked = _Asked(question, links, near, retriever)
    variants = [guessed, *([guess] for guess in guessed if len(guessed) > 1)] if guessed else []
    variants += [[]] if near or slips else []
    tried = (_tried(asked, variant, slips) for variant in variants)
    return next((made for made in tried if made is not None), None)


@dataclass(frozen=True)
class _Asked:
    """A question before any rewrite, and its doubtful mentions."""

    question: str
    links: Sequence[Link]
    near: tuple[Guess, ...]
    retriever: Retriever

    @cached_property
    def exact(self) -> list[Link]:
        return [link for link in self.links if link.seeds and link.how == "exact"]

    @cached_property
    def best(self) -> float:
        """Score of the best path with the names as they stand, 0 where one is in doubt."""
        return _best(self.retriever, self.question, self.links)[0] if len(self.exact) == len(self.links) else 0.0

    def path(self, guessed: Sequence[Guess]) -> float:
        """The score that a variant must keep: none where nothing is named and its guesses hold what is nothing else."""
        return 0.0 if guessed and not self.links and all(guess.firm for guess in guessed) else self.best

    def sure(self, guess: Guess) -> bool:
        """Whether a guess needs no search: it takes the place of what is unknown, or nothing else is named."""
        return guess.sure and (not self.exact or any(meet(guess.link, link) for link in self.links))


def _tried(asked: _Asked, guessed: Sequence[Guess], slips: list[Replacement]) -> Rewrite | None:
    """The rewrite with these guesses, if it gains and still means the question."""
    near = [doubt for doubt in asked.near if not any(meet(doubt.link, guess.link) for guess in guessed)]
    kept = [link for link in asked.links if link.how == "exact" and not any(meet(link, guess.link) for guess in guessed)]
    links = sorted([*kept, *(doubt.link for doubt in [*near, *guessed])], key=lambda link: link.start)
    if not all(link.seeds for link in links):
        return None
    slips = [(start, end, new) for start, end, new in slips if not any(link.start <= start < link.end for link in links)]
    spelled, moved = _replaced(asked.question, links, slips)
    score, decided = 0.0, moved
    sure = not slips and all(map(asked.sure, guessed)) and all(len(doubt.link.seeds) == 1 for doubt in near)
    if not sure:
        score, candidates = _best(asked.retriever, spelled, moved)
        decided = [_decided(link, candidates) for link in moved]
        score *= _certain(decided, candidates)
    if sure or _gains(asked, decided, score, guessed):
        before = asked.path(guessed) if not sure else 0.0
        return _made(asked, slips, spelled, moved, decided, (before, score))
    return None


def _gains(asked: _Asked, decided: Sequence[Link], score: float, guessed: Sequence[Guess]) -> bool:
    """Whether more words are named at no loss, or the path explains more."""
    before = asked.path(guessed)
    named = all(guess.firm for guess in guessed)
    if named and score > 0 and score >= before and _words(decided) > _words(asked.exact):
        return True
    return score >= (max(before + GAIN, SOUND) if guessed else before + GAIN)


def _made(
    asked: _Asked,
    slips: list[Replacement],
    spelled: str,
    moved: Sequence[Link],
    decided: Sequence[Link],
    path: tuple[float, float],
) -> Rewrite | None:
    """The rewrite, where it changes something and still means the question."""
    names = [(d.start, d.end, d.seeds[0].node.label) for d in decided if d.how != "exact" and len(d.seeds) == 1]
    text, final = _replaced(spelled, decided, names)
    edits = [Edit("wording", asked.question[start:end], new) for start, end, new in slips]
    edits += [Edit(old.how, old.text, new) for old in moved for start, _, new in names if start == old.start and new != old.text]
    if not edits and _rows(final) <= _rows(asked.links):
        return None
    if (similarity := _similarity(spelled, text, decided, asked.retriever)) < SIMILAR:
        return None
    words = [token.text for token in tokenize(text)]
    rows = [d.seeds[0].row for d in decided if d.start in {start for start, _, _ in names}]
    return Rewrite(
        original=asked.question,
        text=text,
        edits=tuple(edits),
        links=tuple(final),
        cards=tuple(card(asked.retriever.kg, row, words) for row in rows),
        linked=(_words(asked.exact), _words(final)),
        path=(round(path[0], 4), round(path[1], 4)),
        similarity=round(similarity, 4),
    )


def _rows(links: Sequence[Link]) -> set[int]:
    """Nodes that mentions may mean."""
    return {seed.row for link in links for seed in link.seeds}


def _words(links: Sequence[Link]) -> int:
    """Words that mentions hold."""
    return sum(len(tokenize(link.text)) for link in links)


def _similarity(question: str, text: str, links: Sequence[Link], retriever: Retriever) -> float:
    """Cosine of question and rewrite, slips of the pen and acronyms read alike: as letters they have no meaning to keep."""
    read = [link for link in links if link.how in {"spelling", "acronym"} and len(link.seeds) == 1]
    same = [(link.start, link.end, link.seeds[0].node.label) for link in read]
    first, second = retriever.encoder.encode([_replaced(question, links, same)[0], text])
    return float(first @ second)


def _best(retriever: Retriever, question: str, links: Sequence[Link]) -> tuple[float, list[Candidate]]:
    """Score of the best path by a short search at any time, and all candidates; of a mention the likeliest entities."""
    few = [replace(link, seeds=link.seeds[:_RIVALS]) for link in links]
    reading = retriever.read(question, few)
    states = [search.states for search in retriever.explore(reading, few, _GLANCE)]
    candidates = retriever.scorer(reading, few, retriever.types(few)).rank(states, _ALL)
    return (candidates[0].score if candidates else 0.0), candidates


def _certain(decided: Sequence[Link], candidates: Sequence[Candidate]) -> float:
    """What the score of the best path is to be multiplied by, now that some mentions are more certain."""
    if not candidates or candidates[0].parts["link"] <= 0:
        return 1.0
    used = {state.seed.row for state in candidates[0].states}
    sure = min((seed.score for link in decided for seed in link.seeds if seed.row in used), default=1.0)
    return float(sure / candidates[0].parts["link"])


def _decided(link: Link, candidates: Sequence[Candidate]) -> Link:
    """The one entity of a doubtful mention whose path clearly beats those of its rivals; the link as it is without one."""
    if link.how == "exact" or not 1 < len(link.seeds) <= _RIVALS:
        return link
    best = dict.fromkeys((seed.row for seed in link.seeds), 0.0)
    for candidate in candidates:
        for state in candidate.states:
            if state.seed.start == link.start and state.seed.row in best:
                best[state.seed.row] = max(best[state.seed.row], candidate.score)
    first, second = sorted(best, key=lambda row: -best[row])[:2]
    return only(link, first) if best[first] > DECISIVE * best[second] else link


def _replaced(text: str, links: Sequence[Link], replacements: Sequence[Replacement]) -> tuple[str, list[Link]]:
    """The text with replacements made, and its mentions where they stand then."""
    made, places, at = "", [], 0
    for start, end, new in sorted(replacements):
        made += text[at:start]
        places.append((start, end, len(made), len(made) + len(new)))
        made, at = made + new, end
    made += text[at:]
    moved = []
    for link in links:
        start, end = link.start, link.end
        for old_start, old_end, new_start, new_end in places:
            if (old_start, old_end) == (link.start, link.end):
                start, end = new_start, new_end
                break
            if old_end <= link.start:
                start, end = link.start + new_end - old_end, link.end + new_end - old_end
        seeds = tuple(seed._replace(start=start, end=end) for seed in link.seeds)
        moved.append(replace(link, start=start, end=end, text=made[start:end], seeds=seeds))
    return made, moved


def _slips(strange: Sequence[Token], retriever: Retriever) -> list[Replacement]:
    """Words that are no English words but one or two typing errors from one that asks for a relation or names a type."""
    found = []
    for token in strange:
        word, root = token.lower, stem(token.lower)
        if len(root) < _SHORTEST or not word.isalpha():
            continue
        near = process.extract(root, _roots(retriever), scorer=OSA.distance, score_cutoff=allowed_slips(word), limit=None)
        ranked = sorted((sorted(known) != sorted(root), distance, known) for known, distance, _ in near if known[:1] == root[:1])
        if ranked and ranked[0][2] != root:
            found.append((token.start, token.end, ranked[0][2] + word[len(root) :]))
    return found


def _roots(retriever: Retriever) -> list[str]:
    """Stems of the single words that ask for a relation of the graph or name a type."""
    names = {family.name for family in retriever.relations.families}
    spoken = {
        phrase[0] for phrase, families in retriever.relations.lexicon.phrases.items() if len(phrase) == 1 and families & names
    }
    return sorted(spoken | {stem(word) for name in names for word in name.split()} | {stem(noun) for noun in TYPE_NOUNS})


def _open(reading: Understanding) -> list[Token]:
    """Words outside the mentions that no relation and no type is known by."""
    units = {unit.position for unit in reading.units if not (unit.families or unit.type)}
    return [token for i, token in enumerate(reading.tokens) if i in units and token.mention < 0]


def _strange(word: str, retriever: Retriever) -> bool:
    """Whether a word is not one of the encoder's vocabulary, which holds the common words of English whole."""
    return retriever.encoder.count_tokens([word])[0] > 1


__all__ = ["Edit", "Rewrite", "rewrite"]
