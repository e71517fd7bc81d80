"""Named moments of a graph, and what was stated and withdrawn between two of them.

    checkpoint(kg, "before")
    kg.add("Norland", "capital", "Eskmouth")
    difference(kg, "before", "now").added

A moment is a ledger number; a checkpoint is a name for one. Between two moments the graph tells what it held at each, from its
history; what was erased since is nowhere any more, not even here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError
from .model import Triple

if TYPE_CHECKING:
    from .graph import KnowledgeGraph

_PREFIX = "checkpoint:"
NOW = "now"


@dataclass(frozen=True, slots=True)
class Difference:
    """Evidence that the graph held at ledger number `last` and not at `first`, and the other way round."""

    first: int
    last: int
    added: tuple[Triple, ...]
    removed: tuple[Triple, ...]


def checkpoint(kg: KnowledgeGraph, name: str) -> int:
    """Name the present ledger number, in place of what had this name before; returns the number.

    Raises:
        InputError: the name is empty, a number, or "now".
    """
    name = name.strip()
    if not name or name == NOW or re.fullmatch(r"\d+", name):
        raise InputError(f"a checkpoint needs a name that is no number and not {NOW!r}, not {name!r}")
    with kg.store.writing() as writer:
        seq = kg.store.seq
        writer.set_meta(_PREFIX + name, str(seq))
    return seq


def checkpoints(kg: KnowledgeGraph) -> dict[str, int]:
    """Names and ledger numbers."""
    return {key.removeprefix(_PREFIX): int(seq) for key, seq in kg.store.meta(_PREFIX).items()}


def moment(kg: KnowledgeGraph, named: str) -> int:
    """The ledger number that a number, a checkpoint's name or "now" stands for.

    Raises:
        InputError: there is none; names the checkpoints.
    """
    known = {**checkpoints(kg), NOW: kg.store.seq}
    if re.fullmatch(r"\d+", named) and int(named) <= kg.store.seq:
        return int(named)
    if named not in known:
        raise InputError(f"no checkpoint or ledger number {named!r}; there are {', '.join(known)} and 0 to {kg.store.seq}")
    return known[named]


def difference(kg: KnowledgeGraph, first: str, last: str = NOW) -> Difference:
    """What changed between two moments; the whole graph is looked at, about a second for a million facts.

    Raises:
        InputError: as for `moment`.
    """
    one, two = moment(kg, first), moment(kg, last)
    before, after = _held(kg, one), _held(kg, two)
    added = kg.store.triples_at(np.setdiff1d(after, before))
    removed = kg.store.triples_at(np.setdiff1d(before, after))
    return Difference(one, two, tuple(added), tuple(removed))


def _held(kg: KnowledgeGraph, seq: int) -> np.ndarray:
    """Rows of the evidence that the graph held at a ledger number, int64 [n]."""
    if seq == kg.store.seq:
        return kg.store.edges().triple
    at = [entry.at for entry in kg.store.ledger(kg.store.seq - seq + 1) if entry.seq <= seq]
    return kg.store.edges(known_at=max(at)).triple if at else np.zeros(0, np.int64)


__all__ = ["NOW", "Difference", "checkpoint", "checkpoints", "difference", "moment"]
