"""PageRank against networkx, and the passage walk over a real graph."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Name, text_hash
from hoptrace.retrieval.pagerank import PassageRank, personalized_pagerank, stochastic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 9),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20),
    st.lists(st.floats(0, 1), min_size=9, max_size=9),
    st.sampled_from([0.5, 0.85]),
)
def test_equals_networkx(size: int, pairs: list[tuple[int, int]], weights: list[float], damping: float) -> None:
    reset = np.array(weights[:size])
    if reset.sum() < 1e-3:
        reset[0] = 1.0
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from((a % size, b % size) for a, b in pairs if a % size != b % size)
    matrix = nx.to_scipy_sparse_array(graph, nodelist=range(size), dtype=float)
    mass = personalized_pagerank(stochastic(sparse.csr_array(matrix)), reset, damping=damping)
    restart = dict(enumerate(reset))
    expected = nx.pagerank(graph, alpha=damping, personalization=restart, dangling=restart, tol=1e-12, max_iter=500)
    np.testing.assert_allclose(mass, [expected[node] for node in range(size)], atol=1e-6)
    assert mass.sum() == pytest.approx(1)


TEXTS = {
    "a": "Orla Vance founded Brightwater Labs.",
    "b": "Orla Vance was born in Cork.",
    "c": "Brightwater Labs makes pumps.",
    "d": "Yeast ferments sugar.",
}
FACTS = {
    "a": ("Orla Vance", "founded", "Brightwater Labs"),
    "b": ("Orla Vance", "born in", "Cork"),
    "c": ("Brightwater Labs", "makes", "pumps"),
    "d": ("Yeast", "ferments", "sugar"),
}


def put(kg: KnowledgeGraph, uri: str) -> None:
    text, (subject, relation, object) = TEXTS[uri], FACTS[uri]
    fact = Fact(Name(subject), relation, Name(object), 0, len(text))
    kg.write_document(Document(uri, "text/plain", text, text_hash(text), facts=(fact,)), [(0, len(text), "text")])


@pytest.fixture
def kg(tmp_path: Path) -> KnowledgeGraph:
    graph = KnowledgeGraph.open(tmp_path / "kg")
    for uri in TEXTS:
        put(graph, uri)
    return graph


def chunk_rows(kg: KnowledgeGraph) -> dict[str, int]:
    uris = {source.id: source.uri for source in kg.sources()}
    return {uris[chunk.source_id]: row for row, chunk in kg.store.chunks()}


def ranked(kg: KnowledgeGraph, walk: PassageRank, *labels: str) -> list[str]:
    nodes = np.array([kg.store.row_of(kg.entity(label).id) for label in labels], dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    rows, mass = walk.rank(nodes, np.ones(len(nodes)), nothing, np.empty(0))
    names = {row: uri for uri, row in chunk_rows(kg).items()}
    return [names[row] for row, value in zip(rows, mass, strict=True) if value > 1e-9]


def test_mass_flows_from_the_seed_to_near_passages_only(kg: KnowledgeGraph) -> None:
    assert ranked(kg, PassageRank(kg), "Cork") == ["b", "a", "c"]


def test_the_walk_follows_the_store(kg: KnowledgeGraph) -> None:
    walk = PassageRank(kg)
    assert "c" in ranked(kg, walk, "Cork")
    kg.forget("c")
    assert ranked(kg, walk, "Cork") == ["b", "a"]


def test_rank_equals_networkx_on_the_whole_graph(kg: KnowledgeGraph) -> None:
    walk, rows = PassageRank(kg), chunk_rows(kg)
    graph = nx.Graph()
    for uri, (subject, _, object) in FACTS.items():
        graph.add_edges_from([(subject, object), (subject, uri), (object, uri)])
    seeds = {"Orla Vance": 0.8, "Cork": 0.2}
    restart = {"Orla Vance": 0.8 / 2, "Cork": 0.2 / 1, "d": 0.05}  # a node's share is divided by its passages
    expected = nx.pagerank(graph, alpha=0.5, personalization=restart, dangling=restart, tol=1e-12)
    nodes = np.array([kg.store.row_of(kg.entity(label).id) for label in seeds])
    found, mass = walk.rank(nodes, np.array(list(seeds.values())), np.array([rows["d"]]), np.array([0.05]))
    got = dict(zip(found.tolist(), mass, strict=True))
    np.testing.assert_allclose([got[rows[uri]] for uri in TEXTS], [expected[uri] for uri in TEXTS], atol=1e-6)


def test_no_restart_gives_nothing(kg: KnowledgeGraph) -> None:
    assert ranked(kg, PassageRank(kg)) == []


def test_an_empty_graph(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "empty") as kg:
        rows, mass = PassageRank(kg).rank(np.array([3]), np.ones(1), np.array([1]), np.ones(1))
    assert len(rows) == len(mass) == 0
