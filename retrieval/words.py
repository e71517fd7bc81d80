"""Which chunks hold which words and spell which names: stems as integers, kept in step with the store.

A question says a few words; how much of them a passage explains, alone or together with another passage, is what the
second hop is chosen by. Full-text search cannot tell that, so the words of every chunk are kept as integers: sorted, to
look them up, and in the order of the text, to see what stands beside a name. No text is read for a question.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from itertools import accumulate
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
_CAPITALISED = re.compile(
    r"[^\W\d_a-z][\w'’-]*(?:\.(?=\s?[A-Z]\b))?(?:\s+(?:(?:of|de|la|von|van|der|the|du|del|al)\s+)*[^\W\d_a-z][\w'’-]*)*"
)
_LONGEST_NAME = 6  # words of a title looked for in a text
_FACTOR, _MASK = 0x5851F42D4C957F2D, 2**63 - 1  # of a name's key, a polynomial of its words


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
    """A name as an integer: its normalised words, without a qualifier in brackets at its end; 0 for a name without any."""
    keys = name_keys(normalize(_QUALIFIER.sub("", name)).split())
    return keys[-1] if keys else 0


def name_keys(words: Sequence[str]) -> list[int]:
    """The `name_key` of the first of these normalised words, of the first two, and so on."""
    return list(accumulate(map(_spelling, words), lambda key, word: (key * _FACTOR + word) & _MASK))


@lru_cache(maxsize=262_144)
def _spelling(word: str) -> int:
    """A word as it is spelled (not its stem), 1 to 2**32."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) + 1


def capitalised(text: str) -> dict[tuple[int, ...], int]:
    """Names that a text spells with capitals: word keys to name key."""
    found: dict[tuple[int, ...], int] = {}
    for match in _CAPITALISED.finditer(text):
        name = match[0]
        first, _, others = name.partition(" ")
        if first.lower() in STOPWORDS:
            name = others
        for part in dict.fromkeys((name, name.rpartition(" of ")[2])):
            if len(part) > 2:
                words, key = name_words(part)
                found[words] = key
    return found


@dataclass(frozen=True, slots=False, eq=False)
class WordTable:
    """An immutable state: chunk i (ascending by row) holds `words[starts[i]:starts[i + 1]]`, each word once.

    Attributes:
        rows: int64 [n] chunk rows.
        title_keys: int64 [n] `name_key` of the title of the chunk's source, for its first chunk; 0 for others.
        telling: bool [n] whether that title is taken for a name wherever it stands: not a single short or function word.
        words: int64 [m] word keys of text and title.
        starts: int64 [n + 1].
        title_words: int64 [t] word keys of the title.
        title_starts: int64 [n + 1].
        tokens: uint32 [k] word keys of the text, in order.
        spellings: uint64 [k] the same words as they are spelled.
        token_starts: int64 [n + 1].
        capitals: int64 [c] names that the text spells with capitals: for each its key, how many words, their keys.
        capital_starts: int64 [n + 1].
    """

    rows: np.ndarray
    title_keys: np.ndarray
    telling: np.ndarray
    words: np.ndarray
    starts: np.ndarray
    title_words: np.ndarray
    title_starts: np.ndarray
    tokens: np.ndarray
    spellings: np.ndarray
    token_starts: np.ndarray
    capitals: np.ndarray
    capital_starts: np.ndarray

    @cached_property
    def _holders(self) -> Groups:
        return Groups(self.words, np.repeat(np.arange(len(self.rows)), np.diff(self.starts)))

    @cached_property
    def _named(self) -> Groups:
        return Groups(self.title_keys, np.arange(len(self.rows)))

    def holding(self, word: int) -> np.ndarray:
        """Places (not rows) of the chunks that hold a word, ascending."""
        return self._holders[word]

    def holding_all(self, words: Sequence[int]) -> np.ndarray:
        """Places of the chunks that hold every one of these words, ascending."""
        places, *others = sorted((self.holding(word) for word in set(words)), key=len)
        for more in others:
            places = places[among(more, places)]
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
    def _titles(self) -> np.ndarray:
        """The keys of all telling titles, ascending."""
        return np.unique(self.title_keys[self.telling & (self.title_keys != 0)])

    @cached_property
    def title_owners(self) -> np.ndarray:
        """int64 [t] the chunk that each word of `title_words` stands over."""
        return np.repeat(np.arange(len(self.rows)), np.diff(self.title_starts))

    def about(self, name: int) -> np.ndarray:
        """Places of the first chunks of sources with this title."""
        return self._named[name] if name else _NONE

    def about_name(self, name: str) -> np.ndarray:
        """As `about`, of a name in letters."""
        return self.about(name_key(name))

    def title(self, place: int) -> np.ndarray:
        """Word keys of the title over the chunk at a place."""
        return self.title_words[self.title_starts[place] : self.title_starts[place + 1]]

    def text(self, place: int) -> np.ndarray:
        """Word keys of a chunk in the order of its text."""
        return self.tokens[self.token_starts[place] : self.token_starts[place + 1]].astype(np.int64)

    def spelled(self, place: int) -> dict[tuple[int, ...], int]:
        """Names spelled in a chunk, word keys to name key: what is capitalised, and titles of the corpus in any case."""
        stream = self.capitals[self.capital_starts[place] : self.capital_starts[place + 1]].tolist()
        found: dict[tuple[int, ...], int] = {}
        at = 0
        while at < len(stream):
            end = at + 2 + stream[at + 1]
            found[tuple(stream[at + 2 : end])] = stream[at]
            at = end
        words = self.text(place).tolist()
        for start, end, key in self._titles_in(place):
            found[tuple(words[start:end])] = key
        return found

    def _titles_in(self, place: int) -> list[tuple[int, int, int]]:
        """Where telling titles stand in a chunk: (first word, end, key), in the order of the text."""
        spelled = self.spellings[self.token_starts[place] : self.token_starts[place + 1]]
        keys = np.zeros((min(_LONGEST_NAME, len(spelled)) + 1, len(spelled)), dtype=np.uint64)  # by how many words, less 1
        for more in range(1, len(keys)):
            count = len(spelled) + 1 - more
            keys[more, :count] = keys[more - 1, :count] * np.uint64(_FACTOR) + spelled[more - 1 :]
        names = (keys & np.uint64(_MASK)).astype(np.int64)
        lengths, starts = among(self._titles, names).nonzero()
        found = zip(starts.tolist(), (starts + lengths).tolist(), names[lengths, starts].tolist())
        return sorted(found)

    def take(self, kept: np.ndarray, added: WordTable) -> WordTable:
        """The chunks where `kept` [n] and those of `added`, by row."""
        rows = np.concatenate([self.rows[kept], added.rows])
        order = np.argsort(rows, kind="stable")
        made = {name: np.concatenate([getattr(self, name)[kept], getattr(added, name)])[order] for name in _SINGLE}
        for ends, names in _GROUPED.items():
            starts, more = getattr(self, ends), getattr(added, ends)
            lengths = np.concatenate([np.diff(starts)[kept], np.diff(more)])
            held = np.repeat(kept, np.diff(starts))
            for name in names:
                flat = np.concatenate([getattr(self, name)[held], getattr(added, name)])
                made[name], made[ends] = _reorder(flat, lengths, order)
        return WordTable(**made)


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


