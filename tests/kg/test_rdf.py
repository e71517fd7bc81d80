"""RDF files in: labels, terms, places, refusals. Export and round trips are in the second half."""

from __future__ import annotations

from pathlib import Path

import pytest
import rdflib
from hoptrace.kg import rdf
from hoptrace.kg.errors import MissingPathError, ParseError, UnsupportedFormatError
from hoptrace.kg.model import Document, Fact, Literal, Name
from hoptrace.kg.rdf_terms import Blank, Iri, resolve, write_term
from hypothesis import given, settings
from hypothesis import strategies as st

TURTLE = """\
@prefix : <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
# a comment with a dot . and a "quote
:worksFor rdfs:label "is employed by" .

:p1 a :BoardMember ;
    rdfs:label "Orla Vance" , "Orla la Grande"@fr ;
    skos:altLabel "O. Vance" ;
    :worksFor :Brightwater_Labs ;   # "not. a. string."
    :address [ :street "1 Quay Rd. #4" ; :floor 02 ] .
"""


def load(tmp_path: Path, name: str, text: str | bytes) -> Document:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (document,) = rdf.load(path, name)
    return document


def find(document: Document, relation: str) -> list[Fact]:
    return [fact for fact in document.facts if fact.relation == relation]


def test_every_triple_becomes_a_fact_with_readable_names(tmp_path: Path) -> None:
    document = load(tmp_path, "a.ttl", TURTLE)
    assert len(document.facts) == len(rdflib.Graph().parse(data=TURTLE, format="turtle"))
    assert document.records
    assert document.text == TURTLE
    (fact,) = find(document, "is employed by")
    assert fact.subject == Name("Orla Vance", "board member", "http://example.org/p1", ("Orla la Grande", "O. Vance"))
    assert fact.object == Name("Brightwater Labs", "", "http://example.org/Brightwater_Labs")
    assert fact.relation_iri == "http://example.org/worksFor"


def test_a_fact_points_at_its_whole_statement(tmp_path: Path) -> None:
    document = load(tmp_path, "a.ttl", TURTLE)
    statement = TURTLE[TURTLE.index(":p1") :].rstrip()
    for relation in ("is employed by", "address", "street"):
        (fact,) = find(document, relation)
        assert document.text[fact.start : fact.end] == statement


def test_a_long_statement_is_cited_by_its_parts(tmp_path: Path) -> None:
    objects = " ,\n  ".join(f":company{number}" for number in range(2000))
    document = load(tmp_path, "a.ttl", f"@prefix : <http://e/> .\n:hub :owns {objects} .\n")
    quotes = [document.text[fact.start : fact.end] for fact in document.facts]
    assert quotes[1999] == ":company1999"
    assert sum(map(len, quotes)) < 100_000  # and not 2,000 times the statement


def test_a_line_is_the_place_of_an_n_triple(tmp_path: Path) -> None:
    text = '# first\n<http://e/a> <http://e/p> "x\\ny" . # tail\r\n\n  <http://e/b> <http://e/p> <http://e/a> .\n'
    document = load(tmp_path, "a.nt", text)
    quotes = [document.text[fact.start : fact.end] for fact in document.facts]
    assert quotes == ['<http://e/a> <http://e/p> "x\\ny" . # tail', "<http://e/b> <http://e/p> <http://e/a> ."]
    assert document.facts[0].object == Literal("x\ny")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("01", Literal("01", "integer")),
        ("1.50", Literal("1.50", "decimal")),
        ("1e0", Literal("1e0", "double")),
        ("true", Literal("true", "boolean")),
        ('"2024-01-31"^^<http://www.w3.org/2001/XMLSchema#date>', Literal("2024-01-31", "date")),
        ('"x"^^<http://e/mine>', Literal("x", "http://e/mine")),
        ('"x"@en-GB', Literal("x", "string", "en-GB")),
        ("'''a\n'b'\"'''", Literal("a\n'b'\"")),
        ('"\\u00e9\\U0001F600"', Literal("é😀")),
    ],
)
def test_literals_keep_form_type_and_language(tmp_path: Path, written: str, read: Literal) -> None:
    (fact,) = load(tmp_path, "a.ttl", f"<http://e/a> <http://e/p> {written} .").facts
    assert fact.object == read


