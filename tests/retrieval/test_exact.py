"""Shortest paths against networkx on random graphs, and the cases that a plain search gets wrong."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.kg.errors import InputError
from hoptrace.kg.model import Path as GraphPath
from hoptrace.retrieval.exact import ExactSolver, shortest_paths


def make(folder: Path, lines: list[str]) -> KnowledgeGraph:
    (folder / "kb.txt").write_text("\n".join(lines) + "\n")
    kg = KnowledgeGraph.open(folder / "kg")
    kg.ingest([str(folder / "kb.txt")])
    return kg


def labels(path: GraphPath) -> tuple[str, ...]:
    return (path.start.label, *(hop.end.label for hop in path.hops))


def random_edges(seed: int) -> list[tuple[str, str, str]]:
    pick = random.Random(seed)
    names = [f"Node {letter}" for letter in "ABCDEFGHIJ"]
    return sorted({(*pick.sample(names, 2), pick.choice(["owns", "knows"])) for _ in range(14)})


@pytest.mark.parametrize("seed", range(12))
def test_finds_the_paths_that_networkx_finds(seed: int, tmp_path: Path) -> None:
    edges = random_edges(seed)
    graph = nx.Graph((a, b) for a, b, _ in edges)
    with make(tmp_path, [f"{a}|{relation}|{b}" for a, b, relation in edges]) as kg:
        for start in sorted(graph)[:4]:
            for end in sorted(set(graph) - {start}):
                found = shortest_paths(kg, kg.entity(start), kg.entity(end), max_hops=4, k=10_000)
                expected = {tuple(path) for path in nx.all_simple_paths(graph, start, end, cutoff=4)}
                assert {labels(path) for path in found} == expected
                lengths = [len(path.hops) for path in found]
                assert lengths == sorted(lengths)
                if found and nx.shortest_path_length(graph, start, end) <= 4:
                    best = {tuple(path) for path in nx.all_shortest_paths(graph, start, end)}
                    assert {labels(path) for path in found if len(path.hops) == lengths[0]} == best


@pytest.mark.parametrize("seed", range(3))
def test_hops_join_and_follow_their_triples(seed: int, tmp_path: Path) -> None:
    edges = random_edges(seed)
    stated = {(a, relation, b) for a, b, relation in edges}
    with make(tmp_path, [f"{a}|{relation}|{b}" for a, b, relation in edges]) as kg:
        start, end = kg.entity(edges[0][0]), kg.entity(edges[-1][1])
        for path in shortest_paths(kg, start, end, max_hops=4, k=50) if start != end else ():
            assert all(first.end.id == second.start.id for first, second in pairwise(path.hops))
            assert {(h.triple.subject.label, h.triple.relation.label, h.triple.object.label) for h in path.hops} <= stated


def test_parallel_triples_are_paths_of_their_own_and_k_bounds_them(tmp_path: Path) -> None:
    with make(tmp_path, ["Ada|owns|Bel", "Ada|runs|Bel", "Bel|owns|Cor"]) as kg:
        ada, cor = kg.entity("Ada"), kg.entity("Cor")
        assert {p.hops[0].triple.relation.label for p in shortest_paths(kg, ada, cor, k=5)} == {"owns", "runs"}
        assert len(shortest_paths(kg, ada, cor, k=1)) == 1


def test_values_are_not_passed_through(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Ada", "founded in", 2011)
        kg.add("Bel", "founded in", 2011)
        assert shortest_paths(kg, kg.entity("Ada"), kg.entity("Bel")) == []


def test_a_day_leaves_out_what_does_not_hold_then(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Ada", "runs", "Bel", valid_from=date(2020, 1, 1), valid_to=date(2022, 1, 1))
        ada, bel = kg.entity("Ada"), kg.entity("Bel")
        assert len(shortest_paths(kg, ada, bel, day=date(2021, 6, 1))) == 1
        assert shortest_paths(kg, ada, bel, day=date(2022, 1, 1)) == []


def test_no_path_within_the_limit_is_an_empty_list(tmp_path: Path) -> None:
    with make(tmp_path, ["Ada|owns|Bel", "Bel|owns|Cor", "Dun|owns|Eck"]) as kg:
        ada = kg.entity("Ada")
        assert shortest_paths(kg, ada, kg.entity("Cor"), max_hops=1) == []
        assert shortest_paths(kg, ada, kg.entity("Dun")) == []
        assert shortest_paths(kg, ada, ada) == []


def test_limits_below_one_are_refused(tmp_path: Path) -> None:
    with make(tmp_path, ["Ada|owns|Bel"]) as kg, pytest.raises(InputError, match="0"):
        shortest_paths(kg, kg.entity("Ada"), kg.entity("Bel"), max_hops=0)


def test_without_a_limit_a_path_may_be_of_any_length(tmp_path: Path) -> None:
    names = [f"Stop {chr(65 + i // 26)}{chr(97 + i % 26)}" for i in range(60)]
    with make(tmp_path, [f"{a}|leads to|{b}" for a, b in pairwise(names)]) as kg:
        first, last = kg.entity(names[0]), kg.entity(names[-1])
        assert shortest_paths(kg, first, last) == []
        [path] = shortest_paths(kg, first, last, max_hops=None)
        assert labels(path) == tuple(names)


def test_between_two_hubs_the_paths_are_still_exact(tmp_path: Path) -> None:
    lines = [f"{hub}|supplies|Firm {i}" for hub in ("Ada", "Bel") for i in range(150) if hub == "Ada" or i == 149]
    lines += [f"Firm {i}|supplies|Firm {(i * 7 + 1) % 149}" for i in range(149)]
    with make(tmp_path, [*lines, "Firm 148|owns|Cor", "Cor|owns|Dun", "Dun|owns|Bel"]) as kg:
        found = shortest_paths(kg, kg.entity("Ada"), kg.entity("Bel"), max_hops=6, k=3)
        assert [labels(path) for path in found][:2] == [("Ada", "Firm 149", "Bel"), ("Ada", "Firm 148", "Cor", "Dun", "Bel")]
        assert len(found[2].hops) == 5


def test_lengths_below_nothing_are_refused() -> None:
    from hoptrace.kg.adjacency import Adjacency
    from hoptrace.kg.store import Edges

    empty = Adjacency.build(Edges(*(np.zeros(0, np.int32) for _ in range(6))))
    for wrong in (-1.0, float("nan")):
        with pytest.raises(InputError, match="0 or more"):
            ExactSolver(empty, lengths=np.array([1.0, wrong]))
    with pytest.raises(InputError, match="no node"):
        ExactSolver(empty).common_neighbors([])
    assert ExactSolver(empty, ends=np.zeros(0, bool)).paths(0, 1) == []
