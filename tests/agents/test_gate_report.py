"""The gate's report: its figures beside brute force, what it leaves unsaid, and the page and tables it becomes."""

from __future__ import annotations

import json
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hoptrace.agents.answer import Action, Answer, AnswerStatus, Route, Usage
from hoptrace.agents.calibrate import aurc, ece, equal_bins, risks
from hoptrace.agents.evaluate import Question, Row, is_right
from hoptrace.agents.frontier import always, bought, budgets, hindsight, kept
from hoptrace.agents.gate import Gate
from hoptrace.agents.gate_report import GateReport, gate_report, share
from hoptrace.agents.outcomes import Outcomes
from hoptrace.agents.steps import Retrieved
from hoptrace.agents.utility import Price, UtilityGate, fit_gate, oracle, within
from hoptrace.kg.errors import InputError
from hoptrace.kg.model import Chunk
from hoptrace.retrieval.base import Hit
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

PRICE = Price(1.0, 0.5, 0.1)
ACTIONS = ("path", "path+text", "internal")


def logged(right: np.ndarray, cost: np.ndarray, said: np.ndarray | None = None) -> Outcomes:
    """Outcomes in which nothing was known before acting."""
    n = len(right)
    names = ACTIONS[: right.shape[1]]
    return Outcomes((), np.zeros((n, 0)), names, right, cost, np.arange(n), np.arange(n) % 3, said)


def drawn(n: int, seed: int) -> Outcomes:
    """Paths that answer what is covered; a memory that answers what it was told often, of which its margin tells."""
    rng = np.random.default_rng(seed)
    covered, told = rng.random(n) < 0.7, rng.normal(size=n)
    internal, path = rng.random(n) < 1 / (1 + np.exp(-2 * told)), rng.random(n) < np.where(covered, 0.9, 0.1)
    x = np.stack([covered.astype(float), internal + rng.normal(0, 0.4, n)], axis=1)
    right, cost = np.stack([path, path | (rng.random(n) < 0.3), internal], axis=1), np.tile([1.0, 5.0, 0.0], (n, 1))
    return Outcomes(("coverage", "margin"), x, ACTIONS, right, cost, np.arange(n) // 2, np.digitize(-told, [-0.5, 0.5]))


def fitted(cost: tuple[float, ...] = (0.0, 0.0)) -> UtilityGate:
    return fit_gate(drawn(400, 0), [("coverage",), ("margin",)], price=PRICE, tier_cost=cost)


# ---- the frontier


@st.composite
def few(draw: st.DrawFn) -> tuple[Outcomes, float]:
    """Up to five questions of three actions, and a budget."""
    n = draw(st.integers(1, 5))
    right = draw(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=n, max_size=n))
    cost = draw(st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, 12.0]), min_size=3, max_size=3), min_size=n, max_size=n))
    return logged(np.array(right), np.array(cost)), draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 6.0]))


@given(few())
def test_no_choice_within_the_budget_has_more_utility_than_hindsight(drawn: tuple[Outcomes, float]) -> None:
    outcomes, budget = drawn
    n, best = len(outcomes), -np.inf
    for choice in product(range(4), repeat=n):
        acts = [(i, a) for i, a in enumerate(choice) if a < 3]
        spent = sum(outcomes.cost[at] for at in acts)
        if spent <= budget * n:
            best = max(best, sum(1.0 if outcomes.right[at] else -0.5 for at in acts) - 0.1 * spent)
    found = hindsight(outcomes, PRICE, budget)
    assert found.utility == pytest.approx(best / n)
    assert found.retrievals <= budget + 1e-9


@given(few())
def test_without_a_budget_hindsight_is_the_oracle(drawn: tuple[Outcomes, float]) -> None:
    assert hindsight(drawn[0], PRICE).utility == pytest.approx(oracle(drawn[0], PRICE).mean())


