"""JSON with the characters of every value, and what its objects say.

An object is a record: its name-like key is the subject, the other keys are relations, nested objects and lists are
followed. The parser is our own because the standard one gives no offsets, no bound on depth and no duplicate keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import NamedTuple

from ..errors import ParseError
from ..model import Document, Fact
from .report import Issues
from .tables import CONFIDENCE, EXTRACTOR, NAMES, Row, layout, mentions, row_facts
from .text import MAX_DEPTH, decode, line_of, read_bytes, sha256
from .values import is_nothing, name_of, words_of

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null")
_QUOTE_LIMIT = 1000  # characters; a longer object is quoted by the pair that states the fact
_FACT_DEPTH = 8


class Node(NamedTuple):
    """A JSON value at `text[start:end]`: the words of a scalar, the items of a list, or the pairs of an object."""

    start: int
    end: int
    scalar: str | None = None
    items: tuple[Node, ...] | None = None
    pairs: tuple[tuple[str, Node], ...] | None = None


def load_json(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read a .json or .jsonl file as one document of records. A broken line of .jsonl is rejected, others go in."""
    raw = read_bytes(path, uri)
    text = decode(raw, uri, issues)
    facts: list[Fact] = []
    lines = path.suffix.lower() != ".json"
    for start, end in _lines(text) if lines else [(0, len(text))]:
        try:
            facts.extend(_facts(parse(text, start, end, uri), listed=lines))
        except ParseError as error:
            if not lines:
                raise
            issues.reject(error)
    media = "application/jsonl" if lines else "application/json"
    yield Document(
        uri, media, text, sha256(raw), title=path.stem, records=True, facts=tuple(facts), mentions=mentions(text, facts)
    )


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, start + len(line)
        start += len(line) + 1


# ---- parsing ---------------------------------------------------------------------------------------------------


def parse(text: str, start: int, end: int, uri: str) -> Node:
    """Parse the one JSON value in `text[start:end]` (RFC 8259, without duplicate keys).

    Raises:
        ParseError: broken, a key twice, or nested deeper than `MAX_DEPTH`; carries the line.
    """
    try:
        node = _value(text, _skip(text, start), 0)
        if _skip(text, node.end) < end:
            raise _Broken("something follows the value", node.end)
    except _Broken as error:
        raise ParseError(f"not JSON: {error.reason}", uri=uri, line=line_of(text, error.position)) from None
    return node


class _Broken(ValueError):
    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason, self.position = reason, position


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _value(text: str, position: int, depth: int) -> Node:
    first = text[position : position + 1]
    if depth > MAX_DEPTH:
        raise _Broken(f"nested deeper than {MAX_DEPTH}", position)
    if first == '"':
        scalar, end = _string(text, position)
        return Node(position, end, scalar)
    if first == "[":
        return _list(text, position, depth)
    if first == "{":
        return _object(text, position, depth)
    match = _SCALAR.match(text, position)
    if not match:
        raise _Broken(f"a value cannot start with {text[position : position + 10]!r}", position)
    return Node(position, match.end(), "" if match[0] == "null" else match[0])


def _string(text: str, position: int) -> tuple[str, int]:
    try:
        value, end = scanstring(text, position + 1, True)
    except JSONDecodeError as error:
        raise _Broken(error.msg, error.pos) from None
    return value, end


def _list(text: str, start: int, depth: int) -> Node:
    items: list[Node] = []
    position = _skip(text, start + 1)
    while text[position : position + 1] != "]":
        items.append(_value(text, position, depth + 1))
        position = _next(text, items[-1].end, "]")
    return Node(start, position + 1, items=tuple(items))


def _object(text: str, start: int, depth: int) -> Node:
    pairs: dict[str, Node] = {}
    position = _skip(text, start + 1)
    while text[position : position + 1] != "}":
        if text[position : position + 1] != '"':
            raise _Broken("a key must be a string", position)
        key, end = _string(text, position)
        if key in pairs:
            raise _Broken(f"duplicate key {key[:40]!r}", position)
        end = _skip(text, end)
        if text[end : end + 1] != ":":
            raise _Broken("a colon is missing", end)
        node = _value(text, _skip(text, end + 1), depth + 1)
        pairs[key] = node._replace(start=position) if node.scalar is not None else node
        position = _next(text, node.end, "}")
    return Node(start, position + 1, pairs=tuple(pairs.items()))


def _next(text: str, position: int, close: str) -> int:
    """The start of the next item, or of `close`, after the item that ended at `position`."""
    position = _skip(text, position)
    found = text[position : position + 1]
    if found == close:
        return position
    if found != ",":
        raise _Broken(f"expected a comma or {close!r}", position)
    position = _skip(text, position + 1)
    if text[position : position + 1] == close:
        raise _Broken("a comma before the end", position)
    return position


# ---- facts -----------------------------------------------------------------------------------------------------


def _facts(node: Node, *, about: str = "", listed: bool = False, depth: int = 0) -> Iterator[Fact]:
    """Facts of a value. `about` is the subject where an object does not name its own."""
    if depth > _FACT_DEPTH:
        return
    for item in node.items or ():
        yield from _facts(item, about=about, listed=True, depth=depth + 1)
    if node.pairs is not None:
        yield from _record(node, about, listed, depth)


def _record(node: Node, about: str, listed: bool, depth: int) -> Iterator[Fact]:
    label = _name(node, listed) or about
    cells = [(key, value) for key, scalars in node.pairs or () for value in (scalars, *(scalars.items or ())) if value.scalar]
    if cells:
        keys = [key for key, _ in cells]
        row = Row(node.start, node.end, [value.scalar or "" for _, value in cells])
        roles = layout(keys, [row])
        if not listed and roles.relation < 0 and (roles.subject < 0 or roles.headers[roles.subject] not in NAMES):
            roles = replace(roles, subject=-1)
        for fact in row_facts(roles, row, about):
            yield _shorten(fact, node, cells)
    for key, value in node.pairs or ():
        for child in (value, *(value.items or ())):
            name = _name(child, value.items is not None)
            if name and not is_nothing(label):
                yield Fact(name_of(label), words_of(key), name_of(name), child.start, child.end, EXTRACTOR, CONFIDENCE)
        yield from _facts(value, about=label, depth=depth + 1)


def _name(node: Node, listed: bool) -> str:
    """What an object calls itself: its name-like key, or in a list of records its first text."""
    scalars = [(words_of(key), value.scalar) for key, value in node.pairs or () if value.scalar]
    named = next((scalar for key, scalar in scalars if key in NAMES), "")
    if named or not (listed and scalars):
        return named
    column = layout([key for key, _ in scalars], [Row(0, 0, [scalar for _, scalar in scalars])]).subject
    return scalars[column][1] if column >= 0 else ""


def _shorten(fact: Fact, node: Node, cells: list[tuple[str, Node]]) -> Fact:
    if node.end - node.start <= _QUOTE_LIMIT:
        return fact
    at = next((value for key, value in cells if words_of(key) == fact.relation), node)
    return replace(fact, start=at.start, end=at.end)
