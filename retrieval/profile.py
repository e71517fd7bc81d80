"""Answers in the order of a reader's interests: a profile reorders, it never adds, drops or changes an answer.

Interest in an entity spreads over the graph, halved at each of two hops, so that things nobody has looked at yet inherit
from their neighbours (after LKPNR, Xie et al. 2023, which pools knowledge-graph neighbours into the vectors of news; here
the spread itself is the score). Every score can name the recorded path that earned most of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..kg.errors import InputError
from ..kg.model import Entity, Hop, Node, Path, normalize
from .exact import ExactSolver

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph

DECAY, HOPS = 0.5, 2


@dataclass(frozen=True, slots=True)
class Profile:
    """What a reader cares about. Weights are any numbers above 0; only their proportions within a kind matter.

    Attributes:
        entities: weight by entity id or label.
        relations: weight by relation label; interest spreads the more along such triples.
        types: weight by entity type.
        hidden: ids or labels that go last, whatever else they score.

    Raises:
        InputError: a weight is not above 0.
    """

    entities: Mapping[str, float] = field(default_factory=dict)
    relations: Mapping[str, float] = field(default_factory=dict)
    types: Mapping[str, float] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for weights in (self.entities, self.relations, self.types):
            for name, weight in weights.items():
                if not 0 < weight < float("inf"):
                    raise InputError(f"the weight of {name!r} must be above 0, not {weight}")

    @classmethod
    def of_history(cls, entities: Iterable[str]) -> Profile:
        """The profile of someone who looked at these (ids or labels), each weighed by how often."""
        return cls(entities={name: float(count) for name, count in Counter(entities).items()})

    @property
    def empty(self) -> bool:
        return not (self.entities or self.relations or self.types or self.hidden)


class Ranked(NamedTuple):
    """A candidate, its score, and the recorded path from a thing of the profile that earned most of it (None for none)."""

    candidate: Node
    score: float
    why: Path | None


class ProfileRanker:
    """Ranks nodes of a graph for profiles.

    Args:
        kg: the graph.
        decay: what is left of interest after one hop.

    Raises:
        InputError: `decay` is not between 0 and 1.
    """

    def __init__(self, kg: KnowledgeGraph, *, decay: float = DECAY) -> None:
        if not 0 < decay < 1:
            raise InputError(f"decay must lie between 0 and 1, not {decay}")
        self.kg, self.decay = kg, decay

    def rank(self, candidates: Sequence[Node], profile: Profile) -> list[Ranked]:
        """All candidates, those of most interest first, hidden ones last; equals keep their order.

        Args:
            candidates: nodes of the graph, in the order they stand without a profile.
            profile: whose interests; an empty one changes nothing. Names that the graph does not hold are passed over.

        Raises:
            InputError: a candidate is no node of the graph.
        """
        if profile.empty:
            return [Ranked(candidate, 0.0, None) for candidate in candidates]
        adjacency = self.kg.adjacency()
        seeds = self._seeds(profile)
        rows = [self.kg.store.row_of(candidate.id) for candidate in candidates]
        size = max(adjacency.size, *(row + 1 for row in (*rows, *seeds)), 1)
        spread = self._spread(adjacency, seeds, profile, size)
        types = _shares({normalize(name): weight for name, weight in profile.types.items()})
        hidden = {normalize(name) for name in profile.hidden} | profile.hidden
        ranked = []
        for candidate, row in zip(candidates, rows, strict=True):
            kind = types.get(normalize(candidate.type), 0.0) if isinstance(candidate, Entity) and candidate.type else 0.0
            why = self._why(adjacency, seeds, row, profile) if spread[row] > 0 else None
            ranked.append(Ranked(candidate, float(spread[row]) + kind, why))
        return sorted(ranked, key=lambda r: (bool({r.candidate.id, normalize(r.candidate.label)} & hidden), -r.score))

    def _seeds(self, profile: Profile) -> dict[int, float]:
        """Share of interest by node row."""
        known: dict[int, float] = {}
        for name, weight in profile.entities.items():
            rows = self.kg.store.alias_rows(normalize(name))
            row = rows[0] if rows else self._row(name)
            if row is not None:
                known[row] = known.get(row, 0.0) + weight
        return _shares(known)

    def _row(self, entity_id: str) -> int | None:
        try:
            return self.kg.store.row_of(entity_id)
        except InputError:
            return None

    def _spread(self, adjacency: Adjacency, seeds: dict[int, float], profile: Profile, size: int) -> np.ndarray:
        """Interest of each node, float64 [size]: sum over hops h of decay^h (S^h seeds), S the symmetrically normalised graph."""
        interest = np.zeros(size)
        interest[list(seeds)] = list(seeds.values())
        matrix, liked = self._matrix(adjacency, profile, size)
        total, wave = interest.copy(), interest
        for _ in range(HOPS):
            wave = self.decay * (matrix @ wave)
            total += wave
        return total + self.decay * liked

    def _matrix(self, adjacency: Adjacency, profile: Profile, size: int) -> tuple[Any, np.ndarray]:
        """The sparse spreading matrix, and the share of each node's triples that have a relation of the profile."""
        from scipy import sparse  # type: ignore[import-untyped]

        nodes = np.arange(adjacency.size, dtype=np.int32)
        groups, edges = adjacency.expand(nodes)
        weights = _shares({normalize(name): weight for name, weight in profile.relations.items()})
        of_relation = {row: weights.get(normalize(relation.label), 0.0) for row, relation in self.kg.store.relations()}
        liked = (
            np.array([of_relation[row] for row in groups.relation.tolist()])[edges.group] if len(groups.relation) else np.zeros(0)
        )
        source = nodes[groups.origin[edges.group]]
        weight = sparse.csr_array((1.0 + liked, (edges.neighbor, source)), shape=(size, size))
        strength = np.maximum(np.asarray(weight.sum(axis=0)).ravel(), 1.0)
        scale = sparse.diags_array(1.0 / np.sqrt(strength))
        share = np.bincount(source, weights=liked, minlength=size) / strength if len(source) else np.zeros(size)
        return (scale @ weight @ scale).tocsr(), share

    def _why(self, adjacency: Adjacency, seeds: dict[int, float], row: int, profile: Profile) -> Path | None:
        """The shortest path from the seed that gives most, else a triple whose relation the profile names."""
        near = ExactSolver(adjacency).distances(row, limit=HOPS)
        reach = [(share * self.decay ** int(near[seed]), seed) for seed, share in seeds.items() if near[seed] > 0]
        if reach:
            best = max(reach, key=lambda pair: (pair[0], -pair[1]))[1]
            [walk] = ExactSolver(adjacency).paths(best, row, limit=HOPS)
            triples = self.kg.store.triples_at([triple for triple, _ in walk.steps])
            return Path(tuple(Hop(triple, way) for triple, (_, way) in zip(triples, walk.steps, strict=True)))
        liked = {normalize(name) for name in profile.relations}
        wanted = [at for at, relation in self.kg.store.relations() if normalize(relation.label) in liked]
        groups = adjacency.groups(np.array([row], np.int32))
        groups = groups.take(np.isin(groups.relation, wanted))
        if not len(groups.relation):
            return None
        edges = adjacency.edges(groups, limit=1)
        [triple] = self.kg.store.triples_at(edges.triple[:1])
        return Path((Hop(triple, -int(groups.direction[edges.group[0]])),))


def _shares(weights: Mapping[Any, float]) -> dict[Any, float]:
    """Weights that sum to 1."""
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


__all__ = ["Profile", "ProfileRanker", "Ranked"]