def test_a_larger_budget_has_no_fewer_right_answers() -> None:
    log = drawn(200, 3)
    right = [hindsight(log, PRICE, budget).right for budget in budgets(log)]
    assert right == sorted(right)
    assert right[0] == pytest.approx(log.right[:, 2].mean())  # memory costs nothing
    assert right[-1] == pytest.approx(log.right.any(axis=1).mean())


def test_what_one_action_comes_to() -> None:
    log = drawn(100, 4)
    found = always(log, PRICE)["path"]
    assert (found.retrievals, found.right) == (1.0, pytest.approx(log.right[:, 0].mean()))
    assert found.utility == pytest.approx(log.right[:, 0].mean() * 1.5 - 0.5 - 0.1)


def test_slack_spends_less_and_no_curve_passes_hindsight() -> None:
    log, gate = drawn(300, 5), fitted()
    bare = [kept(gate, log, budget, None) for budget in budgets(log)]
    slack = [kept(gate, log, budget, 0.1) for budget in budgets(log)]
    assert all(one.retrievals <= other.retrievals + 1e-9 for one, other in zip(slack, bare, strict=True))
    assert sum(one.retrievals for one in slack) < sum(one.retrievals for one in bare)
    for at in (*bare, *slack):
        assert at.right <= hindsight(log, Price(1.0, 0.5, 0.0), at.retrievals).right + 1e-9


def test_a_gate_within_a_budget_is_measured_on_the_other_half_of_the_entities() -> None:
    log, gate = drawn(300, 6), fitted()
    one, two = log.split(0.5, 0)
    right = 0
    for own, held in ((one, two), (two, one)):
        choice, _, _ = within(gate, own, 0.5, None).choose(held)
        right += sum(bool(held.right[i, a]) for i, a in enumerate(choice) if a < 3)
    assert kept(gate, log, 0.5, None).right == pytest.approx(right / len(log))


def test_the_slack_grows_with_what_one_action_may_cost() -> None:
    log, gate = drawn(300, 6), fitted()
    slack = 5 * np.sqrt(np.log(2 / 0.1) / (2 * len(log)))
    choice, _, _ = within(gate, log, 1.0).choose(log)
    assert np.append(gate.cost, 0.0)[choice].mean() + slack <= 1.0


def test_tiers_bought_count_as_retrievals() -> None:
    log, gate = drawn(300, 7), fitted((0.0, 3.0))
    at = gate.choose(log)[2]
    assert bought(gate, log, PRICE).retrievals >= 3 * (at == 1).mean()
    tight = within(gate, log, 0.2, None)
    choice, _, tier = tight.choose(log)
    assert np.maximum(np.append(gate.cost, 0.0)[choice], gate.tier_cost[tier]).mean() <= 0.2


def test_questions_about_one_entity_have_no_frontier_of_a_gate() -> None:
    log = drawn(2, 8)
    with pytest.raises(InputError, match="one entity"):
        kept(fitted(), log, 1.0, None)


# ---- measures of confidence


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_bins_part_the_answers_and_risks_average_to_their_area(pairs: list[tuple[float, bool]]) -> None:
    p, right = np.array([one for one, _ in pairs]), np.array([two for _, two in pairs])
    parts = equal_bins(p)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(p)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(p[a].max() <= p[b].min() for a, b in pairwise(parts))
    said = sum(abs(p[part].sum() - right[part].sum()) for part in parts) / len(p)
    assert ece(p, right) == pytest.approx(said)
    shares = risks(p, right)
    assert shares[-1] == pytest.approx(1 - right.mean())
    assert aurc(p, right) == pytest.approx(shares.mean())


# ---- the report

HIT = Hit(0, Chunk("c1", "s1", 0, 4, "text", ""), 1.0, {})
READ, WALKED = Retrieved((), (HIT,), ()), Retrieved((), (), ())


