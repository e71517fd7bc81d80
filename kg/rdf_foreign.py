"""RDF/XML and JSON-LD through rdflib, with the element or object that states each triple.

Both formats can ask a reader to fetch or expand things, so what could is refused before rdflib sees the file: any DOCTYPE
(entity bombs, external entities) and any context that is not written in the file itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NoReturn
from xml.parsers import expat
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesNSImpl, InputSource, Locator

import rdflib
from rdflib.plugins.parsers.jsonld import to_rdf
from rdflib.plugins.parsers.rdfxml import create_parser
from rdflib.store import Store
from rdflib.term import BNode, Node, URIRef

from .errors import ParseError
from .model import Literal
from .rdf_terms import RDF, Blank, Iri, Statement, Term, literal
from .rdf_turtle import LONG

MAX_ELEMENT_DEPTH = 256


class _Recorder(Store):
    """Where rdflib's parsers put their triples: a list in file order, each with the number of its block."""

    context_aware = True
    graph_aware = True

    def __init__(self) -> None:
        super().__init__()
        self.block = -1
        self.quads: list[tuple[Node, Node, Node, Node, int]] = []

    def add(self, triple: tuple[Node, Node, Node], context: Any, quoted: bool = False) -> None:
        self.quads.append((*triple, getattr(context, "identifier", context), self.block))

    def bind(self, prefix: str, namespace: URIRef, override: bool = True) -> None:
        """Prefixes are of no use here."""

    def namespace(self, prefix: str) -> None:
        return None

    def prefix(self, namespace: URIRef) -> None:
        return None

    def namespaces(self) -> Iterator[tuple[str, URIRef]]:
        return iter(())


@contextmanager
def _exact_literals() -> Iterator[None]:
    """Keep `"01"^^xsd:integer` as it is written; rdflib would make it "1" and the characters would be lost."""
    before, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        yield
    finally:
        rdflib.NORMALIZE_LITERALS = before


# ---- RDF/XML ----------------------------------------------------------------------------------------------------


def xml_statements(raw: bytes, text: str, *, base: str, uri: str) -> Iterator[Statement]:
    """Read RDF/XML. A triple's place is the lines of the top-level element that states it.

    Raises:
        ParseError: not RDF/XML, nested too deep, or with a DOCTYPE.
    """
    _guard_xml(raw, uri)
    recorder = _Recorder()
    source = InputSource(base)
    source.setPublicId(base)
    source.setByteStream(BytesIO(raw))
    with _exact_literals():
        parser = create_parser(source, rdflib.Graph(recorder))  # type: ignore[arg-type]
        tracker = _Tracker(parser.getContentHandler(), recorder)
        parser.setContentHandler(tracker)
        try:
            parser.parse(source)
        except SAXParseException as error:
            raise ParseError(error.getMessage(), uri=uri, line=error.getLineNumber() or 0) from None
        except (SAXException, rdflib.exceptions.ParserError, ValueError, KeyError) as error:
            reason = re.sub(r"^\S*:\d+:\d+: ", "", str(error))
            raise ParseError(reason, uri=uri, line=tracker.line()) from None
    lines = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text)), len(text)]
    places = [(lines[first - 1], lines[min(last, len(lines) - 1)]) for first, last in tracker.blocks]
    return _placed(recorder, text, places)


def _guard_xml(raw: bytes, uri: str) -> None:
    """Let expat read the file up to anything that rdflib must not see."""
    parser = expat.ParserCreate()
    depth = 0

    def refuse(reason: str) -> NoReturn:
        raise ParseError(reason, uri=uri, line=parser.CurrentLineNumber)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_ELEMENT_DEPTH:
            refuse(f"elements nested deeper than {MAX_ELEMENT_DEPTH}")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = lambda *_: refuse("a DOCTYPE is not accepted in RDF/XML")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise ParseError(expat.ErrorString(error.code), uri=uri, line=error.lineno) from None


class _Tracker(ContentHandler):
    """Passes SAX events on to rdflib's handler and notes the lines of each top-level element."""

    def __init__(self, inner: Any, recorder: _Recorder) -> None:
        self.inner, self.recorder = inner, recorder
        self.depth, self.top = 0, 1
        self.blocks: list[tuple[int, int]] = []
        self.locator: Locator | None = None

    def line(self) -> int:
        return (self.locator.getLineNumber() or 0) if self.locator else 0

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802
        self.locator = locator
        self.inner.setDocumentLocator(locator)

    def startPrefixMapping(self, prefix: str | None, uri: str) -> None:  # noqa: N802
        self.inner.startPrefixMapping(prefix, uri)

    def endPrefixMapping(self, prefix: str | None) -> None:  # noqa: N802
        self.inner.endPrefixMapping(prefix)

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl) -> None:  # noqa: N802
        self.depth += 1
        if self.depth == 1 and name == (RDF, "RDF"):
            self.top = 2
        if self.depth == self.top:
            self.blocks.append((self.line(), self.line()))
            self.recorder.block = len(self.blocks) - 1
        self.inner.startElementNS(name, qname, attrs)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        self.inner.endElementNS(name, qname)
        if self.depth == self.top:
            self.blocks[-1] = (self.blocks[-1][0], self.line())
        self.depth -= 1

    def characters(self, content: str) -> None:
        self.inner.characters(content)


