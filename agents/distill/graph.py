"""What is read of a graph to make tasks: the facts of a node, and others to put beside them."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...kg.ingest.dates import find_dates
from ...kg.model import Node, Triple, normalize
from ...retrieval.mining import QuestionMiner
from ..values import value_of
from .facts import Fact

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph

MOST = 12  # facts that a question may rest on
_NUMERIC = re.compile(r"(?:[A-Z]{3} ?|[€$£])?-?\d")
_NAMED = 100_000  # nodes whose names are compared
_SAMPLE, _SHARE, _LONGEST = 40, 0.9, 25  # facts read to see whether a step leads to values, how many must, and how long those are


class FactReader:
    """Reads facts, each once.

    Args:
        miner: of the graph.
    """

    def __init__(self, miner: QuestionMiner) -> None:
        self.kg: KnowledgeGraph = miner.kg
        self.miner, self.adjacency = miner, miner.kg.adjacency()
        self.nodes = np.flatnonzero(np.diff(self.adjacency.node_groups))  # rows of nodes that have facts
        self._facts: dict[int, Fact] = {}
        self._ending: dict[int, bool] = {}
        self._near: dict[str, list[int]] | None = None

    def out(self, node: int, code: int | None = None, limit: int | None = None) -> list[Fact]:
        """Facts of a node, those of one step only where a code is given."""
        groups = self.adjacency.groups(np.array([node]))
        codes = self.miner.codes[2 * groups.relation.astype(np.int64) + (groups.direction < 0)]
        groups = groups.take(codes >= 0 if code is None else codes == code)
        edges = self.adjacency.edges(groups, limit=limit)
        missing = [i for i, row in enumerate(edges.triple.tolist()) if row not in self._facts]
        for i, triple in zip(missing, self.kg.store.triples_at(edges.triple[missing]) if missing else [], strict=True):
            key, end = int(groups.relation[edges.group[i]]) * 2, int(edges.neighbor[i])
            forth, back = int(self.miner.codes[key]), int(self.miner.codes[key + 1])
            subject, object_ = (node, end) if groups.direction[edges.group[i]] > 0 else (end, node)
            self._facts[int(edges.triple[i])] = Fact(triple, subject, object_, forth, back)
        return [self._facts[row] for row in dict.fromkeys(edges.triple.tolist())]

    def degree(self, nodes: Sequence[int]) -> list[int]:
        degrees: list[int] = self.adjacency.degree(np.array(nodes, np.int64)).tolist()
        return degrees

    def node(self, row: int) -> Node:
        return self.kg.store.nodes([row])[0]

    def walked(self, seed: int, steps: Sequence[int]) -> list[Fact]:
        """The facts on all walks along the steps; none where they are more than `MOST`."""
        at, found = [seed], dict[str, Fact]()
        for code in steps:
            ends: set[int] = set()
            for node in at:
                for fact in self.out(node, code, limit=MOST + 1):
                    found[fact.triple.id] = fact
                    end = fact.leads(node, code)
                    ends |= {end} if end is not None else set()
            if len(found) > MOST:
                return []
            at = sorted(ends)
        return list(found.values())

    def namesakes(self, label: str) -> list[int]:
        """Entities whose names share a word with this one."""
        if self._near is None:
            self._near = {}
            rows = self.nodes[:_NAMED]
            for row, other in zip(rows.tolist(), self.kg.store.labels(rows), strict=True):
                for word in {*normalize(other).split()}:
                    self._near.setdefault(word, []).append(row)
        shared = (self._near.get(word, []) for word in normalize(label).split())
        return min((rows for rows in shared if len(rows) > 1), key=len, default=[])

    def ends(self, code: int) -> bool:
        """Whether facts that a step walks may end: some of a sample do."""
        if code not in self._ending:
            seeds = self.miner.patterns.seeds((code,), random.Random(0), _SAMPLE)
            self._ending[code] = any(fact.triple.valid_to for seed in seeds for fact in self.out(seed, code, limit=2))
        return self._ending[code]

    def kinds(self) -> dict[int, str]:
        """Step codes that lead from things to values that can be compared: "date" or "number" by code."""
        found = {}
        rng = random.Random(0)
        for code in sorted(self.miner.patterns.matrices):
            seeds = self.miner.patterns.seeds((code,), rng, _SAMPLE)
            facts = [fact for seed in seeds for fact in self.out(seed, code, limit=1) if fact.forth == code]
            kinds = Counter(value_kind(fact.triple) for fact in facts)
            kind, count = kinds.most_common(1)[0] if kinds else ("", 0)
            if kind and count >= _SHARE * len(facts):
                found[code] = kind
        return found


def value_kind(triple: Triple) -> str:
    """ "date" or "number" where the object is nothing but that, "" otherwise."""
    label = triple.object.label
    dates = find_dates(label)
    if dates and (dates[0].start, dates[0].end) == (0, len(label)):
        return "date"
    return "number" if _NUMERIC.match(label) and len(label) <= _LONGEST and value_of(triple.object, "number") else ""


__all__ = ["MOST", "FactReader", "value_kind"]
