"""What is done on a question: the gate decides, paths are walked, passages read, and the gate decides again by what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import numpy as np

from ..kg.model import Path
from ..retrieval.base import Budget, Evidence, Hit
from ..retrieval.complexity import escalate
from ..retrieval.linking import Link
from ..retrieval.question import Understanding
from ..retrieval.retriever import Found, Retriever
from .answer import Action, Route, Usage
from .compose import Draft, PathComposer, abstain
from .connection import Connection, connect, pair_complexity, read_connection
from .failures import Failures
from .gate import RETRIEVALS, Able, Gate, found, known
from .recall import Recalled, contradicted, remembered
from .writer import Writer

SPENT = {"expansions", "seconds"}  # budgets: a search that ran out of one does not show that the graph records nothing


class TextReader(Protocol):
    """Reads answers in passages where the graph gives none; see `agents.reading`."""

    def compose(self, question: str, links: Sequence[Link], hits: Sequence[Hit], budget: Budget) -> Draft | None: ...

    def outranks(self, question: str, draft: Draft) -> bool: ...

    def falls_short(self, question: str, draft: Draft) -> bool: ...


class ModelComposer(Protocol):
    """Composes from packed evidence with a language model; see `agents.chat`."""

    name: str

    def compose(self, question: str, evidence: Evidence, fallback: Draft) -> tuple[Draft, Usage]: ...


class Memory(Protocol):
    """Answers without looking anything up; see `agents.experts.memory`."""

    def recall(self, question: str, links: Sequence[Link]) -> Recalled: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What may answer, beside paths.

    Attributes:
        gate: decides what to do.
        model: composes in place of the path composer, whose draft it falls back to.
        reader, student: read the passages found, and then the facts found, where the path composer abstains.
        memory: knows by heart what it was taught.
        writer: writes the sentence of an answer that is made of facts; where it has none that is right, the plain text stays.
        failures: what of these has failed, and is not asked.
    """

    gate: Gate = field(default_factory=Gate)
    model: ModelComposer | None = None
    reader: TextReader | None = None
    student: ModelComposer | None = None
    memory: Memory | None = None
    writer: Writer | None = None
    failures: Failures = field(default_factory=Failures)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was read, with the draft from memory where there is one."""

    question: str
    text: str
    reading: Understanding
    links: Sequence[Link]
    budget: Budget
    recalled: Recalled | None


@dataclass(frozen=True, slots=True)
class Acted:
    """What an action gave: the draft, what it rests on, the route as it is known by now. `looked`: paths were walked."""

    draft: Draft
    route: Route
    evidence: Evidence = field(default_factory=Evidence)
    looked: bool = False


def _able(retriever: Retriever, means: Means, asked: Asked) -> Able:
    """What can be done: passages say little of days, and nothing of a name that none of them holds."""
    held = all(link.seeds or retriever.holds(link.text) for link in asked.links)
    reads = means.reader is not None and asked.reading.last is None and held
    return Able(means.model is not None, reads, asked.recalled is not None and not asked.recalled.forbidden)


def first_route(retriever: Retriever, means: Means, asked: Asked, action: Action | None) -> Route:
    """The route before anything is looked for."""
    rows = [seed.row for link in asked.links for seed in link.seeds[:1]]
    degrees = retriever.adjacency().degree(np.array(rows, np.int64)).tolist() if rows else []
    scores = known(asked.reading, asked.links, retriever.gains(asked.reading), degrees)
    if asked.recalled is not None:
        scores |= asked.recalled.scores
    able = _able(retriever, means, asked)
    route = means.gate.first(asked.reading, asked.links, scores, able)
    if action is None:
        return route
    allowed = action in able.actions or action == "abstain"
    refused = (asked.recalled.forbidden if asked.recalled is not None else "") or "nothing here can do that"
    return replace(route, action=action if allowed else "abstain", mode="forced", reason="asked for" if allowed else refused)


def act(retriever: Retriever, means: Means, asked: Asked, route: Route, connection: Connection | None) -> Acted:
    """Do what the route says, and decide again after paths were walked and after passages were read."""
    if route.action == "internal" and asked.recalled is not None:
        return Acted(remembered(asked.recalled, route), route)
    if route.action == "abstain":
        return Acted(abstain(route.reason), route)
    able, gate, forced = _able(retriever, means, asked), means.gate, route.mode == "forced"
    draft, paths, truncated, scores = _walked(retriever, asked, route, connection, always=means.model is not None or forced)
    route = gate.after(route, found(draft, scores), able)
    reader = means.reader if able.reader and not truncated & SPENT else None
    if route.mode != "rule" and route.action != "path+text":
        reader = None
    answered = connection is None and draft.status == "answered"
    outranked = answered and reader is not None and reader.outranks(asked.text, draft)
    open_ended = draft.status == "abstained" or outranked
    wanted = means.model is not None or (open_ended and route.action != "internal")
    hits = retriever.passages(asked.text, asked.budget.chunks) if wanted else []
    if reader is not None and means.model is None and hits:
        short = outranked and reader.falls_short(asked.text, draft)
        unread = abstain("not every step of the question is recorded or stated", 0.0, draft.paths) if short else draft
        draft = means.failures.ask("reader", partial(reader.compose, asked.text, asked.links, hits, asked.budget)) or unread
        paths = draft.paths or paths
        if draft.composer == "reader":
            route = gate.after(route, {"read": draft.confidence}, able)
    evidence = retriever.pack(paths, hits, truncated, asked.budget, question=asked.text)
    read = means.model is not None or (reader is not None and bool(hits))
    route = replace(route, cost={"retrievals": RETRIEVALS["path+text" if read else "path"]})
    return Acted(_decided(draft, route, asked), route, evidence, looked=True)


def _decided(draft: Draft, route: Route, asked: Asked) -> Draft:
    """The draft that a calibrated route stands by: its own confidence, the memory's draft, or none."""
    if route.mode not in {"calibrated", "shrunk"} or draft.status == "abstained":
        return draft if route.action != "internal" or asked.recalled is None else remembered(asked.recalled, route)
    if route.action == "internal" and asked.recalled is not None:
        return remembered(asked.recalled, route)
    if route.action == "abstain":
        return abstain("what was found is not sure enough to pay", draft.confidence, draft.paths)
    other = contradicted(draft.answers, asked.recalled)
    return replace(draft, confidence=route.scores[f"p({route.action})"], notes=(*draft.notes, *other))


