"""The student of a graph in the agent: bound by its manifest, answering where paths do not, silent otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.compose import abstain
from hoptrace.agents.distill import trained
from hoptrace.agents.distill.composer import StudentComposer, task_of
from hoptrace.agents.distill.score import Policy
from hoptrace.agents.distill.trained import GraphStudent, student_folder
from hoptrace.agents.student import Reading, Spot, Task
from hoptrace.kg.artefacts import write_manifest
from hoptrace.kg.model import Hop
from hoptrace.kg.model import Path as Walk
from hoptrace.retrieval.base import Evidence
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex

GOOD = {"accuracy": 0.9, "abstained": 0.9}


class Pointer:
    """Points at the last name of the first fact."""

    def __init__(self, absent: float = 0.1) -> None:
        self.absent, self.tasks = absent, list[Task]()

    def read(self, task: Task) -> Reading:
        self.tasks.append(task)
        last = task.items[0].mentions[-1]
        return Reading("lookup", ((0, 1.0),), ((Spot(0, last.start, last.end), 0.9),), self.absent)


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Orla Vance", "founded", "Brightwater Labs")
        kg.add("Brightwater Labs", "supplies", "Calder Pumps", valid_from=date(2019, 1, 1))
        yield kg


def install(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch, reader: Any, **meta: Any) -> Path:
    folder = student_folder(kg)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "weights").write_text("w")
    known = {"relations": ["founded", "supplies"], "policy": asdict(Policy()), "held_out": GOOD}
    write_manifest(folder, "distilled-student", ["weights"], known | meta)
    monkeypatch.setattr(trained, "loaded", lambda folder, meta: reader)
    return folder


def evidence(kg: KnowledgeGraph) -> Evidence:
    (triple,) = kg.triples("Orla Vance")
    return Evidence((Walk((Hop(triple),), 1.0),))


@pytest.fixture
def student(kg: KnowledgeGraph, encoder: Encoder) -> GraphStudent:
    return GraphStudent(kg, RelationIndex(kg, encoder))


def test_a_task_marks_names_in_facts_and_question_alike(kg: KnowledgeGraph) -> None:
    task = task_of("Whom did orla vance found?", list(kg.triples()))
    assert task.items[0].text.startswith("Orla Vance founded Brightwater Labs")
    (mention,) = task.mentions
    assert task.question[mention.start : mention.end] == "orla vance"
    assert mention.entity == task.items[0].mentions[-1].entity or mention.entity in {m.entity for m in task.items[0].mentions}
    names: dict[int, set[str]] = {}
    for item in task.items:
        for m in item.mentions:
            names.setdefault(m.entity, set()).add(item.text[m.start : m.end])
    assert all(len(same) == 1 for same in names.values())


def test_it_answers_where_paths_do_not_and_cites(
    kg: KnowledgeGraph, student: GraphStudent, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(kg, monkeypatch, Pointer())
    draft, _ = StudentComposer(student).compose("Whom did Orla Vance found?", evidence(kg), abstain("nothing"))
    assert draft.status == "answered"
    assert draft.composer == "student"
    assert draft.answers[0] in ("Orla Vance", "Brightwater Labs")
    assert draft.reasons[0].spans


def test_an_answer_of_paths_stands(kg: KnowledgeGraph, student: GraphStudent, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Pointer()
    install(kg, monkeypatch, reader)
    agent = Agent(kg)
    assert agent.ask("Who founded Brightwater Labs?").answers == ("Orla Vance",)
    assert reader.tasks == []


def test_it_may_abstain_as_well(kg: KnowledgeGraph, student: GraphStudent, monkeypatch: pytest.MonkeyPatch) -> None:
    install(kg, monkeypatch, Pointer(absent=0.9))
    fallback = abstain("nothing")
    assert StudentComposer(student).compose("Whom did Orla Vance found?", evidence(kg), fallback)[0] is fallback


def test_without_a_student_nothing_changes(kg: KnowledgeGraph, student: GraphStudent) -> None:
    fallback = abstain("nothing")
    assert StudentComposer(student).compose("Whom?", evidence(kg), fallback)[0] is fallback
    assert "hoptrace distill" in student.fallback


def test_a_student_that_does_not_know_a_relation_is_left_aside(
    kg: KnowledgeGraph, student: GraphStudent, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(kg, monkeypatch, Pointer())
    assert student.get() is not None
    kg.add("Orla Vance", "likes", "Calder Pumps")
    with pytest.warns(UserWarning, match="'likes'"):
        assert student.get() is None


@pytest.mark.parametrize("weak", [{"accuracy": 0.5}, {"abstained": 0.6}, {"abstained": None}])
def test_a_student_that_did_badly_on_held_out_tasks_is_not_asked(
    kg: KnowledgeGraph, student: GraphStudent, monkeypatch: pytest.MonkeyPatch, weak: dict[str, float | None]
) -> None:
    install(kg, monkeypatch, Pointer(), held_out=GOOD | weak)
    assert student.get() is None
    assert next(iter(weak)) in student.fallback


@pytest.mark.parametrize("spoil", ["bytes", "policy"])
def test_a_damaged_student_is_left_aside_with_a_warning(
    kg: KnowledgeGraph, student: GraphStudent, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    folder = install(kg, monkeypatch, Pointer(), **({"policy": {"other": 1}} if spoil == "policy" else {}))
    if spoil == "bytes":
        (folder / "weights").write_text("x")
    with pytest.warns(UserWarning, match="SHA-256" if spoil == "bytes" else "not a distilled student"):
        assert student.get() is None
