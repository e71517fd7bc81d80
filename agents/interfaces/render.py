"""Results drawn for a terminal.

Text from documents is data: it never passes through markup, and control characters, which a terminal would obey, are taken
out (`clean`). Colour comes from rich, which leaves it out when the output is no terminal or NO_COLOR is set.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...kg.safe_text import clean as clean
from ...kg.safe_text import one_line as one_line

if TYPE_CHECKING:
    from .quotes import Quote

_PIPE_WIDTH = 100_000  # no terminal: one record stays one line, for grep
_NARROW = 60  # columns below which a table is written as a list
# Marks that a screen reader spells out or leaves out, in words that it reads.
_PLAIN = str.maketrans(
    {"→": "->", "←": "<-", "—": "-", "–": "-", "·": ",", "…": "...", "✓": "", "✗": "NOT", "»": '"', "«": '"', "“": '"', "”": '"'}
)


class Screen(Console):
    """A console on which text is only text.

    Attributes:
        plain: no colour, no drawing, no mark that is no word.
        most_rows: of a table, before it is cut; None for all.
    """

    def __init__(self, file: TextIO, *, plain: bool = False, most_rows: int | None = None) -> None:
        width = None if file.isatty() else _PIPE_WIDTH
        colour: Any = {"color_system": None} if plain else {}
        super().__init__(file=file, width=width, markup=False, highlight=False, emoji=False, **colour)
        self.plain, self.most_rows = plain, most_rows

    def words(self, text: object) -> str:
        """Text as it may be shown here."""
        return clean(text).translate(_PLAIN) if self.plain else clean(text)


def console(file: TextIO | None = None, *, plain: bool = False, most_rows: int | None = None) -> Screen:
    """A screen over a file, standard output when None."""
    return Screen(file or sys.stdout, plain=plain, most_rows=most_rows)


@contextmanager
def uncut(out: Console) -> Iterator[None]:
    """Tables are shown whole."""
    if not isinstance(out, Screen):
        yield
        return
    most, out.most_rows = out.most_rows, None
    try:
        yield
    finally:
        out.most_rows = most


def told(show: Callable[[Console], None], limit: int = 6000) -> str:
    """What a result shows, as plain text for a program: no colour, columns two blanks apart, cut after `limit` characters."""
    file = io.StringIO()
    show(Console(file=file, width=_PIPE_WIDTH, color_system=None, markup=False, highlight=False, emoji=False))
    text = "\n".join(re.sub(" {3,}", "  ", row).rstrip() for row in file.getvalue().splitlines()).strip()
    return text if len(text) <= limit else text[:limit] + "\n… cut"


def line(out: Console, *parts: str | tuple[str, str]) -> None:
    """Print one line put together from plain parts and (text, style) parts."""
    words = out.words if isinstance(out, Screen) else clean
    text = Text()
    for part in parts:
        text.append(words(part)) if isinstance(part, str) else text.append(words(part[0]), style=part[1])
    out.print(text, soft_wrap=True)


def lines(out: Console, text: str) -> None:
    """Print plain text line by line."""
    for row in text.splitlines():
        line(out, row)


def table(out: Console, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "nothing") -> None:
    """A plain table; `empty` is printed when there are no rows. Where there is no room for columns, or nobody sees them, each row
    is a list of names and values."""
    words = out.words if isinstance(out, Screen) else clean
    body = [[" ".join(words(cell).split()) if cell is not None else "" for cell in row] for row in rows]
    if not body:
        line(out, empty)
        return
    most, plain = (out.most_rows, out.plain) if isinstance(out, Screen) else (None, False)
    left = len(body) - most if most is not None and len(body) > most else 0
    body = body[: len(body) - left]
    if (plain or out.width < _NARROW) and len(columns) > 2:
        for row in body:
            for column, cell in zip(columns, row):
                if cell:
                    line(out, f"{column.replace('_', ' ')}: {cell}")
            line(out, "")
    else:
        _grid(out, columns, body)
    if left:
        line(out, (f"… {left} more, /last", "dim"))


def _grid(out: Console, columns: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(Text(column), overflow="fold")
    for row in body:
        grid.add_row(*map(Text, row))
    out.print(grid)


def place(source: str, start: int, end: int) -> str:
    """`source:start-end`, the source as seen from the working folder where it lies inside it."""
    if os.path.isabs(source) and not (near := os.path.relpath(source)).startswith(".."):
        source = near
    return one_line(f"{source}:{start}-{end}")


def fields(out: Console, data: Mapping[str, object]) -> None:
    """Names and values, one pair per line; nested mappings are indented."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            line(out, (name.replace("_", " "), "bold"))
            for inner, number in value.items():
                line(out, f"  {inner.replace('_', ' ')}: {number}")
        else:
            line(out, (name.replace("_", " "), "bold"), f": {value}")


