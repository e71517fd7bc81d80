"""Any result as one table, for `/mode csv` and `/mode md`: the rows that it is about, or one row of its plain values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...kg.safe_text import cell
from .render import one_line

Rows = tuple[list[str], list[list[str]]]


def rows_of(data: Mapping[str, Any]) -> Rows:
    """Column names and rows. A query has its own; an answer is one row; otherwise the first list of objects gives them, and a
    path is one row for each hop."""
    if "columns" in data and "rows" in data:
        return list(data["columns"]), [[_text(value) for value in row] for row in data["rows"]]
    lists = [
        value for value in data.values() if isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    ]
    if lists and "answers" not in data:
        records = (
            [{"path": n, **hop} for n, one in enumerate(lists[0], 1) for hop in one["hops"]]
            if "hops" in lists[0][0]
            else lists[0]
        )
    else:
        records = [{name: value for name, value in data.items() if _short(value)}]
    columns = list(dict.fromkeys(name for record in records for name in record))
    return columns, [[_text(record.get(name)) for name in columns] for record in records]


def _short(value: Any) -> bool:
    """A plain value, or a list of them that is not empty."""
    whole = value if isinstance(value, list) else [value]
    return bool(whole) and all(one is None or isinstance(one, str | int | float | bool) for one in whole)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(map(one_line, value))
    return "" if value is None else one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def as_csv(data: Mapping[str, Any]) -> str:
    """CSV with a header line; no cell starts a formula."""
    columns, rows = rows_of(data)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([list(map(cell, row)) for row in (columns, *rows)])
    return out.getvalue()


def as_markdown(data: Mapping[str, Any]) -> str:
    """A Markdown table."""
    columns, rows = rows_of(data)
    return _bar(columns) + _bar(["---"] * len(columns)) + "".join(map(_bar, rows))


def _bar(cells: Sequence[str]) -> str:
    escaped = [_escaped(one) for one in cells]
    return f"| {' | '.join(escaped)} |\n"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, link, picture or HTML."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in text)


__all__ = ["as_csv", "as_markdown", "rows_of"]
