"""The loop of one question: a generator of typed steps, link → read → gate → retrieve → compose → verify → answer.

`ask` is only the last step of `stream`. Every step is yielded when it is known, so an interface can show hops as they
are found; the tuple of all steps is the trace of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from ..kg.model import Path
from ..retrieval.base import Budget, Evidence, Hit
from ..retrieval.complexity import escalate
from ..retrieval.linking import Link
from ..retrieval.question import Understanding
from ..retrieval.retriever import Found, Retriever
from ..retrieval.rewrite import rewrite
from .answer import Answer, Claim, Route, Usage
from .compose import Draft, PathComposer, abstain, noted
from .connection import Connection, connect, pair_complexity, read_connection
from .gate import decide
from .steps import Answered, Composed, Gated, Linked, Retrieved, Step, Understood, Verified
from .verify import Verdict, verify
from .writer import Writer, story

SPENT = {"expansions", "seconds"}  # budgets: a search that ran out of one does not show that the graph records nothing
RULED = ("path", "advice", "reader")  # composers of chains: all they say must stand


class TextReader(Protocol):
    """Reads answers in passages where the graph gives none; see `agents.reading`."""

    def compose(self, question: str, links: Sequence[Link], hits: Sequence[Hit], budget: Budget) -> Draft | None: ...

    def outranks(self, question: str, draft: Draft) -> bool: ...


class ModelComposer(Protocol):
    """Composes from packed evidence with a language model; see `agents.chat`."""

    name: str

    def compose(self, question: str, evidence: Evidence, fallback: Draft) -> tuple[Draft, Usage]: ...


def stream(
    question: str,
    retriever: Retriever,
    *,
    as_of: date | None = None,
    budget: Budget | None = None,
    model: ModelComposer | None = None,
    reader: TextReader | None = None,
    student: ModelComposer | None = None,
    writer: Writer | None = None,
) -> Iterator[Step]:
    """Steps of one question, the last one `Answered`.

    Args:
        question: any text.
        retriever: over the graph to ask.
        as_of: answer as of this day; outranks a date in the question.
        budget: limits; the retriever's own where None.
        model: composes in place of the path composer, whose draft it falls back to.
        reader, student: read the passages found, and then the facts found, where the path composer abstains.
        writer: writes the sentence of an answer that is made of facts; where it has none that is right, the plain text stays.
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
    if reading.last is not None or not all(link.seeds or retriever.holds(link.text) for link in links):
        reader = None  # passages say little of days, and nothing of a name that none of them holds
    route = decide(reading, links, retriever.gains(reading), model=model is not None, reader=reader is not None)
    asked, route = _escalated(retriever, reading, links, route, budget)
    clock.lap("gate")
    yield keep(Gated(route))
    evidence, draft, usage = Evidence(), abstain(route.reason), Usage()
    if route.action != "abstain":
        draft, paths, truncated = _walked(retriever, asked, reading, links, route, budget, always=model is not None)
        if truncated & SPENT:
            reader = None
        open_ended = draft.status == "abstained" or (asked is None and reader is not None and reader.outranks(text, draft))
        hits = retriever.passages(text, budget.chunks) if model is not None or open_ended else []
        if reader is not None and model is None and hits:
            draft = reader.compose(text, links, hits, budget) or draft
            paths = draft.paths or paths
        evidence = retriever.pack(paths, hits, truncated, budget, question=text)
        clock.lap("retrieve")
        yield keep(Retrieved(evidence.paths, evidence.hits, evidence.truncated))
        if (composer := model or student) is not None:
            draft, usage = composer.compose(question, evidence, draft)
        clock.lap("compose")
    yield keep(Composed(draft.composer, draft.text))
    verdict = verify(retriever.kg, draft)
    draft = settle(draft, verdict)
    clock.lap("verify")
    yield keep(Verified(len(verdict.citations), verdict.failed, verdict.dropped))
    written = _written(writer, reading, draft, verdict) if writer is not None and asked is None else draft
    usage = replace(usage, evidence_tokens=evidence.tokens, window_tokens=evidence.window_tokens)
    yield Answered(replace(finished(question, written, verdict, route, usage, clock.total(), tuple(trace)), realised=draft.text))


def _walked(
    retriever: Retriever,
    asked: Connection | None,
    reading: Understanding,
    links: Sequence[Link],
    route: Route,
    budget: Budget,
    *,
    always: bool,
) -> tuple[Draft, Sequence[Path], set[str]]:
    """What paths say: the draft over them, the paths worth showing, and the budgets that were hit."""
    if asked is not None:
        draft = connect(retriever, asked, reading)
        return draft, draft.paths, set()
    if route.action != "path" and not always:
        return abstain(route.reason), (), set()
    found = retriever.search(reading, links, budget)
    draft = PathComposer(retriever).compose(reading, links, found)
    return draft, draft.paths or _candidate_paths(retriever, reading, found), found.truncated


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


def _escalated(
    retriever: Retriever, reading: Understanding, links: Sequence[Link], route: Route, budget: Budget
) -> tuple[Connection | None, Route]:
    """The pair of a question of connection that is left to exact search, and the route with what that was decided by."""
    asked = read_connection(reading, links) if route.action != "abstain" else None
    if asked is None:
        return None, route
    hard = pair_complexity(retriever, asked, reading, budget)
    scores = {**route.scores, "lookahead": float(hard.lookahead), "branches": float(hard.branches)}
    return (asked if escalate(hard, budget) else None), replace(route, scores=scores)


def _understood(reading: Understanding, as_of: date | None) -> Understood:
    named = as_of or reading.last
    words = tuple(unit.text for unit in reading.units)
    return Understood(reading.operation, words, reading.answer_noun or reading.answer_type, named.isoformat() if named else "")


def _candidate_paths(retriever: Retriever, reading: Understanding, found: Found) -> Sequence[Path]:
    resolved = retriever.resolve(found.candidates, reading, limit=3)
    return [path for candidate in resolved for path in candidate.answers[0].paths]


def settle(draft: Draft, verdict: Verdict) -> Draft:
    """What remains of a draft after verification: an answer whose path lost a claim is not an answer."""
    if draft.status != "answered":
        return draft
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
    return Answer(
        question=question,
        text=draft.text,
        answers=draft.answers if answered else (),
        status=draft.status,
        confidence=draft.confidence,
        route=replace(route, cost={"evidence_tokens": float(usage.evidence_tokens), "ms": round(timings["total"], 2)}),
        rationale=claims,
        paths=draft.paths,
        citations=verdict.citations,
        usage=usage,
        timings_ms=timings,
        trace=trace,
        notes=draft.notes if answered else (),
    )


__all__ = ["ModelComposer", "TextReader", "finished", "for_values", "settle", "stream"]
