"""Single sentences of the passages found, chosen by trained weights: what a reader needs within a small budget of tokens.

A sentence is judged by the words of the question that it says, weighed by how rare they are in the corpus; by whether it
leads on to another of the passages or stands where a chain of them ends; and by whether it tells something of the kind
asked for. No text is encoded. The weights are the third row of the packaged passage scorer (`passage_scorer`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..kg.ingest.sentences import sentences
from ..kg.model import normalize
from .question import DATE, NUMBER, PERSON, PLACE, understand
from .words import STOPWORDS, word_key, word_keys

if TYPE_CHECKING:
    from .encoder import TextEncoder

SENTENCE = (
    "said under its title",  # share of the question's words, by rarity in the corpus, that sentence and title say together
    "relation said",  # share of the words that no title named in the question holds
    "only here",  # share of the question's words, by how few of the passages hold them
    "opens",  # 1 for the first sentence of its passage
    "position",  # 0 for the first, near 1 for the last
    "leads on",  # names what another of the passages is about and the question does not name
    "reached",  # its passage is about something that another passage names and the question does not
    "rank",  # 1, 1/2, 1/3, ... of its passage
    "odds",  # how good its passage is beside the best, 0 to 1
    "kind",  # tells something of the kind asked for
    "relation said x reached",
    "relation said x named",  # its passage is about something that the question names
)
PRICE = 0.75  # how far a long sentence must be better than a short one: 1 ranks by worth per token
DOUBT = 2.0  # log-odds behind the best passage at which "odds" has fallen to 1/e
_DATE = re.compile(r"\b(?:1\d|20)\d\d\b|\b\d{1,2}(?:st|nd|rd|th) century")
_NUMBER = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten)\b")
_PLACE = re.compile(r"\b(?:in|at|near|of|from|to) (?:the )?[A-Z]")
_CAPITALISED = re.compile(r"[A-Z][\w'’.-]+(?: [A-Z][\w'’.-]+)*")


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage found: score in log-odds, as of `PassageSearch.hybrid`."""

    title: str
    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence: `passage` is its place in the list of passages, `[start, end)` where it stands in its text."""

    passage: int
    start: int
    end: int


def candidates(question: str, passages: Sequence[Passage], rarity: Callable[[int], float]) -> tuple[list[Candidate], np.ndarray]:
    """All sentences but headings that repeat the title, and their features.

    Args:
        question: any text.
        passages: best first.
        rarity: weight of a word key in the corpus.

    Returns:
        (candidates, features float64 [m, len(SENTENCE)])
    """
    asked = {key: rarity(key) for key in {word_key(word) for word in normalize(question).split() if word not in STOPWORDS}}
    at = range(len(passages))
    titles = [frozenset(word_keys(passage.title)) for passage in passages]
    texts = [frozenset(word_keys(passage.text)) | title for passage, title in zip(passages, titles)]
    named = [bool(title) and title <= asked.keys() for title in titles]
    over = frozenset().union(*(title for title, is_named in zip(titles, named) if is_named))
    relation = {key: weight for key, weight in asked.items() if key not in over}
    few = {key: 1 / (1 + sum(key in text for text in texts)) for key in asked}
    reached = [bool(titles[i]) and not named[i] and any(titles[i] <= text for text in texts[:i] + texts[i + 1 :]) for i in at]
    kind = _kind(question)
    found, rows = [], []
    for i, passage in enumerate(passages):
        pieces = [(a, b) for a, b in sentences(passage.text) if normalize(passage.text[a:b]) != normalize(passage.title)]
        odds = float(np.exp((passage.score - passages[0].score) / DOUBT))
        ahead = [title for title, asked_for in zip(titles, named) if title and not asked_for and not title <= titles[i]]
        for n, (start, end) in enumerate(pieces):
            text = passage.text[start:end]
            words = frozenset(word_keys(text))
            names = [name for name in _CAPITALISED.findall(text[1:]) if not {*word_keys(name)} <= (asked.keys() | titles[i])]
            said = _share(relation, words)
            rows.append([
                _share(asked, words | titles[i]), said, _share(few, words), n == 0, n / len(pieces),
                any(title <= words for title in ahead), reached[i], 1 / (1 + i), odds, kind(text, names),
                said * reached[i], said * named[i],
            ])  # fmt: skip
            found.append(Candidate(i, start, end))
    return found, np.array(rows, dtype=np.float64).reshape(-1, len(SENTENCE))


def _share(weights: dict[int, float], words: frozenset[int]) -> float:
    total = sum(weights.values())
    return sum(weight for key, weight in weights.items() if key in words) / total if total > 0 else 0.0


def _kind(question: str) -> Callable[[str, list[str]], bool]:
    """Whether a sentence (its text, its new names) tells something of the kind a question asks for."""
    read = understand(question)
    if read.operation == "count" or read.answer_type == NUMBER:
        return lambda text, names: bool(_NUMBER.search(text))
    if read.answer_type == DATE:
        return lambda text, names: bool(_DATE.search(text))
    if read.answer_type == PLACE:
        return lambda text, names: bool(names and _PLACE.search(text))
    if read.answer_type in (PERSON, "agent"):
        return lambda text, names: any(" " in name for name in names)
    return lambda text, names: bool(names)


def excerpts(
    question: str,
    passages: Sequence[Passage],
    rarity: Callable[[int], float],
    weights: np.ndarray,
    encoder: TextEncoder,
    tokens: int,
    known: Sequence[str] = (),
) -> list[tuple[int, str]]:
    """The sentences of some passages that are most worth reading for a question, within a budget.

    Args:
        question: any text.
        passages: best first.
        rarity: weight of a word key in the corpus.
        weights: float [len(SENTENCE)].
        encoder: counts the tokens.
        tokens: at most this many WordPieces in all.
        known: what the reader has already; a sentence that stands in one of these is not chosen.

    Returns:
        (which passage, sentence) in the order of the passages.
    """
    found, features = candidates(question, passages, rarity)
    texts = [passages[one.passage].text[one.start : one.end] for one in found]
    costs = encoder.count_tokens(texts)
    new = [not any(text in one for one in known) for text in texts]
    chosen, spent = [], 0
    for i in np.argsort(-(features @ weights - PRICE * np.log(np.maximum(costs, 1))), kind="stable").tolist():
        if new[i] and spent + costs[i] <= tokens:
            spent += costs[i]
            chosen.append(i)
    return [(found[i].passage, texts[i]) for i in sorted(chosen)]


__all__ = ["SENTENCE", "Candidate", "Passage", "candidates", "excerpts"]
