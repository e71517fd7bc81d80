"""Paths as deep as graphs get: generated graphs of known lookahead and branches, NLGraph, and exact search at size.

    python benchmarks/graphs.py --nlgraph ../shared/datasets/nlgraph
    python benchmarks/graphs.py --samples 2 --deepest 32          # a quick look

*Generated* graphs turn two dials, as DeepRD does: lookahead (how many steps until the right first one is certain) and
branches (first steps). All of them go through the public API into one knowledge graph; the agent is asked "Is there a path
from A to B?". It is compared with the beam alone: the same question without escalation, and the beam told the very relations
to walk, under its own four hops and under as many as the path has (up to 32). A path counts when it is the only one there is.

*NLGraph* (Wang et al. 2023) asks in words about small graphs: connectivity, cycles, shortest weighted paths, topological
order. The edge lists are parsed here, the exact solver answers, networkx and the recorded answer judge.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from common import commit, percentiles, print_result, print_table, read_jsonl
from hoptrace import Agent, Budget, KnowledgeGraph
from hoptrace.agents.compose import PathComposer
from hoptrace.kg.adjacency import Adjacency
from hoptrace.kg.store import OPEN_END, OPEN_START, Edges
from hoptrace.retrieval.base import Seed
from hoptrace.retrieval.complexity import complexity
from hoptrace.retrieval.cycles import find_cycle, topological_order
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.exact import ExactSolver
from hoptrace.retrieval.paths import PathSearch
from hoptrace.retrieval.question import Understanding, Unit
from hoptrace.retrieval.relations import RelationIndex
from scale import random_graph

LOOKAHEADS, BRANCHES = (2, 4, 8, 16, 32, 64, 128, 256), (2, 4, 8, 16)
TOLD = 32  # lookahead up to which the beam is told the whole path: each of its hops compares as many units as there are hops
RELATIONS = ("feeds", "signals", "precedes", "unlocks")
_SYLLABLES = ("ka", "ro", "ve", "li", "mo", "su", "ne", "ta", "di", "pa", "ge", "fu", "zo", "he", "ri", "wa")


@dataclass(frozen=True)
class Maze:
    """One generated graph: its triples by label, and the only path from its start to its goal."""

    lookahead: int
    branches: int
    triples: list[tuple[str, str, str]]
    path: list[tuple[str, str, str]]


def label(number: int) -> str:
    """A name whose first word is its own, so that no two are taken for one."""
    word, rest = "", number + 16**4
    while rest:
        word, rest = word + _SYLLABLES[rest % 16], rest // 16
    return f"{word.capitalize()} Point"


def maze(lookahead: int, branches: int, first: int, pick: random.Random) -> Maze:
    """Branches of equal depth, one of which ends at the goal; the others are joined to each other and fed by the right one.

    The second branch is entered from its own first step only, so that no level before the goal's gives the answer away.
    """
    start, names = label(first), [[label(first + 1 + b * lookahead + d) for d in range(lookahead)] for b in range(branches)]
    pairs = [(start, branch[0]) for branch in names] + [pair for branch in names for pair in pairwise(branch)]
    for depth in range(lookahead - 1):
        for _ in range(branches // 4):
            into = pick.randrange(1, branches)
            out_of = pick.randrange(0 if into > 1 else 1, branches)
            if out_of != into and not (into == 1 and out_of != 1):
                pairs.append((names[out_of][depth], names[into][depth + 1]))
    relation = {pair: pick.choice(RELATIONS) for pair in dict.fromkeys(pairs)}
    triples = [(a, name, b) for (a, b), name in relation.items()]
    pick.shuffle(triples)
    path = [(a, relation[a, b], b) for a, b in pairwise([start, *names[0]])]
    return Maze(lookahead, branches, triples, path)


def mazes(samples: int, deepest: int, seed: int) -> Iterator[Maze]:
    pick, used = random.Random(seed), 0
    for lookahead in (size for size in LOOKAHEADS if size <= deepest):
        for branches in BRANCHES:
            for _ in range(samples):
                made = maze(lookahead, branches, used, pick)
                used += lookahead * branches + 1
                yield made


def hops_of(path: Any) -> list[tuple[str, str, str]]:
    return [(hop.triple.subject.label, hop.triple.relation.label, hop.triple.object.label) for hop in path.hops]


class Contest:
    """The agent and the beam over one graph of all mazes."""

    def __init__(self, kg: KnowledgeGraph, encoder: Encoder) -> None:
        self.kg, self.agent = kg, Agent(kg, encoder=encoder)
        self.index = RelationIndex(kg, encoder)
        self.index.refresh()
        self.family = {relation.label: self.index.families[self.index.family_of[row]] for row, relation in kg.store.relations()}

    def ask(self, one: Maze) -> dict[str, float]:
        """One maze: 1 or 0 for each way of answering, invented edges, and milliseconds of the agent."""
        question = f"Is there a path from {one.path[0][0]} to {one.path[-1][2]}?"
        began = time.perf_counter()
        answer = self.agent.ask(question)
        spent = (time.perf_counter() - began) * 1000
        walked = [hop for path in answer.paths for hop in hops_of(path)]
        start, goal = (self.kg.store.row_of(self.kg.entity(name).id) for name in (one.path[0][0], one.path[-1][2]))
        measured = complexity(self.kg.adjacency(), start, goal, way="forward")
        return {
            "agent": float(answer.answers == ("yes",) and walked == one.path),
            "cited": float(bool(answer.citations) and all(citation.verified for citation in answer.citations)),
            "invented": float(sum(hop not in set(one.triples) for hop in walked)),
            "dials": float((measured.lookahead, measured.branches) == (one.lookahead, one.branches)),
            "beam, same question": self._unescalated(question, one),
            "beam, told, 4 hops": self._told(one, start, goal, Budget()),
            "beam, told, all hops": self._told(one, start, goal, Budget(hops=one.lookahead)) if one.lookahead <= TOLD else np.nan,
            "ms": spent,
        }

    def _unescalated(self, question: str, one: Maze) -> float:
        retriever = self.agent.retriever
        links = retriever.link(question)
        reading = retriever.read(question, links)
        draft = PathComposer(retriever).compose(reading, links, retriever.search(reading, links))
        return float(draft.status == "answered" and any(hops_of(path) == one.path for path in draft.paths))

    def _told(self, one: Maze, start: int, goal: int, budget: Budget) -> float:
        """Whether any state of a beam that is told every relation of the path in order holds that path."""
        units = tuple(Unit(r, i, frozenset({self.family[r].name})) for i, (_, r, _) in enumerate(one.path))
        seed = Seed(start, self.kg.store.nodes([start])[0], 0, 0, 1.0)
        found = PathSearch(self.kg.adjacency(), self.index, budget).search(
            Understanding("", "lookup", "", "", units, ()), [seed], None
        )
        for state in found.states:
            if state.depth == one.lookahead:
                for at in np.flatnonzero(state.nodes == goal).tolist():
                    triples = self.kg.store.triples_at([row for row, _ in state.walk(at)])
                    if [(t.subject.label, t.relation.label, t.object.label) for t in triples] == one.path:
                        return 1.0
        return 0.0


def generated(samples: int, deepest: int, seed: int) -> dict[str, Any]:
    made = list(mazes(samples, deepest, seed))
    rows: dict[int, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        lines = "".join("|".join(triple) + "\n" for one in made for triple in one.triples)
        (Path(folder) / "kb.txt").write_text(lines, "utf-8")
        with KnowledgeGraph.open(Path(folder) / "kg") as kg:
            kg.ingest([str(Path(folder) / "kb.txt")])
            contest = Contest(kg, Encoder.default())
            contest.agent.ask("Is there a path from here to there?")  # whatever is made once is made before the clock runs
            for one in made:
                rows[one.lookahead].append(contest.ask(one))
            triples = kg.stats()["triples"]
    ways = ("agent", "beam, same question", "beam, told, 4 hops", "beam, told, all hops")
    everything = [row for group in rows.values() for row in group]
    print(f"generated: {len(made)} graphs in one of {triples} triples; branches {BRANCHES}; share of paths found")
    means = {level: [float(np.mean([row[way] for row in group])) for way in ways] for level, group in rows.items()}
    table = [[level, *("-" if np.isnan(mean) else f"{mean:.3f}" for mean in line)] for level, line in means.items()]
    times = percentiles([row["ms"] for row in everything])
    print_table(["lookahead", *ways], table)
    total = {way: round(float(np.nanmean([row[way] for row in everything])), 4) for way in ways}
    checks = {name: float(np.mean([row[name] for row in everything])) for name in ("cited", "dials")}
    invented = int(sum(row["invented"] for row in everything))
    print(
        f"invented edges {invented}; cited in full {checks['cited']:.3f}; dials as set {checks['dials']:.3f}; agent ms {times}\n"
    )
    return {"graphs": len(made), "triples": triples, **total, "invented": invented, **checks, "ms": times}


# ---- NLGraph


_PAIR = re.compile(r"\((\d+), ?(\d+)\)")
_WEIGHTED = re.compile(r"edge between node (\d+) and node (\d+) with weight (\d+)")
_BEFORE = re.compile(r"node (\d+) should be visited before node (\d+)")
_ASKED = re.compile(r"(?:between|from) node (\d+) (?:and|to) node (\d+)\?|from node (\d+) to node (\d+)\.")
_RANGE = re.compile(r"numbered from (\d+) to (\d+)")


def from_pairs(pairs: Sequence[tuple[int, int]]) -> Adjacency:
    ends, n = np.array(pairs, np.int32).reshape(-1, 2), len(pairs)
    open_ = np.full(n, OPEN_START, np.int32), np.full(n, OPEN_END, np.int32)
    return Adjacency.build(Edges(np.arange(n), ends[:, 0], np.zeros(n, np.int32), ends[:, 1], *open_))


def numbers(pattern: re.Pattern[str], text: str) -> list[tuple[int, ...]]:
    return [tuple(int(part) for part in match.groups() if part) for match in pattern.finditer(text)]


def connectivity(graph: str, asked: str, answer: str) -> bool:
    pairs, [(a, b)] = numbers(_PAIR, graph.partition("Graph:")[2]), numbers(_ASKED, asked)
    found = ExactSolver(from_pairs(pairs)).distance(a, b) is not None  # type: ignore[arg-type]
    other = nx.Graph(pairs)
    other.add_nodes_from([a, b])
    return found == nx.has_path(other, a, b) == ("yes" in answer.lower())


def cycle(graph: str, asked: str, answer: str) -> bool:
    pairs = numbers(_PAIR, graph.partition("edges are:")[2])
    found, other = find_cycle(from_pairs(pairs), directed=False), nx.Graph(pairs)  # type: ignore[arg-type]
    closed = found is None or all(other.has_edge(a, b) for a, b in zip(found, (*found[1:], found[0]), strict=True))
    return closed and (found is not None) == bool(nx.cycle_basis(other)) == answer.lower().startswith("yes")


def shortest_path(graph: str, asked: str, answer: str) -> bool:
    edges, [(a, b)] = numbers(_WEIGHTED, graph), numbers(_ASKED, asked)
    other = nx.Graph()
    other.add_weighted_edges_from(edges)
    solver = ExactSolver(from_pairs([(s, t) for s, t, _ in edges]), lengths=np.array([w for *_, w in edges], np.float64))
    [walk] = solver.paths(a, b)
    stated = int(re.findall(r"total weight of (\d+)", answer)[0])
    return walk.length == nx.path_weight(other, walk.nodes, "weight") == nx.dijkstra_path_length(other, a, b) == stated


def topology(graph: str, asked: str, answer: str) -> bool:
    pairs, [(low, high)] = numbers(_BEFORE, graph), numbers(_RANGE, graph)
    order = topological_order(from_pairs(pairs))  # type: ignore[arg-type]
    if order is None:
        return False
    free = sorted(set(range(low, high + 1)) - set(order.tolist()))  # nodes without edges may stand anywhere
    place = {node: i for i, node in enumerate([*order.tolist(), *free])}
    return len(place) == high - low + 1 and all(place[a] < place[b] for a, b in pairs)


TASKS: dict[str, Callable[[str, str, str], bool]] = {
    "connectivity": connectivity,
    "cycle": cycle,
    "shortest_path": shortest_path,
    "topology": topology,
}


def nlgraph(folder: Path) -> dict[str, Any]:
    right: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in (row for file in sorted(folder.glob("*.jsonl")) for row in read_jsonl(file)):
        if row["task"] in TASKS:
            graph, _, asked = row["question"].rpartition("Q:")
            try:
                good = TASKS[row["task"]](graph, asked, row["answer"])
            except (ValueError, IndexError):  # a text that is not read counts as wrong
                good = False
            right[row["task"], row["difficulty"]].append(float(good))
    print("NLGraph: share answered exactly, judged by networkx and the recorded answer")
    levels = ("easy", "medium", "hard")
    cells = [[task, *(_share(right[task, level]) for level in levels)] for task in TASKS]
    print_table(["task", *levels], cells)
    print()
    return {task: round(float(np.mean([x for level in levels for x in right[task, level]])), 4) for task in TASKS}


def _share(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ({len(values)})" if values else "-"


# ---- at size


def at_size(triples: int, runs: int) -> dict[str, Any]:
    """Milliseconds of CPU between random nodes of a graph whose degrees follow a power law, with a hub."""
    rows: dict[str, int] = {}
    edges = [(rows.setdefault(a, len(rows)), rows.setdefault(b, len(rows))) for a, _, b in random_graph(triples)]
    adjacency, rng = from_pairs(edges), np.random.default_rng(3)
    lengths = rng.integers(1, 10, size=len(edges)).astype(np.float64)
    jobs: dict[str, Callable[[int, int], object]] = {
        "distance": lambda a, b: ExactSolver(adjacency).distance(a, b),
        "5 shortest": lambda a, b: ExactSolver(adjacency).paths(a, b, 5),
        "5 shortest, directed": lambda a, b: ExactSolver(adjacency, way="forward").paths(a, b, 5),
        "shortest by length": lambda a, b: ExactSolver(adjacency, lengths=lengths).paths(a, b),
        "number of shortest": lambda a, b: ExactSolver(adjacency).count_shortest(a, b),
        "complexity": lambda a, b: complexity(adjacency, a, b),
    }
    result = {}
    for name, job in jobs.items():
        spent = []
        for a, b in rng.integers(adjacency.size, size=(runs, 2)).tolist():
            began = time.process_time()
            job(a, b)
            spent.append((time.process_time() - began) * 1000)
        result[name] = percentiles(spent)
    print(f"exact search among {len(edges)} triples, {adjacency.node_count} nodes, {runs} random pairs; milliseconds of CPU")
    print_table(["", "p50", "p95"], [[name, times["p50"], times["p95"]] for name, times in result.items()])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nlgraph", type=Path, help="folder of the NLGraph files")
    parser.add_argument("--samples", type=int, default=10, help="generated graphs per cell")
    parser.add_argument("--deepest", type=int, default=256, help="largest lookahead")
    parser.add_argument("--triples", type=int, default=100_000, help="size of the random graph")
    parser.add_argument("--runs", type=int, default=100, help="random pairs timed")
    parser.add_argument("--seed", type=int, default=9)
    args = parser.parse_args()
    result: dict[str, Any] = {"benchmark": "graphs", "commit": commit()}
    result["generated"] = generated(args.samples, args.deepest, args.seed)
    if args.nlgraph:
        result["nlgraph"] = nlgraph(args.nlgraph)
    result["at_size"] = at_size(args.triples, args.runs)
    print_result(result)


if __name__ == "__main__":
    main()
