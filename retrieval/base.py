"""The values that retrieval hands on: budgets, seeds, hits, evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..kg.model import Chunk, Entity, Node, Path
from ..kg.show import Picture, bundle, of_passage


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one question. Hitting one never fails: the evidence names it in `truncated`.

    Attributes:
        tokens: evidence tokens (WordPiece) that may reach the composer.
        hops: longest path.
        beam: partial paths kept after each hop.
        expansions: edges looked at.
        fan_out: edges looked at per node and relation group before the rest is cut (hubs).
        paths: paths kept as evidence.
        chunks: chunks kept as evidence; with none, no passage is read either.
        seconds: wall clock for the question; None for no limit.
    """

    tokens: int = 512
    hops: int = 4
    beam: int = 32
    expansions: int = 60_000
    fan_out: int = 4096
    paths: int = 8
    chunks: int = 5
    seconds: float | None = 20.0


class Seed(NamedTuple):
    """A question mention tied to a node. `[start, end)` are offsets into the question."""

    row: int
    node: Node
    start: int
    end: int
    score: float  # 1.0 for an exact name


class Hit(NamedTuple):
    """A chunk found by search, with the score of each part that found it."""

    row: int
    chunk: Chunk
    score: float
    parts: dict[str, float]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return bundle(self._shown())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self._shown().plain)

    def _shown(self) -> Picture:
        return of_passage(self.chunk, self.score)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What reaches the composer, best first, and what it costs.

    Attributes:
        tokens: WordPiece tokens of the packed evidence.
        window_tokens: what the whole chunks around the same facts would have cost.
        truncated: names of the budgets that were hit.
    """

    paths: tuple[Path, ...] = ()
    hits: tuple[Hit, ...] = ()
    tokens: int = 0
    window_tokens: int = 0
    truncated: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)


__all__ = ["Budget", "Chunk", "Entity", "Evidence", "Hit", "Seed"]
