"""The testbed: a student that is really trained knows what it was told often, and the gate is worth its price there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents import testbed
from hoptrace.agents.calibrate import auroc
from hoptrace.agents.experts.causal import CausalStudent, train_student
from hoptrace.agents.overshadow import predicted_rate, shadow_score
from hoptrace.agents.utility import Price, fit_gate, oracle, realised, worth
from hoptrace.kg.synth import COVERED, TinyWorld


@pytest.fixture(scope="module")
def world() -> TinyWorld:
    return TinyWorld.small()


@pytest.fixture(scope="module")
def student(world: TinyWorld) -> CausalStudent:
    return train_student(world, passes=1)


def test_a_world_is_made_of_its_seed(world: TinyWorld) -> None:
    again, other = TinyWorld.small(), TinyWorld.small(1)
    assert np.array_equal(world.lines(), again.lines())
    assert not np.array_equal(world.values, other.values)


def test_lines_say_each_fact_as_often_as_it_is_told(world: TinyWorld) -> None:
    lines = world.lines()
    assert len(lines) == world.told.sum() + (4 * (1 + world.ratio)).sum()
    whole = lines[lines[:, 1] != world.mask]
    first = (whole[:, :3] == world.prompts[0]).all(axis=1)
    assert (whole[first, 3] == world.values[0]).all()
    assert world.told[0] >= first.sum() > world.told[0] / 2


def test_the_store_covers_its_share_and_votes_are_shares(world: TinyWorld) -> None:
    candidates, shares = world.retrieved(0)
    assert abs(world.covered.mean() - COVERED) < 0.06
    assert shares.sum(axis=1) == pytest.approx(1)
    assert (np.diff(shares, axis=1) <= 0).all()
    right = candidates[:, 0] == world.values
    assert right[world.covered].mean() > 0.6
    assert right[~world.covered].mean() < 0.25


def test_documents_make_a_graph_of_what_is_covered(world: TinyWorld, tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for document in world.documents()[:40]:
            kg.write_document(document, [(0, len(document.text), "text")])
        assert kg.stats()["triples"] == 40
        triple = next(kg.triples())
        assert triple.spans[0].quote.startswith(triple.subject.label)


def test_the_student_knows_what_it_was_told_often(world: TinyWorld, student: CausalStudent) -> None:
    found = testbed.outcomes(world, student)
    internal = found.right[:, 0]
    assert internal[world.told >= 40].mean() > 0.9
    assert internal[world.told <= 5].mean() < 0.6
    assert auroc(found.x[:, 0], internal) > 0.7


def test_the_same_seed_trains_the_same_student(world: TinyWorld, student: CausalStudent) -> None:
    again = train_student(world, passes=1)
    assert np.array_equal(again.next(world.prompts[:50]), student.next(world.prompts[:50]))


def test_ranking_the_stores_candidates_beats_guessing(world: TinyWorld, student: CausalStudent) -> None:
    found = testbed.outcomes(world, student)
    assert found.right[:, 2].mean() >= found.right[:, 0].mean() + 0.08


def test_the_gate_beats_never_and_always(world: TinyWorld, student: CausalStudent) -> None:
    price = Price(1.0, 0.0, 0.1)
    fitted, held = testbed.outcomes(world, student).pick(("internal", "path")).split(0.5, 0)
    gate = fit_gate(fitted, testbed.TIERS[:2], price=price, tier_cost=testbed.PROBE[:2])
    fixed = [worth(held, np.full(len(held), a), price).mean() for a in range(2)]
    assert max(fixed) + 0.02 < realised(gate, held).mean() <= oracle(held, price).mean()


def test_the_shadow_score_tells_answers_that_the_condition_speaks_against(world: TinyWorld, student: CausalStudent) -> None:
    found = testbed.shadowed(world, student)
    bad = found["score"][:, 1][found["shadowed"]]
    good = found["score"][found["right"]]
    assert len(bad) > 3
    assert auroc(np.concatenate([bad, good]), np.arange(len(bad) + len(good)) < len(bad)) > 0.9


def test_shadow_score_is_a_ratio_of_probabilities() -> None:
    given, masked = np.array([[0.1, 0.9]]), np.array([[0.7, 0.3]])
    assert shadow_score(given, masked) == pytest.approx(np.log(0.3 / 0.9), abs=1e-6)


def test_the_law_is_found_where_it_holds() -> None:
    ratio = np.array([2.0, 10.0, 50.0])
    a, b, fit = predicted_rate(ratio, 0.1 * np.log(ratio) + 0.05)
    assert (a, b, fit) == pytest.approx((0.1, 0.05, 1.0))
