"""A chat model walks the graph: at each step it sees the facts where it stands and names one.

The method of Knowledge Solver (Feng et al. 2023): search is left to the model, the graph only offers what is there. So
every hop is a recorded triple whatever the model replies, and every decision is kept with the options it was made from.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..kg.adjacency import Adjacency
from ..kg.errors import InputError
from ..kg.graph import KnowledgeGraph
from ..kg.model import Hop, Literal, Node, Path
from ..prompts import render
from ..retrieval.base import Budget, Seed
from ..retrieval.encoder import TextEncoder
from ..retrieval.question import Understanding
from .answer import Usage
from .chat import add_usage

_NUMBER = re.compile(r"\s*\[?(\d+)\]?\.?\s*")
STOP = 0  # the reply that ends a walk


@dataclass(frozen=True, slots=True)
class Option:
    """A fact at the place where the walk stands, and the cosine of its relation to the question where options were ranked."""

    hop: Hop
    similarity: float | None = None

    def __str__(self) -> str:
        relation = self.hop.triple.relation.label
        arrow = f"—{relation}→" if self.hop.direction == 1 else f"←{relation}—"
        return f"{arrow} {self.hop.end.label}"


@dataclass(frozen=True, slots=True)
class Decision:
    """One step of a walk.

    Attributes:
        at: where it stood.
        options: what the model was shown, in that order.
        hidden: how many further options were not shown.
        chosen: the one it named; None when it ended the walk.
        replies: everything it replied, the last one decisive.
    """

    at: Node
    options: tuple[Option, ...]
    hidden: int
    chosen: Option | None
    replies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk from one seed: its path (None when no step was taken), its decisions, why it ended, and what it cost.

    `ended` is "stop" (the model said so), "invalid" (two replies that name no option), "end" (nowhere to go), "hops" (the
    budget) or "error: " and the name of what the model's provider raised.
    """

    seed: Seed
    path: Path | None
    decisions: tuple[Decision, ...]
    ended: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class LLMWalker:
    """Searches paths by asking a chat model at every hop; a stand-in for `retrieval.paths.PathSearch`.

    Args:
        kg: the graph.
        model: a langchain-core `BaseChatModel` (anything with `invoke(messages)`).
        encoder: ranks the relations of a place that has more options than a page.
        budget: `hops` bounds the walk.
        page: options shown at a time.

    Raises:
        InputError: `page` is below 1.
    """

    kg: KnowledgeGraph
    model: Any
    encoder: TextEncoder
    budget: Budget = field(default_factory=Budget)
    page: int = 20

    def __post_init__(self) -> None:
        if self.page < 1:
            raise InputError(f"a page shows at least 1 option, not {self.page}")

    def search(self, question: Understanding, seeds: list[Seed], day: int | None = None) -> list[Walked]:
        """One walk from each seed.

        Args:
            question: the question; the model sees its text.
            seeds: where to start.
            day: only facts valid on this day ordinal.
        """
        adjacency = self.kg.adjacency()
        return [self._walk(question, seed, day, adjacency) for seed in seeds]

    def _walk(self, question: Understanding, seed: Seed, day: int | None, adjacency: Adjacency) -> Walked:
        hops: list[Hop] = []
        decisions: list[Decision] = []
        rows, usage, ended = [seed.row], Usage(), "hops"
        for _ in range(self.budget.hops):
            here = hops[-1].end if hops else seed.node
            options, reached, hidden = self._options(question.text, here, rows, day, adjacency)
            if not options:
                ended = "end"
                break
            number, replies, usage, failure = self._ask(question.text, here, hops, options, usage)
            chosen = options[number - 1] if number else None
            decisions.append(Decision(here, options, hidden, chosen, replies))
            if chosen is None:
                ended = failure or "stop"
                break
            hops.append(chosen.hop)
            rows.append(reached[number - 1])
        path = Path(tuple(hops), 1.0, {"hops": float(len(hops))}) if hops else None
        return Walked(seed, path, tuple(decisions), ended, usage)

    def _options(
        self, question: str, here: Node, walked: list[int], day: int | None, adjacency: Adjacency
    ) -> tuple[tuple[Option, ...], list[int], int]:
        """A page of options, the node row each leads to, and how many are left out; none leads back to where it was."""
        if isinstance(here, Literal):
            return (), [], 0
        groups, edges = adjacency.expand(np.array(walked[-1:], np.int32), day=day)
        kept = np.flatnonzero(~np.isin(edges.neighbor, walked))
        order = kept[np.argsort(edges.triple[kept], kind="stable")]
        similarity = None
        if len(order) > self.page:
            cosine = self._cosine(question, groups.relation)[edges.group]
            order = order[np.argsort(-cosine[order], kind="stable")]
            similarity = cosine[order[: self.page]].tolist()
        shown = order[: self.page]
        triples = self.kg.store.triples_at(edges.triple[shown])
        directions = groups.direction[edges.group[shown]].tolist()
        options = [Option(Hop(triple, way)) for triple, way in zip(triples, directions, strict=True)]
        if similarity is not None:
            options = [replace(option, similarity=value) for option, value in zip(options, similarity, strict=True)]
        return tuple(options), edges.neighbor[shown].tolist(), len(order) - len(shown)

    def _cosine(self, question: str, relations: np.ndarray) -> np.ndarray:
        """Cosine of the question to the label of each relation row, float [n]."""
        labels = {row: relation.label for row, relation in self.kg.store.relations()}
        rows, place = np.unique(relations, return_inverse=True)
        vectors = self.encoder.encode([question, *(labels[row] for row in rows.tolist())])
        cosine: np.ndarray = (vectors[1:] @ vectors[0])[place]
        return cosine

    def _ask(
        self, question: str, here: Node, hops: list[Hop], options: tuple[Option, ...], usage: Usage
    ) -> tuple[int, tuple[str, ...], Usage, str]:
        """(number named or 0, replies, cost so far, why it failed or "")."""
        listed = "\n".join(f"[{i}] {' '.join(str(option).split())}" for i, option in enumerate(options, 1))
        walked = str(Path(tuple(hops))) if hops else "nothing yet"
        values = {"question": question, "here": here.label, "walked": walked, "options": listed, "fence": secrets.token_hex(8)}
        system, user = render("walk", **values).split("\n---\n", 1)
        messages = [("system", system), ("human", user)]
        replies: list[str] = []
        for _ in range(2):
            try:
                reply = self.model.invoke(messages)
            except Exception as error:  # a provider may raise anything; the walk so far still stands
                return STOP, tuple(replies), usage, f"error: {type(error).__name__}"
            usage = add_usage(usage, reply)
            replies.append(str(reply.content)[:2000])
            named = _NUMBER.fullmatch(replies[-1])
            if named and int(named[1]) <= len(options):
                return int(named[1]), tuple(replies), usage, ""
            complaint = f"That names no option. Reply with one number from 0 to {len(options)} and nothing else."
            messages = [*messages, ("ai", replies[-1]), ("human", complaint)]
        return STOP, tuple(replies), usage, "invalid"


__all__ = ["STOP", "Decision", "LLMWalker", "Option", "Walked"]