def among(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which of the values stand in an ascending array: bool, in the shape of the values."""
    if not len(known):
        return np.zeros(values.shape, dtype=bool)
    spots = known.searchsorted(values)
    found: np.ndarray = known[np.minimum(spots, len(known) - 1, out=spots)] == values
    return found


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
        self._guard = threading.Lock()

    def table(self) -> WordTable:
        """The table in step with the store; the same object while no chunk changed."""
        known = self._state
        if known is not None and known[1]["seq"] == self.kg.store.seq:
            return known[0]
        with self._guard:
            return self._current()

    def _current(self) -> WordTable:
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
_SINGLE = {"rows": np.int64, "title_keys": np.int64, "telling": np.bool_}
_GROUPED = {
    "starts": ("words",),
    "title_starts": ("title_words",),
    "token_starts": ("tokens", "spellings"),
    "capital_starts": ("capitals",),
}
_ARRAYS = tuple(field.name for field in fields(WordTable))


def _load(kg: KnowledgeGraph) -> tuple[WordTable, dict[str, Any]] | None:
    generation = kg.generations.current(_KIND)
    if generation is None or set(generation.arrays) != set(_ARRAYS):
        return None
    return WordTable(*(np.asarray(generation.array(name)) for name in _ARRAYS)), dict(generation.meta)


def _read(kg: KnowledgeGraph, rows: np.ndarray | None) -> WordTable:
    """The words of these chunks, of all where None."""
    titles = {source.id: source.title for source in kg.store.sources()}
    found = []
    for row, chunk in kg.store.chunks(rows):
        title = titles.get(chunk.source_id, "")
        found.append((row, name_key(title) if chunk.start == 0 else 0, _telling(title), _words_of(chunk.text, title)))
    found.sort(key=lambda item: item[0])
    made: dict[str, np.ndarray] = {
        name: np.array([item[i] for item in found], dtype=kind) for i, (name, kind) in enumerate(_SINGLE.items())
    }
    pieces = [_words_of("", ""), *(words for *_, words in found)]  # an empty one first: there may be no other
    for ends, names in _GROUPED.items():
        made[ends] = np.cumsum([len(piece[names[0]]) for piece in pieces])
        made |= {name: np.concatenate([piece[name] for piece in pieces]) for name in names}
    return WordTable(**made)


def _words_of(text: str, title: str) -> dict[str, np.ndarray]:
    """What the word table keeps of one chunk: the arrays of `_GROUPED`."""
    spelled, over = normalize(text).split(), set(word_keys(title))
    tokens = [word_key(word) for word in spelled]
    capitals = [number for name, key in capitalised(text).items() for number in (key, len(name), *name)]
    return {
        "words": np.array(sorted({*tokens, *over}), dtype=np.int64),
        "title_words": np.array(sorted(over), dtype=np.int64),
        "tokens": np.array(tokens, dtype=np.uint32),
        "spellings": np.array([_spelling(word) for word in spelled], dtype=np.uint64),
        "capitals": np.array(capitals, dtype=np.int64),
    }


def _telling(title: str) -> bool:
    words = normalize(_QUALIFIER.sub("", title)).split()
    return len(words) > 1 or (len(words) == 1 and len(words[0]) > 3 and words[0] not in STOPWORDS)


__all__ = [
    "STOPWORDS",
    "Groups",
    "WordIndex",
    "WordTable",
    "among",
    "capitalised",
    "name_key",
    "name_keys",
    "name_words",
    "word_key",
    "word_keys",
]
