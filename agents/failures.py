"""Experts that fail: each is warned of once and left aside, so that a question is answered by what is left."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Failures:
    """What failed, by name, and why.

    >>> import warnings
    >>> failures = Failures()
    >>> with warnings.catch_warnings(record=True) as told:
    ...     print(failures.ask("memory", lambda: 1 // 0), failures.ask("memory", lambda: 1), len(told))
    None None 1
    """

    reasons: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, call: Callable[[], T | None]) -> T | None:
        """What an expert gives; None where it fails now or has failed before, and then it is not called.

        Args:
            name: of the expert, as people know it.
            call: loads or asks it.
        """
        if name in self.reasons:
            return None
        try:
            return call()
        except Exception as error:  # a model or its files may raise anything; the question must still be answered
            self.reasons[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            warnings.warn(f"the {name} is left aside: {self.reasons[name]}", stacklevel=2)
            return None


__all__ = ["Failures"]
