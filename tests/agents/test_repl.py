"""The interactive shell, driven headless: keys in through a pipe, results out to a buffer."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.interfaces import render, repl
from hoptrace.agents.interfaces.session import Session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

QUESTION = "In which country is the company founded by Orla Vance headquartered?"


def type_in(folder: Path, keys: str) -> str:
    """Type `keys` (Ctrl-D is added) at a prompt; returns everything shown."""
    buffer = io.StringIO()
    session = Session(folder)
    with create_pipe_input() as pipe:
        pipe.send_text(keys + "\x04")
        code = repl.run(session, input=pipe, output=DummyOutput(), out=render.console(buffer))
    session.close()
    assert code == 0
    return buffer.getvalue()


def pipe_in(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "repl", "--kg", str(folder)]
    return subprocess.run(command, input=text, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})


def test_a_question_streams_its_steps_and_is_answered(folder: Path) -> None:
    shown = type_in(folder, f"{QUESTION}\r")
    assert shown.index("linked") < shown.index("found ") < shown.index("✓ verified")
    assert "Norland" in shown


def test_answers_are_numbered_and_looked_back_at(folder: Path) -> None:
    shown = type_in(folder, f"{QUESTION}\rWho is the mayor of Tarn City?\r/why 1\r/sources 2\r")
    assert "[1] " in shown
    assert "[2] " in shown
    assert "taken" in shown
    assert "Piet Aalders" in shown.partition("»")[2]


def test_why_not_needs_no_quotes_and_looks_at_the_last_question(folder: Path) -> None:
    shown = type_in(folder, f"{QUESTION}\r/why-not Tarn City\r/why-not Norland\r")
    assert "Tarn City: fit" in shown
    assert "Norland: answer" in shown


def test_commands_take_quoted_names_and_options(folder: Path) -> None:
    assert "Orla Vance —" in type_in(folder, '/path "Orla Vance" Norland --max-hops 3 -k 1\r')


def test_an_unknown_command_suggests_the_nearest(folder: Path) -> None:
    assert "did you mean /sources?" in type_in(folder, "/sorces\r")


def test_errors_are_shown_and_the_session_goes_on(folder: Path) -> None:
    shown = type_in(folder, '/entity Nobody Known\r/path "open quote\r/path One\r/why 9\r/stats\r')
    assert "Nobody Known" in shown
    assert "no closing quotation" in shown
    assert "END" in shown
    assert "no answer yet" in shown
    assert "triples" in shown


def test_help_has_examples(folder: Path) -> None:
    shown = type_in(folder, "/help\r/help path\r")
    assert "/sources" in shown
    assert "e.g. /path " in shown


def test_ctrl_c_stops_the_question_not_the_session(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Agent.stream

    def interrupted(self: Agent, question: str, **options: Any) -> Iterator[Any]:
        yield next(real(self, question, **options))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Agent, "stream", interrupted)
        shown = type_in(folder, f"{QUESTION}\r/stats\r")
    assert shown.index("stopped") < shown.index("triples")


def test_ctrl_c_while_typing_clears_the_line(folder: Path) -> None:
    shown = type_in(folder, "half a quest\x03/stats\r")
    assert "triples" in shown
    assert "half a quest" not in shown


def test_quit_leaves(folder: Path) -> None:
    assert "triples" not in type_in(folder, "/quit\r/stats\r")


def test_history_is_kept_per_graph_and_private(folder: Path) -> None:
    type_in(folder, "/stats\r")
    path = folder / "repl_history"
    assert "/stats" in path.read_text("utf-8")
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600


def completions(folder: Path, text: str) -> list[str]:
    with KnowledgeGraph.open(folder) as kg:
        names = repl.Names(lambda prefix: kg.store.entities(prefix=prefix, limit=20))
        return [c.text for c in names.get_completions(Document(text), CompleteEvent())]


def test_commands_are_completed(folder: Path) -> None:
    assert completions(folder, "/sou") == ["/sources"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/entity Brightw", "Brightwater Labs"),
        ("/path Brightw", '"Brightwater Labs"'),
        ('/path "Orla Vance" "Tarn', '"Tarn City"'),
        ("Who founded Brightw", "Brightwater Labs"),
        ("Where is Tarn C", "Tarn City"),
    ],
)
def test_names_are_completed_where_names_are_wanted(folder: Path, text: str, expected: str) -> None:
    assert expected in completions(folder, text)


@pytest.mark.parametrize("text", ["", "who", "/stats Orla", "/nonsense Orla", "/path "])
def test_nothing_is_completed_elsewhere(folder: Path, text: str) -> None:
    assert completions(folder, text) == []


def test_a_pipe_is_read_line_by_line_without_decoration(folder: Path) -> None:
    done = pipe_in(folder, f"{QUESTION}\n\n/sources\n")
    assert done.returncode == 0, done.stderr
    assert "Norland" in done.stdout
    assert "»" in done.stdout
    assert "hoptrace>" not in done.stdout
    assert "\x1b" not in done.stdout


def test_a_pipe_reports_the_first_failure_in_its_exit_code(folder: Path) -> None:
    done = pipe_in(folder, "/entity Nobody Known\n/stats\n")
    assert done.returncode == 65
    assert "Nobody Known" in done.stderr
    assert "triples" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"Orla Vance" founded Labs', ["Orla Vance", "founded", "Labs"]),
        ("Norway's capital", ["Norway's", "capital"]),
        ("What's # this", ["What's", "#", "this"]),
        ("", []),
    ],
)
def test_words_are_cut_as_people_mean_them(text: str, words: list[str]) -> None:
    assert repl.split(text) == words
