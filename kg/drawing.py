"""SVG pictures of paths and graphs: no script, no address outside, every label escaped.

They draw with `currentColor` and no background, so that they suit light and dark pages, and stand alone as files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .safe_text import markup, short

_FONT = "font-family='system-ui, sans-serif' font-size='14' fill='currentColor' text-anchor='middle'"
_CHARACTER, _HEIGHT, _ROW = 8.2, 34, 48  # width of a character, height of a box and of a path
_GAP = 26  # room on each side of a relation
_WIDE = 1.9  # width of a character beyond the Latin, Greek and Cyrillic scripts, as multiples of `_CHARACTER`


Hops = Sequence[Mapping[str, Any]]  # of `Path.to_dict()`


def path_svg(hops: Hops) -> str:
    """A path: boxes in reading order, each arrow in the direction of its triple."""
    return paths_svg([hops])


def paths_svg(paths: Sequence[Hops]) -> str:
    """Paths, one above the other."""
    parts: list[str] = []
    width = 0.0
    for number, hops in enumerate(paths):
        parts.append(f"<g transform='translate(0 {_ROW * number})'>")
        width = max(width, _path(parts, hops))
        parts.append("</g>")
    return _svg(width + 1, _ROW * (len(paths) - 1) + _HEIGHT + 2, "; ".join(map(_described, paths)), parts)


def _path(parts: list[str], hops: Hops) -> float:
    x = 1.0
    for index, hop in enumerate(hops):
        forward = hop["direction"] == 1
        first, last = (hop["subject"], hop["object"]) if forward else (hop["object"], hop["subject"])
        if index == 0:
            x = _box(parts, x, first)
        label = short(hop["relation"]) + "".join(f" [{number}]" for number in hop.get("citations", ()))
        x = _arrow(parts, x, label, forward)
        x = _box(parts, x, last)
    return x


def _described(hops: Hops) -> str:
    return " · ".join(f"{short(hop['subject'])} {short(hop['relation'])} {short(hop['object'])}" for hop in hops)


def _svg(width: float, height: float, described: str, parts: Sequence[str]) -> str:
    size = f"width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.0f} {height:.0f}'"
    body = "".join(parts)
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img'><title>{markup(described)}</title>{body}</svg>"


def _width(label: str) -> float:
    return _CHARACTER * sum(_WIDE if ord(character) >= 0x1100 else 1.0 for character in label)


def _box(parts: list[str], x: float, label: str) -> float:
    label = short(label)
    width = _width(label) + 20
    parts.append(f"<rect x='{x:.0f}' y='1' width='{width:.0f}' height='{_HEIGHT}' rx='7' fill='none' stroke='currentColor'/>")
    parts.append(f"<text x='{x + width / 2:.0f}' y='23' {_FONT} font-weight='600'>{markup(label)}</text>")
    return x + width


def _arrow(parts: list[str], x: float, label: str, forward: bool) -> float:
    end = x + _width(label) + 2 * _GAP
    tip, back = (end, -7) if forward else (x, 7)
    parts.append(f"<line x1='{x:.0f}' y1='26' x2='{end:.0f}' y2='26' stroke='currentColor'/>")
    parts.append(f"<path d='M{tip:.0f} 26 l{back} -4 v8 z' fill='currentColor'/>")
    parts.append(f"<text x='{(x + end) / 2:.0f}' y='18' {_FONT}>{markup(label)}</text>")
    return end


# ---- graphs ------------------------------------------------------------------------------------------------------

_SPREAD, _MARGIN, _RADIUS = 90, 105, 6  # SVG units: room per node, border, circle
_SMALL = "font-family='system-ui, sans-serif' font-size='11' fill='currentColor' text-anchor='middle'"


def graph_svg(nodes: Mapping[str, str], edges: Sequence[tuple[str, str, str]], described: str) -> str:
    """A graph as circles and arrows, laid out by springs; the same graph always looks the same.

    Args:
        nodes: label by id.
        edges: (subject id, relation, object id).
        described: what the picture shows, for readers that do not see it.
    """
    side = max(240.0, _SPREAD * math.sqrt(len(nodes)) * 1.4)
    places = {node: (_MARGIN + x * side * 1.4, _MARGIN / 2 + y * side) for node, (x, y) in _layout(nodes, edges).items()}
    parts: list[str] = []
    together: dict[tuple[str, str], list[str]] = {}
    for subject, relation, target in edges:
        together.setdefault((subject, target), []).append(short(relation, 24))
    for (subject, target), relations in together.items():
        _edge(parts, places[subject], places[target], short(", ".join(dict.fromkeys(relations)), 40))
    for node, label in nodes.items():
        x, y = places[node]
        full = f"<title>{markup(short(label, 300))}</title>"
        parts.append(f"<circle cx='{x:.0f}' cy='{y:.0f}' r='{_RADIUS}' fill='currentColor'>{full}</circle>")
        parts.append(f"<text x='{x:.0f}' y='{y - 10:.0f}' {_SMALL} font-weight='600'>{markup(short(label, 28))}</text>")
    return _svg(side * 1.4 + 2 * _MARGIN, side + _MARGIN, described, parts)


def _layout(nodes: Mapping[str, str], edges: Sequence[tuple[str, str, str]]) -> dict[str, tuple[float, float]]:
    """Places in the unit square."""
    import networkx as nx  # type: ignore[import-untyped]

    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from((subject, target) for subject, _, target in edges)
    found = nx.spring_layout(graph, seed=1, k=2.2 / math.sqrt(max(1, len(nodes))), iterations=80)
    xs, ys = [x for x, _ in found.values()], [y for _, y in found.values()]
    return {node: (_share(x, xs), _share(y, ys)) for node, (x, y) in found.items()}


def _share(value: float, among: Sequence[float]) -> float:
    low, high = min(among), max(among)
    return (value - low) / (high - low) if high > low else 0.5


def _edge(parts: list[str], start: tuple[float, float], end: tuple[float, float], label: str) -> None:
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1)
    if length < 1:  # a fact about a thing and itself
        parts.append(f"<circle cx='{x1:.0f}' cy='{y1 + 14:.0f}' r='12' fill='none' stroke='currentColor' opacity='.5'/>")
        parts.append(f"<text x='{x1:.0f}' y='{y1 + 38:.0f}' {_SMALL} opacity='.8'>{markup(label)}</text>")
        return
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    tx, ty = x2 - ux * (_RADIUS + 2), y2 - uy * (_RADIUS + 2)
    wings = [(tx - 8 * ux + side * 4 * uy, ty - 8 * uy - side * 4 * ux) for side in (1, -1)]
    parts.append(f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{tx:.1f}' y2='{ty:.1f}' stroke='currentColor' opacity='.5'/>")
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((tx, ty), *wings))
    parts.append(f"<polygon points='{points}' fill='currentColor' opacity='.7'/>")
    x, y = x1 + 0.4 * (x2 - x1), y1 + 0.4 * (y2 - y1) - 3  # off the middle, where the label of the way back would stand
    parts.append(f"<text x='{x:.0f}' y='{y:.0f}' {_SMALL} opacity='.8'>{markup(label)}</text>")


__all__ = ["graph_svg", "path_svg", "paths_svg"]
