"""The command line as a user meets it: what it prints, its JSON, its exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.interfaces.commands import COMMANDS
from hoptrace.agents.interfaces.session import KEPT, AnswerLog

QUESTION = "In which country is the company founded by Orla Vance headquartered?"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; returns (exit code, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def read(run: Run, *words: str) -> dict[str, Any]:
    code, out, err = run(*words, "--json")
    assert code == 0, err
    assert out.count("\n") == 1
    value = json.loads(out)
    assert isinstance(value, dict)
    return value


# ---- asking -----------------------------------------------------------------------------------------------------


def test_ask_prints_the_documented_object(run: Run, folder: Path) -> None:
    answer = read(run, "ask", QUESTION)
    fields = {"question", "text", "answers", "status", "confidence", "route", "rationale", "paths", "citations"}
    assert fields | {"usage", "timings_ms"} <= set(answer)
    assert answer["answers"] == ["Norland"]
    assert [c["verified"] for c in answer["citations"]] == [True] * len(answer["citations"])


def test_cited_characters_are_the_files_own(run: Run, folder: Path) -> None:
    for citation in read(run, "ask", QUESTION)["citations"]:
        text = (folder.parent / citation["source"]).read_text("utf-8")
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_ask_shows_hops_quotes_and_marks(run: Run, folder: Path) -> None:
    code, out, _ = run("ask", QUESTION)
    assert code == 0
    assert "Norland" in out
    assert re.search(r"Orla Vance —.*→ .*Tarn City", out)
    assert re.search(r"city\.md:\d+-\d+  ✓ verified", out)


def test_why_not_takes_a_question_or_the_last_one(run: Run, folder: Path) -> None:
    asked = read(run, "why-not", QUESTION, "Tarn City")
    assert (asked["reason"], asked["answers"]) == ("fit", ["Norland"])
    assert asked["path"]["text"].endswith("Tarn City")
    run("ask", QUESTION)
    assert read(run, "why-not", "Tarn", "City") == asked
    assert read(run, "why-not", "Nobody Known")["reason"] == "unknown entity"
    _, out, _ = run("why-not", "Piet Aalders")
    assert "rejected" in out
    assert "explains" in out
    assert "Norland" in out


def test_why_not_remembers_the_day_a_question_was_asked_for(run: Run, folder: Path) -> None:
    run("teach", "Ada Roe", "chief executive of", "Brightwater Labs", "--valid-from", "2001-01-01", "--valid-to", "2005-01-01")
    run("ask", "Who runs Brightwater Labs?", "--as-of", "2003-01-01")
    assert read(run, "why-not", "Ada Roe")["reason"] == "answer"


def test_why_tells_route_seeds_and_paths(run: Run, folder: Path) -> None:
    run("ask", QUESTION)
    record = read(run, "why")
    steps = {step["step"]: step for step in record["trace"]}
    assert "Orla Vance" in [seed["label"] for seed in steps["linked"]["seeds"]]
    assert steps["retrieved"]["paths"][0]["parts"]
    _, out, _ = run("why", "1")
    assert "taken" in out
    assert "Orla Vance" in out


def test_sources_shows_the_cited_characters_in_place(run: Run, folder: Path) -> None:
    run("ask", QUESTION)
    _, out, _ = run("sources")
    assert "»" in out
    assert "✓ verified" in out
    for quote in read(run, "sources")["citations"]:
        assert quote["verified"]


def test_sources_notices_a_source_that_is_gone(run: Run, folder: Path) -> None:
    citation = read(run, "ask", QUESTION)["citations"][0]
    with KnowledgeGraph.open(folder) as kg, kg.store.writing() as writer:  # behind the back of the kept answers
        for source in list(kg.sources()):
            if source.uri == citation["source"]:
                writer.erase(source.id)
        writer.note("forget", "erased in a test", {}, undoable=False)
    quote = next(q for q in read(run, "sources")["citations"] if q["id"] == citation["id"])
    assert not quote["verified"]
    assert "cannot be read" in quote["problem"]


def test_answers_are_numbered_and_an_unknown_number_names_the_known(run: Run, folder: Path) -> None:
    assert [read(run, "ask", QUESTION)["number"] for _ in range(2)] == [1, 2]
    assert read(run, "why", "1")["number"] == 1
    code, _, err = run("why", "7")
    assert (code, err) == (65, "hoptrace: no answer 7; there are 1 to 2\n")


def test_the_answer_log_is_private_and_bounded(run: Run, folder: Path) -> None:
    run("ask", QUESTION)
    log = AnswerLog(folder / "answers.jsonl")
    line = log.path.read_text("utf-8")
    log.path.write_text("".join(line.replace('"number": 1', f'"number": {n}') for n in range(1, KEPT + 1)), "utf-8")
    assert read(run, "ask", QUESTION)["number"] == KEPT + 1
    assert [record["number"] for record in log] == list(range(2, KEPT + 2))
    assert os.name == "nt" or log.path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_answer_log_loses_that_line_only(run: Run, folder: Path) -> None:
    run("ask", QUESTION)
    with (folder / "answers.jsonl").open("a") as log:
        log.write('{"number": 2, "cut')
    assert read(run, "why")["number"] == 1


def test_a_question_may_be_typed_without_quotes(run: Run, folder: Path) -> None:
    assert read(run, "ask", *QUESTION.split())["question"] == QUESTION


# ---- looking around and changing --------------------------------------------------------------------------------


def test_path_between_two_entities(run: Run, folder: Path) -> None:
    found = read(run, "path", "Orla Vance", "Norland")
    assert len(found["paths"][0]["hops"]) == 3
    _, out, _ = run("path", "Orla Vance", "Norland", "--max-hops", "1")
    assert "no path within 1 hops" in out


def test_teach_ask_undo(run: Run, folder: Path) -> None:
    taught = read(run, "teach", "Norland", "capital", "Eskmouth", "--note", "told by the desk")
    assert read(run, "path", "Norland", "Eskmouth")["paths"]
    assert taught["id"] in {fact["id"] for fact in read(run, "entity", "Eskmouth")["facts"]}
    assert read(run, "log")["entries"][0]["action"] == "add"
    assert run("undo")[0] == 0
    assert run("entity", "Eskmouth")[0] == 65


def test_retract_keeps_the_history(run: Run, folder: Path) -> None:
    fact = next(f for f in read(run, "neighbors", "Norland")["facts"] if f["subject"] == "Tarn City")
    assert run("retract", fact["id"], "--reason", "moved")[0] == 0
    assert fact["id"] not in {f["id"] for f in read(run, "neighbors", "Tarn City")["facts"]}
    assert fact["id"] in {f["id"] for f in read(run, "history", "Tarn City")["facts"]}


def test_forget_erases_the_source_and_the_answers_that_cite_it(run: Run, folder: Path) -> None:
    cited = read(run, "ask", QUESTION)["citations"][0]["source"]
    erased = read(run, "forget", cited)
    assert erased["answers_erased"] == 1
    assert run("why")[0] == 65
    assert "Orla" not in (folder / "answers.jsonl").read_text("utf-8")


def test_sparql(run: Run, folder: Path) -> None:
    pytest.importorskip("rdflib")
    result = read(run, "sparql", "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    assert result["columns"] == ["n"]
    assert run("sparql", "SELEKT")[0] == 65


def test_stats_and_doctor(run: Run, folder: Path) -> None:
    assert read(run, "stats")["sources"] == 2
    assert not [f for f in read(run, "doctor", "--verify")["findings"] if f["severity"] == "error"]


def test_export_asks_before_it_overwrites(run: Run, folder: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "graph.nt")
    assert run("export", target)[0] == 0
    code, _, err = run("export", target)
    assert code == 65
    assert "--force" in err
    assert run("export", target, "--force")[0] == 0


# ---- manners ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("stats", "--kg", "nowhere.kg"), 66, "nowhere.kg"),
        (("ingest", "nowhere.txt"), 66, "nowhere.txt"),
        (("entity", "Nobody At All"), 65, "Nobody At All"),
        (("ask", " "), 65, "empty"),
        (("retract", "t0000000000000000"), 65, "t0000000000000000"),
        (("path", "Orla Vance", "Norland", "-k", "0"), 65, "0"),
        (("forget", "nothing.txt"), 65, "nothing.txt"),
        (("undo", "999"), 65, "999"),
    ],
)
def test_errors_are_one_line_with_their_exit_code(run: Run, folder: Path, words: tuple[str, ...], code: int, said: str) -> None:
    got, out, err = run(*words)
    assert (got, out, err.count("\n")) == (code, "", 1)
    assert err.startswith("hoptrace: ")
    assert said in err


@pytest.mark.parametrize("words", [("stat",), ("path", "A"), ("ask", "q", "--as-of", "June"), ("ask", "q", "--nope")])
def test_wrong_usage_exits_2(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


def test_every_reading_command_prints_json_and_help(run: Run) -> None:
    for name, command in COMMANDS.items():
        code, out, _ = run(name, "--help")
        assert code == 0
        assert command.help.split(";")[0][:40] in " ".join(out.split())
        assert ("--json" in out) == (not command.interactive)


def test_help_documents_the_exit_codes(run: Run) -> None:
    from hoptrace.kg import errors

    out = run("--help")[1]
    codes = {130} | {value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")}
    assert all(re.search(rf"(^|\s){code}\s", out) for code in codes)


def test_no_ansi_in_a_pipe_and_none_from_data(folder: Path) -> None:
    with KnowledgeGraph.open(folder) as kg:
        kg.add("Evil \x1b]8;;http://x\x07Corp", "owns", "[bold]Thing[/bold] \x9b31m")
    command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "neighbors", "[bold]Thing[/bold] \x9b31m"]
    out = subprocess.run(command, capture_output=True, env={**os.environ, "FORCE_COLOR": "1", "PYTHONIOENCODING": "utf-8"}).stdout
    shown = out.decode()
    assert "[bold]Thing[/bold]" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\x9b" not in shown
    plain = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"}).stdout
    assert b"\x1b" not in plain


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently")
def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    command = f'"{sys.executable}" -m hoptrace.agents.interfaces.cli stats | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "1")


# ---- report -----------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_is_self_contained_and_escaped(run: Run, folder: Path, tmp_path: Path) -> None:
    with KnowledgeGraph.open(folder) as kg:
        kg.add("Norland", "led by", "<script>alert(1)</script>")
    run("ask", QUESTION)
    run("ask", "Who leads <img src=x onerror=alert(1)> Norland?")
    assert run("report", str(tmp_path / "r.html"))[0] == 0
    page = Tags()
    page.feed((tmp_path / "r.html").read_text("utf-8"))
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert {"svg", "mark"} <= set(page.tags)
    assert "Norland" in page.text
    assert "onerror=alert(1)" in page.text


def test_a_workbook_has_the_answers_with_hops_and_citations(run: Run, folder: Path, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    run("ask", QUESTION)
    run("ask", "=HYPERLINK(1) Who leads \x1b[2J Norland?")
    assert run("report", str(tmp_path / "r.xlsx"))[0] == 0
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["answers", "hops", "citations", "settings"]
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    named = {sheet.title: [dict(zip(next(sheet.values), row)) for row in list(sheet.values)[1:]] for sheet in book}
    assert [row["answer"] for row in named["answers"]] == [1, 2]
    assert named["answers"][1]["question"].startswith("=HYPERLINK(1)")
    assert [row["subject"] for row in named["hops"] if (row["answer"], row["hop"]) == (1, 1)] == ["Orla Vance"]
    with KnowledgeGraph.open(folder, read_only=True) as kg:
        uris = {source.uri: source.id for source in kg.sources()}
        for row in named["citations"]:
            assert kg.text(uris[row["source"]], row["start"], row["end"]) == row["quote"]
            assert row["verified"] == "yes"
        assert {row["setting"]: row["value"] for row in named["settings"]}["generation"] == kg.store.seq
    code, _, err = run("report", str(tmp_path / "r.docx"))
    assert (code, ".html .xlsx" in err) == (65, True)


def test_the_paths_of_an_answer_are_exported_alone(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("ask", "In which country is the company founded by Orla Vance headquartered?")[0] == 0
    assert run("export", str(tmp_path / "why.svg"), "--answer", "1")[0] == 0
    picture = (tmp_path / "why.svg").read_text("utf-8")
    assert picture.count("<rect") == 4
    assert "Piet Aalders" not in picture
    assert run("export", str(tmp_path / "no.svg"), "--answer", "7")[0] == 65


def test_an_export_restores_what_people_said_too(run: Run, folder: Path, tmp_path: Path) -> None:
    file, again = tmp_path / "all.trig", tmp_path / "again.kg"
    with KnowledgeGraph.open(folder) as kg:
        kg.retract(next(iter(kg.triples())).id)
        before = kg.content_hash()
    assert run("export", str(file))[0] == 0
    code, out, _ = run("restore", str(file), "--kg", str(again))
    assert (code, "restored" in out) == (0, True)
    with KnowledgeGraph.open(again) as kg:
        assert kg.content_hash() == before
    assert run("restore", str(tmp_path / "no.trig"))[0] == 66
