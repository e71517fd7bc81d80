"""Scoring answers against gold, and reading question files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.answer import Answer, AnswerStatus, Route
from hoptrace.agents.evaluate import Question, evaluate, is_right, load_questions, same
from hoptrace.kg.errors import MissingPathError, ParseError


@pytest.mark.parametrize(
    ("gold", "given"),
    [
        ("Kestrane Group", "the kestrane group"),
        ("Café Müller", "Cafe Muller"),
        ("2019-05-04", "4 May 2019"),
        ("May 4, 2019", "4 May 2019"),
        ("2019", "in 2019"),
        ("EUR 900,000", "900000"),
        ("EUR 41.2 million", "41,200,000 EUR"),
        ("3", "3.0"),
        ("yes", "Yes"),
    ],
)
def test_answers_that_say_the_same(gold: str, given: str) -> None:
    assert same(gold, given)


@pytest.mark.parametrize(
    ("gold", "given"),
    [
        ("Tessarvo Coatings AG", "Tessarvo Coatings Ltd"),
        ("Tessarvo Coatings AG", "Tessarvo Coatings"),
        ("Brightwater", "Brightwater Labs"),
        ("2019", "4 May 2019"),
        ("2019-05-04", "5 May 2019"),
        ("EUR 5", "USD 5"),
        ("EUR 900,000", "EUR 90,000"),
        ("3", "30"),
        ("Frostline 40", "Coldline 40"),
        ("Harbour report 2022", "Ferry report 2022"),
        ("Harbour report 2022", "2022"),
        ("yes", "no"),
        ("Norland", ""),
    ],
)
def test_answers_that_do_not(gold: str, given: str) -> None:
    assert not same(gold, given)


def answer(*answers: str, status: AnswerStatus = "answered") -> Answer:
    return Answer("q", "", answers, status, 0.9, Route("path"))


def question(*gold: str, kind: str = "lookup") -> Question:
    return Question("q1", "q", gold, kind)


@pytest.mark.parametrize(
    ("asked", "given", "right"),
    [
        (question("A Ltd", "A Group"), answer("A Group"), True),
        (question("A Ltd"), answer("B Ltd"), False),
        (question("A Ltd"), answer("A Ltd", "B Ltd"), False),
        (question("A Ltd"), answer(), False),
        (question("A Ltd"), answer(status="abstained"), False),
        (question("A", "B", kind="list"), answer("B", "A"), True),
        (question("A", "B", kind="list"), answer("A"), False),
        (question("A", "B", kind="list"), answer("A", "B", "C"), False),
        (question(), answer(status="abstained"), True),
        (question(), answer("A"), False),
    ],
)
def test_is_right(asked: Question, given: Answer, right: bool) -> None:
    assert is_right(asked, given) is right


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_load_questions(tmp_path: Path) -> None:
    path = write(
        tmp_path / "questions.jsonl",
        {"id": "a", "question": "Who?", "answer": "Ann", "type": "lookup", "hops": 2, "as_of": "2020-01-01"},
        "",
        {"question": "Which?", "answers": ["A", 2], "type": "list"},
        {"id": 3, "question": "None?", "answer": None},
        {"id": 4, "question": "None?", "answers": []},
    )
    one, two, three, four = load_questions(path)
    assert one == Question("a", "Who?", ("Ann",), "lookup", 2, "2020-01-01")
    assert (two.id, two.gold, two.all_of) == ("3", ("A", "2"), True)
    assert (three.gold, four.gold) == ((), ())


@pytest.mark.parametrize(
    "line",
    ["no json", "[1]", '"text"', '{"question": "no answer"}', '{"answer": "no question"}', '{"question": "x", "answers": 5}'],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "questions.jsonl", {"question": "Who?", "answer": "Ann"}, line)
    with pytest.raises(ParseError, match=r"questions\.jsonl:2: ") as caught:
        load_questions(path)
    assert (caught.value.line, "\n" in str(caught.value)) == (2, False)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="absent"):
        load_questions(tmp_path / "absent.jsonl")


def test_evaluate_counts_what_matters(agent: Agent, tmp_path: Path) -> None:
    path = write(
        tmp_path / "questions.jsonl",
        {"id": "right", "question": "Who runs Brightwater Labs?", "answer": "Piet Aalders"},
        {"id": "day", "question": "Who runs Brightwater Labs?", "answer": "Orla Vance", "as_of": "2015-01-01"},
        {"id": "wrong", "question": "Who owns Brightwater Labs?", "answer": "Somebody Else"},
        {"id": "missed", "question": "Who owns Grendlow Freight?", "answer": "Somebody Else"},
        {"id": "unknown", "question": "Who audits Brightwater Labs?", "answer": None},
        {"id": "known", "question": "Where is Brightwater Labs headquartered?", "answers": []},
    )
    seen: list[tuple[int, int]] = []
    report = evaluate(agent, path, lambda done, total: seen.append((done, total)))
    counts = report.to_dict()
    assert seen == [(i, 6) for i in range(1, 7)]
    assert [row["right"] for row in counts["rows"]] == [True, True, False, False, True, False]
    assert (counts["n"], counts["right"], counts["answerable"], counts["answerable_right"]) == (6, 3, 4, 2)
    assert (counts["unanswerable"], counts["abstained_right"]) == (2, 1)
    assert (counts["wrong"], counts["wrong_confident"]) == (2, 2)
    assert counts["citations"] == counts["citations_verified"] > 0
    assert "3 of 6 right" in str(report)
    assert json.loads(json.dumps(counts)) == counts


def test_a_legal_form_more_or_less_is_another_name() -> None:
    assert not same("Hallvarne Industries", "Hallvarne Industries SE")
    assert not same("Tessarvo Coatings Ltd", "Tessarvo Coatings AG")
