"""Pictures and diagrams of facts: Mermaid, Graphviz, SVG, a page that stands alone.

Graphviz draws any number of facts. The others show what fits on a picture: of a larger graph the facts of its
busiest nodes, and they say what they leave out. Paths are drawn as paths.
"""

from __future__ import annotations

from collections import Counter
from heapq import nlargest
from typing import NamedTuple, TextIO

from ..drawing import graph_svg, path_svg, paths_svg
from ..model import Node, Triple
from ..safe_text import dot, markup, mermaid, one_line, short
from ..views import Facts

MAX_NODES, MAX_EDGES = 60, 150  # in a picture, where labels still can be told apart
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 90rem }
figure { margin: 1rem 0; overflow-x: auto } table { border-collapse: collapse } td, th { text-align: left; vertical-align: top;
  padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #8884 } .place { font: .8rem ui-monospace, monospace; opacity: .7 }
"""


class Drawn(NamedTuple):
    """What a picture shows: the facts of the nodes that have most of them, and how many facts there are."""

    nodes: dict[str, Node]
    triples: list[Triple]
    total: int

    @property
    def caption(self) -> str:
        shown, facts = len(self.triples), f"{self.total} {'fact' if self.total == 1 else 'facts'}"
        return facts if shown == self.total else f"{shown} of {facts}: those of the busiest nodes"


def drawn(facts: Facts) -> Drawn:
    """Choose what a picture shows, in two passes that hold the degrees of nodes and what is chosen."""
    degrees: Counter[str] = Counter()
    total = 0
    for triple in facts.triples():
        degrees.update((triple.subject.id, triple.object.id))
        total += 1
    nodes: dict[str, Node] = {}
    chosen: list[Triple] = []
    for triple in nlargest(MAX_EDGES, facts.triples(), key=lambda one: degrees[one.subject.id] + degrees[one.object.id]):
        ends = {node.id: node for node in (triple.subject, triple.object)}
        if len(nodes | ends) <= MAX_NODES:
            nodes |= ends
            chosen.append(triple)
    return Drawn(nodes, chosen, total)


def write_dot(facts: Facts, out: TextIO) -> None:
    """A digraph for Graphviz."""
    out.write("digraph hoptrace {\n  rankdir=LR;\n")
    for node, data in facts.nodes():
        shape = "box" if data["kind"] == "entity" else "plaintext"
        out.write(f"  {node} [label={dot(data['label'])}, shape={shape}];\n")
    for edge in facts.edges():
        out.write(f"  {edge.subject} -> {edge.object} [label={dot(edge.attributes['relation'])}];\n")
    out.write("}\n")


def write_mermaid(facts: Facts, out: TextIO) -> None:
    """A flowchart for Mermaid, as GitHub and Jupyter draw it."""
    shown = drawn(facts)
    out.write(f"flowchart LR\n%% {shown.caption}\n")
    for node in shown.nodes.values():
        out.write(f"  {node.id}[{mermaid(node.label)}]\n")
    for triple in shown.triples:
        out.write(f"  {triple.subject.id} -->|{mermaid(triple.relation.label)}| {triple.object.id}\n")


def write_svg(facts: Facts, out: TextIO) -> None:
    """One picture: of the paths, one above the other, or of the graph."""
    picture = paths_svg([path.to_dict()["hops"] for path in facts.paths]) if facts.paths else _graph(drawn(facts))
    out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{picture}\n')


def _graph(shown: Drawn) -> str:
    labels = {node.id: node.label for node in shown.nodes.values()}
    return graph_svg(labels, [(t.subject.id, t.relation.label, t.object.id) for t in shown.triples], shown.caption)


def write_html(facts: Facts, out: TextIO) -> None:
    """A page that needs nothing else: the picture, and under it the facts with what their sources say."""
    shown = None if facts.paths else drawn(facts)
    pictures = [_graph(shown)] if shown else [path_svg(path.to_dict()["hops"]) for path in facts.paths or ()]
    caption = shown.caption if shown else f"{len(pictures)} paths"
    out.write(
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width'><title>hoptrace: a graph</title>"
        f"<style>{_STYLE}</style></head>\n<body><h1>{markup(short(facts.kg.path.name))}</h1><p>{markup(caption)}</p>\n"
    )
    out.writelines(f"<figure>{picture}</figure>\n" for picture in pictures)
    out.write("<table><tr><th>subject</th><th>relation</th><th>object</th><th>said by</th></tr>\n")
    for triple in shown.triples if shown else facts.triples():
        out.write(_fact(facts, triple))
    out.write("</table></body></html>\n")


def _fact(facts: Facts, triple: Triple) -> str:
    said = "".join(_said(facts, span.source_id, span.start, span.end, span.quote) for span in triple.spans[:3])
    cells = (triple.subject.label, triple.relation.label, triple.object.label)
    return "<tr>" + "".join(f"<td>{markup(short(text, 300))}</td>" for text in cells) + f"<td>{said}</td></tr>\n"


def _said(facts: Facts, source: str, start: int, end: int, quote: str) -> str:
    place = f"{one_line(facts.kg.store.source(source).uri)}:{start}-{end}"
    return f"<div>“{markup(short(quote, 300))}” <span class='place'>{markup(place)}</span></div>"


__all__ = ["Drawn", "drawn", "write_dot", "write_html", "write_mermaid", "write_svg"]
