"""N-Triples and N-Quads: one statement a line, one regular expression (RDF 1.1 N-Triples and N-Quads, W3C 2014)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .errors import ParseError
from .rdf_terms import Blank, Iri, Statement, Term, checked_iri, literal, unescape

# Character classes of the grammar's PN_CHARS_BASE, PN_CHARS_U and PN_CHARS.
BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
CHARS_U = BASE + "_"
CHARS = CHARS_U + "0-9\u00b7\u0300-\u036f\u203f-\u2040\\-"

UCHAR = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
IRIREF = rf"<((?:[^\x00-\x20<>\"{{}}|^`\\]++|{UCHAR})*+)>"
BLANK = rf"_:([{CHARS_U}0-9](?:[{CHARS}]|\.+(?=[{CHARS}]))*+)"
LANGUAGE = r"@([a-zA-Z]+(?:-[a-zA-Z0-9]+)*+)"
STRING = rf"\"((?:[^\"\\\n\r]++|\\[tbnrf\"'\\]|{UCHAR})*+)\""

_WS = r"[ \t]*+"
_LINE = re.compile(
    f"{_WS}(?:{IRIREF}|{BLANK}){_WS}{IRIREF}{_WS}(?:{IRIREF}|{BLANK}|{STRING}(?:\\^\\^{IRIREF}|{LANGUAGE})?)"
    f"{_WS}(?:(?:{IRIREF}|{BLANK}){_WS})?\\.{_WS}(?:#.*)?"
)
_EMPTY = re.compile(r"[ \t]*(?:#.*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def statements(text: str, *, quads: bool, uri: str = "") -> Iterator[Statement]:
    """Read N-Quads, or N-Triples where `quads` is false.

    Raises:
        ParseError: a line is not a statement; carries its number.
    """
    position = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        found = _LINE.fullmatch(line)
        if found is not None:
            start = position + len(line) - len(line.lstrip(" \t"))
            try:
                yield _statement(found, quads, start, position + len(line.rstrip(" \t")))
            except ValueError as error:
                raise ParseError(str(error), uri=uri, line=number) from None
        elif not _EMPTY.fullmatch(line):
            raise ParseError(f"not a statement: {line.strip()[:80]}", uri=uri, line=number)
        position += len(line)
        position += 2 if text.startswith("\r\n", position) else 1


def _statement(found: re.Match[str], quads: bool, start: int, end: int) -> Statement:
    s_iri, s_blank, predicate, o_iri, o_blank, value, datatype, language, g_iri, g_blank = found.groups()
    if not quads and (g_iri is not None or g_blank is not None):
        raise ValueError("a fourth term in N-Triples; name the file .nq")
    subject: Iri | Blank = _iri(s_iri) if s_iri is not None else Blank(s_blank)
    target: Term
    if value is not None:
        target = literal(unescape(value), _iri(datatype) if datatype is not None else "", language or "")
    else:
        target = _iri(o_iri) if o_iri is not None else Blank(o_blank)
    graph = _iri(g_iri) if g_iri is not None else Blank(g_blank) if g_blank is not None else None
    return Statement(subject, _iri(predicate), target, graph, start, end)


@lru_cache(maxsize=1 << 16)
def _iri(text: str) -> Iri:
    iri = checked_iri(text)
    if not _SCHEME.match(iri):
        raise ValueError(f"relative IRI <{iri}>")
    return Iri(iri)
