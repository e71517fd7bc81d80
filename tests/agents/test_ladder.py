"""Every rung of degrading safely, forced: what is missing or damaged is left aside, said, and never a crash.

However much is lost, a route names the mode that made it and what it could not use, and a promise of few wrong answers is made
only where a calibration was shown to keep it.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace import Agent, Budget, KnowledgeGraph, prompts
from hoptrace.agents.acting import Means
from hoptrace.agents.answer import Answer
from hoptrace.agents.evaluate import Question
from hoptrace.agents.experts.memory import memory_folder
from hoptrace.agents.failures import Failures
from hoptrace.agents.gate import TIERS, Able, Gate, found, known
from hoptrace.agents.loop import stream
from hoptrace.agents.opinion import VACUOUS, Opinion
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.recall import Recalled
from hoptrace.agents.steps import Answered
from hoptrace.agents.train_gate import calibrate, fit, gate_folder, load_gate, observe, save_gate
from hoptrace.agents.utility import Price
from hoptrace.kg.artefacts import load_artefact, write_manifest
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.question import understand
from hypothesis import given
from hypothesis import strategies as st

MODES = {"rule", "shrunk", "calibrated", "forced"}
NAMES = """Alda Bering Calder Dorn Eklund Falk Grieg Hollis Ibsen
    Jansen Krog Lund Moen Norde Olsen Prytz Quist Roth Strand Tveit""".split()
QUESTIONS = [Question(name, f"Who owns {name} Works?", (f"{name} Holding",)) for name in NAMES] + [
    Question(f"{name} seat", f"Where is {name} Works located?", ("Oslo",)) for name in NAMES
]
ASKED = "Who owns Bering Works?"
FEATURES = tuple(name for tier in TIERS for name in tier)
ACTIONS = ("path", "path+text", "internal")


@pytest.fixture
def agent(tmp_path: Path, encoder: Encoder) -> Agent:
    kg = KnowledgeGraph.open(tmp_path / "kg")
    for name in NAMES:
        kg.add(f"{name} Works", "owned by", f"{name} Holding")
        kg.add(f"{name} Works", "located in", "Oslo")
    return Agent(kg, encoder=encoder)


def calibrated(agent: Agent) -> Agent:
    gate, figures = calibrate(observe(agent, QUESTIONS), error=0.1, price=Price())
    save_gate(agent, gate, figures)
    return Agent(agent.kg, encoder=agent.encoder)


def drawn(n: int) -> Outcomes:
    """Outcomes in which every feature is measured and tells a little."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, len(FEATURES)))
    right = rng.random((n, 3)) < 1 / (1 + np.exp(-x[:, :3]))
    return Outcomes(FEATURES, x, ACTIONS, right, np.tile([1.0, 5.0, 0.0], (n, 1)), np.arange(n), np.zeros(n, np.int64))


def sound(answer: Answer) -> bool:
    """An answer that may be shown: its mode is named, its scores are numbers, it is cited or said to be from memory."""
    record = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    shown = answer.status == "abstained" or bool(answer.citations) or "no source was read" in answer.text
    return record["route"]["mode"] in MODES and bool(record["route"]["reason"]) and shown


def asked(agent: Agent, means: Means, question: str = ASKED, **more: Any) -> Answer:
    *_, last = stream(question, agent.retriever, means, budget=Budget(), **more)
    assert isinstance(last, Answered)
    return last.answer


# ---- calibration


def test_without_calibration_rules_decide_and_promise_nothing(agent: Agent) -> None:
    answer = agent.ask(ASKED)
    assert sound(answer)
    assert (answer.route.mode, answer.route.promised) == ("rule", None)
    assert answer.answers == ("Bering Holding",)


def test_fewer_than_twenty_outcomes_are_refused_and_rules_go_on(agent: Agent) -> None:
    with pytest.raises(InputError, match="too few"):
        fit(drawn(19), Price())
    with pytest.raises(InputError, match="too few"):
        calibrate(observe(agent, QUESTIONS[:10]), error=0.1, price=Price())
    assert agent.ask(ASKED).route.mode == "rule"


