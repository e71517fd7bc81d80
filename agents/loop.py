"""The loop of one question: a generator of typed steps, link → read → gate → retrieve → compose → verify → answer.

`ask` is only the last step of `stream`. Every step is yielded when it is known, so an interface can show hops as they
are found; the tuple of all steps is the trace of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial

from ..retrieval.base import Budget
from ..retrieval.question import Understanding
from ..retrieval.retriever import Retriever
from ..retrieval.rewrite import rewrite
from .acting import Means, act, escalated, first_route
from .answer import Action, Answer, Claim, Route, Usage
from .compose import Draft, PathComposer, abstain, noted
from .pool import Asked
from .recall import MEMORY, recalled
from .steps import Answered, Composed, Gated, Linked, Retrieved, Step, Understood, Verified
from .verify import Verdict, verify
from .writer import Writer, story

RULED = ("path", "advice", "reader")  # composers of chains: all they say must stand


def stream(
    question: str,
    retriever: Retriever,
    means: Means,
    *,
    as_of: date | None = None,
    budget: Budget | None = None,
    action: Action | None = None,
) -> Iterator[Step]:
    """Steps of one question, the last one `Answered`.

    Args:
        question: any text.
        retriever: over the graph to ask.
        means: what may answer.
        as_of: answer as of this day; outranks a date in the question.
        budget: limits; the retriever's own where None.
        action: done whatever the gate would choose.
    """
    budget, clock, trace = budget or retriever.budget, _Clock(), list[Step]()

    def keep(step: Step) -> Step:
        trace.append(step)
        return step

    links = retriever.link(question)
    rewritten = rewrite(question, links, retriever)
    text, links = (rewritten.text, list(rewritten.links)) if rewritten is not None else (question, links)
    yield keep(Linked(tuple(seed for link in links for seed in link.seeds), rewritten))
    reading = for_values(retriever.read(text, links, as_of))
    clock.lap("link")
    yield keep(_understood(reading, as_of))
    asked = Asked(
        question, text, reading, links, budget, means.failures.ask("memory", partial(recalled, means.memory, text, links))
    )
    route = first_route(retriever, means, asked, action)
    asked, route = escalated(retriever, asked, route)
    clock.lap("gate")
    yield keep(Gated(route))
    acted = act(retriever, means, asked, route)
    clock.lap("retrieve")
    if acted.looked:
        yield keep(Retrieved(acted.evidence.paths, acted.evidence.hits, acted.evidence.truncated))
    draft, usage = acted.draft, Usage()
    if acted.looked and (composer := means.model or (means.student if action is None else None)) is not None:
        told = means.failures.ask(composer.name, partial(composer.compose, question, acted.evidence, draft))
        draft, usage = told or (draft, usage)
    clock.lap("compose")
    yield keep(Composed(draft.composer, draft.text))
    verdict = verify(retriever.kg, draft)
    draft = settle(draft, verdict)
    clock.lap("verify")
    yield keep(Verified(len(verdict.citations), verdict.failed, verdict.dropped))
    written = draft
    if means.writer is not None and asked.connection is None:
        written = means.failures.ask("writer", partial(_written, means.writer, reading, draft, verdict)) or draft
    usage = replace(usage, evidence_tokens=acted.evidence.tokens, window_tokens=acted.evidence.window_tokens)
    answer = finished(question, written, verdict, acted.route, usage, clock.total(), tuple(trace))
    if means.witnesses is not None and answer.status != "abstained":
        answer = replace(answer, support=means.witnesses.behind(answer.paths, retriever.adjacency()))
    yield Answered(replace(answer, realised=draft.text, generation=retriever.kg.store.seq))


class _Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.start = self.last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = (now - self.last) * 1000
        self.last = now

    def total(self) -> dict[str, float]:
        return {**self.laps, "total": (time.perf_counter() - self.start) * 1000}


def for_values(reading: Understanding) -> Understanding:
    """Comparisons look for the values compared, whatever noun the question asks for."""
    if reading.operation in {"compare", "superlative"} or (reading.operation == "yes-no" and reading.value_kind):
        return replace(reading, answer_type=reading.value_kind, answer_noun="")
    return reading


def _understood(reading: Understanding, as_of: date | None) -> Understood:
    named = as_of or reading.last
    words = tuple(unit.text for unit in reading.units)
    return Understood(reading.operation, words, reading.answer_noun or reading.answer_type, named.isoformat() if named else "")


def settle(draft: Draft, verdict: Verdict) -> Draft:
    """What remains of a draft after verification: an answer whose path lost a claim is not an answer."""
    if draft.status != "answered":
        return draft
    if draft.composer == MEMORY:
        return draft  # it claims nothing of any source, and says so
    if not verdict.claims or (draft.composer in RULED and verdict.dropped):
        return replace(abstain("its citations could not be verified", 0.0), composer=draft.composer)
    if verdict.dropped:
        return replace(draft, status="partial", confidence=draft.confidence * 0.5)
    return draft


def _written(writer: Writer, reading: Understanding, draft: Draft, verdict: Verdict) -> Draft:
    """The draft in the writer's words, where it was made from facts and the writer has words for all of them."""
    if draft.status != "answered" or draft.composer not in {PathComposer.name, "reader"}:
        return draft
    told = story(reading, draft.answers, draft.paths, verdict.claims)
    text = writer.write(told).text if told is not None else ""
    if not text or told is None:
        return draft
    text += " Sources disagree." if told.disputed else ""
    return replace(draft, text=text + noted(draft.notes))


def finished(
    question: str, draft: Draft, verdict: Verdict, route: Route, usage: Usage, timings: dict[str, float], trace: tuple[Step, ...]
) -> Answer:
    """The answer that a settled draft is, with what was checked and spent."""
    answered = draft.status != "abstained"
    if answered and draft.composer == "reader" and route.action == "path":
        route = replace(route, action="path+text", reason=f"{route.reason}; its facts do not answer, its passages do")
    if not answered and route.action != "abstain":
        route = replace(route, action="abstain", reason=f"{route.reason}; {draft.missing}")
    claims: tuple[Claim, ...] = verdict.claims if answered else ()
    cost = {"retrievals": 0.0, **route.cost, "evidence_tokens": float(usage.evidence_tokens), "ms": round(timings["total"], 2)}
    return Answer(
        question=question,
        text=draft.text,
        answers=draft.answers if answered else (),
        status=draft.status,
        confidence=draft.confidence,
        route=replace(route, cost=cost),
        rationale=claims,
        paths=draft.paths,
        citations=verdict.citations,
        usage=usage,
        timings_ms=timings,
        trace=trace,
        notes=draft.notes if answered else (),
    )


__all__ = ["finished", "for_values", "settle", "stream"]
