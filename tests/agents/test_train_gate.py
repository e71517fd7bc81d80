"""A gate calibrated on a graph: what it is bound to, what it changes, and what happens when it does not fit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hoptrace import Agent, Budget, KnowledgeGraph
from hoptrace.agents.acting import Means
from hoptrace.agents.evaluate import Question
from hoptrace.agents.loop import stream
from hoptrace.agents.opinion import Opinion
from hoptrace.agents.recall import Recalled
from hoptrace.agents.steps import Answered
from hoptrace.agents.train_gate import calibrate, gate_folder, load_gate, observe, save_gate
from hoptrace.agents.utility import Price
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder

NAMES = """Alda Bering Calder Dorn Eklund Falk Grieg Hollis Ibsen
    Jansen Krog Lund Moen Norde Olsen Prytz Quist Roth Strand Tveit""".split()


@pytest.fixture
def agent(tmp_path: Path, encoder: Encoder) -> Agent:
    """A graph of firms and their owners; of every fifth firm no owner is known."""
    kg = KnowledgeGraph.open(tmp_path / "kg")
    for i, name in enumerate(NAMES):
        if i % 5:
            kg.add(f"{name} Works", "owned by", f"{name} Holding")
        kg.add(f"{name} Works", "located in", "Oslo")
    return Agent(kg, encoder=encoder)


QUESTIONS = [Question(name, f"Who owns {name} Works?", (f"{name} Holding",)) for name in NAMES] + [
    Question(f"{name} seat", f"Where is {name} Works located?", ("Oslo",)) for name in NAMES
]


def calibrated(agent: Agent) -> Agent:
    gate, figures = calibrate(observe(agent, QUESTIONS), error=0.1, price=Price())
    save_gate(agent, gate, figures)
    return Agent(agent.kg, encoder=agent.encoder)


def test_every_action_is_run_on_every_question(agent: Agent) -> None:
    found = observe(agent, QUESTIONS)
    assert found.actions == agent.actions
    assert found.right[:, 0].tolist() == [i % 5 > 0 for i in range(len(NAMES))] + [True] * len(NAMES)
    assert found.said is not None
    assert not found.said[0, 0]
    assert len(set(found.groups.tolist())) == len(NAMES)


def test_a_calibrated_route_says_so_and_still_answers(agent: Agent) -> None:
    answer = calibrated(agent).ask("Who owns Bering Works?")
    assert answer.answers == ("Bering Holding",)
    assert answer.route.mode in {"calibrated", "shrunk"}
    assert 0 < answer.route.scores["p(path)"] == pytest.approx(answer.confidence)
    assert "path is worth most" in answer.route.reason
    assert all(c.verified for c in answer.citations)


def test_without_calibration_rules_decide(agent: Agent) -> None:
    assert agent.ask("Who owns Bering Works?").route.mode == "rule"


def test_a_change_of_the_graph_makes_it_stale(agent: Agent) -> None:
    fresh = calibrated(agent)
    agent.kg.add("Alda Works", "owned by", "Alda Holding")
    answer = fresh.ask("Who owns Bering Works?")
    assert answer.route.mode == "rule"
    assert "stale (seq changed)" in answer.route.reason


@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_a_damaged_calibration_is_named_and_not_used(agent: Agent, damage: str) -> None:
    calibrated(agent)
    file = gate_folder(agent.kg) / "gate.json"
    if damage == "gone":
        file.unlink()
    else:
        file.write_text(file.read_text()[:-9] if damage == "cut" else "{}")
    assert "cannot be read" in load_gate(agent).note
    assert Agent(agent.kg, encoder=agent.encoder).ask("Who owns Bering Works?").route.mode == "rule"


def test_a_gate_survives_being_written(agent: Agent) -> None:
    gate, figures = calibrate(observe(agent, QUESTIONS), error=0.1, price=Price())
    save_gate(agent, gate, figures)
    before_writing, again = gate.calibrated, load_gate(agent).calibrated
    assert again is not None
    assert before_writing is not None
    x, buckets = np.zeros((1, len(again.tiers[-1].features))), np.zeros(1, np.int64)
    features, tier = again.tiers[-1].features, len(again.tiers) - 1
    before = before_writing.probabilities(x, features, buckets, tier)
    assert again.probabilities(x, features, buckets, tier) == pytest.approx(before)
    json.loads((gate_folder(agent.kg) / "gate.json").read_text())


def test_too_few_questions_are_refused(agent: Agent) -> None:
    with pytest.raises(InputError):
        observe(agent, [])
    with pytest.raises(InputError, match="too few"):
        calibrate(observe(agent, QUESTIONS[:5]), error=0.1, price=Price())


@dataclass
class Heart:
    """A memory of one answer."""

    said: Recalled

    def recall(self, question: str, links: object) -> Recalled:
        return self.said


def asked(agent: Agent, memory: Heart, **more: object) -> Answered:
    *_, last = stream("Who owns Alda Works?", agent.retriever, Means(memory=memory), budget=Budget(), **more)  # type: ignore[arg-type]
    assert isinstance(last, Answered)
    return last


SCORES = {"taught": 3.0, "margin": 0.9, "entropy": 0.1}
KNOWS = Heart(Recalled(Opinion.of(["Alda Group"], [1.0], 0.9), SCORES))


def test_a_memory_answers_when_asked_to_and_says_that_no_source_was_read(agent: Agent) -> None:
    answer = asked(agent, KNOWS, action="internal").answer
    assert (answer.answers, answer.status, answer.citations) == (("Alda Group",), "answered", ())
    assert "no source was read" in answer.text
    assert answer.route.mode == "forced"


def test_a_memory_is_not_asked_by_rules(agent: Agent) -> None:
    assert asked(agent, KNOWS).answer.status == "abstained"


def test_a_forbidden_memory_may_not_even_be_forced(agent: Agent) -> None:
    stale = Heart(Recalled(KNOWS.said.opinion, SCORES, "who owns Alda Works has changed since"))
    answer = asked(agent, stale, action="internal").answer
    assert (answer.status, answer.answers) == ("abstained", ())
    assert "has changed since" in answer.route.reason
    assert "Alda Group" not in json.dumps(answer.to_dict())


def test_an_action_that_nothing_here_can_do_abstains(agent: Agent) -> None:
    answer = agent.ask("Who owns Bering Works?", action="internal")
    assert (answer.status, answer.route.mode) == ("abstained", "forced")


def test_a_forced_abstention_looks_for_nothing(agent: Agent) -> None:
    answer = agent.ask("Who owns Bering Works?", action="abstain")
    assert answer.status == "abstained"
    assert answer.paths == ()
