"""Passages for other programs: those that state the paths of a question, then the best others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ..steps import Answered, Gated, Retrieved

if TYPE_CHECKING:
    from ...kg.model import Chunk, Path
    from ..agent import Agent


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk, where it stands, how good it is, and the path that it states a hop of.

    Attributes:
        score: of the path, 0 to 1, or, without one, of passage search, which has no upper bound; no two kinds compare.
    """

    chunk: Chunk
    source: str
    score: float
    path: Path | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """`source`, `start` and `end` (characters of the source), `score`; of a path its text and the ids of its triples."""
        place = {"source": self.source, "start": self.chunk.start, "end": self.chunk.end, "score": float(self.score)}
        if self.path is None:
            return place
        return {**place, "path": str(self.path), "triples": [hop.triple.id for hop in self.path.hops]}


def passages(agent: Agent, question: str, k: int, as_of: date | str | None = None) -> list[Passage]:
    """At most k passages about a question, each once; a question that the gate refuses has those of passage search alone.

    Args:
        agent: whose graph is searched; nothing is composed and no model asked.
        question: in plain words.
        k: most passages.
        as_of: the facts of paths hold on this day.

    Raises:
        InputError: the question is empty or too long, or `as_of` is no day.
    """
    kept: dict[str, Passage] = {}
    for one in _all(agent, question, k, as_of):
        if len(kept) >= k:
            break
        kept.setdefault(one.chunk.id, one)
    return list(kept.values())


def _all(agent: Agent, question: str, k: int, as_of: date | str | None) -> Iterator[Passage]:
    store = agent.kg.store
    for path in _paths(agent, question, as_of):
        for chunk_id in dict.fromkeys(hop.triple.spans[0].chunk_id for hop in path.hops if hop.triple.spans):
            chunk = store.chunk(chunk_id)
            yield Passage(chunk, store.source(chunk.source_id).uri, path.score, path)
    for hit in agent.retriever.passages(question, k):
        yield Passage(hit.chunk, store.source(hit.chunk.source_id).uri, hit.score)


def _paths(agent: Agent, question: str, as_of: date | str | None) -> tuple[Path, ...]:
    """Those that the agent finds, best first. Its stream is left before anything is composed."""
    for step in agent.stream(question, as_of=as_of):
        if isinstance(step, Retrieved):
            return step.paths
        if isinstance(step, Answered) or (isinstance(step, Gated) and step.route.action == "abstain"):
            break
    return ()
