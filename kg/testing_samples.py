"""Small documents by hand and what a test does with them: put, erase, compare. Shared by `kg.testing` and other tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from .model import Document, Entity, Fact, Literal, Mention, Name, Source, text_hash
from .store import Edges, Store

Statement = tuple[str | Name, str, str | Name | Literal]


def document(uri: str, text: str, *statements: Statement, extractor: str = "rules", confidence: float = 1.0) -> Document:
    """A document whose facts all quote the whole text; names are mentioned where they first stand."""
    facts = tuple(
        Fact(_name(subject), relation, _end(object_), 0, len(text), extractor, confidence)
        for subject, relation, object_ in statements
    )
    names = {name: None for fact in facts for name in (fact.subject, fact.object) if isinstance(name, Name)}
    mentions = tuple(Mention(name, at, at + len(name.label)) for name in names if (at := text.find(name.label)) >= 0)
    return Document(uri, "text/plain", text, text_hash(text), facts=facts, mentions=mentions)


def put(store: Store, document: Document, size: int = 40) -> Source:
    """Write one document in one transaction, cut every `size` characters."""
    cuts = [(at, min(at + size, len(document.text)), "text") for at in range(0, len(document.text), size)]
    with store.writing() as writer:
        source = writer.put_document(document, cuts)
        writer.note("ingest", document.uri, {"source": source.id})
    return source


def erase(store: Store, *source_ids: str) -> None:
    with store.writing() as writer:
        for source_id in source_ids:
            writer.erase(source_id)
        writer.note("forget", "1 document", {}, undoable=False)


def _name(name: str | Name) -> Name:
    return Name(name) if isinstance(name, str) else name


def _end(end: str | Name | Literal) -> Name | Literal:
    return end if isinstance(end, Literal) else _name(end)


@contextmanager
def raises(error: type[Exception], telling: str = "") -> Iterator[None]:
    """Expect an error whose message holds `telling`."""
    message: str | None = None
    try:
        yield
    except error as raised:
        message = str(raised)
    assert message is not None, f"{error.__name__} was not raised"
    assert telling in message


def edge_set(store: Store, edges: Edges) -> set[tuple[str, str, str]]:
    """Edges as ids, which two stores can be compared by."""
    relations = dict(store.relations())
    return {
        (cast(Entity, head).id, relations[int(relation)].id, tail.id)
        for head, relation, tail in zip(store.nodes(edges.subject), edges.relation, store.nodes(edges.object))
    }


FOUNDED = document(
    "a.txt", "Orla Vance founded Brightwater Labs Ltd in Corvane.", ("Orla Vance", "founded", "Brightwater Labs Ltd")
)
OWNS = document(
    "b.txt", "Brightwater Labs Limited owns Tarn Pumps.", (Name("Brightwater Labs Limited", "company"), "owns", "Tarn Pumps")
)
FLAG = document("c.txt", "Brightwater Labs sails under Norway.", ("Brightwater Labs", "flag", "Norway"))
RIVAL = document("d.txt", "Brightwater Labs sails under Sweden.", ("Brightwater Labs", "flag", "Sweden"))
AGAIN = document(
    "e.txt", "It was Orla Vance who founded Brightwater Labs Ltd.", ("Orla Vance", "founded", "Brightwater Labs Ltd")
)
ALL = (FOUNDED, OWNS, FLAG, RIVAL, AGAIN)
