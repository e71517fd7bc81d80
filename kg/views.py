"""What leaves the graph: all its live facts or those of some paths, as nodes and edges with plain attributes, as networkx."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .frames import Row, rows_of
from .model import Entity, Node, Path, Source, Triple

if TYPE_CHECKING:
    import networkx as nx  # type: ignore[import-untyped]

    from .graph import KnowledgeGraph


class Edge(NamedTuple):
    """A statement between two nodes by id; `attributes` are texts, numbers and one list, `chunks`."""

    id: str
    subject: str
    object: str
    attributes: dict[str, Any]


class Facts:
    """Facts to write, read from the store as often as a format needs, so that no format has to hold them.

    Args:
        kg: where they are.
        paths: the facts on these paths only; all live facts where None.
    """

    def __init__(self, kg: KnowledgeGraph, paths: Iterable[Path] | None = None) -> None:
        self.kg = kg
        self.paths = None if paths is None else tuple(paths)

    def triples(self) -> Iterator[Triple]:
        if self.paths is None:
            return self.kg.store.triples()
        return iter({hop.triple.id: hop.triple for path in self.paths for hop in path.hops}.values())

    def nodes(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Every node once: id and `label`, `type` (a literal's is its datatype), `kind` (entity or literal)."""
        seen: set[str] = set()
        for triple in self.triples():
            for node in (triple.subject, triple.object):
                if node.id not in seen:
                    seen.add(node.id)
                    yield node.id, _node(node)

    def edges(self) -> Iterator[Edge]:
        return (_edge(triple) for triple in self.triples())

    def rows(self) -> Iterator[Row]:
        return rows_of(self.kg.store, self.triples())

    def sources(self) -> Iterator[Source]:
        """The sources that state these facts; all live ones where the facts are the whole graph."""
        if self.paths is None:
            return self.kg.store.sources()
        ids = dict.fromkeys(span.source_id for triple in self.triples() for span in triple.spans)
        return map(self.kg.store.source, ids)

    def entities(self) -> Iterator[Entity]:
        """The entities of these facts; all where the facts are the whole graph."""
        if self.paths is None:
            return self.kg.store.entities()
        ends = (node for triple in self.triples() for node in (triple.subject, triple.object))
        return iter({node.id: node for node in ends if isinstance(node, Entity)}.values())


def _node(node: Node) -> dict[str, str]:
    if isinstance(node, Entity):
        return {"label": node.label, "type": node.type, "kind": "entity"}
    return {"label": node.value, "type": node.datatype, "kind": "literal"}


def _edge(triple: Triple) -> Edge:
    attributes = {
        "relation": triple.relation.label,
        "triple_id": triple.id,
        "status": triple.status.value,
        "confidence": triple.confidence,
        "valid_from": triple.valid_from.isoformat() if triple.valid_from else "",
        "valid_to": triple.valid_to.isoformat() if triple.valid_to else "",
        "chunks": list(dict.fromkeys(span.chunk_id for span in triple.spans)),
    }
    return Edge(triple.id, triple.subject.id, triple.object.id, attributes)


def to_networkx(facts: Facts) -> nx.MultiDiGraph:
    """Node ids as nodes and triple ids as edge keys, with the attributes of `Facts.nodes` and `Edge`.

    `valid_from` and `valid_to` are ISO dates, "" when open; `chunks` is a list of ids.
    """
    import networkx as nx

    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    graph.add_nodes_from(facts.nodes())
    graph.add_edges_from((edge.subject, edge.object, edge.id, edge.attributes) for edge in facts.edges())
    return graph


__all__ = ["Edge", "Facts", "to_networkx"]
