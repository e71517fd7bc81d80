"""What the benchmarks share: reading a data set, measuring, and one JSON line at the end of stdout."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hoptrace.retrieval.metrics import bootstrap_ci

ROOT = Path(__file__).resolve().parents[1]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Objects of a JSON Lines file; leaves the program with one line when it is not there."""
    if not path.is_file():
        sys.exit(f"no such file: {path}")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def supporting_pids(question: dict[str, Any]) -> list[str]:
    """Ids of the gold passages: `supporting_pids`, or the passages of `supporting_facts` (HotpotQA)."""
    if "supporting_pids" in question:
        return list(question["supporting_pids"])
    return list(dict.fromkeys(fact["pid"] for fact in question.get("supporting_facts", [])))


def passages_only(dataset: Path, folder: Path, keep: set[str], others: int | None) -> Path:
    """The passages of a data set alone, without triples: those of `keep`, and the first `others` of the rest (None: all)."""
    passages = read_jsonl(dataset / "passages.jsonl")
    rest = [str(passage["pid"]) for passage in passages if str(passage["pid"]) not in keep]
    wanted = keep.union(rest[:others])
    lines = [json.dumps(passage, ensure_ascii=False) for passage in passages if str(passage["pid"]) in wanted]
    made = folder / dataset.resolve().name
    made.mkdir()
    (made / "passages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def with_interval(name: str, values: Sequence[float]) -> dict[str, Any]:
    """`{name: mean, name_ci95: [low, high]}`."""
    low, high = bootstrap_ci(values)
    return {name: round(float(np.mean(values)), 4), f"{name}_ci95": [round(low, 4), round(high, 4)]}


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """`{"p50", "p95"}` of per-question times."""
    return {f"p{q}": round(float(np.percentile(milliseconds, q)), 2) for q in (50, 95)}


def peak_mb() -> float:
    """Highest resident memory of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def commit() -> str:
    """Short hash of the checked-out commit, with `+` when files differ from it; empty outside a checkout."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]))


def print_result(result: dict[str, Any]) -> None:
    """The last line of stdout: one JSON object."""
    print(json.dumps(result, ensure_ascii=False))
