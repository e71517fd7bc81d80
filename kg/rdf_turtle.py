"""Turtle and TriG with the place of every statement (RDF 1.1 Turtle and TriG, W3C 2014).

hoptrace reads these itself because a citation must point at the characters that state a fact, which no RDF library
reports. The W3C suites check it (tests/kg/test_rdf_w3c.py).

A fact's place is its whole statement, subject to final dot, so that it can be read on its own. In a statement of more than
`LONG` characters it is predicate and object only, or the object where its list is long too: otherwise a subject with
100,000 objects would be quoted 100,000 times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import ParseError
from .model import Literal
from .rdf_nquads import BASE, BLANK, CHARS, CHARS_U, IRIREF, LANGUAGE, UCHAR
from .rdf_terms import RDF, Blank, Iri, Statement, Term, checked_iri, is_absolute, literal, resolve, unescape

LONG = 2000
MAX_NESTING = 128

_ESCAPED = rf"\\[tbnrf\"'\\]|{UCHAR}"
_PLX = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
_TOKEN = re.compile(
    rf"""(?P<iri>{IRIREF})
    |(?P<long>\"\"\"(?:\"{{0,2}}(?:[^\"\\]|{_ESCAPED}))*+\"\"\"|'''(?:'{{0,2}}(?:[^'\\]|{_ESCAPED}))*+''')
    |(?P<string>"(?:[^"\\\n\r]++|{_ESCAPED})*+"|'(?:[^'\\\n\r]++|{_ESCAPED})*+')
    |(?P<blank>{BLANK})
    |(?P<name>(?:[{BASE}](?:[{CHARS}]|\.+(?=[{CHARS}]))*+)?:(?:(?:[{CHARS_U}:0-9]|{_PLX})(?:[{CHARS}:]|{_PLX}|\.+(?=[{CHARS}:]|{_PLX}))*+)?)
    |(?P<double>[+-]?(?:[0-9]+\.[0-9]*|\.?[0-9]+)[eE][+-]?[0-9]+)
    |(?P<decimal>[+-]?[0-9]*\.[0-9]+)
    |(?P<integer>[+-]?[0-9]+)
    |(?P<at>{LANGUAGE})
    |(?P<word>[A-Za-z]+)
    |(?P<mark>\^\^|[.;,\[\](){{}}])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"(?:[ \t\r\n]++|#[^\r\n]*+)*+")
_LOCAL_ESCAPE = re.compile(r"\\(.)")
_FIRST, _REST, _NIL, _TYPE = Iri(RDF + "first"), Iri(RDF + "rest"), Iri(RDF + "nil"), Iri(RDF + "type")


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def statements(text: str, *, base: str, graphs: bool, uri: str = "") -> Iterator[Statement]:
    """Read TriG, or Turtle where `graphs` is false, statement by statement.

    Args:
        base: IRI that relative references are resolved against.
        uri: the file's name for error messages.

    Raises:
        ParseError: the text is not Turtle or TriG, or nests deeper than `MAX_NESTING`; carries the line.
    """
    reader = _Reader(text, base, graphs)
    try:
        while reader.token.kind != "end":
            yield from reader.block()
    except ValueError as error:
        raise ParseError(str(error), uri=uri, line=text.count("\n", 0, reader.token.start) + 1) from None


