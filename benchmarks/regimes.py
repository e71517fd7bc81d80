"""Three ways to hand evidence to a reader, and what each costs and holds (FinReflectKG-MultiHop: S1, S2, S3).

S1    What hoptrace packs: the quotes of the paths it kept, then other single sentences of its five best passages, together at
      most `SENTENCES` tokens.
S2    A page window: the ten best passages of the page retriever, which is reciprocal-rank fusion of BM25 and cosine, each
      with the chunks before and after it in its source. In a corpus of one-chunk passages that is the ten passages. It is
      found without the graph and is the same whatever S1 holds.
own   A page window of our own search: the five best passages of `hybrid`, each with its neighbours. Stricter than S2.
S3    S2 and as many distractor pages (the next best of the page retriever), shuffled. No reader is run, so the order shows
      only in the tokens.

`answer recall` is the share of questions whose accepted answer stands, normalised and word for word, in the evidence. Yes-no
questions have no answer to find and are left out.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hoptrace import KnowledgeGraph
from hoptrace.kg.model import Chunk, normalize
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.passages import PassageSearch

PAGES = 10  # of the page retriever
OWN = 5  # passages of our search
SENTENCES = 160  # tokens of S1
NAMES = ("S1", "S2", "own", "S3")


class Regimes:
    """The evidence of every regime for questions over one graph."""

    def __init__(self, kg: KnowledgeGraph, search: PassageSearch, encoder: Encoder) -> None:
        self.kg, self.search, self.encoder = kg, search, encoder
        self._next: dict[int, list[int]] = {}
        by_source: dict[str, list[int]] = {}
        for row, chunk in kg.store.chunks():
            by_source.setdefault(chunk.source_id, []).append(row)
        for rows in by_source.values():
            for i, row in enumerate(rows):
                self._next[row] = rows[max(i - 1, 0) : i + 2]

    def texts(self, question: str, quotes: Sequence[str]) -> dict[str, list[str]]:
        """Evidence of a question by regime; `quotes` are those of the packed paths."""
        ranked = [row for row, _ in self.search.rrf(question, 2 * PAGES)]
        own = [row for row, _ in self.search.hybrid(question, OWN)]
        kept, left = [], SENTENCES
        for quote in dict.fromkeys(quotes):
            cost = self.encoder.count_tokens([quote])[0]
            if cost <= left:
                kept.append(quote)
                left -= cost
        sentences = [text for _, text in self.search.excerpts(question, OWN, left, kept)]
        pages = self._pages(ranked[:PAGES])
        distractors = [text for text in self._pages(ranked[PAGES:]) if text not in pages]
        shuffled = random.Random(question).sample([*pages, *distractors], len(pages) + len(distractors))
        return {
            "S1": [*kept, *sentences],
            "S2": pages,
            "own": self._pages(own),
            "S3": shuffled,
        }

    def measure(self, texts: Iterable[str], accepted: Sequence[str]) -> tuple[int, float]:
        """(tokens, 1 when an accepted answer stands in a text)."""
        given = list(texts)
        plain = [f" {normalize(text)} " for text in given]
        found = any(f" {normalize(answer)} " in text for answer in accepted if answer for text in plain)
        return sum(self.encoder.count_tokens(given)), float(found)

    def _chunks(self, rows: Sequence[int]) -> list[Chunk]:
        return [chunk for _, chunk in self.kg.store.chunks(list(rows))]

    def _pages(self, rows: Sequence[int]) -> list[str]:
        wanted = list(dict.fromkeys(near for row in rows for near in self._next[row]))
        return [chunk.text for chunk in self._chunks(wanted)]


def table(measured: Sequence[dict[str, tuple[int, float]]]) -> dict[str, dict[str, Any]]:
    """Means by regime."""
    means = {name: np.mean([one[name] for one in measured], axis=0) if measured else (0.0, 0.0) for name in NAMES}
    return {name: {"tokens": round(float(cost), 1), "answer_recall": round(float(hit), 4)} for name, (cost, hit) in means.items()}