def went(
    name: str,
    *,
    right: bool = True,
    said: bool = True,
    gold: bool = True,
    confidence: float = 0.5,
    route: tuple[str, str] = ("path", "rule"),
    trace: tuple[Retrieved, ...] = (WALKED,),
    ms: dict[str, float] | None = None,
    usage: Usage = Usage(),  # noqa: B008  (frozen)
) -> Row:
    """How a question went; what is said is right as `right` says, an abstention where there is no gold."""
    text = (("gold",) if right else ("other",)) if said else ()
    question = Question(name, f"{name}?", ("gold",) if gold else ())
    status: AnswerStatus = "answered" if said else "abstained"
    action: Action = route[0]  # type: ignore[assignment]
    way = Route(action if said else "abstain", route[1])
    answer = Answer(question.text, "", text, status, confidence, way, usage=usage, timings_ms=ms or {}, trace=trace)
    return Row(question, answer, is_right(question, answer))


def reported(rows: list[Row], right: list[list[bool]] | None = None, gate: Gate | None = None, **more: Any) -> GateReport:
    """A report of rows; every action is right on every question where not said otherwise."""
    flags = np.array(right if right is not None else [[True, True]] * len(rows))
    log = logged(flags, np.tile([1.0, 5.0, 0.0][: flags.shape[1]], (len(rows), 1)), more.get("said"))
    return gate_report(log, rows, gate or Gate())