def chain(path: Mapping[str, Any]) -> list[str | tuple[str, str]]:
    """A path of `Answer.to_dict()` as the parts of one line: `A —relation→ B ←relation— C [1][2]`."""
    parts: list[str | tuple[str, str]] = []
    for hop in path["hops"]:
        first, last = hop["subject"], hop["object"]
        left, right = ("—", "→") if hop["direction"] == 1 else ("←", "—")
        if hop["direction"] != 1:
            first, last = last, first
        if not parts:
            parts.append((one_line(first), "bold"))
        marks = "".join(f"[{number}]" for number in hop["citations"])
        parts += [(f" {left}{one_line(hop['relation'])}{right} ", "cyan"), (one_line(last), "bold"), (marks, "dim")]
    return parts


def answer(out: Console, record: Mapping[str, Any], *, both: bool = False) -> None:
    """An answer: its text (under it the plain one, for `both`), the hops as chains, and every quote with its place and whether it
    was verified."""
    abstained = record["status"] == "abstained"
    route = record["route"]
    line(out, (f"[{record['number']}] ", "dim"), (one_line(record["question"]), "italic"))
    line(out, (one_line(record["text"]), "yellow" if abstained else "bold green"))
    if both:
        line(out, ("plain  ", "dim"), one_line(record["realised"]))
    support = record.get("support", {"marks": [], "conflicts": []})  # an answer kept by an earlier version has none
    marks = "".join(f" · {mark}" for mark in support["marks"])
    line(out, (f"{record['status']} · confidence {record['confidence']:.2f} · {route['action']}{marks}", "dim"))
    for conflict in support["conflicts"]:
        against = ", ".join(map(one_line, conflict["against"]))
        line(out, ("  but ", "yellow"), one_line(conflict["other"]), (f" ({against})", "dim"))
    for path in record["paths"]:
        line(out, "  ", *chain(path))
    for citation in record["citations"]:
        where = place(citation["source"], citation["start"], citation["end"])
        mark = ("✓ verified", "green") if citation["verified"] else ("✗ not confirmed", "bold red")
        line(out, "  ", (f"[{citation['id']}] ", "dim"), f"“{one_line(citation['quote'])}”")
        line(out, "      ", (where, "blue"), "  ", mark)


def beside(out: Console, record: Mapping[str, Any]) -> None:
    """An answer from the graph and one from memory, side by side."""
    pairs = [("from the graph", record), ("from memory", record["internal"])]
    rows = [
        (where, "; ".join(one["answers"]) or "no answer", f"{one['confidence']:.2f}", f"[{one['number']}]")
        for where, one in pairs
    ]
    table(out, ("", "answer", "confidence", "number"), rows)
    line(out, ("they agree", "green") if record["agree"] else ("they do not agree", "bold yellow"))


def why(out: Console, record: Mapping[str, Any]) -> None:
    """The route, the seeds, and every path looked at: taken ones first, then the rejected, with the parts of their scores."""
    route = record["route"]
    line(out, (f"[{record['number']}] ", "dim"), (one_line(record["question"]), "italic"))
    line(out, ("route", "bold"), f": {route['action']} ({route['mode']}) — {one_line(route['reason'])}")
    if route["scores"]:
        line(out, "  ", ", ".join(f"{name} {value:.2f}" for name, value in route["scores"].items()))
    taken = {tuple(hop["triple_id"] for hop in path["hops"]) for path in record["paths"]}
    for step in record["trace"]:
        if step["step"] == "linked":
            if step.get("rewrite"):
                line(out, ("read as", "bold"), f": {one_line(step['rewrite']['text'])}")
            line(out, ("linked", "bold"))
            seeds = [(seed["mention"], seed["label"], seed["id"], f"{seed['score']:.2f}") for seed in step["seeds"]]
            table(out, ("mention", "entity", "id", "score"), seeds, empty="no name of the question is in the graph")
        elif step["step"] == "understood":
            details = {"operation": step["operation"], "answer type": step["answer_type"], "as of": step["as_of"]}
            said = ", ".join(f"{name} {value}" for name, value in details.items() if value)
            line(out, ("understood", "bold"), f": {said}; words to explain: {', '.join(step['words']) or 'none'}")
        elif step["step"] == "retrieved":
            _paths(out, step, taken)
        elif step["step"] == "verified":
            counts = f"{step['citations']} citations, {step['failed']} failed, {step['dropped']} claims dropped"
            line(out, ("verified", "bold"), f": {counts}")
    spent = ", ".join(f"{name} {value:.0f} ms" for name, value in record["timings_ms"].items())
    line(out, ("spent", "bold"), f": {record['usage']['evidence_tokens']} evidence tokens; {spent}")


