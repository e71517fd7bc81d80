"""Every format gives text that offsets point into, and the facts that its tables state."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hoptrace.kg.ingest import wire
from hoptrace.kg.ingest.jsonfile import parse
from hoptrace.kg.ingest.loaders import load
from hoptrace.kg.ingest.report import Issues
from hoptrace.kg.model import Document, Literal
from hypothesis import given
from hypothesis import strategies as st

DATASETS = Path(__file__).resolve().parents[2].parent / "shared" / "datasets"


def read(folder: Path, name: str, content: str | bytes) -> Document:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (document,) = load(path, name)
    return document


def stated(document: Document) -> set[tuple[str, str, str]]:
    return {(fact.subject.label, fact.relation, fact.object.label) for fact in document.facts}


def quotes(document: Document) -> set[str]:
    return {document.text[fact.start : fact.end] for fact in document.facts}


def test_text_keeps_the_characters_of_the_file(tmp_path: Path) -> None:
    content = "Füße\r\n\r\nSecond paragraph.\t\n"
    document = read(tmp_path, "a.txt", content)
    assert document.text == content
    assert document.title == "Füße"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Café Müller – 5 €".encode(encoding))
    issues = Issues()
    (document,) = load(path, "a.txt", issues)
    assert document.text == "Café Müller – 5 €"
    assert bool(issues.warnings) == (encoding == "cp1252")


CSV = """company,ceo,employees,founded,from,to
Tarn Marine,Orla Vance,"1,250",2011,2021-03-01,31 May 2023
Vell AS,,12,1999,2020,
"""


def test_csv_rows_become_facts_with_their_row_as_quote(tmp_path: Path) -> None:
    document = read(tmp_path, "firms.csv", CSV)
    assert document.records
    assert stated(document) == {
        ("Orla Vance", "chief executive of", "Tarn Marine"),
        ("Tarn Marine", "employees", "1250"),
        ("Tarn Marine", "founded in", "2011"),
        ("Vell AS", "employees", "12"),
        ("Vell AS", "founded in", "1999"),
    }
    assert quotes(document) == set(CSV.splitlines()[1:])
    first = next(fact for fact in document.facts if fact.object.label == "2011")
    assert first.object == Literal("2011", "gYear")
    # Until 31 May 2023 inclusive is, half-open, until 1 June.
    assert (first.valid_from, first.valid_to) == (date(2021, 3, 1), date(2023, 6, 1))
    assert {fact.subject.type for fact in document.facts if fact.relation == "employees"} == {"organization"}


def test_csv_of_triples_is_read_as_it_is(tmp_path: Path) -> None:
    content = "subject,relation,object,valid_from,valid_to\nOrla Vance,chairs,Tarn Marine,2021-01-01,2022-01-01\n"
    (fact,) = read(tmp_path, "facts.csv", content).facts
    assert (fact.subject.label, fact.relation, fact.object.label) == ("Orla Vance", "chairs", "Tarn Marine")
    assert (fact.valid_from, fact.valid_to) == (date(2021, 1, 1), date(2022, 1, 1))


def test_a_quoted_newline_stays_in_its_row(tmp_path: Path) -> None:
    content = 'name;note\n"Tarn";"two\nlines"\nVell;one\n'
    document = read(tmp_path, "a.csv", content)
    assert quotes(document) == {'"Tarn";"two\nlines"', "Vell;one"}


def test_roles_jobs_and_events_state_the_relations_of_prose(tmp_path: Path) -> None:
    officers = read(tmp_path, "officers.tsv", "person\trole\torganisation\tsince\nOrla Vance\tCEO\tTarn Marine\t2021\n")
    assert stated(officers) == {("Orla Vance", "chief executive of", "Tarn Marine")}
    fines = read(tmp_path, "fines.csv", "date,authority,company,amount\n2023-03-14,Port Office,Tarn Marine,500\n")
    assert ("Port Office", "fined", "Tarn Marine") in stated(fines)
    assert ("Tarn Marine", "fine amount", "500") in stated(fines)
    holdings = read(tmp_path, "holdings.csv", "owner,company,share\nVell AS,Tarn Marine,51 %\n")
    assert ("Vell AS", "owns", "Tarn Marine") in stated(holdings)


def test_former_names_are_aliases(tmp_path: Path) -> None:
    document = read(tmp_path, "a.csv", "name,former name,city\nTarn Marine,Tarn Lines,Port Ellund\n")
    assert document.facts[0].subject.aliases == ("Tarn Lines",)


def test_markdown_tables_and_pairs_are_about_their_heading(tmp_path: Path) -> None:
    content = (
        "# Tarn Marine: company profile\n\nProse here.\n\n| Port | Country |\n|---|---|\n| **Port Ellund** | [Merrow](x) |\n\n"
        "## Key figures\n\n- Revenue: EUR 41.2 million\n- Chair: Orla Vance\n\n"
        "## Results\n\n| Year | Profit |\n|------|-------:|\n| 2022 | 5.1 |\n"
    )
    document = read(tmp_path, "a.md", content)
    assert stated(document) == {
        ("Port Ellund", "country", "Merrow"),
        ("Tarn Marine", "revenue", "EUR 41.2 million"),
        ("Orla Vance", "chair of", "Tarn Marine"),
        ("Tarn Marine", "profit", "5.1"),
    }
    assert "| **Port Ellund** | [Merrow](x) |" in quotes(document)
    profit = next(fact for fact in document.facts if fact.relation == "profit")
    assert (profit.valid_from, profit.valid_to) == (date(2022, 1, 1), date(2023, 1, 1))


def test_a_letterhead_states_nothing(tmp_path: Path) -> None:
    assert not read(tmp_path, "a.txt", "Memo\n\nTo: Orla Vance\nFrom: Jon Vell\nSubject: fines\n\nText.").facts


def test_html_is_what_a_reader_sees(tmp_path: Path) -> None:
    content = (
        "<!DOCTYPE html><html><head><title>News</title><style>x{}</style><script>var a = '<p>no</p>';</script></head><body>"
        "<nav>menu</nav><h1>Tarn &amp; Sons</h1><p>One <b>bold</b>\n line.</p><ul><li>first<li>second</ul>"
        "<table><tr><th>Company</th><th>Auditor</th></tr><tr><td>Tarn</td><td>Pell LLP</td></tr></table><p>End</body></html>"
    )
    document = read(tmp_path, "a.html", content)
    assert document.title == "News"
    assert document.text.split() == ("Tarn & Sons One bold line. first second Company | Auditor Tarn | Pell LLP End".split())
    assert stated(document) == {("Tarn", "audited by", "Pell LLP")}
    assert quotes(document) == {"Tarn | Pell LLP"}


def test_json_records_are_followed_into_nested_objects(tmp_path: Path) -> None:
    firm = {"name": "Tarn Marine", "seat": {"city": "Port Ellund"}, "brands": ["Aye", "Bee"], "listed": True}
    content = json.dumps({"companies": [firm]}, indent=1)
    document = read(tmp_path, "a.json", content)
    assert stated(document) == {
        ("Tarn Marine", "city", "Port Ellund"),
        ("Tarn Marine", "brands", "Aye"),
        ("Tarn Marine", "brands", "Bee"),
        ("Tarn Marine", "listed", "true"),
    }
    assert all(document.text[fact.start : fact.end].startswith("{") for fact in document.facts)


def test_jsonl_records_quote_their_line(tmp_path: Path) -> None:
    document = read(tmp_path, "a.jsonl", '{"s": "Tarn", "p": "owns", "o": "Vell"}\n{"name": "Vell", "city": "Ellund"}\n')
    assert stated(document) == {("Tarn", "owns", "Vell"), ("Vell", "city", "Ellund")}
    assert quotes(document) == set(document.text.splitlines())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1]))
def test_the_json_parser_agrees_with_the_standard_one(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)

    def plain(node) -> object:  # what json.loads gives, with scalars as their words
        if node.items is not None:
            return [plain(item) for item in node.items]
        if node.pairs is not None:
            return {key: plain(item) for key, item in node.pairs}
        return node.scalar

    expected = json.loads(text, parse_int=str, parse_float=str)
    words = {None: "", True: "true", False: "false"}
    flatten = lambda item: (  # noqa: E731
        [flatten(x) for x in item] if isinstance(item, list)
        else {k: flatten(v) for k, v in item.items()} if isinstance(item, dict)
        else item if isinstance(item, str) else words[item]
    )  # fmt: skip
    assert plain(parse(text, 0, len(text), "u")) == flatten(expected)


def test_head_relation_tail_lines(tmp_path: Path) -> None:
    document = read(tmp_path, "kb.txt", "Jack Frost|release_year|1998\nvell_as|owned_by|Tarn\n1941|has_genre|War\n")
    expected = {("Jack Frost", "release year", "1998"), ("vell as", "owned by", "Tarn"), ("1941", "has genre", "War")}
    assert stated(document) == expected
    assert quotes(document) == set(document.text.splitlines())
    assert document.facts[0].object == Literal("1998", "gYear")
    assert document.facts[1].subject.aliases == ("vell_as",)


def test_passages_with_their_triples(tmp_path: Path) -> None:
    (tmp_path / "passages.jsonl").write_text(
        '{"pid": "p1", "title": "Tarn", "text": "Tarn is a port. Orla Vance founded it."}\n'
        '{"pid": "p2", "title": "Vell", "sentences": ["Vell is old.", " It is small."]}\n'
    )
    (tmp_path / "triples.jsonl").write_text('{"pid": "p1", "s": "Orla Vance", "p": "founded", "o": "Tarn"}\n')
    first, second = load(tmp_path / "passages.jsonl", "d/passages.jsonl")
    assert (first.uri, first.title, first.text) == (
        "d/passages.jsonl#p1", "Tarn", "Tarn\nTarn is a port. Orla Vance founded it.",
    )  # fmt: skip
    assert second.text == "Vell\nVell is old. It is small."
    assert quotes(first) == {"Orla Vance founded it."}
    assert {first.text[m.start : m.end] for m in first.mentions} == {"Orla Vance"}


def test_pdf_docx_and_xlsx(tmp_path: Path) -> None:
    docx, fpdf, openpyxl = (pytest.importorskip(name) for name in ("docx", "fpdf", "openpyxl"))
    word = docx.Document()
    word.add_heading("Tarn Marine", 1)
    word.add_paragraph("Orla Vance chairs it.")
    table = word.add_table(2, 2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ["Company", "City", "Vell AS", "Ellund"]):
        cell.text = text
    word.save(str(tmp_path / "a.docx"))
    (document,) = load(tmp_path / "a.docx", "a.docx")
    assert document.title == "Tarn Marine"
    assert document.text.splitlines() == ["Tarn Marine", "", "Orla Vance chairs it.", "Company | City", "Vell AS | Ellund", ""]
    assert quotes(document) == {"Vell AS | Ellund"}

    pdf = fpdf.FPDF()
    for page in ("First page.", "Second page."):
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.cell(text=page)
    pdf.output(str(tmp_path / "a.pdf"))
    (document,) = load(tmp_path / "a.pdf", "a.pdf")
    assert document.text == "First page.\n\fSecond page."

    book = openpyxl.Workbook()
    for row in (["company", "founded", "listed"], ["Tarn", date(2011, 5, 4), True]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    (document,) = load(tmp_path / "a.xlsx", "a.xlsx")
    assert document.records
    assert stated(document) == {("Tarn", "founded in", "2011-05-04"), ("Tarn", "listed", "true")}


def test_rdf_goes_through_the_sandbox_unchanged(tmp_path: Path) -> None:
    from hoptrace.kg import rdf

    path = tmp_path / "a.ttl"
    date_type = "<http://www.w3.org/2001/XMLSchema#date>"
    path.write_text(f'@prefix e: <http://example.org/> .\ne:a e:owns e:b ; e:since "2011-05-04"^^{date_type} .\n')
    assert list(load(path, "a.ttl")) == list(rdf.load(path, "a.ttl"))


def test_documents_survive_the_wire(tmp_path: Path) -> None:
    document = read(tmp_path, "firms.csv", CSV)
    assert wire.unpack(json.loads(json.dumps(wire.pack(document)))) == document


@pytest.mark.parametrize("name", ["musique", "hotpotqa", "metaqa", "pathquestion"])
def test_dataset_folders(name: str) -> None:
    from hoptrace.kg.ingest.discover import discover

    folder = DATASETS / name
    if not folder.is_dir():
        pytest.skip("the shared datasets are not here")
    files, skipped = discover([folder], [folder])
    names = {uri for _, uri in files}
    assert names <= {"passages.jsonl", "kb.txt", "PQ-2H_kb.tsv", "PQ-3H_kb.tsv"}
    assert any("question" in line or "qa_" in line for line in skipped)
    for path, uri in files[:1]:
        document = next(load(path, uri))
        assert document.text
        assert all(document.text[fact.start : fact.end].strip() for fact in document.facts)
