"""Spans and log lines: what they say, and that no word of a question or of the graph is in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from hoptrace.agents import loop, telemetry
from hoptrace.agents.agent import Agent
from hoptrace.agents.steps import Retrieved
from hoptrace.kg.errors import BudgetExceededError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import normalize
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

QUESTION = "Who leads the company that supplies hull coatings to Brightwater Labs?"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Spans of a provider of the test's own."""
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(telemetry, "_tracer", lambda: provider.get_tracer("test"))
    yield kept
    provider.shutdown()


def one(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


def test_a_question_is_a_span_with_an_event_for_each_step(agent: Agent, exporter: InMemorySpanExporter) -> None:
    answer = agent.ask(QUESTION)
    span = one(exporter)
    assert span.name == telemetry.SPAN
    said: dict[str, Any] = dict(span.attributes or {})
    assert len(said.pop("hoptrace.question")) == 16
    assert said == {f"hoptrace.{name}": value for name, value in telemetry.about(answer).items()}
    assert (said["hoptrace.action"], said["hoptrace.hops"], said["hoptrace.status"]) == ("path", 2, "answered")
    assert said["hoptrace.citations"] == said["hoptrace.verified"] == len(answer.citations)
    assert [event.name for event in span.events] == ["linked", "understood", "gated", "retrieved", "composed", "verified"]


@pytest.mark.parametrize("question", [QUESTION, "Who is the mayor of Atlantis?", "Who ran Brightwater Labs in 2015?"])
def test_no_word_of_the_question_or_the_graph_is_in_it(
    agent: Agent, harbour: KnowledgeGraph, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture, question: str
) -> None:
    with caplog.at_level(logging.DEBUG, logger="hoptrace"):
        answer = agent.ask(question)
    span, (record,) = one(exporter), caplog.records
    logged = [record.getMessage(), json.dumps(record.hoptrace)]  # type: ignore[attr-defined]
    values = [*(span.attributes or {}).values(), *(v for event in span.events for v in (event.attributes or {}).values())]
    told = f" {normalize(' '.join([*map(str, values), *logged]))} "
    labels = {entity.label for entity in harbour.store.entities()} | {relation.label for _, relation in harbour.store.relations()}
    own = set(normalize(question).split()) | set(normalize(answer.text).split())
    vocabulary = {"path", "a", "by", "is", "in", "to", "of", "the"}  # of the line itself
    assert not [word for word in own - vocabulary if f" {word} " in told and not word.isdigit()]
    assert not [label for label in labels if f" {normalize(label)} " in told and not label.isdigit()]


def test_the_line_has_the_span_s_numbers_and_ids(
    agent: Agent, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="hoptrace"):
        answer = agent.ask(QUESTION)
    (record,) = caplog.records
    told: dict[str, Any] = record.hoptrace  # type: ignore[attr-defined]
    attributes = one(exporter).attributes or {}
    assert {name: told[name.removeprefix("hoptrace.")] for name in attributes} == dict(attributes)
    assert told["chunks"] == [citation.chunk_id for citation in answer.citations]
    assert record.getMessage().startswith(f"question {told['question']}: answered by path (rule), 2 hops, ")


def test_an_error_ends_the_span_by_its_kind(
    agent: Agent, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        raise BudgetExceededError(f"too long: {QUESTION}")

    monkeypatch.setattr(loop, "act", broken)
    with caplog.at_level(logging.INFO, logger="hoptrace"), pytest.raises(BudgetExceededError):
        agent.ask(QUESTION)
    span = one(exporter)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert (span.attributes or {})["hoptrace.error"] == "BudgetExceededError"
    assert [event.name for event in span.events] == ["linked", "understood", "gated"]
    assert caplog.messages[0].endswith(": BudgetExceededError")


def test_a_reader_who_leaves_ends_the_span(agent: Agent, exporter: InMemorySpanExporter) -> None:
    steps = agent.stream(QUESTION)
    assert any(isinstance(step, Retrieved) for step in steps)
    steps.close()  # type: ignore[attr-defined]
    assert (one(exporter).attributes or {})["hoptrace.status"] == "left"


def test_without_the_package_nothing_happens(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_tracer", lambda: None)
    assert agent.ask(QUESTION).answers == ("Ravn Ekholm",)


def test_the_tracer_is_that_of_the_program() -> None:
    assert telemetry._tracer() is not None
