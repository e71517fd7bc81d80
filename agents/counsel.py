"""Assessments in words: drafts of recommendations and of what is asked about them, every statement with its characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..kg.model import Entity, Hop, Path, Triple
from .advice import Assessment, Check, Recommendation, Support
from .compose import Draft, Reason, abstain, reasons_of
from .guidance import AGAINST, APPLIES_TO, CALLS, CONCERNS, INDICATES, READ_FROM
from .wording import join

NOTHING, DISAGREE = "nothing", "guidelines disagree"


def recommended(found: Assessment) -> Draft:
    """All that is called for, left out, disputed and unknown."""
    kept, barred, put_off, outside = found.recommend()
    against, disputes, gaps = found.advised_against(), list(found.disputes()), found.gaps
    if not (kept or barred or outside or against):
        return _uneventful(found)
    urgent, rest = [one for one in kept if one.urgent], [one for one in kept if not one.urgent]
    parts = [f"First: {'; '.join(map(_because, urgent))}"] if urgent else []
    parts += [f"{'After that' if urgent else 'Recommended'}: {'; '.join(map(_because, rest))}"] if rest else []
    parts += [f"Put off: {', '.join(one.action.label for one in put_off)}"] if put_off else []
    parts += [_left_out(one) for one in barred] + [_for_others(found, one) for one in outside]
    parts += [_disagreement(one) for one in kept if one.against]
    parts += [f"Advised against: {action.label}, because of {_states(ways)}" for action, ways in against]
    parts += [_dispute(state, met, unmet) for state, met, unmet in disputes]
    parts += [f"Not assessed, as {found.profile.id} does not say: {', '.join(gaps)}"] if gaps else []
    ways = [way for one in kept for way in (*one.supports, *one.against)]
    ways += [way for one in put_off for way in one.supports]
    ways += [way for one in barred for way in (*one.supports, *one.barred)] + [way for _, several in against for way in several]
    reasons = [reason for way in ways for reason in way.reasons] + [reason for one in kept for reason in one.reasons]
    reasons += [reason for one in outside for reason in _outside(found, one)]
    reasons += [reason for _, met, unmet in disputes for check in (*met, *unmet) for reason in check.reasons]
    reasons += _gap_reasons(found, gaps)
    return _draft(found, ". ".join(parts), [one.action.label for one in kept] or [NOTHING], reasons, ways)


def _uneventful(found: Assessment) -> Draft:
    """Nothing is called for, as far as was measured."""
    checks, gaps = _checks(found, found.guidance.subjects(READ_FROM)), found.gaps
    groups = {node.id for node in found.guidance.objects(APPLIES_TO)}
    if not [check for check in checks if check.state.id not in groups]:
        return abstain(f"{found.profile.id} has no measurement that the guidance reads; it could use {', '.join(gaps) or 'none'}")
    text = "Nothing is called for: " + "; ".join(_outcome(check) for check in checks if check.state.id not in groups)
    text += f". Not assessed, as {found.profile.id} does not say: {', '.join(gaps)}" if gaps else ""
    reasons = [reason for check in checks for reason in check.reasons] + _gap_reasons(found, gaps)
    return _draft(found, text, [NOTHING], reasons, [])


def supposed(before: Assessment, after: Assessment, said: str) -> Draft:
    """What would be called for if the profile were another, and what that changes."""
    draft, had = recommended(after), {one.action.label for one in before.recommend().kept}
    if draft.status != "answered":
        return draft
    has = {label for label in draft.answers if label != NOTHING}
    parts = [f"New: {join(sorted(has - had))}"] if has - had else []
    parts += [f"No longer: {join(sorted(had - has))}"] if had - has else []
    change = ". ".join(parts) or "That changes nothing in what is recommended"
    return _draft(after, f"Supposing {said}: {change}. {draft.text.rstrip('.')}", draft.answers, draft.reasons, draft.paths)


def why(found: Assessment, action: Entity) -> Draft:
    """Why an action is recommended: the states that call for it."""
    advice = found.recommend()
    for one in advice.kept:
        if one.action.id == action.id:
            states = list(dict.fromkeys(way.state.label for way in one.supports))
            text = f"{action.label} is recommended because of {join(states)}"
            return _draft(found, text, states, [*_all_reasons(one.supports), *one.reasons], one.supports)
    for one in advice.barred:
        if one.action.id == action.id:
            states = [way.path.hops[-1].triple.object.label for way in one.barred]
            return _draft(found, _left_out(one), states, _all_reasons(one.barred), one.barred)
    return about_action(found, action)


def first(found: Assessment) -> Draft:
    """What to do before anything else."""
    kept = found.recommend().kept
    if not kept:
        return recommended(found)
    return _draft(found, f"First: {_because(kept[0])}", [kept[0].action.label], _all_reasons(kept[0].supports), kept[0].supports)


def missing(found: Assessment) -> Draft:
    """Which measurements the profile lacks."""
    gaps = found.gaps
    if not gaps:
        checks = _checks(found, found.guidance.subjects(READ_FROM))
        reasons = [reason for check in checks for reason in check.reasons]
        return _draft(found, "Nothing is missing: every measure that matters was reported", [NOTHING], reasons, [])
    text = f"{found.profile.id} does not say: {', '.join(gaps)}"
    return _draft(found, text, list(gaps), _gap_reasons(found, gaps), [])


# ---- about one thing --------------------------------------------------------------------------------------------


def about(found: Assessment, node: Entity, *, adopt: bool = False, have: bool = False) -> Draft:
    """What the advice says of a thing the rules know: an action, a measure, a state or a topic.

    Args:
        found: the assessment.
        node: the thing.
        adopt: whether to do it is asked, yes or no.
        have: whether it holds is asked, yes or no.
    """
    rules = found.guidance
    if node.id in {action.id for action in rules.actions}:
        return about_action(found, node, adopt=adopt)
    if node.id in {measure.id for measure in rules.measures}:
        return _about_measure(found, node)
    if node.id in {state.id for state in rules.states}:
        return _about_state(found, node, have=have)
    return _about_topic(found, node)


def about_action(found: Assessment, action: Entity, *, adopt: bool = False) -> Draft:
    """Whether an action is recommended, and if not, why not. Without `adopt` the answer is no yes or no."""
    kept, barred, put_off, outside = found.recommend()
    for one in (*kept, *barred, *put_off, *outside):
        if one.action.id == action.id:
            ways = [*one.supports, *one.against, *one.barred]
            reasons = [*_all_reasons(ways), *one.reasons]
            if one.outside:
                reasons += _outside(found, one)
                return _draft(found, _for_others(found, one), ["no" if adopt else "meant for others"], reasons, ways)
            if one.barred:
                return _draft(found, _left_out(one), ["no" if adopt else "left out"], reasons, ways)
            if one in put_off:
                first = join([other.action.label for other in kept])
                text = f"{action.label} is put off: {first} comes first"
                return _draft(found, text, ["no" if adopt else "put off"], reasons, ways)
            if one.against:
                return _draft(found, _disagreement(one), [DISAGREE], reasons, ways)
            text = f"{action.label} is recommended because of {_states(one.supports)}"
            return _draft(found, text, ["yes" if adopt else action.label], reasons, ways)
    for other, found_ways in found.advised_against():
        if other.id == action.id:
            text = f"{_states(found_ways)} advises against {action.label}"
            return _draft(found, text, ["no" if adopt else "advised against"], _all_reasons(found_ways), found_ways)
    return _not_called_for(found, action)


def _not_called_for(found: Assessment, action: Entity) -> Draft:
    """Nothing calls for an action, which makes it neither good nor bad."""
    rules = found.guidance
    calls = rules.into(action, *CALLS)
    states = [rules.nodes[call.subject.id] for call in calls]
    gaps = {triple.object.label for state in states for triple in found.missing(state)}
    if gaps:
        return abstain(f"{found.profile.id} does not say {join(sorted(gaps))}, on which {action.label} depends")
    facts = [*calls, *rules.of(action, APPLIES_TO), *rules.into(action, AGAINST)]
    reasons = [*reasons_of(_single(facts)), *(r for check in _checks(found, _readable(found, states)) for r in check.reasons)]
    return _draft(found, f"nothing in {found.profile.id} calls for {action.label}", ["not called for"], reasons, [])


def _about_measure(found: Assessment, measure: Entity) -> Draft:
    if measure.id not in found.readings:
        return abstain(f"{found.profile.id} does not say {measure.label}")
    said, value = found.readings[measure.id]
    checks = _checks(found, [found.guidance.nodes[triple.subject.id] for triple in found.guidance.into(measure, READ_FROM)])
    held = [state for state in (check.state for check in checks) if state.id in found.held]
    text = f"{measure.label} is {value}: " + "; ".join(map(_outcome, checks)) if checks else f"{measure.label} is {value}"
    ways = _through(found, held)
    stated = Reason(f"{found.profile.id} reports {measure.label} {said.value}", (said.span,))
    return _draft(found, text, [said.value], [stated, *(r for c in checks for r in c.reasons), *_all_reasons(ways)], ways)


def _about_state(found: Assessment, state: Entity, *, have: bool) -> Draft:
    holds = found.held.get(state.id)
    if holds:
        ways = _through(found, [state])
        actions = list(dict.fromkeys(way.path.end.label for way in ways))
        text = f"{state.label} holds for {found.profile.id}" + (f" and leads to {join(actions)}" if actions else "")
        answers = actions if actions and not have else ["yes"]
        return _draft(found, text, answers, [*holds.reasons, *_all_reasons(ways)], ways or [Path(holds.hops)])
    gaps = sorted({triple.object.label for triple in found.missing(state)})
    if gaps:
        return abstain(f"{found.profile.id} does not say {join(gaps)}, from which {state.label} is read")
    checks = _checks(found, _readable(found, [state]))
    if not checks:
        return abstain(f"{found.profile.id} does not say whether {state.label} holds")
    reasons = [reason for check in checks for reason in check.reasons]
    return _draft(found, f"{state.label} does not hold: {'; '.join(map(_outcome, checks))}", ["no"], reasons, [])


def _about_topic(found: Assessment, topic: Entity) -> Draft:
    """What is recommended in a matter; never yes or no, as a topic may be something to take up or to leave."""
    linked = found.guidance.into(topic, CONCERNS)
    near = {triple.subject.id for triple in linked}
    advice = found.recommend()
    ways, later = [
        [way for one in some for way in one.supports if {one.action.id, way.state.id} & near]
        for some in (advice.kept, advice.put_off)
    ]
    states = [state for state in found.guidance.states if state.id in near]
    links = reasons_of(_single(linked))
    if ways:
        actions = list(dict.fromkeys(way.path.end.label for way in ways))
        text = f"On {topic.label}, {found.profile.id} is recommended {join(actions)}, because of {_states(ways)}"
        return _draft(found, text, actions, [*_all_reasons(ways), *links], ways)
    if later:
        first = join([one.action.label for one in advice.kept])
        text = f"{join(list(dict.fromkeys(way.path.end.label for way in later)))} is put off: {first} comes first"
        urgent = [way for one in advice.kept for way in one.supports]
        return _draft(found, text, ["put off"], [*_all_reasons([*urgent, *later]), *links], [*urgent, *later])
    gaps = sorted({triple.object.label for state in states for triple in found.missing(state)})
    if gaps:
        return abstain(f"{found.profile.id} does not say {join(gaps)}, which bears on {topic.label}")
    checks = _checks(found, states)
    text = f"Nothing about {topic.label} is called for" + (f": {'; '.join(map(_outcome, checks))}" if checks else "")
    return _draft(found, text, [NOTHING], [*(r for check in checks for r in check.reasons), *links], [])


# ---- words and parts --------------------------------------------------------------------------------------------


def _draft(
    found: Assessment, text: str, answers: Sequence[str], reasons: Iterable[Reason], ways: Sequence[Support | Path]
) -> Draft:
    """An answer. Its confidence is the least of what the facts on its paths were read with."""
    paths = tuple({str(path): path for path in (way.path if isinstance(way, Support) else way for way in ways)}.values())
    certain = min((hop.triple.confidence for path in paths for hop in path.hops), default=1.0)
    notes = tuple(f"no rule is about {said.name!r}" for said in found.unknown)
    kept = tuple(dict.fromkeys(reasons))
    return Draft(f"{text[:1].upper()}{text[1:]}.", tuple(answers), kept, paths, certain, notes=notes, composer="advice")


def _because(one: Recommendation) -> str:
    return f"{one.action.label}, because of {_states(one.supports)}"


def _states(ways: Iterable[Support]) -> str:
    return join(list(dict.fromkeys(way.state.label for way in ways)))


def _left_out(one: Recommendation) -> str:
    return f"Left out: {one.action.label}, unsuitable with {_states(one.barred)}"


def _for_others(found: Assessment, one: Recommendation) -> str:
    groups = join([triple.object.label for triple in one.outside])
    return f"Not meant for {found.profile.id}: {one.action.label}, which applies to {groups}"


def _outside(found: Assessment, one: Recommendation) -> list[Reason]:
    """Whom an action is meant for, and why that is not so here."""
    checks = _checks(found, [found.guidance.nodes[triple.object.id] for triple in one.outside])
    return [*reasons_of(_single(one.outside)), *(reason for check in checks for reason in check.reasons)]


def _disagreement(one: Recommendation) -> str:
    label = one.action.label
    return f"Guidelines disagree on {label}: {_states(one.supports)} calls for it, {_states(one.against)} advises against it"


def _dispute(state: Entity, met: Sequence[Check], unmet: Sequence[Check]) -> str:
    sides = f"{join([check.state.label for check in met])} holds, {join([check.state.label for check in unmet])} does not"
    return f"Guidelines disagree on {state.label}: {sides}"


def _outcome(check: Check) -> str:
    return " and ".join(reason.text for reason in check.reasons[-1:]) if check.reasons else check.state.label


def _gap_reasons(found: Assessment, gaps: dict[str, list[Triple]]) -> list[Reason]:
    return [
        Reason(f"{found.profile.id} does not say {name}, from which {triple.subject.label} is read", made.spans)
        for name, triples in gaps.items()
        for triple in triples
        for made in reasons_of(_single([triple]))
    ]


def _checks(found: Assessment, states: Iterable[Entity]) -> list[Check]:
    return [check for state in states if found.applies(state) and (check := found.check(state))]


def _readable(found: Assessment, states: Iterable[Entity]) -> list[Entity]:
    """The states, and those that indicate them."""
    return [n for s in states for n in (s, *(found.guidance.nodes[t.subject.id] for t in found.guidance.into(s, INDICATES)))]


def _through(found: Assessment, states: Sequence[Entity]) -> list[Support]:
    """Ways to recommended actions that pass through any of these states."""
    near = {state.id for state in states}
    ways = [way for one in found.recommend().kept for way in one.supports]
    return [way for way in ways if near & {hop.end.id for hop in way.path.hops}]


def _all_reasons(ways: Iterable[Support]) -> list[Reason]:
    return [reason for way in ways for reason in way.reasons]


def _single(triples: Iterable[Triple]) -> list[Path]:
    return [Path((Hop(triple),)) for triple in triples]


__all__ = ["DISAGREE", "NOTHING", "about", "about_action", "first", "missing", "recommended", "supposed", "why"]
