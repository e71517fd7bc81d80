"""An answer as a notebook shows it: the sentence, the paths drawn, every quote with its place and whether it was verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kg.safe_text import markdown, markup, one_line
from ..kg.show import Picture, figure, quote_html

if TYPE_CHECKING:
    from .answer import Answer, Citation


def of_answer(answer: Answer) -> Picture:
    data = answer.to_dict()
    meta = f"{answer.status} · confidence {answer.confidence:.2f} · {answer.route.action}"
    paths = "".join(figure(path["hops"]) for path in data["paths"])
    quotes = "".join(quote_html(f"[{c.id}]", c.quote, f"{_place(c)} {_mark(c)}") for c in answer.citations)
    html = (
        f"<div style='opacity:.75'>{markup(answer.question)}</div>"
        f"<div style='font-size:1.15em;font-weight:600'>{markup(answer.text)}</div>"
        f"<div style='opacity:.75'>{markup(meta)}</div>{paths}{quotes}"
    )
    lines = [*map(str, answer.paths), *(f"[{c.id}] “{c.quote}” {_place(c)} {_mark(c)}" for c in answer.citations)]
    plain = "\n".join(map(one_line, [answer.text, meta, *lines]))
    marked = "\n".join([f"**{markdown(answer.text)}**", "", markdown(meta), "", *(f"- {markdown(line)}" for line in lines)])
    return Picture(plain, html, marked, data)


def _place(citation: Citation) -> str:
    return f"{citation.source}:{citation.start}-{citation.end}"


def _mark(citation: Citation) -> str:
    return "✓ verified" if citation.verified else "✗ not confirmed"


__all__ = ["of_answer"]