def test_blank_nodes_are_the_same_each_time_and_different_in_each_file(tmp_path: Path) -> None:
    text = "_:x <http://e/p> [ <http://e/q> _:x ] ."
    first, again, other = (load(tmp_path, name, text) for name in ("a.ttl", "a.ttl", "b.ttl"))
    assert first.facts == again.facts
    iris = {fact.subject.iri for fact in first.facts}
    assert len(iris) == 2
    assert iris.isdisjoint({fact.subject.iri for fact in other.facts})


def test_named_graphs_are_kept(tmp_path: Path) -> None:
    document = load(tmp_path, "a.trig", "PREFIX : <http://e/>\n:g { :a :p 1 . :b :p 2 }\n:c :p 3 .")
    assert [fact.graph for fact in document.facts] == ["http://e/g", "http://e/g", ""]
    assert document.text[document.facts[1].start : document.facts[1].end] == ":b :p 2"


RDF_XML = """\
<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/">
  <rdf:Description rdf:about="http://e/a">
    <e:count rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">007</e:count>
  </rdf:Description>
  <e:Ship rdf:about="b"><e:flag>NO</e:flag></e:Ship>
</rdf:RDF>
"""


def test_rdf_xml_points_at_the_element(tmp_path: Path) -> None:
    document = load(tmp_path, "a.rdf", RDF_XML)
    (count,), (flag,) = find(document, "count"), find(document, "flag")
    assert count.object == Literal("007", "integer")
    assert document.text[count.start : count.end].startswith('<rdf:Description rdf:about="http://e/a">')
    assert document.text[count.start : count.end].endswith("</rdf:Description>")
    assert document.text[flag.start : flag.end] == '<e:Ship rdf:about="b"><e:flag>NO</e:flag></e:Ship>'
    assert flag.subject == Name("b", "ship", "file:///b")


def test_json_ld_points_at_the_node_object(tmp_path: Path) -> None:
    text = '{"@graph": [\n {"@id": "http://e/a", "http://e/p": "x"},\n {"@id": "http://e/b", "http://e/p": {"@id": "http://e/a"}}\n]}'
    document = load(tmp_path, "a.jsonld", text)
    quotes = [document.text[fact.start : fact.end] for fact in document.facts]
    assert quotes == ['{"@id": "http://e/a", "http://e/p": "x"}', '{"@id": "http://e/b", "http://e/p": {"@id": "http://e/a"}}']


