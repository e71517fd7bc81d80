"""Facts go out to dictionaries, pandas, polars and Arrow and come back in from them as the same facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.kg.errors import InputError, ParseError
from hoptrace.kg.frames import Row
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Literal

COLUMNS = "subject relation object chunk_id source start end score confidence generation".split()
ROWS = [
    {"subject": "Orla Vance", "relation": "founded", "object": "Brightwater Labs", "valid_from": None, "valid_to": None},
    {
        "subject": "Piet Aalders",
        "relation": "runs",
        "object": "Ferries, North Quay",
        "valid_from": date(2020, 7, 1),
        "valid_to": date(2023, 1, 1),
    },
    {"subject": "Brightwater Labs", "relation": "staff", "object": "1200", "valid_from": date(2021, 1, 1), "valid_to": None},
]


def stated(kg: KnowledgeGraph) -> set[tuple[Any, ...]]:
    found = kg.triples()
    return {(t.subject.label, t.relation.label, t.object.label, t.valid_from, t.valid_to) for t in found}


EXPECTED = {(r["subject"], r["relation"], r["object"], r["valid_from"], r["valid_to"]) for r in ROWS}


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "my.kg") as kg:
        yield kg


@pytest.fixture
def full(kg: KnowledgeGraph) -> KnowledgeGraph:
    kg.add_frame(ROWS, "firms")
    return kg


def pandas_of(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pandas").DataFrame(rows)


def polars_of(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(rows)


def arrow_of(rows: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


class Stream:
    """Something of which only the Arrow stream is known."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._table = arrow_of(rows)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


FORMS = [list, pandas_of, polars_of, arrow_of, Stream]


@pytest.mark.parametrize("form", FORMS)
def test_a_frame_of_facts_states_them(kg: KnowledgeGraph, form: Any) -> None:
    source = kg.add_frame(form(ROWS), "firms")
    assert stated(kg) == EXPECTED
    assert source.uri == "frame:firms"
    assert kg.text(source.id).splitlines()[0] == "subject,relation,object,valid_from,valid_to"
    for triple in kg.triples():
        (span,) = triple.spans
        assert kg.text(source.id, span.start, span.end) == span.quote
        assert triple.subject.label in span.quote
    assert next(kg.triples(relation="staff")).object == Literal("1200", "integer")


def test_plain_rows_state_facts_and_the_note_stands_beside_them(kg: KnowledgeGraph) -> None:
    kg.add_frame([("A Ltd", "owns", "B Ltd"), ("B Ltd", "owns", "C Ltd", date(2020, 1, 1), None, "press release")], "owners")
    facts = {t.subject.label: t for t in kg.triples()}
    assert facts["B Ltd"].valid_from == date(2020, 1, 1)
    assert "press release" in facts["B Ltd"].spans[0].quote


@pytest.mark.parametrize("form", FORMS)
def test_a_wide_frame_is_read_as_a_table(kg: KnowledgeGraph, form: Any) -> None:
    kg.add_frame(form([{"company": "Calder Pumps", "ceo": "Ines Tolland", "founded": 1999}]), "firms")
    facts = {(t.subject.label, t.relation.label, t.object.label) for t in kg.triples()}
    assert ("Calder Pumps", "founded in", "1999") in facts
    assert any("Ines Tolland" in fact for fact in facts)


def test_the_same_name_is_a_new_version_and_is_undone(full: KnowledgeGraph) -> None:
    full.add_frame(ROWS[:1], "firms")
    assert len(stated(full)) == 1
    full.undo()
    assert stated(full) == EXPECTED
    seq = full.store.seq
    full.add_frame(ROWS, "firms")
    assert full.store.seq == seq


@pytest.mark.parametrize("method", ["to_dicts", "to_pandas", "to_polars", "to_arrow", "rows"])
def test_what_goes_out_comes_back_in(full: KnowledgeGraph, tmp_path: Path, method: str) -> None:
    for module in {"to_pandas": ["pandas"], "to_polars": ["polars"], "to_arrow": ["pyarrow"]}.get(method, []):
        pytest.importorskip(module)
    with KnowledgeGraph.open(tmp_path / "again.kg") as again:
        again.add_frame(getattr(full, method)(), "copy")
        assert {fact[:3] for fact in stated(again)} == {fact[:3] for fact in EXPECTED}
        assert {fact[3:] for fact in stated(again)} == {(None, None)}  # the columns hold no times, and offsets are none


