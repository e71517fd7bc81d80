"""Facts written down beside a text: `NAME.facts.csv` states what `NAME.md` or `NAME.txt` says, each with the words that say it.

    subject,relation,object,quote
    short sleep,calls for,a fixed rise time,Short sleep calls for a fixed rise time

The quote must stand exactly once in the text (white space aside), and the fact's characters are those. Nothing else is
extracted from such a text. A row whose relation is `also known as` has no quote: it gives its subject another name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..errors import ParseError
from ..model import Fact, Literal, Name
from .delimited import rows
from .report import Issues
from .tables import Row
from .text import decode, line_of
from .values import name_of, value_of

SUFFIX = ".facts.csv"
GIVEN = ";facts=given"  # ends the media type of a document whose facts are stated beside it
COLUMNS = ("subject", "relation", "object", "quote")
_ALIAS = "also known as"


def beside(path: Path) -> Path | None:
    """The file of facts beside a text, None where there is none."""
    found = path.with_name(path.stem + SUFFIX)
    return found if path.suffix.lower() in (".md", ".txt") and found.is_file() else None


def is_sidecar(path: Path) -> bool:
    """Whether a file states the facts of a text beside it, so that it is no table of its own."""
    text = path.name.removesuffix(SUFFIX)
    return path.name.endswith(SUFFIX) and any(path.with_name(text + suffix).is_file() for suffix in (".md", ".txt"))


def stated(text: str, raw: bytes, uri: str, issues: Issues) -> tuple[Fact, ...]:
    """The facts of a text, each at the characters of its quote; rows that do not fit are rejected.

    Args:
        text: what the quotes stand in.
        raw: the file of facts.
        uri: its name.
        issues: takes the rejected rows.

    Raises:
        ParseError: its header is another.
    """
    table = decode(raw, uri, issues)
    header, *body = list(rows(table, ",", uri, issues)) or [Row(0, 0, ())]
    if tuple(header.cells) != COLUMNS:
        raise ParseError(f"its header is not {','.join(COLUMNS)}", uri=uri, line=1)
    filled = [row for row in body if _is_filled(row, table, uri, issues)]
    names: dict[str, list[str]] = defaultdict(list)
    for subject, relation, alias, _ in (row.cells for row in filled):
        if relation == _ALIAS:
            names[subject].append(alias)
    facts = []
    for row in filled:
        if row.cells[1] != _ALIAS:
            try:
                facts.append(_fact(text, row.cells, names))
            except ParseError as error:
                issues.reject(ParseError(error.reason, uri=uri, line=line_of(table, row.start)))
    return tuple(facts)


def _is_filled(row: Row, table: str, uri: str, issues: Issues) -> bool:
    cells = row.cells
    whole = len(cells) == len(COLUMNS) and all(cell.strip() for cell in cells[:3]) and bool(cells[3] or cells[1] == _ALIAS)
    if not whole:
        issues.reject(ParseError(f"not a row of {', '.join(COLUMNS)}", uri=uri, line=line_of(table, row.start)))
    return whole


def _fact(text: str, cells: Sequence[str], aliases: dict[str, list[str]]) -> Fact:
    subject, relation, object_, quote = (" ".join(cell.split()) for cell in cells)
    found = list(re.finditer(r"\s+".join(map(re.escape, quote.split())), text))
    if len(found) != 1:
        raise ParseError(f"the quote stands {len(found)} times in the text, not once: {quote[:80]!r}")
    value = value_of(object_, relation)
    end = value if isinstance(value, Literal) else name_of(object_, aliases=tuple(aliases[object_]))
    name: Name = name_of(subject, aliases=tuple(aliases[subject]))
    return Fact(name, relation, end, found[0].start(), found[0].end(), "given")


__all__ = ["GIVEN", "SUFFIX", "beside", "is_sidecar", "stated"]
