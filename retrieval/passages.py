"""Passage search over an open corpus: by words, by meaning, by a walk over the graph, and all of it with a second hop.

    search = PassageSearch(kg, Encoder.default())
    search.hybrid("Where was the founder of Brightwater Labs born?", 5)   # [(chunk row, score), ...]

A multi-hop question names the first passage it needs but not the second. `hybrid` therefore follows the entities of its
best first passages to the passages that share them, and prefers the passage that is *about* such an entity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import normalize
from .dense import DenseIndex, FactIndex
from .encoder import Progress, TextEncoder
from .fusion import reciprocal_rank_fusion
from .pagerank import PassageRank

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

Ranking = list[tuple[int, float]]  # (chunk row, score), best first

POOL = 200  # chunks that each first-stage search hands on
FACTS = 5  # facts where the walk of `ppr` restarts
PASSAGE_WEIGHT = 0.05  # of the dense scores among the restarts of `ppr`

# The weights of `hybrid` were chosen by hand on development questions of MuSiQue, HotpotQA and 2Wiki together, so figures on
# those are on the hopeful side. Most may be halved or doubled for less than two points of recall@5; KEEP may not.
LEXICAL = 0.4  # of BM25, divided by the best BM25 score of the question, beside the cosine
NAMED = 0.2  # added to the passage about something that the question names
ABOUT = 0.2  # added to a second passage that is about an entity of the first
RARE = 0.05  # added for the rarity of the shared entity: 1 when no other passage has it, 0 when all have
KEEP = 0.6  # share of the first passage's score in the score of the second
LEAN = 0.25  # how far the question vector moves towards the first passage before it is compared with the second
SEEDS = 5  # first passages that are followed
COMMON = 30  # an entity in more passages than this says too little to be followed


class PassageSearch:
    """Rankings of the chunks of a knowledge graph. All of them return at most k (chunk row, score), best first.

    Args:
        kg: the graph; every search sees its last committed state.
        encoder: makes question vectors, and chunk vectors that are missing.
    """

    def __init__(self, kg: KnowledgeGraph, encoder: TextEncoder) -> None:
        self.kg, self.encoder = kg, encoder
        self.index, self.facts, self.walk = DenseIndex(kg, encoder), FactIndex(kg, encoder), PassageRank(kg)
        self._links: tuple[int, _Links] | None = None

    def refresh(self, progress: Progress | None = None) -> int:
        """Encode what is new, so that the first question does not have to; returns the number of texts."""
        return self.index.refresh(progress)

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
        rows, mass = self.walk.rank(nodes, weights, chunks, PASSAGE_WEIGHT * _unit(cosines))
        return _ranking(rows[:k], mass[:k])

    def hybrid(self, question: str, k: int) -> Ranking:
        """Words and meaning, then one hop over shared entities (see the module)."""
        vector = self._vector(question)
        links = self.links()
        rows, base, cosine = self._first(question, vector, links)
        if not len(rows):
            return []
        best = base.copy()
        index = self.index.state()
        for spot in np.lexsort((rows, -base))[:SEEDS]:
            others, bonus = links.around(int(rows[spot]))
            places = np.searchsorted(rows, others)
            known = (places < len(rows)) & (rows[np.minimum(places, len(rows) - 1)] == others)
            places, bonus, others = places[known], bonus[known], others[known]
            seed = index.take(rows[spot : spot + 1])[0]
            leaning = vector + LEAN * seed
            near = (cosine[places] + LEAN * (index.take(others) @ seed)) / np.linalg.norm(leaning)
            np.maximum.at(best, places, KEEP * base[spot] + (1 - KEEP) * near + bonus)
        order = np.lexsort((rows, -best))[:k]
        return _ranking(rows[order], best[order])

    def links(self) -> _Links:
        """What connects passages, in step with the store."""
        seq = self.kg.store.seq
        if self._links is None or self._links[0] != seq:
            self._links = seq, _Links.build(self.kg)
        return self._links[1]

    def _first(self, question: str, vector: np.ndarray, links: _Links) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows ascending, score, cosine) of every passage from words, meaning and names alone."""
        dense_rows, cosines = self.index.state().scores(vector)
        lexical = self.bm25(question, POOL)
        named = links.named(question)
        found = np.array([row for row, _ in lexical], dtype=np.int64)
        rows = np.unique(np.concatenate([dense_rows, found, named]))
        cosine = np.zeros(len(rows), dtype=np.float64)
        cosine[np.searchsorted(rows, dense_rows)] = cosines
        score = cosine.copy()
        if lexical:
            score[np.searchsorted(rows, found)] += LEXICAL * np.array([value for _, value in lexical]) / lexical[0][1]
        score[np.searchsorted(rows, named)] += NAMED
        return rows, score, cosine

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


