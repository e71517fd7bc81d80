"""Which chunks hold which words: stems as integers, kept in step with the store.

A question says a few words; how much of them a passage explains, alone or together with another passage, is what the
second hop is chosen by. Full-text search cannot tell that, so the words of every chunk are kept as sorted integers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kg.generations import changes, position
from ..kg.model import normalize
from .wordings import stem

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

_KIND = "words"
_REPUBLISH = 1024  # changed chunks after which the table is published again
STOPWORDS = frozenset(
    "a an and are as at be been but by did do does for from had has have he her him his how i in into is it its of on or she "
    "that the their them then there these they this those to was we were what when where which who whom whose why will with "
    "you your also after although both during however most one other since some such".split()
)
_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")  # Silver (film) is about Silver


@lru_cache(maxsize=262_144)
def word_key(word: str) -> int:
    """A word's stem as an integer (CRC-32; two stems of one corpus share one with a chance of about one in ten thousand)."""
    return zlib.crc32(stem(word).encode("utf-8", "surrogatepass"))


def word_keys(text: str) -> list[int]:
    """Stems of the words of a text, in order."""
    return [word_key(word) for word in normalize(text).split()]


@lru_cache(maxsize=65_536)
def name_words(name: str) -> tuple[tuple[int, ...], int]:
    """(word keys, `name_key`) of a name."""
    return tuple(word_keys(name)), name_key(name)


def name_key(name: str) -> int:
    """A name as an integer: normalised, without a qualifier in brackets at its end; 0 for a name without letters."""
    plain = normalize(_QUALIFIER.sub("", name))
    return zlib.crc32(plain.encode("utf-8", "surrogatepass")) if plain else 0


@dataclass(frozen=True, slots=False, eq=False)
class WordTable:
    """An immutable state: chunk i (ascending by row) holds `words[starts[i]:starts[i + 1]]`, each word once.

    Attributes:
        rows: int64 [n] chunk rows.
        names: int64 [n] `name_key` of the title of the chunk's source, for its first chunk; 0 for others.
        words: int64 [m] word keys of text and title.
        starts: int64 [n + 1].
        title_words: int64 [t] word keys of the title.
        title_starts: int64 [n + 1].
    """

    rows: np.ndarray
    names: np.ndarray
    words: np.ndarray
    starts: np.ndarray
    title_words: np.ndarray
    title_starts: np.ndarray

    @cached_property
    def _holders(self) -> Groups:
        return Groups(self.words, np.repeat(np.arange(len(self.rows)), np.diff(self.starts)))

    @cached_property
    def _named(self) -> Groups:
        return Groups(self.names, np.arange(len(self.rows)))

    def holding(self, word: int) -> np.ndarray:
        """Places (not rows) of the chunks that hold a word, ascending."""
        return self._holders[word]

    def holding_all(self, words: Sequence[int]) -> np.ndarray:
        """Places of the chunks that hold every one of these words, ascending."""
        found = sorted((self.holding(word) for word in set(words)), key=len)
        places = found[0]
        for more in found[1:]:
            if len(places):
                places = places[more[np.minimum(np.searchsorted(more, places), len(more) - 1)] == places]
        return places

    def rarity(self, word: int) -> float:
        """How much a word says: high for one that few chunks hold, 0 for one that none holds."""
        held = len(self.holding(word))
        return float(np.log((len(self.rows) + 1) / (held + 0.5))) if held else 0.0

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Where chunk rows stand in the table, -1 for one that is not there."""
        if not len(self.rows):
            return np.full(len(rows), -1)
        spots = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[spots] == rows, spots, -1)

    @cached_property
    def titles(self) -> frozenset[int]:
        """The name keys of all titles."""
        return frozenset(self.names.tolist()) - {0}

    @cached_property
    def words_of_titles(self) -> frozenset[int]:
        """Every word key that stands in a title."""
        return frozenset(self.title_words.tolist())

    def about(self, name: int) -> np.ndarray:
        """Places of the first chunks of sources with this title."""
        return self._named[name] if name else _NONE

    def about_name(self, name: str) -> np.ndarray:
        """As `about`, of a name in letters."""
        return self.about(name_key(name))

    def title(self, place: int) -> np.ndarray:
        """Word keys of the title over the chunk at a place."""
        return self.title_words[self.title_starts[place] : self.title_starts[place + 1]]

    def take(self, kept: np.ndarray, added: WordTable) -> WordTable:
        """The chunks where `kept` [n] and those of `added`, by row."""
        rows = np.concatenate([self.rows[kept], added.rows])
        order = np.argsort(rows, kind="stable")
        pieces: list[np.ndarray] = []
        for words, starts, more, more_starts in (
            (self.words, self.starts, added.words, added.starts),
            (self.title_words, self.title_starts, added.title_words, added.title_starts),
        ):
            lengths = np.concatenate([np.diff(starts)[kept], np.diff(more_starts)])
            flat = np.concatenate([words[np.repeat(kept, np.diff(starts))], more])
            pieces += _reorder(flat, lengths, order)
        names = np.concatenate([self.names[kept], added.names])
        return WordTable(rows[order], names[order], *pieces)


class Groups:
    """`groups[key]`: the values that go with a key, in their order."""

    def __init__(self, keys: np.ndarray, values: np.ndarray) -> None:
        known, counts = np.unique(keys, return_counts=True)
        ends = np.cumsum(counts)
        self._values = values[np.argsort(keys, kind="stable")]
        self._slices = dict(zip(known.tolist(), zip((ends - counts).tolist(), ends.tolist())))

    def __getitem__(self, key: int) -> np.ndarray:
        start, end = self._slices.get(key, (0, 0))
        return self._values[start:end]


def _reorder(flat: np.ndarray, lengths: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Groups of a flat array in a new order: (flat, starts)."""
    if (np.diff(order) == 1).all():
        return flat, np.concatenate([[0], np.cumsum(lengths)])
    begins = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    sizes = lengths[order]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    index = np.repeat(begins[order] - starts[:-1], sizes) + np.arange(starts[-1])
    return flat[index], starts


