"""The stream of steps of one question."""

from __future__ import annotations

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.steps import Answered, Composed, Gated, Linked, Retrieved, Step, Understood, Verified

WHOLE = [Linked, Understood, Gated, Retrieved, Composed, Verified, Answered]


def kinds(steps: list[Step]) -> list[type]:
    return [type(step) for step in steps]


@pytest.mark.parametrize("question", ["Who runs Brightwater Labs?", "Who audits Brightwater Labs?", "How many ships has Skerry?"])
def test_steps_come_in_order_and_are_the_trace(agent: Agent, question: str) -> None:
    steps = list(agent.stream(question))
    assert kinds(steps) == WHOLE
    last = steps[-1]
    assert isinstance(last, Answered)
    assert last.answer.trace == tuple(steps[:-1])
    assert last.answer.question == question


def test_a_refused_question_is_not_searched(agent: Agent) -> None:
    steps = list(agent.stream("Who owns Grendlow Freight?"))
    assert kinds(steps) == [kind for kind in WHOLE if kind is not Retrieved]
    gated = steps[2]
    assert isinstance(gated, Gated)
    assert gated.route.action == "abstain"


def test_steps_say_what_was_understood(agent: Agent) -> None:
    linked, understood, *_ = agent.stream("Which companies supplied Brightwater Labs in May 2021?")
    assert isinstance(linked, Linked)
    assert isinstance(understood, Understood)
    assert [seed.node.label for seed in linked.seeds] == ["Brightwater Labs"]
    assert (understood.operation, understood.answer_type, understood.as_of) == ("list", "company", "2021-05-31")
    assert "supplied" in understood.words


def test_as_of_is_part_of_what_was_understood(agent: Agent) -> None:
    _, understood, *_ = agent.stream("Who ran Brightwater Labs in 2022?", as_of="2015-01-01")
    assert isinstance(understood, Understood)
    assert understood.as_of == "2015-01-01"


def test_steps_are_lazy(agent: Agent) -> None:
    stream = agent.stream("Who runs Brightwater Labs?")
    assert isinstance(next(stream), Linked)
    stream.close()  # type: ignore[attr-defined]


def test_verified_counts_the_citations_of_the_answer(agent: Agent) -> None:
    *_, verified, answered = agent.stream("In which country is the parent company of Brightwater Labs based?")
    assert isinstance(verified, Verified)
    assert isinstance(answered, Answered)
    assert (verified.citations, verified.failed, verified.dropped) == (3, 0, 0)
    assert len(answered.answer.citations) == 3
    assert answered.answer.usage.evidence_tokens > 0
    assert answered.answer.usage.window_tokens > answered.answer.usage.evidence_tokens
    assert answered.answer.usage.model_calls == 0


def test_the_same_question_gets_the_same_answer(agent: Agent) -> None:
    first, second = (agent.ask("Which ships were built by Vellmar Yard?").to_dict() for _ in range(2))
    for answer in (first, second):
        del answer["timings_ms"], answer["route"]["cost"]
    assert first == second


def test_a_question_that_finds_no_path_still_shows_passages(agent: Agent) -> None:
    retrieved = next(step for step in agent.stream("Who audits Brightwater Labs?") if isinstance(step, Retrieved))
    assert any("Brightwater Labs" in hit.chunk.text for hit in retrieved.hits)
