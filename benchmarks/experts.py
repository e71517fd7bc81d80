"""The pool of experts, piece by piece: `python benchmarks/experts.py [PART ...]`, each part alone where the machine is busy.

`select`: a planted bank (4 skills, clones, parrots, guessers), distinct skills among 4 chosen, 300 seeds. `cache`: sessions over
16 experts, share of requests answered from memory and loads per request. `prune`: a tiny mixture of experts, accuracy per domain
with a share of its experts. `capacity`: bits that a tiny model holds, predicted for a size that was not measured, and what is
worth holding. `loramoe`: a skill learned by one adapter or by four routed ones, and the facts left. `fuse`, `split`, `kasa`: what
two fused adapters lose, what half of the slices lose, what KaSA gains. `cards`: false sentences found, and words cut.

Every row is one figure of the specification: what was measured, what had to be, and whether it is.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from common import commit, peak_mb, print_result, print_table
from experts_common import Check

PARTS = {
    "select": "experts_pool", "cache": "experts_pool", "prune": "experts_moe", "capacity": "experts_capacity",
    "loramoe": "experts_loramoe", "fuse": "experts_adapters", "split": "experts_adapters", "kasa": "experts_adapters",
    "cards": "experts_cards",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all where none is named")
    names = parser.parse_args().parts or list(PARTS)
    if unknown := sorted({*names} - {*PARTS}):
        parser.error(f"no part {unknown[0]!r}; accepted: {', '.join(PARTS)}")
    rows: list[list[object]] = []
    result: dict[str, Any] = {"benchmark": "experts", "parts": {}}
    for name in names:
        began = time.process_time()
        run: Callable[[], tuple[list[Check], dict[str, Any]]] = getattr(import_module(PARTS[name]), name)
        checks, figures = run()
        rows += [[name, check.what, check.got, check.asked, "yes" if check.met else "NO"] for check in checks]
        met = {check.what: check.met for check in checks}
        result["parts"][name] = figures | {"met": met, "cpu_s": round(time.process_time() - began, 1)}
    print_table(["part", "figure", "measured", "asked", "met"], rows)
    print_result(result | {"peak_mb": peak_mb(), "commit": commit()})


if __name__ == "__main__":
    main()
