"""From the first passages of a question to the next: a beam over passages, the question shrinking as it goes.

The best passages by themselves are left over every name that stands in them; a passage that is reached takes the best
score of any way to it. The best of those are left again. What a chain of passages has explained is taken out of the
question before the next one is looked for, so the second passage is judged by the words that the first one did not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .passage_features import Asked, steps
from .passage_scorer import PassageScorer

if TYPE_CHECKING:
    from .links import Links

BEAM = (4, 3)  # passages left in the first round and in the second
DOUBT = 2.0  # log-odds behind the best passage at which a seed's score has fallen to 1/e


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """What a walk needs of n passages: names and words, and vectors float32 [n, d]."""

    links: Links
    vectors: np.ndarray


@dataclass(slots=True, eq=False)
class Walk:
    """How a question went through a corpus.

    Attributes:
        base: float64 [n, f] features of the passages alone.
        scores: float64 [n] of the best way to each passage.
        ways: per passage left, (places int64 [m], features float64 [m, f]) of the ways from it.
    """

    base: np.ndarray
    scores: np.ndarray
    ways: list[tuple[np.ndarray, np.ndarray]]


def walk(asked: Asked, corpus: Corpus, base: np.ndarray, scorer: PassageScorer) -> Walk:
    """Score every passage for a question (`base` are its features alone)."""
    alone, scores = base @ scorer.first, base @ scorer.joint
    found = Walk(base, scores, [])
    explained: dict[int, np.ndarray] = {}
    left: set[int] = set()
    for width, ranking in zip(BEAM, (alone, scores), strict=True):
        best = ranking.max(initial=-np.inf)
        seeds = [place for place in best_places(ranking, width + len(left)) if place not in left][:width]
        odds = {place: float(np.exp((ranking[place] - best) / DOUBT)) for place in seeds}
        reached = []
        for place in seeds:
            left.add(place)
            held = (asked.holds[:, place] > 0) | explained.get(place, False)
            places, features = steps(asked, corpus.links, corpus.vectors, place, odds[place], held, base)
            found.ways.append((places, features))
            reached.append((held, places, features @ scorer.joint))
        for held, places, values in reached:
            better = places[values > scores[places]]
            explained.update(dict.fromkeys(better.tolist(), held))
            np.maximum.at(scores, places, values)
    return found


def best_places(scores: np.ndarray, k: int) -> list[int]:
    """The k highest, best first, ties by place."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        chosen = np.flatnonzero(scores >= least)
    else:
        chosen = np.arange(len(scores))
    places: list[int] = chosen[np.lexsort((chosen, -scores[chosen]))][:k].tolist()
    return places


__all__ = ["BEAM", "Corpus", "Walk", "best_places", "walk"]
