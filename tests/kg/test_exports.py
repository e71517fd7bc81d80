"""Every format is read again by the library it is for, with labels that would break or attack it."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import networkx as nx
import pytest
import rdflib
from hoptrace.kg.errors import InputError, StorageError, UnsupportedFormatError
from hoptrace.kg.exports import FORMATS, RDF
from hoptrace.kg.exports.diagrams import MAX_EDGES, MAX_NODES
from hoptrace.kg.exports.files import export
from hoptrace.kg.exports.tables import FACTS
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Hop, Literal, Name, text_hash
from hoptrace.kg.model import Path as Chain
from hoptrace.kg.safe_text import XLSX_LIMIT, cell, clean, dot, markup, mermaid, one_line, short, xlsx, xml_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "\x1b[2J\x1b]0;owned\x07red",
    "nul\x00bell\x07vt\x0b",
    "\u202egnp.exe\u2066",
    "quote\" apostrophe' back\\slash `tick`",
    "line one\nline two\r\nthree\rfour",
    "]]> & &amp; <!-- --> <![CDATA[",
    "emoji 👩\u200d🔬 😀",
    "x" * 40_000,
    "end; drop | pipe, comma; #quot; %% %n \\N",
    "\ufffe\uffff#N/A",
    "#REF!",
    "</svg><svg onload=alert(1)>",
    'a"] --> evil["b',
    "  spaces  ",
)
LABELS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30).filter(lambda text: text.strip() != "")
SLOW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def write(kg: KnowledgeGraph, labels: list[str], uri: str = "hostile.txt") -> None:
    """A ring of facts through all labels, each label a relation and a value too."""
    lines, facts, start = [], [], 0
    for label, following in zip(labels, [*labels[1:], labels[0]]):
        line = f"{label} {label} {following}"
        for target in (Name(following), Literal(label)):
            facts.append(Fact(Name(label), label, target, start, start + len(line)))
        lines.append(line)
        start += len(line) + 1
    text = "\n".join(lines) + "\n"
    document = Document(uri, "text/plain", text, text_hash(text), records=True, facts=tuple(facts))
    kg.write_document(document, [(0, len(text), "records")])


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path_factory.mktemp("exports") / "my.kg") as kg:
        write(kg, list(HOSTILE))
        yield kg


def labels(kg: KnowledgeGraph) -> dict[str, str]:
    """Label by node id, as the store has it."""
    return {node.id: node.label for triple in kg.triples() for node in (triple.subject, triple.object)}


def edges(kg: KnowledgeGraph) -> dict[str, tuple[str, str, str]]:
    return {triple.id: (triple.subject.id, triple.relation.label, triple.object.id) for triple in kg.triples()}


# ---- graphs ------------------------------------------------------------------------------------------------------


def read_graph(kg: KnowledgeGraph, folder: Path, suffix: str) -> nx.MultiDiGraph:
    path = kg.export(folder / f"g.{suffix}")
    if suffix == "graphml":
        return nx.read_graphml(path, force_multigraph=True)
    if suffix == "gexf":
        return nx.MultiDiGraph(nx.read_gexf(path))
    return nx.cytoscape_graph(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("suffix", ["graphml", "gexf", "cyjs"])
def test_graphs_are_read_back_with_their_labels(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    held = (lambda text: text) if suffix == "cyjs" else xml_text
    read = read_graph(kg, tmp_path, suffix)
    assert {node: data["label"] for node, data in read.nodes(data=True)} == {n: held(label) for n, label in labels(kg).items()}
    found = {data["triple_id"]: (s, data["relation"], o) for s, o, data in read.edges(data=True)}
    assert found == {key: (s, held(relation), o) for key, (s, relation, o) in edges(kg).items()}
    some = next(iter(read.edges(data=True)))[2]
    assert isinstance(some["confidence"], float)
    assert isinstance(some["chunks"] if suffix == "cyjs" else json.loads(some["chunks"]), list)


@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_quads_are_read_back_with_their_labels(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    read = rdflib.Dataset().parse(kg.export(tmp_path / f"g.{suffix}"), format={"nq": "nquads", "trig": "trig"}[suffix])
    found = {str(target) for _, _, target, _ in read.quads((None, rdflib.RDFS.label, None, None))}
    assert {entity.label for entity in kg.entities()} <= found


# ---- tables ------------------------------------------------------------------------------------------------------


def test_no_cell_of_a_csv_file_is_a_formula(kg: KnowledgeGraph, tmp_path: Path) -> None:
    rows = list(csv.DictReader(kg.export(tmp_path / "g.csv").open(encoding="utf-8", newline="")))
    assert {row["subject"] for row in rows} == {cell(label) for label in HOSTILE}
    assert not [row for row in rows for value in row.values() if value[:1] in "=@\t\r" and value]
    plain = list(csv.DictReader(kg.export(tmp_path / "m.csv", machine=True).open(encoding="utf-8", newline="")))
    assert {row["subject"] for row in plain} == set(HOSTILE)


def test_a_workbook_holds_texts_and_says_what_it_cut(kg: KnowledgeGraph, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(kg.export(tmp_path / "g.xlsx"))
    assert book.sheetnames == ["facts", "sources", "entities"]
    header, *rows = list(book["facts"].iter_rows())
    assert [one.value for one in header] == [*FACTS, "cut"]
    assert not [one for sheet in book for row in sheet.iter_rows() for one in row if one.data_type in ("f", "e")]
    held = {xlsx(label)[0] for label in HOSTILE}
    assert {row[0].value for row in rows} == held
    notes = [row[-1].value for row in rows if row[0].value == "x" * XLSX_LIMIT]
    assert notes
    assert all("subject: 40000 characters" in note for note in notes)
    assert {row[1].value for row in book["entities"].iter_rows(min_row=2)} == held


def test_neo4j_files_have_one_record_per_line(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with zipfile.ZipFile(kg.export(tmp_path / "g.zip")) as archive:
        texts = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    nodes, relationships = (list(csv.DictReader(io.StringIO(texts[f"{name}.csv"]))) for name in ("nodes", "relationships"))
    assert {row[":ID"]: row["label"] for row in nodes} == {node: one_line(label) for node, label in labels(kg).items()}
    assert {row[":LABEL"] for row in nodes} == {"Entity", "Literal"}
    known = {row[":ID"] for row in nodes}
    for row in relationships:
        assert {row[":START_ID"], row[":END_ID"]} <= known
        assert row[":TYPE"]
    assert {row["triple_id"] for row in relationships} == set(edges(kg))
    assert texts["nodes.csv"].count("\n") == len(nodes) + 1


# ---- pictures ----------------------------------------------------------------------------------------------------

MERMAID = re.compile(r'  ([el][0-9a-f]{16})(?:\["([^"\x00-\x1f]*)"\]| -->\|"([^"\x00-\x1f]*)"\| ([el][0-9a-f]{16}))')
DOT = re.compile(r'  ([el][0-9a-f]{16})(?: -> ([el][0-9a-f]{16}))? \[label="((?:[^"\\\x00-\x1f]|\\["\\])*)"(?:, shape=\w+)?\];')


def unescaped(text: str) -> str:
    """What Mermaid shows of a label."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


