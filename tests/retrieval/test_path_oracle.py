"""Exact search and path search against listing every path of small random graphs by hand."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.kg.adjacency import Adjacency, Groups
from hoptrace.kg.model import Entity
from hoptrace.kg.store import OPEN_END, OPEN_START, Edges
from hoptrace.retrieval.base import Budget, Seed
from hoptrace.retrieval.cycles import find_cycle, topological_order
from hoptrace.retrieval.exact import ExactSolver, Walk, Way, shortest_paths
from hoptrace.retrieval.paths import PathSearch
from hoptrace.retrieval.question import Understanding, Unit
from hoptrace.retrieval.wordings import Family

NODES, RELATIONS, DAYS = 12, 3, 10
BLOCKS, PER_BLOCK = 20, 100  # 2,000 graphs
WAYS: tuple[Way, ...] = ("forward", "backward", "either")


class Row(NamedTuple):
    """A fact, as the store gives it to the adjacency."""

    triple: int
    subject: int
    relation: int
    object: int
    first: int = OPEN_START
    last: int = OPEN_END


def random_rows(pick: random.Random) -> list[Row]:
    """A small multigraph: parallel facts, loops, facts both ways, and about half of the facts bounded in time."""
    nodes = pick.randint(2, NODES)
    rows = []
    for triple in range(pick.randint(1, 16)):
        first = pick.randint(0, DAYS - 1) if pick.random() < 0.25 else OPEN_START
        last = pick.randint(max(first, 0) + 1, DAYS) if pick.random() < 0.25 else OPEN_END
        rows.append(Row(triple, pick.randrange(nodes), pick.randrange(RELATIONS), pick.randrange(nodes), first, last))
    return rows


def adjacency(rows: list[Row]) -> Adjacency:
    columns = zip(*rows) if rows else [[]] * 6
    kinds = (np.int64, np.int32, np.int32, np.int32, np.int32, np.int32)
    return Adjacency.build(Edges(*(np.array(list(column), dtype=kind) for column, kind in zip(columns, kinds))))


def on(rows: list[Row], day: int | None) -> list[Row]:
    return [row for row in rows if day is None or row.first <= day < row.last]


def hops(rows: list[Row], node: int, way: Way) -> Iterator[tuple[int, int, int]]:
    """(triple, direction, node reached) of the facts at a node."""
    for row in rows:
        if row.subject == node and way != "backward":
            yield row.triple, 1, row.object
        if row.object == node and way != "forward":
            yield row.triple, -1, row.subject


def every_path(rows: list[Row], start: int, way: Way, ends: frozenset[int] = frozenset()) -> Iterator[Walk]:
    """Every simple path out of `start`; ends are reached and not passed."""
    waiting = [Walk((start,), (), 0)]
    while waiting:
        walk = waiting.pop()
        if walk.steps:
            yield walk
        if walk.steps and walk.nodes[-1] in ends:
            continue
        for triple, direction, there in hops(rows, walk.nodes[-1], way):
            if there not in walk.nodes:
                waiting.append(Walk((*walk.nodes, there), (*walk.steps, (triple, direction)), walk.length + 1))


def every_trail(rows: list[Row], start: int, most: int) -> Iterator[Walk]:
    """Every walk of at most `most` hops that uses no triple twice, takes no loop and does not come back to `start`."""
    waiting = [Walk((start,), (), 0)]
    while waiting:
        walk = waiting.pop()
        if walk.steps:
            yield walk
        used = {triple for triple, _ in walk.steps}
        for triple, direction, there in hops(rows, walk.nodes[-1], "either") if len(walk.steps) < most else ():
            if triple not in used and there not in {start, walk.nodes[-1]}:
                waiting.append(Walk((*walk.nodes, there), (*walk.steps, (triple, direction)), walk.length + 1))


def in_order(walks: list[Walk]) -> list[Walk]:
    return sorted(walks, key=lambda walk: (walk.length, walk.steps))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_exact_answers_are_those_of_listing_every_path(block: int) -> None:
    pick = random.Random(block)
    for _ in range(PER_BLOCK):
        rows, way = random_rows(pick), pick.choice(WAYS)
        day = pick.randrange(DAYS) if pick.random() < 0.5 else None
        start, goal = pick.randrange(NODES), pick.randrange(NODES)
        ends = frozenset(node for node in range(NODES) if pick.random() < 0.1)
        mask = np.isin(np.arange(NODES), list(ends))
        solver = ExactSolver(adjacency(rows), day, way, ends=mask)
        walks = list(every_path(on(rows, day), start, way, ends))
        expected = in_order([walk for walk in walks if walk.nodes[-1] == goal])
        nearest = int(expected[0].length) if expected else None
        limit = pick.randint(1, 6)

        assert solver.paths(start, goal, len(expected) + 1) == expected
        assert solver.paths(start, goal, 2, limit=limit) == [walk for walk in expected if walk.length <= limit][:2]
        assert solver.distance(start, goal) == (0 if start == goal else nearest)
        within = start == goal or (nearest is not None and nearest <= limit)
        assert (solver.distance(start, goal, limit=limit) is not None) == within
        assert solver.count_shortest(start, goal) == sum(walk.length == nearest for walk in expected)
        reached = {walk.nodes[-1] for walk in walks} | {start}
        assert set(np.flatnonzero(solver.distances(start) >= 0).tolist()) == reached
        shared = {there for _, _, there in hops(on(rows, day), start, way)} & {
            there for _, _, there in hops(on(rows, day), goal, way)
        }
        assert solver.common_neighbors([start, goal]).tolist() == sorted(shared - {start, goal})


@pytest.mark.parametrize("block", range(BLOCKS))
def test_paths_by_length_of_their_triples(block: int) -> None:
    pick = random.Random(1000 + block)
    for _ in range(PER_BLOCK // 2):
        rows, way = random_rows(pick), pick.choice(WAYS)
        start, goal, k = pick.randrange(NODES), pick.randrange(NODES), pick.randint(1, 6)
        lengths = np.array([pick.randint(0, 5) for _ in rows], np.float64)
        every = {walk.steps: walk for walk in every_path(rows, start, way) if walk.nodes[-1] == goal}
        expected = sorted(sum(lengths[triple] for triple, _ in steps) for steps in every)
        found = ExactSolver(adjacency(rows), way=way, lengths=lengths).paths(start, goal, k)
        assert [walk.length for walk in found] == expected[:k]
        assert len({walk.steps for walk in found}) == len(found)
        for walk in found:
            assert walk.nodes == every[walk.steps].nodes
            assert walk.length == sum(lengths[triple] for triple, _ in walk.steps)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_day_gives_what_the_graph_of_that_day_gives(block: int) -> None:
    pick = random.Random(2000 + block)
    for _ in range(PER_BLOCK):
        rows, day = random_rows(pick), pick.randrange(DAYS)
        start, goal = pick.randrange(NODES), pick.randrange(NODES)
        whole, of_the_day = adjacency(rows), adjacency(on(rows, day))
        inside, before = ExactSolver(whole, day), ExactSolver(of_the_day)
        assert inside.paths(start, goal, 5) == before.paths(start, goal, 5)
        assert inside.distance(start, goal) == before.distance(start, goal)
        assert inside.common_neighbors([start, goal]).tolist() == before.common_neighbors([start, goal]).tolist()
        assert list_of(topological_order(whole, day=day)) == list_of(topological_order(of_the_day))
        assert find_cycle(whole, directed=True, day=day) == find_cycle(of_the_day, directed=True)


def list_of(nodes: np.ndarray | None) -> list[int] | None:
    return None if nodes is None else nodes.tolist()


@pytest.mark.parametrize("block", range(BLOCKS))
def test_order_and_cycles_are_those_of_networkx(block: int) -> None:
    pick = random.Random(3000 + block)
    for _ in range(PER_BLOCK // 2):
        rows = [row for row in random_rows(pick) if row.subject != row.object or pick.random() < 0.1]
        graph = nx.DiGraph((row.subject, row.object) for row in rows)
        order = topological_order(adjacency(rows))
        assert (order is not None) == nx.is_directed_acyclic_graph(graph)
        if order is not None:
            assert order.tolist() == [node for level in nx.topological_generations(graph) for node in sorted(level)]
        for directed in (True, False):
            other = graph if directed else graph.to_undirected()
            found = find_cycle(adjacency(rows), directed=directed)
            assert (found is not None) == bool(next(nx.simple_cycles(other), None))
            if found is not None:
                assert len(set(found)) == len(found)
                assert directed or len(found) not in {2}
                assert all(other.has_edge(a, b) for a, b in zip(found, (*found[1:], found[0])))


def label(node: int) -> str:
    return f"Node {'ABCDEFGHIJKL'[node]}"


@pytest.mark.parametrize("seed", range(24))
def test_the_same_through_a_store(seed: int, tmp_path: Path) -> None:
    pick = random.Random(4000 + seed)
    rows = [row for row in random_rows(pick) if row.subject != row.object]
    stated = {(row.subject, row.relation, row.object) for row in rows}
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for row in rows:
            first, last = (date.fromordinal(700_000 + day) if 0 <= day <= DAYS else None for day in (row.first, row.last))
            kg.add(label(row.subject), f"r{row.relation}", label(row.object), valid_from=first, valid_to=last)
        known = sorted({node for row in rows for node in (row.subject, row.object)})
        for start in known[:3]:
            for goal in set(known) - {start}:
                day = pick.choice([None, pick.randrange(DAYS)])
                asked = None if day is None else date.fromordinal(700_000 + day)
                found = shortest_paths(kg, kg.entity(label(start)), kg.entity(label(goal)), max_hops=5, k=1000, day=asked)
                expected = [walk for walk in every_path(on(rows, day), start, "either") if walk.nodes[-1] == goal]
                expected = [walk for walk in expected if walk.length <= 5]
                names = {(label(start), *(label(node) for node in walk.nodes[1:])) for walk in expected}
                assert {(path.start.label, *(hop.end.label for hop in path.hops)) for path in found} == names
                for hop in (hop for path in found for hop in path.hops):
                    ends = [hop.triple.subject.label, hop.triple.relation.label, hop.triple.object.label]
                    assert any(ends == [label(s), f"r{r}", label(o)] for s, r, o in stated)
                    assert asked is None or hop.triple.holds_on(asked)


class Relations:
    """What path search needs to know of relations: each is a family, and each unit is explained by all of them."""

    families = [Family(f"f{i}") for i in range(RELATIONS)]  # noqa: RUF012
    family_of = np.arange(RELATIONS, dtype=np.int32)

    def codes(self, groups: Groups) -> np.ndarray:
        return groups.relation.astype(np.int64) * 2 + (groups.direction < 0)

    def gains(self, units: tuple[Unit, ...]) -> np.ndarray:
        return np.ones((RELATIONS, 2, len(units)), np.float32)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_path_search_reaches_only_what_a_trail_reaches(block: int) -> None:
    """Each state's nodes lie at the end of a trail with the state's signature, and its own walk is such a trail."""
    pick = random.Random(5000 + block)
    question = Understanding("", "lookup", "", "", tuple(Unit(f"u{i}", i, type="product") for i in range(3)), ())
    for _ in range(PER_BLOCK // 2):
        rows, start = random_rows(pick), pick.randrange(NODES)
        day = pick.randrange(DAYS) if pick.random() < 0.5 else None
        by_signature: dict[tuple[tuple[int, int], ...], set[int]] = defaultdict(set)
        relation = {row.triple: row.relation for row in rows}
        trails = list(every_trail(on(rows, day), start, 3))
        every = {walk.steps for walk in trails}
        for walk in trails:
            by_signature[tuple((relation[triple], way) for triple, way in walk.steps)].add(walk.nodes[-1])
        budget = Budget(hops=3, beam=100_000, expansions=10**9, fan_out=10**6, seconds=None)
        found = PathSearch(adjacency(rows), Relations(), budget).search(  # type: ignore[arg-type]
            question, [Seed(start, Entity("e", "e"), 0, 0, 1.0)], day
        )
        assert not found.truncated
        for state in found.states:
            assert set(state.nodes.tolist()) <= by_signature[state.steps]
            assert all(tuple(state.walk(i)) in every for i in range(len(state.nodes)))
