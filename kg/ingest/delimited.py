"""Separated values, with the characters of every row; and `head|relation|tail` files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ..errors import ParseError
from ..model import Document, Fact, Literal, Name
from .report import Issues
from .tables import Row, is_header, layout, mentions, row_facts
from .text import decode, line_of, read_bytes, sha256
from .values import name_of, value_of, words_of

_FIELD_LIMIT = 16 * 2**20  # characters in one field; csv's own limit of 131,072 stops at ordinary long texts
_VALUE_WORDS = ("year", "date", "number", "count", "amount", "price", "height", "weight", "population", "runtime")


def load_table(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read a .csv or .tsv file as one document of records. A row that does not fit the header is rejected."""
    raw = read_bytes(path, uri)
    text = decode(raw, uri, issues)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    facts = table_facts_of(text, delimiter, uri, path.stem, issues)
    if facts is None:
        issues.warnings.append(f"{uri}: no header row; its rows can be found as text but state no facts")
    media, stated = "text/tab-separated-values" if delimiter == "\t" else "text/csv", tuple(facts or ())
    found = mentions(text, stated)
    yield Document(uri, media, text, sha256(raw), title=path.stem, records=True, facts=stated, mentions=found)


def table_facts_of(text: str, delimiter: str, uri: str, title: str, issues: Issues) -> list[Fact] | None:
    """The facts of separated values; None without a header row. A row that does not fit the header is rejected."""
    facts: list[Fact] = []
    found = rows(text, delimiter, uri, issues)
    header = next(found, None)
    if header is None or not is_header(header.cells):
        return None
    body = list(found)
    roles = layout(header.cells, body[:50], title)
    for row in body:
        if len(row.cells) == len(header.cells):
            facts.extend(row_facts(roles, row))
        else:
            reason = f"{len(row.cells)} cells under a header of {len(header.cells)}"
            issues.reject(ParseError(reason, uri=uri, line=line_of(text, row.start)))
    return facts


def rows(text: str, delimiter: str, uri: str, issues: Issues) -> Iterator[Row]:
    """The non-empty rows of separated values with their offsets. A broken quote ends the table and is rejected."""
    consumed = 0

    def lines() -> Iterator[str]:
        nonlocal consumed
        for line in io.StringIO(text, newline=""):
            consumed += len(line)
            yield line

    previous = csv.field_size_limit(_FIELD_LIMIT)
    try:
        start = 0
        for cells in csv.reader(lines(), delimiter=delimiter, strict=True):
            body = text[start:consumed]
            if body.strip():
                yield Row(start, start + len(body.rstrip("\r\n")), cells)
            start = consumed
    except csv.Error as error:
        issues.reject(ParseError(f"not separated values: {error}", uri=uri, line=line_of(text, start)))
    finally:
        csv.field_size_limit(previous)


def _delimiter(text: str) -> str:
    """The separator that stands most often in the first line."""
    first = text.lstrip("\n\r").split("\n", 1)[0]
    return max(",;\t|", key=first.count)


def load_triples(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read `head|relation|tail` lines (tab-separated in a .tsv) as one document of records."""
    raw = read_bytes(path, uri)
    text = decode(raw, uri, issues)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else "|"
    names: dict[str, Name] = {}  # one object per name: a file of a million lines stays small
    relations: dict[str, str] = {}
    facts: list[Fact] = []
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        parts = line.rstrip("\r").split(delimiter)
        if len(parts) == 3 and all(part.strip() for part in parts):
            head, relation, tail = parts
            label = relations.get(relation) or relations.setdefault(relation, words_of(relation))
            subject = names.get(head) or names.setdefault(head, name_of(head))
            object = _typed(tail, label) or names.get(tail) or names.setdefault(tail, name_of(tail))
            facts.append(Fact(subject, label, object, start, start + len(line.rstrip("\r")), "given"))
        elif line.strip():
            issues.reject(ParseError(f"{len(parts)} parts instead of head, relation and tail", uri=uri, line=number))
        start += len(line) + 1
    yield Document(uri, "application/x-triples", text, sha256(raw), title=path.stem, records=True, facts=tuple(facts))


def _typed(tail: str, relation: str) -> Literal | None:
    """A literal, where both the relation and the form of the tail say that it is a value and not a name."""
    if not tail[:1].isdigit() or not any(word in _VALUE_WORDS for word in relation.split()):
        return None
    value = value_of(tail, relation)
    return None if isinstance(value, Name) else value
