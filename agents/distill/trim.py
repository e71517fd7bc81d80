"""Rationales that are much longer than others of their kind, cut (DOT, anti-length shift, Wu et al. 2025).

Only a group in which every attempt is right is touched: where some fail, length may be what it takes. The cut-off is the mean
length plus `alpha` sample standard deviations; what is cut must stand up to its check again, or it counts as wrong.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """One rationale: what it is about, its steps, and whether it was found right."""

    about: T
    steps: tuple[int, ...]
    right: bool = True


def trim_outliers(
    groups: Sequence[Sequence[Attempt[T]]],
    check: Callable[[Attempt[T]], bool],
    *,
    alpha: float = 3.0,
    margin: int = 32,
) -> list[list[Attempt[T]]]:
    """The groups with outliers cut to floor(mean + alpha * std) steps.

    Args:
        groups: attempts at the same thing.
        check: whether a cut attempt is still right.
        alpha: standard deviations above the mean that are let pass.
        margin: fewest steps above the cut-off for which an attempt is cut.
    """
    return [[_cut(attempt, limit, margin, check) for attempt in group] for group in groups for limit in [cutoff(group, alpha)]]


def cutoff(group: Sequence[Attempt[T]], alpha: float) -> float:
    """Most steps that attempts of a group may have; no limit where one of them failed or there are fewer than two."""
    lengths = [len(attempt.steps) for attempt in group]
    if len(lengths) < 2 or not all(attempt.right for attempt in group):
        return math.inf
    return math.floor(statistics.fmean(lengths) + alpha * statistics.stdev(lengths))


def _cut(attempt: Attempt[T], limit: float, margin: int, check: Callable[[Attempt[T]], bool]) -> Attempt[T]:
    if len(attempt.steps) - limit < margin:
        return attempt
    shorter = replace(attempt, steps=attempt.steps[: int(limit)])
    return replace(shorter, right=check(shorter))


__all__ = ["Attempt", "cutoff", "trim_outliers"]
