"""What people taught is among the tasks that a student learns from."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hoptrace.agents.corrections import remember
from hoptrace.agents.distill.regression import examples
from hoptrace.agents.distill.tasks import TaskMiner
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex


@pytest.fixture
def taught(trade: KnowledgeGraph, tmp_path: Path) -> Iterator[KnowledgeGraph]:
    shutil.copytree(trade.path, tmp_path / "kg")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        yield kg


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("", "Orla Vance Works"),
        ("What does Bofo Lines own?", "Orla Vance Works"),
        ("Who is the owner of Orla Vance Works?", "Bofo Lines"),
    ],
)
def test_each_item_is_a_task_with_its_answer(taught: KnowledgeGraph, encoder: Encoder, question: str, answer: str) -> None:
    triple = taught.add("Bofo Lines", "owns", "Orla Vance Works")
    remember(taught, triple, question)
    (example,) = examples(taught, TaskMiner(taught, RelationIndex(taught, encoder)), random.Random(0))
    assert example.answers == (answer,)
    assert triple.id in {example.facts[step].triple.id for step in example.gold.steps}
    if question:
        assert example.task.question == question
    assert len(example.facts) > 1


def test_an_undone_item_is_no_task(taught: KnowledgeGraph, encoder: Encoder) -> None:
    remember(taught, taught.add("Bofo Lines", "owns", "Orla Vance Works"))
    taught.undo()
    assert examples(taught, TaskMiner(taught, RelationIndex(taught, encoder)), random.Random(0)) == []
