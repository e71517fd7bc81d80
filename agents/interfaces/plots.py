"""Plots as inline SVG: lines and points over two axes, and stacked bars.

No script and no style from outside; a plot has a title and a description for those who do not see it. Colours are the classes
s0, s1, ... of `STYLE`, which differ in light and dark; lines differ in their dashes too, and points in their shapes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...kg.safe_text import markup

WIDTH, PLOT = 420, 230  # SVG units: of the picture, and the height of the area within the axes
LEFT, RIGHT, TOP = 48, 14, 12
CHARACTER, LINE = 6.6, 18  # width of a character, height of a line of text
BAR = 24
DASHES = ("", "7 4", "2 4", "10 3 2 3")
MARKS = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "M-4-4h8v8h-8z", "M0-5.5L5.5 0 0 5.5-5.5 0z", "M0-5L5 4h-10z")  # around a point
COLOURS = 8
STYLE = """
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.5rem }
.plots figure { margin: 0; min-width: 0 } figcaption { font-weight: 600 }
svg.plot { width: 100%; max-width: 34rem; height: auto; display: block } svg.plot text { font-size: 12px }
:root { --s0: #1f6fb5; --s1: #c4551a; --s2: #1a8560; --s3: #8250b4; --s4: #9a7400; --s5: #6b7480;
  --s6: #b8336a; --s7: #2b8a99 }
@media (prefers-color-scheme: dark) {
  :root { --s0: #6db3f2; --s1: #f2925c; --s2: #4cc79a; --s3: #bd97ea; --s4: #dcb445; --s5: #a3adb8;
    --s6: #f08bb0; --s7: #63cbdc } }
""" + "".join(f".s{i} {{ --ink: var(--s{i}) }} " for i in range(COLOURS))


@dataclass(frozen=True, slots=True)
class Series:
    """One named row of (x, y). `line` joins them; `dots` marks each."""

    name: str
    points: Sequence[tuple[float, float]]
    line: bool = True
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, and from where to where."""

    label: str
    low: float = 0.0
    high: float = 1.0


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high, at most so many: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    wide = high - low
    if not wide > 0:
        return [low]
    rough = 10.0 ** math.floor(math.log10(wide / (most - 1)))
    step = next(rough * by for by in (1, 2, 5, 10, 20) if wide / (rough * by) <= most - 1 + 1e-9)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def line_chart(title: str, described: str, series: Sequence[Series], x: Axis, y: Axis, *, diagonal: bool = False) -> str:
    """Series over two axes, with a legend where there are several.

    Args:
        title, described: for those who do not see it.
        series: whatever lies outside the axes is drawn at their edge.
        diagonal: a thin line from corner to corner, where what is said equals what came.
    """
    across, up = _scale(x, LEFT, WIDTH - RIGHT), _scale(y, TOP + PLOT, TOP)
    parts = [*_axes(x, y, across, up)]
    if diagonal:
        parts.append(f"<line x1='{LEFT}' y1='{TOP + PLOT}' x2='{WIDTH - RIGHT}' y2='{TOP}' class='s5' stroke='var(--ink)'/>")
    for number, one in enumerate(series):
        parts.append(_series(one, number, [(across.at(a), up.at(b)) for a, b in one.points]))
    below = TOP + PLOT + 2.6 * LINE
    keys = [(one.name, number, "line" if one.line else "mark") for number, one in enumerate(series)]
    legend, height = _legend(keys if len(series) > 1 else [], LEFT, below)
    return _picture(title, described, [*parts, *legend], height)


def stacked_bars(title: str, described: str, bars: Mapping[str, Mapping[str, float]], *, unit: str = "%") -> str:
    """A horizontal bar for each name, made of parts; each part keeps its colour in all bars.

    Args:
        title, described: for those who do not see it.
        bars: by name, the size of each part; shares of one where the unit is %.
        unit: of sizes.
    """
    names = list(dict.fromkeys(part for parts in bars.values() for part in parts))
    longest = max((sum(parts.values()) for parts in bars.values()), default=0.0) or 1.0
    room = WIDTH - 2 * RIGHT
    drawn, top = [], float(TOP)
    for bar, parts in bars.items():
        drawn.append(f"<text x='{RIGHT}' y='{top + 10:.0f}'>{markup(bar)}</text>")
        left, top = float(RIGHT), top + LINE - 2
        for part, size in parts.items():
            wide = room * size / longest
            drawn.append(_segment(left, top, wide, names.index(part), part, _size(size, unit)))
            left += wide
        top += BAR + 12
    legend, height = _legend([(name, number, "part") for number, name in enumerate(names)], RIGHT, top + 4)
    return _picture(title, described, [*drawn, *legend], height)


# ---- pieces


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies, in SVG units; at the edge where it lies outside."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def _scale(axis: Axis, start: float, end: float) -> _Scale:
    return _Scale(axis.low, axis.high, start, end)


def _axes(x: Axis, y: Axis, across: _Scale, up: _Scale) -> Iterator[str]:
    bottom, middle = TOP + PLOT, TOP + PLOT / 2
    for at in ticks(y.low, y.high):
        level = up.at(at)
        yield f"<line x1='{LEFT}' y1='{level:.1f}' x2='{WIDTH - RIGHT}' y2='{level:.1f}' stroke='var(--line)'/>"
        yield f"<text x='{LEFT - 6}' y='{level + 4:.1f}' text-anchor='end'>{at:g}</text>"
    for at in ticks(x.low, x.high):
        place = across.at(at)
        yield f"<line x1='{place:.1f}' y1='{bottom}' x2='{place:.1f}' y2='{bottom + 5}' stroke='currentColor'/>"
        yield f"<text x='{place:.1f}' y='{bottom + LINE}' text-anchor='middle'>{at:g}</text>"
    yield f"<line x1='{LEFT}' y1='{bottom}' x2='{WIDTH - RIGHT}' y2='{bottom}' stroke='currentColor'/>"
    yield f"<text x='{(LEFT + WIDTH - RIGHT) / 2:.0f}' y='{bottom + 2 * LINE}' text-anchor='middle'>{markup(x.label)}</text>"
    turned = f"transform='rotate(-90 12 {middle:.0f})'"
    yield f"<text x='12' y='{middle:.0f}' text-anchor='middle' {turned}>{markup(y.label)}</text>"


def _series(one: Series, number: int, places: Sequence[tuple[float, float]]) -> str:
    colour = f"s{number % COLOURS}"
    marks = []
    if one.line and len(places) > 1:
        way = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        marks.append(f"<polyline points='{way}' fill='none' stroke='var(--ink)' stroke-width='2'{_dash(number)}/>")
    if one.dots or len(places) == 1:
        marks += [_mark(number, a, b) for a, b in places]
    return f"<g class='{colour}'>{''.join(marks)}</g>"


def _segment(left: float, top: float, wide: float, number: int, name: str, said: str) -> str:
    shape = f"x='{left:.1f}' y='{top:.0f}' width='{wide:.1f}' height='{BAR}'"
    drawn = f"<rect {shape} fill='var(--ink)' fill-opacity='.8'><title>{markup(name)}: {said}</title></rect>"
    if wide > CHARACTER * len(said) + 12:
        drawn += f"<text x='{left + wide / 2:.1f}' y='{top + 16:.0f}' text-anchor='middle' class='on'>{said}</text>"
    return f"<g class='s{number % COLOURS}'>{drawn}</g>"


def _size(size: float, unit: str) -> str:
    return f"{size:.0%}" if unit == "%" else f"{size:.0f} {unit}"


def _mark(number: int, x: float, y: float) -> str:
    return f"<path class='mark' d='{MARKS[number % len(MARKS)]}' transform='translate({x:.1f} {y:.1f})' fill='var(--ink)'/>"


def _legend(keys: Sequence[tuple[str, int, str]], start: float, top: float) -> tuple[list[str], float]:
    """Names with their keys, as many on a line as there is room for; and where the picture ends below them.

    Args:
        keys: name, number of the colour, and what is drawn: line, mark or part.
        start: where each line of the legend begins.
        top: where the legend begins.
    """
    parts: list[str] = []
    left, level = start, top + LINE
    for name, number, kind in keys:
        shown = name if len(name) <= 40 else name[:39] + "…"
        wide = 26 + CHARACTER * len(shown) + 14
        if left > start and left + wide > WIDTH:
            left, level = start, level + LINE
        text = f"<text x='{left + 26:.0f}' y='{level:.0f}'>{markup(shown)}</text>"
        parts.append(f"<g class='s{number % COLOURS}'>{_key(kind, number, left, level - 4)}{text}</g>")
        left += wide
    return parts, level + 8 if keys else top


def _key(kind: str, number: int, left: float, middle: float) -> str:
    if kind == "line":
        ends = f"x1='{left:.0f}' y1='{middle:.0f}' x2='{left + 20:.0f}' y2='{middle:.0f}'"
        return f"<line {ends} stroke='var(--ink)' stroke-width='2'{_dash(number)}/>"
    if kind == "mark":
        return _mark(number, left + 10, middle)
    return f"<rect x='{left + 4:.0f}' y='{middle - 6:.0f}' width='12' height='12' rx='2' fill='var(--ink)' fill-opacity='.8'/>"


def _dash(number: int) -> str:
    dash = DASHES[number % len(DASHES)]
    return f" stroke-dasharray='{dash}'" if dash else ""


def _picture(title: str, described: str, parts: Sequence[str], height: float) -> str:
    about = f"<title>{markup(title)}</title><desc>{markup(described)}</desc>"
    box = f"viewBox='0 0 {WIDTH} {height:.0f}'"
    return f"<svg class='plot' {box} role='img' aria-label='{markup(title)}'>{about}{''.join(parts)}</svg>"


__all__ = ["STYLE", "Axis", "Series", "line_chart", "stacked_bars", "ticks"]
