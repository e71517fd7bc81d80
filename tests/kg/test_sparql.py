"""SPARQL: answers equal rdflib's over the live view, nothing reaches outside, a runaway query is stopped."""

from __future__ import annotations

import http.server
import io
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hoptrace.kg import rdf, sparql, sparql_worker
from hoptrace.kg.errors import BudgetExceededError, QueryError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Literal, Name, text_hash
from hoptrace.kg.rdf_export import line

TEXT = "Orla Vance founded Brightwater Labs. Brightwater Labs employs 40 people. Orla Vance provides a service to Quay Ltd."
AGAIN = "As is known, Orla Vance founded Brightwater Labs."


def build(path: Path) -> KnowledgeGraph:
    facts = []
    for subject, relation, target in (
        ("Orla Vance", "founded", Name("Brightwater Labs")),
        ("Brightwater Labs", "employs", Literal("40", "integer")),
        ("Orla Vance", "provides a service to", Name("Quay Ltd")),
    ):
        start = TEXT.index(f"{subject} {relation}")
        facts.append(Fact(Name(subject), relation, target, start, TEXT.index(".", start) + 1))
    kg = KnowledgeGraph.open(path)
    kg.write_document(
        Document("notes.txt", "text/plain", TEXT, text_hash(TEXT), facts=tuple(facts)), [(0, 37, "text"), (37, len(TEXT), "text")]
    )
    again = Fact(Name("Orla Vance"), "founded", Name("Brightwater Labs"), 0, len(AGAIN))
    kg.write_document(Document("more.txt", "text/plain", AGAIN, text_hash(AGAIN), facts=(again,)), [(0, len(AGAIN), "text")])
    return kg


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeGraph]:
    with build(tmp_path_factory.mktemp("sparql") / "my.kg") as kg:
        yield kg


QUERIES = [
    'SELECT ?n WHERE { ?who rdfs:label "Orla Vance" ; rel:founded ?what . ?what rdfs:label ?n }',
    "SELECT ?who ?staff WHERE { ?who rel:founded/rel:employs ?staff FILTER(?staff > 39) }",
    "SELECT (COUNT(*) AS ?n) WHERE { ?s rel:founded ?o }",
    'ASK { ?s rdfs:label "Quay Ltd" }',
    'ASK { ?s rdfs:label "a service" }',
    "CONSTRUCT { ?o rel:founded_by ?s } WHERE { ?s rel:founded ?o }",
    'SELECT ?n WHERE { ?s rel:provides_a_service_to ?o . ?o rdfs:label ?n FILTER(?n != "SERVICE <http://x/> {}") }',
]


@pytest.mark.parametrize("query", QUERIES)
def test_answers_equal_those_of_rdflib_over_the_live_view(kg: KnowledgeGraph, query: str) -> None:
    result = sparql.run(kg, query)
    expected = rdf.to_dataset(kg).query(query, initNs=dict(sparql.PREFIXES))
    rows = [tuple(map(str, row)) for row in expected] if expected.type != "ASK" else [(str(expected.askAnswer).lower(),)]
    assert sorted(result.rows) == sorted(rows)
    assert rows
    assert not result.truncated


def test_a_statement_of_two_sources_counts_once_and_shows_both(kg: KnowledgeGraph) -> None:
    assert sparql.run(kg, "SELECT (COUNT(*) AS ?n) WHERE { ?s rel:founded ?o }").rows == (("1",),)
    found = sparql.run(kg, "SELECT ?uri WHERE { GRAPH ?c { ?s rel:founded ?o } ?c ht:source/ht:uri ?uri }")
    assert sorted(found.rows) == [("more.txt",), ("notes.txt",)]


def test_rdflib_answers_alike_where_pyoxigraph_is_not_installed(
    kg: KnowledgeGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyoxigraph", None)
    monkeypatch.setattr(sparql_worker, "_limit", lambda memory_mb: None)  # this process is the worker here
    dump = tmp_path / "dump.nq"
    dump.write_text("".join(line(quad) + "\n" for quad in sparql._quads(kg)), encoding="utf-8")
    prologue = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in sparql.PREFIXES.items())
    asked = [{"query": prologue + query, "prologue": 5, "max_rows": 100, "seconds": 60} for query in QUERIES]
    replies = io.StringIO()
    requests = [{"load": str(dump), "memory_mb": 0}, *asked, {**asked[0], "query": "SELECT"}]
    sparql_worker.serve(io.StringIO("".join(json.dumps(request) + "\n" for request in requests)), replies)
    loaded, *answers, broken = map(json.loads, replies.getvalue().splitlines())
    assert loaded == {}
    for query, answer in zip(QUERIES, answers, strict=True):
        assert sorted(map(tuple, answer["rows"])) == sorted(sparql.run(kg, query).rows)
    assert "error" in broken


