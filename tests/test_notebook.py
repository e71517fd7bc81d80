"""What notebooks show: every value in each form, harmless; the commands; and the example, whose cells run again."""

from __future__ import annotations

import importlib.util
import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import hoptrace
import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.evaluate import Question, evaluate
from hoptrace.agents.interfaces.notebook import Desk, Paths, asked
from hoptrace.kg.errors import InputError, MissingPathError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.show import FACTS, MIME, ROWS, of_table
from hoptrace.retrieval.exact import shortest_paths

ROOT = Path(hoptrace.__file__).resolve().parent
QUESTION = "Where is the company founded by Orla Vance headquartered?"
EVIL = "<script>alert(1)</script> \x1b[2J\u202e ]]> | `x` $y$ <img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def check(value: Any) -> dict[str, Any]:
    """All forms of a value, none of which runs or fetches anything or needs anything else to be read."""
    forms: dict[str, Any] = value._repr_mimebundle_()
    assert set(forms) == {"text/plain", "text/html", "text/markdown", MIME}
    page = Tags(forms["text/html"])
    assert set(page.tags) <= set("div span table tr th td svg title g rect text line path circle polygon".split())
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "id", "class")]
    assert not [given for _, given in page.attributes if given and "url(" in given]
    ElementTree.fromstring(forms["text/html"])  # noqa: S314
    assert "<" not in forms["text/markdown"]
    assert not {"\x1b", "\u202e"} & set(forms["text/plain"] + forms["text/html"] + forms["text/markdown"])
    json.dumps(forms[MIME], allow_nan=False)
    return forms


@pytest.fixture
def evil(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "<b>.kg") as kg:
        kg.add(EVIL, EVIL, "Norland " + EVIL, note=EVIL)
        yield kg


def test_an_answer_is_shown_with_paths_and_quotes(agent: Agent) -> None:
    answer = agent.ask(QUESTION)
    forms = check(answer)
    assert forms[MIME] == answer.to_dict()
    for part in ("Tarn City", "✓ verified", answer.citations[0].quote):
        assert part in forms["text/plain"]
        assert part in Tags(forms["text/html"]).text
    assert forms["text/html"].count("<svg") == len(answer.paths)


def test_an_abstention_is_shown_too(agent: Agent) -> None:
    assert "abstained" in check(agent.ask("What is the capital of Norland?"))["text/plain"]


def test_a_graph_is_shown_in_part_and_says_so(harbour: KnowledgeGraph, tmp_path: Path) -> None:
    forms = check(harbour)
    assert f"{harbour.stats()['triples']} triples" in forms["text/plain"]
    assert len(forms[MIME]["facts"]) == min(FACTS, harbour.stats()["triples"])
    view = check(harbour.as_of("2015-01-01"))
    assert "on 2015-01-01" in view["text/plain"]
    with KnowledgeGraph.open(tmp_path / "empty.kg") as empty:
        assert "0 triples" in check(empty)["text/plain"]
        empty.add_frame([(f"node {i}", "leads to", f"node {i + 1}") for i in range(FACTS + 5)], "ring")
        forms = check(empty)
        assert f"first {FACTS} facts" in forms["text/plain"]
        assert len(forms[MIME]["facts"]) == FACTS


def test_hostile_labels_are_harmless_in_all_forms(evil: KnowledgeGraph) -> None:
    (triple,) = evil.triples()
    paths = shortest_paths(evil, triple.subject, evil.entity(triple.object.label))
    for value in (evil, evil.as_of("2020-01-01"), Paths(paths), paths[0], evil.sparql("SELECT * WHERE { ?s ?p ?o }")):
        assert "alert(1)" in Tags(check(value)["text/html"]).text


def test_hits_reports_and_query_results_are_shown(agent: Agent) -> None:
    hits = agent.retriever.passages(QUESTION, 2)
    assert hits[0].chunk.id == check(hits[0])[MIME]["chunk_id"]
    report = evaluate(agent, [Question("1", QUESTION, ("Tarn City",)), Question("2", EVIL, ())])
    forms = check(report)
    assert forms[MIME] == report.to_dict()
    assert str(report) in forms["text/plain"]
    check(agent.kg.sparql("ASK { ?s ?p ?o }"))
    assert f"the first {ROWS} are shown" in of_table(("n",), [(i,) for i in range(ROWS + 1)], "many").plain


