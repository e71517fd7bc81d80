"""Complete at the prompt over a million names, and show the prompt: milliseconds for each place of a line.

    python benchmarks/completion.py
    python benchmarks/completion.py --labels 100000 --kg /tmp/names      # keeps the graph for the next run

The graph has as many entities, facts between them (degrees follow a power law) and 20 relations. Its rows are written directly,
since only names and edges are looked at. Lines are typed key by key, as the shell completes them; every key is one measurement.
Then the shell is started in a pseudo-terminal until its prompt is there. Besides the time on the clock the processor's own is
shown, which other jobs on the machine disturb less.

Targets for a million labels on 2 cores: p95 30 ms for a key, 1 s to the prompt.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import commit, peak_mb, percentiles, print_result, print_table
from hoptrace.agents.interfaces.completion import LineCompleter, Names
from hoptrace.agents.interfaces.shell import SLASHED
from hoptrace.agents.interfaces.sitting import LOCALS
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import normalize
from hoptrace.kg.sqlite_base import FILE_NAME
from hoptrace.kg.store import OPEN_END, OPEN_START
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from scale import RELATIONS, name

TYPES = ("person", "organization", "place", "")
LINES = 100  # of each place
STARTS = 3


def fill(folder: Path, labels: int) -> None:
    """A graph of so many names and facts."""
    with KnowledgeGraph.open(folder) as kg:
        for relation in range(RELATIONS):
            kg.add("Relation Desk", f"relation {relation}", "Relation Index")
    db = sqlite3.connect(folder / FILE_NAME)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -200000")
    first = db.execute("SELECT max(row) + 1 FROM node").fetchone()[0]
    (source,) = db.execute("SELECT min(row) FROM source").fetchone()
    relations = [row for (row,) in db.execute("SELECT row FROM relation")]
    named = sorted((normalize(label), label) for label in map(name, range(labels)))
    nodes = (
        (first + i, (i + 1) << 20, "entity", "", label, norm, TYPES[i % 4], "", norm.split()[0], 1, first + i)
        for i, (norm, label) in enumerate(named)
    )
    db.executemany("INSERT INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", nodes)
    names = ((first + i, source, label, TYPES[i % 4], norm, 1) for i, (norm, label) in enumerate(named))
    db.executemany("INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)", names)
    rng = np.random.default_rng(5)
    ends = np.sort(first + (labels * rng.random((labels, 2)) ** 2.0).astype(np.int64), axis=0)
    last = db.execute("SELECT max(row) + 1, max(seq) FROM triple").fetchone()
    triples = (
        (last[0] + i, -1 - i, s, relations[i % len(relations)], o, OPEN_START, OPEN_END, "grounded", "", 0, 1, last[1])
        for i, (s, o) in enumerate(zip(ends[:, 0].tolist(), rng.permutation(ends[:, 1]).tolist()))
    )
    db.executemany("INSERT INTO triple VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", triples)
    db.commit()
    db.close()


def typed(labels: int) -> Iterator[tuple[str, str]]:
    """(place, line) of lines as they are when they are typed to the end."""
    rng = np.random.default_rng(1)
    for number in rng.integers(labels, size=LINES).tolist():
        label = name(number)
        yield "entity", f"/entity {label}"
        yield "path, second name", f'/path "{name(number // 2)}" "{label}"'
        yield "question", f"Who founded the supplier of {label}"
        yield "teach, relation", f'/teach "{label}" rela'
        yield "sparql, predicate", "/sparql SELECT ?s WHERE { ?s rel:relation_1"
        yield "misspelt", f"/entity {label[:-3]}x{label[-2:]}"


def keys(place: str, line: str) -> Iterator[str]:
    """The line after each key, from where its place begins."""
    begin = line.index(" ") + 1 if place in ("entity", "misspelt", "question") else max(line.rfind('"', 0, -1), line.rfind(" "))
    yield from (line[:end] for end in range(begin + 1, len(line) + 1))


def completing(folder: Path, labels: int) -> tuple[dict[str, list[tuple[float, float]]], float]:
    """Milliseconds of every key by place, on the clock and of the processor, and seconds until the numbers of facts are there."""
    times: dict[str, list[tuple[float, float]]] = {}
    with KnowledgeGraph.open(folder, create=False) as kg:
        names = Names(kg)
        start = time.perf_counter()
        names.adjacency = kg.adjacency()
        loaded = time.perf_counter() - start
        completer = LineCompleter(names, SLASHED, LOCALS)
        for place, line in typed(labels):
            for text in keys(place, line):
                start, spent = time.perf_counter(), time.process_time()
                list(completer.get_completions(Document(text), CompleteEvent()))
                taken = (1000 * (time.perf_counter() - start), 1000 * (time.process_time() - spent))
                times.setdefault(place, []).append(taken)
    return times, loaded


def prompting(folder: Path) -> tuple[float, float]:
    """Seconds until the prompt, the middle of a few starts, and of the processor until it is left again."""
    import pexpect  # type: ignore[import-untyped]

    taken, before = [], resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(STARTS):
        start = time.perf_counter()
        child = pexpect.spawn(sys.executable, ["-m", "hoptrace.agents.interfaces.cli", "repl", "--kg", str(folder)], timeout=60)
        child.expect_exact("hoptrace>")
        taken.append(time.perf_counter() - start)
        child.send("\x04")
        child.expect(pexpect.EOF)
        child.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(np.median(taken)), spent / STARTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=1_000_000, help="names in the graph (1000000)")
    parser.add_argument("--kg", type=Path, help="folder to keep the graph in; one that is there is used again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.kg or Path(temporary) / "names.kg"
        if not folder.exists():
            fill(folder, given.labels)
        times, loaded = completing(folder, given.labels)
        prompt, spent = prompting(folder)
    every = [one for place in times.values() for one in place]
    print(f"{given.labels} labels; numbers of facts after {loaded:.2f} s")
    print(f"prompt after {prompt:.2f} s (middle of {STARTS}), {spent:.2f} s of the processor\n")
    rows = []
    for place, taken in (*times.items(), ("all", every)):
        clock, cpu = (percentiles([pair[i] for pair in taken]) for i in (0, 1))
        rows.append((place, len(taken), clock["p50"], clock["p95"], cpu["p50"], cpu["p95"]))
    print_table(("place", "keys", "p50 ms", "p95 ms", "cpu p50 ms", "cpu p95 ms"), rows)
    print()
    print_result(
        {
            "benchmark": "completion",
            "dataset": f"names-{given.labels}",
            "n": len(every),
            "latency_ms": percentiles([clock for clock, _ in every]),
            "cpu_ms": percentiles([cpu for _, cpu in every]),
            "cpu_p95_ms": {place: percentiles([cpu for _, cpu in taken])["p95"] for place, taken in times.items()},
            "prompt_s": round(prompt, 2),
            "prompt_cpu_s": round(spent, 2),
            "index_s": round(loaded, 2),
            "peak_mb": peak_mb(),
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
