"""Rewrite a question whose names were not found as they stand, with the words of the graph, when that measurably helps.

After CardRewriter: for each doubtful mention a card of what it may mean is read from the graph, the question is rewritten with
words of the cards and its own, and the rewrite is kept only if it gains: more names linked, or a path that explains more,
and the meaning stays (cosine of question and rewrite). Otherwise the question stays as it is. The edits are those of
linking (another form or part of a name, slips of the pen, acronyms) and slips in the words that ask for a relation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .cards import KnowledgeCard, card
from .linking import Link
from .names import FORM, How, allowed_slips
from .question import STOPWORDS, TYPE_NOUNS, Token, tokenize
from .scoring import Candidate
from .wordings import stem

if TYPE_CHECKING:
    from .retriever import Retriever

Replacement = tuple[int, int, str]  # [start, end) of the question and what takes its place

SIMILAR = 0.6  # cosine from which a rewrite still means the question
GAIN = 0.05  # least rise of the path score that counts
SOUND = 0.3  # least path score that may speak for a guess in a question without capitals
DECISIVE = 2.0  # factor by which the path of one candidate must beat those of its rivals
_WIDEST = 7  # words of a guessed name
_GUESSES = 4
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
        original, text: the question before and after.
        edits: what was changed, in order of place.
        links: the mentions of `text`; a repaired one is as certain as its repair, not as an exact name.
        cards: of the entities that repaired mentions mean.
        linked: mentions with an exact name before, with any after.
        path: score of the best path before (0 where a name was unknown) and after.
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
    """The first rewrite of a question that gains, surest guesses first; None when none does or a name is unknown.

    Args:
        question: any text.
        links: its mentions, as `retriever.link` gave them.
        retriever: over the graph.
    """
    if any(not link.seeds for link in links):
        return None
    near = sum(link.how != "exact" for link in links)
    slips = _slips(question, links, retriever)
    odd = [] if near else _odd(question, links, slips, retriever)
    guesses = [] if near else _guesses(question, links, odd, slips, retriever)
    if not (near or slips or guesses):
        return None
    before = _Measure(len(links) - near, 0.0 if near or odd else _best(retriever, question, links)[0])
    variants = [(_with(links, guess), True) for guess in guesses]
    variants += [(list(links), False)] if near or slips else []
    found = (_tried(question, variant, slips, retriever, before, guessed=guessed) for variant, guessed in variants)
    return next((one for one in found if one is not None), None)


class _Measure(NamedTuple):
    """Names linked and score of the best path."""

    linked: int
    path: float


def _tried(
    question: str, links: list[Link], slips: list[Replacement], retriever: Retriever, before: _Measure, *, guessed: bool
) -> Rewrite | None:
    """The rewrite with these mentions, if it gains and still means the question."""
    slips = [(start, end, new) for start, end, new in slips if not any(link.start <= start < link.end for link in links)]
    spelled, moved = _replaced(question, links, slips)
    score, candidates = _best(retriever, spelled, moved)
    decided = [_decided(link, candidates) for link in moved]
    names = [(d.start, d.end, d.seeds[0].node.label) for d in decided if d.how != "exact" and len(d.seeds) == 1]
    text, final = _replaced(spelled, decided, names)
    if candidates and candidates[0].parts["link"] > 0:
        used = {state.seed.row for state in candidates[0].states}
        certainty = [seed.score for link in decided for seed in link.seeds if seed.row in used]
        score *= min(certainty, default=1.0) / candidates[0].parts["link"]
    edits = [Edit("wording", question[start:end], new) for start, end, new in slips]
    edits += [Edit(old.how, old.text, new) for old in moved for start, _, new in names if start == old.start and new != old.text]
    sure = not guessed or {link.how for link in decided} <= {"exact", "spelling"}
    more = len(final) > before.linked and score > 0 and sure and score >= before.path
    if not edits or not (more or score >= (max(before.path + GAIN, SOUND) if guessed else before.path + GAIN)):
        return None
    if (similarity := _similarity(spelled, text, decided, retriever)) < SIMILAR:
        return None
    words = [token.text for token in tokenize(text)]
    repaired = {start for start, _, _ in names}
    rows = [d.seeds[0].row for d in decided if d.start in repaired]
    cards = tuple(card(retriever.kg, row, words) for row in rows)
    paths = (round(before.path, 4), round(score, 4))
    return Rewrite(question, text, tuple(edits), tuple(final), cards, (before.linked, len(final)), paths, round(similarity, 4))


def _similarity(question: str, text: str, links: Sequence[Link], retriever: Retriever) -> float:
    """Cosine of question and rewrite, slips of the pen and acronyms read alike: as letters they have no meaning to keep."""
    read = [link for link in links if link.how in {"spelling", "acronym"} and len(link.seeds) == 1]
    same = [(link.start, link.end, link.seeds[0].node.label) for link in read]
    first, second = retriever.encoder.encode([_replaced(question, links, same)[0], text])
    return float(first @ second)


def _best(retriever: Retriever, question: str, links: Sequence[Link]) -> tuple[float, list[Candidate]]:
    """Score of the best path, and all candidates."""
    candidates = retriever.search(retriever.read(question, links), links).candidates
    return (candidates[0].score if candidates else 0.0), candidates


def _decided(link: Link, candidates: Sequence[Candidate]) -> Link:
    """The one entity of a doubtful mention whose path clearly beats those of its rivals; the link as it is without one."""
    if link.how == "exact" or len(link.seeds) == 1:
        return link
    best = dict.fromkeys((seed.row for seed in link.seeds), 0.0)
    for candidate in candidates:
        for state in candidate.states:
            if state.seed.start == link.start and state.seed.row in best:
                best[state.seed.row] = max(best[state.seed.row], candidate.score)
    first, second = sorted(best, key=lambda row: -best[row])[:2]
    if best[first] <= DECISIVE * best[second]:
        return link
    certainty = sum(seed.score for seed in link.seeds)
    return replace(link, seeds=tuple(seed._replace(score=certainty) for seed in link.seeds if seed.row == first))


def _with(links: Sequence[Link], guess: Sequence[Link]) -> list[Link]:
    """The links with guesses in place of those they cover."""
    return sorted([*(link for link in links if not _meet(link, guess)), *guess], key=lambda link: link.start)


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


def _slips(question: str, links: Sequence[Link], retriever: Retriever) -> list[Replacement]:
    """Words that are no English words but one or two typing errors from one that asks for a relation or names a type."""
    found = []
    for token in _open(question, links, retriever):
        word = token.lower
        root = stem(word)
        if len(root) < _SHORTEST or not word.isalpha() or not _strange(word, retriever):
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


def _odd(question: str, links: Sequence[Link], slips: Sequence[Replacement], retriever: Retriever) -> set[int]:
    """Starts of the words of a question without capitals that are unknown: no name, no slip and no English word."""
    if any(token.text[:1].isupper() for token in tokenize(question)[1:]):
        return set()
    taken = {start for start, _, _ in slips}
    words = _open(question, links, retriever)
    return {word.start for word in words if word.start not in taken and _strange(word.lower, retriever)}


def _guesses(
    question: str, links: Sequence[Link], odd: Collection[int], slips: Sequence[Replacement], retriever: Retriever
) -> list[tuple[Link, ...]]:
    """What the words of a question without capitals may stand for: the best guesses that do not overlap, then each alone.

    A guess holds an odd word; where there is none and nothing is linked, it may be a name made of common words.
    """
    tokens = tokenize(question)
    slipped = {start for start, _, _ in slips}
    unknown = slipped.union(odd)
    if (links and not unknown) or any(token.text[:1].isupper() for token in tokens[1:]):
        return []
    found = []
    for window in _windows(question, tokens):
        start, end = window[0].start, window[-1].end
        crossed = any(link.start < start < link.end or link.start < end < link.end for link in links)
        held = {token.start for token in window}
        if crossed or held <= slipped or (unknown and not unknown & held):
            continue
        link = retriever.linker.resolve(start, end, question[start:end])
        if not unknown and link.how == "exact":
            link = replace(link, how="form", seeds=tuple(seed._replace(score=FORM) for seed in link.seeds))
        if link.seeds and link.how != "exact" and not (link.how == "part" and (links or not odd)):
            found.append(link)
    found.sort(key=lambda link: (-sum(seed.score for seed in link.seeds), link.start - link.end))
    apart: list[Link] = []
    for link in found:
        if not _meet(link, apart):
            apart.append(link)
    return [tuple(apart), *((link,) for link in found[:_GUESSES] if [link] != apart)] if apart else []


def _windows(question: str, tokens: list[Token]) -> Iterator[list[Token]]:
    """Runs of one to seven words with single spaces between that do not end in a small word or begin with one but "the"."""
    for i in range(len(tokens)):
        for j in range(i, min(i + _WIDEST, len(tokens))):
            if j > i and question[tokens[j - 1].end : tokens[j].start] != " ":
                break
            first, last = tokens[i].lower, tokens[j].lower
            if last not in STOPWORDS and (first not in STOPWORDS or (first in {"the", "a"} and j > i)):
                yield tokens[i : j + 1]


def _open(question: str, links: Sequence[Link], retriever: Retriever) -> list[Token]:
    """Words outside the mentions that no relation and no type is known by."""
    reading = retriever.read(question, links)
    units = {unit.position for unit in reading.units if not (unit.families or unit.type)}
    return [token for i, token in enumerate(reading.tokens) if i in units and token.mention < 0]


def _strange(word: str, retriever: Retriever) -> bool:
    """Whether a word is not one of the encoder's vocabulary, which holds the common words of English whole."""
    return retriever.encoder.count_tokens([word])[0] > 1


def _meet(link: Link, others: Sequence[Link]) -> bool:
    return any(link.start < other.end and other.start < link.end for other in others)


__all__ = ["Edit", "Rewrite", "rewrite"]
