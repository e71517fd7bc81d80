"""Citations are read again before an answer leaves; what cannot be read supports nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.compose import Draft, Reason
from hoptrace.agents.steps import Answered, Composed, Step, Verified
from hoptrace.agents.verify import cite, verify
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Span
from hoptrace.retrieval.encoder import Encoder

QUESTION = "Who supplies hull coatings to Brightwater Labs?"


def damage(kg: KnowledgeGraph, old: str, new: str) -> None:
    """Change stored text behind the store's back."""
    with sqlite3.connect(kg.path / "kg.sqlite") as db:
        changed = db.execute("UPDATE chunk SET text = replace(text, ?, ?) WHERE instr(text, ?)", (old, new, old)).rowcount
    db.close()
    assert changed == 1


@pytest.fixture
def span(own_harbour: KnowledgeGraph) -> Span:
    [triple] = own_harbour.triples("Tidewell Paints", "supplies")
    return triple.spans[0]


def test_a_true_citation_is_verified(own_harbour: KnowledgeGraph, span: Span) -> None:
    citation = cite(own_harbour, span, 7)
    assert citation.verified
    assert (citation.id, citation.source, citation.quote) == (7, "facts.txt", span.quote)
    assert own_harbour.text(span.source_id, citation.start, citation.end) == citation.quote


@pytest.mark.parametrize(
    "forged",
    [
        {"quote": "Tidewell Paints supplies nothing to Brightwater Labs."},
        {"start": 0},
        {"end": 10_000_000},
        {"source_id": "s0000000000000000"},
        {"source_id": "no id"},
        {"chunk_id": "c0000000000000000"},
        {"start": -5, "end": -1},
    ],
)
def test_a_forged_span_is_not(own_harbour: KnowledgeGraph, span: Span, forged: dict[str, object]) -> None:
    citation = cite(own_harbour, replace(span, **forged), 1)  # type: ignore[arg-type]
    assert not citation.verified


def test_a_changed_text_is_not(own_harbour: KnowledgeGraph, span: Span) -> None:
    damage(own_harbour, "hull coatings", "hull costings")
    assert not cite(own_harbour, span, 1).verified


def test_a_change_elsewhere_in_the_chunk_is_noticed_too(own_harbour: KnowledgeGraph, span: Span) -> None:
    damage(own_harbour, "ceramic valves", "ceramic walves")
    assert not cite(own_harbour, span, 1).verified


def test_a_forgotten_source_supports_nothing(own_harbour: KnowledgeGraph, span: Span) -> None:
    own_harbour.forget(span.source_id)
    assert not cite(own_harbour, span, 1).verified


def test_claims_keep_what_stands_and_fall_with_their_last_citation(own_harbour: KnowledgeGraph, span: Span) -> None:
    forged = replace(span, quote="no such words")
    reasons = (Reason("both", (span, forged)), Reason("true", (span,)), Reason("false", (forged,)), Reason("nothing", ()))
    verdict = verify(own_harbour, Draft("text", ("x",), reasons))
    assert [claim.text.split()[0].rstrip(".") for claim in verdict.claims] == ["both", "true"]
    assert [(c.quote == span.quote, c.verified) for c in verdict.citations] == [(True, True), (False, False)]
    assert (verdict.failed, verdict.dropped) == (1, 2)
    sound = {citation.id for citation in verdict.citations if citation.verified}
    assert all(set(claim.citations) == sound for claim in verdict.claims)


def test_a_span_cited_twice_is_one_citation(own_harbour: KnowledgeGraph, span: Span) -> None:
    verdict = verify(own_harbour, Draft("text", ("x",), (Reason("one", (span,)), Reason("two", (span,)))))
    assert len(verdict.citations) == 1
    assert [claim.citations for claim in verdict.claims] == [(1,), (1,)]


def test_text_damaged_before_the_question_is_never_answered_from(own_harbour: KnowledgeGraph, encoder: Encoder) -> None:
    damage(own_harbour, "hull coatings", "hull costings")
    with pytest.warns(UserWarning, match="passed over"):
        answer = Agent(own_harbour, encoder=encoder).ask(QUESTION)
    assert (answer.status, answer.answers) == ("abstained", ())


def steps_until_composed(stream: Iterator[Step]) -> list[Step]:
    steps = []
    for step in stream:
        steps.append(step)
        if isinstance(step, Composed):
            break
    return steps


def test_text_damaged_while_answering_withdraws_the_answer(own_harbour: KnowledgeGraph, encoder: Encoder) -> None:
    stream = Agent(own_harbour, encoder=encoder).stream(QUESTION)
    steps = steps_until_composed(stream)
    assert "Tidewell" in steps[-1].text  # type: ignore[union-attr]
    damage(own_harbour, "hull coatings", "hull costings")
    verified, answered = stream
    assert isinstance(verified, Verified)
    assert isinstance(answered, Answered)
    assert verified.failed == verified.citations == 1
    answer = answered.answer
    assert (answer.status, answer.answers, answer.confidence, answer.rationale) == ("abstained", (), 0.0, ())
    assert "verified" in answer.text
    assert [citation.verified for citation in answer.citations] == [False]


def test_a_source_forgotten_while_answering_withdraws_the_answer(own_harbour: KnowledgeGraph, encoder: Encoder) -> None:
    stream = Agent(own_harbour, encoder=encoder).stream(QUESTION)
    steps_until_composed(stream)
    own_harbour.forget("facts.txt")
    *_, answered = stream
    assert isinstance(answered, Answered)
    assert answered.answer.status == "abstained"


def test_an_answer_that_loses_one_of_its_hops_is_withdrawn(
    own_harbour: KnowledgeGraph, write: Callable[..., None], encoder: Encoder
) -> None:
    write(own_harbour, [("Dorn Mills", "owns", "Tidewell Paints")], "register.txt")
    stream = Agent(own_harbour, encoder=encoder).stream("Who owns the company that supplies hull coatings to Brightwater Labs?")
    assert "Dorn Mills" in steps_until_composed(stream)[-1].text  # type: ignore[union-attr]
    own_harbour.forget("register.txt")
    verified, answered = stream
    assert isinstance(verified, Verified)
    assert isinstance(answered, Answered)
    assert (verified.citations, verified.failed, verified.dropped) == (2, 1, 1)
    assert (answered.answer.status, answered.answer.answers) == ("abstained", ())
