"""What a passage has to do with a question: alone, and reached from another passage over a name that both share.

Every row of features describes one way to a passage. The first ones look at the passage and the question; the others at
the step that leads there: which name is shared, how much of the question the first passage had explained, and how much
of what is left the passage holds. Only the question itself is encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import normalize
from .links import Links, Passage
from .words import STOPWORDS, WordTable, among, name_keys, word_key

if TYPE_CHECKING:
    from .encoder import TextEncoder

ALONE = (
    "cosine",  # of question and passage
    "lexical",  # BM25, divided by the best of the question
    "coverage",  # share of the question's words, by rarity, that the passage holds
    "named",  # its title stands in the question
    "title share",  # share of its title's words that stand in the question
    "title weight",  # share of the question's words, by rarity, that stand in its title
)
HOP = (
    "hop",  # 1 for a step, 0 for a passage alone
    "seed score",  # how good the passage left is beside the best, 0 to 1
    "rest coverage",  # share of the words not explained so far that the passage holds
    "seed cosine",  # of the two passages
    "rarity",  # of the shared name
    "about",  # the name is the passage's title
    "about in part",  # share of words that name and title have in common
    "context",  # share of the question's words that stand beside the name in the passage left
    "names the seed",  # the name is the title of the passage left
    "asked for",  # share of the question's words that the name itself holds
    "joint coverage",  # share of the question's words that the chain and the passage hold together
    "about x rest coverage",
    "about x context",
    "seed named",  # the passage left is about something that the question names
    "about x seed named",
)
FEATURES = (*ALONE, *HOP)
_LONGEST_NAME = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """A question against one corpus of n chunks.

    Attributes:
        vector: float32 [d] of the question.
        keys: int64 [w] its words but function words, ascending.
        weights: float32 [w] how rare each is; 0 for one that no chunk holds.
        holds: float32 [w, n], 1 where a chunk holds a word.
        named: places of chunks about something whose title stands in the question.
    """

    vector: np.ndarray
    keys: np.ndarray
    weights: np.ndarray
    holds: np.ndarray
    named: np.ndarray

    @classmethod
    def read(cls, question: str, encoder: TextEncoder, table: WordTable) -> Asked:
        """Encode a question and look its words up; names in it are the longest titles, no word used twice."""
        words = normalize(question).split()
        keys = np.array(sorted({word_key(word) for word in words if word not in STOPWORDS}), dtype=np.int64)
        holds = np.zeros((len(keys), len(table.rows)), dtype=np.float32)
        for i, key in enumerate(keys.tolist()):
            holds[i, table.holding(key)] = 1
        counts = holds.sum(axis=1)
        weights = np.where(counts > 0, np.log((len(table.rows) + 1) / (counts + 0.5)), 0.0).astype(np.float32)
        return cls(encoder.encode([question])[0], keys, weights, holds, _named(words, table))

    def share(self, held: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        """How much of the words' weight `held` [w, m] explains, of those `among` [w] where given: float [m]."""
        weights = self.weights if among is None else self.weights * among
        total = weights.sum()
        shares: np.ndarray = (weights[:, None] * held).sum(axis=0) / (total if total > 0 else 1.0)
        return shares


def _named(words: list[str], table: WordTable) -> np.ndarray:
    places: set[int] = set()
    i = 0
    while i < len(words):
        keys = name_keys(words[i : i + _LONGEST_NAME])
        for size in range(len(keys), 0, -1):
            found = table.about(keys[size - 1])
            name = " ".join(words[i : i + size]) if len(found) else ""
            if len(name) > 3 and name not in STOPWORDS:
                places.update(found.tolist())
                i += size - 1
                break
        i += 1
    return np.array(sorted(places), dtype=np.int64)


def alone(asked: Asked, table: WordTable, cosine: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    """float64 [n, len(FEATURES)]: every passage by itself."""
    n = len(table.rows)
    found = np.zeros((n, len(FEATURES)))
    found[:, 0], found[:, 1], found[:, 2] = cosine, lexical, asked.share(asked.holds)
    found[asked.named, 3] = 1.0
    hit = among(asked.keys, table.title_words)
    owner = table.title_owners
    sizes = np.maximum(np.diff(table.title_starts), 1)
    found[:, 4] = np.bincount(owner[hit], minlength=n) / sizes
    spots = np.searchsorted(asked.keys, table.title_words[hit])
    total = asked.weights.sum() or 1.0
    found[:, 5] = np.bincount(owner[hit], weights=asked.weights[spots], minlength=n) / total
    return found


def steps(
    asked: Asked,
    links: Links,
    vectors: np.ndarray,
    seed: int,
    seed_score: float,
    explained: np.ndarray,
    base: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Ways from one passage on.

    Args:
        vectors: float32 [n, d] of the passages.
        seed: place of the passage.
        seed_score: relative to the best.
        explained: bool [w] words that the chain so far explains, this passage included.
        base: [n, features] of the passages alone.

    Returns:
        (places int64 [m], features float64 [m, f])
    """
    cover = asked.share(asked.holds, ~explained)
    ways = links.around(seed, cover + base[:, 0])
    if not len(ways.places):
        return np.empty(0, dtype=np.int64), np.empty((0, len(FEATURES)))
    targets, spot = np.unique(ways.places, return_inverse=True)
    joint = asked.share(np.maximum(asked.holds[:, targets], explained[:, None]))
    rest = cover[ways.places]
    context, inside = (values[ways.names] for values in _contexts(asked, links.passage(seed)))
    named = base[seed, FEATURES.index("named")]
    found = base[ways.places].copy()
    found[:, len(ALONE) :] = np.column_stack([
        np.ones(len(rest)), np.full(len(rest), seed_score), rest, (vectors[targets] @ vectors[seed])[spot], ways.rarity,
        ways.about, ways.partly, context, ways.back, inside, joint[spot], ways.about * rest, ways.about * context,
        np.full(len(rest), named), ways.about * named,
    ])  # fmt: skip
    return ways.places, found


def _contexts(asked: Asked, passage: Passage) -> tuple[np.ndarray, np.ndarray]:
    """Per name: share of the question's words that stand near a mention of it; share that the name itself holds."""
    context: np.ndarray = np.zeros(len(passage.names))
    if not len(asked.keys):
        return context, context
    weights = (asked.weights / (asked.weights.sum() or 1.0)).astype(float)
    asks = np.minimum(np.searchsorted(asked.keys, passage.held), len(asked.keys) - 1)
    hit = asked.keys[asks] == passage.held
    inside = np.bincount(passage.owners[hit], weights[asks[hit]], len(passage.names))
    starts, ends, last = passage.starts, passage.ends, len(passage.words)
    before = np.zeros((len(asked.keys), last + 1), dtype=np.int32)  # how often each word was said so far
    np.cumsum(asked.keys[:, None] == passage.words, axis=1, out=before[:, 1:])
    near = before[:, starts] - before[:, np.maximum(starts - _WINDOW, 0)]
    near += before[:, np.minimum(ends + _WINDOW, last)] - before[:, ends]
    np.maximum.at(context, passage.spoken, weights @ (near > 0))
    return context, inside


_WINDOW = 6
