"""The gate's report as people meet it: plots, the HTML page, the terminal, and `hoptrace eval --report`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.answer import Answer, Route
from hoptrace.agents.evaluate import EvaluationReport, Question, Row
from hoptrace.agents.gate import Gate
from hoptrace.agents.gate_report import GateReport, gate_report
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.interfaces.gate_page import extended, page, terminal
from hoptrace.agents.interfaces.plots import LEFT, PLOT, RIGHT, TOP, WIDTH, Axis, Series, line_chart, stacked_bars, ticks
from hoptrace.agents.interfaces.registry import Result
from hoptrace.agents.interfaces.render import console
from hoptrace.agents.interfaces.session import Session
from hoptrace.agents.outcomes import Outcomes
from hoptrace.kg.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = "</title><script>alert(1)</script>&'\"\x1b[2J"
Run = Callable[..., tuple[int, str, str]]


def drawing(svg: str) -> ElementTree.Element:
    """A picture of our own, parsed; it fails where it is not well-formed."""
    return ElementTree.fromstring(svg)  # noqa: S314


# ---- plots


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 9))
def test_ticks_are_evenly_spaced_within_the_axis(low: float, wide: float, most: int) -> None:
    found = ticks(low, low + wide, most)
    assert len(found) <= most + 1
    assert all(low - wide * 1e-6 <= at <= low + wide * (1 + 1e-6) for at in found)
    gaps = np.diff(found)
    assert gaps == pytest.approx(np.full(len(gaps), gaps[0] if len(gaps) else 0.0), rel=1e-3)


def test_an_axis_without_extent_has_one_tick() -> None:
    assert ticks(2.0, 2.0) == [2.0]


@given(st.lists(st.tuples(st.floats(-1, 3), st.floats(-1, 2)), min_size=1, max_size=12))
def test_points_stand_where_their_values_say_and_never_outside_the_axes(points: list[tuple[float, float]]) -> None:
    drawn = line_chart("t", "d", [Series("one", points, line=False, dots=True)], Axis("x", 0, 2), Axis("y"))
    marks = [node.attrib["transform"] for node in drawing(drawn).iter() if node.attrib.get("class") == "mark"]
    assert len(marks) == len(points)
    for mark, (x, y) in zip(marks, points, strict=True):
        across, up = map(float, mark.removeprefix("translate(").removesuffix(")").split())
        assert across == pytest.approx(LEFT + min(max(x, 0.0), 2.0) / 2 * (WIDTH - RIGHT - LEFT), abs=0.06)
        assert up == pytest.approx(TOP + PLOT * (1 - min(max(y, 0.0), 1.0)), abs=0.06)


def test_eight_series_have_eight_keys() -> None:
    drawn = drawing(line_chart("t", "d", [Series(str(i), [(0, 0), (1, 1)]) for i in range(8)], Axis("x"), Axis("y")))
    assert len({g.attrib["class"] for g in drawn.iter() if g.tag == "g"}) == 8


def test_parts_of_a_bar_are_as_wide_as_they_are_large() -> None:
    drawn = stacked_bars("t", "d", {"all": {"path": 0.75, "abstain": 0.25}, "few": {"abstain": 0.5}})
    bars = [node for node in drawing(drawn).iter() if node.tag == "rect" and node.find("title") is not None]
    wide = [float(node.attrib["width"]) for node in bars]
    assert wide[0] == pytest.approx(3 * wide[1], abs=0.3)
    assert wide[2] == pytest.approx(2 * wide[1], abs=0.3)
    assert float(bars[1].attrib["x"]) == pytest.approx(float(bars[0].attrib["x"]) + wide[0], abs=0.2)


def test_a_part_has_one_colour_in_all_bars() -> None:
    drawn = drawing(stacked_bars("t", "d", {"all": {"path": 1.0}, "few": {"read": 0.5, "path": 0.5}}))
    groups = [g for g in drawn.iter() if g.tag == "g" and g.find("rect/title") is not None]
    colours = [(str(g.findtext("rect/title")).partition(":")[0], g.attrib["class"]) for g in groups]
    assert len(colours) == 3
    assert len(set(colours)) == len({name for name, _ in colours}) == len({colour for _, colour in colours}) == 2


def test_a_picture_says_what_it_shows_and_stays_well_formed_whatever_its_labels() -> None:
    line = line_chart(HOSTILE, HOSTILE, [Series(HOSTILE, [(0, 0), (1, 1)]), Series("b", [(0, 1)])], Axis(HOSTILE), Axis(HOSTILE))
    bars = stacked_bars(HOSTILE, HOSTILE, {HOSTILE: {HOSTILE: 1.0}})
    for drawn in (line, bars):
        picture = drawing(drawn)
        assert "alert(1)" in str(picture.findtext("title"))
        assert "alert(1)" in str(picture.findtext("desc"))
        assert not [node for node in picture.iter() if node.tag == "script"]
        assert "\x1b" not in drawn


# ---- the page


class Tags(HTMLParser):
    """Collects tags, attributes and text, and finds a tag that is not closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


