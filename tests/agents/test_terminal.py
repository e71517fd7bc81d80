"""One sitting in a real pseudo-terminal, through the fifteen habits, each checked against what a person expects to see."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hoptrace import KnowledgeGraph

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")
WAIT = 60  # seconds until a step counts as lost; nothing waits for it


class Terminal:
    """A shell in a terminal of 100 columns. `do` types a line and returns what is shown until the next prompt."""

    def __init__(self, folder: Path) -> None:
        command = ["-m", "hoptrace.agents.interfaces.cli", "repl", "--kg", str(folder)]
        wanted = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONIOENCODING": "utf-8", "PAGER": "cat"}
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | wanted
        self.log = io.StringIO()
        self.child: Any = pexpect.spawn(
            sys.executable, command, env=environment, dimensions=(40, 100), encoding="utf-8", timeout=WAIT, logfile=None
        )
        self.child.logfile_read = self.log
        self.prompt = "hoptrace> "

    def ready(self) -> str:
        """What is shown until the prompt is there and can be typed at (its bracketed paste mode is on)."""
        self.child.expect_exact("\x1b[?2004h")
        before = self.child.before
        self.child.expect_exact(self.prompt.strip())
        return str(before)

    def do(self, line: str, *, prompt: str = "hoptrace> ") -> str:
        self.prompt = prompt
        self.child.send(line + "\r")
        self.child.expect_exact("\x1b[?2004l")  # the line was accepted
        return ANSI.sub("", self.ready())


@pytest.fixture
def terminal(folder: Path, tmp_path: Path) -> Iterator[Terminal]:
    with KnowledgeGraph.open(folder) as kg:
        for n in range(60):
            kg.add("Soland", "has city", f"City {n}x")
        kg.add("Norland", "known as", "Evil \x1b]8;;http://x\x07\x1b[31mLand \u202e[link=http://x]y[/link]")
    made = Terminal(folder)
    yield made
    made.child.ptyproc.delayafterterminate = 5  # a loaded machine takes its time to end a process
    made.child.close(force=True)


def test_fifteen_habits(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    terminal.ready()
    do = terminal.do
    # 4, 13: an answer has a number, and its steps appear before it
    shown = do("Where is Brightwater Labs headquartered?")
    assert shown.index("linked") < shown.index("found") < shown.index("[1]") < shown.index("✓ verified")
    # follow-on questions keep the context
    assert "read as: Who is Tarn City's mayor?" in (shown := do("And who is its mayor?"))
    assert "Piet Aalders" in shown
    # 5, 6, 7: why, path, sources with the span marked and its hash checked, and opened
    assert "taken" in do("/why 1")
    assert "Orla Vance —founded→ Brightwater Labs" in do('/path "Orla Vance" Norland')
    shown = do("/sources 2")
    assert "»The mayor of Tarn City is Piet Aalders.«" in shown
    assert "✓ verified" in shown
    assert "# Tarn City" in do("o 1")
    # 1: Tab completes a name by its place
    terminal.child.send("/entity Brightw")
    terminal.child.expect_exact("organization, 2 facts")  # beside the name, in the menu
    terminal.child.send("\t")
    terminal.child.expect("ater.{0,20}Labs")
    assert "aliases" not in (shown := do(""))
    assert "founded" in shown
    # 3: a paste with a line break runs whole, once
    assert "[3] Where is Tarn City located?" in do("\x1b[200~Where is\nTarn City located?\x1b[201~")
    # 8: gate and one-shots, 8b: as of a day, in the prompt
    assert "gate: auto" in do("/gate")
    do("/gate retrieval", prompt="hoptrace [retrieval]> ")
    do("/gate auto")
    assert "no memory to answer from" in do("!i Who founded Brightwater Labs?")
    do("/as-of 1900-01-01", prompt="hoptrace [as of 1900-01-01]> ")
    do("/as-of now")
    # 9: a query
    assert "true" in do("/sparql ASK { ?s rel:founded ?o }")
    # 10, 11: teach with a question on conflict, checkpoint, undo, redo, diff
    do("/checkpoint before")
    do("/teach Norland capital Eskmouth --functional")
    asked = terminal.do("/teach Norland capital Marn", prompt="[y/N] ")
    assert "contradicts Norland — capital → Eskmouth" in ANSI.sub("", terminal.log.getvalue()).replace("\n", "")[-600:] + asked
    assert "--anyway" in do("n")
    assert "+ Norland — capital → Eskmouth" in do("/diff before")
    assert "undo" in do("/undo")
    assert "0 added" in do("/diff before")
    assert "redo" in do("/redo")
    # 12: modes, a file, long tables cut
    do("/mode csv", prompt="hoptrace [csv]> ")
    assert "subject,relation,object" in terminal.do("/neighbors Tarn City", prompt="hoptrace [csv]> ")
    do("/mode table")
    do(f"/once {tmp_path / 'facts.txt'}")
    do("/neighbors Tarn City")
    assert "located in" in (tmp_path / "facts.txt").read_text("utf-8")
    assert "… 20 more, /last" in do("/neighbors Soland --limit 60")
    assert "… " not in do("/last")
    # 15: log, timing, replay, feedback
    assert "redo 64" in do("/log --limit 1")
    do("/timing on")
    assert "evidence tokens" in do("Who founded Brightwater Labs?")
    do("/timing off")
    assert "asked again as" in do("/replay 4")
    assert "kept in" in do("/feedback 4 good")
    # 14: the same as one JSON object; did you mean; help with examples
    assert '{"sources": ' in do("/stats --json")
    assert "did you mean /sources?" in do("/sorces")
    assert do("/help diff").count("e.g. /diff") >= 2
    # 2: the lines typed are searched, secrets are not written down
    do("/lines password=hunter2")
    assert "/why 1" in do("/lines why")
    assert "hunter2" not in (folder / "repl_history").read_text("utf-8")
    # a name that would command the terminal only shows its letters
    do("/neighbors Norland")
    assert "\x1b]8;;http://x" not in terminal.log.getvalue()
    assert "\u202e" not in terminal.log.getvalue()
    # Ctrl-C clears a line, Ctrl-D leaves
    terminal.child.send("half a line\x03")
    terminal.ready()
    terminal.child.send("\x04")
    terminal.child.expect(pexpect.EOF)
    terminal.child.wait()
    assert terminal.child.exitstatus == 0
