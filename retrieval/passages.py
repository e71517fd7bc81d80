"""Passage search over an open corpus: by words, by meaning, by a walk over the graph, and all of it with a second hop.

    search = PassageSearch(kg, Encoder.default())
    search.hybrid("Where was the founder of Brightwater Labs born?", 5)   # [(chunk row, score), ...]

A multi-hop question names the first passage it needs but not the second. `hybrid` therefore follows the names that stand
in its best first passages (`links`) to the passages that share them, looks there for what the first one left open
(`hops`), and scores every way by trained weights that know no corpus (`passage_scorer`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .dense import DenseIndex, FactIndex
from .encoder import Progress, TextEncoder
from .excerpts import Passage, excerpts
from .fusion import reciprocal_rank_fusion
from .hops import Corpus, Walk, best_places, walk
from .links import Links
from .pagerank import PassageRank
from .passage_features import Asked, alone
from .passage_scorer import PassageScorer
from .words import WordIndex

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

Ranking = list[tuple[int, float]]  # (chunk row, score), best first

POOL = 200  # chunks that each first-stage search hands on
FACTS = 5  # facts where the walk of `ppr` restarts
PASSAGE_WEIGHT = 0.05  # of the dense scores among the restarts of `ppr`


class PassageSearch:
    """Rankings of the chunks of a knowledge graph. All of them return at most k (chunk row, score), best first.

    Args:
        kg: the graph; every search sees its last committed state.
        encoder: makes question vectors, and chunk vectors that are missing.
        scorer: of `hybrid`; the packaged one where None.
    """

    def __init__(self, kg: KnowledgeGraph, encoder: TextEncoder, scorer: PassageScorer | None = None) -> None:
        self.kg, self.encoder, self.scorer = kg, encoder, scorer or PassageScorer.default()
        self.index, self.facts, self.rank = DenseIndex(kg, encoder), FactIndex(kg, encoder), PassageRank(kg)
        self.words = WordIndex(kg)
        self._corpus: tuple[int, Corpus] | None = None
        self._guard = threading.Lock()

    def refresh(self, progress: Progress | None = None) -> int:
        """Encode what is new, so that the first question does not have to; returns the number of texts.

        The words and names of passages are read as well; where most text is rows of tables, only when a question needs them.
        """
        encoded = self.index.refresh(progress)
        if self.index.whole:
            self.corpus()
        return encoded

    def bm25(self, question: str, k: int) -> Ranking:
        """By words (BM25)."""
        return [(hit.chunk, hit.score) for hit in self.kg.store.search_text(question, k)]

    def dense(self, question: str, k: int) -> Ranking:
        """By meaning (cosine)."""
        return _ranking(*self.index.search(self._vector(question), k))

    def rrf(self, question: str, k: int) -> Ranking:
        """Words and meaning, fused by reciprocal rank."""
        found = (self.bm25(question, POOL), self.dense(question, POOL))
        return reciprocal_rank_fusion([[row for row, _ in ranking] for ranking in found])[:k]

    def ppr(self, question: str, k: int) -> Ranking:
        """Personalised PageRank that restarts at the ends of the facts nearest to the question, as in HippoRAG 2.

        Without that system's LLM filter on the facts and without its synonym edges.
        """
        vector = self._vector(question)
        nodes, weights = self._fact_ends(vector)
        chunks, cosines = self.index.state().scores(vector)
        rows, mass = self.rank.rank(nodes, weights, chunks, PASSAGE_WEIGHT * _unit(cosines))
        return _ranking(rows[:k], mass[:k])

    def hybrid(self, question: str, k: int) -> Ranking:
        """Words and meaning, then up to two more hops over shared names (see the module)."""
        found = self.walk(question)
        table = self.corpus().links.table
        best = best_places(found.scores, k)
        return _ranking(table.rows[best], found.scores[best])

    def found(self, question: str, k: int) -> list[tuple[int, Passage]]:
        """The k best by `hybrid`, with their texts: (chunk row, passage)."""
        ranking = self.hybrid(question, k)
        chunks = [chunk for _, chunk in self.kg.store.chunks([row for row, _ in ranking])]
        titles = [self.kg.store.source(chunk.source_id).title for chunk in chunks]
        passages = [Passage(title, chunk.text, score) for title, chunk, (_, score) in zip(titles, chunks, ranking, strict=True)]
        return [(row, passage) for (row, _), passage in zip(ranking, passages, strict=True)]

    def excerpts(self, question: str, k: int, tokens: int, known: Sequence[str] = ()) -> list[tuple[int, str]]:
        """Sentences of the k best passages most worth reading beside the `known`, in `tokens` WordPieces: (chunk row, text)."""
        found = self.found(question, k)
        rarity, passages = self.corpus().links.table.rarity, [passage for _, passage in found]
        chosen = excerpts(question, passages, rarity, self.scorer.sentence, self.encoder, tokens, known)
        return [(found[i][0], text) for i, text in chosen]

    def walk(self, question: str) -> Walk:
        """Every passage by place in the word table, with the features of the ways that lead to it."""
        corpus = self.corpus()
        table = corpus.links.table
        asked = Asked.read(question, self.encoder, table)
        lexical = np.zeros(len(table.rows))
        hits = self.bm25(question, POOL)
        if hits:
            places = table.places(np.array([row for row, _ in hits]))
            lexical[places[places >= 0]] = np.array([score for _, score in hits])[places >= 0] / hits[0][1]
        base = alone(asked, table, corpus.vectors @ asked.vector, lexical)
        return walk(asked, corpus, base, self.scorer)

    def corpus(self) -> Corpus:
        """Words, names and vectors in step with the store; nothing is read again while the store does not change."""
        known = self._corpus
        if known is not None and known[0] == self.kg.store.seq:
            return known[1]
        with self._guard:
            return self._current()

    def _current(self) -> Corpus:
        seq = self.kg.store.seq
        if self._corpus is None or self._corpus[0] != seq:
            table, state = self.words.table(), self.index.state()
            whole = np.array_equal(state.rows, table.rows) and not state.dead.any() and not len(state.new_rows)
            vectors = np.asarray(state.vectors) if whole else state.take(table.rows)
            self._corpus = seq, Corpus(Links(self.kg, table), vectors)
        return self._corpus[1]

    def _fact_ends(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Node rows of the best facts and the mean score of the facts each of them ends."""
        rows, scores = self.facts.state().scores(vector)
        best = np.lexsort((rows, -scores))[:FACTS]
        ends: dict[str, list[float]] = {}
        for triple, score in zip(self.kg.store.triples_at(rows[best]), _unit(scores)[best], strict=True):
            for node in (triple.subject, triple.object):
                ends.setdefault(node.id, []).append(float(score))
        nodes = [self.kg.store.row_of(node) for node in ends]
        return np.array(nodes, dtype=np.int64), np.array([np.mean(values) for values in ends.values()])

    def _vector(self, question: str) -> np.ndarray:
        vector: np.ndarray = self.encoder.encode([question])[0]
        return vector


def _unit(scores: np.ndarray) -> np.ndarray:
    """Scaled so that the lowest is 0 and the highest 1."""
    low, high = (scores.min(), scores.max()) if len(scores) else (0.0, 0.0)
    scaled: np.ndarray = (scores - low) / (high - low) if high > low else np.ones(len(scores))
    return scaled


def _ranking(rows: np.ndarray, scores: np.ndarray) -> Ranking:
    return list(zip(rows.tolist(), scores.tolist(), strict=True))


__all__ = ["PassageSearch", "Ranking"]
