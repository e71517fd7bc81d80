"""Pattern mining against loops over the facts."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from hoptrace.kg.adjacency import Adjacency
from hoptrace.kg.mining import Pattern, PatternMiner
from hoptrace.kg.store import OPEN_END, OPEN_START, Edges
from hypothesis import given
from hypothesis import strategies as st

Fact = tuple[int, int, int]  # subject, relation, object


def adjacency(facts: list[Fact]) -> Adjacency:
    subject, relation, object_ = (np.array(column, np.int32) for column in zip(*facts, strict=True))
    days = (np.full(len(facts), day, np.int32) for day in (OPEN_START, OPEN_END))
    return Adjacency.build(Edges(np.arange(len(facts)), subject, relation, object_, *days))


class Loop:
    """Walks fact by fact."""

    def __init__(self, facts: list[Fact], codes: list[int]) -> None:
        self.leaving: dict[tuple[int, int], set[int]] = defaultdict(set)
        for subject, relation, object_ in facts:
            for start, code, end in ((subject, codes[2 * relation], object_), (object_, codes[2 * relation + 1], subject)):
                if code >= 0:
                    self.leaving[start, code].add(end)
        self.nodes = sorted({node for subject, _, object_ in facts for node in (subject, object_)})
        self.codes = sorted({code for _, code in self.leaving})

    def ends(self, seed: int, steps: tuple[int, ...]) -> set[int]:
        nodes = {seed}
        for code in steps:
            nodes = {end for node in nodes for end in self.leaving.get((node, code), ())}
        return nodes

    def support(self, steps: tuple[int, ...]) -> int:
        return sum(bool(self.ends(node, steps)) for node in self.nodes)


NODES, RELATIONS = 7, 3
facts = st.tuples(st.integers(0, NODES - 1), st.integers(0, RELATIONS - 1), st.integers(0, NODES - 1))
graphs = st.lists(facts, min_size=1, max_size=25, unique=True)
# relations may share a code (they mean one thing), run against it, or be left out
codings = st.lists(st.integers(-1, 3), min_size=2 * RELATIONS, max_size=2 * RELATIONS)


@given(graphs, codings, st.integers(1, 4))
def test_exactly_the_patterns_above_support_are_found(facts: list[Fact], codes: list[int], least: int) -> None:
    loop, miner = Loop(facts, codes), PatternMiner(adjacency(facts), np.array(codes))
    supports = {s: loop.support(s) for hops in (1, 2, 3) for s in product(loop.codes, repeat=hops)}
    found = miner.mine((1, 2, 3), least)
    assert {p.steps: p.support for p in found} == {s: n for s, n in supports.items() if n >= least}
    assert found == sorted(found, key=lambda p: (len(p.steps), -p.support, p.steps))
    assert miner.mine((2,), least) == [p for p in found if len(p.steps) == 2]


@given(graphs, codings, st.integers(0, NODES - 1), st.randoms(use_true_random=False))
def test_walks_options_and_seeds_are_those_of_a_loop(facts: list[Fact], codes: list[int], seed: int, rng: random.Random) -> None:
    loop, miner = Loop(facts, codes), PatternMiner(adjacency(facts), np.array(codes))
    for steps in ((), *product(loop.codes, repeat=1), *product(loop.codes, repeat=2)):
        if seed in loop.nodes:
            ends = loop.ends(seed, steps)
            assert miner.reached(seed, steps).tolist() == sorted(ends - {seed})
            assert miner.options(seed, steps) == sorted(
                {code for node in ends for code in loop.codes if loop.ends(node, (code,))}
            )
        if steps:
            alive = {node for node in loop.nodes if loop.ends(node, steps)}
            drawn = miner.seeds(steps, rng, 3)
            assert set(drawn) <= alive
            assert len(set(drawn)) == min(3, len(alive))


def test_a_pattern_may_end_in_a_step_that_is_rare_by_itself() -> None:
    """Ten people work for one firm, and that firm alone has a seat: ten can be asked where their firm sits."""
    facts = [(person, 0, 10) for person in range(10)] + [(10, 1, 11)]
    assert Pattern((0, 2), 10) in PatternMiner(adjacency(facts), np.arange(4)).mine((2,), 5)


def test_planted_patterns_of_a_graph_of_ten_thousand_facts() -> None:
    rng, facts = random.Random(11), set[Fact]()
    kinds = [range(1000 * i, 1000 * (i + 1)) for i in range(4)]
    ends = [(0, 1), (1, 2), (2, 3), (0, 2), (3, 0)]  # kinds that a relation joins
    for relation, (subject, target) in enumerate(ends):
        some = rng.sample(kinds[subject], (900, 700, 500, 300, 60)[relation])
        for _ in range(2600):
            facts.add((rng.choice(some), relation, kinds[target][int(1000 * rng.random() ** 3)]))
    listed = sorted(facts)
    assert len(listed) >= 10_000
    loop, miner = Loop(listed, list(range(10))), PatternMiner(adjacency(listed), np.arange(10))
    alive = {(code,): {node for node, one in loop.leaving if one == code} for code in range(10)}
    for steps in (s for hops in (2, 3) for s in product(range(10), repeat=hops)):
        later = alive[steps[1:]]
        alive[steps] = {node for node in alive[steps[:1]] if not later.isdisjoint(loop.leaving[node, steps[0]])}
    found = {p.steps: p.support for p in miner.mine((2, 3), 250)}
    wanted = {steps: len(nodes) for steps, nodes in alive.items() if len(steps) > 1 and len(nodes) >= 250}
    assert found == wanted
    assert 50 < len(wanted) < len(alive) - 50, "the support divides them"


@pytest.mark.parametrize(("hops", "least"), [((), 1), ((0,), 1), ((2,), 0)])
def test_lengths_and_support_are_at_least_one(hops: tuple[int, ...], least: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        PatternMiner(adjacency([(0, 0, 1)]), np.arange(2)).mine(hops, least)
