"""The graph as it holds on a day, and as the store believed it at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from .frames import Row, Tabular, rows_of
from .model import Triple
from .show import Picture, Shown, of_graph

if TYPE_CHECKING:
    from .adjacency import Adjacency
    from .graph import KnowledgeGraph


@dataclass(frozen=True, slots=True)
class GraphView(Tabular, Shown):
    """The graph on a day (None: any), as believed at a time (None: now)."""

    kg: KnowledgeGraph
    day: date | None = None
    known_at: datetime | None = None

    def triples(self, subject: str | None = None, relation: str | None = None, object: str | None = None) -> Iterator[Triple]:
        """As `KnowledgeGraph.triples`, on this day."""
        return self.kg.triples(subject, relation, object, valid_at=self.day, known_at=self.known_at)

    def rows(self) -> Iterator[Row]:
        """As `KnowledgeGraph.rows`, on this day."""
        return rows_of(self.kg.store, self.triples())

    def _shown(self) -> Picture:
        when = [f"on {self.day}"] if self.day else []
        when += [f"as believed at {self.known_at:%Y-%m-%d %H:%M}"] if self.known_at else []
        return of_graph(" ".join([self.kg.path.name, *when]), {}, self.triples())

    def adjacency(self) -> Adjacency:
        """Edges as believed then; pass `ordinal` to its methods to keep those of the day."""
        return self.kg.adjacency(self.known_at)

    @property
    def ordinal(self) -> int | None:
        return self.day.toordinal() if self.day else None


__all__ = ["GraphView"]
