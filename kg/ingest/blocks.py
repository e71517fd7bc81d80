"""Headings, lines and tables as they come along in a document: what a table or a `Key: value` block is about.

`Blocks` watches the blocks of a text that exists already; `Builder` also puts that text together, for formats whose
files are not text themselves (HTML, docx, xlsx).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import ParseError
from ..model import Fact
from .tables import Row, record_facts, table_facts
from .values import words_of

PAIR = re.compile(r"\s*(?:[-*+]\s+)?([^\W\d_][\w /().&'-]{0,40}?)\s*:[ \t]+(\S.*?)\s*$")
_LETTERHEAD = frozenset(["subject", "re", "cc", "to"])  # of a memo or mail, which say nothing about its heading
_GENERIC = frozenset(
    # words of headings that name nothing: "Key figures", "Company profile"
    "a an and at basic company contact data description detail details entry fact facts figure figures file financial firm for"
    " general glance history in information key main memo note notes of on overview people profile record records register"
    " registry report results section summary table the".split()
)


class Blocks:
    """Collects the facts of tables and of runs of at least two `Key: value` lines.

    Args:
        title: the document's title, the last resort for what a block is about.
    """

    def __init__(self, title: str = "") -> None:
        self._title = title
        self._headings: list[tuple[int, str]] = []
        self._pairs: list[tuple[int, int, str, str]] = []
        self._facts: list[Fact] = []

    def heading(self, level: int, name: str) -> None:
        self._end_pairs()
        self._headings = [entry for entry in self._headings if entry[0] < level] + [(level, name)]

    def line(self, start: int, end: int, text: str) -> None:
        """A line of prose at `[start, end)`, or one `Key: value` pair."""
        pair = PAIR.match(text)
        if pair and len(pair[1].split()) <= 5:
            self._pairs.append((start, end, pair[1], pair[2]))
        else:
            self._end_pairs()

    def table(self, rows: Sequence[Row]) -> None:
        self._end_pairs()
        self._facts.extend(table_facts(rows, self._topic()))

    def finish(self) -> tuple[Fact, ...]:
        self._end_pairs()
        return tuple(self._facts)

    def _end_pairs(self) -> None:
        if len(self._pairs) > 1 and not _LETTERHEAD & {words_of(key) for _, _, key, _ in self._pairs}:
            self._facts.extend(record_facts(self._topic(), self._pairs))
        self._pairs = []

    def _topic(self) -> str:
        """The nearest heading that names something, without its generic part."""
        for heading in [*(name for _, name in reversed(self._headings)), self._title]:
            for part in re.split(r"\s+[-–—|]\s+|:\s+", heading):
                if any(word not in _GENERIC for word in words_of(part).split()):
                    return part.strip()
        return ""


class Builder:
    """Puts a text together from blocks: one line each, an empty line around headings, table rows as `a | b | c`."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._parts: list[str] = []
        self._length = 0

    def add_heading(self, level: int, text: str) -> None:
        if self._parts:
            self._write("\n")
        self._blocks.heading(level, text)
        self._write(text + "\n\n")

    def add_line(self, text: str) -> None:
        start = self._length
        self._write(text + "\n")
        self._blocks.line(start, self._length - 1, text)

    def add_table(self, rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        placed = []
        for cells in rows:
            start = self._length
            self._write(" | ".join(cells) + "\n")
            placed.append(Row(start, self._length - 1, cells))
        self._blocks.table(placed)
        self._write("\n")

    def finish(self, uri: str) -> tuple[str, tuple[Fact, ...]]:
        """The text and its facts.

        Raises:
            ParseError: there is no text.
        """
        text = "".join(self._parts)
        if not text.strip():
            raise ParseError("it holds no text", uri=uri)
        return text, self._blocks.finish()

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
