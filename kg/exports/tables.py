"""Rows for spreadsheets and databases: CSV, an Excel workbook, a zip of CSV files for `neo4j-admin database import`."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, TextIO

from ..errors import MissingExtraError
from ..frames import Row
from ..safe_text import cell, one_line, xlsx
from ..views import Facts

AUTHOR = "hoptrace"  # of a workbook whose sheets called facts are read back as what they say
FACTS = ("subject", "relation", "object", "valid_from", "valid_to", "status", *Row._fields[3:])
_SOURCES = ("id", "uri", "title", "kind", "media_type", "sha256", "length", "recorded_at")
_ENTITIES = ("id", "label", "type", "aliases", "iri")
_MAX_ROWS = 1_048_576  # of a sheet
_CUT = "cut"  # the column that says what was cut


def write_csv(facts: Facts, out: TextIO, *, machine: bool = False) -> None:
    """`Facts.rows` with a header line. Cells that a spreadsheet would run get an apostrophe unless it is for a `machine`."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in facts.rows():
        writer.writerow([cell(value) if isinstance(value, str) and not machine else value for value in row])


# ---- Excel -------------------------------------------------------------------------------------------------------


def write_workbook(facts: Facts, out: BinaryIO) -> None:
    """A workbook with the sheets facts, sources and entities; `kg.ingest` reads its facts back."""
    with workbook(out) as book:
        write_sheet(book, "facts", FACTS, _facts(facts))
        write_sheet(book, "sources", _SOURCES, ([getattr(s, name) for name in _SOURCES] for s in facts.sources()))
        entities = ([e.id, e.label, e.type, "; ".join(e.aliases), e.iri] for e in facts.entities())
        write_sheet(book, "entities", _ENTITIES, entities)
        book.properties.creator = AUTHOR


def _facts(facts: Facts) -> Iterator[list[Any]]:
    """`Facts.rows` with the times and status of each fact."""
    places = facts.rows()
    for triple in facts.triples():
        for _, row in zip(triple.spans, places):
            yield [*row[:3], triple.valid_from, triple.valid_to, triple.status.value, *row[3:]]


@contextmanager
def workbook(out: BinaryIO) -> Iterator[Any]:
    """A workbook that is written row by row, and saved at the end.

    Raises:
        MissingExtraError: openpyxl is not installed.
    """
    try:
        import openpyxl  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("an Excel workbook", "documents") from None
    book = openpyxl.Workbook(write_only=True)
    yield book
    book.save(out)


def write_sheet(book: Any, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A sheet with a header, continued on "NAME 2" where it is full. Texts are never formulas, and one that is too long for
    a cell is cut, which the last column says."""
    written, sheet, sheets = _MAX_ROWS, None, 0
    for row in rows:
        if sheet is None or written == _MAX_ROWS:
            sheets += 1
            sheet, written = _new_sheet(book, name if sheets == 1 else f"{name} {sheets}", columns), 1
        sheet.append(_cells(sheet, columns, row))
        written += 1
    if sheet is None:
        _new_sheet(book, name, columns)


def _new_sheet(book: Any, name: str, columns: Sequence[str]) -> Any:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for number in range(len(columns)):
        sheet.column_dimensions[chr(ord("A") + number)].width = 24 if number < 3 else 14
    sheet.append([*columns, _CUT])
    return sheet


def _cells(sheet: Any, columns: Sequence[str], row: Sequence[Any]) -> list[Any]:
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

    cells: list[Any] = []
    cut = []
    for column, value in zip(columns, row):
        if isinstance(value, str):
            value, length = xlsx(value)
            cut += [f"{column}: {length} characters"] if length else []
            if value[:1] in ("=", "#"):  # a formula or an error code to openpyxl, whatever it was meant to be
                value = WriteOnlyCell(sheet, value)
                value.data_type = "s"
        elif hasattr(value, "tzinfo"):
            value = value.isoformat(timespec="seconds")
        cells.append(value)
    return [*cells, "; ".join(cut) or None]


# ---- Neo4j -------------------------------------------------------------------------------------------------------


def write_neo4j(facts: Facts, out: BinaryIO) -> None:
    """nodes.csv and relationships.csv for `neo4j-admin database import full --nodes=nodes.csv --relationships=...`.

    It reads one record per line, so line breaks in labels become spaces. These files are for a machine: no cell gets an
    apostrophe.
    """
    nodes = ([node, data["label"], data["type"], data["kind"].capitalize()] for node, data in facts.nodes())
    edges = (
        [edge.subject, edge.object, edge.attributes["relation"] or "related", edge.id, *_properties(edge.attributes)]
        for edge in facts.edges()
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _write_member(archive, "nodes.csv", (":ID", "label", "type", ":LABEL"), nodes)
        properties = ("status", "confidence:double", "valid_from", "valid_to", "chunks:string[]")
        _write_member(archive, "relationships.csv", (":START_ID", ":END_ID", ":TYPE", "triple_id", *properties), edges)


def _properties(attributes: dict[str, Any]) -> list[Any]:
    named = [attributes[name] for name in ("status", "confidence", "valid_from", "valid_to")]
    return [*named, ";".join(attributes["chunks"])]


def _write_member(archive: zipfile.ZipFile, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with archive.open(name, "w", force_zip64=True) as member, io.TextIOWrapper(member, encoding="utf-8", newline="\n") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([one_line(value) if isinstance(value, str) else value for value in row] for row in rows)


__all__ = ["AUTHOR", "FACTS", "workbook", "write_csv", "write_neo4j", "write_sheet", "write_workbook"]
