"""The gate: what to do on a question, by rules or by what was calibrated for the graph, and why.

The rules cost nothing: they refuse what cannot succeed (a name the graph does not hold, a question that asks for nothing the
graph has) and otherwise retrieve. A calibrated gate (`agents.utility`, made by `hoptrace train gate`) knows for each action
how likely it is right and what it costs. It decides as soon as the decision is clear: before anything is looked for, after
the memory has drafted an answer, after paths were walked, after passages were read. Every route names the mode that made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..retrieval.linking import Link
from ..retrieval.paths import SEEDLESS
from ..retrieval.question import Understanding
from .answer import Action, Route
from .compose import Draft
from .fusion import Fusion
from .utility import ABSTAIN, UtilityGate
from .wording import join

QUESTION = ("linked", "unknown", "ambiguity", "coverage", "units", "degree", "compares")  # known before anything is asked
MEMORY = ("taught", "margin", "entropy", "stale")  # of a draft from memory
PATHS = ("path", "lead", "gaps", "hops")  # of what paths say
READ = ("read",)  # of what passages say
TIERS = (QUESTION, MEMORY, PATHS, READ)
RETRIEVALS = {"internal": 0.0, "path": 1.0, "verify": 1.0, "path+text": 5.0}  # reading takes some five searches
HEARD_AT = {"internal": 1, "path": 2, "path+text": 3}  # the tier by which an expert has spoken; "verify" only where it is chosen
PAID = (0.0, 0.0, 1.0, 5.0)  # retrievals paid once each tier is known
PRIORS = {"internal": 0.5, "path": 0.7, "verify": 0.7, "path+text": 0.7}
_COMPARES = frozenset({"compare", "superlative", "yes-no"})  # operations that put things side by side
_HEAD, _TAIL = np.log1p((8, 3))  # degree: of facts about an entity from which it is well known, and below which hardly


@dataclass(frozen=True, slots=True)
class Able:
    """What can be done on a question: what is loaded, and what nothing forbids.

    Attributes:
        model: a chat model composes answers and reads passages always.
        reader: passages can be read where the graph has no answer.
        memory: a memory has a draft, and the ledger does not forbid it.
    """

    model: bool = False
    reader: bool = False
    memory: bool = False

    @property
    def actions(self) -> tuple[str, ...]:
        return ("path", *(("path+text",) if self.reader or self.model else ()), *(("internal", "verify") if self.memory else ()))


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides by rules alone, or by a calibrated gate within what the rules allow.

    Attributes:
        calibrated: None where nothing was calibrated, or what was no longer fits.
        threshold: probability of being right below which no answer is given.
        promised: share of wrong answers that the threshold keeps with confidence 0.9; None where none is promised.
        fusion: how what several experts say is combined; None where each one's own word is as good.
        note: why there is no calibration, where one was made and does not fit.
    """

    calibrated: UtilityGate | None = None
    threshold: float = 0.0
    promised: float | None = None
    fusion: Fusion | None = None
    note: str = ""

    def first(self, question: Understanding, links: Sequence[Link], scores: Mapping[str, float], able: Able) -> Route:
        """The route before anything was looked for, from the question alone (see `known`) or with a draft from memory.

        A calibrated gate ends here where its lead is clear: with the draft, or because no action is worth its price.
        """
        measured, unusable = _measured(scores)
        route = _noted(_ruled(question, links, measured, able), self.note, unusable)
        if self.calibrated is None or route.action != "path":
            return route
        tier = int(able.memory and any(name in measured for name in MEMORY))
        chosen = self._chosen(route.scores, able, tier)
        if chosen.lead >= self.calibrated.closer[tier]:
            if chosen.action == ABSTAIN:
                return self._said(route, chosen, "nothing was looked for")
            if chosen.action == "internal" and chosen.p >= self.threshold:
                return self._said(route, chosen, "known without looking anything up")
        return replace(route, mode=self.calibrated.mode, promised=self.promised)

    def after(self, route: Route, scores: Mapping[str, float], able: Able) -> Route:
        """The route once paths were walked, or passages read, by what was found; as it was where nothing is calibrated."""
        measured, unusable = _measured(scores)
        route = _noted(replace(route, scores={**route.scores, **measured}), unusable)
        if self.calibrated is None or route.mode not in {"calibrated", "shrunk"}:
            return route
        return self._said(route, self._chosen(route.scores, able, 3 if "read" in scores else 2))

    def _chosen(self, scores: Mapping[str, float], able: Able, tier: int) -> Chosen:
        """The best by what a tier knows, of what can be done; whether it is sure enough is asked of all that were heard."""
        gate = self.calibrated
        assert gate is not None  # only called where there is one
        names = gate.tiers[tier].features
        x = np.array([[scores.get(name, np.nan) for name in names]])
        p = gate.probabilities(x, names, np.array([bucket(scores)]), tier)
        u = gate.utilities(p, tier)[0]
        open_ = [i for i, action in enumerate(gate.actions) if action in able.actions]
        ranked = sorted([*open_, len(gate.actions)], key=lambda i: -u[i])
        best = ranked[0]
        ahead = float(u[best] - u[ranked[1]]) if len(ranked) > 1 else float(u[best])
        said = {f"p({action})": float(p[0, i]) for i, action in enumerate(gate.actions) if action in able.actions}
        far = tuple(name for name, out in zip(names, gate.tiers[tier].far(x)[0], strict=True) if out)
        return Chosen((*gate.actions, ABSTAIN)[best], float(np.append(p[0], 0.0)[best]), ahead, said, far)

    def _said(self, route: Route, chosen: Chosen, *more: str) -> Route:
        assert self.calibrated is not None
        action: Action = chosen.action  # type: ignore[assignment]
        why = f"{action} is worth most: right with probability {chosen.p:.2f}" if chosen.p else "no action is worth its price"
        far = f"{join(list(chosen.far))} unlike anything calibrated on" if chosen.far else ""
        route = replace(route, action=action, mode=self.calibrated.mode, scores={**route.scores, **chosen.scores})
        return _noted(replace(route, promised=self.promised), why, far, *more)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The best action, its probability of being right, its lead over the next, the probabilities of all, and which features
    lie far outside of what was calibrated on."""

    action: str
    p: float
    lead: float
    scores: dict[str, float]
    far: tuple[str, ...]


def known(question: Understanding, links: Sequence[Link], gains: np.ndarray, degrees: Sequence[int]) -> dict[str, float]:
    """Tier 0: what linking and reading already know.

    Args:
        question: the question, read.
        links: its mentions.
        gains: float32 [families, 2, units], how well each relation of the graph answers to each unit.
        degrees: facts about each linked entity.
    """
    linked = [link for link in links if link.seeds]
    return {
        "linked": min((seed.score for link in linked for seed in link.seeds[:1]), default=0.0),
        "unknown": float(sum(not link.seeds for link in links)),
        "ambiguity": float(max((len(link.seeds) for link in linked), default=0)),
        "coverage": float(gains.max(axis=(0, 1)).mean()) if gains.size else 0.0,
        "best": float(gains.max(initial=0.0)),
        "units": float(len(question.units)),
        "degree": float(np.log1p(min(degrees, default=0))),
        "compares": float(question.operation in _COMPARES),
    }


def found(draft: Draft, others: Sequence[float]) -> dict[str, float]:
    """Tier 2: what paths say.

    Args:
        draft: of the path composer.
        others: scores of the answer sets found, the best first.
    """
    first, second = (*others, 0.0, 0.0)[:2]
    hops = max((len(path.hops) for path in draft.paths), default=0)
    return {"path": draft.confidence, "lead": first - second, "gaps": float(len(draft.notes)), "hops": float(hops)}


def bucket(scores: Mapping[str, float]) -> int:
    """0 head, 1 medium, 2 tail, by how many facts there are about the entity that is least spoken of."""
    degree = scores.get("degree", 0.0)
    return 0 if degree >= _HEAD else 1 if degree >= _TAIL else 2


def _measured(scores: Mapping[str, float]) -> tuple[dict[str, float], str]:
    """The scores that are numbers, and words for those that are none: they count as not measured."""
    measured = {name: value for name, value in scores.items() if np.isfinite(value)}
    lost = sorted(scores.keys() - measured.keys())
    return measured, f"{join(lost)} not measured, so the usual is assumed" if lost else ""


def _noted(route: Route, *notes: str) -> Route:
    """The route with more in its reason."""
    return replace(route, reason="; ".join([route.reason, *filter(None, notes)]))


def _ruled(question: Understanding, links: Sequence[Link], scores: dict[str, float], able: Able) -> Route:
    """The route by rules: refuse what cannot succeed, otherwise retrieve."""
    unknown = [link.text for link in links if not link.seeds]
    linked = [link.text for link in links if link.seeds]
    if unknown and not able.model:
        reason = f"nothing in the graph is named {join(unknown)}"
        return Route("path+text" if able.reader else "abstain", "rule", scores, reason)
    if not linked and scores.get("best", SEEDLESS) < SEEDLESS:
        reason = "the question names no entity and no relation of the graph"
        return Route("path+text" if able.model or able.reader else "abstain", "rule", scores, reason)
    action: Action = "path+text" if able.model else "path"
    return Route(action, "rule", scores, f"{join(linked) or 'no entity, a relation'} known to the graph")


__all__ = ["HEARD_AT", "MEMORY", "PATHS", "QUESTION", "READ", "RETRIEVALS", "TIERS", "Able", "Gate", "bucket", "found", "known"]
