"""What a notebook shows of a value: plain text, HTML, Markdown and data. No script, no address outside, all labels escaped.

A class that can be shown inherits `Shown` and says what there is to see; the drawing itself is done when it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .safe_text import clean, markdown, markup, one_line, short

if TYPE_CHECKING:
    from .model import Chunk, Path, Triple

MIME = "application/vnd.hoptrace+json"
FACTS, ROWS, QUOTE = 40, 50, 400  # facts drawn, rows and characters shown
_BOX = "font-family:system-ui,sans-serif;line-height:1.5"
_CELL = "style='text-align:left;vertical-align:top;padding:.2em .8em .2em 0'"


class Picture(NamedTuple):
    """One value in the forms that a notebook can choose from; `data` are JSON values."""

    plain: str
    html: str
    markdown: str
    data: Mapping[str, Any]


class Shown:
    """A value that IPython and Jupyter show well; see `_shown`."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # IPython looks at each class for `_repr_pretty_` and then `__repr__`, which dataclasses have of their own
        cls._repr_pretty_ = cls._repr_pretty_  # type: ignore[method-assign]

    def _shown(self) -> Picture:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return bundle(self._shown())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(clean(self._shown().plain))


def bundle(picture: Picture) -> dict[str, Any]:
    """A picture by media type."""
    return {
        "text/plain": clean(picture.plain),
        "text/html": f"<div style='{_BOX}'>{picture.html}</div>",
        "text/markdown": picture.markdown,
        MIME: dict(picture.data),
    }


def of_paths(paths: Sequence[Path]) -> Picture:
    """Paths as pictures, each with what its facts are stated by."""
    drawn = [path.to_dict() for path in paths]
    html = "".join(f"{figure(d['hops'])}{''.join(_quotes(p))}" for d, p in zip(drawn, paths)) or "no path"
    lines = "\n".join(map(one_line, paths)) or "no path"
    return Picture(lines, html, "\n".join(f"- {markdown(path)}" for path in paths) or "no path", {"paths": drawn})


def figure(hops: Sequence[Mapping[str, Any]]) -> str:
    """The hops of a path as a picture that scrolls where it is too wide."""
    from .drawing import path_svg

    return f"<div style='overflow-x:auto;margin:.5em 0'>{path_svg(hops)}</div>"


def quote_html(mark: str, text: str, place: str) -> str:
    """A quote with its place."""
    where = f"<span style='font:.85em ui-monospace,monospace;opacity:.75'>{markup(one_line(place))}</span>"
    style = "margin:.3em 0;padding:.2em .8em;border-left:3px solid #8886"
    return f"<div style='{style}'>{markup(mark)} “{markup(_cut(text))}” {where}</div>"


def _quotes(path: Path) -> Iterable[str]:
    for hop in path.hops:
        for span in hop.triple.spans[:1]:
            yield quote_html("", span.quote, f"{span.source_id}:{span.start}-{span.end}")


def of_graph(name: str, counts: Mapping[str, int], triples: Iterable[Triple]) -> Picture:
    """A graph by name, counts and its first facts, drawn."""
    from .drawing import graph_svg

    first = list(islice(triples, FACTS + 1))
    shown = first[:FACTS]
    said = [f"{number:,} {what}" for what, number in counts.items() if what in ("sources", "entities", "relations", "triples")]
    said += [f"drawn are the first {FACTS} facts"] if len(first) > FACTS else [] if counts else [f"{len(shown)} facts"]
    caption = f"{one_line(name)}: {', '.join(said)}"
    nodes = {node.id: node.label for triple in shown for node in (triple.subject, triple.object)}
    picture = graph_svg(nodes, [(t.subject.id, t.relation.label, t.object.id) for t in shown], caption) if shown else ""
    html = f"<div>{markup(caption)}</div><div style='overflow-x:auto'>{picture}</div>"
    facts = [{"subject": t.subject.label, "relation": t.relation.label, "object": t.object.label, "id": t.id} for t in shown]
    listed = "\n".join(f"- {markdown(triple)}" for triple in shown)
    return Picture(caption, html, f"**{markdown(caption)}**\n\n{listed}", {"name": name, "counts": dict(counts), "facts": facts})


def of_passage(chunk: Chunk, score: float) -> Picture:
    """A passage that a search found."""
    place = f"{chunk.source_id}:{chunk.start}-{chunk.end}"
    plain = f"{score:.3f}  {place}  {short(chunk.text, 160)}"
    data: dict[str, Any] = {"chunk_id": chunk.id, "source_id": chunk.source_id, "start": chunk.start, "end": chunk.end}
    data |= {"text": chunk.text, "score": float(score)}
    marked = f"> {markdown(_cut(chunk.text))}\n>\n> {markdown(place)}"
    return Picture(plain, quote_html(f"{score:.3f}", chunk.text, place), marked, data)


def of_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], said: str, data: Mapping[str, Any] | None = None
) -> Picture:
    """A table of texts under a line that sums it up; the first `ROWS` rows are shown."""
    body = [["" if cell is None else _cut(str(cell)) for cell in row] for row in rows[:ROWS]]
    said += f" (the first {ROWS} are shown)" if len(rows) > ROWS else ""
    head = "".join(f"<th {_CELL}>{markup(column)}</th>" for column in columns)
    html = "".join("<tr>" + "".join(f"<td {_CELL}>{markup(cell)}</td>" for cell in row) + "</tr>" for row in body)
    plain = "\n".join([said, " | ".join(map(one_line, columns)), *(" | ".join(map(one_line, row)) for row in body)])
    lines = [f"| {' | '.join(map(markdown, row))} |" for row in (columns, *body)]
    marked = "\n".join([markdown(said), "", lines[0], "|" + " --- |" * len(columns), *lines[1:]])
    table = f"<table><tr>{head}</tr>{html}</table><div>{markup(said)}</div>"
    return Picture(plain, table, marked, data or _records(columns, rows))


def _records(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    return {"columns": list(columns), "rows": [list(row) for row in rows[:ROWS]]}


def _cut(text: str) -> str:
    return text if len(text) <= QUOTE else text[: QUOTE - 1] + "…"


__all__ = ["MIME", "Picture", "Shown", "bundle", "figure", "of_graph", "of_passage", "of_paths", "of_table", "quote_html"]