@pytest.mark.parametrize(("n", "mode"), [(20, "shrunk"), (99, "shrunk"), (100, "calibrated")])
def test_few_outcomes_are_drawn_to_the_rule_and_say_so(agent: Agent, n: int, mode: str) -> None:
    gate = fit(drawn(n), Price())
    answer = asked(agent, Means(gate=Gate(gate)))
    assert sound(answer)
    assert answer.route.mode == mode


def test_no_error_rate_is_promised_where_none_was_shown(agent: Agent) -> None:
    gate, figures = calibrate(observe(agent, QUESTIONS), error=0.1, price=Price())
    assert not figures["guaranteed"], "sixteen outcomes can show nothing"
    save_gate(agent, gate, figures)
    assert agent.ask(ASKED).route.promised is None
    save_gate(agent, replace(gate, threshold=0.2), {**figures, "guaranteed": True})
    answer = agent.ask(ASKED)
    assert (answer.route.mode, answer.route.promised) == ("shrunk", 0.1)


def other_model(agent: Agent, _: pytest.MonkeyPatch) -> None:
    folder = agent.kg.path / "models" / "student"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")


def other_prompt(_: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    load = prompts.load
    monkeypatch.setattr(prompts, "load", lambda name: replace(load(name), hash="another"))


def other_fact(agent: Agent, _: pytest.MonkeyPatch) -> None:
    agent.kg.add("Alda Works", "founded by", "Alda Vance")


@pytest.mark.filterwarnings("ignore:.*answers are composed from paths alone")
@pytest.mark.parametrize(("change", "what"), [(other_fact, "seq"), (other_model, "models"), (other_prompt, "prompts")])
def test_a_stale_calibration_is_named_and_not_used(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, change: Callable[[Agent, pytest.MonkeyPatch], None], what: str
) -> None:
    calibrated(agent)
    change(agent, monkeypatch)
    answer = Agent(agent.kg, encoder=agent.encoder).ask(ASKED)
    assert sound(answer)
    assert (answer.route.mode, answer.answers) == ("rule", ("Bering Holding",))
    assert f"stale ({what} changed)" in answer.route.reason


def test_a_model_that_comes_while_an_agent_lives_makes_its_calibration_stale(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = calibrated(agent)
    assert fresh.ask(ASKED).route.mode == "shrunk"
    other_model(agent, monkeypatch)
    assert fresh.ask(ASKED).route.mode == "rule"


def test_a_calibration_without_a_chat_model_is_not_used_with_one(agent: Agent) -> None:
    class Talker:
        def invoke(self, messages: object) -> None:
            raise OSError("no network")

    calibrated(agent)
    answer = Agent(agent.kg, encoder=agent.encoder, model=Talker()).ask(ASKED)
    assert (answer.route.mode, answer.answers) == ("rule", ("Bering Holding",))
    assert "chat model" in answer.route.reason


def cut(record: dict[str, Any]) -> None:
    del record["tiers"]


def other_shape(record: dict[str, Any]) -> None:
    record["tiers"][0]["weights"] = [[1.0]]


def no_numbers(record: dict[str, Any]) -> None:
    record["tiers"][2]["weights"][0][0] = float("nan")


def fewer_tiers(record: dict[str, Any]) -> None:
    record["tiers"] = record["tiers"][:1]


def unknown_feature(record: dict[str, Any]) -> None:
    record["tiers"][0]["features"][0] = "moon"


@pytest.mark.parametrize("damage", [cut, other_shape, no_numbers, fewer_tiers, unknown_feature])
def test_a_tampered_calibration_is_named_and_not_used(agent: Agent, damage: Callable[[dict[str, Any]], None]) -> None:
    calibrated(agent)
    folder = gate_folder(agent.kg)
    meta, record = load_artefact(folder).meta, json.loads((folder / "gate.json").read_text())
    damage(record["utility"])
    (folder / "gate.json").write_text(json.dumps(record))
    assert "SHA-256" in load_gate(agent).note
    write_manifest(folder, "gate", ["gate.json"], meta)
    answer = Agent(agent.kg, encoder=agent.encoder).ask(ASKED)
    assert sound(answer)
    assert (answer.route.mode, answer.answers) == ("rule", ("Bering Holding",))
    assert "cannot be read" in answer.route.reason


@pytest.mark.parametrize(
    "meta", [{}, {"bound": [], "threshold": None, "figures": {}}, {"bound": {}, "threshold": "x", "figures": {}}]
)
def test_a_calibration_that_does_not_say_what_it_is_bound_to_is_not_used(agent: Agent, meta: dict[str, Any]) -> None:
    calibrated(agent)
    write_manifest(gate_folder(agent.kg), "gate", ["gate.json"], meta)
    assert load_gate(agent).calibrated is None
    assert load_gate(agent).note


# ---- experts


@dataclass
class Heart:
    """A memory of one answer."""

    said: Recalled

    def recall(self, question: str, links: object) -> Recalled:
        return self.said


class Broken:
    """An expert that fails whatever it is asked, and counts how often."""

    name = "student"

    def __init__(self) -> None:
        self.times = 0

    def _fail(self, *args: object) -> Any:
        self.times += 1
        raise RuntimeError("its weights are gone")

    recall = compose = write = _fail

    def outranks(self, question: str, draft: object) -> bool:
        return True

    def falls_short(self, question: str, draft: object) -> bool:
        return False


def test_without_logits_the_graph_alone_decides(agent: Agent) -> None:
    silent = Heart(Recalled(Opinion.of(["Bering Group"], [1.0], 0.9), {}))
    answer = asked(agent, Means(gate=Gate(fit(drawn(200), Price())), memory=silent))
    assert sound(answer)
    assert answer.route.mode == "calibrated"
    assert not {"margin", "entropy", "taught"} & answer.route.scores.keys()


def test_without_reader_and_student_a_path_is_cited_or_nothing_said(agent: Agent) -> None:
    alone = Means()
    answer = asked(agent, alone)
    assert (answer.answers, answer.route.action) == (("Bering Holding",), "path")
    assert all(citation.verified for citation in answer.citations)
    assert asked(agent, alone, "Who audits Bering Works?").status == "abstained"
    assert asked(agent, alone, action="path+text").status == "abstained"


@pytest.mark.parametrize("expert", ["memory", "reader", "student", "writer"])
def test_an_expert_that_fails_is_warned_of_once_and_left_aside(agent: Agent, expert: str) -> None:
    agent.kg.ingest([_prose(agent.kg.path.parent)])
    broken, failures = Broken(), Failures()
    means = Means(**{expert: broken}, failures=failures)
    question = "Who audits Bering Works?" if expert == "student" else ASKED
    with pytest.warns(UserWarning, match=f"the {expert} is left aside: RuntimeError: its weights are gone"):
        first = asked(agent, means, question)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = asked(agent, means, question)
    assert broken.times == 1
    assert sound(first)
    assert (first.answers, first.status) == (second.answers, second.status)
    assert second.status == ("abstained" if expert == "student" else "answered")


def _prose(folder: Path) -> Path:
    file = folder / "bering.txt"
    file.write_text("Bering Works opened its second yard in a cold spring, and the town came to look.\n", "utf-8")
    return file


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_memory_is_left_aside_with_a_warning(agent: Agent, damage: str) -> None:
    folder = memory_folder(agent.kg)
    folder.mkdir(parents=True)
    (folder / "memory.safetensors").write_bytes(b"none")
    write_manifest(
        folder,
        "memory",
        ["memory.safetensors"],
        {"store": agent.kg.store.identity, "encoder": agent.retriever.encoder.id, "seq": 1},
    )
    if damage == "cut":
        (folder / "memory.safetensors").write_bytes(b"no")
    with pytest.warns(UserWarning, match="the memory is not used") as told:
        answers = [agent.ask(ASKED), agent.ask(ASKED)]
    assert len(told) == 1
    assert all(sound(answer) and answer.answers == ("Bering Holding",) for answer in answers)
    assert "internal" not in agent.actions


def test_a_damaged_student_is_left_aside_with_a_warning(agent: Agent) -> None:
    folder = agent.kg.path / "models" / "student"
    folder.mkdir(parents=True)
    (folder / "student.onnx").write_bytes(b"none")
    held = {"accuracy": 0.9, "abstained": 0.9}
    write_manifest(folder, "student", ["student.onnx"], {"relations": ["owned by", "located in"], "policy": {}, "held_out": held})
    with pytest.warns(UserWarning, match="paths alone") as told:
        refused = [agent.ask("Who audits Bering Works?") for _ in range(2)]
    assert len(told) == 1
    assert all(sound(answer) and answer.status == "abstained" for answer in refused)
    assert agent.ask(ASKED).answers == ("Bering Holding",)


def test_a_packaged_model_that_cannot_be_loaded_is_left_aside(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    from hoptrace.agents.writer import Writer

    def gone(*args: object) -> Writer:
        raise OSError("no such file")

    monkeypatch.setattr(Writer, "default", gone)
    with pytest.warns(UserWarning, match="the writer is left aside") as told:
        answers = [agent.ask(ASKED), agent.ask(ASKED)]
    assert len(told) == 1
    assert all(answer.answers == ("Bering Holding",) for answer in answers)


# ---- an empty graph


@pytest.mark.parametrize("question", [ASKED, "How many?", "Is Bering Works older than Alda Works?", "?"])
@pytest.mark.parametrize("gate", [Gate(), Gate(fit(drawn(200), Price()))])
def test_an_empty_graph_is_answered_from_memory_or_not_at_all(
    tmp_path: Path, encoder: Encoder, question: str, gate: Gate
) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        agent = Agent(kg, encoder=encoder)
        assert sound(agent.ask(question))
        knows = Means(
            gate=gate, memory=Heart(Recalled(Opinion.of(["Bering Group"], [1.0], 0.9), {"margin": 0.9, "entropy": 0.1}))
        )
        assert asked(agent, knows, question).status == "abstained"
        forced = asked(agent, knows, question, action="internal")
        assert sound(forced)
        assert forced.answers == ("Bering Group",)
        nothing = asked(agent, Means(gate=gate, memory=Heart(Recalled(VACUOUS, {}))), question, action="internal")
        assert nothing.status == "abstained"


# ---- features


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("gate", [Gate(), Gate(fit(drawn(200), Price()))])
def test_what_is_no_number_is_imputed_and_flagged(agent: Agent, gate: Gate, value: float) -> None:
    draft = Heart(Recalled(Opinion.of(["Bering Group"], [1.0], 0.9), {"taught": 1.0, "margin": value, "entropy": 0.1}))
    answer = asked(agent, Means(gate=gate, memory=draft))
    assert sound(answer)
    assert "margin not measured, so the usual is assumed" in answer.route.reason
    assert "margin" not in answer.route.scores


def test_what_lies_far_outside_is_flagged(agent: Agent) -> None:
    gate = Gate(fit(drawn(200), Price(loss=0.0)))
    draft = Heart(Recalled(Opinion.of(["Bering Group"], [1.0], 0.9), {"taught": 1e9, "margin": 0.5, "entropy": 0.1}))
    answer = asked(agent, Means(gate=gate, memory=draft))
    assert sound(answer)
    assert "taught unlike anything calibrated on" in answer.route.reason


# ---- all of it


SCORES = st.dictionaries(st.sampled_from(FEATURES), st.floats(allow_nan=True, allow_infinity=True), max_size=len(FEATURES))
GATES = [Gate(), Gate(note="stale")] + [Gate(fit(drawn(n), Price()), kept) for n in (20, 200) for kept in (0.0, 0.9)]


@given(st.sampled_from(GATES), SCORES, SCORES, st.builds(Able, st.booleans(), st.booleans(), st.booleans()))
def test_every_route_names_its_mode_and_does_what_can_be_done(
    gate: Gate, scores: Mapping[str, float], later: Mapping[str, float], able: Able
) -> None:
    question = understand("Who owns Bering Works?")
    first = gate.first(question, (), {**known(question, (), np.ones((3, 2, 1), np.float32), ()), **scores}, able)
    routes = [first]
    if first.action not in {"abstain", "internal"}:
        routes.append(gate.after(first, later, able))
    for route in routes:
        assert route.mode in MODES - {"forced"}
        by_rule = gate.calibrated is None or able.model or first.action == "path+text"
        assert route.mode == "rule" if by_rule else route.mode in {"rule", gate.calibrated.mode}
        assert route.action in {*able.actions, "abstain"}
        assert route.reason
        assert all(map(math.isfinite, route.scores.values()))
        assert route.promised is None


def test_what_paths_say_is_always_a_number() -> None:
    from hoptrace.agents.compose import abstain

    assert all(map(math.isfinite, found(abstain("nothing"), []).values()))
