"""What the parts of `benchmarks/experts.py` share."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One figure of the specification."""

    what: str
    got: str
    asked: str
    met: bool
