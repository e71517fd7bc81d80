"""What people teach and correct is kept as questions: asked again, undone, forgotten, and learned by the next student."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.corrections import FILE, asked, corrections, questions, remember
from hoptrace.agents.evaluate import evaluate
from hoptrace.agents.interfaces.cli import main
from hoptrace.kg.errors import InputError
from hoptrace.retrieval.encoder import Encoder


@pytest.fixture
def kg(tmp_path: Path) -> Any:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        remember(kg, kg.add("Orla Vance", "founded", "Brightwater Labs"))
        remember(kg, kg.add("Brightwater Labs", "headquartered in", "Tarn City"), "Where is Brightwater Labs based?")
        yield kg


def test_items_are_asked_and_answered(kg: KnowledgeGraph, encoder: Encoder) -> None:
    found = questions(kg)
    assert [(q.text, q.gold) for q in found][1] == ("Where is Brightwater Labs based?", ("Tarn City",))
    report = evaluate(Agent(kg, encoder=encoder), found)
    assert [row.right for row in report.rows] == [True, True]


def test_a_correction_takes_the_place_of_what_it_corrects(kg: KnowledgeGraph) -> None:
    (triple,) = kg.triples("Brightwater Labs", "headquartered in")
    remember(kg, kg.edit(triple.id, object="Skerry"), "Where is Brightwater Labs based?")
    assert [t.object.label for _, t in corrections(kg)] == ["Brightwater Labs", "Skerry"]


def test_what_was_undone_is_not_asked_and_comes_back_with_it(kg: KnowledgeGraph) -> None:
    kg.undo()
    assert [t.relation.label for _, t in corrections(kg)] == ["founded"]
    kg.redo()
    assert [t.relation.label for _, t in corrections(kg)] == ["founded", "headquartered in"]


def test_forgetting_a_statement_takes_its_line_away(kg: KnowledgeGraph) -> None:
    (item, _), _ = corrections(kg)
    kg.forget(item.source)
    assert item.triple not in (kg.path / FILE).read_text()
    assert len(questions(kg)) == 1


def test_the_same_fact_is_one_item_and_a_cut_line_none(kg: KnowledgeGraph) -> None:
    (triple,) = kg.triples("Orla Vance")
    remember(kg, triple, "Who founded it?")
    with (kg.path / FILE).open("a") as file:
        file.write('{"triple": "t0')
    assert len(corrections(kg)) == 2


def test_a_question_about_the_object_asks_for_the_subject(kg: KnowledgeGraph) -> None:
    (triple,) = kg.triples("Orla Vance")
    remember(kg, triple, "Who founded Brightwater Labs?")
    assert [q.gold for q in questions(kg) if q.text.startswith("Who")] == [("Orla Vance",)]


def test_several_objects_are_all_asked_for(kg: KnowledgeGraph) -> None:
    remember(kg, kg.add("Orla Vance", "founded", "Calder Pumps"))
    assert {q.gold for q in questions(kg) if q.kind == "list"} == {("Brightwater Labs", "Calder Pumps")}


def test_a_relation_outside_the_lexicon_is_asked_by_its_label(kg: KnowledgeGraph) -> None:
    triple = kg.add("Orla Vance", "zorbles", "Tarn City")
    assert "Orla Vance" in asked(triple)
    assert asked(triple) == asked(triple)


def test_the_commands_keep_and_ask_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "kg")

    def run(*words: str) -> dict[str, Any]:
        assert main([*words, "--kg", folder, "--json"]) == 0
        value: dict[str, Any] = json.loads(capsys.readouterr().out)
        return value

    made = run("teach", "Orla Vance", "founded", "Calder Pumps", "--question", "What did Orla Vance found?")
    assert run("eval", "--corrections")["right"] == 1
    fixed = run("correct", made["id"], "Brightwater Labs", "--question", "What did Orla Vance found?")
    assert fixed["object"] == "Brightwater Labs"
    report = run("eval", "--corrections")
    assert [(row["gold"], row["right"]) for row in report["rows"]] == [(["Brightwater Labs"], True)]
    assert main(["eval", "--corrections", "--questions", "q.jsonl", "--kg", folder]) == InputError.exit_code
