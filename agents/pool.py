"""The experts that may answer a question, each with a price, and what each of them says.

A gate engages them one after another, the cheapest first, while that pays; each sees what was said before it. What they say
is a draft, which is an `Opinion` once the gate knows how far to rely on it (`agents.fusion`). How likely an expert is right is
learned from a graph's own questions, so it stands in the gate (`agents.utility.Scorer`) and not in the expert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from ..kg.model import Path
from ..retrieval.base import Budget, Hit
from ..retrieval.linking import Link
from ..retrieval.question import Understanding
from ..retrieval.retriever import Found, Retriever
from .answer import Action, Route
from .compose import Draft, PathComposer, abstain
from .connection import Connection, connect
from .failures import Failures
from .gate import found
from .recall import Recalled, remembered

SPENT = {"expansions", "seconds"}  # budgets: a search that ran out of one does not show that the graph records nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was read.

    Attributes:
        recalled: the draft from memory, where there is one.
        connection: the pair of things whose connection is left to exact search.
    """

    question: str
    text: str
    reading: Understanding
    links: Sequence[Link]
    budget: Budget
    recalled: Recalled | None = None
    connection: Connection | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a question so far, the last expert's word in front.

    Attributes:
        draft: the answer, or an abstention.
        scores: what a gate may know by it.
        paths: worth showing.
        hits: passages read.
        truncated: budgets that were hit.
        looked: something was looked up.
        read: passages were read, by a reader or a composer.
    """

    draft: Draft
    scores: dict[str, float] = field(default_factory=dict)
    paths: Sequence[Path] = ()
    hits: Sequence[Hit] = ()
    truncated: frozenset[str] = frozenset()
    looked: bool = False
    read: bool = False


class Expert(Protocol):
    """A source of answers."""

    @property
    def action(self) -> Action:
        """What a route calls engaging it; `gate.RETRIEVALS` has its price."""

    def wanted(self, asked: Asked, route: Route, said: Said) -> bool:
        """Whether the route leads to it, after what was said before."""

    def run(self, asked: Asked, route: Route, said: Said) -> Said:
        """Its word, with what was found before and is still worth showing."""


class TextReader(Protocol):
    """Reads answers in passages where the graph gives none; see `agents.reading`."""

    def compose(self, question: str, links: Sequence[Link], hits: Sequence[Hit], budget: Budget) -> Draft | None: ...

    def outranks(self, question: str, draft: Draft) -> bool: ...

    def falls_short(self, question: str, draft: Draft) -> bool: ...


class Memory(Protocol):
    """Answers without looking anything up, and ranks answers that were found; see `agents.experts.remember`."""

    def recall(self, question: str, links: Sequence[Link]) -> Recalled: ...

    def best(self, question: str, candidates: Sequence[str], links: Sequence[Link]) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Closed:
    """From memory alone: nothing is looked up, and the answer says so."""

    action: Action = "internal"

    def wanted(self, asked: Asked, route: Route, said: Said) -> bool:
        return route.action == "internal" and asked.recalled is not None and not asked.recalled.forbidden

    def run(self, asked: Asked, route: Route, said: Said) -> Said:
        assert asked.recalled is not None  # wanted only then
        return replace(said, draft=remembered(asked.recalled, route))


@dataclass(frozen=True, slots=True)
class Exact:
    """Graph algorithms where a beam has nothing to choose by: the shortest paths between two things."""

    retriever: Retriever
    action: Action = "path"

    def wanted(self, asked: Asked, route: Route, said: Said) -> bool:
        return asked.connection is not None

    def run(self, asked: Asked, route: Route, said: Said) -> Said:
        assert asked.connection is not None  # wanted only then
        draft = connect(self.retriever, asked.connection, asked.reading)
        return Said(draft, found(draft, []), draft.paths, looked=True)


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths through the graph, and what is worked out from their ends: counts, comparisons, superlatives, orders in time.

    Attributes:
        retriever: over the graph.
        always: they are walked even where the route leads to passages alone.
    """

    retriever: Retriever
    always: bool = False
    action: Action = "path"

    def wanted(self, asked: Asked, route: Route, said: Said) -> bool:
        return asked.connection is None and (route.action == "path" or (self.always and route.action == "path+text"))

    def run(self, asked: Asked, route: Route, said: Said) -> Said:
        return walked(self.retriever, asked, self.retriever.search(asked.reading, asked.links, asked.budget))


