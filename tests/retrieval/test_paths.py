"""Path search against following the same signature by hand, its budgets, and hubs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.adjacency import Adjacency, Groups
from hoptrace.kg.model import Entity
from hoptrace.kg.store import OPEN_END, OPEN_START, Edges
from hoptrace.retrieval.base import Budget, Seed
from hoptrace.retrieval.paths import PathSearch, Search, State
from hoptrace.retrieval.question import Understanding, Unit, understand
from hoptrace.retrieval.wordings import Family
from hypothesis import given
from hypothesis import strategies as st

Row = tuple[int, int, int, int, int, int]  # triple, subject, relation, object, valid_from, valid_to
ALWAYS = (OPEN_START, OPEN_END)


@dataclass
class Relations:
    """What a search needs of `RelationIndex`: relation r is family r, and each unit is explained by the families given."""

    families: list[Family]
    explained: dict[int, set[int]] = field(default_factory=dict)  # unit: families
    inverse: set[int] = field(default_factory=set)

    @property
    def family_of(self) -> np.ndarray:
        return np.arange(len(self.families), dtype=np.int32)

    def codes(self, groups: Groups) -> np.ndarray:
        flip = np.where(np.isin(groups.relation, list(self.inverse)), -1, 1)
        return groups.relation.astype(np.int64) * 2 + (groups.direction * flip < 0)

    def gains(self, units: tuple[Unit, ...]) -> np.ndarray:
        result = np.zeros((len(self.families), 2, len(units)), np.float32)
        for unit, families in self.explained.items():
            result[list(families), :, unit : unit + 1] = 1
        return result


def graph(rows: list[Row]) -> Adjacency:
    columns = zip(*rows) if rows else [[]] * 6
    kinds = (np.int64, np.int32, np.int32, np.int32, np.int32, np.int32)
    return Adjacency.build(Edges(*(np.array(list(column), dtype=kind) for column, kind in zip(columns, kinds))))


def always(*facts: tuple[int, int, int]) -> list[Row]:
    return [(i, *fact, *ALWAYS) for i, fact in enumerate(facts)]


def units(*words: str) -> Understanding:
    """A question whose units are these words, each a type noun so that syntax plays no part."""
    question = understand("")
    made = tuple(Unit(word, i, type="product") for i, word in enumerate(words))
    return Understanding("", question.operation, "", "", made, ())


def seed(row: int) -> Seed:
    return Seed(row, Entity(f"e{row}", str(row)), 0, 0, 1.0)


def search(
    rows: list[Row], relations: Any, question: Understanding, start: int = 0, day: int | None = None, **limits: Any
) -> Search:
    return PathSearch(graph(rows), relations, Budget(**limits)).search(question, [seed(start)], day)


def edges(rows: list[Row], node: int, step: tuple[int, int], inverse: set[int], day: int | None) -> set[tuple[int, int, int]]:
    """(triple, way, neighbour) of the edges of one step, as a loop finds them."""
    family, direction = step
    way = -direction if family in inverse else direction
    found = set()
    for triple, s, r, o, first, last in rows:
        here, there = (s, o) if way == 1 else (o, s)
        if r == family and here == node and (day is None or first <= day < last):
            found.add((triple, way, there))
    return found


def walked(state: State, index: int, rows: list[Row]) -> list[int]:
    """The nodes of a walk, from the seed to the node at `index`; every hop must join the one before."""
    ends = {triple: (s, o) for triple, s, _, o, _, _ in rows}
    nodes = [state.seed.row]
    for triple, way in state.walk(index):
        here, there = ends[triple] if way == 1 else ends[triple][::-1]
        assert here == nodes[-1], "a hop does not start where the one before ends"
        nodes.append(there)
    return nodes


NODES, FAMILIES = 7, 3
days = st.one_of(st.just(ALWAYS), st.tuples(st.integers(0, 5), st.integers(5, 10)))
facts = st.tuples(st.integers(0, NODES - 1), st.integers(0, FAMILIES - 1), st.integers(0, NODES - 1), days)
graphs = st.lists(facts, max_size=25).map(lambda drawn: [(i, s, r, o, *valid) for i, (s, r, o, valid) in enumerate(drawn)])
wordings = st.dictionaries(st.integers(0, 2), st.sets(st.integers(0, FAMILIES - 1), min_size=1))


@given(graphs, wordings, st.sets(st.integers(0, FAMILIES - 1)), st.one_of(st.none(), st.integers(0, 10)), st.integers(0, 6))
def test_every_state_is_its_signature_followed_by_hand(
    rows: list[Row], explained: dict[int, set[int]], inverse: set[int], day: int | None, start: int
) -> None:
    relations = Relations([Family(f"f{i}") for i in range(FAMILIES)], explained, inverse)
    found = search(rows, relations, units("a", "b", "c"), start, day, beam=1000)
    for state in found.states:
        previous = state.previous
        assert previous is not None
        by_hand = set()
        for i, node in enumerate(previous.nodes.tolist()):
            used = {triple for triple, _ in previous.walk(i)}
            leaving = edges(rows, node, state.steps[-1], inverse, day)
            by_hand |= {there for triple, _, there in leaving if triple not in used and there not in {node, start}}
        assert state.nodes.tolist() == sorted(by_hand)
        for i, node in enumerate(state.nodes.tolist()):
            nodes = walked(state, i, rows)
            assert nodes[-1] == node
            assert len(nodes) == state.depth + 1
            assert len({triple for triple, _ in state.walk(i)}) == state.depth
            assert start not in nodes[1:]
            for hop, (here, there) in enumerate(pairwise(nodes)):
                assert (*state.walk(i)[hop], there) in edges(rows, here, state.steps[hop], inverse, day)


@given(graphs, st.integers(0, 10), st.integers(0, 6))
def test_a_day_gives_what_a_graph_of_that_day_gives(rows: list[Row], day: int, start: int) -> None:
    relations = Relations([Family(f"f{i}") for i in range(FAMILIES)], {0: {0}, 1: {1}, 2: {2}})
    question = units("a", "b", "c")
    filtered = search(rows, relations, question, start, day)
    of_the_day = search([(*row[:4], *ALWAYS) for row in rows if row[4] <= day < row[5]], relations, question, start)
    assert [(s.steps, s.nodes.tolist()) for s in filtered.states] == [(s.steps, s.nodes.tolist()) for s in of_the_day.states]


@given(graphs, st.integers(1, 3), st.integers(0, 6))
def test_fan_out_never_loses_a_relation(rows: list[Row], fan_out: int, start: int) -> None:
    relations = Relations([Family(f"f{i}") for i in range(FAMILIES)], {0: {0, 1, 2}})
    whole = search(rows, relations, units("a"), start, hops=1)
    cut = search(rows, relations, units("a"), start, hops=1, fan_out=fan_out)
    groups = {}
    for _, s, r, o, *_ in rows:
        for node, way in ((s, 1), (o, -1)):
            if node == start:
                groups[r, way] = groups.get((r, way), 0) + 1
    assert {s.steps for s in cut.states} <= {s.steps for s in whole.states} <= {((r, way),) for r, way in groups}
    assert ("hub" in cut.truncated) == any(count > fan_out for count in groups.values())
    loops = any(s == o == start for _, s, _, o, *_ in rows)  # an edge back to the seed may fill what a group may show
    assert loops or {s.steps for s in cut.states} == {s.steps for s in whole.states}


def chain(*relations: int) -> list[Row]:
    return always(*((i, r, i + 1) for i, r in enumerate(relations)))


def reached(found: Search, node: int) -> list[State]:
    return [state for state in found.states if node in state.nodes.tolist()]


RELATIONS = Relations([Family("owns"), Family("supplies"), Family("located in"), Family("likes")], {0: {0}, 1: {1}, 2: {2}})


def test_units_are_explained_hop_by_hop() -> None:
    [state] = reached(search(chain(0, 1, 2), RELATIONS, units("owner", "supplier", "place")), 3)
    assert state.steps == ((0, 1), (1, 1), (2, 1))
    assert state.used == {0: 1.0, 1: 1.0, 2: 1.0}
    assert state.hop_of == {0: 0, 1: 1, 2: 2}
    assert state.spent == state.skips == 0


def test_a_hop_that_explains_nothing_costs() -> None:
    [state] = reached(search(chain(0, 3), RELATIONS, units("owner")), 2)
    assert state.spent > 0
    assert state.skips == 1


def test_hops_is_the_longest_path() -> None:
    found = search(chain(0, 1, 2), RELATIONS, units("owner", "supplier", "place"), hops=2)
    assert max(state.depth for state in found.states) == 2


def test_an_answer_one_hop_beyond_a_hub_is_found_under_a_small_fan_out() -> None:
    hub, answer = 1, 2
    crowd = [(100 + i, 0, hub) for i in range(500)]
    rows = always((0, 0, hub), *crowd, (hub, 1, answer))
    found = search(rows, RELATIONS, units("owner", "supplier"), fan_out=3)
    assert [state.steps for state in reached(found, answer)] == [((0, 1), (1, 1))]
    assert "hub" in found.truncated


def test_expansions_are_bounded_and_named() -> None:
    rows = always(*((0, 0, i) for i in range(1, 60)), *((i, 1, 100 + i) for i in range(1, 60)))
    whole = search(rows, RELATIONS, units("owner", "supplier"))
    assert "expansions" not in whole.truncated
    cut = search(rows, RELATIONS, units("owner", "supplier"), expansions=30)
    assert "expansions" in cut.truncated
    assert cut.expansions < whole.expansions


@pytest.mark.parametrize("kinds", [4, 12])
def test_a_beam_that_cuts_says_so(kinds: int) -> None:
    relations = Relations([Family(f"f{i}") for i in range(kinds)], {0: set(range(kinds))})
    rows = always(*((0, r, 1 + r) for r in range(kinds)))
    whole = search(rows, relations, units("a"), beam=kinds, hops=1)
    assert len(whole.states) == kinds
    assert whole.truncated == set()
    cut = search(rows, relations, units("a"), beam=kinds - 1, hops=1)
    assert len(cut.states) == kinds - 1
    assert cut.truncated == {"beam"}


def test_a_deadline_that_has_passed_says_so() -> None:
    found = search(chain(0, 1, 2), RELATIONS, units("owner", "supplier", "place"), seconds=-1.0)
    assert found.truncated == {"seconds"}
    assert max(state.depth for state in found.states) == 1


def test_a_frontier_too_wide_is_cut_and_named() -> None:
    rows = always(*((0, 0, 1 + i) for i in range(6000)))
    found = search(rows, RELATIONS, units("owner"), fan_out=10_000, hops=1)
    assert "frontier" in found.truncated


def test_the_same_relation_back_is_walked_for_what_is_shared() -> None:
    rows = always((0, 0, 1), (5, 0, 1))
    question = units("owner")
    shares = Understanding("", "lookup", "", "", question.units, (), shares=True)
    back = reached(search(rows, RELATIONS, shares), 5)
    assert [state.steps for state in back] == [((0, 1), (0, -1))]
    plain = reached(search(rows, RELATIONS, question), 5)
    assert all(state.spent > back[0].spent for state in plain)


def test_without_a_seed_every_end_of_the_relation_asked_for_is_a_start() -> None:
    rows = always((0, 0, 1), (2, 0, 3), (4, 3, 5))
    found = PathSearch(graph(rows), RELATIONS, Budget()).search(units("owner"), [])  # type: ignore[arg-type]
    ends = {step: nodes for state in found.states if state.depth == 1 for step, nodes in [(state.steps[0], state.nodes.tolist())]}
    assert ends == {(0, 1): [1, 3], (0, -1): [0, 2]}


def test_without_a_seed_a_frontier_too_wide_is_named() -> None:
    rows = always(*((2 * i, 0, 2 * i + 1) for i in range(3000)))
    found = PathSearch(graph(rows), RELATIONS, Budget(hops=1)).search(units("owner"), [])  # type: ignore[arg-type]
    assert "frontier" in found.truncated


@pytest.mark.parametrize("question", [units(), units("owner")])
def test_an_empty_graph_gives_no_state(question: Understanding) -> None:
    assert search([], RELATIONS, question).states == []
