"""Experts kept in memory: which is likely to be asked next is loaded beforehand, and the least likely makes room.

After EdgeMoE (Yi et al. 2023, arXiv 2308.14352): a table says which expert follows the last two. Loading an adapter takes
seconds on a laptop, so what is loaded while another one works costs nobody a wait, though it costs loads; `Stats` counts both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ...kg.errors import HoptraceError, InputError

T = TypeVar("T")
_DECAY = 0.95  # of how often an expert was asked, per request
_SURE = 4.0  # weight of the pair (two steps) against the last expert alone, per time that the pair was seen
_AHEAD = 0.3  # chance from which an expert is loaded beforehand; with .05, 43 % more loads bring .6 points more hits


class NextExpert:
    """Counts of which expert followed which pair, and which single one; learns from every session it is shown."""

    def __init__(self) -> None:
        self._after: dict[tuple[str, ...], Counter[str]] = {}

    def learn(self, session: Sequence[str]) -> None:
        """Count the steps of one session, the experts it asked in order."""
        for at, name in enumerate(session):
            self.step(session[max(0, at - 2) : at], name)

    def step(self, history: Sequence[str], name: str) -> None:
        """Count one step: `name` was asked after `history`."""
        for length in range(min(2, len(history)) + 1):
            key = tuple(history[len(history) - length :])
            self._after.setdefault(key, Counter())[name] += 1

    def chances(self, history: Sequence[str]) -> dict[str, float]:
        """Chance of each expert to be asked next: the pair as far as it was seen, then the last one, then all."""
        mixed: dict[str, float] = {}
        for length in range(min(2, len(history)) + 1):
            seen = self._after.get(tuple(history[len(history) - length :]), Counter())
            total = seen.total()
            share = _SURE * total / (_SURE * total + 1) if mixed else 1.0
            mixed = {name: (1 - share) * chance for name, chance in mixed.items()}
            for name, count in seen.items():
                mixed[name] = mixed.get(name, 0.0) + share * count / total
        return mixed


@dataclass(frozen=True, slots=True)
class Stats:
    """What a cache did so far.

    Attributes:
        requests: experts asked for.
        hits: of them, those that were in memory.
        loads: experts loaded, asked for or beforehand.
        evictions: experts that made room.
        failed: names that could not be loaded beforehand.
    """

    requests: int = 0
    hits: int = 0
    loads: int = 0
    evictions: int = 0
    failed: tuple[str, ...] = ()


class ExpertCache(Generic[T]):
    """At most `capacity` experts in memory.

    >>> cache = ExpertCache(str.upper, capacity=2)
    >>> [cache.get(name) for name in ("law", "law", "sport")], cache.stats.hits
    (['LAW', 'LAW', 'SPORT'], 1)

    Args:
        load: gives an expert by name; raises a HoptraceError where its file is missing or broken.
        capacity: experts that fit into memory.
        table: what is known of earlier sessions; goes on learning here.
        ahead: how many experts `prefetch` may load.
    """

    def __init__(self, load: Callable[[str], T], capacity: int, table: NextExpert | None = None, ahead: int = 2) -> None:
        if capacity < 1:
            raise InputError(f"capacity={capacity}: a cache holds at least one expert")
        self._load, self._capacity, self._ahead = load, capacity, ahead
        self._table = table or NextExpert()
        self._held: dict[str, T] = {}
        self._often: dict[str, float] = {}
        self._pins: Counter[str] = Counter()
        self._history: tuple[str, ...] = ()
        self.stats = Stats()

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __len__(self) -> int:
        return len(self._held)

    def get(self, name: str) -> T:
        """The expert, loaded where it is not in memory.

        Raises:
            HoptraceError: it cannot be loaded; nothing was evicted for it, and it is not counted as asked.
            InputError: everything in memory is pinned or in use.
        """
        hit, now = name in self._held, (*self._history, name)[-2:]
        if not hit:
            self._bring(name, set(), now)
        self.stats = replace(self.stats, requests=self.stats.requests + 1, hits=self.stats.hits + hit)
        self._often = {key: _DECAY * value for key, value in self._often.items()}
        self._often[name] = self._often.get(name, 0.0) + 1
        self._table.step(self._history, name)
        self._history = now
        return self._held[name]

    def prefetch(self) -> tuple[str, ...]:
        """Load the experts most likely to be asked next; those loaded. Call it while the last one works: it is not evicted.

        One that cannot be loaded is passed over and named in `stats.failed`.
        """
        chances = self._table.chances(self._history)
        likely = sorted((name for name, chance in chances.items() if chance >= _AHEAD), key=lambda name: (-chances[name], name))
        wanted, loaded = likely[: min(self._ahead, self._capacity - 1)], []
        keep = {*wanted, *self._history[-1:]}
        for name in wanted:
            if name in self._held or name in self.stats.failed:
                continue
            if len(self._held) >= self._capacity and not self._free(keep):
                break
            try:
                self._bring(name, keep, self._history)
            except HoptraceError:
                self.stats = replace(self.stats, failed=(*self.stats.failed, name))
            else:
                loaded.append(name)
        return tuple(loaded)

    @contextmanager
    def use(self, name: str) -> Iterator[T]:
        """The expert of `get`, which stays in memory until the block is left."""
        expert = self.get(name)
        self.pin(name)
        try:
            yield expert
        finally:
            self.unpin(name)

    def pin(self, name: str) -> None:
        """Keep an expert in memory until it is unpinned as often as it was pinned; it is loaded if need be.

        Raises:
            HoptraceError: as `get`.
        """
        if name not in self._held:
            self._bring(name, set(), self._history)
        self._pins[name] += 1

    def unpin(self, name: str) -> None:
        """Take back one `pin`."""
        self._pins[name] -= 1
        self._pins += Counter()

    def new_session(self) -> None:
        """Forget what the session asked last; what is in memory and what was learned stays."""
        self._history = ()

    def _free(self, keep: set[str]) -> list[str]:
        return [name for name in self._held if name not in self._pins and name not in keep]

    def _bring(self, name: str, keep: set[str], history: Sequence[str]) -> None:
        """Load an expert, and let the one make room that is least likely to be asked next and was asked least of late."""
        full = len(self._held) >= self._capacity
        if full and not self._free(keep):
            raise InputError(f"all {self._capacity} experts in memory are pinned or in use")
        expert = self._load(name)
        if full:
            chances, total = self._table.chances(history), sum(self._often.values()) or 1.0
            del self._held[min(self._free(keep), key=lambda one: (chances.get(one, 0) + self._often.get(one, 0) / total, one))]
        self._held[name] = expert
        self.stats = replace(self.stats, loads=self.stats.loads + 1, evictions=self.stats.evictions + full)


__all__ = ["ExpertCache", "NextExpert", "Stats"]
