"""What the dates of several facts say together, so that a search by day sees it.

Documents date facts unevenly: a register says who owned a yard from when until when, a news item only that it is owned. Three
rules make the intervals agree. (1) Facts that say the same share the narrowest interval that any of them gives. (2) Selling
a thing ends owning it, buying it starts it. (3) Of a relation that allows one holder at a time, a later holder ends the
earlier one's open interval. Facts themselves are not changed: only the adjacency that one search walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..kg.adjacency import Adjacency
from ..kg.store import OPEN_END, OPEN_START
from .wordings import Family


class _Facts:
    """The forward half of an adjacency as columns, ends in the family's own direction."""

    def __init__(self, adjacency: Adjacency, families: Sequence[Family], family_of: np.ndarray, flip: np.ndarray) -> None:
        runs = np.diff(adjacency.group_start)
        node = np.repeat(np.repeat(np.arange(adjacency.size), np.diff(adjacency.node_groups)), runs)
        key = np.repeat(adjacency.group_key, runs)
        forward = np.flatnonzero(key % 2 == 0)
        relation = key[forward] >> 1
        straight = flip[relation] > 0
        self.families = families
        self.family = family_of[relation]
        self.subject = np.where(straight, node[forward], adjacency.neighbor[forward])
        self.object = np.where(straight, adjacency.neighbor[forward], node[forward])
        self.triple = adjacency.triple[forward]
        self.start = np.array(adjacency.valid_from[forward])
        self.end = np.array(adjacency.valid_to[forward])

    def of(self, name: str) -> np.ndarray:
        """Indices of the facts of a family."""
        index = next((i for i, family in enumerate(self.families) if family.name == name), -1)
        return np.flatnonzero(self.family == index)

    def share(self) -> None:
        """Rule 1: equal facts get the latest start and the earliest end among them, when these agree."""
        states = np.flatnonzero(~np.array([family.event for family in self.families], bool)[self.family])
        if not len(states):
            return
        columns = np.stack([self.family[states], self.subject[states], self.object[states]])
        _, same = np.unique(columns, axis=1, return_inverse=True)
        same = same.ravel()
        low, high = np.full(same.max() + 1, OPEN_START, np.int64), np.full(same.max() + 1, OPEN_END, np.int64)
        np.maximum.at(low, same, self.start[states])
        np.minimum.at(high, same, self.end[states])
        agree = (low < high)[same]
        self.start[states[agree]] = low[same[agree]]
        self.end[states[agree]] = high[same[agree]]

    def transfer(self) -> None:
        """Rule 2: dated purchases start and dated sales end the ownership of the same two."""
        owned: dict[tuple[int, int], list[int]] = {}
        for i in self.of("owns").tolist():
            owned.setdefault((int(self.subject[i]), int(self.object[i])), []).append(i)
        for name, ends in (("acquired", False), ("sold", True)):
            for event in self.of(name).tolist():
                day = int(self.start[event])
                for i in owned.get((int(self.subject[event]), int(self.object[event])), ()) if day != OPEN_START else ():
                    if ends and self.start[i] < day:
                        self.end[i] = min(int(self.end[i]), day)
                    elif not ends and day < self.end[i]:
                        self.start[i] = max(int(self.start[i]), day)

    def succeed(self) -> None:
        """Rule 3: in families that allow one holder, a later start ends an earlier open interval."""
        for family in self.families:
            if not family.exclusive:
                continue
            mine = self.of(family.name)
            holder, held = (self.subject, self.object) if family.exclusive == "subject" else (self.object, self.subject)
            mine = mine[self.start[mine] != OPEN_START]
            mine = mine[np.lexsort((self.start[mine], held[mine]))]
            for i, j in _followers(mine, holder, held, self.start):
                if self.end[i] == OPEN_END:  # an end that is stated stands, whoever else held it meanwhile
                    self.end[i] = self.start[j]


def _followers(order: np.ndarray, holder: np.ndarray, held: np.ndarray, start: np.ndarray) -> list[tuple[int, int]]:
    """(fact, first later-starting fact about the same thing with another holder)."""
    pairs = []
    for at, i in enumerate(order.tolist()):
        for j in order[at + 1 :].tolist():
            if held[j] != held[i]:
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
    facts = _Facts(adjacency, families, family_of, flip)
    facts.share()
    facts.transfer()
    facts.succeed()
    order = np.argsort(facts.triple)
    place = order[np.searchsorted(facts.triple[order], adjacency.triple)]
    return replace(adjacency, valid_from=facts.start[place].astype(np.int32), valid_to=facts.end[place].astype(np.int32))


__all__ = ["tighten"]
