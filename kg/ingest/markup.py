"""HTML: the text a reader sees, block by block, with the facts of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from ..model import Document, Fact
from .blocks import Builder
from .report import Issues
from .tables import mentions
from .text import decode, read_bytes, sha256

_HIDDEN = frozenset("script style nav template noscript svg math head iframe object select button".split())
_BLOCKS = frozenset(
    "address article aside blockquote body br caption dd details div dl dt fieldset figcaption figure footer header hr html li"
    " main ol p pre section summary ul".split()
)
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)


def load_html(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read an .html file: visible text in reading order, blocks as lines, tables as rows `a | b | c`."""
    raw = read_bytes(path, uri)
    charset = _CHARSET.search(raw[:2048])
    reader = _Reader()
    reader.feed(decode(raw, uri, issues, declared=charset[1].decode("ascii") if charset else ""))
    reader.close()
    text, facts = reader.finish(uri)
    title = reader.title or path.stem
    yield Document(uri, "text/html", text, sha256(raw), title=title, facts=facts, mentions=mentions(text, facts))


class _Reader(HTMLParser):
    """Collects words until a block ends; a table collects its cells until it ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = Builder()
        self.title = ""
        self._words: list[str] = []
        self._hidden: list[str] = []  # open elements that are not shown
        self._rows: list[list[str]] = []
        self._tables = 0  # depth: a table inside a cell is read as words of that cell
        self._titled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._titled = True
        elif tag == "body":
            self._hidden.clear()  # a head that was never closed hides nothing
        elif tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag == "table":
            self._flush()
            self._tables += 1
        elif tag == "tr" and self._tables == 1:
            self._rows.append([])
        elif (tag in _BLOCKS or tag in _HEADINGS) and not self._tables:
            self._flush()

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._titled = False
        elif tag in _HIDDEN:
            if tag in self._hidden:
                del self._hidden[self._hidden.index(tag) :]
        elif tag in ("td", "th") and self._tables == 1:
            self._cell()
        elif tag == "table" and self._tables:
            self._tables -= 1
            if not self._tables:
                self._end_table()
        elif tag in _HEADINGS and not self._tables:
            self._flush(level=int(tag[1]))
        elif tag in _BLOCKS and not self._tables:
            self._flush()

    def handle_data(self, data: str) -> None:
        if self._titled:
            self.title = " ".join((self.title + " " + data).split())
        elif not self._hidden:
            self._words.append(data)

    def finish(self, uri: str) -> tuple[str, tuple[Fact, ...]]:
        """The text and facts of the whole page."""
        self._end_table()
        self._flush()
        return self.builder.finish(uri)

    def _flush(self, level: int = 0) -> None:
        words = " ".join("".join(self._words).split())
        self._words.clear()
        if words and level:
            self.title = self.title or words
            self.builder.add_heading(level, words)
        elif words:
            self.builder.add_line(words)

    def _cell(self) -> None:
        cell = " ".join("".join(self._words).split())
        self._words.clear()
        if self._rows:
            self._rows[-1].append(cell)

    def _end_table(self) -> None:
        if self._words and self._rows:
            self._cell()
        rows = [row for row in self._rows if any(row)]
        self._rows = []
        self.builder.add_table(rows)
