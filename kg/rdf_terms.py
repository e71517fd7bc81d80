"""RDF terms as plain values, and how they are written.

The readers of this package (`rdf_nquads`, `rdf_turtle`, `rdf_xml_json`) all yield `Statement`s: terms with the
characters they were read from. Sources: RDF 1.1 Concepts (W3C, 2014), RFC 3986 for resolving references.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .model import Literal

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"


class Iri(str):
    """An absolute IRI."""

    __slots__ = ()


class Blank(str):
    """A blank node's label, without `_:`. Labels the reader made up start with "-", which no file can write."""

    __slots__ = ()


Term = Iri | Blank | Literal


class Statement(NamedTuple):
    """A quad and the characters `[start, end)` it was stated in. `graph` is None for the default graph."""

    subject: Iri | Blank
    predicate: Iri
    object: Term
    graph: Iri | Blank | None
    start: int
    end: int


def literal(value: str, datatype: str = "", language: str = "") -> Literal:
    """A model literal from a full datatype IRI: XSD types by their local name, others by the whole IRI."""
    if language or not datatype:
        return Literal(value, "string", language)
    local = datatype.removeprefix(XSD)
    return Literal(value, local if local and ":" not in local else datatype)


def datatype_iri(value: Literal) -> str:
    """The full datatype IRI of a model literal."""
    return value.datatype if ":" in value.datatype else XSD + value.datatype


# ---- escapes ----------------------------------------------------------------------------------------------------

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_NAMED = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_ILLEGAL_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def unescape(text: str) -> str:
    """Undo `\\n`, `\\u00e9` and the like.

    Raises:
        ValueError: an escape that names no character.
    """
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if not code:
        return _NAMED.get(match[3], match[3])
    number = int(code, 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ValueError(f"{match[0]} is not a character")
    return chr(number)


def checked_iri(text: str) -> str:
    """An IRI reference with its escapes undone.

    Raises:
        ValueError: it holds a character that no IRI may hold.
    """
    iri = unescape(text)
    if iri is not text and _ILLEGAL_IN_IRI.search(iri):
        raise ValueError(f"illegal character in IRI <{text}>")
    return iri


def write_term(term: Term) -> str:
    """A term in N-Triples syntax, which Turtle, TriG and SPARQL share."""
    if isinstance(term, Iri):
        return _written_iri(term)
    if isinstance(term, Blank):
        return f"_:{term}"
    text = f'"{_TO_ESCAPE.sub(_escaped, term.value)}"'
    if term.language:
        return f"{text}@{term.language}"
    return text if term.datatype == "string" else f"{text}^^{write_term(Iri(datatype_iri(term)))}"


@lru_cache(maxsize=1 << 16)  # three of the four terms of most quads have been written before
def _written_iri(iri: str) -> str:
    return f"<{_ILLEGAL_IN_IRI.sub(lambda found: f'%{ord(found[0]):02X}', iri)}>"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if "\ud800" <= character <= "\udfff":  # half a surrogate pair has no form in any RDF syntax
        return "\ufffd"
    return _SHORT.get(character) or f"\\u{ord(character):04X}"


# ---- references -------------------------------------------------------------------------------------------------

_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)


def is_absolute(iri: str) -> bool:
    """Whether an IRI starts with a scheme."""
    found = _PARTS.match(iri)
    return found is not None and found[1] is not None


def resolve(base: str, reference: str) -> str:
    """An absolute IRI from a reference (RFC 3986, 5.2.2).

    >>> resolve("http://a/b/c/d;p?q", "../g")
    'http://a/b/g'
    """
    scheme, authority, path, query, fragment = _split(reference)
    if scheme is not None:
        return reference
    b_scheme, b_authority, b_path, b_query, _ = _split(base)
    if authority is None:
        authority = b_authority
        if not path:
            path = b_path
            query = b_query if query is None else query
        elif path.startswith("/"):
            path = _without_dots(path)
        else:
            folder = "/" if b_authority is not None and not b_path else b_path[: b_path.rfind("/") + 1]
            path = _without_dots(folder + path)
    else:
        path = _without_dots(path)
    return "".join(
        (
            f"{b_scheme}:" if b_scheme is not None else "",
            f"//{authority}" if authority is not None else "",
            path,
            f"?{query}" if query is not None else "",
            f"#{fragment}" if fragment is not None else "",
        )
    )


def _split(iri: str) -> tuple[str | None, str | None, str, str | None, str | None]:
    found = _PARTS.match(iri)
    if found is None:  # the pattern matches any string; this is for the type checker
        return None, None, iri, None, None
    return found[1], found[2], found[3], found[4], found[5]


def _without_dots(path: str) -> str:
    out: list[str] = []
    parts = path.split("/")
    for position, part in enumerate(parts):
        if part in (".", ".."):
            if part == ".." and len(out) > 1:
                out.pop()
            if position == len(parts) - 1:
                out.append("")
        else:
            out.append(part)
    return "/".join(out)
