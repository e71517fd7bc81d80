"""Text and Markdown: the file's own characters, plus the facts of tables and `Key: value` blocks, or those stated beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..model import Document, Fact
from .blocks import PAIR, Blocks
from .report import Issues
from .sidecar import GIVEN, SUFFIX, beside, stated
from .tables import Row, mentions
from .text import decode, read_bytes, sha256

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_RULER = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\*\*|__|`")


def load_text(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read a .txt or .md file as one document of prose."""
    raw = read_bytes(path, uri)
    text = decode(raw, uri, issues)
    markdown = path.suffix.lower() != ".txt"
    title = title_of(text) or path.stem
    media, parts = "text/markdown" if markdown else "text/plain", [raw]
    if sidecar := beside(path):
        name = uri.removesuffix(path.suffix) + SUFFIX
        parts.append(read_bytes(sidecar, name))
        facts, media = stated(text, parts[1], name, issues), media + GIVEN
    else:
        facts = text_facts(text, title)
    yield Document(uri, media, text, sha256(*parts), title=title, facts=facts, mentions=mentions(text, facts))


def title_of(text: str) -> str:
    """The first heading, else a short first line without a full stop, else ""."""
    first = ""
    for _, _, line in _lines(text[:4000]):
        if heading := _HEADING.match(line):
            return plain(heading[2])
        first = first or line.strip()
    return first if len(first) <= 100 and not first.endswith((".", ":", ",", ";")) and not PAIR.match(first) else ""


def plain(text: str) -> str:
    """Markdown inline marks taken off."""
    return " ".join(_MARKUP.sub(lambda match: match[1] or "", text).split())


def text_facts(text: str, title: str) -> tuple[Fact, ...]:
    """Facts of Markdown tables and of `Key: value` lines, about the heading above them."""
    blocks = Blocks(title)
    table: list[Row] = []
    fenced = False

    def end_table() -> None:
        if len(table) > 2 and _RULER.match(text, table[1].start, table[1].end):
            blocks.table([table[0], *table[2:]])
        table.clear()

    for start, end, line in _lines(text):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and "|" in line:
            table.append(Row(start, end, [plain(cell.replace("\\|", "|")) for cell in cells(line)]))
            continue
        end_table()
        if heading := None if fenced else _HEADING.match(line):
            blocks.heading(len(heading[1]), plain(heading[2]))
        else:
            blocks.line(start, end, "" if fenced else plain(line))
    end_table()
    return blocks.finish()


def cells(line: str) -> list[str]:
    """The cells of one row of a Markdown table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", re.sub(r"^\||(?<!\\)\|$", "", line.strip()))]


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, line) of every line, without its end and outer white space."""
    start = 0
    for line in text.split("\n"):
        body = line.strip()
        offset = start + line.find(body)
        yield offset, offset + len(body), line.rstrip()
        start += len(line) + 1
