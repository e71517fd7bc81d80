"""Answers as one HTML page that needs nothing else: no script, no address outside, everything from documents escaped.

Each answer shows its paths drawn as inline SVG and, for each citation, the source text around the cited characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .pages import escape, whole
from .quotes import Quote, reread
from .render import place

if TYPE_CHECKING:
    from ..profiles import Library

_CHARACTER, _HEIGHT, _GAP = 8.2, 34, 26  # SVG units: width of a character, height of a box, room on each side of a relation


def page(kg: Library, records: Iterable[Mapping[str, Any]]) -> str:
    """The page for answer records (see `session.AnswerLog`); every citation is re-read from `kg` now."""
    body = "\n".join(_answer(kg, record) for record in records)
    return whole("hoptrace: traced answers", "Traced answers", body)


def _answer(kg: Library, record: Mapping[str, Any]) -> str:
    route = record["route"]
    paths = "".join(f"<figure>{draw(path)}</figure>" for path in record["paths"])
    quotes = "".join(_quote(reread(kg, citation)) for citation in record["citations"])
    marks = "".join(f" · {mark}" for mark in record.get("support", {}).get("marks", ()))
    meta = f"{record['status']} · confidence {record['confidence']:.2f} · {route['action']}: {route['reason']}{marks}"
    return (
        f"<article><h2>{record['number']}. {escape(record['question'])}</h2><p class='answer'>{escape(record['text'])}</p>"
        f"<p class='meta'>{escape(meta)}</p>{paths}{quotes}</article>"
    )


def _quote(quote: Quote) -> str:
    mark = "<span class='good'>✓ verified</span>" if quote.verified else f"<span class='bad'>✗ {escape(quote.problem)}</span>"
    where = escape(place(quote.source, quote.start, quote.end))
    text = f"{escape(quote.before)}<mark>{escape(quote.text)}</mark>{escape(quote.after)}"
    return f"<blockquote><cite>[{quote.id}] {where} {mark}</cite>{text}</blockquote>"


def draw(path: Mapping[str, Any]) -> str:
    """A path of `Answer.to_dict()` as inline SVG: boxes in reading order, each arrow in the direction of its triple."""
    parts: list[str] = []
    x = 1.0
    for index, hop in enumerate(path["hops"]):
        forward = hop["direction"] == 1
        first, last = (hop["subject"], hop["object"]) if forward else (hop["object"], hop["subject"])
        if index == 0:
            x = _box(parts, x, first)
        label = hop["relation"] + "".join(f" [{number}]" for number in hop["citations"])
        x = _arrow(parts, x, label, forward)
        x = _box(parts, x, last)
    described = escape(" · ".join(f"{hop['subject']} {hop['relation']} {hop['object']}" for hop in path["hops"]))
    size = f"width='{x + 1:.0f}' height='{_HEIGHT + 2}' viewBox='0 0 {x + 1:.0f} {_HEIGHT + 2}'"
    return f"<svg {size} role='img'><title>{described}</title>{''.join(parts)}</svg>"


def _box(parts: list[str], x: float, label: str) -> float:
    width = _CHARACTER * len(label) + 20
    parts.append(f"<rect x='{x:.0f}' y='1' width='{width:.0f}' height='{_HEIGHT}' rx='7' fill='none' stroke='currentColor'/>")
    parts.append(f"<text x='{x + width / 2:.0f}' y='23' text-anchor='middle' font-weight='600'>{escape(label)}</text>")
    return x + width


def _arrow(parts: list[str], x: float, label: str, forward: bool) -> float:
    end = x + _CHARACTER * len(label) + 2 * _GAP
    tip, back = (end, -7) if forward else (x, 7)
    parts.append(f"<line x1='{x:.0f}' y1='26' x2='{end:.0f}' y2='26' stroke='currentColor'/>")
    parts.append(f"<path d='M{tip:.0f} 26 l{back} -4 v8 z' fill='currentColor'/>")
    parts.append(f"<text x='{(x + end) / 2:.0f}' y='18' text-anchor='middle'>{escape(label)}</text>")
    return end
