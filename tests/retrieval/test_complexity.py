"""Lookahead and branches against their definition on random graphs, and when exact search takes over."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
import pytest
from hoptrace.kg.adjacency import Adjacency
from hoptrace.kg.store import OPEN_END, OPEN_START, Edges
from hoptrace.retrieval.base import Budget
from hoptrace.retrieval.complexity import Complexity, complexity, escalate

Pair = tuple[int, int]


def graph(pairs: list[Pair], valid: list[Pair] | None = None) -> Adjacency:
    days = np.array(valid or [(OPEN_START, OPEN_END)] * len(pairs), np.int32).reshape(-1, 2)
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    rows = np.arange(len(pairs))
    return Adjacency.build(Edges(rows, ends[:, 0], np.zeros(len(pairs), np.int32), ends[:, 1], days[:, 0], days[:, 1]))


def by_definition(pairs: list[Pair], start: int, goal: int, *, directed: bool = True) -> Pair:
    """(lookahead, branches) from the shortest distances of every child to every node."""
    kind = nx.DiGraph if directed else nx.Graph
    known = kind(pairs)
    known.add_node(start)
    children = sorted(set(known[start]) - {start})
    if not children or start == goal:
        return 0, (len(children) if start != goal else 0)
    far = nx.single_source_shortest_path_length(known, start)
    without = known.copy()
    without.remove_node(start)
    from_child = {child: nx.single_source_shortest_path_length(without, child) for child in children}
    for level in range(1, len(known) + 1):
        frontier = [node for node, distance in far.items() if distance == level]
        if not frontier:
            return level - 1, len(children)
        explained = any(all(from_child[child].get(node) == level - 1 for node in frontier) for child in children)
        if goal in frontier or explained:
            return level, len(children)
    raise AssertionError("some level is the last")


def random_dag(pick: random.Random) -> list[Pair]:
    nodes = pick.randint(3, 14)
    names = pick.sample(range(nodes), nodes)
    pairs = [(names[i], names[j]) for i in range(nodes) for j in range(i + 1, nodes) if pick.random() < 1.7 / nodes]
    return pairs or [(0, 1)]


@pytest.mark.parametrize("block", range(10))
def test_lookahead_is_its_definition_on_random_dags(block: int) -> None:
    pick = random.Random(block)
    for _ in range(50):
        pairs = random_dag(pick)
        nodes = sorted({node for pair in pairs for node in pair})
        start = pick.choice(pairs)[0]
        for goal in nodes:
            found = complexity(graph(pairs), start, goal, way="forward")
            assert (found.lookahead, found.branches) == by_definition(pairs, start, goal)
            found = complexity(graph([(b, a) for a, b in pairs]), start, goal, way="backward")
            assert (found.lookahead, found.branches) == by_definition(pairs, start, goal)
            found = complexity(graph(pairs), start, goal)
            assert (found.lookahead, found.branches) == by_definition(pairs, start, goal, directed=False)


@pytest.mark.parametrize("branches", [2, 63, 64, 65, 200])
def test_any_number_of_branches(branches: int) -> None:
    pairs = [(0, 1 + i) for i in range(branches)] + [(1 + i, 1001 + i) for i in range(branches)] + [(1001, 3000)]
    assert complexity(graph(pairs), 0, 3000, way="forward") == Complexity(3, branches)


def test_a_chain_needs_no_lookahead() -> None:
    assert complexity(graph([(i, i + 1) for i in range(50)]), 0, 50, way="forward") == Complexity(1, 1)


def test_branches_that_meet_again_need_none_beyond_where_they_meet() -> None:
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)]
    assert complexity(graph(pairs), 0, 5, way="forward").lookahead == 2


def test_parallel_triples_are_one_branch_and_loops_are_none() -> None:
    assert complexity(graph([(0, 1), (0, 1), (0, 0), (1, 2)]), 0, 2, way="forward").branches == 1


def test_only_what_holds_on_the_day_counts() -> None:
    adjacency = graph([(0, 1), (0, 2), (1, 3)], [(0, 5), (OPEN_START, OPEN_END), (OPEN_START, OPEN_END)])
    assert complexity(adjacency, 0, 3, way="forward", day=3) == Complexity(2, 2)
    assert complexity(adjacency, 0, 3, way="forward", day=5) == Complexity(1, 1)


def test_a_limit_bounds_the_levels() -> None:
    pairs = [(0, 1), (0, 100)] + [(i, i + 1) for i in [*range(1, 30), *range(100, 130)]]
    assert complexity(graph(pairs), 0, 30, way="forward").lookahead == 30
    assert complexity(graph(pairs), 0, 30, way="forward", limit=7).lookahead == 7


def test_nothing_to_walk_is_no_complexity() -> None:
    assert complexity(graph([(1, 2)]), 0, 2) == Complexity(0, 0)
    assert complexity(graph([(1, 2)]), 1, 1) == Complexity(0, 0)
    assert complexity(graph([]), 0, 1) == Complexity(0, 0)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Complexity(2, 3, 2), False),
        (Complexity(4, 32, 4), False),
        (Complexity(5, 3, 4), True),  # deeper than the beam looks
        (Complexity(2, 3, 5), True),  # longer than it walks
        (Complexity(2, 33, 2), True),  # more first steps than it keeps
        (Complexity(1, 1, 0), True),  # the question does not say what to walk
    ],
)
def test_escalation_is_where_the_beam_ends(known: Complexity, expected: bool) -> None:
    assert escalate(known, Budget(hops=4, beam=32)) is expected
