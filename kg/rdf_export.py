"""RDF out of a graph: quads, and a writer for each RDF format (`kg.exports` puts them into files).

N-Quads and TriG keep everything; `rdf_restore` reads them back. The others keep statements and labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, TextIO

from .errors import InputError
from .model import Document, Entity, Fact, Literal, Name, Source, Triple, stable_id
from .rdf_terms import RDF, RDFS, Blank, Iri, Term, datatype_iri, write_term
from .rdf_vocabulary import METADATA, MINTED, entity_term, ht, minted, node_term, relation_term

if TYPE_CHECKING:
    import rdflib

    from .graph import KnowledgeGraph
    from .store import Marks

_LABEL, _TYPE = Iri(RDFS + "label"), Iri(RDF + "type")
_NOTE = "# hoptrace: statements only; sources, quoted characters and times are kept by .nq and .trig\n"


class Quad(NamedTuple):
    subject: Iri | Blank
    predicate: Iri
    object: Term
    graph: Iri | Blank | None = None


# ---- quads ------------------------------------------------------------------------------------------------------


def data_quads(kg: KnowledgeGraph) -> Iterator[Quad]:
    """The live statements, once for each chunk that states them, in the graph named after that chunk."""
    return itertools.chain.from_iterable(map(chunk_quads, kg.store.triples()))


def chunk_quads(triple: Triple) -> Iterator[Quad]:
    """One statement in the graph of each chunk that states it."""
    statement = (entity_term(triple.subject), relation_term(triple.relation), node_term(triple.object))
    for chunk in dict.fromkeys(span.chunk_id for span in triple.spans):
        yield Quad(*statement, minted(chunk))


def label_quads(kg: KnowledgeGraph) -> Iterator[Quad]:
    """`rdfs:label` and type of every entity and relation, for readers that know only RDF."""
    for entity in kg.store.entities():
        yield from _about(entity_term(entity), [(_LABEL, entity.label), (ht("type"), entity.type), *_aliases(entity)])
    for _, relation in kg.store.relations():
        yield from _about(relation_term(relation), [(_LABEL, relation.label), (ht("functional"), relation.functional or None)])


def metadata_quads(kg: KnowledgeGraph) -> Iterator[Quad]:
    """Everything from which the live sources can be built again."""
    for entity in kg.store.entities():
        yield _typed(entity_term(entity), "Entity")
    for _, relation in kg.store.relations():
        yield _typed(relation_term(relation), "Relation")
    yield from label_quads(kg)
    for triple in kg.store.triples():
        yield from triple_quads(triple)
    yield from _mark_quads(kg.store.marks())
    names: set[Name] = set()
    for source in kg.store.sources():
        document, cuts = kg.store.document(source.id)
        yield from _source_quads(source, document)
        yield from _chunk_quads(source, document, cuts)
        for number, fact in enumerate(document.facts):
            yield from _fact_quads(minted(f"{source.id}/fact/{number}"), source, document, fact, names)
        for number, mention in enumerate(document.mentions):
            node = minted(f"{source.id}/mention/{number}")
            yield _typed(node, "Mention")
            yield from _name_quads(mention.name, names)
            place = [(ht("start"), mention.start), (ht("end"), mention.end)]
            yield from _about(node, [(ht("source"), minted(source.id)), (ht("name"), name_term(mention.name)), *place])


Value = Term | str | int | float | bool | date | None


def _typed(node: Iri | Blank, kind: str) -> Quad:
    return Quad(node, _TYPE, ht(kind), METADATA)


def _about(node: Iri | Blank, parts: Iterable[tuple[Iri, Value]]) -> Iterator[Quad]:
    """One quad for each part that has a value; "" and None have none."""
    for predicate, value in parts:
        if value is not None and value != "":
            yield Quad(node, predicate, _term(value), METADATA)


def _term(value: Value) -> Term:
    match value:
        case Iri() | Blank() | Literal():
            return value
        case bool():
            return Literal("true" if value else "false", "boolean")
        case int():
            return Literal(str(value), "integer")
        case float():
            return Literal(repr(value), "double")
        case datetime():
            return Literal(value.isoformat(), "dateTime")
        case date():
            return Literal(value.isoformat(), "date")
        case _:
            return Literal(str(value))


def _aliases(named: Entity | Name) -> list[tuple[Iri, Value]]:
    return [(ht("alias"), alias) for alias in named.aliases]


def triple_quads(triple: Triple) -> Iterator[Quad]:
    node = minted(triple.id)
    yield _typed(node, "Triple")
    yield from _about(
        node,
        [
            (ht("subject"), entity_term(triple.subject)),
            (ht("relation"), relation_term(triple.relation)),
            (ht("object"), node_term(triple.object)),
            (ht("status"), triple.status.value),
            (ht("validFrom"), triple.valid_from),
            (ht("validTo"), triple.valid_to),
            (ht("recordedAt"), triple.recorded_at),
            (ht("retractedAt"), triple.retracted_at),
        ],
    )


def _mark_quads(marks: Marks) -> Iterator[Quad]:
    for triple in marks.retracted:
        yield from _about(minted(triple), [(ht("retracted"), True)])
    for triple, status in marks.statuses:
        yield from _about(minted(triple), [(ht("mark"), status.value)])
    for first, second, same in marks.links:
        yield from _about(minted(first), [(ht("sameAs" if same else "differentFrom"), minted(second))])


def _source_quads(source: Source, document: Document) -> Iterator[Quad]:
    node = minted(source.id)
    yield _typed(node, "Source")
    yield from _about(
        node,
        [
            (ht("uri"), document.uri),
            (ht("mediaType"), document.media_type),
            (ht("sha256"), document.sha256),
            (ht("title"), document.title),
            (ht("kind"), document.kind),
            (ht("records"), document.records),
            (ht("recordedAt"), source.recorded_at),
            (ht("retractedAt"), source.retracted_at),
        ],
    )


def _chunk_quads(source: Source, document: Document, cuts: list[tuple[int, int, str]]) -> Iterator[Quad]:
    for start, end, kind in cuts:
        node = minted(stable_id("c", source.id, str(start), str(end)))
        yield _typed(node, "Chunk")
        place = [(ht("start"), start), (ht("end"), end)]
        content = [(ht("kind"), kind), (ht("text"), document.text[start:end])]
        yield from _about(node, [(ht("source"), minted(source.id)), *place, *content])


def _fact_quads(node: Iri, source: Source, document: Document, fact: Fact, names: set[Name]) -> Iterator[Quad]:
    yield _typed(node, "Fact")
    yield from _name_quads(fact.subject, names)
    if isinstance(fact.object, Name):
        yield from _name_quads(fact.object, names)
    yield from _about(
        node,
        [
            (ht("source"), minted(source.id)),
            (ht("subject"), name_term(fact.subject)),
            (ht("relation"), fact.relation),
            (ht("relationIri"), fact.relation_iri),
            (ht("object"), name_term(fact.object) if isinstance(fact.object, Name) else fact.object),
            (ht("start"), fact.start),
            (ht("end"), fact.end),
            (ht("quote"), document.text[fact.start : fact.end]),
            (ht("extractor"), fact.extractor),
            (ht("confidence"), float(fact.confidence)),
            (ht("validFrom"), fact.valid_from),
            (ht("validTo"), fact.valid_to),
            (ht("graph"), fact.graph),
        ],
    )


def name_term(name: Name) -> Iri:
    """The node of a name as one text gives it; equal names share it."""
    return minted(stable_id("n", name.label, name.type, name.iri, *name.aliases))


def _name_quads(name: Name, written: set[Name]) -> Iterator[Quad]:
    if name in written:
        return
    written.add(name)
    node = name_term(name)
    yield _typed(node, "Name")
    yield from _about(node, [(_LABEL, name.label), (ht("type"), name.type), (ht("iri"), name.iri), *_aliases(name)])


# ---- files ------------------------------------------------------------------------------------------------------


def line(quad: Quad) -> str:
    return " ".join([*(write_term(term) for term in quad if term is not None), "."])


def _write_nquads(kg: KnowledgeGraph, out: TextIO) -> None:
    for quad in itertools.chain(metadata_quads(kg), data_quads(kg)):
        out.write(line(quad) + "\n")


def _write_trig(kg: KnowledgeGraph, out: TextIO) -> None:
    for graph, quads in itertools.groupby(itertools.chain(metadata_quads(kg), data_quads(kg)), lambda quad: quad.graph):
        out.write(f"{write_term(graph or METADATA)} {{\n")
        for subject, group in itertools.groupby(quads, lambda quad: quad.subject):
            pairs = " ;\n    ".join(f"{write_term(quad.predicate)} {write_term(quad.object)}" for quad in group)
            out.write(f"  {write_term(subject)} {pairs} .\n")
        out.write("}\n")


def statement_quads(kg: KnowledgeGraph) -> Iterator[Quad]:
    """Each live statement once, without graph, and the labels of what has only a minted IRI to show."""
    labels = (quad for quad in label_quads(kg) if quad.predicate == _LABEL and quad.subject.startswith(MINTED))
    seen: set[tuple[Term, ...]] = set()
    for quad in itertools.chain(labels, data_quads(kg)):
        statement = (quad.subject, quad.predicate, quad.object)
        if statement not in seen:
            seen.add(statement)
            yield Quad(*statement)


def _write_ntriples(kg: KnowledgeGraph, out: TextIO) -> None:
    out.write(_NOTE)
    for quad in statement_quads(kg):
        out.write(line(quad) + "\n")


def _rdflib_writer(format: str, note: str) -> Callable[[KnowledgeGraph, TextIO], None]:
    def write(kg: KnowledgeGraph, out: TextIO) -> None:
        import rdflib

        from .safe_text import xml_text

        graph = rdflib.Graph()
        for subject, predicate, target, _ in statement_quads(kg):
            if format == "xml" and isinstance(target, Literal):
                target = replace(target, value=xml_text(target.value))
            graph.add((rdflib_term(subject), rdflib_term(predicate), rdflib_term(target)))
        try:
            out.write(note + graph.serialize(format=format))
        except ValueError as error:  # RDF/XML cannot write every property IRI
            raise InputError(f"cannot be written as {format}: {error}") from None

    return write


def rdflib_term(term: Term) -> rdflib.term.IdentifiedNode | rdflib.Literal:
    """A term of this package as rdflib's."""
    import rdflib

    if isinstance(term, Iri):
        return rdflib.URIRef(term)
    if isinstance(term, Blank):
        return rdflib.BNode(term)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    if term.datatype == "string":
        return rdflib.Literal(term.value)
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(datatype_iri(term)), normalize=False)


RDF_WRITERS: dict[str, Callable[[KnowledgeGraph, TextIO], None]] = {
    "nq": _write_nquads,
    "trig": _write_trig,
    "nt": _write_ntriples,
    "ttl": _rdflib_writer("turtle", _NOTE),
    "jsonld": _rdflib_writer("json-ld", ""),
    "rdf": _rdflib_writer("xml", ""),
}
