"""What the dates of several facts say together, so that a search by day sees it.

Documents date facts unevenly: a register says who owned a yard from when until when, a news item only that it is owned. Three
rules make the intervals agree. (1) Facts that say the same share the narrowest interval that any of them gives. (2) Selling
a thing ends owning it, buying it starts it. (3) Of a relation that allows one holder at a time, a later holder ends the
earlier one's open interval. Facts themselves are not changed: only the adjacency that one search walks.

Every rule looks only at facts that share an end, so a change is followed by looking at the facts around it (`follow`).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..kg.adjacency import KIND as GRAPH
from ..kg.adjacency import Adjacency
from ..kg.generations import changes
from ..kg.store import OPEN_END, OPEN_START
from .wordings import Family

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

KIND = "intervals"
Families = dict[int, tuple[Family, int]]  # family and flip by relation row
_OWNING = ("owns", "acquired", "sold")  # rule 2


class _Facts:
    """Facts as columns, ends in the family's own direction.

    Args:
        adjacency: the graph.
        at: positions of edges in it; a fact may be there once from each end, or once.
    """

    def __init__(
        self, adjacency: Adjacency, at: np.ndarray, families: Sequence[Family], family_of: np.ndarray, flip: np.ndarray
    ) -> None:
        group = np.searchsorted(adjacency.group_start, at, side="right") - 1
        node = np.searchsorted(adjacency.node_groups, group, side="right") - 1
        self.triple, first = np.unique(adjacency.triple[at], return_index=True)
        at, node, key, neighbor = at[first], node[first], adjacency.group_key[group[first]], adjacency.neighbor[at[first]]
        straight = (flip[key >> 1] > 0) == (key % 2 == 0)
        self.families = families
        self.family = family_of[key >> 1]
        self.subject = np.where(straight, node, neighbor).astype(np.int64)
        self.object = np.where(straight, neighbor, node).astype(np.int64)
        self.start = np.array(adjacency.valid_from[at])
        self.end = np.array(adjacency.valid_to[at])

    def narrow(self) -> None:
        """Apply the rules."""
        self._share()
        self._transfer()
        self._succeed()

    def held(self) -> np.ndarray:
        """The node whose other holders rule 3 compares a fact with; -1 where its family allows several at a time."""
        exclusive = np.array([family.exclusive for family in self.families], dtype="U8")[self.family]
        return np.where(exclusive == "subject", self.object, np.where(exclusive == "object", self.subject, -1))

    def _of(self, name: str) -> np.ndarray:
        """Indices of the facts of a family."""
        index = next((i for i, family in enumerate(self.families) if family.name == name), -1)
        return np.flatnonzero(self.family == index)

    def _share(self) -> None:
        """Rule 1: equal facts get the latest start and the earliest end among them, when these agree."""
        states = np.flatnonzero(~np.array([family.event for family in self.families], bool)[self.family])
        pair = (self.subject[states] << 32) | self.object[states]
        order = np.lexsort((pair, self.family[states]))
        states, pair = states[order], pair[order]
        new = (np.diff(pair, prepend=-1) != 0) | (np.diff(self.family[states], prepend=-1) != 0)
        first, same = np.flatnonzero(new), np.cumsum(new) - 1
        if not len(first):
            return
        low, high = np.maximum.reduceat(self.start[states], first), np.minimum.reduceat(self.end[states], first)
        agree = (low < high)[same]
        self.start[states[agree]] = low[same[agree]]
        self.end[states[agree]] = high[same[agree]]

    def _transfer(self) -> None:
        """Rule 2: dated purchases start and dated sales end the ownership of the same two."""
        owns, acquired, sold = map(self._of, _OWNING)
        owned: dict[tuple[int, int], list[int]] = {}
        for i, *ends in zip(owns.tolist(), self.subject[owns].tolist(), self.object[owns].tolist()):
            owned.setdefault((ends[0], ends[1]), []).append(i)
        for events, ends_it in ((acquired, False), (sold, True)):
            for event in events[self.start[events] != OPEN_START].tolist():
                day = int(self.start[event])
                for i in owned.get((int(self.subject[event]), int(self.object[event])), ()):
                    if ends_it and self.start[i] < day:
                        self.end[i] = min(int(self.end[i]), day)
                    elif not ends_it and day < self.end[i]:
                        self.start[i] = max(int(self.start[i]), day)

    def _succeed(self) -> None:
        """Rule 3: in families that allow one holder, a later start ends an earlier open interval."""
        held = self.held()
        started = np.flatnonzero((held >= 0) & (self.start != OPEN_START))
        order = started[np.lexsort((self.start[started], held[started], self.family[started]))]
        holder = np.where(held == self.object, self.subject, self.object)
        for i, j in _followers(order, self.family, holder, held, self.start):
            if self.end[i] == OPEN_END:  # an end that is stated stands, whoever else held it meanwhile
                self.end[i] = self.start[j]


def _followers(
    order: np.ndarray, family: np.ndarray, holder: np.ndarray, held: np.ndarray, start: np.ndarray
) -> list[tuple[int, int]]:
    """(fact, first later-starting fact of its family about the same thing with another holder)."""
    new = (np.diff(held[order], prepend=-1) != 0) | (np.diff(family[order], prepend=-1) != 0)
    run = np.cumsum(new) - 1
    several = (np.bincount(run) > 1)[run] if len(run) else new
    pairs = []
    order, run = order[several], run[several]
    for at, i in enumerate(order.tolist()):
        for later in range(at + 1, len(order)):
            j = int(order[later])
            if run[later] != run[at]:
                break
            if holder[j] != holder[i] and start[j] > start[i]:
                pairs.append((i, j))
                break
    return pairs


def tighten(adjacency: Adjacency, families: Sequence[Family], family_of: np.ndarray, flip: np.ndarray) -> Adjacency:
    """The same edges with the intervals that all dates together imply.

    Args:
        adjacency: of live evidence; returned as it is when no fact in it has a date.
        families: relation families.
        family_of: [relations] index into `families`.
        flip: [relations] -1 where a label runs from the family's object to its subject.
    """
    if not len(adjacency.valid_from):
        return adjacency
    straight = np.flatnonzero(np.repeat(adjacency.group_key % 2 == 0, np.diff(adjacency.group_start)))
    facts = _Facts(adjacency, straight, families, family_of, flip)
    facts.narrow()
    place = np.searchsorted(facts.triple, adjacency.triple)
    return replace(adjacency, valid_from=facts.start[place], valid_to=facts.end[place])


def follow(
    before: Adjacency,
    tight: Adjacency,
    after: Adjacency,
    changed: np.ndarray,
    families: Sequence[Family],
    family_of: np.ndarray,
    flip: np.ndarray,
) -> Adjacency:
    """What `tighten(after, ...)` gives, from what it gave before a change.

    A rule looks from a fact only at facts of the same two ends, or of one end that the fact is about. So intervals
    can only differ for facts at the ends of those that changed, and only these are looked at.

    Args:
        before: the adjacency before.
        tight: `tighten(before, ...)` with the same families.
        after: the adjacency now.
        changed: rows of triples that came, went or changed in between.
        families: relation families.
        family_of: [relations] index into `families`.
        flip: [relations] -1 where a label runs from the family's object to its subject.
    """
    if not (len(before.valid_from) and len(after.valid_from)):
        return tighten(after, families, family_of, flip)
    was, now = np.isin(before.triple, changed), np.isin(after.triple, changed)
    start, end = np.array(after.valid_from), np.array(after.valid_to)
    start[~now], end[~now] = tight.valid_from[~was], tight.valid_to[~was]
    touched = np.union1d(before.neighbor[was], after.neighbor[now])  # each edge is there from both of its ends
    around = after.positions(touched)
    if len(around):
        facts = _Facts(after, around, families, family_of, flip)
        facts.narrow()
        held = facts.held()
        known = np.isin(held, touched) | (held < 0)  # what is held elsewhere did not change, and its rivals are not here
        rows = facts.triple[known]
        edges = np.flatnonzero(np.isin(after.triple, rows))
        place = np.searchsorted(rows, after.triple[edges])
        start[edges], end[edges] = facts.start[known][place], facts.end[known][place]
    return replace(after, valid_from=start, valid_to=end)


class TightGraph:
    """The tightened adjacency of a graph, in step with its store.

    Args:
        kg: the graph.
        relations: its relation families.
        publish_from: edges from which intervals are published beside the graph for the next reader, as they take seconds
            to work out for a million dated facts.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex, *, publish_from: int = 50_000) -> None:
        self.kg, self.relations, self.publish_from = kg, relations, publish_from
        self._raw: Adjacency | None = None
        self._tight: Adjacency | None = None
        self._families: Families = {}
        self._guard = threading.Lock()

    def adjacency(self) -> Adjacency:
        """The edges of now with the intervals that all dates together imply."""
        with self._guard:
            return self._current()

    def _current(self) -> Adjacency:
        raw, tight = self._raw, self._tight
        if raw is not None and tight is not None and raw.seq == self.kg.store.seq:
            return tight
        self.relations.refresh()
        now = self.kg.adjacency()
        if not len(now.valid_from):
            self._raw = self._tight = now
            return now
        families = self._read(now)
        if raw is None or tight is None or not _agree(families, self._families):
            raw, tight = self._published(now) or (None, None)
        if raw is None or tight is None or raw.seq != now.seq:
            tight = self._followed(raw, tight, now)
        self._raw, self._tight, self._families = now, tight, families
        return tight

    def _followed(self, raw: Adjacency | None, tight: Adjacency | None, now: Adjacency) -> Adjacency:
        delta = self.kg.store.changes_since(raw.seq) if raw is not None else None
        if raw is None or tight is None or delta is None or delta.seq != now.seq:
            return tighten(now, *self._index())
        return follow(raw, tight, now, delta.edges_gone, *self._index())

    def _index(self) -> tuple[Sequence[Family], np.ndarray, np.ndarray]:
        return self.relations.families, self.relations.family_of, self.relations.flip

    def _read(self, adjacency: Adjacency) -> Families:
        families, family_of, flip = self._index()
        return {row: (families[family_of[row]], int(flip[row])) for row in adjacency.relation_ids().tolist()}

    def _published(self, now: Adjacency) -> tuple[Adjacency, Adjacency] | None:
        """The published graph, and it with its intervals, which are published when they are not; None for a small graph."""
        graph = self.kg.generations.current(GRAPH) if now.edge_count >= self.publish_from else None
        if graph is None or changes(self.kg.store, graph.meta) is None:
            return None
        base = Adjacency.load(graph)
        mark = {name: graph.meta[name] for name in ("store", "seq", "stamp")} | {"families": _digest(self._read(base))}
        found = self.kg.generations.current(KIND)
        if found is None or dict(found.meta) != mark:
            tight = tighten(base, *self._index())
            found = self.kg.generations.publish(KIND, {"valid_from": tight.valid_from, "valid_to": tight.valid_to}, mark)
        return base, replace(base, valid_from=found.array("valid_from"), valid_to=found.array("valid_to"))


def _digest(families: Families) -> str:
    """A fingerprint of all that the rules look at."""
    said = [(row, family.name, family.event, family.exclusive, flip) for row, (family, flip) in sorted(families.items())]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _agree(one: Families, other: Families) -> bool:
    """Whether the relations in both have the same families."""
    return all(other.get(row, family) == family for row, family in one.items())


__all__ = ["TightGraph", "follow", "tighten"]