def why_not(out: Console, found: Mapping[str, Any]) -> None:
    """Why an entity is not the answer: the reason, the best path to it hop by hop, and the winner beside it."""
    line(out, (one_line(found["entity"]), "bold"), f": {found['reason']}")
    line(out, one_line(found["text"]))
    if found["path"] is None:
        return
    what = "path" if found["reason"] == "answer" else "rejected"
    line(out, (what, "bold"), f" {found['score']:.3f}  {one_line(found['path']['text'])}")
    for number, step in enumerate(found["steps"], start=1):
        said = f"explains “{one_line(step['explains'])}” ({step['gain']:.2f})" if step["explains"] else "explains nothing"
        mark = ("  ← left here", "yellow") if number == found["hop"] else ""
        line(out, f"  {number}  {one_line(step['text'])}  ", (said, "dim"), mark)
    parts = " ".join(f"{name}={value:.2f}" for name, value in found["parts"].items())
    if parts:
        line(out, "  ", (parts, "dim"), (f"  lost by {found['lost']}", "yellow") if found["lost"] else "")
    if found["winner"] is not None:
        line(out, ("best", "bold"), f" {one_line(found['winner']['text'])}")
    if found["truncated"]:
        line(out, ("cut short by", "bold"), f": {', '.join(found['truncated'])}")


def without(out: Console, found: Mapping[str, Any]) -> None:
    """What is said with a source and without it."""
    for when, one in (("with it     ", found["before"]), ("without it  ", found["after"])):
        marks = "".join(f" · {mark}" for mark in one["support"]["marks"])
        line(out, (when, "dim"), one_line(one["text"]), (f"  {one['status']} · confidence {one['confidence']:.2f}{marks}", "dim"))
    line(out, ("other answers" if found["changed"] else "the same answers", "bold"))


def _paths(out: Console, step: Mapping[str, Any], taken: set[tuple[str, ...]]) -> None:
    line(out, ("paths", "bold"))
    ranked = sorted(step["paths"], key=lambda path: tuple(path["triples"]) not in taken)
    rows = [
        (
            "taken" if tuple(path["triples"]) in taken else "rejected",
            f"{path['score']:.3f}",
            " ".join(f"{name}={value:.2f}" for name, value in path["parts"].items()),
            path["text"],
        )
        for path in ranked
    ]
    table(out, ("", "score", "parts", "path"), rows, empty="none found")
    if step["truncated"]:
        line(out, ("cut short by", "bold"), f": {', '.join(step['truncated'])}")


def quotes(out: Console, found: Sequence[Quote]) -> None:
    """Each cited span highlighted in the text around it, with the check made now."""
    for quote in found:
        mark = ("✓ verified", "green") if quote.verified else (f"✗ {one_line(quote.problem)}", "bold red")
        line(out, (f"[{quote.id}] ", "dim"), (place(quote.source, quote.start, quote.end), "blue"), "  ", mark)
        before, after = quote.before.rpartition("\n\n")[2], quote.after.partition("\n\n")[0]
        line(out, before.lstrip(), (f"»{quote.text}«", "bold reverse"), after.rstrip())
        line(out, "")
    if not found:
        line(out, "this answer cites nothing")


def step(out: Console, event: Any) -> None:
    """A step of a running question, as it happens."""
    name = type(event).__name__
    if name == "Linked":
        if event.rewrite:
            line(out, ("  reads  ", "dim"), one_line(event.rewrite.text))
        said = ", ".join(one_line(seed.node.label) for seed in event.seeds) or "no name recognised"
        line(out, ("  linked ", "dim"), said)
    elif name == "Gated":
        line(out, ("  route  ", "dim"), f"{event.route.action}: {one_line(event.route.reason)}")
    elif name == "Retrieved":
        for path in event.paths[:3]:
            line(out, ("  found  ", "dim"), one_line(path))
    elif name == "Verified":
        line(out, ("  check  ", "dim"), f"{event.citations - event.failed} of {event.citations} citations hold")


class Progress:
    """Shows how far an ingestion or a batch is, on one line of a terminal; silent where `file` is no terminal."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._width = 0

    def __call__(self, event: Any) -> None:
        if not self._file.isatty():
            return
        share = 100 * event.done // max(1, event.total)
        left = f", {event.eta_s:.0f} s left" if event.eta_s is not None else ""
        read = f"{event.documents} documents, {event.triples} triples"
        counted = f"{event.done} of {event.total} {event.unit}" if event.unit else read
        text = one_line(f"{share}%  {counted}{left}  {event.file}")[:78]
        self._file.write("\r" + text.ljust(self._width))
        self._file.flush()
        self._width = len(text)

    def stop(self) -> None:
        """Clear the line."""
        if self._width:
            self._file.write("\r" + " " * self._width + "\r")
            self._file.flush()
            self._width = 0