def test_a_terminal_shows_the_plain_text(agent: Agent) -> None:
    pretty = pytest.importorskip("IPython.lib.pretty")
    paths = shortest_paths(agent.kg, agent.kg.entity("Orla Vance"), agent.kg.entity("Tarn City"))
    assert pretty.pretty(paths[0]) == str(paths[0])
    assert pretty.pretty(Paths(paths)) == "\n".join(map(str, paths))
    assert pretty.pretty([agent.kg]).startswith("[")
    assert "object at" not in pretty.pretty([agent.kg, agent.ask(QUESTION), agent.retriever.passages(QUESTION, 1)])


# ---- commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(own_harbour: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("HOPTRACE_KG", str(own_harbour.path))
    own_harbour.close()
    desk = Desk()
    yield desk
    desk.session.close()


def test_the_commands_give_python_values(desk: Desk, tmp_path: Path) -> None:
    answer = desk.ask(QUESTION)
    assert answer.answers == ("Tarn City",)
    assert desk.session.answers.get()["question"] == QUESTION  # as `hoptrace why` will find it
    assert desk.ask("Who is the chief executive of Brightwater Labs? --as-of 2015-01-01").answers == ("Orla Vance",)
    assert str(desk.path("Orla Vance -> Tarn City")[0]).startswith("Orla Vance")
    assert desk.sparql("", "ASK { ?s ?p ?o }").rows == (("true",),)
    with pytest.raises(InputError, match="START -> END"):
        desk.path("Orla Vance")
    with pytest.raises(MissingPathError):
        desk.open(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("%hop Who is it?\n", "get_ipython().run_line_magic('hop', 'Who is it?')\n"),
        ("  answer = %hop Whose's it?  \n", "  answer = get_ipython().run_line_magic('hop', \"Whose's it?\")\n"),
        ("%hop Who was it? --as-of 2020-01-01\n", None),
        ("%hop_path A -> B?\n", None),
        ("print('%hop a?')\n", None),
    ],
)
def test_a_question_mark_is_no_call_for_help(line: str, made: str | None) -> None:
    assert asked([line]) == [made or line]
    assert asked(["%%writefile x\n", line]) == ["%%writefile x\n", line]


def test_the_extension_loads_into_a_shell(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    shells = pytest.importorskip("IPython.core.interactiveshell")
    shell = shells.InteractiveShell()
    try:
        hoptrace.load_ipython_extension(shell)
        assert shell.run_cell(f"found = %hop {QUESTION}\nfound.answers").result == ("Tarn City",)
        assert shell.run_cell("%%sparql\nASK { ?s ?p ?o }").result.columns == ("answer",)
        shell.run_cell("%hop_path Nobody -> Tarn City")
        assert "UsageError" in "".join(capsys.readouterr())
    finally:
        shell.run_cell("%hop_kg elsewhere")
        shells.InteractiveShell.clear_instance()


# ---- the example -------------------------------------------------------------------------------------------------


def shown(book: Any) -> list[Any]:
    """What the cells say and show, without what differs from run to run."""
    return [[cell["cell_type"], cell["source"], [_shown(output) for output in cell.get("outputs", ())]] for cell in book["cells"]]


def _shown(output: Any) -> Any:
    return output.get("data", {}).get("text/plain", output.get("text", output.get("evalue")))


@pytest.mark.skipif(os.name == "nt", reason="the kernel is started by a POSIX path")
def test_the_example_shows_what_it_showed() -> None:
    nbformat = pytest.importorskip("nbformat")
    for module in ("nbclient", "ipykernel", "pandas", "pyarrow", "openpyxl"):
        pytest.importorskip(module)
    spec = importlib.util.spec_from_file_location("example", ROOT / "docs" / "notebook.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    committed = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    made = example.make()
    assert shown(made) == shown(committed)
    forms = [
        output["data"] for cell in committed.cells for output in cell.get("outputs", ()) if "text/html" in output.get("data", {})
    ]
    assert len(forms) >= 5
    assert "<script" not in json.dumps(forms)