ROWS = st.lists(
    st.builds(
        lambda right, said, gold, confidence: went("q", right=right, said=said, gold=gold, confidence=confidence),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=10)
@given(ROWS)
def test_shares_utility_and_buckets_are_those_of_a_count(rows: list[Row]) -> None:
    found = reported(rows)
    said = [row for row in rows if row.answer.answers]
    expected = {
        "right": [row.right for row in rows],
        "right of answerable": [row.right for row in rows if row.question.gold],
        "answered": [bool(row.answer.answers) for row in rows],
        "right of answered": [row.right for row in said],
    }
    for name, flags in expected.items():
        one = found.shares[name]
        assert one.n == len(flags)
        assert one.value == (pytest.approx(sum(flags) / len(flags)) if flags else None)
        assert one.value is None or (one.low is not None and one.high is not None and one.low <= one.value <= one.high)
    gained = sum(1.0 if row.right else -0.5 for row in said) - 0.1 * len(rows)
    assert found.systems["gate"].utility == pytest.approx(gained / len(rows))
    assert sum(bucket.questions for bucket in found.buckets) == len(rows)
    for number, bucket in enumerate(found.buckets):
        inside = [row for i, row in enumerate(rows) if i % 3 == number]
        assert bucket.right.value == (pytest.approx(sum(row.right for row in inside) / len(inside)) if inside else None)
        assert sum(bucket.actions.values()) == len(inside)


@settings(max_examples=10)
@given(ROWS)
def test_confidence_is_measured_on_the_answers_given(rows: list[Row]) -> None:
    told, said = reported(rows).confidence, [(row.answer.confidence, row.right) for row in rows if row.answer.answers]
    if told is None:
        assert not said
        return
    assert told.n == len(said) == sum(one.right.n for one in told.bins)
    assert told.brier == pytest.approx(sum((p - good) ** 2 for p, good in said) / len(said))
    pairs = [(a > b) + (a == b) / 2 for a, good in said if good for b, bad in said if not bad]
    assert told.auroc == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    off = sum(one.right.n * abs(one.confidence - (one.right.value or 0.0)) for one in told.bins)
    assert told.ece == pytest.approx(off / len(said))
    assert told.aurc == pytest.approx(np.mean(told.risk))
    assert told.coverage[-1] == pytest.approx(len(said) / len(rows))
    assert told.risk[-1] == pytest.approx(1 - sum(good for _, good in said) / len(said))


def test_the_surest_answers_come_first_on_the_risk_curve() -> None:
    told = reported([went("a", confidence=0.9), went("b", right=False, confidence=0.8), went("c", confidence=0.7)]).confidence
    assert told is not None
    assert told.risk == pytest.approx((0.0, 1 / 2, 1 / 3))


def test_a_long_risk_curve_is_thinned_and_keeps_its_ends_and_area() -> None:
    rng = np.random.default_rng(0)
    sure, good = rng.random(500), rng.random(500) < 0.7
    told = reported([went(str(i), right=bool(good[i]), confidence=float(sure[i])) for i in range(500)]).confidence
    assert told is not None
    assert len(told.risk) == len(told.coverage) <= 101
    assert (told.coverage[0], told.coverage[-1]) == (pytest.approx(1 / 500), 1.0)
    assert told.aurc == pytest.approx(aurc(sure, good))


def test_harm_and_benefit_name_the_questions_that_turn() -> None:
    rows = [went("a"), went("b"), went("c", right=False), went("open", gold=False, said=False)]
    right = [[True, False, False], [True, True, True], [False, True, True], [False, False, False]]
    said = np.array([[True] * 3, [True] * 3, [True] * 3, [True, False, False]])
    found = {(t.action, t.against): t for t in reported(rows, right, said=said).turned}
    assert (found["path", "memory"].helped, found["path", "memory"].harmed) == (("a",), ("c", "open"))
    assert found["path", "memory"].net.value == pytest.approx(-1 / 4)
    assert (found["path+text", "memory"].helped, found["path+text", "memory"].harmed) == ((), ())
    assert (found["path", "nothing"].helped, found["path", "nothing"].harmed) == (("a", "b"), ("open",))
    assert (found["gate", "memory"].helped, found["gate", "memory"].harmed) == (("a",), ("c",))
    assert ("internal", "nothing") not in found


def test_cost_by_part_adds_up() -> None:
    times = [
        {"link": 2.0, "retrieve": 10.0, "total": 15.0},
        {"link": 4.0, "total": 5.0},
        {"link": 3.0, "retrieve": 20.0, "total": 23.0},
    ]
    rows = [went(str(i), ms=ms, usage=Usage(evidence_tokens=100 * i, model_calls=1)) for i, ms in enumerate(times)]
    parts = {part.name: part for part in reported(rows).cost}
    assert [parts[name].mean for name in ("link", "retrieve", "the rest")] == pytest.approx([3.0, 10.0, 4 / 3])
    assert sum(parts[name].total for name in ("link", "retrieve", "the rest")) == pytest.approx(parts["total"].total)
    assert parts["retrieve"].p95 == pytest.approx(np.quantile([10.0, 0.0, 20.0], 0.95))
    assert (parts["evidence tokens"].mean, parts["model calls"].total) == (100.0, 3.0)


def test_usage_counts_what_questions_ended_with_and_took() -> None:
    usage = Usage(evidence_tokens=7, prompt_tokens=2, completion_tokens=1)
    rows = [
        went("a", usage=usage, ms={"total": 4.0}),
        went("b", trace=(READ,), ms={"total": 8.0}),
        went("c", said=False, trace=()),
        went("d", route=("internal", "shrunk"), trace=()),
    ]
    found = {(one.action, one.mode): one for one in reported(rows).usage}
    assert (found["path", "rule"].questions, found["path", "rule"].share) == (2, 0.5)
    assert (found["path", "rule"].retrievals, found["path", "rule"].tokens, found["path", "rule"].ms) == (3.0, 5.0, 6.0)
    assert found["abstain", "rule"].retrievals == found["internal", "shrunk"].retrievals == 0.0
    assert sum(one.share for one in found.values()) == 1.0


def test_accuracy_is_relative_to_the_head() -> None:
    buckets = reported([went(str(i), right=i % 3 == 0 or i == 1) for i in range(6)]).buckets
    assert [(one.name, one.relative) for one in buckets] == [("head", 1.0), ("medium", 0.5), ("tail", 0.0)]
    assert [one.relative for one in reported([went("a", right=False), went("b")]).buckets] == [None, None, None]


@pytest.mark.parametrize(("n", "alike"), [(1, 1.0), (5, 1.0), (28, 1.0), (28, 0.0)])
def test_where_all_went_alike_the_interval_is_exact(n: int, alike: float) -> None:
    one = share(np.full(n, alike))
    exact = binomtest(int(n * alike), n).proportion_ci(0.95, method="exact")
    assert (one.low, one.high) == pytest.approx((exact.low, exact.high))


def test_the_interval_of_a_difference_may_be_below_nothing() -> None:
    one = share(np.zeros(10), -1.0)
    assert one.low == pytest.approx(-(one.high or 0.0))
    assert (one.low or 0.0) < 0


def test_without_calibration_and_memory_the_report_says_what_is_missing() -> None:
    found = reported([went("a", right=False), went("b", said=False)], [[True, True], [False, False]])
    assert (found.mode, list(found.frontier)) == ("rule", ["hindsight"])
    assert {t.against for t in found.turned} == {"nothing"}
    assert "rules decide" in found.absent["frontier of the gate"]
    assert "no memory" in found.absent["harm and benefit against memory"]
    assert "all wrong" in found.absent["AUROC"]
    assert "no question" in found.absent["accuracy in tail"]
    assert "not probabilities" in found.notes[0]
    stale = reported([went("a")], gate=Gate(note="the calibration is stale (seq changed)"))
    assert "stale (seq changed)" in stale.absent["frontier of the gate"]
    assert reported([went("a", said=False)]).absent["confidence"] == "no answer was given"


def whole_report(seed: int = 9) -> GateReport:
    """A report with a calibrated gate, a memory, and answers of every kind."""
    log, rng, gate = drawn(120, seed), np.random.default_rng(seed), fitted()
    choice, sure, _ = gate.choose(log)
    rows = []
    for i, a in enumerate(choice):
        action = (*ACTIONS, "abstain")[a]
        ms = {"link": float(rng.gamma(2, 5)), "retrieve": float(rng.gamma(2, 20)), "total": 200.0}
        trace = () if action in ("abstain", "internal") else (READ,) if action == "path+text" else (WALKED,)
        right, route = a < 3 and bool(log.right[i, a]), (action, gate.mode)
        rows.append(went(f"q{i}", right=right, said=a < 3, confidence=float(sure[i]), route=route, trace=trace, ms=ms))
    return gate_report(log, rows, Gate(gate, 0.3))


def test_a_calibrated_gate_with_a_memory_leaves_nothing_unsaid() -> None:
    found = whole_report()
    assert found.mode == "calibrated"
    assert list(found.frontier) == ["hindsight", "gate", "gate with slack"]
    assert {len(points) for points in found.frontier.values()} == {len(budgets(drawn(120, 9)))}
    assert {t.against for t in found.turned} == {"memory", "nothing"}
    assert not found.absent


def test_json_has_the_named_parts_and_no_number_that_json_lacks() -> None:
    for found in (whole_report(), reported([went("a", said=False)])):
        data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert set(data) >= {"shares", "systems", "frontier", "usage", "turned", "cost", "confidence", "buckets", "absent"}
        assert data["frontier"]["hindsight"][0].keys() == {"budget", "retrievals", "right", "utility"}
        assert data["shares"]["right"].keys() == {"n", "value", "low", "high"}


def test_logs_that_do_not_belong_together_are_refused() -> None:
    log = logged(np.ones((2, 2), bool), np.ones((2, 2)))
    with pytest.raises(InputError, match="1 answers and 2 outcomes"):
        gate_report(log, [went("a")], Gate())
    with pytest.raises(InputError, match="0 answers"):
        gate_report(log.take(np.zeros(2, bool)), [], Gate())
    with pytest.raises(InputError, match="chooses among"):
        gate_report(log, [went("a"), went("b")], Gate(fitted()))
