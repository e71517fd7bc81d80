"""RDF out: loss-free round trips, what rdflib reads of it, the live dataset view."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import rdflib
from hoptrace.kg import rdf
from hoptrace.kg.errors import InputError, ParseError, StorageError
from hoptrace.kg.exports.files import export
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Literal, Mention, Name, text_hash
from hoptrace.kg.rdf_export import data_quads, label_quads, rdflib_term
from hoptrace.kg.rdf_vocabulary import HT, MINTED

PROSE = 'Orla Vance ("Orla")\r\nfounded Brightwater Labs in 1998\u2028\\ and\tleft in 2004. She owns é😀 Ltd.\n'
TURTLE = """\
@prefix : <http://example.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Brightwater rdfs:label "Brightwater Labs" ; :site [ :city "Bergen"@no ; :floor 02 ] .
<http://example.org/odd%20iri> :p "x"^^:mine .
"""


def documents(tmp_path: Path) -> list[tuple[Document, list[tuple[int, int, str]]]]:
    orla, labs = Name("Orla Vance", "person", aliases=("Ms Vance", "Orla")), Name("Brightwater Labs", "company")
    where = PROSE.index("She")
    facts = (
        Fact(orla, "founded", labs, 0, where, "rules", 0.8, valid_from=date(1998, 1, 1), valid_to=date(2004, 1, 1)),
        Fact(orla, "was founded in", Literal("1998", "gYear"), 0, where, "rules", 0.1),
        Fact(Name("Orla Vance"), "owns", Name("é😀 Ltd"), where, len(PROSE), "model-1", 0.5),
    )
    mentions = (Mention(orla, 0, 10), Mention(Name("Orla"), 13, 17))
    prose = Document("notes/a b.txt", "text/plain", PROSE, text_hash(PROSE), "Notes", facts=facts, mentions=mentions)
    path = tmp_path / "facts.ttl"
    path.write_text(TURTLE, encoding="utf-8")
    (graph,) = rdf.load(path, "facts.ttl")
    empty = Document("empty.txt", "text/plain", "nothing here", text_hash("nothing here"))
    return [
        (prose, [(0, where, "text"), (where, len(PROSE), "text")]),
        (graph, [(0, 90, "records"), (90, len(graph.text), "records")]),
        (empty, [(0, 12, "text")]),
    ]


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "my.kg") as kg:
        for document, cuts in documents(tmp_path):
            kg.write_document(document, cuts)
        kg.add("Orla Vance", "lives in", "Bergen", note="said on the phone")
        kg.add("Orla Vance", "lives in", "Oslo")
        wrong = kg.add("Orla Vance", "chairs", "Nothing Ltd")
        kg.add("Orla V.", "lives in", "Oslo")
        kg.merge("Orla V.", "Orla Vance")
        kg.split("Bergen", "Oslo")
        kg.retract(wrong.id)
        kg.audit(next(triple.id for triple in kg.triples(relation="owns")), "audited")
        with kg.store.writing() as writer:
            writer.set_functional("lives in", True)
            writer.note("edit", "functional", {})
        yield kg


@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_an_export_restores_to_the_same_content(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    path = export(kg, tmp_path / f"out.{suffix}")
    with KnowledgeGraph.open(tmp_path / "again.kg") as again:
        assert rdf.restore(again, path) == 7
        assert again.content_hash() == kg.content_hash()
        assert again.store.marks() == kg.store.marks()
        assert {triple.id: triple.status for triple in again.triples()} == {triple.id: triple.status for triple in kg.triples()}
        assert {relation.label for _, relation in again.store.relations() if relation.functional} == {"lives in"}
        assert export(again, tmp_path / f"again.{suffix}").stat().st_size == path.stat().st_size


@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_loading_an_export_gives_the_documents_it_was_made_from(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    path = export(kg, tmp_path / f"out.{suffix}")
    loaded = {document.uri: document for document in rdf.load(path, path.name)}
    for document, _ in documents(tmp_path):
        again = loaded[document.uri]
        assert again.text == document.text
        assert (again.media_type, again.sha256, again.title, again.kind) == (
            document.media_type,
            document.sha256,
            document.title,
            document.kind,
        )
        assert sorted(map(repr, again.facts)) == sorted(map(repr, document.facts))


@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_rdflib_reads_the_same_quads(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    path = export(kg, tmp_path / f"out.{suffix}")
    read = rdflib.Dataset().parse(path, format={"nq": "nquads", "trig": "trig"}[suffix])
    ours = {(s.subject, s.predicate, s.graph) for s in rdf.read_statements(path, path.name)}
    assert len(list(read.quads())) == len({s[:4] for s in rdf.read_statements(path, path.name)})
    named = {(str(s), str(p), str(g)) for s, p, _, g in read.quads() if isinstance(s, rdflib.URIRef)}
    assert named == {(str(s), str(p), str(g)) for s, p, g in ours if isinstance(s, rdf.Iri)}


def test_a_changed_export_is_refused(kg: KnowledgeGraph, tmp_path: Path) -> None:
    path = export(kg, tmp_path / "out.nq")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("nothing here", "nothing hear"), encoding="utf-8")
    with pytest.raises(ParseError, match="not those it was exported with"):
        list(rdf.load(path, "out.nq"))
    start = next(line for line in text.splitlines() if f"{HT}start" in line and "/fact/" in line)
    path.write_text(text.replace(start, start.replace('"0"', '"1"').replace('"53"', '"54"')), encoding="utf-8")
    with pytest.raises(ParseError, match="quote"):
        list(rdf.load(path, "out.nq"))


@pytest.mark.parametrize(("suffix", "format"), [("nt", "nt"), ("ttl", "turtle"), ("jsonld", "json-ld"), ("rdf", "xml")])
def test_plain_formats_hold_the_statements(kg: KnowledgeGraph, tmp_path: Path, suffix: str, format: str) -> None:
    path = export(kg, tmp_path / f"out.{suffix}")
    read = rdflib.Graph().parse(path, format=format)
    assert len(read) == len(rdflib.Graph().parse(export(kg, tmp_path / "x.nt"), format="nt"))
    facts = {(fact.subject.label, fact.relation, fact.object.label) for d in rdf.load(path, path.name) for fact in d.facts}
    assert ("Orla Vance", "founded", "Brightwater Labs") in facts


def test_plain_names_come_back_as_plain_names(kg: KnowledgeGraph, tmp_path: Path) -> None:
    (document,) = rdf.load(export(kg, tmp_path / "out.nt"), "out.nt")
    fact = next(fact for fact in document.facts if fact.relation == "founded")
    assert (fact.subject.iri, fact.relation_iri) == ("", "")
    assert "statements only" in document.text.splitlines()[0]


def test_the_live_dataset_equals_a_copy_for_every_pattern(kg: KnowledgeGraph) -> None:
    copy = rdflib.Dataset(default_union=True)
    labels = (quad for quad in label_quads(kg) if quad.predicate.endswith("#label") and quad.subject.startswith(MINTED))
    for subject, predicate, target, graph in itertools.chain(data_quads(kg), labels):
        copy.add((rdflib_term(subject), rdflib_term(predicate), rdflib_term(target), rdflib_term(graph)))
    live = rdf.to_dataset(kg)
    assert set(live) == set(copy)
    assert {graph.identifier for graph in live.graphs()} >= {graph.identifier for graph in copy.graphs() if len(graph)}
    for subject, predicate, target, graph in copy.quads():
        for mask in itertools.product((True, False), repeat=3):
            pattern = tuple(term if keep else None for term, keep in zip((subject, predicate, target), mask, strict=True))
            assert sorted(live.triples(pattern)) == sorted(copy.triples(pattern))
            assert set(live.graph(graph).triples(pattern)) == set(copy.graph(graph).triples(pattern))
    nowhere = rdflib.URIRef("http://nowhere.invalid/")
    assert list(live.triples((nowhere, None, None))) == []
    assert list(live.triples((None, nowhere, None))) == []
    assert list(live.triples((None, None, rdflib.Literal("nowhere")))) == []


def test_the_live_dataset_follows_the_store_and_cannot_be_written(kg: KnowledgeGraph) -> None:
    live = rdf.to_dataset(kg)
    before = len(set(live))
    kg.add("Orla Vance", "chairs", "Quay Ltd")
    assert len(set(live)) > before
    triple = (rdflib.URIRef("http://e/a"), rdflib.URIRef("http://e/p"), rdflib.Literal("x"))
    with pytest.raises(InputError, match="view"):
        live.add(triple)
    with pytest.raises(InputError, match="view"):
        live.remove((None, None, None))


def test_a_file_that_cannot_be_written_leaves_nothing(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        export(kg, tmp_path / "no" / "such" / "out.nq")
    assert not list(tmp_path.glob(".*.part"))
