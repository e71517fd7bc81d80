"""The public contract of an agent: the answer as JSON, and what it refuses."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent, Budget, KnowledgeGraph
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ANSWER: dict[str, Any] = {
    "question": str,
    "text": str,
    "realised": str,
    "answers": [str],
    "status": str,
    "confidence": float,
    "route": {"action": str, "mode": str, "scores": dict, "reason": str, "cost": dict, "promised": (float, type(None))},
    "rationale": [{"text": str, "citations": [int]}],
    "paths": [
        {
            "score": float,
            "hops": [
                {"subject": str, "relation": str, "object": str, "direction": int, "triple_id": str, "citations": [int]},
            ],
        }
    ],
    "citations": [
        {"id": int, "source": str, "chunk_id": str, "start": int, "end": int, "quote": str, "verified": bool},
    ],
    "support": {"sources": int, "marks": [str], "conflicts": [{"said": str, "other": str, "sources": [str], "against": [str]}]},
    "usage": dict.fromkeys(("evidence_tokens", "window_tokens", "model_calls", "prompt_tokens", "completion_tokens"), int),
    "timings_ms": dict,
}


def conforms(value: Any, shape: Any) -> bool:
    """Whether a value has exactly the keys and types of a shape."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and value.keys() == shape.keys() and all(conforms(value[k], shape[k]) for k in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(conforms(item, shape[0]) for item in value)
    return isinstance(value, shape) and (shape is not int or not isinstance(value, bool))


@pytest.mark.parametrize(
    "question",
    [
        "Who runs Brightwater Labs?",
        "How many ships were built by Vellmar Yard?",
        "Does Calder Pumps own Brightwater Labs?",
        "Who owns Grendlow Freight?",
        "Who audits Brightwater Labs?",
    ],
)
def test_to_dict_is_the_public_object(agent: Agent, question: str) -> None:
    answer = agent.ask(question).to_dict()
    assert conforms(answer, ANSWER), answer
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer["status"] in {"answered", "abstained", "partial"}
    assert answer["route"]["action"] in {"internal", "adapter", "verify", "path", "path+text", "abstain"}
    assert 0 <= answer["confidence"] <= 1
    assert {"total"} <= answer["timings_ms"].keys()
    ids = {citation["id"] for citation in answer["citations"]}
    for hop in (hop for path in answer["paths"] for hop in path["hops"]):
        assert hop["direction"] in {1, -1}
        assert agent.kg.triple(hop["triple_id"]).subject.label == hop["subject"]
        assert set(hop["citations"]) <= ids
    for citation in answer["citations"]:
        source = next(source for source in agent.kg.sources() if source.uri == citation["source"])
        assert agent.kg.text(source.id, citation["start"], citation["end"]) == citation["quote"]


def test_paths_join_from_the_name_to_the_answer(agent: Agent) -> None:
    answer = agent.ask("In which country is the parent company of Brightwater Labs based?")
    [path] = answer.paths
    assert (path.start.label, path.end.label) == ("Brightwater Labs", "Ostrea")


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_is_refused(agent: Agent, question: str) -> None:
    with pytest.raises(InputError, match="empty"):
        agent.ask(question)


def test_a_question_of_a_megabyte_is_refused(agent: Agent) -> None:
    with pytest.raises(InputError, match="1000000"):
        agent.ask("x" * 1_000_000)


def test_the_longest_question_is_answered_or_refused_in_words(agent: Agent) -> None:
    assert agent.ask("Who runs Brightwater Labs? " + "really " * 300).status in {"answered", "abstained"}


@pytest.mark.parametrize("as_of", ["yesterday", "2023-02-30", "", "30.06.2023"])
def test_a_bad_day_is_refused(agent: Agent, as_of: str) -> None:
    with pytest.raises(InputError, match="as_of"):
        agent.ask("Who runs Brightwater Labs?", as_of=as_of)


def test_a_day_may_be_text_or_a_date(agent: Agent) -> None:
    question = "Who runs Brightwater Labs?"
    assert agent.ask(question, as_of="2015-01-01").answers == agent.ask(question, as_of=date(2015, 1, 1)).answers


def test_white_space_in_a_question_does_not_matter(agent: Agent) -> None:
    assert agent.ask("  Who runs\n Brightwater   Labs? ").answers == ("Piet Aalders",)


def test_a_small_budget_changes_the_answer_but_never_fails(agent: Agent) -> None:
    question = "In which country is the parent company of Brightwater Labs based?"
    assert agent.ask(question, budget=Budget(hops=1)).status == "abstained"
    assert agent.ask(question, budget=Budget(expansions=0)).status == "abstained"
    assert agent.ask(question, budget=Budget(tokens=1, paths=1, chunks=0)).answers == ("Ostrea",)


def test_an_empty_graph_abstains(tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        answer = Agent(kg, encoder=encoder).ask("Who owns Alda Works?")
        assert (answer.status, answer.answers, answer.citations) == ("abstained", (), ())


WORDS = st.sampled_from(
    """who which how many was owns supplier of the Brightwater Labs Halden Marine Calder Pumps Quorn 2015 earlier or and
    highest revenue founded ? 's [ ] list before ceo" '""".split()
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.one_of(st.text(min_size=1, max_size=40), st.lists(WORDS, min_size=1, max_size=10).map(" ".join)))
def test_any_text_gets_an_answer_or_a_typed_error(agent: Agent, question: str) -> None:
    try:
        answer = agent.ask(question)
    except InputError:
        assert not question.strip()
        return
    assert conforms(answer.to_dict(), ANSWER)
    assert answer.status == "abstained" or (answer.citations and all(c.verified for c in answer.citations))
