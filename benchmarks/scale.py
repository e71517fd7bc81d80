"""Build, open and walk a large graph: seconds, megabytes, and milliseconds for bounded 2-hop and 3-hop retrieval.

    python benchmarks/scale.py --triples 1000000
    python benchmarks/scale.py --triples 10000000 --alone --kg /tmp/ten    # keeps the file and the graph for the next run

A random graph (degrees follow a power law, 20 relations, one hub with a tenth of the edges but at most 100,000) is written
as a head|relation|tail file and read through the public API. Each step runs in its own process, so that memory and opening
times are its own. networkx and pyoxigraph (where installed) load the same file and take the same two hops.

Targets for a million triples on 2 cores: build 30 s, open 1 s, 3 hops p95 100 ms, hub p95 250 ms, peak 1 GB.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import commit, peak_mb, percentiles, print_result, print_table
from hoptrace.kg.adjacency import Adjacency
from hoptrace.kg.graph import KnowledgeGraph

RELATIONS = 20
HUB = "Hub Central"
EXPANSIONS, FAN_OUT = 60_000, 4096  # as in retrieval.base.Budget
PATHS = 8  # paths whose triples are read from the store, as a question does
SEEDS, HUB_RUNS = 200, 40
_SYLLABLES = ("ka", "ro", "ve", "li", "mo", "su", "ne", "ta", "di", "pa", "ge", "fu", "zo", "he", "ri", "wa")


def name(number: int) -> str:
    """A readable label; about 7 entities share a first word, as in real name lists."""
    word, rest = "", number // 7 + 16
    while rest:
        word, rest = word + _SYLLABLES[rest % 16], rest // 16
    return f"{word.capitalize()} {_SYLLABLES[number % 7]}{number % 7}"


def random_graph(triples: int, seed: int = 5) -> Iterator[tuple[str, str, str]]:
    """Distinct triples, shuffled."""
    rng = np.random.default_rng(seed)
    entities, hub = max(triples // 5, 10), min(100_000, triples // 10)
    names = [name(i) for i in range(entities)]
    ends = (entities * rng.random((2, triples * 2)) ** 2.0).astype(np.int64)  # density ~ rank ** -0.5
    codes = (ends[0] * entities + rng.permutation(entities)[ends[1]]) * RELATIONS + rng.integers(RELATIONS, size=triples * 2)
    codes = rng.permutation(np.unique(codes))[: triples - hub]
    around = rng.choice(entities, size=hub, replace=hub > entities)
    rows = [(HUB, f"relation {i % 3}", names[node]) for i, node in enumerate(around.tolist())]
    pairs, relation = np.divmod(codes, RELATIONS)
    rows += [
        (names[s], f"relation {r}", names[o])
        for s, o, r in zip((pairs // entities).tolist(), (pairs % entities).tolist(), relation.tolist())
    ]
    yield from (rows[i] for i in rng.permutation(len(rows)).tolist())


def retrieve(kg: KnowledgeGraph, adjacency: Adjacency, seed: int, hops: int) -> tuple[int, bool]:
    """Expand breadth-first under the budgets of a question, then read the facts of a few paths; (edges seen, cut)."""
    frontier, seen, cut = np.array([seed], dtype=np.int64), np.zeros(adjacency.size, dtype=bool), False
    seen[seed] = True
    left, kept = EXPANSIONS, []
    for _ in range(hops):
        groups = adjacency.groups(frontier)
        # Every relation stays: the budget is shared out over the groups, and only then are groups themselves cut.
        limit = max(1, min(FAN_OUT, left // max(len(groups.count), 1)))
        if len(groups.count) > left:
            groups, cut = groups.take(np.arange(left)), True
        edges = adjacency.edges(groups, limit=limit)
        cut, left = cut or bool(edges.truncated.any()), left - len(edges.triple)
        new = ~seen[edges.neighbor]
        frontier = np.unique(edges.neighbor[new])
        seen[frontier] = True
        kept.append(edges.triple[:PATHS])
    kg.store.triples_at(np.concatenate(kept))
    return EXPANSIONS - left, cut


def two_hops(adjacency: Adjacency, seed: int) -> np.ndarray:
    """Every node within two hops, without bounds: what networkx and SPARQL are asked for."""
    _, first = adjacency.expand(np.array([seed]))
    _, second = adjacency.expand(np.unique(first.neighbor))
    return np.unique(second.neighbor)


def timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


# ---- one process each ----------------------------------------------------------------------------------------------


def write(folder: Path) -> dict[str, Any]:
    triples = int((folder / "triples").read_text())
    with (folder / "kb.txt").open("w", encoding="utf-8") as file:
        file.writelines("|".join(row) + "\n" for row in random_graph(triples))
    return {}


def build(folder: Path) -> dict[str, Any]:
    with KnowledgeGraph.open(folder / "scale.kg") as kg:
        start = time.perf_counter()
        kg.ingest([folder / "kb.txt"])
        stored = time.perf_counter() - start
        index = timed(kg.adjacency)
        counts = kg.stats()
    size = sum(path.stat().st_size for path in (folder / "scale.kg").rglob("*") if path.is_file()) / 1e6
    found = {"build_s": round(stored + index, 3), "index_s": round(index, 3), "peak_mb": peak_mb(), "disk_mb": round(size, 1)}
    return {**found, "triples": counts["triples"], "entities": counts["entities"]}


def opening(folder: Path) -> dict[str, Any]:
    def first() -> None:
        KnowledgeGraph.open(folder / "scale.kg", create=False).adjacency()

    return {"open_s": round(timed(first), 3), "open_peak_mb": peak_mb()}


def walking(folder: Path) -> dict[str, Any]:
    with KnowledgeGraph.open(folder / "scale.kg", read_only=True) as kg:
        adjacency = kg.adjacency()
        rows = np.flatnonzero(adjacency.degree(np.arange(adjacency.size)))
        seeds = np.random.default_rng(1).choice(rows, SEEDS).tolist()
        hub = kg.store.row_of(kg.entity(HUB).id)
        found: dict[str, Any] = {}
        for label, starts, hops in [
            ("hops2", seeds, 2),
            ("hops3", seeds, 3),
            ("hub2", [hub] * HUB_RUNS, 2),
            ("hub3", [hub] * HUB_RUNS, 3),
        ]:
            retrieve(kg, adjacency, starts[0], hops)
            times, edges, cuts = [], 0, 0
            for seed in starts:
                start = time.perf_counter()
                expanded, cut = retrieve(kg, adjacency, seed, hops)
                times.append(1000 * (time.perf_counter() - start))
                edges, cuts = edges + expanded, cuts + cut
            found[label] = {**percentiles(times), "edges": edges // len(starts), "truncated": round(cuts / len(starts), 3)}
        found["asking_peak_mb"] = peak_mb()
        found["plain2"] = percentiles([1000 * timed(lambda seed=seed: two_hops(adjacency, seed)) for seed in seeds])
    return found


def read(folder: Path) -> Iterator[list[str]]:
    with (folder / "kb.txt").open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("|")


def on_networkx(folder: Path) -> dict[str, Any]:
    import networkx as nx

    start = time.perf_counter()
    graph = nx.MultiDiGraph()
    graph.add_edges_from((subject, object_, {"relation": relation}) for subject, relation, object_ in read(folder))
    loaded = time.perf_counter() - start

    def around(node: str) -> set[str]:
        return {*graph.successors(node), *graph.predecessors(node)}

    nodes = list(graph)
    seeds = [nodes[i] for i in np.random.default_rng(1).integers(len(nodes), size=SEEDS)]
    times = [1000 * timed(lambda seed=seed: {end for middle in around(seed) for end in around(middle)}) for seed in seeds]
    return {"build_s": round(loaded, 3), "peak_mb": peak_mb(), "plain2": percentiles(times)}


def on_pyoxigraph(folder: Path) -> dict[str, Any]:
    import pyoxigraph as ox

    def node(text: str) -> ox.NamedNode:
        return ox.NamedNode("urn:x:" + text.replace(" ", "_"))

    store, nodes = ox.Store(), set()
    start = time.perf_counter()
    store.bulk_extend(ox.Quad(node(s), node(r), node(o)) for s, r, o in read(folder))
    loaded = time.perf_counter() - start
    for subject, _, object_ in read(folder):
        nodes |= {subject, object_}
    ordered = sorted(nodes)
    seeds = [ordered[i] for i in np.random.default_rng(1).integers(len(ordered), size=SEEDS)]
    ask = "SELECT DISTINCT ?b {{ {{ <{0}> ?p ?a }} UNION {{ ?a ?p <{0}> }} {{ ?a ?q ?b }} UNION {{ ?b ?q ?a }} }}"
    times = [1000 * timed(lambda seed=seed: len(list(store.query(ask.format(node(seed).value))))) for seed in seeds[: SEEDS // 4]]
    return {"build_s": round(loaded, 3), "peak_mb": peak_mb(), "plain2": percentiles(times)}


ROLES = {"write": write, "build": build, "open": opening, "walk": walking, "networkx": on_networkx, "pyoxigraph": on_pyoxigraph}


def in_process(role: str, folder: Path) -> dict[str, Any]:
    """Run one role in a process of its own."""
    command = [sys.executable, __file__, "--role", role, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{role} failed with exit status {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def built(folder: Path, triples: int) -> dict[str, Any]:
    """The figures of the build; one that is in the folder is not repeated."""
    size, figures = folder / "triples", folder / "build.json"
    if figures.is_file() and size.read_text() == str(triples):
        kept: dict[str, Any] = json.loads(figures.read_text())
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    size.write_text(str(triples))
    in_process("write", folder)
    shutil.rmtree(folder / "scale.kg", ignore_errors=True)
    found = in_process("build", folder)
    figures.write_text(json.dumps(found))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the graph (1000000)")
    parser.add_argument("--alone", action="store_true", help="leave networkx and pyoxigraph out")
    parser.add_argument("--kg", type=Path, help="folder to keep the file and the graph in; a graph there is used again")
    parser.add_argument("--role", choices=ROLES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        print_result(ROLES[given.role](given.folder))
        return
    if given.triples < 100:
        parser.error("--triples must be at least 100")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.kg or Path(temporary)
        ours = built(folder, given.triples)
        opened = [in_process("open", folder) for _ in range(3)]
        ours |= sorted(opened, key=lambda one: float(one["open_s"]))[1] | in_process("walk", folder)
        systems = {"hoptrace": ours}
        if not given.alone:
            others = [other for other in ("networkx", "pyoxigraph") if importlib.util.find_spec(other)]
            systems |= {other: in_process(other, folder) for other in others}
    report(given.triples, systems)


def report(triples: int, systems: dict[str, dict[str, Any]]) -> None:
    ours = systems["hoptrace"]
    print(f"{ours['triples']} triples, {ours['entities']} entities, {ours['disk_mb']} MB")
    print(f"opened in {ours['open_s']:.2f} s; the asking process had {ours['asking_peak_mb']} MB at its peak\n")
    rows = [
        (system, f"{found['build_s']:.1f}", f"{found['peak_mb']:.0f}", found["plain2"]["p50"], found["plain2"]["p95"])
        for system, found in systems.items()
    ]
    print_table(("system", "build s", "peak MB", "2 hops p50 ms", "p95 ms"), rows)
    print()
    bounded = {"hops2": "2 hops", "hops3": "3 hops", "hub2": "2 hops from the hub", "hub3": "3 hops from the hub"}
    lines = [(text, *(ours[key][column] for column in ("p50", "p95", "edges", "truncated"))) for key, text in bounded.items()]
    print_table(("bounded retrieval", "p50 ms", "p95 ms", "edges", "share cut"), lines)
    print()
    print_result(
        {
            "benchmark": "scale",
            "dataset": f"power-law-{triples}",
            "n": triples,
            "systems": systems,
            "latency_ms": {"p50": ours["hops3"]["p50"], "p95": ours["hops3"]["p95"]},
            "index_s": round(ours["build_s"], 2),
            "peak_mb": ours["peak_mb"],
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