class _Links:
    """Which passages share which entities, and which passage is about what (the first chunk of a source with its title)."""

    def __init__(self, nodes: np.ndarray, chunks: np.ndarray, about: dict[int, set[int]], titles: dict[str, set[int]]) -> None:
        """`nodes[i]` is mentioned in `chunks[i]`; `about` maps nodes, `titles` normalised titles to chunks."""
        self.about, self.titles = about, titles
        self._of_node, self._of_chunk = _Groups(nodes, chunks), _Groups(chunks, nodes)
        self._scale = float(np.log(max(len(np.unique(chunks)), 2)))

    @classmethod
    def build(cls, kg: KnowledgeGraph) -> _Links:
        first = {chunk.source_id: row for row, chunk in kg.store.chunks() if chunk.start == 0}
        about: dict[int, set[int]] = {}
        titles: dict[str, set[int]] = {}
        for source in kg.store.sources():
            title = normalize(_QUALIFIER.sub("", source.title))
            if not title or source.id not in first:
                continue
            titles.setdefault(title, set()).add(first[source.id])
            for node in kg.store.alias_rows(title):
                about.setdefault(node, set()).add(first[source.id])
        return cls(*kg.store.mentions(), about, titles)

    def around(self, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        """(chunk rows, bonus) of the passages that share an entity with this one; the best bonus where several do."""
        found: dict[int, float] = {}
        for node in self._of_chunk[chunk].tolist():
            sharing = self._of_node[node].tolist()
            if len(sharing) > COMMON:
                continue
            rarity = RARE * (1 - np.log(len(sharing)) / self._scale)
            topics = self.about.get(node, set())
            for other in {*sharing, *topics} - {chunk}:
                found[other] = max(found.get(other, 0.0), rarity + (ABOUT if other in topics else 0.0))
        return np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float64)

    def named(self, question: str) -> np.ndarray:
        """Chunks about something whose title stands in the question, longest titles first, no word used twice."""
        words = normalize(question).split()
        rows: set[int] = set()
        i = 0
        while i < len(words):
            ends = range(min(len(words), i + _LONGEST_TITLE), i, -1)
            end = next((j for j in ends if len(title := " ".join(words[i:j])) > 3 and title in self.titles), 0)
            if end:
                rows |= self.titles[" ".join(words[i:end])]
            i = end or i + 1
        return np.array(sorted(rows), dtype=np.int64)


class _Groups:
    """`groups[key]`: the values that go with a key."""

    def __init__(self, keys: np.ndarray, values: np.ndarray) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._values = keys[order], values[order]

    def __getitem__(self, key: int) -> np.ndarray:
        start, end = np.searchsorted(self._keys, [key, key + 1])
        return self._values[start:end]


_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")  # Silver (film) is about Silver
_LONGEST_TITLE = 12


def _unit(scores: np.ndarray) -> np.ndarray:
    """Scaled so that the lowest is 0 and the highest 1."""
    low, high = (scores.min(), scores.max()) if len(scores) else (0.0, 0.0)
    scaled: np.ndarray = (scores - low) / (high - low) if high > low else np.ones(len(scores))
    return scaled


def _ranking(rows: np.ndarray, scores: np.ndarray) -> Ranking:
    return list(zip(rows.tolist(), scores.tolist(), strict=True))


__all__ = ["PassageSearch", "Ranking"]
