"""Many questions at once over HTTP: milliseconds, statuses, and the server's memory; then the same beside slow clients.

    python benchmarks/serve.py                      # 50 clients for 60 seconds over the packaged demo corpus

Each client asks the questions of `data/demo` one after the other over its own connection. In the second half one client reads
a stream a byte at a time and one sends its request a byte at a time; a prober asks /healthz all the while. The server runs in
a process of its own, on the same cores as the clients.

Targets on 2 cores: no 5xx, memory flat, /healthz p95 200 ms, p95 of questions in the second half at most 1.2 x the first's.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, commit, percentiles, print_result, print_table, read_jsonl
from hoptrace.kg.graph import KnowledgeGraph

DEMO = ROOT / "data" / "demo"
WARM_UP = 2  # rounds of all questions before anything is measured


@dataclass
class Seen:
    """What the clients saw: (second since the start, milliseconds) of each request, and how they ended."""

    started: float
    took: list[tuple[float, float]] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    slow: Counter[str] = field(default_factory=Counter)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """(port, process id) of `hoptrace serve` over a graph."""
    command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "serve", "--port", "0", "--kg", str(folder)]
    environment = {key: value for key, value in os.environ.items() if key != "HOPTRACE_TOKEN"}
    with (folder.parent / "server.log").open("w+") as log, subprocess.Popen(command, stderr=log, env=environment) as server:
        try:
            while "serving on" not in (said := (folder.parent / "server.log").read_text()):
                if server.poll() is not None:
                    sys.exit(said)
                time.sleep(0.1)
            yield int(said.partition("serving on http://127.0.0.1:")[2].split()[0]), server.pid
        finally:
            server.terminate()


def resident_mb(process: int) -> float:
    """Resident memory of a process, in megabytes; Linux only."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 2**10, 1)


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def ask(connection: http.client.HTTPConnection, question: str) -> int:
    body = json.dumps({"question": question})
    connection.request("POST", "/ask", body, {"content-type": "application/json"})
    response = connection.getresponse()
    response.read()
    return response.status


def asking(port: int, questions: list[str], seen: Seen, stop: threading.Event, first: int) -> None:
    """One client."""
    connection, i = connect(port), first
    while not stop.is_set():
        started = time.perf_counter()
        try:
            status = str(ask(connection, questions[i % len(questions)]))
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
            connection.close()
        now = time.perf_counter()
        seen.took.append((now - seen.started, 1000 * (now - started)))
        seen.statuses[status] += 1
        i += 7


def probing(port: int, seen: Seen, stop: threading.Event) -> None:
    connection = connect(port)
    while not stop.wait(0.2):
        started = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        seen.health.append(1000 * (time.perf_counter() - started))


def reading_slowly(port: int, question: str, seen: Seen, stop: threading.Event) -> None:
    """Asks for streams and takes a byte of them every 20 ms."""
    body = json.dumps({"question": question}).encode()
    head = f"POST /ask/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    while not stop.is_set():
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(("127.0.0.1", port))
            client.sendall(head + body)
            while not stop.wait(0.02) and client.recv(1):
                seen.slow["bytes read slowly"] += 1


def sending_slowly(port: int, seen: Seen, stop: threading.Event) -> None:
    """Sends a byte a second of requests that would take hours; counts how often it is sent away."""
    while not stop.is_set():
        with socket.create_connection(("127.0.0.1", port)) as client, contextlib.suppress(OSError):
            client.sendall(b"POST /ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n")
            while not stop.wait(1.0):
                client.sendall(b" ")
        seen.slow["slow requests closed"] += 1


def measure(port: int, process: int, clients: int, seconds: float) -> dict[str, Any]:
    questions = [row["question"] for row in read_jsonl(DEMO / "questions.jsonl")]
    with ThreadPoolExecutor(8) as pool:  # every thread of the server has its own connection and cache
        list(pool.map(lambda question: ask(connect(port), question), questions * WARM_UP))
    one, alone = connect(port), []
    for question in questions:
        started = time.perf_counter()
        ask(one, question)
        alone.append(1000 * (time.perf_counter() - started))
    seen, stop = Seen(time.perf_counter()), threading.Event()
    jobs = [threading.Thread(target=asking, args=(port, questions, seen, stop, i)) for i in range(clients)]
    jobs.append(threading.Thread(target=probing, args=(port, seen, stop)))
    memory = [resident_mb(process)]
    for job in jobs:
        job.start()
    for half in range(2):
        if half:
            slow = [(reading_slowly, (port, questions[15], seen, stop)), (sending_slowly, (port, seen, stop))]
            jobs += [threading.Thread(target=target, args=given) for target, given in slow]
            for job in jobs[-2:]:
                job.start()
        for _ in range(5):
            time.sleep(seconds / 10)
            memory.append(resident_mb(process))
    stop.set()
    for job in jobs:
        job.join()
    return figures(seen, alone, memory, seconds)


def figures(seen: Seen, alone: list[float], memory: list[float], seconds: float) -> dict[str, Any]:
    halves = [[took for at, took in seen.took if (at > seconds / 2) == later] for later in (False, True)]
    return {
        "questions": len(seen.took),
        "per_second": round(len(seen.took) / seconds, 1),
        "statuses": dict(seen.statuses),
        "one_client_ms": percentiles(alone),
        "first_half_ms": percentiles(halves[0]),
        "with_slow_clients_ms": percentiles(halves[1]),
        "healthz_ms": percentiles(seen.health),
        "slow_clients": dict(seen.slow),
        "rss_mb": {"before": memory[0], "middle": memory[5], "after": memory[-1], "most": float(np.max(memory))},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "demo.kg"
        with KnowledgeGraph.open(folder) as kg:
            kg.ingest([str(DEMO / "documents")])
        with serving(folder) as (port, process):
            found = measure(port, process, options.clients, options.seconds)
    rows = [(name, *found[name].values()) for name in ("one_client_ms", "first_half_ms", "with_slow_clients_ms", "healthz_ms")]
    print_table(("", "p50 ms", "p95 ms"), rows)
    print_result({"benchmark": "serve", "clients": options.clients, "seconds": options.seconds, "commit": commit(), **found})


if __name__ == "__main__":
    main()