def test_one_long_line_of_json_ld_is_not_quoted_whole_for_every_fact(tmp_path: Path) -> None:
    values = ", ".join(f'"value number {number}"' for number in range(500))
    document = load(tmp_path, "a.jsonld", f'{{"@id": "http://e/a", "http://e/p": [{values}]}}')
    fact = next(fact for fact in document.facts if fact.object == Literal("value number 321"))
    quote = document.text[fact.start : fact.end]
    assert "value number 321" in quote
    assert len(quote) < len(document.text) / 4


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("cut.ttl", "@prefix : <http://e/> .\n:a :b\n", 3, "end of file"),
        ("prefix.ttl", "\n\n x:a x:b x:c .", 3, "undeclared prefix 'x'"),
        ("deep.ttl", "<http://e/a> <http://e/p> " + "[ <http://e/p> " * 20_000, 1, "nested deeper"),
        ("deep2.ttl", "<http://e/a> <http://e/p> " + "(" * 20_000, 1, "nested deeper"),
        ("bad.nt", "<http://e/a> <http://e/p> <http://e/b> .\n<a> <b>\n", 2, "not a statement"),
        ("quad.nt", "<http://e/a> <http://e/p> <http://e/b> <http://e/g> .", 1, "fourth term"),
        ("surrogate.nt", '<http://e/a> <http://e/p> "\\uD800" .', 1, "not a character"),
        ("bomb.rdf", BOMB, 1, "DOCTYPE"),
        ("deep.rdf", "<a>" * 5000, 1, "nested deeper"),
        ("cut.rdf", RDF_XML[:300], 6, "unclosed token"),
        ("not.rdf", '<x rdf:about="y"/>', 1, "prefix"),
        ("remote.jsonld", '{"@context": "http://127.0.0.1:9/c", "@id": "http://e/a"}', 0, "not fetched"),
        ("file.jsonld", '{"@context": [{}, "file:///etc/passwd"], "@id": "http://e/a"}', 0, "not fetched"),
        ("import.jsonld", '{"@context": {"p": {"@id": "http://e/p", "@context": {"@import": "c"}}}}', 0, "not fetched"),
        ("deep.jsonld", "[" * 100_000, 0, "nested too deep"),
        ("twice.jsonld", '{"@id": "http://e/a", "@id": "http://e/b"}', 0, "twice"),
        ("nan.jsonld", '{"http://e/p": NaN}', 0, "NaN"),
        ("odd.jsonld", '{"@id": "http://e/a", "@reverse": 7}', 0, "not JSON-LD"),
        ("latin.ttl", b'<http://e/a> <http://e/p> "caf\xe9" .', 1, "not utf-8"),
    ],
)
def test_what_cannot_be_read_is_a_parse_error_with_its_line(
    tmp_path: Path, name: str, text: str | bytes, line: int, reason: str
) -> None:
    with pytest.raises(ParseError) as caught:
        load(tmp_path, name, text)
    assert caught.value.line == line
    assert reason in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_foreign_files_have_their_own_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError):
        list(rdf.load(tmp_path / "none.ttl", "none.ttl"))
    with pytest.raises(UnsupportedFormatError, match=r"\.ttl"):
        list(rdf.load(tmp_path / "a.txt", "a.txt"))


@settings(max_examples=200, deadline=None)
@given(st.text("<>\"'.:;,@[](){}^_ab1\\\n#-+eE% "))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "a.trig"
    path.write_text("@prefix : <http://e/> .\n" + text, encoding="utf-8", newline="")
    try:
        (document,) = rdf.load(path, "a.trig")
    except ParseError:
        return
    assert all(0 <= fact.start < fact.end <= len(document.text) for fact in document.facts)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["string", "integer", "http://e/t"]))
def test_a_written_literal_is_read_back_by_us_and_by_rdflib(
    tmp_path_factory: pytest.TempPathFactory, value: str, datatype: str
) -> None:
    line = f"{write_term(Iri('http://e/a'))} {write_term(Iri('http://e/p'))} {write_term(Literal(value, datatype))} ."
    path = tmp_path_factory.mktemp("term") / "a.nt"
    path.write_text(line, encoding="utf-8", newline="")
    (document,) = rdf.load(path, "a.nt")
    assert document.facts[0].object == Literal(value, datatype)
    ((_, _, read),) = rdflib.Graph().parse(data=line, format="nt")
    assert str(rdflib.Literal(value, datatype=read.datatype)) == str(read)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reference", "resolved"),  # RFC 3986, 5.4.1 and 5.4.2
    [
        ("g:h", "g:h"),
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y#s", "http://a/b/c/g?y#s"),
        ("#s", "http://a/b/c/d;p?q#s"),
        ("", "http://a/b/c/d;p?q"),
        ("..", "http://a/b/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g..", "http://a/b/c/g.."),
        ("./g/.", "http://a/b/c/g/"),
        ("g;x=1/../y", "http://a/b/c/y"),
    ],
)
def test_references_resolve_as_the_standard_says(reference: str, resolved: str) -> None:
    assert resolve("http://a/b/c/d;p?q", reference) == resolved


def test_blank_labels_are_written_as_they_are() -> None:
    assert write_term(Blank("b0")) == "_:b0"
