"""The gate's one report: what its choices came to, beside what any choice could have.

It is made of two logs of the same questions: what every action did (`outcomes`), and how the gate's own answers went
(`evaluate.Row`), with their real routes, times and usage. Right counts as in `evaluate`: an abstention is right where the
question cannot be answered. In the frontier only right answers count, since there every abstention is worth nothing.

What cannot be said is left out, and `absent` says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..kg.errors import InputError
from ..retrieval.metrics import bootstrap_ci
from .answer import Answer, Usage
from .calibrate import aurc, auroc, brier, ece, equal_bins, risks
from .evaluate import Row
from .frontier import Point, always, budgets, hindsight, kept
from .gate import RETRIEVALS, Gate
from .outcomes import Outcomes
from .steps import Retrieved
from .utility import Price

BUCKETS = ("head", "medium", "tail")
CURVE = 101  # most points of the risk-coverage curve that are kept
GATE = "gate"


@dataclass(frozen=True, slots=True)
class Share:
    """A mean over n questions with its 95 % bootstrap interval; all None for no questions."""

    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Used:
    """Questions that ended by one action and mode, and their means: retrievals, tokens of evidence and model, milliseconds."""

    action: str
    mode: str
    questions: int
    share: float
    retrievals: float
    tokens: float
    ms: float


@dataclass(frozen=True, slots=True)
class Turned:
    """What an action changes against a way of asking that retrieves nothing.

    Attributes:
        action: an action always taken, or "gate".
        against: "memory", or "nothing", which is saying nothing at all.
        helped, harmed: ids of the questions that it turns right, and wrong.
        net: share of the questions helped less share harmed.
    """

    action: str
    against: str
    helped: tuple[str, ...]
    harmed: tuple[str, ...]
    net: Share


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a question costs: mean, 95th percentile and sum over questions, in `unit`."""

    name: str
    unit: str
    mean: float
    p95: float
    total: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers with about the same confidence: what they said, and the share that was right."""

    confidence: float
    right: Share


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the confidence of the answers given can be trusted.

    Attributes:
        n: answers given.
        ece, brier, auroc: see `calibrate`; auroc is None where all were right, or all wrong.
        bins: of equal size, by rising confidence.
        aurc: area under the risk-coverage curve of the answers given.
        coverage, risk: share of all questions answered by the surest answers, and share of those that are wrong.
    """

    n: int
    ece: float
    brier: float
    auroc: float | None
    bins: tuple[Bin, ...]
    aurc: float
    coverage: tuple[float, ...]
    risk: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Questions about entities that are spoken of often, sometimes or hardly.

    Attributes:
        relative: share right over that of the head; None where the head has none right.
        actions: questions by the action that they ended with.
    """

    name: str
    questions: int
    right: Share
    answered: Share
    right_of_answered: Share
    relative: float | None
    actions: dict[str, int]


@dataclass(frozen=True, slots=True)
class GateReport:
    """All figures; see the classes of the parts.

    Attributes:
        mode: of the gate: rule, shrunk or calibrated.
        price: that utilities are counted in.
        shares: right of all, of answerable and of answered questions, and answered.
        systems: what the gate, each action alone, and hindsight came to.
        frontier: what budgets buy; the gate's two curves only where it is calibrated.
        confidence: None where no answer was given.
        absent: what cannot be said, and why.
        notes: what the figures do not promise.
    """

    questions: int
    mode: str
    price: Price
    shares: dict[str, Share]
    systems: dict[str, Point]
    frontier: dict[str, tuple[Point, ...]]
    usage: tuple[Used, ...]
    turned: tuple[Turned, ...]
    cost: tuple[Part, ...]
    confidence: Confidence | None
    buckets: tuple[Bucket, ...]
    absent: dict[str, str]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The `gate` part of `hoptrace eval --report --json`: numbers rounded to four places, None for what has no value."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def gate_report(outcomes: Outcomes, rows: Sequence[Row], gate: Gate) -> GateReport:
    """Measure a gate.

    Args:
        outcomes: every action on every question.
        rows: how the gate's own answers to the same questions went, in the same order.
        gate: that decided.

    Raises:
        InputError: no questions, not as many rows as outcomes, or a gate of other actions.
    """
    if not len(rows) or len(rows) != len(outcomes):
        raise InputError(f"{len(rows)} answers and {len(outcomes)} outcomes are not one log of some questions")
    if gate.calibrated is not None and gate.calibrated.actions != outcomes.actions:
        raise InputError(f"the gate chooses among {', '.join(gate.calibrated.actions)}, not {', '.join(outcomes.actions)}")
    price = gate.calibrated.price if gate.calibrated is not None else Price()
    confidence = _confidence(rows)
    absent = _absent(outcomes, gate, confidence)
    return GateReport(
        questions=len(rows),
        mode=gate.calibrated.mode if gate.calibrated is not None else "rule",
        price=price,
        shares=_shares(rows),
        systems={GATE: _realised(rows, price), **_always(outcomes, price), "hindsight": hindsight(outcomes, price)},
        frontier=_frontier(outcomes, gate, price),
        usage=_usage(rows),
        turned=_turned(outcomes, rows),
        cost=_cost(rows),
        confidence=confidence,
        buckets=_buckets(outcomes.buckets, rows),
        absent=absent,
        notes=_notes(gate),
    )


def retrievals(answer: Answer) -> float:
    """Retrievals that an answer took, by its steps: none, those of a path search, or those of looking through passages too."""
    steps = [step for step in answer.trace if isinstance(step, Retrieved)]
    return RETRIEVALS["path+text" if any(step.hits for step in steps) else "path"] if steps else 0.0


def share(values: np.ndarray, lowest: float = 0.0) -> Share:
    """The mean of values with its interval.

    Drawing again from values that are all alike says nothing of what was not drawn: there the interval is the exact one
    (Clopper and Pearson 1934) of a kind of question that was never seen.

    Args:
        values: float or bool [n], from `lowest` to 1.
        lowest: 0 for shares, -1 for differences of shares.
    """
    n = len(values)
    if not n:
        return Share(0, None, None, None)
    mean = float(values.mean())
    if values.min() < values.max():
        return Share(n, mean, *bootstrap_ci(values))
    unseen = 1.0 - 0.025 ** (1.0 / n)
    return Share(n, mean, max(mean - unseen, lowest), min(mean + unseen, 1.0))


# ---- the parts


def _answered(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row.answer.status != "abstained" for row in rows])


def _right(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row.right for row in rows])


def _answerable(rows: Sequence[Row]) -> np.ndarray:
    return np.array([bool(row.question.gold) for row in rows])


def _shares(rows: Sequence[Row]) -> dict[str, Share]:
    right, answered = _right(rows), _answered(rows)
    return {
        "right": share(right),
        "right of answerable": share(right[_answerable(rows)]),
        "answered": share(answered),
        "right of answered": share(right[answered]),
    }


def _realised(rows: Sequence[Row], price: Price) -> Point:
    """What the gate came to, by the retrievals that its answers really took."""
    answered, used = _answered(rows), np.array([retrievals(row.answer) for row in rows])
    right = _right(rows) & answered
    gained = np.where(right, price.value, np.where(answered, -price.loss, 0.0)) - price.retrieval * used
    return Point(None, float(used.mean()), float(right.mean()), float(gained.mean()))


def _always(outcomes: Outcomes, price: Price) -> dict[str, Point]:
    return {f"always {action}": point for action, point in always(outcomes, price).items()}


def _frontier(outcomes: Outcomes, gate: Gate, price: Price) -> dict[str, tuple[Point, ...]]:
    grid = budgets(outcomes)
    curves = {"hindsight": tuple(hindsight(outcomes, price, at) for at in grid)}
    chooser = gate.calibrated
    if chooser is not None and len(np.unique(outcomes.groups)) > 1:
        curves[GATE] = tuple(kept(chooser, outcomes, at, None) for at in grid)
        curves["gate with slack"] = tuple(kept(chooser, outcomes, at, 0.1) for at in grid)
    return curves


def _usage(rows: Sequence[Row]) -> tuple[Used, ...]:
    ended = [(row.answer.route.action, row.answer.route.mode) for row in rows]
    found = []
    for action, mode in sorted(set(ended), key=lambda one: (-ended.count(one), one)):
        answers = [row.answer for row, end in zip(rows, ended, strict=True) if end == (action, mode)]
        used = np.array([(retrievals(a), _tokens(a.usage), a.timings_ms.get("total", 0.0)) for a in answers])
        found.append(Used(action, mode, len(answers), len(answers) / len(rows), *used.mean(axis=0).tolist()))
    return tuple(found)


def _tokens(usage: Usage) -> int:
    return usage.evidence_tokens + usage.prompt_tokens + usage.completion_tokens


def _turned(outcomes: Outcomes, rows: Sequence[Row]) -> tuple[Turned, ...]:
    """Each action that retrieves, and the gate, against memory where there is one, and against saying nothing."""
    open_ = _answerable(rows)
    said = outcomes.said if outcomes.said is not None else np.ones_like(outcomes.right)
    right = {name: np.where(open_, outcomes.right[:, a], ~said[:, a]) for a, name in enumerate(outcomes.actions)}
    bases = {"memory": right["internal"]} if "internal" in right else {}
    bases["nothing"] = ~open_
    tried = {name: flags for name, flags in right.items() if name != "internal"} | {GATE: _right(rows)}
    return tuple(_against(name, flags, base, bases[base], rows) for base in bases for name, flags in tried.items())


def _against(name: str, right: np.ndarray, base: str, before: np.ndarray, rows: Sequence[Row]) -> Turned:
    ids = np.array([row.question.id for row in rows], object)
    net = share(right.astype(np.float64) - before, -1.0)
    return Turned(name, base, tuple(ids[right & ~before]), tuple(ids[before & ~right]), net)


def _cost(rows: Sequence[Row]) -> tuple[Part, ...]:
    """Milliseconds of each stage, in their order, what is left of the total, and everything that is counted."""
    answers = [row.answer for row in rows]
    stages = dict.fromkeys(name for answer in answers for name in answer.timings_ms if name != "total")
    times = {name: [answer.timings_ms.get(name, 0.0) for answer in answers] for name in stages}
    total = [answer.timings_ms.get("total", 0.0) for answer in answers]
    times["the rest"] = [max(all_ - sum(parts), 0.0) for all_, *parts in zip(total, *times.values(), strict=True)]
    times["total"] = total
    counts = {f.name.replace("_", " "): [float(getattr(answer.usage, f.name)) for answer in answers] for f in fields(Usage)}
    counts["retrievals"] = [retrievals(answer) for answer in answers]
    return (*(_part(name, "ms", values) for name, values in times.items()), *(_part(n, "", v) for n, v in counts.items()))


def _part(name: str, unit: str, values: Sequence[float]) -> Part:
    return Part(name, unit, float(np.mean(values)), float(np.quantile(values, 0.95)), float(np.sum(values)))


def _confidence(rows: Sequence[Row]) -> Confidence | None:
    answered = _answered(rows)
    if not answered.any():
        return None
    p = np.array([row.answer.confidence for row in rows])[answered]
    right = _right(rows)[answered]
    shown = np.unique(np.linspace(0, len(p) - 1, CURVE).round().astype(np.int64))
    told = auroc(p, right)
    return Confidence(
        n=len(p),
        ece=ece(p, right),
        brier=brier(p, right),
        auroc=None if math.isnan(told) else told,
        bins=tuple(Bin(float(p[part].mean()), share(right[part])) for part in equal_bins(p)),
        aurc=aurc(p, right),
        coverage=tuple(((shown + 1) / len(rows)).tolist()),
        risk=tuple(risks(p, right)[shown].tolist()),
    )


def _buckets(buckets: np.ndarray, rows: Sequence[Row]) -> tuple[Bucket, ...]:
    right, answered = _right(rows), _answered(rows)
    actions = np.array([row.answer.route.action for row in rows])
    names = sorted(set(actions.tolist()))
    head = float(right[buckets == 0].mean()) if (buckets == 0).any() else 0.0
    found = []
    for number, name in enumerate(BUCKETS):
        inside = buckets == number
        relative = float(right[inside].mean()) / head if head and inside.any() else None
        counts = {action: int((actions[inside] == action).sum()) for action in names}
        shares = share(right[inside]), share(answered[inside]), share(right[inside & answered])
        found.append(Bucket(name, int(inside.sum()), *shares, relative, counts))
    return tuple(found)


# ---- what is not said


def _absent(outcomes: Outcomes, gate: Gate, confidence: Confidence | None) -> dict[str, str]:
    absent = {}
    if gate.calibrated is None:
        why = gate.note or "nothing is calibrated, rules decide (hoptrace train gate)"
        absent["frontier of the gate"] = f"{why}: rules have no price to vary"
    elif len(np.unique(outcomes.groups)) < 2:
        absent["frontier of the gate"] = "all questions are about one entity"
    if "internal" not in outcomes.actions:
        absent["harm and benefit against memory"] = "the graph has no memory (hoptrace train memory)"
    if confidence is None:
        absent["confidence"] = "no answer was given"
    elif confidence.auroc is None:
        absent["AUROC"] = "the answers given are all right, or all wrong"
    empty = [name for number, name in enumerate(BUCKETS) if not (outcomes.buckets == number).any()]
    if empty:
        absent[f"accuracy in {', '.join(empty)}"] = "no question is about such an entity"
    return absent


def _notes(gate: Gate) -> tuple[str, ...]:
    if gate.calibrated is None:
        return ("confidences are scores of what was found, not probabilities; no error rate is promised",)
    return ("figures of a calibrated gate hold for questions that it was not calibrated on: those look better than others",)


def _plain(value: Any) -> Any:
    """Numbers rounded, all the way down."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


__all__ = ["BUCKETS", "Bucket", "Confidence", "GateReport", "Part", "Share", "Turned", "Used", "gate_report", "retrievals"]
