"""What one sitting at the shell holds: modes, days, gates, files, what was typed; and that none of it leaks."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces import cli, completion, history, opening, render, repl, shell, sitting
from hoptrace.agents.interfaces.commands import COMMANDS
from hoptrace.agents.interfaces.session import AnswerLog, Session
from hoptrace.kg.errors import InputError
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

Typed = Callable[..., str]
MAYOR = "Who is the mayor of Tarn City?"
RUN = "Who runs Brightwater Labs?"


# ---- the table of the shell's own commands


@pytest.mark.parametrize("local", sitting.LOCALS.values(), ids=sitting.LOCALS)
def test_each_of_the_shells_own_commands_says_why_and_shows_two_examples(local: sitting.Local, type_in: Typed) -> None:
    assert local.reason
    assert local.name not in COMMANDS
    shown = type_in(f"/help {local.name}\r")
    assert local.help.split(";")[0][:60] in shown
    assert shown.count("e.g. ") == len(set(local.examples))


@pytest.mark.parametrize("command", shell.SLASHED.values(), ids=shell.SLASHED)
def test_each_command_has_two_examples_that_can_be_typed(command: cli.Command) -> None:
    assert len(command.examples) >= (2 if command.arguments else 0)
    for example in command.examples:
        cli.build(command).make_context(command.name, shell.split(example))


def test_an_example_that_cannot_be_typed_is_noticed() -> None:
    with pytest.raises(click.UsageError):
        cli.build(COMMANDS["path"]).make_context("path", ["--nonsense"])


# ---- gate and day


def test_the_gate_is_said_and_kept_in_the_prompt(type_in: Typed) -> None:
    shown = type_in(f"/gate\r/gate retrieval\r{MAYOR}\r/gate\r/gate maybe\r")
    assert "gate: auto" in shown
    assert "decides: by rules" in shown
    assert "it can: path, path+text, abstain" in shown
    assert "gate: retrieval" in shown.partition("Piet Aalders")[2]
    assert "no gate 'maybe'; one of auto, retrieval, internal, both" in shown
    assert sitting.State(gate="retrieval").prompt == "hoptrace [retrieval]> "


def test_one_shots_hold_for_one_question(type_in: Typed, folder: Path) -> None:
    shown = type_in(f"!i {MAYOR}\r!r {MAYOR}\r{MAYOR}\r")
    assert shown.count("no memory to answer from") == 1
    assert [record["asked"]["gate"] for record in AnswerLog(folder / "answers.jsonl")] == ["retrieval", "auto"]


def test_a_day_holds_until_it_is_cleared(type_in: Typed, folder: Path) -> None:
    with KnowledgeGraph.open(folder) as kg:
        kg.add("Ada Roe", "chief executive of", "Brightwater Labs", valid_from=None, valid_to=None)
    shown = type_in(f"/as-of 2001-05-01\r{RUN}\r/ask {RUN} --as-of 2002-05-01\r/as-of now\r{RUN}\r/as-of June\r/as-of\r")
    days = [record["asked"]["as_of"] for record in AnswerLog(folder / "answers.jsonl")]
    assert days == ["2001-05-01", "2002-05-01", None]
    assert "not a day like" in shown
    assert shown.rstrip().endswith("as of now")


# ---- modes and files


def test_results_are_written_as_json_csv_and_markdown(type_in: Typed) -> None:
    shown = type_in("/mode json\r/stats\r/mode csv\r/neighbors Norland\r/mode md\r/neighbors Norland\r/mode\r")
    lines = shown.splitlines()
    assert json.loads(next(line for line in lines if line.startswith("{")))["sources"] == 2
    at = next(i for i, line in enumerate(lines) if line.startswith("subject,"))
    (row,) = csv.DictReader(io.StringIO("\n".join(lines[at : at + 2])))
    assert (row["subject"], row["relation"], row["object"]) == ("Tarn City", "located in", "Norland")
    assert any(line.startswith("| Tarn City | located in | Norland |") for line in lines)


def test_an_answer_is_one_row_and_a_path_one_row_for_each_hop(type_in: Typed) -> None:
    shown = type_in(f'/mode csv\r{MAYOR}\r/path "Orla Vance" Norland\r')
    rows = list(csv.reader(io.StringIO(shown)))
    names = next(row for row in rows if "answers" in row)
    assert dict(zip(names, rows[rows.index(names) + 1]))["answers"] == "Piet Aalders"
    at = rows.index(next(row for row in rows if row[:1] == ["path"]))
    assert [row[:4] for row in rows[at + 1 : at + 3]] == [
        ["1", "Orla Vance", "founded", "Brightwater Labs"],
        ["1", "Brightwater Labs", "headquartered in", "Tarn City"],
    ]


def test_no_cell_is_a_formula_or_a_link(type_in: Typed, folder: Path) -> None:
    with KnowledgeGraph.open(folder) as kg:
        kg.add("=cmd|' /C calc'!A0", "owns", "![x](http://evil/y)")
    shown = type_in('/mode csv\r/neighbors "![x](http://evil/y)"\r/mode md\r/neighbors "![x](http://evil/y)"\r')
    assert "\n'=cmd" in shown
    assert r"\[x\](http://evil/y)" in shown


def test_the_next_result_goes_to_a_file_and_no_further(type_in: Typed, folder: Path) -> None:
    file = folder.parent / "out.txt"
    shown = type_in(f"/once {file}\r/entity Nobody\r/neighbors Norland\r/stats\r/once {file}\r")
    assert "Tarn City" in file.read_text("utf-8")
    assert "triples" not in file.read_text("utf-8")
    assert "located in" not in shown
    assert "triples" in shown
    assert "exists; --force" in shown
    type_in(f"/once {file} --force\r/stats\r")
    assert "triples" in file.read_text("utf-8")


def test_a_long_table_is_cut_and_shown_whole_by_last(type_in: Typed, folder: Path) -> None:
    with KnowledgeGraph.open(folder) as kg:
        for n in range(9):
            kg.add("Norland", "has city", f"City {n}x")
    shown = type_in("/neighbors Norland\r/last\r/help\r", rows=4)
    cut, _, whole = shown.partition("… 6 more, /last")
    assert cut.count("has city") < 9
    assert whole.partition("command ")[0].count("has city") == 9
    assert "… " not in whole
    assert "no result yet" in type_in("/last\r")


# ---- what was typed


SECRETS = [
    "my password= hunter2",
    "api_key: abcdef",
    "what is my API key abc",
    "curl -H 'Authorization: Bearer abcdefghijk'",
    "sk-proj-abcdefghijkl",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghij",
    "https://user:pw@example.org/x",
    "-----BEGIN RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_line_with_a_secret_is_not_written_down(line: str, tmp_path: Path) -> None:
    kept, new = history.open_history(tmp_path)
    assert new
    for one in (line, "/stats"):
        kept.append_string(one)
    assert kept.get_strings() == [line, "/stats"]  # the arrow key still brings it back
    written = (tmp_path / history.FILE).read_text("utf-8")
    assert "/stats" in written
    assert line not in written


@pytest.mark.parametrize(
    "line", [MAYOR, "Who keeps the keys of Norland?", "/path task-force Norland", "What is a token of trust?"]
)
def test_ordinary_lines_are(line: str) -> None:
    assert not history.SECRET.search(line)


def test_secrets_typed_at_the_prompt_reach_no_history(type_in: Typed, folder: Path) -> None:
    type_in("/lines password=hunter2\r/lines sk-abcdefghijkl\r/stats\r")
    written = (folder / history.FILE).read_text("utf-8")
    assert "hunter2" not in written
    assert "sk-" not in written
    assert "/stats" in written


def test_lines_are_searched(type_in: Typed) -> None:
    type_in(f"{MAYOR}\r/stats\r")
    shown = type_in("/lines mayor\r/lines nothing\r")
    assert MAYOR in shown
    assert "/stats" not in shown
    assert "no line with 'nothing'" in shown


# ---- programs of the terminal


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that writes its arguments down, as PAGER; as EDITOR it also writes a command into the file."""
    script, seen = tmp_path / "tool.py", tmp_path / "seen"
    script.write_text(f"import sys; open({str(seen)!r}, 'w').write(' '.join(sys.argv[1:])); open(sys.argv[-1], 'a').write('')\n")
    monkeypatch.setenv("PAGER", f'"{sys.executable}" "{script}"')
    return seen


