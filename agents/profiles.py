"""Profiles: what is known about one person, firm or machine, as a source that is cited and never stored.

    {"id": "pump-7", "measurements": {"age": "9 years"}, "conditions": ["outdoor use"],
     "reports": [{"date": "2026-03-02", "measurements": {"vibration": "7.1 mm/s"}}]}

A profile is a source of kind `profile`: each of its statements has the characters that make it, in the file or in the words
of a question ("and if I were 70?"). It lives beside the graph and not in it: no question that is not about it can see it.
(`retrieval.profile` is another thing: what a reader is interested in, which only reorders answers.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..kg.errors import MissingPathError, ParseError, ProfileError
from ..kg.ingest.jsonfile import Node, parse
from ..kg.ingest.report import Issues
from ..kg.ingest.text import decode, read_bytes, sha256
from ..kg.model import Chunk, Source, Span, normalize, stable_id, text_hash

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

_TOP = ("id", "note", "measurements", "conditions", "reports")
_REPORT = ("date", "note", "measurements", "conditions")
Given = Mapping[str, Any] | str | Path


@dataclass(frozen=True, slots=True)
class Statement:
    """A measurement (`value` as written) or a condition (`value` is ""). `stands` False: the condition is denied."""

    name: str
    value: str
    span: Span
    day: date | None = None
    stands: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A text that a profile was read from, whole in one chunk."""

    source: Source
    chunk: Chunk

    @classmethod
    def of(cls, uri: str, text: str, media_type: str, digest: str) -> Page:
        source_id, hashed = stable_id("s", uri, digest, text_hash(text)), text_hash(text)
        source = Source(source_id, uri, media_type, digest, uri, "profile", len(text))
        return cls(source, Chunk(stable_id("c", source_id, "0"), source_id, 0, len(text), text, hashed))

    def span(self, start: int, end: int) -> Span:
        return Span(self.source.id, start, end, self.chunk.text[start:end], self.chunk.id, "profile")


