"""Tables from memory: a frame becomes a document whose text is its CSV, read like a file, so that every row has a span."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingExtraError
from ..model import Document, Source
from .cut import cut
from .delimited import table_facts_of
from .report import Issues
from .tables import mentions
from .text import sha256
from .values import cell_text

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph

ROW = ("subject", "relation", "object", "valid_from", "valid_to", "note")  # what the parts of a plain row are
Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def add_frame(kg: KnowledgeGraph, frame: Any, name: str) -> Source:
    """Add the facts of a table; the same name again is a new version of it, and `undo` takes it back.

    Columns mean what they mean in a CSV file: `subject, relation, object`, with `valid_from` and `valid_to` where there are
    any (`valid_to` is the first day on which it no longer holds), or a name column and one column for each relation.

    Args:
        frame: a pandas or polars DataFrame, anything with `__arrow_c_stream__`, rows as dictionaries, or rows of three to
            six parts: subject, relation, object, valid_from, valid_to, note.
        name: what the source is called; its uri is `frame:NAME`.

    Raises:
        InputError: it is no table, or no fact can be read from its columns.
        ParseError: a row that does not fit.
        MissingExtraError: an Arrow stream that is neither pandas nor polars needs pyarrow.
    """
    columns, rows = _table(frame)
    text, uri = _csv(columns, rows), f"frame:{name}"
    facts = table_facts_of(text, ",", uri, name, Issues(strict=True))
    if not facts:
        raise InputError(f"{uri}: no facts under the columns {', '.join(columns)}; subject, relation, object will do")
    found = mentions(text, facts)
    digest = sha256(text.encode("utf-8", "surrogatepass"))
    document = Document(uri, "text/csv", text, digest, name, records=True, facts=tuple(facts), mentions=found)
    return kg.write_document(document, cut(document))


def _table(frame: Any) -> Table:
    if hasattr(frame, "itertuples"):  # pandas
        return [str(name) for name in frame.columns], frame.itertuples(index=False, name=None)
    if hasattr(frame, "iter_rows"):  # polars
        return list(frame.columns), frame.iter_rows()
    if hasattr(frame, "__arrow_c_stream__"):
        return _arrow(frame)
    if isinstance(frame, Iterable) and not isinstance(frame, str | bytes | Mapping):
        return _rows(list(frame))
    raise InputError(f"no table: {type(frame).__name__}; a DataFrame, an Arrow stream, or rows")


def _arrow(frame: Any) -> Table:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("reading an Arrow stream", "arrow") from None
    table = pa.table(frame)
    return table.column_names, zip(*(column.to_pylist() for column in table.columns))


def _rows(rows: list[Any]) -> Table:
    if all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        return names, ([row.get(name) for name in names] for row in rows)
    if all(hasattr(row, "_fields") for row in rows):  # named tuples, such as `kg.rows()`
        return rows[0]._fields, rows
    wrong = next((row for row in rows if not isinstance(row, list | tuple) or not 3 <= len(row) <= len(ROW)), None)
    if wrong is not None:
        raise InputError(f"no row {wrong!r:.80}; three to six parts: {', '.join(ROW)}")
    return ROW, ([*row, *[None] * (len(ROW) - len(row))] for row in rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell_text(name) for name in columns])
    writer.writerows([cell_text(value) for value in row] for row in rows)
    return out.getvalue()