def test_mermaid_keeps_to_its_grammar(kg: KnowledgeGraph, tmp_path: Path) -> None:
    head, comment, *lines = kg.export(tmp_path / "g.mmd").read_text("utf-8").splitlines()
    assert (head, comment) == ("flowchart LR", f"%% {len(edges(kg))} facts")
    found = [MERMAID.fullmatch(line) for line in lines]
    assert all(found)
    shown = {one[1]: unescaped(one[2]) for one in found if one and one[2] is not None}
    assert shown == {node: short(label) for node, label in labels(kg).items()}
    assert sum(one[4] is not None for one in found if one) == len(edges(kg))


def test_dot_keeps_to_its_grammar(kg: KnowledgeGraph, tmp_path: Path) -> None:
    lines = kg.export(tmp_path / "g.dot").read_text("utf-8").split("\n")
    assert (lines[:2], lines[-2:]) == (["digraph hoptrace {", "  rankdir=LR;"], ["}", ""])
    found = [DOT.fullmatch(line) for line in lines[2:-2]]
    assert all(found)
    shown = {one[1]: re.sub(r"\\(.)", r"\1", one[3]).replace("&amp;", "&") for one in found if one and one[2] is None}
    assert shown == {node: short(label) for node, label in labels(kg).items()}


SVG = "{http://www.w3.org/2000/svg}"


def parsed(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_bytes())  # noqa: S314


def check_svg(root: ElementTree.Element) -> None:
    """Only shapes and text, and no attribute that runs or loads anything."""
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "title", "g", "rect", "text", "line", "path", "circle", "polygon"}
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name or name == "style"]


