"""Facts from rows: one table model for csv, xlsx, Markdown, HTML, docx, JSON records and `Key: value` blocks.

A row says something about its *subject*, the cell in the name-like column; every other column is a relation. Columns
such as `since` and `until` say when the row holds. A table of `subject, relation, object` columns is read as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ..model import Fact, Literal, Mention, Name
from .relations import ROLES
from .values import is_nothing, is_open, name_of, period, value_of, words_of

EXTRACTOR, CONFIDENCE = "table", 0.9
Times = tuple[date | None, date | None]


class Row(NamedTuple):
    """Cells of one row and the characters `[start, end)` of the text that they stand in."""

    start: int
    end: int
    cells: Sequence[str]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split("|"))


_SUBJECT, _RELATION, _OBJECT = _set("subject|s|head"), _set("relation|predicate|property|p"), _set("object|o|tail|value")
_FROM = _set("from|since|start|start date|valid from|begin|from date|effective from|appointed|in office since")
_TO = _set("to|until|end|end date|valid to|valid until|till|to date|through|expires|expiry|expiry date|effective to")
_WHEN = _set("date|year|period|fiscal year|financial year|month|quarter")
NAMES = _set(
    "name|full name|company|company name|entity|organisation|organization|firm|institution|person|title|legal name|vessel|ship"
)
_IDENTIFIER = re.compile(r"(?:^|.* )(?:id|ids|no|nr|number|code|ref|reference|key|index|#|rank|isin|lei|imo|uuid)$|^$")
_KEY_VALUE = _set("|field|property|item|attribute|key|detail|details|label")
# Column and record nouns that say what kind of thing is named; roles that people and firms can both hold are left out.
TYPES = {
    noun: kind
    for kind, nouns in {
        "organization": "company|firm|organisation|organization|institution|bank|subsidiary|parent company|regulator|agency"
        "|issuer|shipyard|university|employer|publisher|operator|insurer|company name|legal name|auditor",
        "person": "person|ceo|chief executive|chair|chairman|chairwoman|director|author|employee|manager|founder|cfo|president",
        "place": "city|country|port|location|headquarters|head office|town|state|region|home port|birthplace|place",
        "work": "film|movie|book|song|album",
        "product": "product|vessel|ship",
    }.items()
    for noun in nouns.split("|")
}


# Headers that mean a relation the extractor also knows, written as in `relations.ROLES`: "<" is (subject, relation, cell).
_RELATIONS = ROLES | {
    header: relation
    for relation, headers in {
        "<headquartered in": "seat|headquarters|head office|based in|registered office",
        "<founded in": "founded|established|year founded|founding year",
        "<date of birth": "born|birth date",
        "<place of birth": "birthplace|birth place",
        "<formerly known as": "former name|formerly|previous name",
        "<also known as": "alias|aliases|short name|abbreviation|trading name|also known as",
        "fined": "fine authority|fine regulator|fined by|penalty authority",
        "owns": "holder|beneficial owner",
    }.items()
    for header in headers.split("|")
}
_ALIASES = ("<formerly known as", "<also known as")
_POSITION = _set("role|position|office|function|job title|post")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a table are, by index; -1 where there is none."""

    headers: tuple[str, ...]
    subject: int
    relation: int = -1
    object: int = -1
    start: int = -1
    end: int = -1
    when: int = -1
    position: int = -1  # a job, which is the relation between the subject and the body of `employer`
    employer: int = -1
    end_exclusive: bool = False
    event: str = ""  # what each row of a dated table is: "fine" for a table called fines

    @property
    def values(self) -> list[int]:
        """Columns that state facts. Dates state facts themselves only where nothing else does."""
        skip = {self.subject, self.relation, self.object, self.start, self.end, self.position, self.employer}
        columns = [i for i, header in enumerate(self.headers) if i not in skip and header]
        return columns if columns or self.position >= 0 else [i for i in (self.start, self.end) if i >= 0]


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row can be the header: distinct words, no values."""
    words = [words_of(cell) for cell in cells]
    filled = [word for word in words if word]
    if len(cells) < 2 or len(filled) < len(words) - 1 or len(set(filled)) < len(filled):
        return False
    return all(len(word) <= 60 and re.search(r"[^\W\d]", word) and not isinstance(value_of(word), Literal) for word in filled)


def layout(header: Sequence[str], sample: Sequence[Row], title: str = "") -> Layout:
    """Find the roles of the columns from their headers and, for the subject, the first rows."""
    headers = tuple(words_of(cell) for cell in header)

    def column(names: frozenset[str], ending: str = "\n") -> int:
        return next((i for i, name in enumerate(headers) if name in names or name.endswith(ending)), -1)

    start, end, when = column(_FROM, " since"), column(_TO, " until"), column(_WHEN)
    subject, relation, object = column(_SUBJECT), column(_RELATION), column(_OBJECT)
    if min(subject, relation, object) >= 0:
        if "chunk id" in headers:  # a table that hoptrace gave out: its start and end are characters
            start, end = column(frozenset(["valid from"])), column(frozenset(["valid to"]))
        exclusive = end >= 0 and header[end].strip().lower() == "valid_to"
        return Layout(headers, subject, relation, object, start, end, end_exclusive=exclusive)
    textual = [i for i in range(len(headers)) if i not in (start, end, when) and _is_textual(headers[i], i, sample)]
    named = [i for i in textual if headers[i] in NAMES] or [i for i in textual if headers[i].endswith(" name")]
    subject, position = (named or textual or [-1])[0], column(_POSITION)
    bodies = [i for i in textual if i not in (subject, position) and TYPES.get(headers[i]) == "organization"]
    if position in (-1, subject) or not bodies:
        position, bodies = -1, [-1]
    event = title.lower()[:-1] if when >= 0 and re.fullmatch(r"[A-Za-z]+[^s]s", title) else ""
    return Layout(headers, subject, start=start, end=end, when=when, position=position, employer=bodies[0], event=event)


def _is_textual(header: str, column: int, sample: Sequence[Row]) -> bool:
    if _IDENTIFIER.match(header):
        return False
    cells = [row.cells[column] for row in sample if column < len(row.cells) and not is_nothing(row.cells[column])]
    return bool(cells) and 2 * sum(isinstance(value_of(cell), Name) for cell in cells) > len(cells)


def table_facts(rows: Sequence[Row], context: str = "") -> Iterator[Fact]:
    """The facts of a table whose first row is its header.

    Args:
        rows: header and rows. Rows with another number of cells than the header are read as far as they go.
        context: what the table is about (the heading above it): the subject where no column names one.
    """
    if len(rows) < 2:
        return
    header = rows[0].cells
    if len(header) == 2 and words_of(header[0]) in _KEY_VALUE:
        pairs = [(row.start, row.end, row.cells[0], row.cells[1]) for row in rows[1:] if len(row.cells) == 2]
        yield from record_facts(context, pairs)
        return
    if not is_header(header):
        return
    roles = layout(header, rows[1:50])
    for row in rows[1:]:
        yield from row_facts(roles, row, context)


def row_facts(roles: Layout, row: Row, context: str = "") -> Iterator[Fact]:
    """The facts of one row under a known layout."""
    cells = [*row.cells, *[""] * (len(roles.headers) - len(row.cells))]
    subject_header = roles.headers[roles.subject] if roles.subject >= 0 else ""
    label = cells[roles.subject] if roles.subject >= 0 else context
    if is_nothing(label):
        return
    subject = name_of(label, TYPES.get(subject_header, ""), _aliases(roles.headers, cells))
    times = _validity(roles, cells)
    if roles.relation >= 0:
        relation, value = words_of(cells[roles.relation]), value_of(cells[roles.object], words_of(cells[roles.relation]))
        if relation and value is not None:
            yield _fact(subject, relation, value, row, times)
        return
    if roles.position >= 0 and not is_nothing(cells[roles.position]):
        job = words_of(cells[roles.position])
        for body in values_of(cells[roles.employer], roles.headers[roles.employer]):
            yield _state(subject, job, f"<{ROLES.get(job, f'{job} of').lstrip('<')}", body, row, times)
    own = ROLES.get(subject_header, "") if roles.subject >= 0 else ""
    for column in roles.values:
        header = roles.headers[column]
        if column == roles.when and roles.subject < 0:
            continue  # the year of a time series is no fact about its subject
        name = f"{roles.event} {header}".strip()
        relation = _RELATIONS.get(name) or _RELATIONS.get(header) or f"<{name}"
        if own and not own.startswith("<") and header in ROLES and not relation.startswith("<"):
            relation = f"<{own}"  # under "supplier, customer" the first one supplies to the second
        for value in values_of(cells[column], header):
            yield _state(subject, name, relation, value, row, times if column != roles.when else (None, None))


def _aliases(headers: Sequence[str], cells: Sequence[str]) -> tuple[str, ...]:
    """Other names of a row's subject."""
    other = [cell for header, cell in zip(headers, cells) if _RELATIONS.get(header) in _ALIASES and header not in NAMES]
    return tuple(part.strip() for cell in other for part in cell.split(";") if not is_nothing(part))


