"""Answers and states of the graph held against each other, judged, and asked in other ways."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from hoptrace import Agent
from hoptrace.agents.acting import Means
from hoptrace.agents.evaluate import load_questions
from hoptrace.agents.interfaces import commands, render
from hoptrace.agents.interfaces.registry import call
from hoptrace.agents.interfaces.session import Session, StoppedError
from hoptrace.agents.opinion import Opinion
from hoptrace.agents.recall import Recalled
from hoptrace.kg.errors import ConflictError, InputError, LedgerError

MAYOR = "Who is the mayor of Tarn City?"


class Parrot:
    """A memory that says one thing."""

    def __init__(self, says: str) -> None:
        self.says = says

    def recall(self, question: str, links: object) -> Recalled:
        return Recalled(Opinion.of([self.says], [1.0], 0.9), {"taught": 1.0, "margin": 1.0, "entropy": 0.0})


def remembering(patch: pytest.MonkeyPatch, says: str) -> None:
    real = Agent._able

    def able(self: Agent) -> Means:
        return replace(real(self), memory=Parrot(says))

    patch.setattr(Agent, "_able", able)


def data(session: Session, name: str, /, **given: Any) -> dict[str, Any]:
    assert name in commands.COMMANDS
    return call(session, name, given).to_dict()


def shown(session: Session, name: str, /, **given: Any) -> str:
    buffer = io.StringIO()
    call(session, name, given).show(render.console(buffer))
    return buffer.getvalue()


# ---- gate


@pytest.mark.parametrize("gate", ["internal", "both"])
def test_without_a_memory_nothing_is_answered_from_it(session: Session, gate: str) -> None:
    with pytest.raises(InputError, match="train memory"):
        data(session, "ask", question=MAYOR, gate=gate)


def test_retrieval_never_asks_the_memory(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    remembering(monkeypatch, "Ada Roe")
    answer = data(session, "ask", question=MAYOR, gate="retrieval")
    assert answer["answers"] == ["Piet Aalders"]
    assert "Ada Roe" not in str(answer)


def test_an_answer_from_memory_is_labelled(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    remembering(monkeypatch, "Ada Roe")
    answer = data(session, "ask", question=MAYOR, gate="internal")
    assert (answer["answers"], answer["citations"], answer["route"]["action"]) == (["Ada Roe"], [], "internal")
    assert "not in your documents" in answer["text"]
    assert "not in your documents" in shown(session, "ask", question=MAYOR, gate="internal")


@pytest.mark.parametrize(("says", "agree"), [("Ada Roe", False), ("piet  aalders", True)])
def test_both_are_shown_side_by_side(session: Session, monkeypatch: pytest.MonkeyPatch, says: str, agree: bool) -> None:
    remembering(monkeypatch, says)
    answer = data(session, "ask", question=MAYOR, gate="both")
    assert (answer["answers"], answer["internal"]["answers"], answer["agree"]) == (["Piet Aalders"], [says], agree)
    text = shown(session, "ask", question=MAYOR, gate="both")
    assert "not in your documents" not in text.partition("from the graph")[0]
    assert ("they agree" if agree else "they do not agree") in text
    assert session.answers.get()["route"]["action"] != "internal"  # the last one is the one with sources


def test_a_gate_that_is_none_is_refused_by_name(session: Session) -> None:
    with pytest.raises(InputError, match="auto, retrieval, internal, both"):
        data(session, "ask", question=MAYOR, gate="sometimes")


# ---- answers


def test_a_replay_on_the_same_graph_is_the_same(session: Session) -> None:
    data(session, "ask", question=MAYOR, as_of="2024-01-01")
    again = data(session, "replay", number=1)
    assert (again["same"], again["same_graph"], again["again"]) == (True, True, 2)
    first, second = session.answers.get(1), session.answers.get(2)
    assert first["asked"] == second["asked"] == {"as_of": "2024-01-01", "gate": "auto", "seq": session.kg.store.seq}
    assert "same answer" in shown(session, "replay", number=1)


def test_a_replay_on_another_graph_says_so(session: Session) -> None:
    data(session, "ask", question=MAYOR)
    for fact in data(session, "neighbors", name="Piet Aalders")["facts"]:
        data(session, "retract", triple=fact["id"])
    again = data(session, "replay")
    assert (again["same"], again["same_graph"]) == (False, False)
    assert "answers" in again["differ"]


def test_two_answers_differ_in_what_they_say_and_rest_on(session: Session) -> None:
    data(session, "ask", question=MAYOR)
    data(session, "ask", question="Where is Tarn City located?")
    found = data(session, "diff", first="1", second="2")
    assert found["answers"] == {"added": ["Norland"], "removed": ["Piet Aalders"]}
    assert not found["same"]
    assert found["paths"]["added"] == ["Tarn City —located in→ Norland"]
    assert data(session, "diff", first="1", second="1")["same"]
    text = shown(session, "diff", first="1", second="2")
    assert "+ Norland" in text
    assert "- Piet Aalders" in text


def test_checkpoints_and_ledger_numbers_differ_in_facts(session: Session) -> None:
    assert data(session, "checkpoint", name="before")["checkpoints"] == [{"name": "before", "seq": session.kg.store.seq}]
    data(session, "teach", subject="Norland", relation="capital", object="Eskmouth")
    assert "+ Norland — capital → Eskmouth" in shown(session, "diff", first="before")
    seq = session.kg.store.seq
    found = data(session, "diff", first=str(seq - 1), second=str(seq), ledger=True)
    assert [fact["object"] for fact in found["added"]] == ["Eskmouth"]


def test_undo_and_redo_come_back_to_the_same_content(session: Session) -> None:
    before = session.kg.content_hash()
    data(session, "teach", subject="Norland", relation="capital", object="Eskmouth")
    after = session.kg.content_hash()
    data(session, "undo")
    assert session.kg.content_hash() == before
    data(session, "redo")
    assert session.kg.content_hash() == after
    with pytest.raises(LedgerError, match="nothing to redo"):
        data(session, "redo")


def test_a_stopped_question_keeps_what_was_found(session: Session) -> None:
    def stop(step: Any) -> None:
        if type(step).__name__ == "Retrieved":
            raise KeyboardInterrupt

    session.watch = stop
    with pytest.raises(StoppedError):
        data(session, "ask", question=MAYOR)
    record = session.answers.get()
    assert (record["number"], record["status"], record["answers"]) == (1, "stopped", [])
    assert "Piet Aalders" in str(record["paths"])
    assert [step["step"] for step in record["trace"]][:2] == ["linked", "understood"]


# ---- feedback


def test_feedback_becomes_labelled_questions(session: Session) -> None:
    for _ in range(3):
        data(session, "ask", question=MAYOR)
    data(session, "ask", question="Where is Tarn City located?")
    data(session, "feedback", number=1, verdict="good")
    data(session, "feedback", number=4, verdict="bad", answer="Westmark")
    asked = load_questions(session.folder / "feedback.jsonl")
    assert [(one.text, one.gold) for one in asked] == [(MAYOR, ("Piet Aalders",)), ("Where is Tarn City located?", ("Westmark",))]
    data(session, "feedback", number=2, verdict="bad", answer="nothing")
    assert load_questions(session.folder / "feedback.jsonl")[-1].gold == ()
    assert "cannot learn" in shown(session, "feedback", number=3, verdict="bad")
    assert [one.gold for one in load_questions(session.folder / "feedback.jsonl")] == [("Westmark",)]
    assert (session.folder / "feedback.jsonl").stat().st_mode & 0o077 == 0


def test_forgetting_a_source_takes_the_judgement_away(session: Session) -> None:
    cited = data(session, "ask", question=MAYOR)["citations"][0]["source"]
    data(session, "feedback", number=1, verdict="good")
    data(session, "forget", source=cited)
    assert "Piet" not in (session.folder / "feedback.jsonl").read_text("utf-8")


# ---- teaching


def test_a_contradiction_is_named_and_needs_anyway(session: Session) -> None:
    teach = {"subject": "Norland", "relation": "capital", "object": "Eskmouth", "functional": True}
    data(session, "teach", **teach)
    before = session.kg.store.seq
    with pytest.raises(ConflictError, match=r"Norland — capital → Eskmouth.*--anyway"):
        data(session, "teach", subject="Norland", relation="capital", object="Tarn City")
    assert session.kg.store.seq == before
    said = data(session, "teach", subject="Norland", relation="capital", object="Tarn City", anyway=True)
    assert (said["status"], said["contradicts"]) == ("disputed", ["Norland — capital → Eskmouth"])


def test_a_taught_fact_with_a_plain_relation_contradicts_nothing(session: Session) -> None:
    for city in ("Eskmouth", "Tarn City"):
        assert data(session, "teach", subject="Norland", relation="has city", object=city)["contradicts"] == []
