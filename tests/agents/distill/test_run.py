"""A run from the audit to the packaged student, with a student that learns in no time; resumed wherever it was interrupted."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.distill.evidence import Example
from hoptrace.agents.distill.run import Distiller, Outcome
from hoptrace.agents.distill.students import Pair
from hoptrace.agents.distill.teachers import Chain, OracleTeacher
from hoptrace.agents.student import Reading, Spot, Task
from hoptrace.kg.artefacts import load_artefact
from hoptrace.kg.errors import InputError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex


class FirstFact:
    """Points at the second name of the fact that shares most words with the question."""

    def read(self, task: Task) -> Reading:
        words = set(task.question.lower().split())
        best = max(range(len(task.items)), key=lambda i: (len(words & set(task.items[i].text.lower().split())), -i))
        last = task.items[best].mentions[-1]
        return Reading("lookup", ((best, 1.0),), ((Spot(best, last.start, last.end), 1.0),), 0.1)


class Learner:
    """Writes down what it was given, a checkpoint every step."""

    name, origin, meta = "noted", "0", {"kind": "notes"}

    def __init__(self) -> None:
        self.asked, self.pairs, self.done = 0, list[Sequence[Pair]](), 0

    def affordable(self, pairs: Sequence[Pair], folder: Path, minutes: float) -> int:
        self.asked += 1
        return 3 + self.asked  # a clock says something else each time

    def train(self, pairs: Sequence[Pair], folder: Path, steps: int, seed: int, report: Callable[[str], None]) -> list[str]:
        folder.mkdir(parents=True, exist_ok=True)
        self.pairs.append(pairs)
        notes = folder / "notes.txt"
        lines = notes.read_text().splitlines() if notes.exists() else []
        for step in range(len(lines), steps):
            self.done += 1
            lines.append(hashlib.sha256(repr((seed, step, pairs[step % len(pairs)])).encode()).hexdigest())
            notes.write_text("\n".join(lines))
            report(f"step {step + 1} of {steps}")
        return ["notes.txt"]

    def load(self, folder: Path) -> FirstFact:
        return FirstFact()


class Killed(BaseException):
    pass


def distil(
    kg: KnowledgeGraph, encoder: Encoder, folder: Path, *, learner: Any = None, teacher: Any = None, stop: int = -1, **more: Any
) -> Outcome:
    """A run; killed at the report line with that number, if it comes to it."""
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        if len(lines) == stop:
            raise Killed

    more = {"tasks": 120, "held_out": 45, "seed": 0, **more}
    made = Distiller(
        kg, RelationIndex(kg, encoder), teacher or OracleTeacher(), learner or Learner(), folder / "work", report=report, **more
    )
    outcome = made.run(folder / "student")
    assert not (folder / "work").exists()
    return outcome


@pytest.fixture(scope="module")
def whole(trade: KnowledgeGraph, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Learner]:
    learner = Learner()
    return distil(trade, encoder, tmp_path_factory.mktemp("whole"), learner=learner), learner


def test_the_artefact_holds_what_its_manifest_says(trade: KnowledgeGraph, whole: tuple[Outcome, Learner]) -> None:
    outcome, _ = whole
    artefact = load_artefact(outcome.folder)
    assert set(artefact.files) == {"notes.txt", "report.json", "card.md"}
    assert artefact.meta["graph"] == trade.content_hash()
    assert "supplies" in artefact.meta["relations"]
    assert artefact.meta["kind"] == "notes"
    assert json.loads((outcome.folder / "report.json").read_text()) == outcome.report
    assert hashlib.sha256((outcome.folder / "manifest.json").read_bytes()).hexdigest() == outcome.hash


def test_the_report_shows_all_systems_side_by_side(whole: tuple[Outcome, Learner]) -> None:
    outcome, _ = whole
    assert set(outcome.report["figures"]) == {"entities", "compositions", "wordings"}
    for systems in outcome.report["figures"].values():
        assert list(systems) == ["teacher", "student", "answers only", "extractive"]
        assert systems["teacher"]["accuracy"] == systems["teacher"]["step_f1"] == 1.0
        assert systems["student"]["n"] > 15
        assert systems["student"]["accuracy"] < 0.8
        assert {"hops", "rarity", "operations"} <= set(systems["student"])
    shown = str(outcome)
    assert "unseen entities" in shown
    assert "answers only" in (outcome.folder / "card.md").read_text()


def test_the_control_learns_the_same_answers_without_steps(whole: tuple[Outcome, Learner]) -> None:
    taught, bare = whole[1].pairs
    assert len(taught) > 100
    assert [task for task, _ in taught] == [task for task, _ in bare]
    assert any(target.steps for _, target in taught)
    assert not any(target.steps for _, target in bare)
    assert [target.answers for _, target in taught] == [target.answers for _, target in bare]


@pytest.mark.parametrize("stop", [3, 8, 12])
def test_an_interrupted_run_ends_with_the_same_bytes(
    trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path, whole: tuple[Outcome, Learner], stop: int
) -> None:
    with pytest.raises(Killed):
        distil(trade, encoder, tmp_path, stop=stop)
    assert not (tmp_path / "student").exists()
    learner = Learner()
    assert distil(trade, encoder, tmp_path, learner=learner).hash == whole[0].hash
    if stop > 7:
        assert learner.done < whole[1].done, "what was trained is not trained again"
        assert learner.asked == 0, "the budget is turned into steps once"


def test_another_seed_begins_anew_and_differs(
    trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path, whole: tuple[Outcome, Learner]
) -> None:
    with pytest.raises(Killed):
        distil(trade, encoder, tmp_path, stop=7)
    learner = Learner()
    assert distil(trade, encoder, tmp_path, learner=learner, seed=1).hash != whole[0].hash
    assert learner.asked == 1


class Liar:
    """Says another answer in three of ten chains."""

    name = "liar"

    def __init__(self) -> None:
        self.rng, self.lies, self.asked = random.Random(0), 0, 0

    def teach(self, example: Example) -> Sequence[Chain]:
        self.asked += 1
        (chain,) = OracleTeacher().teach(example)
        if self.rng.random() >= 0.3:
            return [chain]
        self.lies += 1
        return [replace(chain, answers=("no",) if chain.answers == ("yes",) else ("yes",))]


def test_lies_are_left_out_and_counted(trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path) -> None:
    liar, learner = Liar(), Learner()
    outcome = distil(trade, encoder, tmp_path, teacher=liar, learner=learner)
    lies = outcome.report["tasks"] - len(learner.pairs[0])
    assert sum(outcome.report["left_out"].values()) == lies > 15
    assert outcome.report["figures"]["entities"]["teacher"]["accuracy"] < 0.9


def test_a_teacher_is_not_asked_twice_for_the_same_task(trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path) -> None:
    first, second = Liar(), Liar()
    with pytest.raises(Killed):
        distil(trade, encoder, tmp_path, teacher=first, stop=4)
    distil(trade, encoder, tmp_path, teacher=second)
    tests = second.asked
    assert first.asked >= 100
    assert tests < 3 * 45 + 1, "only the held-out tasks were new to it"


class Padded:
    """Adds facts that join but are not needed to a tenth of its chains."""

    name = "padded"

    def __init__(self) -> None:
        self.rng = random.Random(0)

    def teach(self, example: Example) -> Sequence[Chain]:
        (chain,) = OracleTeacher().teach(example)
        if not chain.steps or self.rng.random() >= 0.1:
            return [chain]
        near = {node for step in chain.steps for node in (example.facts[step].subject, example.facts[step].object)}
        more = [i for i, f in enumerate(example.facts) if i not in chain.steps and near & {f.subject, f.object}]
        return [replace(chain, steps=(*chain.steps, *more[: 2 * len(chain.steps)]))]


def test_padded_rationales_are_cut_before_training(trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path) -> None:
    learner = Learner()
    outcome = distil(trade, encoder, tmp_path, teacher=Padded(), learner=learner, tasks=400)
    assert outcome.report["cut"] > 0


def test_a_teacher_with_nothing_to_say_is_no_teacher(trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path) -> None:
    class Silent:
        name = "silent"

        def teach(self, example: Example) -> Sequence[Chain]:
            return []

    with pytest.raises(InputError, match="silent leaves only 0 tasks"):
        distil(trade, encoder, tmp_path, teacher=Silent())


def test_a_small_graph_is_told_what_it_lacks(tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Orla Vance", "founded", "Brightwater Labs")
        with pytest.raises(InputError, match="1 relations and 1 triples; below 5 and 500"):
            distil(kg, encoder, tmp_path)


@pytest.mark.parametrize("more", [{"minutes": 0}, {"tasks": 3}, {"held_out": 0}])
def test_budgets_that_are_none_are_refused(trade: KnowledgeGraph, encoder: Encoder, tmp_path: Path, more: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least"):
        distil(trade, encoder, tmp_path, **more)