class Page(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def check_page(text: str) -> Page:
    page = Page(text)
    assert not {"script", "iframe", "img", "object", "embed", "form", "a", "link"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    return page


def test_a_picture_of_the_graph_is_svg_without_script(kg: KnowledgeGraph, tmp_path: Path) -> None:
    root = parsed(kg.export(tmp_path / "g.svg"))
    check_svg(root)
    titles = {element.text or "" for element in root.iter(f"{SVG}title")}
    assert {short(label, 300) for label in labels(kg).values()} <= titles


def test_a_page_of_the_graph_stands_alone(kg: KnowledgeGraph, tmp_path: Path) -> None:
    page = check_page(kg.export(tmp_path / "g.html").read_text("utf-8"))
    assert {short(label, 300) for label in HOSTILE} <= set(page.texts)
    assert page.tags.count("tr") == len(edges(kg)) + 1


@pytest.mark.parametrize("suffix", FORMATS[len(RDF) :])
def test_paths_are_exported_alone(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    first = next(triple for triple in kg.triples() if triple.subject.label.startswith("<script"))
    second = next(t for t in kg.triples() if t.subject.id == first.object.id)
    path = kg.export(tmp_path / f"p.{suffix}", paths=[Chain((Hop(first), Hop(second))), Chain((Hop(first, -1),))])
    if suffix == "svg":
        root = parsed(path)
        check_svg(root)
        assert len(root.findall(f"{SVG}g")) == 2
    elif suffix == "html":
        assert check_page(path.read_text("utf-8")).tags.count("tr") == 3
    elif suffix in ("graphml", "gexf", "cyjs"):
        assert f'"{first.id}"' in path.read_text("utf-8")
        assert path.read_text("utf-8").count('"source"' if suffix == "cyjs" else "<edge ") == 2
    assert path.stat().st_size > 0


def test_rdf_is_of_the_whole_graph(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="whole graph"):
        kg.export(tmp_path / "p.nq", paths=[])


def test_a_large_graph_is_drawn_in_part_and_says_so(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "large.kg") as kg:
        write(kg, [f"node {number}" for number in range(MAX_NODES + 30)])
        for suffix in ("mmd", "svg", "html"):
            text = kg.export(tmp_path / f"g.{suffix}").read_text("utf-8")
            assert re.search(rf"\d+ of {2 * (MAX_NODES + 30)} facts: those of the busiest nodes", text)
        lines = (tmp_path / "g.mmd").read_text("utf-8").splitlines()
        assert MAX_NODES / 2 < sum(" -->|" in line for line in lines) <= MAX_EDGES
        assert kg.export(tmp_path / "g.dot").read_text("utf-8").count(" -> ") == 2 * (MAX_NODES + 30)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_graph_is_a_file_too(tmp_path: Path, suffix: str) -> None:
    with KnowledgeGraph.open(tmp_path / "empty.kg") as kg:
        assert kg.export(tmp_path / f"g.{suffix}").is_file()


@pytest.mark.parametrize("suffix", ["nq", "trig", "nt", "graphml", "gexf", "cyjs", "json", "csv", "mmd", "dot", "svg", "html"])
def test_an_export_is_the_same_again(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    first, second = (kg.export(tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second


def test_an_unknown_format_and_a_missing_folder_leave_nothing(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="graphml gexf"):
        export(kg, tmp_path / "g.docx")
    with pytest.raises(StorageError):
        export(kg, tmp_path / "no" / "g.xlsx")
    assert not list(tmp_path.iterdir())


# ---- any label ---------------------------------------------------------------------------------------------------


@SLOW
@given(names=st.lists(LABELS, min_size=2, max_size=4, unique=True))
def test_any_label_survives_in_graphs(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    with KnowledgeGraph.open(folder / "my.kg") as kg:
        write(kg, names)
        stored = labels(kg)
        for suffix, held in (("graphml", xml_text), ("gexf", xml_text), ("cyjs", str)):
            read = read_graph(kg, folder, suffix)
            assert {node: data["label"] for node, data in read.nodes(data=True)} == {n: held(text) for n, text in stored.items()}
        check_svg(parsed(kg.export(folder / "g.svg")))
        check_page(kg.export(folder / "g.html").read_text("utf-8"))


@given(text=st.text(max_size=60))
def test_any_text_is_harmless_where_it_goes(text: str) -> None:
    assert clean(text) == clean(clean(text))
    element = ElementTree.fromstring(f"<a b='{markup(text)}'>{markup(text)}</a>")  # noqa: S314
    assert (element.text or "") == clean(text)
    assert not re.match(r"[=+\-@\t\r](?!\d)", cell(text))
    assert re.fullmatch(r'"(?:[^"\\\x00-\x1f]|\\["\\])*"', dot(text))
    assert re.fullmatch(r'"[^"<>`\\\x00-\x1f]*"', mermaid(text))
    assert unescaped(mermaid(text)[1:-1]) == short(text)
    assert len(short(text, 10)) <= 10


@given(text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20), times=st.integers(1, 4000))
def test_a_cell_is_cut_where_a_spreadsheet_would(text: str, times: int) -> None:
    held, length = xlsx(text * times)
    assert len(held.encode("utf-16-le")) // 2 <= XLSX_LIMIT
    assert xml_text(text * times).startswith(held)
    assert bool(length) == (held != xml_text(text * times))