def small() -> GateReport:
    """A report of two answers and an abstention."""
    right = np.array([[True, True], [False, True], [False, False]])
    log = Outcomes((), np.zeros((3, 0)), ("path", "path+text"), right, np.tile([1.0, 5.0], (3, 1)), np.arange(3), np.arange(3))
    rows = []
    for name, said, sure in (("a", "x", 0.9), ("b", "y", 0.4), ("c", "", 0.1)):
        status: Any = "answered" if said else "abstained"
        route, spent = Route("path" if said else "abstain"), {"link": 1.0, "total": 9.0}
        answer = Answer(f"{name}?", "", (said,) if said else (), status, sure, route, timings_ms=spent)
        rows.append(Row(Question(name, f"{name}?", ("x",)), answer, said == "x"))
    return gate_report(log, rows, Gate())


def test_the_page_needs_nothing_else_and_its_pictures_are_well_formed() -> None:
    text = page(small())
    found = read(text)
    assert not {"script", "img", "link", "iframe", "object", "use", "image"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href", "xlink:href")]
    assert "default-src 'none'; style-src 'unsafe-inline'" in [value for _, value in found.attributes]
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    pictures = re.findall(r"<svg.*?</svg>", text, re.S)
    assert len(pictures) == found.tags.count("svg") == 5
    assert all(drawing(picture).findtext("title") for picture in pictures)


def test_the_page_shows_the_figures_of_the_report() -> None:
    report = small()
    found = read(page(report))
    for section in ("Budget frontier", "Realised usage", "Harm and benefit", "Cost by part", "Reliability", "Head, medium, tail"):
        assert section in found.text
    told = report.confidence
    assert told is not None
    assert f"{told.ece:.3f}" in found.text
    assert f"{report.systems['always path+text'].utility:.3f}" in found.text
    assert "the graph has no memory" in found.text


def test_names_from_outside_are_escaped_on_the_page() -> None:
    report = small()
    point = report.frontier["hindsight"]
    turned = (replace(report.turned[0], action=HOSTILE, helped=(HOSTILE,)), *report.turned[1:])
    hostile = replace(
        report,
        mode=HOSTILE,
        systems={**report.systems, HOSTILE: point[0]},
        frontier={**report.frontier, HOSTILE: point},
        usage=(replace(report.usage[0], action=HOSTILE), *report.usage[1:]),
        turned=turned,
        cost=(replace(report.cost[0], name=HOSTILE), *report.cost[1:]),
        buckets=(replace(report.buckets[0], name=HOSTILE, actions={HOSTILE: 1}), *report.buckets[1:]),
        absent={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
    )
    text = page(hostile)
    found = read(text)
    assert "script" not in found.tags
    assert "\x1b" not in text
    assert found.text.count("<script>alert(1)</script>") >= 10


def test_a_report_without_answers_has_no_plot_of_confidence() -> None:
    report = replace(small(), confidence=None)
    found = read(page(report))
    assert "Reliability" not in found.text
    assert found.tags.count("svg") == 3


def test_the_terminal_says_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    report = replace(small(), notes=(HOSTILE,))
    terminal(console(), report)
    out = capsys.readouterr().out
    for title in ("Accuracy", "Budget frontier", "Realised usage", "Cost by part", "Stated confidence", "Head, medium, tail"):
        assert title in out
    assert "no harm and benefit against memory: the graph has no memory" in out
    assert "\x1b[2J" not in out


# ---- the command


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; returns (exit code, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def asked(folder: Path, *rows: dict[str, Any]) -> str:
    file = folder.parent / "asked.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(file)


QUESTIONS = (
    {"id": "founder", "question": "Who founded Brightwater Labs?", "answer": "Orla Vance"},
    {"id": "seat", "question": "Where is Brightwater Labs headquartered?", "answer": "Tarn City"},
    {"id": "wrong <b>", "question": "Who is the mayor of Tarn City?", "answer": "Ines Tolland"},
    {"id": "none", "question": "Who founded Halden Marine?", "answers": []},
)


def test_eval_measures_every_action_and_writes_the_page(run: Run, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "gate.html"
    code, out, err = run("eval", "--questions", asked(folder, *QUESTIONS), "--report", str(file), "--json")
    assert code == 0, err
    data = json.loads(out)
    assert (data["right"], data["n"], data["file"]) == (3, 4, str(file))
    report = data["report"]
    assert (report["questions"], report["mode"]) == (4, "rule")
    assert report["shares"]["right"]["value"] == 0.75
    assert report["shares"]["right of answered"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["systems"]["always path"]["right"] == 0.5
    turned = {t["action"]: (t["helped"], t["harmed"]) for t in report["turned"] if t["against"] == "nothing"}
    assert turned["path"] == (["founder", "seat"], ["none"])  # the rules refuse the unknown name, paths alone do not
    assert turned["gate"] == (["founder", "seat"], [])
    assert sum(used["questions"] for used in report["usage"]) == 4
    assert sum(bucket["questions"] for bucket in report["buckets"]) == 4
    found = read(file.read_text("utf-8"))
    assert "rules decide" in found.text


def test_eval_prints_the_tables_and_does_not_overwrite(run: Run, folder: Path, tmp_path: Path) -> None:
    file, questions = tmp_path / "gate.html", asked(folder, *QUESTIONS[:1])
    code, out, _ = run("eval", "--questions", questions, "--report", str(file))
    assert code == 0
    assert "1 of 1 right" in out
    assert "Budget frontier" in out
    assert f"report: {file}" in out
    file.write_text("mine", "utf-8")
    code, _, err = run("eval", "--questions", questions, "--report", str(file))
    assert code == InputError.exit_code
    assert "--force" in err
    assert file.read_text("utf-8") == "mine"
    assert run("eval", "--questions", questions, "--report", str(file), "--force")[0] == 0
    assert file.read_text("utf-8").startswith("<!doctype html>")


def test_eval_without_report_measures_no_gate(run: Run, folder: Path) -> None:
    data = json.loads(run("eval", "--questions", asked(folder, *QUESTIONS[:1]), "--json")[1])
    assert "report" not in data


def consultation() -> Row:
    answer = Answer("And now?", "", ("rest",), "answered", 0.8, Route("path"))
    return Row(Question("c", "And now?", ("rest",), profile=Path("profile.json")), answer, True)


def test_consultations_are_left_out_and_said_to_be(session: Session, tmp_path: Path) -> None:
    answer = session.agent.ask("Who founded Brightwater Labs?")
    row = Row(Question("f", "Who founded Brightwater Labs?", ("Orla Vance",)), answer, True)
    result = Result({}, lambda out: None)
    found = extended(session, EvaluationReport((row, consultation())), tmp_path / "a.html", result).data["report"]
    assert found["questions"] == 1
    assert any(note.startswith("1 questions of consultations are left out") for note in found["notes"])
    with pytest.raises(InputError, match="a gate decides on"):
        extended(session, EvaluationReport((consultation(),)), tmp_path / "b.html", result)
    assert not (tmp_path / "b.html").exists()


def test_a_calibrated_gate_has_a_frontier(run: Run, tmp_path: Path) -> None:
    names = "Alda Bering Calder Dorn Eklund Falk Grieg Hollis Ibsen Jansen Krog Lund Moen Norde Olsen Prytz Quist Roth".split()
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for i, name in enumerate(names):
            if i % 5:
                kg.add(f"{name} Works", "owned by", f"{name} Holding")
            kg.add(f"{name} Works", "located in", "Oslo")
    rows = [{"id": name, "question": f"Who owns {name} Works?", "answer": f"{name} Holding"} for name in names]
    rows += [{"id": f"{name} seat", "question": f"Where is {name} Works located?", "answer": "Oslo"} for name in names]
    questions, kg_ = asked(tmp_path / "kg", *rows), ("--kg", str(tmp_path / "kg"))
    assert run("train", "gate", "--asked", questions, *kg_)[0] == 0
    page_ = str(tmp_path / "gate.html")
    report = json.loads(run("eval", "--questions", questions, "--report", page_, "--json", *kg_)[1])["report"]
    assert report["mode"] == "shrunk"
    assert list(report["frontier"]) == ["hindsight", "gate", "gate with slack"]
    assert report["frontier"]["gate"][-1]["right"] > 0.8
    assert "frontier of the gate" not in report["absent"]
    assert {used["mode"] for used in report["usage"]} <= {"shrunk", "rule"}
    assert "not calibrated on" in report["notes"][0]