def _walked(
    retriever: Retriever, asked: Asked, route: Route, connection: Connection | None, *, always: bool
) -> tuple[Draft, Sequence[Path], set[str], list[float]]:
    """What paths say: the draft over them, the paths worth showing, the budgets that were hit, and scores, the best first."""
    if connection is not None:
        draft = connect(retriever, connection, asked.reading)
        return draft, draft.paths, set(), []
    if route.action != "path" and not always:
        return abstain(route.reason), (), set(), []
    looked = retriever.search(asked.reading, asked.links, asked.budget)
    draft = PathComposer(retriever).compose(asked.reading, asked.links, looked)
    scores = [candidate.score for candidate in looked.candidates[:2]]
    return draft, draft.paths or _candidate_paths(retriever, asked.reading, looked), looked.truncated, scores


def escalated(retriever: Retriever, asked: Asked, route: Route) -> tuple[Connection | None, Route]:
    """The pair of a question of connection that is left to exact search, and the route with what that was decided by."""
    connection = read_connection(asked.reading, asked.links) if route.action not in {"abstain", "internal"} else None
    if connection is None:
        return None, route
    hard = pair_complexity(retriever, connection, asked.reading, asked.budget)
    scores = {**route.scores, "lookahead": float(hard.lookahead), "branches": float(hard.branches)}
    return (connection if escalate(hard, asked.budget) else None), replace(route, scores=scores)


def _candidate_paths(retriever: Retriever, reading: Understanding, found: Found) -> Sequence[Path]:
    resolved = retriever.resolve(found.candidates, reading, limit=3)
    return [path for candidate in resolved for path in candidate.answers[0].paths]


__all__ = ["Acted", "Asked", "Means", "Memory", "ModelComposer", "TextReader", "act", "escalated", "first_route"]
