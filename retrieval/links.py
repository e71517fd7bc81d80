"""Ways from one passage to the next: names that stand in both, as entities of the graph or as capitalised words.

The graph knows that two spellings are one entity; the words know that "Hinds County, Mississippi" also names Mississippi.
Names are read from the text of the one passage a question follows, so nothing has to be prepared for the rest.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .words import STOPWORDS, Groups, WordTable, name_words, word_key

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

COMMON = 40  # passages a name is followed to; the best for the rest of the question where more hold it
_LONGEST_NAME = 6  # words of a title looked for in a text
_CAPITALISED = re.compile(
    r"[^\W\d_a-z][\w'’-]*(?:\.(?=\s?[A-Z]\b))?(?:\s+(?:(?:of|de|la|von|van|der|the|du|del|al)\s+)*[^\W\d_a-z][\w'’-]*)*"
)


class Ways(NamedTuple):
    """Steps from one passage, one entry per (name, passage): all arrays [m].

    Attributes:
        names: which of the `words` lists.
        places: of the passages in the word table.
        rarity: 1 for a name that no other passage holds, 0 for one that all hold.
        about: whether the passage's title is this name.
        partly: shared words of title and name, divided by the words of both (Jaccard).
        back: the name is the title of the passage that was left.
    """

    names: np.ndarray
    places: np.ndarray
    rarity: np.ndarray
    about: np.ndarray
    partly: np.ndarray
    back: np.ndarray


class Links:
    """Names of passages by place in a word table."""

    def __init__(self, kg: KnowledgeGraph, table: WordTable) -> None:
        nodes, chunks = kg.store.mentions()
        places = table.places(chunks)
        known = places >= 0
        self.kg, self.table = kg, table
        self._of_node, self._of_place = Groups(nodes[known], places[known]), Groups(places[known], nodes[known])
        self._scale = float(np.log(max(len(table.rows), 2)))
        self._labels: dict[int, tuple[tuple[int, ...], int]] = {}

    def names(self, place: int, text: str, words: list[str]) -> dict[tuple[int, ...], tuple[int, np.ndarray]]:
        """Names that stand in a passage: word keys to (name key, places of all passages that hold it)."""
        table = self.table
        found: dict[tuple[int, ...], tuple[int, np.ndarray]] = {}
        for node in self._of_place[place].tolist():
            label, key = self._labels[node]
            places = self._of_node[node]
            found[label] = key, np.union1d(places, found[label][1]) if label in found else places
        for name, key in _spelled(text, words, table).items():
            places = table.holding_all(name)
            if name in found and len(found[name][1]) > 1:
                places = np.union1d(places, found[name][1])
            found[name] = key, places
        found.pop((), None)
        return found

    def meet(self, places: list[int]) -> None:
        """Read the labels of the entities of these passages, all at once; needed before `names` and `around`."""
        new = sorted({node for place in places for node in self._of_place[place].tolist()} - self._labels.keys())
        for row, node in zip(new, self.kg.store.nodes(new) if new else ()):
            self._labels[row] = name_words(node.label)

    def around(self, place: int, text: str, words: list[str], worth: np.ndarray) -> tuple[list[tuple[int, ...]], Ways]:
        """(names, ways) to the passages that share a name with this one.

        Args:
            place: of the passage.
            text: of the passage.
            words: the normalised text, split.
            worth: float [n] decides where more passages than `COMMON` hold a name.
        """
        table = self.table
        own = set(table.title(place).tolist())
        names = self.names(place, text, words)
        reached, topics = [], []
        for key, holders in names.values():
            about = table.about(key)
            if len(holders) > COMMON:
                holders = holders[np.argpartition(-worth[holders], COMMON)[:COMMON]]
            reached.append(np.union1d(holders, about) if len(about) else holders)
            topics.append(about)
        sizes = [len(places) for places in reached]
        which = np.repeat(np.arange(len(names)), sizes)
        places = np.concatenate([*reached, np.empty(0, dtype=np.int64)]).astype(np.int64)
        pairs = np.array([(i << 32) | p for i, about in enumerate(topics) for p in about.tolist()], dtype=np.int64)
        rarity = np.array([1 - np.log(max(len(holders), 1)) / self._scale for _, holders in names.values()])
        back = np.array([bool(own) and own == set(words) for words in names], dtype=float)
        kept = places != place
        which, places = which[kept], places[kept]
        about = np.isin((which << 32) | places, pairs).astype(float)
        ways = Ways(which, places, rarity[which], about, self._overlap(which, places, list(names)), back[which])
        return list(names), ways

    def _overlap(self, which: np.ndarray, places: np.ndarray, names: list[tuple[int, ...]]) -> np.ndarray:
        """Jaccard of the words of title and name, per way."""
        table = self.table
        sizes = np.diff(table.title_starts)[places]
        starts = np.cumsum(sizes) - sizes
        owner = np.repeat(np.arange(len(places)), sizes)
        titles = table.title_words[np.repeat(table.title_starts[places] - starts, sizes) + np.arange(len(owner))]
        pairs = np.array([(i << 32) | word for i, words in enumerate(names) for word in set(words)], dtype=np.int64)
        shared = np.bincount(owner[np.isin((which[owner] << 32) | titles, pairs)], minlength=len(places))
        lengths = np.array([len(set(words)) for words in names], dtype=np.int64)
        jaccard: np.ndarray = shared / np.maximum(sizes + lengths[which] - shared, 1)
        return jaccard


def _spelled(text: str, words: list[str], table: WordTable) -> dict[tuple[int, ...], int]:
    """Names spelled in a text, word keys to name key: what is capitalised, and titles of the corpus in any case."""
    found: dict[tuple[int, ...], int] = {}
    for match in _CAPITALISED.finditer(text):
        name = match[0]
        first, _, others = name.partition(" ")
        if first.lower() in STOPWORDS:
            name = others
        for part in {name, name.rpartition(" of ")[2]}:
            if len(part) > 2:
                words_of, key = name_words(part)
                found[words_of] = key
    keys = [word_key(word) for word in words]
    encoded = [f" {word}".encode("utf-8", "surrogatepass") for word in words]
    for i in range(len(words)):
        key = zlib.crc32(encoded[i][1:])
        for j in range(i, min(len(words), i + _LONGEST_NAME)):
            if keys[j] not in table.words_of_titles:
                break
            key = zlib.crc32(encoded[j], key) if j > i else key
            if key in table.titles and (j > i or (len(words[i]) > 3 and words[i] not in STOPWORDS)):
                found[tuple(keys[i : j + 1])] = key
    return found


__all__ = ["COMMON", "Links", "Ways"]
