"""From a profile to what is called for: measurements, findings, causes, actions, each step a fact with its characters.

`assess` says which states hold of a profile (a fixpoint over the rules of `agents.guidance`), which were read and do not
hold, and which could not be read; `Assessment.recommend` follows them to actions, takes out those that a state of the
profile makes unsuitable, and orders the rest: urgent first, then by severity, evidence and name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ..kg.model import Entity, Hop, Path, Relation, Span, Status, Triple, stable_id
from .compose import Reason, reasons_of
from .guidance import (
    AGAINST,
    APPLIES_TO,
    CALLS,
    CALLS_FOR,
    CALLS_ONLY_FOR,
    CAUSED_BY,
    EVIDENCE,
    INDICATES,
    READ_FROM,
    SEVERITY,
    UNSUITABLE,
    Guidance,
)  # fmt: skip
from .profiles import Profile, Statement
from .quantities import Quantity

_SAYS = {"lies below": "below", "lies above": "above", "lies at or below": "at or below", "lies at or above": "at or above"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A state that holds: the hops that lead to it from the profile, and every statement it rests on."""

    state: Entity
    hops: tuple[Hop, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A measured state compared with its bounds. `met`: the value lies between them, whoever they apply to."""

    state: Entity
    measure: Entity
    met: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """One way from the profile to an action. `severity` is that of the gravest state on the way."""

    state: Entity
    path: Path
    reasons: tuple[Reason, ...]
    severity: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An action that is called for.

    Attributes:
        action: what to do.
        supports: the ways to it, the gravest first.
        urgent: it comes before anything else.
        alone: everything that is not urgent is put off.
        evidence: 3 strong to 1 weak, 0 unknown.
        reasons: whom it applies to, how strong the evidence is, and with what the action would be unsuitable.
        against: ways to states that advise against it: guidelines disagree.
        barred: what makes it unsuitable here: it is left out.
        outside: the groups it applies to, when none of them holds here: it is meant for others.
    """

    action: Entity
    supports: tuple[Support, ...]
    urgent: bool
    alone: bool
    evidence: int
    reasons: tuple[Reason, ...]
    against: tuple[Support, ...] = ()
    barred: tuple[Support, ...] = ()
    outside: tuple[Triple, ...] = ()

    @property
    def severity(self) -> int:
        return self.supports[0].severity

    @property
    def order(self) -> tuple[bool, int, int, str]:
        return (not self.urgent, -self.severity, -self.evidence, self.action.label)


class Advice(NamedTuple):
    """Actions in order: to take, left out as unsuitable, put off because another comes alone, and meant for others."""

    kept: list[Recommendation]
    barred: list[Recommendation]
    put_off: list[Recommendation]
    outside: list[Recommendation]


class Assessment:
    """What the rules say of a profile.

    Attributes:
        held: the states that hold, by id.
        unknown: statements of the profile that the rules know nothing of.

    Args:
        guidance: the rules.
        profile: whom they are applied to.
        day: statements made later are left aside.

    Raises:
        ProfileError: a value in another unit, or one that cannot be.
    """

    def __init__(self, guidance: Guidance, profile: Profile, day: date | None = None) -> None:
        self.guidance, self.profile = guidance, profile
        self.subject = Entity(stable_id("e", f"profile {profile.id}"), profile.id, "profile")
        self.readings: dict[str, tuple[Statement, Quantity]] = {}
        self.stated: dict[str, Statement] = {}
        self.denied: set[str] = set()
        self.unknown: list[Statement] = []
        measures, states = ({node.id for node in nodes} for nodes in (guidance.measures, guidance.states))
        for said in profile.current(day):
            node = guidance.find(said.name)
            if node is None or node.id not in (measures if said.value else states):
                self.unknown.append(said)
            elif said.value:
                self.readings[node.id] = said, guidance.quantity(node, said.value, profile.id)
            elif said.stands:
                self.stated[node.id] = said
            else:
                self.denied.add(node.id)
        self.held: dict[str, Finding] = {}
        self._settle()

    # ---- which states hold

    def _settle(self) -> None:
        """Derive states until nothing new holds. Rules only add, so the order does not matter and an end is reached."""
        open_states, more = [state for state in self.guidance.states if state.id not in self.denied], True
        while more:
            found = [finding for state in open_states if (finding := self._derive(state))]
            self.held |= {finding.state.id: finding for finding in found}
            open_states, more = [state for state in open_states if state.id not in self.held], bool(found)

    def _derive(self, state: Entity) -> Finding | None:
        if said := self.stated.get(state.id):
            hop = self._hop("has", state, said.span)
            return Finding(state, (hop,), reasons_of([Path((hop,))]))
        check, groups = self.check(state), self.guidance.of(state, APPLIES_TO)
        group = next((triple for triple in groups if triple.object.id in self.held), None)
        if check and check.met and (group or not groups):
            hops = self._read(state)
            scope = (*reasons_of([Path((Hop(group),))]), *self.held[group.object.id].reasons) if group else ()
            return Finding(state, hops, _distinct(check.reasons, scope))
        for triple in self.guidance.into(state, INDICATES):
            if before := self.held.get(triple.subject.id):
                hops = (*before.hops, Hop(triple))
                return Finding(state, hops, _distinct(before.reasons, reasons_of([Path((Hop(triple),))])))
        return None

    def check(self, state: Entity) -> Check | None:
        """A measured state against its bounds; None when it is not measured here."""
        read = self.guidance.of(state, READ_FROM)
        if not read or read[0].object.id not in self.readings:
            return None
        measure = self.guidance.nodes[read[0].object.id]
        said, value = self.readings[measure.id]
        reasons, met = [*reasons_of([Path(self._read(state))])], True
        for triple, holds, limit in self.guidance.bounds(state):
            within = holds(value.number, limit.to(value.unit).number)
            met = met and within
            text = f"{measure.label} {value} is {'' if within else 'not '}{_SAYS[triple.relation.label]} {limit}"
            reasons.append(Reason(text, (said.span, *reasons_of([Path((Hop(triple),))])[0].spans)))
        return Check(state, measure, met, tuple(reasons))

    def _read(self, state: Entity) -> tuple[Hop, ...]:
        [read] = self.guidance.of(state, READ_FROM)
        measure = self.guidance.nodes[read.object.id]
        return self._hop("reports", measure, self.readings[measure.id][0].span), Hop(read, -1)

    def _hop(self, relation: str, node: Entity, span: Span) -> Hop:
        """A statement of the profile as a fact."""
        key = stable_id("t", self.subject.id, relation, node.id)
        return Hop(Triple(key, self.subject, Relation(stable_id("r", relation), relation), node, (span,), Status.GROUNDED))

    # ---- what could not be read

    def missing(self, state: Entity, seen: frozenset[str] = frozenset()) -> tuple[Triple, ...]:
        """The facts that name measures without which it cannot be said whether a state holds."""
        if state.id in self.held or state.id in seen:
            return ()
        seen |= {state.id}
        found: list[Triple] = []
        if read := self.guidance.of(state, READ_FROM):
            check, scope = self.check(state), self._scope(state, seen)
            if scope is not None and (check is None or check.met):
                found += scope if check else [*read, *scope]
        for triple in self.guidance.into(state, INDICATES):
            found += self.missing(triple.subject, seen)
        return tuple({triple.id: triple for triple in found}.values())

    def _scope(self, state: Entity, seen: frozenset[str]) -> tuple[Triple, ...] | None:
        """What is missing to know whether a state applies; None when it is known not to."""
        groups = [self.guidance.nodes[triple.object.id] for triple in self.guidance.of(state, APPLIES_TO)]
        if not groups or any(group.id in self.held for group in groups):
            return ()
        return tuple(triple for group in groups for triple in self.missing(group, seen)) or None

    @property
    def gaps(self) -> dict[str, list[Triple]]:
        """By name of a measure that the profile lacks, the facts that ask for it."""
        gaps: dict[str, list[Triple]] = {}
        for state in self.guidance.subjects(READ_FROM):
            for triple in self.missing(state):
                known = gaps.setdefault(triple.object.label, [])
                known += [] if triple in known else [triple]
        return dict(sorted(gaps.items()))

    def disputes(self) -> Iterator[tuple[Entity, tuple[Check, ...], tuple[Check, ...]]]:
        """States for which one bound on a measure is met and another is not: (state, met, not met)."""
        for state in self.guidance.states:
            checks = [self.check(self.guidance.nodes[triple.subject.id]) for triple in self.guidance.into(state, INDICATES)]
            known = [check for check in checks if check and self.applies(check.state)]
            met, unmet = tuple(c for c in known if c.met), [c for c in known if not c.met]
            rivals = tuple(c for c in unmet if c.measure.id in {m.measure.id for m in met})
            if rivals:
                yield state, met, rivals

    def applies(self, node: Entity) -> bool:
        groups = self.guidance.of(node, APPLIES_TO)
        return not groups or any(triple.object.id in self.held for triple in groups)

    # ---- what is called for

    def recommend(self) -> Advice:
        """What is called for, each action once."""
        every = [made for action in self.guidance.actions if (made := self._recommendation(action))]
        every.sort(key=lambda made: made.order)
        inside = [made for made in every if not made.outside]
        fit, barred = [made for made in inside if not made.barred], [made for made in inside if made.barred]
        alone = any(made.alone for made in fit)
        kept = [made for made in fit if made.urgent or not alone]
        return Advice(kept, barred, [made for made in fit if made not in kept], [made for made in every if made.outside])

    def _recommendation(self, action: Entity) -> Recommendation | None:
        calls = self.guidance.into(action, *CALLS)
        every = [way for call in calls for way in self._ways(call)]
        supports = sorted(every, key=lambda way: (-way.severity, -len(way.path.hops)))
        if not supports:
            return None
        evidence, rests = self.guidance.rank(action, EVIDENCE)
        unsuitable = self.guidance.of(action, UNSUITABLE)
        barring = [triple for triple in unsuitable if triple.object.id in self.held]
        scope = self.guidance.of(action, APPLIES_TO)
        inside = [triple for triple in scope if triple.object.id in self.held]
        mind = [Path((Hop(triple),)) for triple in (*inside, *rests, *unsuitable) if triple not in barring]
        ways = {call.relation.label for call in calls if call.subject.id in self.held}
        return Recommendation(
            action,
            tuple(supports),
            urgent=bool(ways - {CALLS_FOR}),
            alone=CALLS_ONLY_FOR in ways,
            evidence=evidence,
            reasons=_distinct(reasons_of(mind), *(self.held[triple.object.id].reasons for triple in inside)),
            against=tuple(way for call in self.guidance.into(action, AGAINST) for way in self._ways(call)),
            barred=tuple(self._way(self.held[triple.object.id], Hop(triple, -1)) for triple in barring),
            outside=() if inside else tuple(scope),
        )

    def advised_against(self) -> list[tuple[Entity, tuple[Support, ...]]]:
        """Actions that states of the profile advise against and nothing calls for."""
        called = {made.action.id for made in self.recommend().kept}
        found = []
        for action in self.guidance.objects(AGAINST):
            ways = [way for call in self.guidance.into(action, AGAINST) for way in self._ways(call)]
            if ways and action.id not in called:
                found.append((action, tuple(ways)))
        return found

    def _ways(self, call: Triple) -> Iterator[Support]:
        """The ways to the end of `call` where its state holds: by itself, and as the cause of another that holds."""
        cause = self.held.get(call.subject.id)
        if cause is None:
            return
        yield self._way(cause, Hop(call))
        for because in self.guidance.into(cause.state, CAUSED_BY):
            if effect := self.held.get(because.subject.id):
                found = self._way(effect, Hop(because), Hop(call))
                yield Support(cause.state, found.path, _distinct(found.reasons, cause.reasons), found.severity)

    def _way(self, finding: Finding, *hops: Hop) -> Support:
        severity, graded = self.guidance.rank(finding.state, SEVERITY)
        own, _ = self.guidance.rank(self.guidance.nodes[hops[-1].start.id], SEVERITY)
        path = Path((*finding.hops, *hops), float(max(severity, own, 1)))
        reasons = _distinct(finding.reasons, reasons_of([Path(hops)]), reasons_of([Path((Hop(t),)) for t in graded]))
        return Support(finding.state, path, reasons, max(severity, own, 1))


def _distinct(*groups: Iterable[Reason]) -> tuple[Reason, ...]:
    """Reasons in order, each once."""
    return tuple(dict.fromkeys(reason for group in groups for reason in group))


__all__ = ["Advice", "Assessment", "Check", "Finding", "Recommendation", "Support"]
