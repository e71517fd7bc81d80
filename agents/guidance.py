"""Guidance: rules that a graph holds as ordinary facts, each with the words of the text that gives it.

A *state* (a finding, a cause, a condition, an age group) is read from a *measure* between bounds, or stated in a profile, or
indicated by another state; *actions* are what a state calls for. Their relations:

    state    is read from       measure
    state    lies below | above | at or below | at or above   value
    state    applies to         state (any of)
    state    calls for          action
    state    calls first for    action (before anything else)
    state    calls only for     action (everything else is put off)
    state    advises against    action
    state    indicates          state
    state    may be caused by   state
    state    is graded          high | moderate | low severity
    action   rests on           strong | moderate | weak evidence
    action   is unsuitable with state
    action   applies to         state (any of)
    measure  is given in        unit
    measure  cannot be below | above   value
    any      concerns           topic

What they are about, sleep or pumps, stands in the graph alone; `agents.advice` carries them out.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ..kg.errors import InputError, ProfileError, UnknownRelationError
from ..kg.model import Entity, Node, Triple, normalize
from .quantities import Quantity

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

READ_FROM, APPLIES_TO, INDICATES, CAUSED_BY = "is read from", "applies to", "indicates", "may be caused by"
CALLS_FOR, CALLS_FIRST_FOR, CALLS_ONLY_FOR = "calls for", "calls first for", "calls only for"
CALLS = (CALLS_FOR, CALLS_FIRST_FOR, CALLS_ONLY_FOR)
AGAINST, UNSUITABLE = "advises against", "is unsuitable with"
SEVERITY, EVIDENCE, UNIT, CONCERNS = "is graded", "rests on", "is given in", "concerns"
LEAST, MOST = "cannot be below", "cannot be above"
BOUNDS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "lies below": operator.lt,
    "lies above": operator.gt,
    "lies at or below": operator.le,
    "lies at or above": operator.ge,
}
RELATIONS = (
    READ_FROM, APPLIES_TO, INDICATES, CAUSED_BY, *CALLS, AGAINST, UNSUITABLE, SEVERITY, EVIDENCE, UNIT, CONCERNS,
    LEAST, MOST, *BOUNDS,
)  # fmt: skip
_RANKS = {"high": 3, "strong": 3, "moderate": 2, "low": 1, "weak": 1}


class Guidance:
    """The rules of a graph, read once.

    Args:
        kg: the graph.
        day: only rules that hold on this day.

    Raises:
        InputError: the graph calls for nothing, or a state is read from two measures or without a bound.
    """

    def __init__(self, kg: KnowledgeGraph, day: date | None = None) -> None:
        self._kg = kg
        self._from: dict[tuple[str, str], list[Triple]] = defaultdict(list)
        self._to: dict[tuple[str, str], list[Triple]] = defaultdict(list)
        self.nodes: dict[str, Entity] = {}
        for relation in RELATIONS:
            for triple in self._held(relation, day):
                self._from[relation, triple.subject.id].append(triple)
                self._to[relation, triple.object.id].append(triple)
                for node in (triple.subject, triple.object):
                    if isinstance(node, Entity):
                        self.nodes[node.id] = node
        if not self.subjects(*CALLS):
            raise InputError(f"the graph holds no guidance: nothing in it {CALLS_FOR!r} anything")
        for state in self.subjects(READ_FROM):
            if len(self.of(state, READ_FROM)) > 1:
                raise InputError(f"{state.label!r} is read from two measures; state each by itself, and what both indicate")
            if not self.of(state, *BOUNDS):
                raise InputError(f"{state.label!r} is read from a measure, but no bound is given: {', '.join(BOUNDS)}")

    def _held(self, relation: str, day: date | None) -> list[Triple]:
        try:
            found = self._kg.triples(relation=relation, valid_at=day, evidence_only=True)
            return sorted(found, key=lambda t: (t.subject.label, t.object.label, t.id))
        except UnknownRelationError:
            return []

    # ---- look-ups

    def find(self, name: str) -> Entity | None:
        """What a name or alias means among the things the rules are about."""
        nodes = self._kg.store.nodes(self._kg.store.alias_rows(normalize(name)))
        return next((self.nodes[node.id] for node in nodes if node.id in self.nodes), None)

    def of(self, node: Node, *relations: str) -> list[Triple]:
        """Facts with these relations whose subject is the node."""
        return [triple for relation in relations for triple in self._from.get((relation, node.id), ())]

    def into(self, node: Node, *relations: str) -> list[Triple]:
        """Facts with these relations whose object is the node."""
        return [triple for relation in relations for triple in self._to.get((relation, node.id), ())]

    def subjects(self, *relations: str) -> list[Entity]:
        """What stands before these relations, by name."""
        return self._named({at for relation, at in self._from if relation in relations})

    def objects(self, *relations: str) -> list[Entity]:
        """What stands behind them, by name; values are left out."""
        return self._named({at for relation, at in self._to if relation in relations})

    def _named(self, ids: set[str]) -> list[Entity]:
        return sorted((self.nodes[at] for at in ids if at in self.nodes), key=lambda node: (node.label, node.id))

    @property
    def measures(self) -> list[Entity]:
        return self.objects(READ_FROM)

    @property
    def actions(self) -> list[Entity]:
        return self.objects(*CALLS, AGAINST)

    @property
    def states(self) -> list[Entity]:
        """Whatever can hold of a profile."""
        actions = {action.id for action in self.actions}
        behind = (INDICATES, CAUSED_BY, APPLIES_TO, UNSUITABLE)
        before = (READ_FROM, INDICATES, CAUSED_BY, *CALLS, AGAINST, SEVERITY)
        found = {node.id for node in (*self.objects(*behind), *self.subjects(*before))}
        return self._named(found - actions)

    @property
    def things(self) -> list[Entity]:
        """What people ask about: topics, measures, states, actions; units and grades are none."""
        return [*self.objects(CONCERNS), *self.measures, *self.states, *self.actions]

    def rank(self, node: Node, relation: str) -> tuple[int, list[Triple]]:
        """Severity or evidence from 3 (high) to 1, and the fact that says so; 0 where none does."""
        found = [(_RANKS.get(triple.object.label.split()[0].lower(), 0), triple) for triple in self.of(node, relation)]
        best = max((rank for rank, _ in found), default=0)
        return best, [triple for rank, triple in found if rank == best][:1]

    def bounds(self, state: Entity) -> Iterator[tuple[Triple, Callable[[Decimal, Decimal], bool], Quantity]]:
        """The bounds between which a state is read, with the fact that gives each."""
        for label, holds in BOUNDS.items():
            for triple in self.of(state, label):
                yield triple, holds, Quantity.read(triple.object.label)

    # ---- a value

    def unit(self, measure: Entity) -> str:
        """The unit a measure is given in: as stated, else that of its first bound; "" for none."""
        stated = [triple.object.label for triple in self.of(measure, UNIT)]
        readers = (self.nodes[triple.subject.id] for triple in self.into(measure, READ_FROM))
        return next(iter(stated), "") or next((limit.unit for state in readers for _, _, limit in self.bounds(state)), "")

    def quantity(self, measure: Entity, value: str, who: str) -> Quantity:
        """A measured value in the unit of its measure.

        Raises:
            ProfileError: no number, another unit, or a value that cannot be.
        """
        try:
            found = Quantity.read(value).to(self.unit(measure))
        except InputError as error:
            raise ProfileError(f"{who}: {measure.label} {value!r}: {error}") from None
        for label, within, side in ((LEAST, operator.ge, "below"), (MOST, operator.le, "above")):
            for triple in self.of(measure, label):
                limit = Quantity.read(triple.object.label)
                if not within(found.number, limit.to(found.unit).number):
                    raise ProfileError(f"{who}: {measure.label} {value!r} is {side} {limit}, which cannot be")
        return found


__all__ = ["Guidance"]