def _state(subject: Name, header: str, relation: str, value: Name | Literal, row: Row, times: Times) -> Fact:
    """(subject, relation, value) for "<relation", else (value, relation, subject); a literal states nothing itself."""
    if relation.startswith("<"):
        return _fact(subject, relation[1:], value, row, times)
    return _fact(value, relation, subject, row, times) if isinstance(value, Name) else _fact(subject, header, value, row, times)


def values_of(cell: str, header: str) -> Iterator[Name | Literal]:
    """The values of a cell; a semicolon separates several."""
    parts = cell.split(";") if ";" in cell and len(cell) <= 400 else [cell]
    for part in parts:
        value = value_of(part, header, TYPES.get(header, ""))
        if value is not None:
            yield value


def _fact(subject: Name, relation: str, value: Name | Literal, row: Row, times: Times) -> Fact:
    return Fact(subject, relation, value, row.start, row.end, EXTRACTOR, CONFIDENCE, *times)


def _validity(roles: Layout, cells: Sequence[str]) -> Times:
    """When a row holds. An end is inclusive as people write it; a date column alone says since when."""
    first = period(cells[roles.start]) if roles.start >= 0 else None
    last = period(cells[roles.end]) if roles.end >= 0 and not is_open(cells[roles.end]) else None
    if first is None and last is None and roles.when >= 0 and (when := period(cells[roles.when])):
        return when.first, when.last_exclusive if roles.subject < 0 else None
    valid_from, valid_to = first.first if first else None, None
    if last:
        valid_to = last.first if roles.end_exclusive else last.last_exclusive
    return (valid_from, valid_to) if not (valid_from and valid_to) or valid_from < valid_to else (valid_from, None)


