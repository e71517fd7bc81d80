"""The gate's report for people: tables for a terminal, and one HTML page with plots that needs nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import InputError
from ...kg.ingest.report import ProgressEvent
from ...kg.safe_text import markup
from ..gate_report import GateReport, Share, gate_report
from . import plots, render
from .pages import whole
from .registry import Result

if TYPE_CHECKING:
    from ..evaluate import EvaluationReport
    from .session import Session

SHOWN = 4  # ids of questions that a cell of a table names
STYLE = (
    plots.STYLE
    + """
section { border-top: 1px solid var(--line); padding: 1rem 0 } .plots { margin-bottom: 2rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; vertical-align: top } th { border-bottom: 1px solid var(--line) }
td { border-bottom: 1px solid var(--soft); white-space: nowrap } h3 { font-size: 1rem; margin: 1.2rem 0 .2rem }
.said { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: 1rem 0 } .said div { min-width: 7rem }
.said b { display: block; font-size: 1.5rem } .on { font-weight: 600 } ul { padding-left: 1.2rem }
"""
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title; `note` says how to read them."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def extended(session: Session, evaluation: EvaluationReport, target: Path, result: Result) -> Result:
    """An evaluation with the gate's report beside it: every action is run on the questions too, and the page written.

    Questions of a consultation are left out: no gate decides there.

    Raises:
        InputError: no questions are left.
    """
    report = _measured(session, evaluation)
    target.write_text(page(report), "utf-8")

    def show(out: Any) -> None:
        result.show(out)
        terminal(out, report)
        render.lines(out, f"report: {target}")

    return Result({**result.data, "file": str(target), "report": report.to_dict()}, show, result.exit_code)


def _measured(session: Session, evaluation: EvaluationReport) -> GateReport:
    from ..train_gate import load_gate, observe

    rows = [row for row in evaluation.rows if row.question.profile is None]
    if not rows:
        raise InputError("no questions that a gate decides on")
    started = time.perf_counter()

    def progress(done: int, total: int) -> None:
        session.progress(ProgressEvent(done, total, "every action", 0, 0, time.perf_counter() - started, None))

    outcomes = observe(session.agent, [row.question for row in rows], progress)
    report, left_out = gate_report(outcomes, rows, load_gate(session.agent)), len(evaluation.rows) - len(rows)
    said = (f"{left_out} questions of consultations are left out: no gate decides there",) if left_out else ()
    return replace(report, notes=(*report.notes, *said))


def terminal(out: Any, report: GateReport) -> None:
    """The tables, and what is not said."""
    for table in tables(report):
        render.line(out, "")
        render.line(out, (table.title, "bold"), f"  {table.note}" if table.note else "")
        render.table(out, table.columns, table.rows)
    render.line(out, "")
    render.lines(out, "\n".join(_unsaid(report)))


def page(report: GateReport) -> str:
    """The report as one HTML page."""
    shown = {table.title: table for table in tables(report)}
    figures = "".join(
        f"<figure><figcaption>{markup(title)}</figcaption>{picture}</figure>" for title, picture in _pictures(report)
    )
    unsaid = "".join(f"<li>{markup(line)}</li>" for line in _unsaid(report))
    head = "".join(f"<div><b>{markup(value)}</b>{markup(name)}</div>" for name, value in _headline(report))
    body = (
        f"<p class='meta'>{report.questions} questions; the gate's mode is {markup(report.mode)}. A right answer is worth "
        f"{report.price.value:g}, a wrong one costs {report.price.loss:g}, a retrieval {report.price.retrieval:g}.</p>"
        f"<div class='said'>{head}</div><ul>{unsaid}</ul><div class='plots'>{figures}</div>"
        + "".join(_section(table) for table in shown.values())
    )
    return whole("hoptrace: the gate's report", "What the gate's choices came to", body, STYLE)


def _section(table: Table) -> str:
    heads = "".join(f"<th scope='col'>{markup(column)}</th>" for column in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{markup(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    note = f"<p class='meta'>{markup(table.note)}</p>" if table.note else ""
    body = f"<div class='wide'><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    return f"<section><h2>{markup(table.title)}</h2>{note}{body}</section>"


# ---- what is shown


def _headline(report: GateReport) -> Iterator[tuple[str, str]]:
    for name in ("right", "answered", "right of answered"):
        yield name, _percent(report.shares[name].value)
    yield "retrievals a question", f"{report.systems['gate'].retrievals:.2f}"
    if report.confidence is not None:
        yield "calibration error", f"{report.confidence.ece:.3f}"


def _unsaid(report: GateReport) -> list[str]:
    return [*(f"no {what}: {why}" for what, why in report.absent.items()), *report.notes]


def tables(report: GateReport) -> list[Table]:
    """All tables, in the order in which they are shown."""
    made = [_accuracy(report), _systems(report), _frontier(report), _usage(report), _turned(report), _cost(report)]
    if report.confidence is not None:
        made += _confidence(report)
    return [*made, _buckets(report)]


def _accuracy(report: GateReport) -> Table:
    rows = tuple((name, *_share(one)) for name, one in report.shares.items())
    return Table("Accuracy", "with 95 % bootstrap intervals", ("", "share", "95 %", "questions"), rows)


def _systems(report: GateReport) -> Table:
    rows = tuple((name, f"{p.right:.3f}", f"{p.utility:.3f}", f"{p.retrievals:.2f}") for name, p in report.systems.items())
    note = "right answers alone; the gate as its routes really went, each action on every question, the best in hindsight"
    return Table("What each way of choosing came to", note, ("", "right", "utility", "retrievals"), rows)


def _frontier(report: GateReport) -> Table:
    curves = report.frontier
    columns = ("budget", *(f"{name} {what}" for name in curves for what in ("right", "utility", "used")))
    rows = tuple(
        (f"{at[0].budget:.2f}", *(text for p in at for text in (f"{p.right:.3f}", f"{p.utility:.3f}", f"{p.retrievals:.2f}")))
        for at in zip(*curves.values(), strict=True)
    )
    return Table("Budget frontier", "retrievals for a question, allowed and used", columns, rows)


def _usage(report: GateReport) -> Table:
    rows = tuple(
        (u.action, u.mode, str(u.questions), _percent(u.share), f"{u.retrievals:.2f}", f"{u.tokens:.0f}", f"{u.ms:.0f}")
        for u in report.usage
    )
    columns = ("action", "mode", "questions", "share", "retrievals", "tokens", "ms")
    return Table("Realised usage", "what questions ended with, and took on average", columns, rows)


def _turned(report: GateReport) -> Table:
    rows = tuple(
        (t.action, t.against, str(len(t.helped)), str(len(t.harmed)), *_share(t.net)[:2], _ids(t.helped), _ids(t.harmed))
        for t in report.turned
    )
    columns = ("action", "against", "benefit", "harm", "net", "95 %", "helped", "harmed")
    return Table("Harm and benefit of retrieval", "questions turned right and turned wrong", columns, rows)


def _cost(report: GateReport) -> Table:
    rows = tuple((c.name, c.unit, f"{c.mean:.1f}", f"{c.p95:.1f}", f"{c.total:.0f}") for c in report.cost)
    return Table("Cost by part", "of the gate's own answers", ("part", "unit", "mean", "95th percentile", "all"), rows)


def _confidence(report: GateReport) -> list[Table]:
    told = report.confidence
    assert told is not None  # only called where there is one
    measures = (("calibration error (ECE)", told.ece), ("Brier", told.brier), ("AUROC", told.auroc), ("AURC", told.aurc))
    rows = tuple((name, "–" if value is None else f"{value:.3f}") for name, value in measures)
    bins = tuple((f"{one.confidence:.3f}", *_share(one.right)) for one in told.bins)
    return [
        Table("Stated confidence", f"of the {told.n} answers given", ("", ""), rows),
        Table("Reliability", "answers by rising confidence", ("said", "right", "95 %", "answers"), bins),
    ]


def _buckets(report: GateReport) -> Table:
    rows = tuple(
        (
            b.name,
            str(b.questions),
            " ".join(_share(b.right)[:2]),
            _percent(b.answered.value),
            _percent(b.right_of_answered.value),
            "–" if b.relative is None else f"{b.relative:.2f}",
        )
        for b in report.buckets
    )
    columns = ("", "questions", "right", "answered", "right of answered", "relative to head")
    return Table("Head, medium, tail", "by how many facts there are about the entity asked about", columns, rows)


def _pictures(report: GateReport) -> Iterator[tuple[str, str]]:
    """(caption, SVG) of every plot that can be drawn."""
    yield "What a budget buys", _frontier_plot(report)
    told = report.confidence
    if told is not None:
        said = [plots.Series("answers", [(b.confidence, b.right.value or 0.0) for b in told.bins], line=False, dots=True)]
        axes = plots.Axis("confidence said"), plots.Axis("share right")
        described = f"{len(told.bins)} bins of answers; expected calibration error {told.ece:.3f}"
        yield "Is it as sure as it should be?", plots.line_chart("Reliability diagram", described, said, *axes, diagonal=True)
        yield "Risk by coverage", _risk_plot(report)
    usage = {
        f"{b.name} ({b.questions})": {name: n / b.questions for name, n in b.actions.items() if n}
        for b in report.buckets
        if b.questions
    }
    yield "What questions ended with", plots.stacked_bars("Usage by bucket", "Share of each action by bucket", usage)
    stages = {c.name: c.mean for c in report.cost if c.unit == "ms" and c.name != "total" and c.mean >= 0.5}
    if stages:
        described = ", ".join(f"{name} {ms:.0f} ms" for name, ms in stages.items())
        yield "Where the time goes", plots.stacked_bars("Mean time by part", described, {"mean question": stages}, unit="ms")


def _frontier_plot(report: GateReport) -> str:
    allowed = {name: [(p.budget or 0.0, p.right) for p in points] for name, points in report.frontier.items()}
    most = max(*(x for points in allowed.values() for x, _ in points), *(p.retrievals for p in report.systems.values()))
    series = [plots.Series(name, points) for name, points in allowed.items()]
    for name, p in report.systems.items():
        if name != "hindsight":
            label = "gate, realised" if name == "gate" else name
            series.append(plots.Series(label, [(p.retrievals, p.right)], line=False, dots=True))
    described = "; ".join(f"{name}: {p.right:.3f} right with {p.retrievals:.2f} retrievals" for name, p in report.systems.items())
    axes = (
        plots.Axis("retrievals allowed for a question; used, for points", 0.0, most or 1.0),
        plots.Axis("share answered rightly"),
    )
    return plots.line_chart("Budget frontier", described, series, *axes)


def _risk_plot(report: GateReport) -> str:
    told = report.confidence
    assert told is not None  # only called where there is one
    series = [plots.Series("wrong", list(zip(told.coverage, told.risk, strict=True)))]
    axes = plots.Axis("share of questions answered, the surest first"), plots.Axis("share of them wrong", 0.0, _top(told.risk))
    return plots.line_chart("Risk-coverage curve", f"area under it {told.aurc:.3f}", series, *axes)


def _top(values: Sequence[float]) -> float:
    """The end of an axis that shows small shares: the next tenth."""
    return min(1.0, max(0.1, int(max(values) * 10 + 1) / 10))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _share(one: Share) -> tuple[str, str, str]:
    if one.value is None:
        return "–", "", "0"
    return f"{one.value:.3f}", f"[{one.low:.3f},\u00a0{one.high:.3f}]", str(one.n)


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")


__all__ = ["Table", "extended", "page", "tables", "terminal"]
