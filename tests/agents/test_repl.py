"""The interactive shell, driven headless: keys in through a pipe, results out to a buffer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent
from hoptrace.agents.interfaces import shell

Typed = Callable[..., str]
QUESTION = "In which country is the company founded by Orla Vance headquartered?"


def pipe_in(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "repl", "--kg", str(folder)]
    return subprocess.run(command, input=text, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})


def test_a_question_streams_its_steps_and_is_answered(type_in: Typed) -> None:
    shown = type_in(f"{QUESTION}\r")
    assert shown.index("linked") < shown.index("found ") < shown.index("✓ verified")
    assert "Norland" in shown


def test_answers_are_numbered_and_looked_back_at(type_in: Typed) -> None:
    shown = type_in(f"{QUESTION}\rWho is the mayor of Tarn City?\r/why 1\r/sources 2\r")
    assert "[1] " in shown
    assert "[2] " in shown
    assert "taken" in shown
    assert "Piet Aalders" in shown.partition("»")[2]


def test_why_not_needs_no_quotes_and_looks_at_the_last_question(type_in: Typed) -> None:
    shown = type_in(f"{QUESTION}\r/why-not Tarn City\r/why-not Norland\r")
    assert "Tarn City: fit" in shown
    assert "Norland: answer" in shown


def test_commands_take_quoted_names_and_options(type_in: Typed) -> None:
    assert "Orla Vance —" in type_in('/path "Orla Vance" Norland --max-hops 3 -k 1\r')


def test_an_unknown_command_suggests_the_nearest(type_in: Typed) -> None:
    assert "did you mean /sources?" in type_in("/sorces\r")


def test_errors_are_shown_and_the_session_goes_on(type_in: Typed) -> None:
    shown = type_in('/entity Nobody Known\r/path "open quote\r/path One\r/why 9\r/stats\r')
    assert "Nobody Known" in shown
    assert "no closing quotation" in shown
    assert "END" in shown
    assert "no answer yet" in shown
    assert "triples" in shown


def test_help_has_examples(type_in: Typed) -> None:
    shown = type_in("/help\r/help path\r")
    assert "/sources" in shown
    assert "e.g. /path " in shown


def test_ctrl_c_stops_the_question_not_the_session(type_in: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Agent.stream

    def interrupted(self: Agent, question: str, **options: Any) -> Iterator[Any]:
        yield next(real(self, question, **options))
        signal.raise_signal(signal.SIGINT)  # what Ctrl-C does

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started without it
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Agent, "stream", interrupted)
            shown = type_in(f"{QUESTION}\r/stats\r")
    finally:
        signal.signal(signal.SIGINT, before)
    assert shown.index("stopped; what was found is kept as [1]") < shown.index("triples")
    assert "linked" in shown


def test_ctrl_c_while_typing_clears_the_line(type_in: Typed) -> None:
    shown = type_in("half a quest\x03/stats\r")
    assert "triples" in shown
    assert "half a quest" not in shown


def test_quit_leaves(type_in: Typed) -> None:
    assert "triples" not in type_in("/quit\r/stats\r")


def test_history_is_kept_per_graph_and_private(type_in: Typed, folder: Path) -> None:
    type_in("/stats\r")
    path = folder / "repl_history"
    assert "/stats" in path.read_text("utf-8")
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600


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
    assert shell.split(text) == words
