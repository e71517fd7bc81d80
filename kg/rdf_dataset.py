"""A live `rdflib.Dataset` over the store: nothing is copied, every pattern is answered from the store when asked."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import rdflib
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID
from rdflib.store import Store
from rdflib.term import BNode, Node, URIRef

from .errors import InputError, UnknownEntityError, UnknownRelationError
from .model import Literal, Triple, stable_id
from .rdf_export import label_quads, rdflib_term
from .rdf_terms import RDFS, literal
from .rdf_vocabulary import ID, METADATA, MINTED, entity_term, minted, node_term, relation_term
from .sql import is_id

if TYPE_CHECKING:
    from .graph import KnowledgeGraph

_LABEL = URIRef(RDFS + "label")
Pattern = tuple[Node | None, Node | None, Node | None]
Match = tuple[tuple[Node, Node, Node], Iterator[rdflib.Graph]]


def to_dataset(kg: KnowledgeGraph) -> rdflib.Dataset:
    """The live graph as a read-only dataset; its default graph is the union.

    There is one named graph per chunk with the statements read from it, and the graph `METADATA` with an `rdfs:label` for
    every entity and relation that has no IRI of its own. Writing raises InputError.
    """
    return rdflib.Dataset(LiveStore(kg), default_union=True)


class LiveStore(Store):
    """The rdflib store behind `to_dataset`."""

    context_aware = True
    graph_aware = True
    formula_aware = False
    transaction_aware = False

    def __init__(self, kg: KnowledgeGraph) -> None:
        super().__init__()
        self._kg = kg
        self._prefixes: dict[str, URIRef] = {}

    # ---- reading
    def triples(self, triple_pattern: Pattern, context: Any = None) -> Iterator[Match]:
        """Statements that match; None is a wildcard, `context` a graph or None for all of them."""
        wanted = None if context is None else getattr(context, "identifier", context)
        if wanted == DATASET_DEFAULT_GRAPH_ID:
            return
        # Several triples may be one RDF statement: the same fact at two times, or by two names that were merged.
        found: dict[tuple[Node, Node, Node], dict[URIRef, None]] = {}
        for triple in self._found(triple_pattern):
            terms = entity_term(triple.subject), relation_term(triple.relation), node_term(triple.object)
            subject, predicate, target = (rdflib_term(term) for term in terms)
            chunks = dict.fromkeys(URIRef(minted(span.chunk_id)) for span in triple.spans)
            found.setdefault((subject, predicate, target), {}).update(chunks)
        for statement, chunks in found.items():
            if wanted is None or wanted in chunks:
                yield statement, self._graphs(chunks)
        if wanted is None or wanted == URIRef(METADATA):
            for statement in self._labels(triple_pattern):
                yield statement, self._graphs([URIRef(METADATA)])

    def _found(self, pattern: Pattern) -> Iterator[Triple]:
        subject, predicate, target = pattern
        if isinstance(subject, rdflib.Literal) or not isinstance(predicate, URIRef | None):
            return
        relation = None
        if predicate is not None:
            ids = {URIRef(relation_term(known)): known.id for _, known in self._kg.store.relations()}
            relation = ids.get(predicate)
            if relation is None:
                return
        try:
            yield from self._kg.store.triples(_node_id(subject), relation, _node_id(target))
        except (UnknownEntityError, UnknownRelationError):
            return  # a term that the graph does not hold matches nothing

    def _labels(self, pattern: Pattern) -> Iterator[tuple[Node, Node, Node]]:
        if pattern[1] not in (None, _LABEL):
            return
        for quad in label_quads(self._kg):
            if quad.subject.startswith(MINTED) and quad.predicate == _LABEL:
                found = rdflib_term(quad.subject), _LABEL, rdflib_term(quad.object)
                if all(wanted is None or wanted == term for wanted, term in zip(pattern, found, strict=True)):
                    yield found

    def _graphs(self, names: Any) -> Iterator[rdflib.Graph]:
        return (rdflib.Graph(self, name) for name in names)

    def contexts(self, triple: Any = None) -> Generator[rdflib.Graph, None, None]:
        """The graphs that hold a statement, or all of them."""
        if triple is not None and triple != (None, None, None):
            for _, graphs in self.triples(triple):
                yield from graphs
            return
        yield rdflib.Graph(self, URIRef(METADATA))
        for _, chunk in self._kg.store.chunks():
            yield rdflib.Graph(self, URIRef(minted(chunk.id)))

    def __len__(self, context: Any = None) -> int:
        return sum(1 for _ in self.triples((None, None, None), context))

    # ---- prefixes, which live here and not in the graph
    def bind(self, prefix: str, namespace: URIRef, override: bool = True) -> None:
        if override or prefix not in self._prefixes:
            self._prefixes[prefix] = namespace

    def namespace(self, prefix: str) -> URIRef | None:
        return self._prefixes.get(prefix)

    def prefix(self, namespace: URIRef) -> str | None:
        return next((prefix for prefix, known in self._prefixes.items() if known == namespace), None)

    def namespaces(self) -> Iterator[tuple[str, URIRef]]:
        return iter(tuple(self._prefixes.items()))

    # ---- not writing
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise InputError("this dataset is a view and cannot be written to; use KnowledgeGraph.add, edit and retract")

    add = addN = remove = update = remove_graph = _refuse  # noqa: N815

    def add_graph(self, graph: rdflib.Graph) -> None:
        """rdflib announces each graph that is asked for by name; there is nothing to make."""


def _node_id(term: Node | None) -> str | None:
    """The id of the node that a term stands for."""
    match term:
        case None:
            return None
        case rdflib.Literal():
            return _model_literal(term).id
        case BNode():
            return stable_id("e", f"_:{term}")
        case _ if is_id(local := str(term).removeprefix(ID)):
            return local
        case _:
            return stable_id("e", str(term))


def _model_literal(term: rdflib.Literal) -> Literal:
    return literal(str(term), str(term.datatype or ""), term.language or "")