class WordIndex:
    """The word table of a knowledge graph, in step with the store: changed chunks are read, the others are not."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self._state: tuple[WordTable, dict[str, Any]] | None = None
        self._pending = 0

    def table(self) -> WordTable:
        """The table in step with the store; the same object while no chunk changed."""
        store = self.kg.store
        if self._state is not None and self._state[1]["seq"] == store.seq:
            return self._state[0]
        state = self._state or _load(self.kg)
        meta = position(store)
        delta = None if state is None else changes(store, state[1])
        if state is None or delta is None:
            table, self._pending = _read(self.kg, None), -1
        else:
            table, gone = state[0], np.union1d(delta.chunks_gone, delta.chunks_new)
            if len(gone):
                table = table.take(~np.isin(table.rows, gone), _read(self.kg, delta.chunks_new))
            self._pending += len(gone)
        if not 0 <= self._pending <= max(_REPUBLISH, len(table.rows) // 10):
            self.kg.generations.publish(_KIND, {name: getattr(table, name) for name in _ARRAYS}, meta)
            self._pending = 0
        self._state = table, meta
        return table


_NONE = np.empty(0, dtype=np.int64)
_ARRAYS = ("rows", "names", "words", "starts", "title_words", "title_starts")


def _load(kg: KnowledgeGraph) -> tuple[WordTable, dict[str, Any]] | None:
    generation = kg.generations.current(_KIND)
    if generation is None or any(name not in generation.arrays for name in _ARRAYS):
        return None
    return WordTable(*(np.array(generation.array(name)) for name in _ARRAYS)), dict(generation.meta)


def _read(kg: KnowledgeGraph, rows: np.ndarray | None) -> WordTable:
    """The words of these chunks, of all where None."""
    titles = {source.id: source.title for source in kg.store.sources()}
    found = []
    for row, chunk in kg.store.chunks(rows):
        title = titles.get(chunk.source_id, "")
        over = set(word_keys(title))
        found.append(
            (row, name_key(title) if chunk.start == 0 and title else 0, sorted({*word_keys(chunk.text), *over}), sorted(over))
        )
    found.sort()
    words, starts = _flat([item[2] for item in found])
    title_words, title_starts = _flat([item[3] for item in found])
    ids, names = (np.array([item[i] for item in found], dtype=np.int64) for i in (0, 1))
    return WordTable(ids, names, words, starts, title_words, title_starts)


def _flat(groups: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([[0], np.cumsum([len(group) for group in groups])]).astype(np.int64)
    return np.array([key for group in groups for key in group], dtype=np.int64), starts


__all__ = ["STOPWORDS", "Groups", "WordIndex", "WordTable", "name_key", "name_words", "word_key", "word_keys"]
