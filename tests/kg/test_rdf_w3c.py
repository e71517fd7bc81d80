"""The W3C suites of RDF 1.1 (Turtle, TriG, N-Triples, N-Quads) through our import: file -> facts -> quads.

rdflib is run over the same entries in the same test, as the yardstick that we may not fall below.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
import rdflib
from hoptrace.kg import rdf
from hoptrace.kg.errors import HoptraceError
from hoptrace.kg.model import Fact, Literal, Name
from rdflib.compare import isomorphic

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "datasets" / "rdf-tests" / "rdf" / "rdf11"
SUITES = {"rdf-turtle": "turtle", "rdf-trig": "trig", "rdf-n-triples": "nt", "rdf-n-quads": "nquads"}
MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
RDFT = "http://www.w3.org/ns/rdftest#"
UNNAMED = rdflib.URIRef("urn:x-test:default-graph")


class Case(NamedTuple):
    kind: str
    action: Path
    result: Path | None
    uri: str


def cases(suite: str) -> list[Case]:
    folder = ROOT / suite
    manifest = rdflib.Graph().parse(folder / "manifest.ttl", publicID="http://test.invalid/manifest.ttl")
    base = next(manifest.objects(None, MF.assumedTestBase), f"https://w3c.github.io/rdf-tests/rdf/rdf11/{suite}/")
    found = []
    for entry, action in manifest.subject_objects(MF.action):
        kind = next(str(t).removeprefix(RDFT) for t in manifest.objects(entry, rdflib.RDF.type) if str(t).startswith(RDFT))
        name = str(action).rsplit("/", 1)[1]
        result = manifest.value(entry, MF.result)
        expected = folder / str(result).rsplit("/", 1)[1] if result else None
        if (folder / name).exists() and (expected is None or expected.exists()):
            found.append(Case(kind, folder / name, expected, f"{base}{name}"))
    return found


def reified(quads: list[tuple[rdflib.term.Node, ...]]) -> rdflib.Graph:
    """Quads as one graph, so that blank nodes shared between named graphs are compared as shared."""
    graph = rdflib.Graph()
    for quad in set(quads):
        node = rdflib.BNode()
        for position, term in zip("spog", quad, strict=True):
            graph.add((node, rdflib.URIRef(f"urn:x-test:{position}"), term))
    return graph


def quad_of(fact: Fact) -> tuple[rdflib.term.Node, ...]:
    def node(iri: str) -> rdflib.term.Node:
        return rdflib.BNode(iri) if iri.startswith("_:") else rdflib.URIRef(iri)

    target = node(fact.object.iri) if isinstance(fact.object, Name) else plain(fact.object)
    return node(fact.subject.iri), node(fact.relation_iri), target, node(fact.graph) if fact.graph else UNNAMED


def plain(value: Literal) -> rdflib.Literal:
    if value.language:
        return rdflib.Literal(value.value, lang=value.language)
    datatype = value.datatype if ":" in value.datatype else f"http://www.w3.org/2001/XMLSchema#{value.datatype}"
    return rdflib.Literal(value.value, datatype=rdflib.URIRef(datatype))


def ours(case: Case) -> list[tuple[rdflib.term.Node, ...]]:
    (document,) = rdf.load(case.action, case.uri)
    assert all(document.text[f.start : f.end].strip() for f in document.facts), "a fact without characters"
    return [quad_of(fact) for fact in document.facts]


def theirs(path: Path, format: str, base: str) -> list[tuple[rdflib.term.Node, ...]]:
    dataset = rdflib.Dataset()
    dataset.parse(path, format=format, publicID=base)
    default = rdflib.graph.DATASET_DEFAULT_GRAPH_ID

    def typed(term: rdflib.term.Node) -> rdflib.term.Node:
        if isinstance(term, rdflib.Literal) and term.datatype is None and not term.language:
            return rdflib.Literal(str(term), datatype=rdflib.XSD.string)
        return term

    return [(s, p, typed(o), UNNAMED if g in (None, default) else g) for s, p, o, g in dataset.quads()]


def passes(case: Case, read: object, expected_format: str) -> bool:
    try:
        found = read(case)  # type: ignore[operator]
    except HoptraceError:
        return "Negative" in case.kind
    except Exception:  # whatever rdflib raises is its way of refusing
        return "Negative" in case.kind and read is not ours
    if "Negative" in case.kind:
        return False
    if case.result is None:
        return True
    return isomorphic(reified(found), reified(theirs(case.result, expected_format, case.uri)))


@pytest.mark.parametrize("suite", SUITES)
def test_no_fewer_passes_than_rdflib(suite: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not (ROOT / suite / "manifest.ttl").exists():
        pytest.skip(f"W3C suite {suite} is not here")
    entries = cases(suite)
    result_format = "nt" if suite == "rdf-turtle" else "nquads"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        failed = [case.action.name for case in entries if not passes(case, ours, result_format)]
        rdflib_passes = sum(passes(case, lambda c: theirs(c.action, SUITES[suite], c.uri), result_format) for case in entries)
    with capsys.disabled():
        print(f"\n{suite}: hoptrace {len(entries) - len(failed)}/{len(entries)}, rdflib {rdflib_passes}/{len(entries)}")
    assert failed == []
    assert len(entries) >= rdflib_passes