def test_columns_and_types_are_fixed(full: KnowledgeGraph, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    with KnowledgeGraph.open(tmp_path / "empty.kg") as empty:
        for kg in (full, empty):
            frame, polar, arrow = kg.to_pandas(), kg.to_polars(), kg.to_arrow()
            assert list(frame.columns) == polar.columns == arrow.column_names == list(Row._fields) == COLUMNS
            assert [str(frame[name].dtype) for name in ("start", "end", "generation", "score")] == ["int64"] * 3 + ["float64"]
            assert [str(polar[name].dtype) for name in ("subject", "start", "score")] == ["String", "Int64", "Float64"]
            assert [str(arrow.schema.field(name).type) for name in ("subject", "start", "score")] == ["string", "int64", "double"]
            assert len(frame) == len(polar) == len(arrow) == len(kg.to_dicts()) == len(list(kg.rows()))
        assert full.to_arrow().to_pylist() == full.to_polars().to_dicts() == full.to_dicts()
        assert full.to_pandas().to_dict("records") == full.to_dicts()
    row = next(full.rows())
    assert (row.source, row.generation) == ("frame:firms", full.store.seq)


def test_a_day_has_its_own_rows(full: KnowledgeGraph) -> None:
    assert {row.subject for row in full.as_of("2022-01-01").rows()} == {"Orla Vance", "Piet Aalders", "Brightwater Labs"}
    assert {row.subject for row in full.as_of("2019-01-01").rows()} == {"Orla Vance"}


def test_an_answer_is_a_table_of_its_hops(agent: Agent) -> None:
    answer = agent.ask("Where is the company founded by Orla Vance headquartered?")
    rows = answer.to_dicts()
    assert [list(row) for row in rows] == [COLUMNS] * len(rows)
    assert [(row["subject"], row["object"]) for row in rows][:2] == [
        ("Orla Vance", "Brightwater Labs"),
        ("Brightwater Labs", "Tarn City"),
    ]
    assert {row["source"] for row in rows} == {"facts.txt"}
    assert {row["generation"] for row in rows} == {agent.kg.store.seq}
    for row in rows:
        source = next(s for s in agent.kg.sources() if s.uri == row["source"])
        assert row["subject"] in agent.kg.text(source.id, row["start"], row["end"])


@pytest.mark.parametrize("frame", [3, "text", {"a": 1}, [("a", "b")], [1, 2], [], [{"only": "one"}]])
def test_what_is_no_table_is_refused_by_name(kg: KnowledgeGraph, frame: Any) -> None:
    with pytest.raises(InputError):
        kg.add_frame(frame, "odd")
    assert kg.store.seq == 0


def test_a_frame_with_hostile_cells_is_text(kg: KnowledgeGraph) -> None:
    kg.add_frame([("=cmd|' /C calc'!A0", "says\nso", 'quote " and, comma \x1b[2J')], "odd")
    (triple,) = kg.triples()
    assert triple.subject.label == "=cmd|' /C calc'!A0"
    assert triple.relation.label == "says so"
    assert "\x1b" not in triple.object.label


def test_missing_values_of_every_library_are_none(kg: KnowledgeGraph) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "subject": ["A Ltd", "B Ltd"],
            "relation": ["owns", "owns"],
            "object": ["B Ltd", pandas.NA],
            "valid_from": pandas.to_datetime(["2020-01-01", None]),
            "share": [float("nan"), 0.5],
        }
    )
    kg.add_frame(frame, "odd")
    assert stated(kg) == {("A Ltd", "owns", "B Ltd", date(2020, 1, 1), None)}


def test_a_facts_workbook_reads_back_as_the_same_facts(full: KnowledgeGraph, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    book = full.export(tmp_path / "facts.xlsx")
    with KnowledgeGraph.open(tmp_path / "again.kg") as again:
        again.ingest(book, strict=True)
        assert stated(again) == EXPECTED
        assert {type(t.object) for t in again.triples()} == {type(t.object) for t in full.triples()}


def test_a_broken_row_is_named(kg: KnowledgeGraph) -> None:
    with pytest.raises((InputError, ParseError), match="no facts"):
        kg.add_frame([{"number": 1, "other": 2}], "numbers")
