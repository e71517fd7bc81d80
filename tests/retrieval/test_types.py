"""What kind of thing a node is, and whether that is what a question asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Entity, Literal
from hoptrace.retrieval.types import COARSE, CONFLICT, MATCH, UNKNOWN, NodeTypes


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None]) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path_factory.mktemp("types") / "kg") as graph:
        write(graph, [
            ("Skerry", "is a", "city"),
            ("Ostrea", "is a", "country"),
            ("Vellmar Shipyard", "based in", "Skerry"),
            ("Mossfield", "is a", "steel company"),
            ("Orla Vance", "owns", "Mossfield"),
            ("Orla Vance", "knows", "container maker"),
            ("Mossfield", "founded in", Literal("1987", "gYear")),
            ("Mossfield", "staff", Literal("40", "integer")),
            ("Mossfield", "revenue", Literal("EUR 41.2 million")),
            ("Mossfield", "motto", Literal("Steel for all")),
            ("Mossfield", "opened", "1990"),
        ])  # fmt: skip
        graph.add("Piet Aalders", "owns", "Skerry Ferry", subject_type="person")
        yield graph


def fit(kg: KnowledgeGraph, name: str | Literal, wanted: str, noun: str = "", implied: str = "", cased: bool = True) -> float:
    node = name if isinstance(name, Literal) else kg.entity(name)
    return NodeTypes(kg, kg.adjacency(), cased=cased).fit(kg.store.row_of(node.id), wanted, noun, implied)


@pytest.mark.parametrize(
    ("name", "wanted", "noun", "expected"),
    [
        ("Skerry", "place", "city", MATCH),
        ("Skerry", "place", "", COARSE),
        ("Skerry", "place", "country", CONFLICT),
        ("Ostrea", "place", "country", MATCH),
        ("Skerry", "organization", "", CONFLICT),
        ("Mossfield", "organization", "company", MATCH),
        ("Vellmar Shipyard", "organization", "company", COARSE),
        ("Vellmar Shipyard", "person", "", CONFLICT),
        ("Piet Aalders", "person", "", COARSE),
        ("Piet Aalders", "agent", "", COARSE),
        ("Mossfield", "agent", "", COARSE),
        ("Skerry", "agent", "", CONFLICT),
        ("Orla Vance", "person", "", UNKNOWN),
        ("Orla Vance", "", "", COARSE),
    ],
)
def test_entities(kg: KnowledgeGraph, name: str, wanted: str, noun: str, expected: float) -> None:
    assert fit(kg, name, wanted, noun) == expected


def test_what_the_last_hop_promises_counts_where_the_graph_is_silent(kg: KnowledgeGraph) -> None:
    assert fit(kg, "Orla Vance", "person", implied="person") == COARSE
    assert fit(kg, "Orla Vance", "place", implied="person") == CONFLICT
    assert fit(kg, "Skerry", "place", implied="person") == COARSE


def test_a_common_noun_is_no_name_where_names_are_capitalised(kg: KnowledgeGraph) -> None:
    assert fit(kg, "container maker", "agent", implied="organization") == CONFLICT
    assert fit(kg, "container maker", "agent", implied="organization", cased=False) != CONFLICT


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        (Literal("1987", "gYear"), "date", MATCH),
        (Literal("1987", "gYear"), "number", CONFLICT),
        (Literal("40", "integer"), "number", MATCH),
        (Literal("40", "integer"), "date", CONFLICT),
        (Literal("EUR 41.2 million"), "number", COARSE),
        (Literal("EUR 41.2 million"), "date", CONFLICT),
        (Literal("Steel for all"), "number", CONFLICT),
        (Literal("40", "integer"), "person", CONFLICT),
        (Literal("Steel for all"), "person", UNKNOWN),
    ],
)
def test_values(kg: KnowledgeGraph, value: Literal, wanted: str, expected: float) -> None:
    assert fit(kg, value, wanted) == expected


def test_a_year_named_like_a_thing_is_a_date_and_a_firm_is_none(kg: KnowledgeGraph) -> None:
    assert fit(kg, "1990", "date") > CONFLICT
    assert fit(kg, "Mossfield", "date") == CONFLICT


def test_words_of_a_node(kg: KnowledgeGraph) -> None:
    types = NodeTypes(kg, kg.adjacency())
    row = kg.store.row_of(kg.entity("Mossfield").id)
    assert types.words(row) >= {"steel", "company"}
    assert isinstance(types.node(row), Entity)
    assert "shipyard" in types.words(kg.store.row_of(kg.entity("Vellmar Shipyard").id))
