"""The report on edits: that the new facts win, that nothing else moves, and that the measures bite."""

from __future__ import annotations

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.editing import SHARES, edit_report
from hoptrace.agents.experts.memory import Memory
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder


@pytest.fixture
def agent(memory: Memory, encoder: Encoder) -> Agent:
    return Agent(memory.kg, encoder=encoder, reads=False, writer=False)


def test_edits_win_where_they_apply_and_nowhere_else(memory: Memory, agent: Agent) -> None:
    report = edit_report(memory, agent, edits=12)
    assert report.edits == {kind: round(share * 12) for kind, share in SHARES.items()}
    assert all(report.asked.values())
    assert report.rates == dict.fromkeys(report.rates, 1.0)


def test_without_the_ledger_the_old_answers_win(memory: Memory, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoptrace.agents.editing.veto", lambda *_: "")
    report = edit_report(memory, agent, edits=12)
    assert report.rates["old_answer_wins"] == 1.0
    assert (report.rates["reliability"] or 0) <= 0.5
    assert report.rates["locality"] == 1.0


def test_a_memory_that_knows_nothing_has_nothing_to_edit(memory: Memory, agent: Agent) -> None:
    memory.weights["bias"][-1] = 1e3  # it was never told anything
    memory.kg.retract(next(memory.kg.triples(relation="wrote")).id)
    report = edit_report(memory, agent, edits=8)
    assert report.edits["erase"] == report.edits["modify"] == 0
    with pytest.raises(InputError, match="knows no fact"):
        edit_report(memory, agent, edits=0)