def test_a_citation_is_opened_where_it_stands(type_in: Typed, tool: Path) -> None:
    shown = type_in(f"{MAYOR}\ro 1\r/open 7\r/open x\r")
    assert tool.read_text().endswith("city.md")
    assert "no citation 7; it has 1" in shown
    assert "needs the number" in shown


def test_the_line_of_a_citation_is_that_of_its_characters(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (folder.parent / "city.md").read_text("utf-8")
    quote = "The mayor of Tarn City is Piet Aalders."
    cited = {"source": "city.md", "start": text.index(quote), "quote": quote}
    path, line = opening.place(folder, cited)
    assert (path.name, line) == ("city.md", 3)
    monkeypatch.setenv("PAGER", "less -R")
    assert opening.viewer(path, line) == ["less", "-R", "+3", str(path)]
    assert opening.place(folder, {**cited, "start": 0})[1] == 1  # not the file's own characters


@pytest.mark.parametrize(
    "source", ["https://example.org/x", "human:h0123", "//host/share", "\\\\host\\share", "gone.txt", "file:///etc/passwd"]
)
def test_what_is_no_file_here_is_not_opened(folder: Path, source: str) -> None:
    with pytest.raises(InputError, match="sources shows"):
        opening.place(folder, {"source": source, "start": 0, "quote": "x"})


def test_a_line_can_be_written_in_an_editor(type_in: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "edit", lambda text: text.replace("stats", "neighbors Norland") + "\n")
    assert "located in" in type_in("/stats\r/edit\r")


# ---- the prompt


def test_alt_enter_breaks_the_line_and_a_paste_runs_whole(type_in: Typed, folder: Path) -> None:
    type_in("Who is the mayor\x1b\rof Tarn City?\r\x1b[200~Where is\nTarn City\nlocated?\x1b[201~\r")
    assert [record["question"] for record in AnswerLog(folder / "answers.jsonl")] == [MAYOR, "Where is Tarn City located?"]


def test_a_conflict_is_a_question(type_in: Typed, folder: Path) -> None:
    teach = "/teach Norland capital"
    shown = type_in(f'{teach} Eskmouth --functional\r{teach} Marn\rn\r{teach} "Tarn City"\ry\r')
    assert "Norland — capital → Marn contradicts" in shown
    with KnowledgeGraph.open(folder) as kg:
        assert {(t.object.label, str(t.status)) for t in kg.triples("Norland", "capital")} == {
            ("Eskmouth", "disputed"),
            ("Tarn City", "disputed"),
        }


def test_a_question_that_leans_on_the_last_is_shown_as_it_is_read(type_in: Typed) -> None:
    shown = type_in("Where is Brightwater Labs headquartered?\rAnd who is its mayor?\r")
    assert shown.index("read as: Who is Tarn City's mayor?") < shown.index("Piet Aalders")


def test_time_and_cost_are_shown_when_asked_for(type_in: Typed) -> None:
    timed, _, plain = type_in(f"/timing on\r{MAYOR}\r/timing off\r{MAYOR}\r").partition("/timing off")
    assert timed.count("evidence tokens, 0 model calls") == 1
    assert plain == ""


def test_lines_of_the_rc_file_run_first(type_in: Typed, folder: Path) -> None:
    rc = folder.parent / "config" / "hoptrace" / "rc"
    rc.parent.mkdir(parents=True)
    rc.write_text("# mine\n\n/mode json\n/nonsense\n", "utf-8")
    shown = type_in("/stats\r")
    assert json.loads(shown[shown.index("{") :])["sources"] == 2
    assert "no command /nonsense" in shown


def test_the_first_sitting_gets_three_lines_and_later_ones_one(type_in: Typed) -> None:
    assert type_in("").count("\n") == 3
    assert type_in("").count("\n") == 1


def test_plain_mode_has_only_words(type_in: Typed) -> None:
    shown = type_in(f'{MAYOR}\r/sources\r/path "Orla Vance" Norland\r/neighbors Norland\r', plain=True)
    assert shown.isascii()
    assert "Orla Vance -founded-> Brightwater Labs" in shown
    assert "relation: located in" in shown


def test_a_narrow_screen_gets_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for width in (59, 60):
        buffer = io.StringIO()
        screen = render.console(buffer)
        screen.width = width
        render.table(screen, ("a", "b", "c"), [("one", "two", "")])
        shown[width] = buffer.getvalue()
    assert shown[59] == "a: one\nb: two\n\n"
    assert shown[60].splitlines()[0].split() == ["a", "b", "c"]


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_left_out_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = {}
    for name, plain, none in (("colour", False, ""), ("no colour", False, "1"), ("plain", True, "")):
        monkeypatch.setenv("NO_COLOR", none)
        buffer = Tty()
        render.line(render.console(buffer, plain=plain), ("broken", "red"))
        shown[name] = buffer.getvalue()
    assert "\x1b[31m" in shown["colour"]
    assert shown["no colour"] == shown["plain"] == "broken\n"


@pytest.mark.parametrize(("vi", "run"), [(True, "/stats"), (False, "/statsXx")])
def test_vi_keys_are_taken_when_asked_for(folder: Path, vi: bool, run: str) -> None:
    buffer = io.StringIO()
    session = Session(folder)
    with create_pipe_input() as pipe:
        pipe.send_text("/statsX\x1bx\r/quit\r")
        pipe.close()  # nothing waits for more keys
        repl.run(session, vi=vi, input=pipe, output=DummyOutput(), out=render.console(buffer))
    session.close()
    assert ("triples" in buffer.getvalue()) == vi
    assert f"+{run}\n" in (folder / history.FILE).read_text("utf-8")


HOSTILE = "Evil \x1b]8;;http://x\x07\x1b[31m\u202eCorp\u2066 [link=http://x]y[/link] \x9b31m\x00"


@pytest.mark.parametrize("mode", sitting.MODES)
def test_a_hostile_name_is_harmless_in_every_mode(type_in: Typed, folder: Path, mode: str) -> None:
    with KnowledgeGraph.open(folder) as kg:
        made = kg.add("Norland", "owned by", HOSTILE.replace("\x00", ""))
    shown = type_in(
        f"/mode {mode}\r/neighbors Norland\rWho owns Norland?\r/why\r/sources\r/checkpoint x\r/retract {made.id}\r/diff x\r"
    )
    assert "Corp" in shown
    assert not {c for c in shown if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in "\u202e\u2066"}


def test_the_shell_asks_nothing_of_one_system_alone() -> None:
    folder = Path(completion.__file__).parent
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        assert not names & {"termios", "tty", "pty", "fcntl", "resource", "readline", "pwd", "curses"}, path
        called = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not called & {"os.fork", "os.geteuid", "os.getuid", "signal.SIGKILL"}, path


def test_the_history_is_the_owners_alone(type_in: Typed, folder: Path) -> None:
    type_in("/stats\r")
    assert os.name == "nt" or (folder / history.FILE).stat().st_mode & 0o777 == 0o600