class _Reader:
    """Recursive descent over the tokens; one method per production of the grammar."""

    def __init__(self, text: str, base: str, graphs: bool) -> None:
        self.text, self.base, self.graphs = text, base, graphs
        self.prefixes: dict[str, str] = {}
        self.graph: Iri | Blank | None = None
        self.made = 0  # anonymous blank nodes so far
        self.depth = 0
        self.ended = 0  # where the last accepted token ended
        self.found: list[tuple[Iri | Blank, Iri, Term, int, int, int]] = []  # s, p, o, predicate start, object start, end
        self.token = Token("mark", "", 0, 0)
        self._advance()

    # ---- tokens
    def _advance(self) -> Token:
        """Step to the next token; returns the one stepped over."""
        last = self.token
        self.ended = last.end
        space = _SPACE.match(self.text, last.end)
        start = space.end() if space else last.end
        found = _TOKEN.match(self.text, start)
        if found is not None:
            self.token = Token(str(found.lastgroup), found[0], start, found.end())
        elif start == len(self.text):
            self.token = Token("end", "end of file", start, start)
        else:
            self.token = Token("bad", self.text[start : start + 40].split("\n")[0], start, start + 1)
        return last

    def _is(self, mark: str) -> bool:
        return self.token.kind == "mark" and self.token.text == mark

    def _accept(self, mark: str) -> bool:
        if self._is(mark):
            self._advance()
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise ValueError(f"expected {mark!r} before {self.token.text[:40]!r}")

    def _word(self) -> str:
        """The SPARQL-style keyword at hand, in upper case, or ""."""
        return self.token.text.upper() if self.token.kind == "word" else ""

    # ---- statements
    def block(self) -> Iterator[Statement]:
        if self.token.text in ("@prefix", "@base") or self._word() in ("PREFIX", "BASE"):
            self._directive()
        elif self.graphs and self._word() == "GRAPH":
            self._advance()
            yield from self._wrapped(self._label())
        elif self.graphs and self._is("{"):
            yield from self._wrapped(None)
        else:
            start = self.token.start
            collection = self._is("(")
            subject, complete = self._subject()
            # Only an IRI or a blank node without properties may name a graph; a collection or `[ :p 1 ]` may not.
            if self.graphs and self._is("{") and not complete and not collection:
                yield from self._wrapped(subject)
                return
            self._properties(subject, optional=complete)
            self._expect(".")
            yield from self._flush(start)

    def _directive(self) -> None:
        sparql = self.token.kind == "word"
        if self._advance().text.lstrip("@").upper() == "PREFIX":
            name = self.token.text
            if self.token.kind != "name" or not name.endswith(":") or ":" in name[:-1]:
                raise ValueError(f"expected a prefix before {name[:40]!r}")
            self._advance()
            self.prefixes[name[:-1]] = self._reference()
        else:
            self.base = self._reference()
        if not sparql:
            self._expect(".")

    def _wrapped(self, name: Iri | Blank | None) -> Iterator[Statement]:
        self._expect("{")
        self.graph = name
        while not self._is("}"):
            start = self.token.start
            subject, complete = self._subject()
            self._properties(subject, optional=complete)
            if not self._accept(".") and not self._is("}"):
                raise ValueError(f"expected '.' or '}}' before {self.token.text[:40]!r}")
            yield from self._flush(start)
        self._expect("}")
        self.graph = None

    def _flush(self, start: int) -> Iterator[Statement]:
        whole = self.ended - start <= LONG
        for subject, predicate, target, verb, first, end in self.found:
            part = (verb, end) if end - verb <= LONG // 10 else (first, end)
            yield Statement(subject, predicate, target, self.graph, *((start, self.ended) if whole else part))
        self.found.clear()

    # ---- terms
    def _label(self) -> Iri | Blank:
        if self._accept("["):
            self._expect("]")
            return self._anonymous()
        if self.token.kind == "blank":
            return Blank(self._advance().text[2:])
        return self._iri()

    def _subject(self) -> tuple[Iri | Blank, bool]:
        """The subject, and whether it is a `[ ... ]` with properties, which may stand alone."""
        if self._is("["):
            return self._property_list()
        if self._is("("):
            return self._collection(), False
        return self._label(), False

    def _properties(self, subject: Iri | Blank, *, optional: bool = False) -> None:
        if optional and self.token.text in (".", "]", "}"):
            return
        while True:
            verb = self.token.start
            predicate = self._verb()
            while True:
                first = self.token.start
                target = self._object()
                self.found.append((subject, predicate, target, verb, first, self.ended))
                if not self._accept(","):
                    break
            if not self._is(";"):
                return
            while self._accept(";"):
                pass
            if self.token.kind == "mark" and self.token.text in ".]}":
                return

    def _verb(self) -> Iri:
        if self.token.kind == "word" and self.token.text == "a":
            self._advance()
            return _TYPE
        return self._iri()

    def _object(self) -> Term:
        kind, text = self.token.kind, self.token.text
        if kind in ("string", "long"):
            return self._literal()
        if kind in ("integer", "decimal", "double"):
            return Literal(self._advance().text, kind)
        if kind == "word" and text in ("true", "false"):
            return Literal(self._advance().text, "boolean")
        if text == "(" and kind == "mark":
            return self._collection()
        if text == "[" and kind == "mark":
            return self._property_list()[0]
        return self._label()

    def _literal(self) -> Literal:
        token = self._advance()
        edge = 3 if token.kind == "long" else 1
        value = unescape(token.text[edge:-edge])
        if self.token.kind == "at" and self.token.start == token.end:
            return literal(value, language=self._advance().text[1:])
        if self._accept("^^"):
            return literal(value, self._iri())
        return literal(value)

    def _property_list(self) -> tuple[Blank, bool]:
        self._nest(1)
        self._expect("[")
        node = self._anonymous()
        filled = not self._is("]")
        if filled:
            self._properties(node)
        self._expect("]")
        self._nest(-1)
        return node, filled

    def _collection(self) -> Iri | Blank:
        self._nest(1)
        self._expect("(")
        head: Iri | Blank = _NIL
        cell: Blank | None = None
        while not self._is(")"):
            first = self.token.start
            node = self._anonymous()
            if cell is None:
                head = node
            else:
                self.found.append((cell, _REST, node, first, first, first + 1))
            target = self._object()
            self.found.append((node, _FIRST, target, first, first, self.ended))
            cell = node
        if cell is not None:
            self.found.append((cell, _REST, _NIL, self.token.start, self.token.start, self.token.end))
        self._expect(")")
        self._nest(-1)
        return head

    def _nest(self, step: int) -> None:
        self.depth += step
        if self.depth > MAX_NESTING:
            raise ValueError(f"nested deeper than {MAX_NESTING}")

    def _anonymous(self) -> Blank:
        self.made += 1
        return Blank(f"-{self.made}")

    def _iri(self) -> Iri:
        if self.token.kind == "iri":
            return self._reference()
        if self.token.kind != "name":
            raise ValueError(f"expected a term before {self.token.text[:40]!r}")
        prefix, _, local = self.token.text.partition(":")
        if prefix not in self.prefixes:
            raise ValueError(f"undeclared prefix {prefix!r}")
        self._advance()
        return Iri(self.prefixes[prefix] + (_LOCAL_ESCAPE.sub(r"\1", local) if "\\" in local else local))

    def _reference(self) -> Iri:
        if self.token.kind != "iri":
            raise ValueError(f"expected an IRI before {self.token.text[:40]!r}")
        iri = resolve(self.base, checked_iri(self.token.text[1:-1]))
        if not is_absolute(iri):
            raise ValueError(f"relative IRI <{iri}>")
        self._advance()
        return Iri(iri)
