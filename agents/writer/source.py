"""A story as the writer's model reads and says it: units that may be copied, and texts as choices among them.

Units are the words of the question and, fact by fact, its subject, the words of its relation and its object; names are whole. A
text is a row of choices: a function word, a unit (any of those that are the same name, or of the same stem), or another word,
which is in the vocabulary so that people's sentences can be learned from, and in no text that the grammar makes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ...kg.model import text_hash
from ...retrieval.encoder import Encoder
from ...retrieval.wordings import stem
from ..predicates import base
from .check import function_words
from .story import NAME, TAIL, Story

OPEN, CLOSE, OTHER = 0, 1, 2  # choices before those of the function words
FUNCTION = {word: 3 + i for i, word in enumerate(dict.fromkeys(word.lower() for word in function_words()))}
CLOSED = 3 + len(FUNCTION)  # choices of a unit follow
VOCABULARY = text_hash(" ".join(FUNCTION))  # a model knows the function words by their places
QUESTION, SUBJECT, RELATION, OBJECT = range(4)  # roles
MOST_UNITS, MOST_FACTS = 96, 8
_ASKED = 300  # characters of a question that are read
_TOKEN = re.compile(f"[{chr(NAME)}-{chr(TAIL - 1)}]|'s\\b|\\w+|[^\\w\\s]")
_DROPPED = re.compile(f"[{chr(TAIL)}-{chr(TAIL + 0x3FF)}]")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The units of a story.

    Attributes:
        states: float32 [u, h] of the encoder's lower layers, the mean over each unit's pieces.
        roles: int64 [u].
        facts: int64 [u], 0 for the question, else 1 + the fact.
        copies: by what a text may say (a name's mark, or a word's base), the units that say it.
    """

    states: np.ndarray
    roles: np.ndarray
    facts: np.ndarray
    copies: dict[str, tuple[int, ...]]


def source(story: Story, encoder: Encoder) -> Source:
    """The units of a story, as many as fit."""
    text, units = "", list[tuple[int, int, int, int, str]]()  # start, end, role, fact, key

    def add(words: str, role: int, fact: int, key: str = "") -> None:
        nonlocal text
        for match in [None] if key else re.finditer(r"\w+", words):
            begin, end = (0, len(words)) if match is None else match.span()
            units.append((len(text) + begin, len(text) + end, role, fact, key or _key(words[begin:end])))
        text += words + " "

    add(story.question[:_ASKED], QUESTION, 0)
    for i, fact in enumerate(story.facts[:MOST_FACTS]):
        text += "; "
        add(story.names[fact.subject], SUBJECT, i + 1, chr(NAME + fact.subject))
        add(fact.label, RELATION, i + 1)
        add(story.names[fact.object], OBJECT, i + 1, chr(NAME + fact.object))
    units = units[:MOST_UNITS]
    offsets, states = encoder.lower_states(text)
    spans = np.array(offsets)
    rows = []
    for begin, end, *_ in units:
        inside = (spans[:, 0] < end) & (spans[:, 1] > begin)
        rows.append(states[inside].mean(axis=0) if inside.any() else states[0])
    copies: dict[str, tuple[int, ...]] = {}
    for at, (*_, key) in enumerate(units):
        copies[key] = (*copies.get(key, ()), at)
    columns = np.array([(role, fact) for _, _, role, fact, _ in units], np.int64).reshape(-1, 2)
    return Source(np.array(rows, np.float32).reshape(-1, encoder.dim), columns[:, 0], columns[:, 1], copies)


def choices(text: str, copies: dict[str, tuple[int, ...]]) -> list[tuple[int, ...]]:
    """A text in marks as choices, each as all the numbers that mean it: a function word, `CLOSED` + a unit, or `OTHER`."""
    found = list[tuple[int, ...]]()
    for token in _TOKEN.findall(_DROPPED.sub("", text)):
        word = token.lower().lstrip("'") or token
        units = copies.get(token) or copies.get(_key(word)) or ()
        if word in FUNCTION and (token == word or not units):
            found.append((FUNCTION[word],))
        else:
            found.append(tuple(CLOSED + unit for unit in units) or (OTHER,))
    return [*found, (CLOSE,)]


def _key(word: str) -> str:
    return base(word.lower()) or stem(word)


__all__ = ["CLOSE", "CLOSED", "MOST_FACTS", "OPEN", "OTHER", "VOCABULARY", "Source", "choices", "source"]
