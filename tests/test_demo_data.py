"""The packaged demo: the gold of its questions stands in its documents, and its binaries come from their sources."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
QUESTIONS: list[dict[str, Any]] = [json.loads(line) for line in (DEMO / "questions.jsonl").read_text("utf-8").splitlines()]
DOCUMENTS = sorted(path for path in (DEMO / "documents").rglob("*") if path.is_file())
TYPES = {"lookup", "chain", "list", "count", "compare", "as-of", "yes-no", "unanswerable"}
by_id = pytest.mark.parametrize("question", QUESTIONS, ids=[q["id"] for q in QUESTIONS])


def readable(source: str) -> str:
    """The text a person reads in a demo document; for a binary, the text it was made from."""
    path = DEMO / source
    if path.suffix in (".pdf", ".docx"):
        return (DEMO / "sources" / Path(source).relative_to("documents")).with_name(path.name + ".md").read_text("utf-8")
    text = path.read_text("utf-8")
    return pytest.importorskip("bs4").BeautifulSoup(text, "html.parser").get_text() if path.suffix == ".html" else text


def words(text: str) -> str:
    return " ".join(text.split())


@by_id
def test_question_is_complete(question: dict[str, Any]) -> None:
    assert question["type"] in TYPES
    assert question["question"].endswith(("?", "."))
    if question["type"] == "unanswerable":
        assert question["answer"] is None
        assert not question["answers"]
        assert not question["gold_path"]
        assert question["reason"]
    else:
        assert question["answers"]
        assert question["gold_path"]
        assert question["gold_spans"]
        assert all(len(hop) == 3 for hop in question["gold_path"])
    date.fromisoformat(question.get("as_of", "2024-12-31"))


@by_id
def test_gold_spans_stand_once_in_their_sources(question: dict[str, Any]) -> None:
    for span in question["gold_spans"]:
        assert readable(span["source"]).count(span["quote"]) == 1, span
        assert span["source"] in question["supporting_sources"]


@by_id
def test_supporting_sources_exist(question: dict[str, Any]) -> None:
    for source in question["supporting_sources"]:
        assert (DEMO / source).is_file(), source


@by_id
def test_every_name_of_a_gold_path_stands_in_a_supporting_source(question: dict[str, Any]) -> None:
    text = words(" ".join(readable(source) for source in question["supporting_sources"]))
    for subject, _, obj in question["gold_path"]:
        assert subject in text
        assert obj in text


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q["type"] == "chain"], ids=lambda q: q["id"])
def test_a_chain_hangs_together(question: dict[str, Any]) -> None:
    path = question["gold_path"]
    assert len(path) == question["hops"] == len(question["gold_spans"])
    for (first, _, second), (third, _, fourth) in itertools.pairwise(path):
        assert {first, second} & {third, fourth}
    assert question["answer"] in path[-1]
    assert question["answer"] not in question["question"]


@by_id
def test_answer_is_among_the_answers_or_lists_them(question: dict[str, Any]) -> None:
    if question["type"] == "list":
        assert all(item in question["answer"] for item in question["answers"])
    elif question["answer"] is not None:
        assert question["answer"] in question["answers"]


def test_the_mix_of_questions() -> None:
    kinds = Counter((q["type"], q["hops"]) if q["type"] == "chain" else q["type"] for q in QUESTIONS)
    least = {"lookup": 5, ("chain", 2): 9, ("chain", 3): 3, ("chain", 4): 1, "list": 3, "count": 2, "compare": 2, "as-of": 2}
    least |= {"yes-no": 2, "unanswerable": 5}
    assert all(kinds[kind] >= n for kind, n in least.items()), kinds
    assert {q["answer"] for q in QUESTIONS if q["type"] == "yes-no"} == {"yes", "no"}
    assert len({q["id"] for q in QUESTIONS}) == len({q["question"] for q in QUESTIONS}) == len(QUESTIONS) >= 30


def test_showcase_questions_are_two_and_three_hop_gold_questions() -> None:
    showcase = json.loads((DEMO / "showcase.json").read_text("utf-8"))
    hops = {q["question"]: q["hops"] for q in QUESTIONS}
    assert sorted({hops[text] for text in showcase}) == [2, 3]
    assert len(showcase) == 3


def test_documents_are_many_short_and_of_every_kind() -> None:
    assert 40 <= len(DOCUMENTS) <= 60
    assert {path.suffix for path in DOCUMENTS} == {".md", ".html", ".csv", ".pdf", ".docx", ".ttl", ".txt"}
    prose = [path for path in DOCUMENTS if path.suffix not in (".csv", ".ttl")]
    for path in prose:
        assert 50 <= len(readable(path.relative_to(DEMO).as_posix()).split()) <= 260, path.name


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if p.suffix == ".csv"], ids=lambda p: p.name)
def test_registers_are_rectangular_and_their_dates_are_dates(path: Path) -> None:
    header, *rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
    for row in rows:
        assert len(row) == len(header), row
        record = dict(zip(header, row, strict=True))
        days = [record[name] for name in ("date", "from", "to") if record.get(name)]
        assert days == sorted(date.fromisoformat(day).isoformat() for day in days), row


def test_vessel_register_parses_and_labels_every_object() -> None:
    rdflib = pytest.importorskip("rdflib")
    graph = rdflib.Graph().parse(DEMO / "documents" / "registers" / "vessels-and-ports.ttl")
    labelled = set(graph.subjects(rdflib.RDFS.label))
    ours = {o for o in graph.objects() if isinstance(o, rdflib.URIRef) and "ship-register" in o}
    assert ours
    assert ours <= labelled


def test_shares_of_a_company_never_exceed_the_whole() -> None:
    rows = list(csv.DictReader((DEMO / "documents/registers/shareholdings.csv").open(encoding="utf-8")))
    for day in {row["from"] for row in rows}:
        total: Counter[str] = Counter()
        for row in rows:
            if row["from"] <= day <= (row["to"] or "9999-12-31"):
                total[row["company"]] += int(row["share_percent"])
        assert max(total.values()) <= 100, (day, total)


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    pytest.importorskip("fpdf")
    pytest.importorskip("docx")
    spec = importlib.util.spec_from_file_location("demo_make_binaries", DEMO / "make_binaries.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_binaries_are_made_the_same_twice(maker: ModuleType, tmp_path: Path) -> None:
    once = [path.read_bytes() for path in maker.build(documents=tmp_path / "a")]
    assert once == [path.read_bytes() for path in maker.build(documents=tmp_path / "b")]
    assert len(once) == len([path for path in DOCUMENTS if path.suffix in (".pdf", ".docx")])


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if p.suffix in (".pdf", ".docx")], ids=lambda p: p.name)
def test_committed_binary_holds_the_words_of_its_source(path: Path) -> None:
    if path.suffix == ".pdf":
        pages = pytest.importorskip("pypdf").PdfReader(path).pages
        text = " ".join(page.extract_text() for page in pages)
    else:
        document = pytest.importorskip("docx").Document(str(path))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        text = " ".join([paragraph.text for paragraph in document.paragraphs] + cells)
    source = re.sub(r"^#+ |[|]|-{3,}", " ", readable(path.relative_to(DEMO).as_posix()), flags=re.MULTILINE)
    assert Counter(words(text).split()) == Counter(words(source).split())