# ---- JSON-LD ----------------------------------------------------------------------------------------------------


def json_statements(text: str, *, base: str, uri: str) -> Iterator[Statement]:
    """Read JSON-LD. A triple's place is the node object of the top-level list or `@graph` that states it.

    Raises:
        ParseError: not JSON or JSON-LD, or a context that would have to be fetched.
    """
    recorder = _Recorder()
    try:
        data = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        _refuse_remote(data, uri)
        data, places = _blocks(data, text, recorder)
        with _exact_literals():
            to_rdf(data, rdflib.Dataset(recorder), base)
    except json.JSONDecodeError as error:
        raise ParseError(error.msg, uri=uri, line=error.lineno) from None
    except RecursionError:
        raise ParseError("nested too deep", uri=uri) from None
    except ParseError:
        raise
    except Exception as error:  # rdflib raises many kinds, down to AttributeError, on objects that are not JSON-LD
        raise ParseError(f"not JSON-LD: {error or type(error).__name__}", uri=uri) from None
    return _placed(recorder, text, places)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_remote(data: Any, uri: str) -> None:
    stack = [data]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            contexts = value.get("@context", [])
            for context in contexts if isinstance(contexts, list) else [contexts]:
                remote = context if isinstance(context, str) else context.get("@import") if isinstance(context, dict) else None
                if remote is not None:
                    raise ParseError(f"context {str(remote)[:100]!r} is not in the file and is not fetched", uri=uri)
            stack.extend(value.values())


class _Blocks(list[Any]):
    """A list that tells the recorder which of its items rdflib has reached."""

    def __init__(self, items: list[Any], recorder: _Recorder) -> None:
        super().__init__(items)
        self.recorder = recorder

    def __iter__(self) -> Iterator[Any]:
        for number, item in enumerate(super().__iter__()):
            self.recorder.block = number
            yield item


def _blocks(data: Any, text: str, recorder: _Recorder) -> tuple[Any, list[tuple[int, int]]]:
    """`data` with its list of node objects made trackable, and the place of each of them."""
    if isinstance(data, list):
        return _Blocks(data, recorder), _items(text, text.index("["))
    if isinstance(data, dict) and isinstance(data.get("@graph"), list):
        start = _value_of(text, "@graph")
        return {**data, "@graph": _Blocks(data["@graph"], recorder)}, _items(text, start)
    return data, []


_GAP = re.compile(r"[\s,:]*")
_DECODER = json.JSONDecoder()


def _skip(text: str, position: int) -> int:
    found = _GAP.match(text, position)
    return found.end() if found else position


def _items(text: str, start: int) -> list[tuple[int, int]]:
    """Places of the items of the JSON array at `start`."""
    places = []
    position = _skip(text, start + 1)
    while text[position] != "]":
        _, end = _DECODER.raw_decode(text, position)
        places.append((position, end))
        position = _skip(text, end)
    return places


def _value_of(text: str, wanted: str) -> int:
    """Where the value of a key of the top-level JSON object starts."""
    position = _skip(text, text.index("{") + 1)
    while True:
        key, end = _DECODER.raw_decode(text, position)
        start = _skip(text, end)
        if key == wanted:
            return start
        position = _skip(text, _DECODER.raw_decode(text, start)[1])


# ---- both -------------------------------------------------------------------------------------------------------


def _placed(recorder: _Recorder, text: str, places: list[tuple[int, int]]) -> Iterator[Statement]:
    blanks: dict[Node, Blank] = {}

    def term(node: Node) -> Term:
        if isinstance(node, BNode):  # rdflib's labels are random; order of appearance is not
            return blanks.setdefault(node, Blank(f"-{len(blanks) + 1}"))
        if isinstance(node, rdflib.Literal):
            return literal(str(node), str(node.datatype or ""), node.language or "")
        return Iri(str(node))

    for subject, predicate, target, context, block in recorder.quads:
        start, end = places[block] if 0 <= block < len(places) else (0, len(text))
        graph = None
        if isinstance(context, URIRef) and context != rdflib.graph.DATASET_DEFAULT_GRAPH_ID:
            graph = Iri(str(context))
        statement = (term(subject), Iri(str(predicate)), term(target), graph)
        yield Statement(*statement, *_narrow(text, start, end, statement[2]))  # type: ignore[arg-type]


def _narrow(text: str, start: int, end: int, target: Term) -> tuple[int, int]:
    """In a block of more than `LONG` characters, the line that shows the object (else the block's first line)."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end - start <= LONG:
        return start, end
    shown = target.value if isinstance(target, Literal) else re.split(r"[/#:]", target)[-1]
    at = text.find(shown, start, end)
    if at < 0 or not shown:
        at, shown = start, ""
    first = max(text.rfind("\n", start, at) + 1, start, at - LONG // 2)
    stop = text.find("\n", at + len(shown), end)
    return first, min(end if stop < 0 else stop, at + len(shown) + LONG // 2)
