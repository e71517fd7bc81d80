"""What a graph offers for training, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass

from ...kg.errors import InputError
from .tasks import TaskMiner

RELATIONS, TRIPLES = 5, 500  # fewer are not worth a model of their own: paths and templates answer as well


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts of what can be asked about."""

    entities: int
    relations: int
    triples: int
    patterns: int
    values: int

    @property
    def missing(self) -> str:
        """What there is too little of, "" where nothing is missing."""
        if self.relations < RELATIONS or self.triples < TRIPLES:
            return (
                f"the graph has {self.relations} relations and {self.triples} triples; below {RELATIONS} and {TRIPLES} a model "
                "of its own learns nothing that paths and templates do not say as well"
            )
        return ""

    def __str__(self) -> str:
        return (
            f"{self.entities} entities, {self.relations} relations ({self.values} lead to values), {self.triples} triples, "
            f"{self.patterns} patterns"
        )


def audit(miner: TaskMiner) -> Audit:
    """Look at a graph."""
    patterns = miner.questions.patterns
    relations = {code // 2 for code in patterns.matrices}
    return Audit(
        len(miner.reader.nodes), len(relations), miner.reader.adjacency.edge_count, len(miner.questions.found), len(miner.values)
    )


def enough(found: Audit) -> None:
    """
    Raises:
        InputError: the graph is too small.
    """
    if found.missing:
        raise InputError(found.missing)


__all__ = ["Audit", "audit", "enough"]