def test_an_answer_can_be_followed_to_its_chunk_and_source(kg: KnowledgeGraph) -> None:
    query = "SELECT ?chunk ?uri WHERE { GRAPH ?chunk { ?s rel:employs ?o } ?chunk ht:source/ht:uri ?uri }"
    ((chunk, uri),) = sparql.run(kg, query).rows
    assert uri == "notes.txt"
    assert "employs 40" in kg.store.chunk(str(chunk).rsplit("/", 1)[1]).text


def test_rows_beyond_the_limit_are_said_to_be_missing(kg: KnowledgeGraph) -> None:
    result = sparql.run(kg, "SELECT * WHERE { ?s ?p ?o }", max_rows=2)
    assert (len(result.rows), result.truncated) == (2, True)


def test_a_change_of_the_graph_is_seen(tmp_path: Path) -> None:
    with build(tmp_path / "my.kg") as kg:
        query = "SELECT ?o WHERE { ?s rel:acquired ?o }"
        assert sparql.run(kg, query).rows == ()
        kg.add("Quay Ltd", "acquired", "Brightwater Labs")
        assert len(sparql.run(kg, query).rows) == 1


@pytest.fixture(scope="module")
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that writes down every request; nothing may ever ask it."""
    hits: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/canary", hits
    server.shutdown()


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("SELECT * WHERE {{ SERVICE <{url}> {{ ?s ?p ?o }} }}", "SERVICE"),
        ("SELECT * WHERE {{ \\u0053ERVICE <{url}> {{ ?s ?p ?o }} }}", "SERVICE"),
        ("SELECT * WHERE {{ {{ SELECT * WHERE {{ OPTIONAL {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }} }} }} }}", "SERVICE"),
        ("SELECT * WHERE {{ ?s ?p ?o FILTER EXISTS {{ SERVICE <{url}> {{ ?s ?p ?o }} }} }}", "SERVICE"),
        ("SELECT * FROM <{url}> WHERE {{ ?s ?p ?o }}", "FROM"),
        ("SELECT * FROM NAMED <{url}> WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}", "FROM"),
        ("LOAD <{url}>", "not a SELECT"),
        ("INSERT DATA {{ <{url}> <{url}> <{url}> }}", "not a SELECT"),
        ("DROP ALL", "not a SELECT"),
        ("DESCRIBE <{url}>", "only SELECT"),
    ],
)
def test_nothing_reaches_outside_or_writes(kg: KnowledgeGraph, canary: tuple[str, list[str]], template: str, reason: str) -> None:
    url, hits = canary
    before = kg.content_hash()
    with pytest.raises(QueryError, match=reason):
        sparql.run(kg, template.format(url=url))
    assert hits == []
    assert kg.content_hash() == before


BROKEN = ["SELECT", "", "SELECT ?x WHERE { ?x nope:y ?z }", "SELECT * WHERE {\n ?s ?p }", "\x00", "{" * 5000]


@pytest.mark.parametrize("query", BROKEN)
def test_a_query_that_does_not_parse_is_one_line(kg: KnowledgeGraph, query: str) -> None:
    with pytest.raises(QueryError) as caught:
        sparql.run(kg, query)
    assert "\n" not in str(caught.value)


def test_the_line_of_a_mistake_is_counted_in_the_query_as_given(kg: KnowledgeGraph) -> None:
    with pytest.raises(QueryError, match="line 2"):
        sparql.run(kg, "SELECT * WHERE {\n ?s ?p }")


def test_a_runaway_query_is_stopped_and_the_next_one_runs(kg: KnowledgeGraph) -> None:
    join = " . ".join(f"?a{n} ?p{n} ?b{n}" for n in range(12))
    with pytest.raises(BudgetExceededError, match="1 s"):
        sparql.run(kg, f"SELECT (COUNT(*) AS ?n) WHERE {{ {join} }}", timeout=1.0)
    assert sparql.run(kg, "ASK { ?s rel:founded ?o }").rows == (("true",),)


def test_a_query_that_wants_too_much_memory_is_stopped(kg: KnowledgeGraph) -> None:
    join = " . ".join(f"?a{n} ?p{n} ?b{n}" for n in range(7))
    with pytest.raises(BudgetExceededError, match="more than 400 MB"):
        sparql.run(kg, f"SELECT * WHERE {{ {join} }} ORDER BY ?b1 ?b2", timeout=60.0, memory_mb=400)
    assert sparql.run(kg, "ASK { ?s rel:founded ?o }").rows == (("true",),)
