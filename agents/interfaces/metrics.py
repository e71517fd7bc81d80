"""What a namespace counts, in Prometheus's text format. No text of a question or document is ever a label."""

from __future__ import annotations

import bisect
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)  # seconds


class Metrics:
    """Counters of one namespace; any thread may add to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._questions: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[str] = Counter()
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._in_flight = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """A command is being run."""
        with self._lock:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def served(self, path: str, status: int) -> None:
        """A request was answered; `path` is its route's, not the client's."""
        with self._lock:
            self._requests[path, str(status)] += 1

    def failed(self, kind: str) -> None:
        """An error was told; `kind` is its class."""
        with self._lock:
            self._errors[kind] += 1

    def answered(self, record: Mapping[str, Any], seconds: float) -> None:
        """A question was answered in so many seconds."""
        with self._lock:
            self._questions[record["status"], record["route"]["action"]] += 1
            self._buckets[bisect.bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds

    def text(self) -> str:
        with self._lock:
            return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield from _counter("hoptrace_questions_total", "Questions answered.", ("status", "route"), self._questions.items())
        yield from _counter("hoptrace_requests_total", "Requests answered.", ("path", "code"), self._requests.items())
        errors = [((kind,), count) for kind, count in self._errors.items()]
        yield from _counter("hoptrace_errors_total", "Errors told to clients.", ("kind",), errors)
        yield from _head("hoptrace_in_flight", "Commands being run.", "gauge")
        yield f"hoptrace_in_flight {self._in_flight}"
        name, total = "hoptrace_question_seconds", 0
        yield from _head(name, "Seconds from the start of a question to its answer.", "histogram")
        for edge, count in zip((*map(str, BUCKETS), "+Inf"), self._buckets):
            total += count
            yield f'{name}_bucket{{le="{edge}"}} {total}'
        yield f"{name}_sum {self._seconds:.6f}"
        yield f"{name}_count {total}"


def _head(name: str, help: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _counter(name: str, help: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str, ...], int]]) -> Iterator[str]:
    yield from _head(name, help, "counter")
    for values, count in sorted(counts):
        said = ",".join(f'{label}="{value}"' for label, value in zip(labels, values))
        yield f"{name}{{{said}}} {count}"
