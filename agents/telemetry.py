"""What operators see of a question: an OpenTelemetry span with an event for each step, and one log line.

Both hold ids, names of actions and numbers, never a word of a question, a label, a quote or an answer. A question has a random
id, which the span and the line share. Spans are made where the package opentelemetry-api is installed, and go wherever the
program that uses hoptrace sends its own; without it nothing happens. The line is of level INFO, its values are in
`record.hoptrace`.

    hoptrace.agents.telemetry INFO question 8f1c0a7be2d94c11: answered by path (rule), 2 hops, 2 citations, 14 ms
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from .answer import Answer
from .steps import Answered, Composed, Gated, Linked, Retrieved, Step, Understood, Verified

LOG = logging.getLogger(__name__)
SPAN = "hoptrace.question"


def observed(steps: Iterator[Step]) -> Iterator[Step]:
    """The same steps; the span ends, and the line is written, when the answer is made or an error ends the question."""
    question = uuid.uuid4().hex[:16]
    span = _Span(question)
    try:
        for step in steps:
            if isinstance(step, Answered):
                numbers = about(step.answer)
                span.end(numbers)
                _log(question, step.answer, numbers)
            else:
                span.event(step)
            yield step
    except Exception as error:
        span.end({"error": type(error).__name__})
        LOG.info("question %s: %s", question, type(error).__name__, extra={"hoptrace": {"question": question}})
        raise
    finally:
        span.end({"status": "left"})  # by a reader who wanted no more steps; otherwise it has ended already


def about(answer: Answer) -> dict[str, Any]:
    """Names and numbers of an answer."""
    return {
        "status": answer.status,
        "action": answer.route.action,
        "mode": answer.route.mode,
        "confidence": round(answer.confidence, 4),
        "hops": max((len(path.hops) for path in answer.paths), default=0),
        "citations": len(answer.citations),
        "verified": sum(citation.verified for citation in answer.citations),
        "evidence_tokens": answer.usage.evidence_tokens,
        "model_calls": answer.usage.model_calls,
        "ms": round(answer.timings_ms["total"], 2),
    }


def _log(question: str, answer: Answer, numbers: Mapping[str, Any]) -> None:
    if not LOG.isEnabledFor(logging.INFO):
        return
    chunks = [citation.chunk_id for citation in answer.citations]
    triples = [hop.triple.id for path in answer.paths for hop in path.hops]
    line = "question %s: %s by %s (%s), %d hops, %d citations, %.0f ms"
    values = [numbers[name] for name in ("status", "action", "mode", "hops", "citations", "ms")]
    LOG.info(line, question, *values, extra={"hoptrace": {"question": question, **numbers, "chunks": chunks, "triples": triples}})


def _of(step: Step) -> dict[str, Any]:
    """Names and numbers of a step."""
    match step:
        case Linked():
            return {"seeds": len(step.seeds), "rewritten": step.rewrite is not None}
        case Understood():
            return {"operation": step.operation, "words": len(step.words), "dated": bool(step.as_of)}
        case Gated():
            return {"action": step.route.action, "mode": step.route.mode}
        case Retrieved():
            return {"paths": len(step.paths), "passages": len(step.hits), "truncated": list(step.truncated)}
        case Composed():
            return {"characters": len(step.text)}
        case Verified():
            return {"citations": step.citations, "failed": step.failed, "dropped": step.dropped}
    return {}


class _Span:
    """A span of OpenTelemetry, or nothing where its API is not installed. It ends once."""

    def __init__(self, question: str) -> None:
        tracer = _tracer()
        self._span = tracer.start_span(SPAN, attributes={"hoptrace.question": question}) if tracer is not None else None

    def event(self, step: Step) -> None:
        if self._span is not None:
            self._span.add_event(type(step).__name__.lower(), _named(_of(step)))

    def end(self, attributes: Mapping[str, Any]) -> None:
        if self._span is None:
            return
        if "error" in attributes:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR)
        self._span.set_attributes(_named(attributes))
        self._span.end()
        self._span = None


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"hoptrace.{name}": value for name, value in attributes.items()}


@functools.cache
def _tracer() -> Any:
    """None without the package; with it, a tracer of whatever provider the program sets, also later."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer("hoptrace")


__all__ = ["SPAN", "about", "observed"]
