"""Ways from one passage to the next: names that stand in both, as entities of the graph or as capitalised words.

The graph knows that two spellings are one entity; the words know that "Hinds County, Mississippi" also names Mississippi.
What is spelled where stands in the word table and in `mentions`. What follows from them for one passage is worked out when
a question first leaves it, and kept: it is the same for every question, but for the choice among the holders of common names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .mentions import Mentions
from .words import Groups, WordTable, among

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

COMMON = 40  # passages a name is followed to; the best for the rest of the question where more hold it
_KEPT = 1024  # passages whose names are kept


class Ways(NamedTuple):
    """Steps from one passage, one entry per (name, passage): all arrays [m].

    Attributes:
        names: which of the passage's names.
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


@dataclass(frozen=True, eq=False)
class Passage:
    """What is known of a passage before any question; k names, and where and how they are said.

    Attributes:
        names: the names that stand in it, and those that its entities go by, as word keys.
        words: int64 [t] word keys of its text, in order.
        spoken, starts, ends: int64 [s] a name, the first of these words it stands at and the one after its last.
        owners, held: int64 [w] a name and a word of it, each once per name.
        rarity, back: float64 [k] as in `Ways`.
        ways: over the names that at most `COMMON` passages hold.
        common: for each other name (which, its holders, what is about it).
    """

    names: list[tuple[int, ...]]
    words: np.ndarray
    spoken: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    owners: np.ndarray
    held: np.ndarray
    rarity: np.ndarray
    back: np.ndarray
    ways: Ways
    common: list[tuple[int, np.ndarray, np.ndarray]]


class Links:
    """Names of passages by place in a word table."""

    def __init__(self, kg: KnowledgeGraph, table: WordTable) -> None:
        self.kg, self.table = kg, table
        self._mentions = Mentions.of(kg)
        nodes, chunks = self._mentions.nodes, self._mentions.chunks
        places = table.places(chunks)
        known = places >= 0
        self._of_node, self._of_place = Groups(nodes[known], places[known]), Groups(places[known], nodes[known])
        self._scale = float(np.log(max(len(table.rows), 2)))
        self._passages: dict[int, Passage] = {}

    def names(self, place: int) -> dict[tuple[int, ...], tuple[int, np.ndarray]]:
        """Names that stand in a passage: word keys to (name key, places of all passages that hold it)."""
        table, mentions = self.table, self._mentions
        found: dict[tuple[int, ...], tuple[int, np.ndarray]] = {}
        nodes = self._of_place[place]
        for node, spot in zip(nodes.tolist(), np.searchsorted(mentions.entities, nodes).tolist()):
            label = tuple(mentions.words[mentions.starts[spot] : mentions.starts[spot + 1]].tolist())
            places = self._of_node[node]
            found[label] = int(mentions.keys[spot]), np.union1d(places, found[label][1]) if label in found else places
        for name, key in table.spelled(place).items():
            places = table.holding_all(name)
            if name in found and len(found[name][1]) > 1:
                places = _joined(places, found[name][1])
            found[name] = key, places
        found.pop((), None)
        return found

    def passage(self, place: int) -> Passage:
        """What is known of a passage before any question."""
        if (known := self._passages.get(place)) is None:
            if len(self._passages) >= _KEPT:
                self._passages.clear()
            known = self._passages[place] = self._read(place)
        return known

    def around(self, place: int, worth: np.ndarray) -> Ways:
        """The ways to the passages that share a name with this one.

        Args:
            place: of the passage.
            worth: float [n] decides where more passages than `COMMON` hold a name.
        """
        passage, chosen = self.passage(place), []
        for name, holders, about in passage.common:
            best = holders[np.argpartition(-worth[holders], COMMON)[:COMMON]]
            chosen.append((name, best, about))
        if not chosen:
            return passage.ways
        more = self._ways(place, chosen, passage.owners, passage.held, passage.rarity, passage.back)
        return Ways(*(np.concatenate(parts) for parts in zip(passage.ways, more, strict=True)))

    def _read(self, place: int) -> Passage:
        table, found = self.table, self.names(place)
        names, words = list(found), table.text(place)
        sets = [sorted(set(name)) for name in names]
        owners = np.repeat(np.arange(len(names)), [len(one) for one in sets])
        held = np.array([word for one in sets for word in one], dtype=np.int64)
        rarity = np.array([1 - np.log(max(len(holders), 1)) / self._scale for _, holders in found.values()])
        own = sorted(set(table.title(place).tolist()))
        back = np.array([bool(own) and own == one for one in sets], dtype=float)
        leads = [(i, holders, table.about(key)) for i, (key, holders) in enumerate(found.values())]
        few = [lead for lead in leads if len(lead[1]) <= COMMON]
        ways = self._ways(place, few, owners, held, rarity, back)
        common = [lead for lead in leads if len(lead[1]) > COMMON]
        return Passage(names, words, *_spoken(names, tuple(words.tolist())), owners, held, rarity, back, ways, common)

    def _ways(
        self,
        place: int,
        leads: list[tuple[int, np.ndarray, np.ndarray]],
        owners: np.ndarray,
        held: np.ndarray,
        rarity: np.ndarray,
        back: np.ndarray,
    ) -> Ways:
        """Ways from a passage over (name, its holders, what is about it)."""
        reached = [_joined(holders, about) if len(about) else holders for _, holders, about in leads]
        which = np.repeat(np.array([name for name, _, _ in leads], dtype=np.int64), [len(places) for places in reached])
        places = np.concatenate([*reached, np.empty(0, dtype=np.int64)]).astype(np.int64)
        kept = places != place
        which, places = which[kept], places[kept]
        topics = np.array([(name << 32) | topic for name, _, about in leads for topic in about.tolist()], dtype=np.int64)
        about = among(np.sort(topics), (which << 32) | places).astype(float)
        return Ways(which, places, rarity[which], about, self._overlap(which, places, owners, held), back[which])

    def _overlap(self, which: np.ndarray, places: np.ndarray, owners: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Jaccard of the words of title and name, per way."""
        table = self.table
        sizes = np.diff(table.title_starts)[places]
        ends = np.cumsum(sizes)
        way = np.repeat(np.arange(len(places)), sizes)
        titles = table.title_words[np.repeat(table.title_starts[places] - ends + sizes, sizes) + np.arange(len(way))]
        same = among((owners << 32) | held, (which[way] << 32) | titles)  # ascending: name by name, its words in order
        shared = np.bincount(way[same], minlength=len(places))
        lengths = np.bincount(owners, minlength=which.max(initial=-1) + 1)
        jaccard: np.ndarray = shared / np.maximum(sizes + lengths[which] - shared, 1)
        return jaccard


def _spoken(names: list[tuple[int, ...]], words: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where names stand in a text: arrays (name, first word, end)."""
    where: dict[int, list[int]] = {}
    for i, word in enumerate(words):
        where.setdefault(word, []).append(i)
    spots = [
        (i, at, at + len(name))
        for i, name in enumerate(names)
        for at in where.get(name[0], ())
        if words[at : at + len(name)] == name
    ]
    which, starts, ends = np.array(spots, dtype=np.int64).reshape(-1, 3).T
    return which, starts, ends


def _joined(places: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Both, ascending; most often the few that are more are there already."""
    return places if among(places, more).all() else np.union1d(places, more)


__all__ = ["COMMON", "Links", "Passage", "Ways"]