@dataclass(frozen=True, slots=True)
class Verified:
    """Memory as a judge: of the answers that paths lead to, the one it believes in most. It ranks better than it answers
    (Gekhman et al. 2025, arXiv 2503.15299); where it knows none of them, paths decide alone."""

    retriever: Retriever
    memory: Memory
    failures: Failures
    action: Action = "verify"

    def wanted(self, asked: Asked, route: Route, said: Said) -> bool:
        return route.action == "verify" and asked.connection is None

    def run(self, asked: Asked, route: Route, said: Said) -> Said:
        looked = self.retriever.search(asked.reading, asked.links, asked.budget)
        heads = [int(candidate.nodes[0]) for candidate in looked.candidates[:_JUDGED]]
        nodes = [node.id for node in self.retriever.kg.store.nodes(heads)]
        judged = partial(self.memory.best, asked.text, nodes, asked.links)
        best = self.failures.ask("memory", judged) if len(nodes) > 1 else None
        chosen = looked if best is None else replace(looked, candidates=[looked.candidates[best]])
        return walked(self.retriever, asked, chosen)


_JUDGED = 8  # answer sets that a memory is asked about


@dataclass(frozen=True, slots=True)
class Text:
    """Passages, where paths leave a question open.

    Attributes:
        retriever: over the graph.
        reader: None where nothing here reads them; they are then evidence for a composer, or for the person who asked.
        failures: what has failed, the reader among it.
        model: a composer reads them in any case.
    """

    retriever: Retriever
    reader: TextReader | None
    failures: Failures
    model: bool = False
    action: Action = "path+text"

    def wanted(self, asked: Asked, route: Route, said: Said) -> bool:
        return self.model or (route.action in {"path", "path+text", "verify"} and self._open(asked, said))

    def run(self, asked: Asked, route: Route, said: Said) -> Said:
        hits = self.retriever.passages(asked.text, asked.budget.chunks)
        said = replace(said, hits=hits, looked=True, read=self.model)
        reader = self._reader(said) if route.action == "path+text" or route.mode == "rule" else None
        if reader is None or self.model or not hits:
            return said
        short = self._outranked(asked, said) and reader.falls_short(asked.text, said.draft)
        unread = abstain("not every step of the question is recorded or stated", 0.0, said.draft.paths) if short else said.draft
        read = partial(reader.compose, asked.text, asked.links, hits, asked.budget)
        draft = self.failures.ask("reader", read) or unread
        scores = {"read": draft.confidence} if draft.composer == "reader" else {}
        return replace(said, draft=draft, scores=scores, paths=draft.paths or said.paths, read=True)

    def _open(self, asked: Asked, said: Said) -> bool:
        return said.draft.status == "abstained" or self._outranked(asked, said)

    def _outranked(self, asked: Asked, said: Said) -> bool:
        reader, answered = self._reader(said), asked.connection is None and said.draft.status == "answered"
        return answered and reader is not None and reader.outranks(asked.text, said.draft)

    def _reader(self, said: Said) -> TextReader | None:
        """None as well where the search ran out of a budget: that the graph records nothing is not shown then."""
        return None if said.truncated & SPENT else self.reader


def walked(retriever: Retriever, asked: Asked, looked: Found) -> Said:
    """What the path composer makes of the paths that were found."""
    draft = PathComposer(retriever).compose(asked.reading, asked.links, looked)
    scores = found(draft, [candidate.score for candidate in looked.candidates[:2]])
    paths = draft.paths
    if not paths:
        resolved = retriever.resolve(looked.candidates, asked.reading, limit=3)
        paths = tuple(path for candidate in resolved for path in candidate.answers[0].paths)
    return Said(draft, scores, paths, truncated=frozenset(looked.truncated), looked=True)


__all__ = ["Asked", "Closed", "Exact", "Expert", "Memory", "Paths", "Said", "Text", "TextReader", "Verified", "walked"]
