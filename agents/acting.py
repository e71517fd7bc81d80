"""What is done on a question: the gate engages experts while that pays, and decides again by what each of them said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ..retrieval.base import Evidence
from ..retrieval.complexity import escalate
from ..retrieval.retriever import Retriever
from .answer import Action, Route, Usage
from .compose import Draft, abstain
from .connection import pair_complexity, read_connection
from .failures import Failures
from .gate import RETRIEVALS, Able, Gate, bucket, known
from .pool import Asked, Closed, Exact, Expert, Memory, Paths, Said, Text, TextReader, Verified
from .recall import contradicted, remembered
from .support import Witnesses
from .writer import Writer


class ModelComposer(Protocol):
    """Composes from packed evidence with a language model; see `agents.chat`."""

    name: str

    def compose(self, question: str, evidence: Evidence, fallback: Draft) -> tuple[Draft, Usage]: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What may answer, beside paths.

    Attributes:
        gate: decides what to do.
        model: composes in place of the path composer, whose draft it falls back to.
        reader, student: read the passages found, and then the facts found, where the path composer abstains.
        memory: knows by heart what it was taught.
        witnesses: count the sources behind an answer.
        writer: writes the sentence of an answer that is made of facts; where it has none that is right, the plain text stays.
        failures: what of these has failed, and is not asked.
    """

    gate: Gate = field(default_factory=Gate)
    model: ModelComposer | None = None
    reader: TextReader | None = None
    student: ModelComposer | None = None
    memory: Memory | None = None
    witnesses: Witnesses | None = None
    writer: Writer | None = None
    failures: Failures = field(default_factory=Failures)


@dataclass(frozen=True, slots=True)
class Acted:
    """What an action gave: the draft, what it rests on, the route as it is known by now. `looked`: something was looked up."""

    draft: Draft
    route: Route
    evidence: Evidence = field(default_factory=Evidence)
    looked: bool = False


def able(retriever: Retriever, means: Means, asked: Asked) -> Able:
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
    can = able(retriever, means, asked)
    route = means.gate.first(asked.reading, asked.links, scores, can)
    if action is None:
        return route
    allowed = action in can.actions or action == "abstain"
    refused = (asked.recalled.forbidden if asked.recalled is not None else "") or "nothing here can do that"
    return replace(route, action=action if allowed else "abstain", mode="forced", reason="asked for" if allowed else refused)


def experts(retriever: Retriever, means: Means, asked: Asked, forced: bool) -> list[Expert]:
    """Who may be engaged on a question, the cheapest first."""
    can = able(retriever, means, asked)
    some: list[Expert] = [Closed(), Exact(retriever), Paths(retriever, always=can.model or forced)]
    if means.memory is not None and can.memory:
        some.append(Verified(retriever, means.memory, means.failures))
    return [*some, Text(retriever, means.reader if can.reader else None, means.failures, can.model)]


def act(retriever: Retriever, means: Means, asked: Asked, route: Route) -> Acted:
    """Engage experts as the route says; the gate may send it elsewhere after each of them."""
    if route.action == "abstain":
        return Acted(abstain(route.reason), route)
    can, said = able(retriever, means, asked), Said(abstain(route.reason))
    heard: dict[Action, Draft] = {}
    for expert in experts(retriever, means, asked, route.mode == "forced"):
        if not expert.wanted(asked, route, said):
            continue
        said = expert.run(asked, route, said)
        heard[expert.action] = said.draft
        if said.scores:
            route = means.gate.after(route, said.scores, can)
    draft, route = _decided(heard, said, route, asked, means.gate)
    if not said.looked:
        return Acted(draft, route)
    route = replace(route, cost={"retrievals": RETRIEVALS["path+text" if said.read else "path"]})
    evidence = retriever.pack(said.paths, said.hits, set(said.truncated), asked.budget, question=asked.text)
    return Acted(draft, route, evidence, looked=True)


def _decided(heard: Mapping[Action, Draft], said: Said, route: Route, asked: Asked, gate: Gate) -> tuple[Draft, Route]:
    """The draft that the route ends with, and the route with how sure all who were heard are of it together."""
    if route.mode not in {"calibrated", "shrunk"}:
        return said.draft, route
    if route.action == "abstain":
        return abstain("what was found is not sure enough to pay", said.draft.confidence, said.draft.paths), route
    if route.action == "internal" and asked.recalled is not None:
        draft = remembered(asked.recalled, route)
    else:
        draft = heard.get(route.action, said.draft)
    if draft.status == "abstained":
        return draft, route
    sure, scores = _together(draft, heard, route, asked, gate)
    if sure < gate.threshold:
        return abstain("what was found is not sure enough for the error rate asked for", sure, draft.paths), route
    notes = contradicted(draft.answers, asked.recalled) if route.action != "internal" else ()
    return replace(draft, confidence=sure, notes=(*draft.notes, *notes)), replace(route, scores={**route.scores, **scores})


def _together(
    draft: Draft, heard: Mapping[Action, Draft], route: Route, asked: Asked, gate: Gate
) -> tuple[float, dict[str, float]]:
    """How sure all who were heard are of a draft, and what that was made of."""
    own = route.scores[f"p({route.action})"]
    if gate.fusion is None:
        return own, {}
    said = {str(action): one.answers for action, one in heard.items() if one.status != "abstained"}
    if asked.recalled is not None and not asked.recalled.forbidden:
        said["internal"] = (asked.recalled.opinion.best[0],)
    said[route.action] = draft.answers
    p = {action: route.scores[f"p({action})"] for action in said}
    sure, conflict = gate.fusion(said, p, route.action, bucket(route.scores))
    return sure, {"fused": sure, "conflict": conflict}


def escalated(retriever: Retriever, asked: Asked, route: Route) -> tuple[Asked, Route]:
    """The question with the pair that is left to exact search, and the route with what that was decided by."""
    pair = read_connection(asked.reading, asked.links) if route.action not in {"abstain", "internal"} else None
    if pair is None:
        return asked, route
    hard = pair_complexity(retriever, pair, asked.reading, asked.budget)
    scores = {**route.scores, "lookahead": float(hard.lookahead), "branches": float(hard.branches)}
    return replace(asked, connection=pair if escalate(hard, asked.budget) else None), replace(route, scores=scores)


__all__ = ["Acted", "Means", "ModelComposer", "act", "escalated", "experts", "first_route"]
