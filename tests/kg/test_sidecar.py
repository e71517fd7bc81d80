"""Facts stated beside a text: exact characters, or the row is rejected with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.kg.errors import ParseError

TEXT = "# Pumps\n\nA worn seal calls for a new\nseal. Orla Vance founded Brightwater Labs. A worn seal is dear.\n"
HEADER = "subject,relation,object,quote\n"
FACT = HEADER + "worn seal,calls for,new seal,A worn seal calls for a new seal\n"


@pytest.fixture
def pumps(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "pumps.md").write_text(TEXT, "utf-8")
    return tmp_path / "docs"


def read(folder: Path, facts: str) -> tuple[KnowledgeGraph, list[str]]:
    (folder / "pumps.facts.csv").write_text(facts, "utf-8")
    kg = KnowledgeGraph.open(folder.parent / "kg")
    report = kg.ingest(folder)
    assert report.skipped == []
    return kg, [str(error) for error in report.quarantined]


def test_a_fact_has_the_characters_of_its_quote_over_a_line_break(pumps: Path) -> None:
    kg, errors = read(pumps, FACT)
    [triple] = kg.triples()
    assert not errors
    assert triple.status == "grounded"
    assert triple.spans[0].quote == "A worn seal calls for a new\nseal"
    assert kg.text(triple.spans[0].source_id, triple.spans[0].start, triple.spans[0].end) == triple.spans[0].quote
    assert [source.uri for source in kg.sources()] == ["docs/pumps.md"]


def test_nothing_else_is_extracted_from_such_a_text(pumps: Path) -> None:
    kg, _ = read(pumps, FACT)
    assert "Brightwater Labs" not in {entity.label for entity in kg.entities()}


def test_another_name_helps_to_ground_a_fact_and_finds_its_entity(pumps: Path) -> None:
    facts = HEADER + "leaking seal,also known as,worn seal,\nleaking seal,calls for,new seal,A worn seal calls for a new seal\n"
    kg, errors = read(pumps, facts)
    assert not errors
    assert kg.entity("worn seal").label == "leaking seal"
    assert [str(triple.status) for triple in kg.triples()] == ["grounded"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("worn seal,calls for,new seal,A worn seal calls for a pump", "stands 0 times"),
        ("worn seal,is graded,dear,A worn seal", "stands 2 times"),
        ("worn seal,calls for,new seal,", "not a row of"),
        ("worn seal,calls for", "not a row of"),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_and_the_others_go_in(pumps: Path, row: str, reason: str) -> None:
    kg, [error] = read(pumps, FACT + row + "\n")
    assert "docs/pumps.facts.csv:3" in error
    assert reason in error
    assert len(list(kg.triples())) == 1


def test_strict_stops_at_the_row(pumps: Path) -> None:
    (pumps / "pumps.facts.csv").write_text(HEADER + "a,b,c,nowhere\n", "utf-8")
    with KnowledgeGraph.open(pumps.parent / "kg") as kg, pytest.raises(ParseError, match="stands 0 times"):
        kg.ingest(pumps, strict=True)


@pytest.mark.parametrize("facts", ["a,b\n1,2\n", '"', "   "])
def test_another_file_of_that_name_is_refused(pumps: Path, facts: str) -> None:
    kg, errors = read(pumps, facts)
    assert errors
    assert all("docs/pumps.facts.csv" in error for error in errors)
    assert list(kg.triples()) == []


def test_a_change_of_the_facts_alone_is_read(pumps: Path) -> None:
    kg, _ = read(pumps, FACT)
    (pumps / "pumps.facts.csv").write_text(HEADER + "worn seal,is graded,dear thing,A worn seal is dear\n", "utf-8")
    assert kg.ingest(pumps).updated == 1
    assert [triple.relation.label for triple in kg.triples()] == ["is graded"]


def test_a_table_with_no_text_beside_it_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "alone.facts.csv").write_text("subject,relation,object\nOrla Vance,founded,Brightwater Labs\n", "utf-8")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.ingest(tmp_path / "docs")
        assert [str(triple) for triple in kg.triples()] == ["Orla Vance — founded → Brightwater Labs"]


def test_degrees_are_values_and_no_names(pumps: Path) -> None:
    (pumps / "pumps.md").write_text("Heat lies above 20 °C. Frost lies below -20 °C.\n", "utf-8")
    kg, _ = read(pumps, HEADER + "heat,lies above,20 °C,Heat lies above 20 °C\nfrost,lies below,-20 °C,Frost lies below -20 °C\n")
    assert {triple.object.label for triple in kg.triples()} == {"20 °C", "-20 °C"}
