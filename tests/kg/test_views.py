"""What networkx, pandas and other readers get is what the store holds."""

from __future__ import annotations

import builtins
import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hoptrace.kg.errors import MissingExtraError, UnsupportedFormatError
from hoptrace.kg.exports.files import export
from hoptrace.kg.frames import Row
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Literal, Name, text_hash

NAME = "=HYPERLINK(1) \x0b& <Co>"
FIRST = f"{NAME} sails Aurora <1998>."
TEXT = f"{FIRST} Aurora has tonnage -12.5."


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    facts = (
        Fact(Name(NAME), "sails", Name("Aurora"), 0, len(FIRST), valid_from=date(1998, 1, 1), confidence=0.75),
        Fact(Name("Aurora"), "has tonnage", Literal("-12.5", "decimal"), len(FIRST) + 1, len(TEXT)),
    )
    with KnowledgeGraph.open(tmp_path / "my.kg") as kg:
        document = Document("fleet.txt", "text/plain", TEXT, text_hash(TEXT), records=True, facts=facts)
        kg.write_document(document, [(0, len(TEXT), "records")])
        yield kg


def test_networkx_holds_every_triple_under_its_id(kg: KnowledgeGraph) -> None:
    graph = kg.to_networkx()
    triples = {triple.id: triple for triple in kg.store.triples()}
    assert {key for _, _, key in graph.edges(keys=True)} == set(triples)
    for subject, target, key, data in graph.edges(keys=True, data=True):
        triple = triples[key]
        assert (subject, target, data["relation"]) == (triple.subject.id, triple.object.id, triple.relation.label)
        assert data["chunks"] == [span.chunk_id for span in triple.spans]
        assert data["valid_from"] == (triple.valid_from.isoformat() if triple.valid_from else "")
    assert {data["label"] for _, data in graph.nodes(data=True)} == {NAME, "Aurora", "-12.5"}


def test_pandas_has_one_row_per_place_under_fixed_columns(kg: KnowledgeGraph) -> None:
    frame = kg.to_pandas()
    assert list(frame.columns) == ("subject relation object chunk_id source start end score confidence generation".split())
    for row in frame.itertuples():
        assert row.source == "fleet.txt"
        assert row.generation == kg.store.seq
        assert TEXT[row.start : row.end].endswith(".")
    assert sorted(frame.confidence) == [0.75, 1.0]


def test_an_empty_graph_has_the_columns_too(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "empty.kg") as kg:
        assert list(kg.to_pandas().columns) == list(Row._fields)
        assert len(kg.to_networkx()) == 0


def test_without_pandas_the_error_says_what_to_install(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"hoptrace\[documents\]"):
        kg.to_pandas()


def test_graphml_is_read_back_in_spite_of_control_characters_and_lists(kg: KnowledgeGraph, tmp_path: Path) -> None:
    read = nx.read_graphml(export(kg, tmp_path / "g.graphml"), force_multigraph=True)
    assert {data["label"] for _, data in read.nodes(data=True)} == {"=HYPERLINK(1) & <Co>", "Aurora", "-12.5"}
    given = kg.to_networkx()
    assert set(read.edges(keys=True)) == set(given.edges(keys=True))
    for subject, target, key, data in given.edges(keys=True, data=True):
        assert json.loads(read.edges[subject, target, key]["chunks"]) == data["chunks"]


def test_csv_cells_are_never_formulas_and_numbers_stay(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with export(kg, tmp_path / "g.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == list(Row._fields)
    assert {row["subject"] for row in rows} == {f"'{NAME}", "Aurora"}
    assert {row["object"] for row in rows} == {"Aurora", "-12.5"}


def test_json_is_node_link_data(kg: KnowledgeGraph, tmp_path: Path) -> None:
    data = json.loads(export(kg, tmp_path / "g.json").read_text(encoding="utf-8"))
    read = nx.node_link_graph(data, edges="edges")
    assert nx.utils.graphs_equal(read, kg.to_networkx())


def test_an_unknown_format_names_the_accepted_ones_and_writes_nothing(kg: KnowledgeGraph, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UnsupportedFormatError, match="graphml"):
        export(kg, tmp_path / "g.docx")
    assert sorted(tmp_path.iterdir()) == before