@dataclass(frozen=True, slots=True)
class Profile:
    """Statements about one subject, in the order they were made; of several about one thing the latest counts."""

    id: str
    statements: tuple[Statement, ...]
    pages: tuple[Page, ...]

    @classmethod
    def load(cls, given: Given) -> Profile:
        """Read a profile from a JSON file, or from a mapping of the same form.

        Raises:
            MissingPathError: no such file.
            ProfileError: not of the form above; says where.
        """
        if isinstance(given, Mapping):
            try:
                text = json.dumps(given, ensure_ascii=False, indent=1, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise ProfileError(f"a profile holds what JSON can hold: {error}") from None
            uri, digest = f"profile:{given.get('id', '')}", text_hash(text)
        else:
            path, uri = Path(given), str(given)
            if not path.is_file():
                raise MissingPathError(f"no profile file {uri}")
            try:
                raw = read_bytes(path, uri)
                text, digest = decode(raw, uri, Issues(strict=True)), sha256(raw)
            except ParseError as error:
                raise ProfileError(str(error)) from None
        return _read(Page.of(uri, text, "application/json", digest))

    def supposing(self, words: str, made: list[tuple[str, str, int, int, bool]]) -> Profile:
        """This profile with statements that a question makes ("if I were 70"), which outrank its own.

        Args:
            words: the question.
            made: (name, value, start, end, stands) of each; the characters are those of `words`.
        """
        page = Page.of(f"profile:{self.id}#supposed", words, "text/plain", text_hash(words))
        said = tuple(Statement(name, value, page.span(start, end), date.max, stands) for name, value, start, end, stands in made)
        return replace(self, statements=self.statements + said, pages=(*self.pages, page))

    def current(self, day: date | None = None) -> list[Statement]:
        """The latest statement about each thing, up to a day; an undated one counts as the oldest."""
        latest: dict[str, Statement] = {}
        for said in self.statements:
            if day and said.day and day < said.day < date.max:
                continue
            key, at = normalize(said.name), said.day or date.min
            if key not in latest or at >= (latest[key].day or date.min):
                latest[key] = said
        return list(latest.values())


class Texts(Protocol):
    """What is needed to read a citation again."""

    def source(self, source_id: str) -> Source: ...
    def chunk(self, chunk_id: str) -> Chunk: ...
    def text(self, source_id: str, start: int = 0, end: int | None = None) -> str: ...


class Library(Protocol):
    """Where citations are read: a graph, or a graph with profiles beside it."""

    @property
    def store(self) -> Texts: ...


class Beside:
    """A graph's texts and those of profiles, read alike; nothing is written.

    Args:
        kg: the graph.
        pages: texts of profiles.
    """

    def __init__(self, kg: KnowledgeGraph, pages: tuple[Page, ...]) -> None:
        self._texts = kg.store
        self._sources = {page.source.id: page for page in pages}
        self._chunks = {page.chunk.id: page.chunk for page in pages}

    @property
    def store(self) -> Texts:
        return self

    def source(self, source_id: str) -> Source:
        page = self._sources.get(source_id)
        return page.source if page else self._texts.source(source_id)

    def chunk(self, chunk_id: str) -> Chunk:
        return self._chunks.get(chunk_id) or self._texts.chunk(chunk_id)

    def text(self, source_id: str, start: int = 0, end: int | None = None) -> str:
        page = self._sources.get(source_id)
        return page.chunk.text[start:end] if page else self._texts.text(source_id, start, end)


# ---- reading ----------------------------------------------------------------------------------------------------


def _read(page: Page) -> Profile:
    text, uri = page.chunk.text, page.source.uri
    try:
        top = _pairs(parse(text, 0, len(text), uri), _TOP, uri)
    except ParseError as error:
        raise ProfileError(str(error)) from None
    name = top["id"].scalar if "id" in top else None
    if not name:
        raise ProfileError(f"{uri}: a profile needs an id")
    statements = [*_statements(top, None, page, name)]
    for report in _items(top.get("reports"), name, "reports"):
        fields = _pairs(report, _REPORT, f"{name}, reports")
        statements += _statements(fields, _day(fields.get("date"), name), page, name)
    return Profile(name, tuple(statements), (page,))


def _statements(fields: Mapping[str, Node], day: date | None, page: Page, who: str) -> Iterator[Statement]:
    measured = fields.get("measurements")
    for name, node in _pairs(measured, None, f"{who}, measurements").items() if measured else ():
        if not node.scalar:
            raise ProfileError(f"{who}: {name} needs a value such as '5.5 hours'")
        yield Statement(name, node.scalar, page.span(node.start, node.end), day)
    for node in _items(fields.get("conditions"), who, "conditions"):
        if not node.scalar:
            raise ProfileError(f"{who}: a condition is a name")
        yield Statement(node.scalar, "", page.span(node.start, node.end), day)


def _pairs(node: Node, known: tuple[str, ...] | None, where: str) -> dict[str, Node]:
    if node.pairs is None:
        raise ProfileError(f"{where}: not an object of names and values")
    for key, _ in node.pairs:
        if known and key not in known:
            raise ProfileError(f"{where}: no field {key!r}; there are: {', '.join(known)}")
    return dict(node.pairs)


def _items(node: Node | None, who: str, what: str) -> tuple[Node, ...]:
    if node is None:
        return ()
    if node.items is None:
        raise ProfileError(f"{who}: {what} is a list")
    return node.items


def _day(node: Node | None, who: str) -> date | None:
    if node is None:
        return None
    try:
        return date.fromisoformat(node.scalar or "")
    except ValueError:
        raise ProfileError(f"{who}: {node.scalar!r} is no date such as 2026-03-02") from None


__all__ = ["Beside", "Library", "Page", "Profile", "Statement", "Texts"]
