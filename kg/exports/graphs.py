"""Nodes and edges for analysis: GraphML, GEXF, Cytoscape JSON, node-link JSON, each written as it is read from the store.

Ids are the graph's own, so that two exports can be compared. XML cannot hold every character and has no lists: the first go
(`safe_text.xml`), the second are written as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from ..safe_text import xml
from ..views import Edge, Facts

_NODE = ("label", "type", "kind")
_EDGE = ("relation", "triple_id", "status", "confidence", "valid_from", "valid_to", "chunks")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _plain(value: object) -> str:
    return xml(json.dumps(value) if isinstance(value, list) else str(value))


def _kind(name: str) -> str:
    return "double" if name == "confidence" else "string"


def write_graphml(facts: Facts, out: TextIO) -> None:
    """GraphML, read by networkx, yEd, Gephi, igraph."""
    out.write(_HEAD + '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
    for what, names in (("node", _NODE), ("edge", _EDGE)):
        for name in names:
            out.write(f'<key id="{what}-{name}" for="{what}" attr.name="{name}" attr.type="{_kind(name)}"/>\n')
    out.write('<graph edgedefault="directed">\n')
    for node, attributes in facts.nodes():
        out.write(f'<node id="{node}">{_data("node", attributes)}</node>\n')
    for edge in facts.edges():
        ends = f'source="{edge.subject}" target="{edge.object}"'
        out.write(f'<edge id="{edge.id}" {ends}>{_data("edge", edge.attributes)}</edge>\n')
    out.write("</graph>\n</graphml>\n")


def _data(what: str, attributes: Mapping[str, Any]) -> str:
    return "".join(f'<data key="{what}-{name}">{_plain(value)}</data>' for name, value in attributes.items())


def write_gexf(facts: Facts, out: TextIO) -> None:
    """GEXF 1.2, read by Gephi and networkx."""
    out.write(_HEAD + '<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n')
    out.write('<graph defaultedgetype="directed" mode="static">\n')
    for what, names in (("node", _NODE[1:]), ("edge", _EDGE)):
        out.write(f'<attributes class="{what}">\n')
        for name in names:
            out.write(f'<attribute id="{what}-{name}" title="{name}" type="{_kind(name)}"/>\n')
        out.write("</attributes>\n")
    out.write("<nodes>\n")
    for node, attributes in facts.nodes():
        label, values = _plain(attributes["label"]), _values("node", _NODE[1:], attributes)
        out.write(f'<node id="{node}" label="{label}">{values}</node>\n')
    out.write("</nodes>\n<edges>\n")
    for edge in facts.edges():
        label, values = _plain(edge.attributes["relation"]), _values("edge", _EDGE, edge.attributes)
        ends = f'source="{edge.subject}" target="{edge.object}"'
        out.write(f'<edge id="{edge.id}" {ends} label="{label}">{values}</edge>\n')
    out.write("</edges>\n</graph>\n</gexf>\n")


def _values(what: str, names: Iterable[str], attributes: Mapping[str, Any]) -> str:
    values = (f'<attvalue for="{what}-{name}" value="{_plain(attributes[name])}"/>' for name in names)
    return f"<attvalues>{''.join(values)}</attvalues>"


def write_cytoscape(facts: Facts, out: TextIO) -> None:
    """Cytoscape JSON, read by Cytoscape, cytoscape.js and networkx."""
    out.write('{"data": [], "directed": true, "multigraph": true, "elements": {"nodes": [')
    nodes = ({"id": node, "value": node, "name": data["label"], **data} for node, data in facts.nodes())
    _write_list(({"data": node} for node in nodes), out)
    out.write('], "edges": [')
    _write_list(({"data": {"id": edge.id} | _ends(edge) | edge.attributes} for edge in facts.edges()), out)
    out.write("]}}\n")


def write_json(facts: Facts, out: TextIO) -> None:
    """Node-link JSON, as networkx and d3 read it."""
    out.write('{"directed": true, "multigraph": true, "graph": {}, "nodes": [')
    _write_list(({**data, "id": node} for node, data in facts.nodes()), out)
    out.write('], "edges": [')
    _write_list((edge.attributes | _ends(edge) for edge in facts.edges()), out)
    out.write("]}\n")


def _ends(edge: Edge) -> dict[str, str]:
    return {"source": edge.subject, "target": edge.object, "key": edge.id}


def _write_list(values: Iterator[Mapping[str, Any]], out: TextIO) -> None:
    for number, value in enumerate(values):
        out.write((",\n" if number else "\n") + json.dumps(value, ensure_ascii=False))


__all__ = ["write_cytoscape", "write_gexf", "write_graphml", "write_json"]