def record_facts(subject: str, pairs: Sequence[tuple[int, int, str, str]]) -> Iterator[Fact]:
    """Facts of a `Key: value` block about `subject`, or about what its own name key says.

    Args:
        pairs: (start, end, key, value) of each line.
    """
    roles = Layout(tuple(words_of(key) for _, _, key, _ in pairs), -1)
    name = next((i for i, header in enumerate(roles.headers) if header in NAMES), -1)
    label = pairs[name][3] if name >= 0 else subject
    if is_nothing(label):
        return
    values = [value for *_, value in pairs]
    about = name_of(label, TYPES.get(roles.headers[name], "") if name >= 0 else "", _aliases(roles.headers, values))
    for i, (start, end, _, text) in enumerate(pairs):
        header = roles.headers[i]
        if i != name and header:
            for value in values_of(text, header):
                yield _state(about, header, _RELATIONS.get(header, f"<{header}"), value, Row(start, end, ()), (None, None))


def mentions(text: str, facts: Sequence[Fact]) -> tuple[Mention, ...]:
    """Where the names of facts stand literally inside their spans, each name once per span."""
    found: dict[tuple[str, int], Mention] = {}
    for fact in facts:
        for node in (fact.subject, fact.object):
            if isinstance(node, Name) and (node.label, fact.start) not in found:
                at = text.find(node.label, fact.start, fact.end)
                if at >= 0:
                    found[node.label, fact.start] = Mention(node, at, at + len(node.label))
    return tuple(found.values())
