"""The live graph as other libraries see it: networkx, pandas, GraphML, CSV, node-link JSON.

Everything that leaves for XML or a spreadsheet goes through `xml_text` or `cell`: networkx writes characters that its own
reader refuses, and a spreadsheet runs a cell that starts with "=" as a formula.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from .errors import MissingExtraError
from .model import Entity, Node

if TYPE_CHECKING:
    import networkx as nx  # type: ignore[import-untyped]
    import pandas as pd  # type: ignore[import-untyped]

    from .graph import KnowledgeGraph


class Row(NamedTuple):
    """One statement at one place. The field names are the columns of every table hoptrace gives out."""

    subject: str
    relation: str
    object: str
    chunk_id: str
    source: str  # uri
    start: int
    end: int
    score: float  # the statement's best confidence
    confidence: float  # the extractor's, at this place
    generation: int  # ledger number the table was read at


def rows(kg: KnowledgeGraph) -> Iterator[Row]:
    """Every live statement once for each of its spans."""
    generation = kg.store.seq
    uris = {source.id: source.uri for source in kg.store.sources()}
    for triple in kg.store.triples():
        for span in triple.spans:
            yield Row(
                subject=triple.subject.label,
                relation=triple.relation.label,
                object=triple.object.label,
                chunk_id=span.chunk_id,
                source=uris.get(span.source_id, span.source_id),
                start=span.start,
                end=span.end,
                score=triple.confidence,
                confidence=span.confidence,
                generation=generation,
            )


def to_pandas(kg: KnowledgeGraph) -> pd.DataFrame:
    """`rows` as a DataFrame with the fields of `Row` as columns, also when there are none.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("a DataFrame", "documents") from None
    return pd.DataFrame(list(rows(kg)), columns=list(Row._fields))


def to_networkx(kg: KnowledgeGraph) -> nx.MultiDiGraph:
    """The live graph with node ids as nodes and triple ids as edge keys.

    Nodes carry `label` and `type` (for a literal its datatype) and `kind` (entity or literal); edges `relation`,
    `triple_id`, `status`, `confidence`, `valid_from` and `valid_to` (ISO dates, "" when open), `chunks` (list of ids).
    """
    import networkx as nx

    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    for triple in kg.store.triples():
        for node in (triple.subject, triple.object):
            if node.id not in graph:
                graph.add_node(node.id, **_node_attributes(node))
        graph.add_edge(
            triple.subject.id,
            triple.object.id,
            key=triple.id,
            triple_id=triple.id,
            relation=triple.relation.label,
            status=triple.status.value,
            confidence=triple.confidence,
            valid_from=triple.valid_from.isoformat() if triple.valid_from else "",
            valid_to=triple.valid_to.isoformat() if triple.valid_to else "",
            chunks=list(dict.fromkeys(span.chunk_id for span in triple.spans)),
        )
    return graph


def _node_attributes(node: Node) -> dict[str, str]:
    if isinstance(node, Entity):
        return {"label": node.label, "type": node.type, "kind": "entity"}
    return {"label": node.value, "type": node.datatype, "kind": "literal"}


# ---- files ------------------------------------------------------------------------------------------------------

_XML_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?")


def xml_text(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    return _XML_ILLEGAL.sub("", text)


def cell(text: str) -> str:
    """The text as a spreadsheet cell that is never run: formula starts get a leading apostrophe, numbers stay."""
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def write_graphml(kg: KnowledgeGraph, out: TextIO) -> None:
    """GraphML of `to_networkx`; lists become JSON strings."""
    import networkx as nx

    graph = to_networkx(kg)
    for _, attributes in graph.nodes(data=True):
        attributes.update(_plain(attributes))
    for _, _, attributes in graph.edges(data=True):
        attributes.update(_plain(attributes))
    for line in nx.generate_graphml(graph):
        out.write(line + "\n")


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    encoded = {key: json.dumps(value) if isinstance(value, list) else value for key, value in attributes.items()}
    return {key: xml_text(value) if isinstance(value, str) else value for key, value in encoded.items()}


def write_csv(kg: KnowledgeGraph, out: TextIO) -> None:
    """`rows` with a header line."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in rows(kg):
        writer.writerow([cell(value) if isinstance(value, str) else value for value in row])


def write_json(kg: KnowledgeGraph, out: TextIO) -> None:
    """Node-link JSON, as networkx and d3 read it."""
    import networkx as nx

    json.dump(nx.node_link_data(to_networkx(kg), edges="edges"), out, ensure_ascii=False, indent=1)
