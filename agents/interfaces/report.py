"""Answers as one HTML page that needs nothing else (no script, no address outside, everything from documents escaped), or as an
Excel workbook.

Each answer shows its paths drawn as inline SVG and, for each citation, the source text around the cited characters. The
workbook has a sheet each for the answers, their hops, their citations and what they were made with.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...kg.drawing import path_svg
from ...kg.errors import UnsupportedFormatError
from ...kg.exports.tables import workbook, write_sheet
from ...kg.safe_text import markup
from .pages import whole
from .quotes import Quote, reread
from .render import place

if TYPE_CHECKING:
    from ..profiles import Library

_ANSWERS = ("answer", "at", "question", "text", "status", "confidence", "answers", "action", "reason", "citations")
_HOPS = ("answer", "path", "hop", "subject", "relation", "object", "read", "score", "citations")
_READ = {1: "forward", -1: "backward"}
_CITATIONS = ("answer", "citation", "source", "start", "end", "quote", "verified", "problem")


def write(kg: Library, records: Sequence[Mapping[str, Any]], path: Path, settings: Mapping[str, str | int]) -> None:
    """Write answer records to a file; its suffix says as what. A workbook names the `settings` that they were made with.

    Raises:
        UnsupportedFormatError: neither .html nor .xlsx.
        MissingExtraError: a workbook needs openpyxl.
    """
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm"):
        path.write_text(page(kg, records), "utf-8")
    elif suffix == ".xlsx":
        written = io.BytesIO()
        with workbook(written) as book:
            for name, (columns, rows) in sheets(kg, records, settings).items():
                write_sheet(book, name, columns, rows)
        path.write_bytes(written.getvalue())
    else:
        raise UnsupportedFormatError(f"no report as {path.suffix or 'a file without suffix'}; accepted: .html .xlsx")


def sheets(
    kg: Library, records: Sequence[Mapping[str, Any]], settings: Mapping[str, str | int]
) -> dict[str, tuple[Sequence[str], list[list[Any]]]]:
    """Columns and rows of the sheets; every citation is re-read from `kg` now."""
    named = ("number", "at", "question", "text", "status", "confidence")
    answers = [
        [*(r[name] for name in named), "; ".join(r["answers"]), r["route"]["action"], r["route"]["reason"], len(r["citations"])]
        for r in records
    ]
    hops = [
        [r["number"], i, j, *map(hop.get, _HOPS[3:6]), _READ[hop["direction"]], path["score"], str(hop["citations"])[1:-1]]
        for r in records
        for i, path in enumerate(r["paths"], 1)
        for j, hop in enumerate(path["hops"], 1)
    ]
    quotes = [(r["number"], reread(kg, citation)) for r in records for citation in r["citations"]]
    cited = [[n, q.id, q.source, q.start, q.end, q.text, "yes" if q.verified else "no", q.problem] for n, q in quotes]
    made = {"hoptrace": __version__, "written": datetime.now(UTC).isoformat(timespec="seconds"), **settings}
    return {
        "answers": (_ANSWERS, answers),
        "hops": (_HOPS, hops),
        "citations": (_CITATIONS, cited),
        "settings": (("setting", "value"), [[name, value] for name, value in made.items()]),
    }


def page(kg: Library, records: Iterable[Mapping[str, Any]]) -> str:
    """The page for answer records (see `session.AnswerLog`); every citation is re-read from `kg` now."""
    body = "\n".join(_answer(kg, record) for record in records)
    return whole("hoptrace: traced answers", "Traced answers", body)


def _answer(kg: Library, record: Mapping[str, Any]) -> str:
    route = record["route"]
    paths = "".join(f"<figure>{path_svg(path['hops'])}</figure>" for path in record["paths"])
    quotes = "".join(_quote(reread(kg, citation)) for citation in record["citations"])
    marks = "".join(f" · {mark}" for mark in record.get("support", {}).get("marks", ()))
    meta = f"{record['status']} · confidence {record['confidence']:.2f} · {route['action']}: {route['reason']}{marks}"
    return (
        f"<article><h2>{record['number']}. {markup(record['question'])}</h2><p class='answer'>{markup(record['text'])}</p>"
        f"<p class='meta'>{markup(meta)}</p>{paths}{quotes}</article>"
    )


def _quote(quote: Quote) -> str:
    mark = "<span class='good'>✓ verified</span>" if quote.verified else f"<span class='bad'>✗ {markup(quote.problem)}</span>"
    where = markup(place(quote.source, quote.start, quote.end))
    text = f"{markup(quote.before)}<mark>{markup(quote.text)}</mark>{markup(quote.after)}"
    return f"<blockquote><cite>[{quote.id}] {where} {mark}</cite>{text}</blockquote>"
