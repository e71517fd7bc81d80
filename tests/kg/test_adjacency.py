"""The adjacency against networkx and against plain loops over the edges."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hoptrace.kg.adjacency import Adjacency, follow, load_adjacency
from hoptrace.kg.generations import Generations
from hoptrace.kg.store import OPEN_END, OPEN_START, Changes, Edges, Entry
from hypothesis import given
from hypothesis import strategies as st

Row = tuple[int, int, int, int, int, int]  # triple, subject, relation, object, valid_from, valid_to

days = st.one_of(st.just((OPEN_START, OPEN_END)), st.tuples(st.integers(0, 5), st.integers(5, 10)))
facts = st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 7), days)


def rows_of(drawn: list[Any], first: int = 0) -> list[Row]:
    return [(first + i, s, r, o, *valid) for i, (s, r, o, valid) in enumerate(drawn)]


def edges_of(rows: list[Row]) -> Edges:
    columns = zip(*rows) if rows else [[]] * 6
    kinds = (np.int64, np.int32, np.int32, np.int32, np.int32, np.int32)
    return Edges(*(np.array(list(column), dtype=kind) for column, kind in zip(columns, kinds)))


def brute(rows: list[Row], node: int, day: int | None) -> list[tuple[int, int, int, int]]:
    """(relation, direction, triple, neighbor) of a node, as a loop finds them."""
    out = []
    for triple, s, r, o, start, end in rows:
        if day is None or start <= day < end:
            out += [(r, 1, triple, o)] if s == node else []
            out += [(r, -1, triple, s)] if o == node else []
    return sorted(out, key=lambda edge: (edge[0], -edge[1], edge[2]))


def found(adjacency: Adjacency, node: int, day: int | None, limit: int | None = None) -> list[tuple[int, int, int, int]]:
    groups, edges = adjacency.expand(np.array([node]), limit=limit, day=day)
    which = edges.group
    return list(
        zip(groups.relation[which].tolist(), groups.direction[which].tolist(), edges.triple.tolist(), edges.neighbor.tolist())
    )


@given(st.lists(facts, max_size=40), st.one_of(st.none(), st.integers(-1, 11)))
def test_expansion_equals_a_loop_over_the_edges(drawn: list[Any], day: int | None) -> None:
    rows = rows_of(drawn)
    adjacency = Adjacency.build(edges_of(rows))
    for node in range(-1, 9):
        assert found(adjacency, node, day) == brute(rows, node, day)


@given(st.lists(facts, min_size=1, max_size=40), st.integers(1, 3), st.one_of(st.none(), st.integers(0, 10)))
def test_limit_keeps_every_relation_and_flags_what_it_cut(drawn: list[Any], limit: int, day: int | None) -> None:
    rows = rows_of(drawn)
    adjacency = Adjacency.build(edges_of(rows))
    groups, edges = adjacency.expand(np.arange(8), limit=limit, day=day)
    for g in range(len(groups.start)):
        node, relation, direction = int(groups.origin[g]), int(groups.relation[g]), int(groups.direction[g])
        whole = [edge[2] for edge in brute(rows, node, day) if edge[:2] == (relation, direction)]
        assert edges.triple[edges.group == g].tolist() == whole[:limit]
        assert groups.count[g] == len(whole)
        assert edges.truncated[g] == (len(whole) > limit)
    wanted = {(node, *edge[:2]) for node in range(8) for edge in brute(rows, node, day)}
    assert set(zip(groups.origin.tolist(), groups.relation.tolist(), groups.direction.tolist())) == wanted


@given(st.lists(facts, max_size=40))
def test_agrees_with_networkx(drawn: list[Any]) -> None:
    rows = rows_of(drawn)
    graph = nx.MultiDiGraph()
    for triple, s, r, o, *_ in rows:
        graph.add_edge(s, o, key=triple, relation=r)
    adjacency = Adjacency.build(edges_of(rows))
    assert adjacency.edge_count == graph.number_of_edges()
    assert adjacency.node_count == graph.number_of_nodes()
    assert adjacency.degree(np.arange(8)).tolist() == [graph.degree(n) if n in graph else 0 for n in range(8)]
    assert set(adjacency.relation_ids().tolist()) == {r for *_, r in graph.edges(data="relation")}
    _, expansion = adjacency.expand(np.arange(8))
    assert sorted(expansion.triple.tolist()) == sorted([key for _, _, key in graph.edges(keys=True)] * 2)
    indptr, neighbors = adjacency.csr()
    undirected = graph.to_undirected(as_view=True)
    for node in range(adjacency.size):
        row = set(neighbors[indptr[node] : indptr[node + 1]].tolist())
        assert row == (set(undirected.neighbors(node)) if node in undirected else set())


@given(st.lists(facts, max_size=30), st.lists(facts, max_size=8), st.sets(st.integers(0, 29)), st.booleans())
def test_apply_equals_building_anew(drawn: list[Any], new: list[Any], gone: set[int], some_return: bool) -> None:
    before = rows_of(drawn)
    back = [row for row in before if row[0] in gone and row[0] % 2] if some_return else []
    added = back + rows_of(new, first=100)
    touched = np.array(sorted(gone | {row[0] for row in added}), dtype=np.int64)
    empty = np.zeros(0, np.int64)
    changed = Adjacency.build(edges_of(before)).apply(Changes(7, touched, edges_of(added), empty, empty))
    after = sorted([row for row in before if row[0] not in gone] + added)
    anew = Adjacency.build(edges_of(after), seq=7)
    assert changed.seq == 7
    for name in ("node_groups", "group_key", "group_start", "triple", "neighbor"):
        assert getattr(changed, name).tolist() == getattr(anew, name).tolist(), name
    for day in (None, 2, 5):
        assert [found(changed, n, day) for n in range(8)] == [found(anew, n, day) for n in range(8)]


def test_rows_in_any_order_give_the_same_arrays() -> None:
    rng = np.random.default_rng(3)
    drawn = [(*rng.integers(0, 20, 3).tolist(), (OPEN_START, OPEN_END)) for _ in range(300)]
    rows = rows_of(drawn)
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    one, two = Adjacency.build(edges_of(rows)), Adjacency.build(edges_of(shuffled))
    assert one.triple.tolist() == two.triple.tolist()
    assert one.neighbor.tolist() == two.neighbor.tolist()


@dataclass
class LedgerOfEdges:
    """As much of a store as a derived index sees: edges by seq, and a ledger with times."""

    identity = "edges"
    birth: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    steps: list[tuple[list[Row], list[int]]] = field(default_factory=list)
    forgets_before: int = 0
    rebuilt: int = 0

    @property
    def seq(self) -> int:
        return len(self.steps)

    def write(self, add: list[Row], remove: list[int] | None = None) -> None:
        self.steps.append((add, remove or []))

    def ledger(self, limit: int | None = None) -> list[Entry]:
        entries = [Entry(i + 1, self.birth + timedelta(seconds=i), "add", "") for i in range(self.seq)]
        return entries[::-1][:limit]

    def rows(self, since: int = 0) -> tuple[set[int], list[Row]]:
        live: dict[int, Row] = {}
        touched: set[int] = set()
        for number, (add, remove) in enumerate(self.steps, start=1):
            live.update({row[0]: row for row in add})
            for row in remove:
                live.pop(row, None)
            touched |= {row[0] for row in add} | set(remove) if number > since else set()
        return touched, [live[row] for row in sorted(live)]

    def edges(self, *, known_at: datetime | None = None) -> Edges:
        self.rebuilt += 1
        return edges_of(self.rows()[1])

    def changes_since(self, seq: int) -> Changes | None:
        if seq < self.forgets_before:
            return None
        touched, live = self.rows(seq)
        empty = np.zeros(0, np.int64)
        gone = np.array(sorted(touched), dtype=np.int64)
        return Changes(self.seq, gone, edges_of([row for row in live if row[0] in touched]), empty, empty)


def fact(triple: int, s: int, r: int, o: int) -> Row:
    return (triple, s, r, o, OPEN_START, OPEN_END)


def test_a_published_adjacency_is_opened_and_catches_up(tmp_path: Path) -> None:
    store: Any = LedgerOfEdges()
    store.write([fact(1, 0, 0, 1), fact(2, 1, 0, 2)])
    load_adjacency(store, Generations(tmp_path))
    store.write([fact(3, 2, 1, 3)], remove=[1])
    opened = load_adjacency(store, Generations(tmp_path))
    assert store.rebuilt == 1
    assert opened.seq == 2
    assert sorted(set(opened.triple.tolist())) == [2, 3]
    store.write([fact(1, 0, 0, 1)])
    followed = follow(opened, store, Generations(tmp_path))
    assert sorted(set(followed.triple.tolist())) == [1, 2, 3]
    assert found(followed, 1, None) == [(0, 1, 2, 2), (0, -1, 1, 0)]
    assert store.rebuilt == 1


def test_an_adjacency_of_another_store_or_a_restored_backup_is_refused(tmp_path: Path) -> None:
    store: Any = LedgerOfEdges()
    store.write([fact(1, 0, 0, 1)])
    load_adjacency(store, Generations(tmp_path))
    other: Any = LedgerOfEdges(birth=datetime(2025, 5, 5, tzinfo=UTC))
    other.write([fact(1, 4, 0, 5)])
    assert found(load_adjacency(other, Generations(tmp_path)), 4, None) == [(0, 1, 1, 5)]
    assert other.rebuilt == 1


def test_a_past_no_longer_known_is_rebuilt(tmp_path: Path) -> None:
    store: Any = LedgerOfEdges()
    store.write([fact(1, 0, 0, 1)])
    old = load_adjacency(store, Generations(tmp_path))
    store.write([fact(2, 0, 0, 3)])
    store.forgets_before = 2
    assert found(follow(old, store, Generations(tmp_path)), 0, None) == [(0, 1, 1, 1), (0, 1, 2, 3)]
    assert store.rebuilt == 2


@pytest.mark.parametrize("victim", ["triple.npy", "group_start.npy", "manifest.json"])
def test_a_damaged_file_means_one_warning_and_the_right_edges(tmp_path: Path, victim: str) -> None:
    store: Any = LedgerOfEdges()
    store.write([fact(1, 0, 0, 1), fact(2, 1, 0, 2)])
    load_adjacency(store, Generations(tmp_path))
    path = next((tmp_path / "graph").glob(f"gen-*/{victim}"))
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adjacency = load_adjacency(store, Generations(tmp_path))
    assert len(caught) == 1
    assert "damaged" in str(caught[0].message)
    assert found(adjacency, 1, None) == [(0, 1, 2, 2), (0, -1, 1, 0)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_adjacency(store, Generations(tmp_path))
    assert store.rebuilt == 2
