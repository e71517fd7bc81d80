"""Advice on the surfaces: command line, shell, packaged pack, evaluation."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.evaluate import evaluate
from hoptrace.agents.interfaces import render
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.interfaces.repl import Shell
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import ParseError
from hoptrace.retrieval.encoder import Encoder

RULES = [
    ("rough running", "is read from", "vibration"),
    ("rough running", "lies above", "4 mm/s"),
    ("rough running", "calls for", "balancing"),
    ("balancing", "is unsuitable with", "cracked shaft"),
]
PUMP = {"id": "pump-7", "measurements": {"vibration": "7.1 mm/s"}}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pump(folder: Path) -> Path:
    """A profile beside a graph with rules; its folder is also what HOPTRACE_KG names."""
    with KnowledgeGraph.open(folder) as kg:
        for rule in RULES:
            kg.add(*rule)
    path = folder.parent / "pump-7.json"
    path.write_text(json.dumps(PUMP), "utf-8")
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_advise_prints_the_object_of_ask(run: Run, pump: Path) -> None:
    code, out, err = run("advise", "--profile", str(pump), "--json")
    answer: dict[str, Any] = json.loads(out)
    assert (code, err, answer["answers"], answer["status"]) == (0, "", ["balancing"], "answered")
    [cited] = [c for c in answer["citations"] if c["source"] == str(pump)]
    assert pump.read_text("utf-8")[cited["start"] : cited["end"]] == cited["quote"] == '"vibration": "7.1 mm/s"'
    assert all(c["verified"] for c in answer["citations"])


def test_a_question_with_a_profile_is_about_the_advice(run: Run, pump: Path) -> None:
    code, out, _ = run("advise", "--profile", str(pump), "What if it had a cracked shaft?")
    assert code == 0
    assert "No longer: balancing" in out
    assert "pump-7#supposed" in out


def test_why_tells_how_advice_came_about(run: Run, pump: Path) -> None:
    run("advise", "--profile", str(pump))
    code, out, _ = run("why")
    assert code == 0
    assert "the rules applied to pump-7" in out
    assert "taken" in out


@pytest.mark.parametrize(
    ("profile", "code", "said"),
    [
        (None, 65, "no profile yet"),
        ("absent.json", 66, "no profile file"),
        ({"id": "p", "measurements": {"vibration": "7 kg"}}, 65, "p: vibration '7 kg'"),
        ({"measurements": {}}, 65, "needs an id"),
    ],
)
def test_errors_are_one_line_with_their_exit_code(run: Run, pump: Path, profile: Any, code: int, said: str) -> None:
    words = []
    if isinstance(profile, dict):
        pump.write_text(json.dumps(profile), "utf-8")
        words = ["--profile", str(pump)]
    elif profile:
        words = ["--profile", profile]
    got, out, err = run("advise", *words)
    assert (got, out, err.count("\n")) == (code, "", 1)
    assert said in err


def test_forgetting_a_profile_erases_the_answers_that_quote_it(run: Run, pump: Path) -> None:
    run("advise", "--profile", str(pump))
    code, out, _ = run("forget", str(pump))
    assert (code, "1 answers" in out) == (0, True)
    assert "7.1 mm/s" not in "".join(path.read_text("utf-8", "ignore") for path in pump.parent.rglob("answers.jsonl"))
    assert run("forget", str(pump))[0] == 65


def test_in_the_shell_follow_ups_keep_the_profile_and_other_questions_do_not_see_it(pump: Path, folder: Path) -> None:
    out = io.StringIO()
    session = Session(folder)
    shell = Shell(session, render.console(out), render.console(out))

    def said(line: str) -> str:
        before = len(out.getvalue())
        assert shell.handle(line)
        return out.getvalue()[before:]

    assert "I don't know" in said("Why that?")
    assert "Recommended: balancing, because of rough running" in said(f"/advise --profile {pump}")
    assert "Balancing is recommended because of rough running" in said("Why that?")
    assert '»"vibration": "7.1 mm/s"«' in said("/sources")
    field = said("Who founded Brightwater Labs?")
    assert "Orla Vance" in field
    assert "pump-7" not in field
    assert "Recommended: balancing" in said("/advise")
    assert "✗" not in out.getvalue()
    session.close()


def test_the_sleep_pack_is_one_command(run: Run, tmp_path: Path) -> None:
    code, out, err = run("demo", "--pack", "sleep", "--out", str(tmp_path / "out"))
    assert code == 0, err
    assert "no medical device" in out.lower()
    assert "First: doctor's appointment, because of breathing pauses" in out
    assert "✗" not in out
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<mark>&quot;breathing pauses&quot;</mark>" in page
    assert "✗" not in page


def test_an_unknown_pack_names_the_known(run: Run, tmp_path: Path) -> None:
    code, _, err = run("demo", "--pack", "slep", "--out", str(tmp_path / "out"))
    assert code == 65
    assert "demo, sleep" in err
    assert not (tmp_path / "out").exists()


def test_questions_of_a_file_may_be_about_profiles(pump: Path, folder: Path, encoder: Encoder) -> None:
    rows = [
        {"question": "Why that?", "profile": pump.name, "after": ["What do you recommend for us?"], "answer": "rough running"},
        {"question": "What does rough running call for?", "answer": "balancing"},
    ]
    questions = pump.with_name("questions.jsonl")
    questions.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with KnowledgeGraph.open(folder) as kg:
        report = evaluate(Agent(kg, encoder=encoder), questions)
    assert [row.right for row in report.rows] == [True, True]
    questions.write_text('{"question": "Why?", "profile": 7, "answer": "x"}', "utf-8")
    with KnowledgeGraph.open(folder) as kg, pytest.raises(ParseError, match=r"questions\.jsonl:1"):
        evaluate(Agent(kg, encoder=encoder), questions)
