"""From states to ranked candidate answers: how much of a question a path explains, and whether its end is of the kind asked.

`score = coverage * (0.35 + 0.65 * fit) * link * whole`, where coverage is the weight of the units explained over the weight
of all units, mentions that a path leaves aside and the price of hops that explain nothing; `whole` falls with every gap.
Words that no relation explains may still stand in the quotes of a path ("the firm that supplies *hull coatings*"); that is
judged later, answer by answer, with `Candidate.with_support`. All parts are kept for `why`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .linking import Link
from .paths import MATCHED, State
from .question import DATE, Understanding, Unit
from .relations import RelationIndex
from .types import COARSE, CONFLICT, NodeTypes

MENTION_WEIGHT = 1.0
DOUBT = 0.4  # most that a path which explains the units loses when the reader is sure of another
TRUST = 0.6  # most that the learned reader counts for beside the units
TRUST_STRANGE = 0.9  # the same where the lexicon knows no word of what is asked
_SAMPLE = 6  # nodes whose type is read to judge a state
_JOINED = 40  # states per mention that are tried for an intersection
PRIOR = 0.05
REPEATED = 0.85  # credit for a unit that says again what a hop has said ("which customers does X supply")
INVERTED = 0.93  # factor for two hops that walk the farther word of the question first
LONGER = 0.99  # factor for each hop after the first: of two paths that explain the same, the shorter
SURE = 0.99
GAP = 0.7  # factor for each hop that explains nothing and each relation asked for that no hop explains
_FLOOR = 0.02  # what an opinion of nothing counts for in a pool
MENTIONED = 0.9  # gain of a word found in the quote of the hop it belongs to
MENTIONED_AWAY = 0.4  # and in that of another hop


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An answer set: nodes and the states that reach them (one, or two that meet)."""

    nodes: np.ndarray
    states: tuple[State, ...]
    score: float
    parts: dict[str, float] = field(default_factory=dict)
    open_units: tuple[int, ...] = ()  # units that nothing explains so far

    def with_support(self, support: float, factor: float) -> float:
        """The score when `support` more weight is explained by quotes, times `factor`."""
        parts = self.parts
        coverage = min((parts["explained"] + support + PRIOR) / parts["asked"], 1.0)
        return _score(parts, coverage) * parts.get("expired", 1.0) * factor

    def walks(self, node: int) -> list[list[tuple[int, int]]]:
        """[(triple row, direction), ...] of each state to an answer node."""
        return [state.walk(int(np.searchsorted(state.nodes, node))) for state in self.states]


class Scorer:
    """Ranks the states of one question.

    Args:
        question: the question, read.
        links: its mentions.
        relations: for the types that relations promise.
        types: what nodes are.
    """

    def __init__(self, question: Understanding, links: Sequence[Link], relations: RelationIndex, types: NodeTypes) -> None:
        self.question, self.relations, self.types = question, relations, types
        self.links = [link for link in links if link.seeds]
        self.total = sum(unit.weight for unit in question.units)
        self.gains = relations.gains(question.units)
        self.strange = self._strange()
        self.best = 0.0  # probability of the path that the learned reader likes best
        self.trust = 0.0  # how far it is trusted: it knows a question when it is sure of some path

    def rank(self, states: list[list[State]], limit: int = 32) -> list[Candidate]:
        """Candidates, best first.

        Args:
            states: the states found from each mention, one list per linked mention.
            limit: candidates kept.
        """
        self.best = max((state.likelihood for mine in states for state in mine), default=0.0) if len(states) == 1 else 0.0
        known = self.best > 0 and not self._settled()
        self.trust = max(TRUST * self.best, TRUST_STRANGE * self.strange) if known else 0.0
        found = [c for i, mine in enumerate(states) for state in mine if (c := self._single(state, i)) is not None]
        for i in range(len(states)):
            for j in range(i + 1, len(states)):
                found += self._joined(states[i], states[j], (i, j))
        found.sort(key=lambda c: (-c.score, sum(s.depth for s in c.states), c.states[0].steps))
        return found[:limit]

    def _strange(self) -> float:
        """Share of what is asked that is said in words the lexicon does not know."""
        weights = [(unit.weight, not unit.families) for unit in self.question.units if not unit.type]
        return sum(weight for weight, strange in weights if strange) / (sum(weight for weight, _ in weights) or 1.0)

    def _settled(self) -> bool:
        """Whether a nested phrase of words that the graph knows says every hop and their order: a reader can only be wrong."""
        nested = self.question.nested
        asked = [u for u, unit in enumerate(self.question.units) if _decisive(unit) or unit.position in nested]
        return bool(nested) and all(
            self.question.units[u].position in nested and self.gains[:, :, u].max(initial=0.0) > SURE for u in asked
        )

    def _single(self, state: State, mention: int) -> Candidate | None:
        through = {mention} | {i for i, link in enumerate(self.links) if i != mention and self._passes(state, link)}
        nodes = state.nodes
        if len(self.links) > 1 and len(through) > 1:
            nodes = self._constrained(state, through - {mention})
        if self.question.answer_type == DATE and (dated := self._dated(state, mention)) is not None:
            return dated
        asked = {seed.row for i in through for seed in self.links[i].seeds} if self.links else set()
        others = nodes[~np.isin(nodes, list(asked))] if asked else nodes
        nodes = nodes if self._comes_back(state) and (state.depth > 2 or not len(others)) else others
        if not len(nodes):
            return None
        return self._candidate(nodes, (state,), state.used, through)

    def _comes_back(self, state: State) -> bool:
        """Whether a nested phrase has been walked to its end, which may be where it began ("X's wife's husband")."""
        return bool(self.question.nested) and self.question.due(state.used) < 0

    def _dated(self, state: State, mention: int) -> Candidate | None:
        """For "when did A buy B": the fact that ends at the other mention, or at anything, when it carries a day."""
        others = [i for i in range(len(self.links)) if i != mention]
        rows = [seed.row for i in others for seed in self.links[i].seeds]
        nodes = state.nodes[np.isin(state.nodes, rows)] if others else state.nodes
        if not len(nodes) or len(nodes) > _SAMPLE:
            return None
        last = state.triple[np.searchsorted(state.nodes, nodes)]
        nodes = nodes[self.types.dated(last.tolist())]
        if not len(nodes):
            return None
        return self._candidate(nodes, (state,), state.used, {mention, *others}, fit=COARSE)

    def _passes(self, state: State, link: Link) -> bool:
        rows = [seed.row for seed in link.seeds]
        return any(np.isin(state.level(depth).nodes, rows).any() for depth in range(1, state.depth))

    def _constrained(self, state: State, through: set[int]) -> np.ndarray:
        """Answer nodes whose own path passes one node of every mention in `through`."""
        keep = np.ones(len(state.nodes), bool)
        for i in through:
            rows = np.array([seed.row for seed in self.links[i].seeds])
            hit = np.zeros(len(state.nodes), bool)
            index, level = np.arange(len(state.nodes)), state
            while level.previous is not None:
                hit |= np.isin(level.nodes[index], rows)
                index, level = level.parent[index], level.previous
            keep &= hit
        return state.nodes[keep]

    def _joined(self, first: list[State], second: list[State], pair: tuple[int, int]) -> list[Candidate]:
        """Nodes reached from two mentions, by states that explain different units."""
        best = [sorted(states, key=lambda s: -s.promise(self.question))[:_JOINED] for states in (first, second)]
        result = []
        for a in best[0]:
            for b in best[1]:
                if not (a.used or b.used):
                    continue
                common = np.intersect1d(a.nodes, b.nodes, assume_unique=True)
                if len(common):
                    used = {u: max(a.used.get(u, 0.0), b.used.get(u, 0.0)) for u in {*a.used, *b.used}}
                    result.append(self._candidate(common, (a, b), used, set(pair)))
        return result

    def _candidate(
        self, nodes: np.ndarray, states: tuple[State, ...], used: dict[int, float], through: set[int], fit: float | None = None
    ) -> Candidate:
        question = self.question
        explained = sum(question.units[u].weight * gain for u, gain in used.items())
        credit = self._credit(states, used)
        explained += sum(credit.values())
        spent = sum(state.spent for state in states)
        aside = MENTION_WEIGHT * (len(self.links) - len(through)) if self.links else 0.0
        asked = self.total + spent + aside + PRIOR
        coverage = (explained + PRIOR) / asked
        if fit is None:
            fits = [self._fit(int(node), states) for node in _sample(nodes)]
            fit = max(fits)
            nodes = self._fitting(nodes, states) if min(fits) < fit else nodes
        if fit < COARSE and any(self._asked_last(state) for state in states):
            fit = COARSE
        link = min((state.seed.score for state in states), default=1.0)
        unexplained = tuple(u for u in range(len(question.units)) if u not in used and u not in credit)
        gaps = sum(state.skips for state in states) + sum(_decisive(question.units[u]) for u in unexplained)
        inversions = sum(self._inversions(state) for state in states)
        gaps += any(self._leaves_target(state) or self._lacks_fellow(state) for state in states)
        whole = GAP**gaps * INVERTED**inversions * LONGER ** max(sum(state.depth for state in states) - 1, 0)
        parts = {"coverage": coverage, "fit": fit, "link": link, "whole": whole}
        parts |= {"explained": explained, "asked": asked, "aside": aside}
        if self.trust:
            likelihood = states[0].likelihood if len(states) == 1 else 0.0
            parts |= {"learned": likelihood, "best": self.best, "trust": self.trust, "strange": self.strange}
        return Candidate(nodes, states, _score(parts, coverage), parts, unexplained)

    def _credit(self, states: tuple[State, ...], used: dict[int, float]) -> dict[int, float]:
        """Weight of units no hop was spent on: type nouns that a node satisfies, words that repeat a walked relation."""
        credit: dict[int, float] = {}
        for u, unit in enumerate(self.question.units):
            if u in used or self._own_hop(unit, used):
                continue
            steps = {step for state in states for step in state.steps}
            said = (self.gains[family, 0 if way > 0 else 1, u] >= MATCHED for family, way in steps if self._of(family, unit))
            if any(said):
                credit[u] = unit.weight * (1.0 if unit.position == self.question.target else REPEATED)
            elif unit.type and (fit := self._typed(unit, states)) > CONFLICT:
                credit[u] = unit.weight * fit
        return credit

    def _own_hop(self, unit: Unit, used: dict[int, float]) -> bool:
        """Whether a noun of a nested phrase asks for a hop of its own, which none before has said ("the father of X's father");
        the cause of somebody's *death* is one hop, as death is no noun for either end of a relation."""
        if unit.position not in self.question.nested or not unit.families:
            return False
        said = {self.question.units[u].text for u in used if self.question.units[u].families & unit.families}
        return all(self.relations.lexicon.is_noun(text, unit.families) for text in said)

    def _of(self, family: int, unit: Unit) -> bool:
        return self.relations.families[family].name in unit.families

    def _typed(self, unit: Unit, states: tuple[State, ...]) -> float:
        """How well some node on the way is of the type that a type noun names; the noun asked for is said of the end."""
        asked = unit.position == self.question.target
        fits = [
            self.types.fit(int(node), unit.type, _noun(unit.text), self._implied(state.level(depth)) or self._began(state))
            for state in states
            for depth in range(state.depth if asked else 0, state.depth + 1)
            for node in _sample(state.level(depth).nodes)
        ]
        return max(fits, default=0.0)

    def _asked_last(self, state: State) -> bool:
        """Whether the last hop explains, fully, the very noun that is asked for: its end is of the kind asked."""
        last = next((u for u, hop in state.hop_of.items() if hop == state.depth - 1), -1)
        if last < 0:
            return False
        position = self.question.units[last].position
        outermost = position in self.question.nested[-1:] and self._target_in({*self.question.nested})
        return outermost or (position == self.question.target and state.used[last] > SURE)

    def _target_in(self, positions: set[int]) -> bool:
        """Whether no unit but those at these positions is the noun asked for."""
        return all(unit.position in positions for unit in self.question.units if unit.position == self.question.target)

    def _leaves_target(self, state: State) -> bool:
        """Whether the very noun that is asked for ("which *topics* ...") names the end of an earlier hop than the last."""
        units = self.question.units
        asked = {u for u, unit in enumerate(units) if unit.position == self.question.target and not unit.type}
        named = [hop for u, hop in state.hop_of.items() if u in asked and not (units[u].fellow and state.shared)]
        return bool(named) and max(named) < state.depth - 1

    def _lacks_fellow(self, state: State) -> bool:
        """Whether a hop for somebody's fellow ("co-starred with X") leads away from X and never back to another at that end."""
        forth = [hop for u, hop in state.hop_of.items() if self.question.units[u].fellow and state.steps[hop][1] > 0]
        return bool(forth) and not state.shared

    def _inversions(self, state: State) -> int:
        """Pairs of hops on one side of the mention that walk the farther unit first."""
        spots = [i for i, token in enumerate(self.question.tokens) if state.seed.start <= token.start < state.seed.end]
        if not spots or self.question.operation == "compare":
            return 0
        places = [self.question.units[u].position for u, _ in sorted(state.hop_of.items(), key=lambda item: item[1])]
        sides = [[spots[0] - p for p in places if p < spots[0]], [p - spots[-1] for p in places if p > spots[-1]]]
        return sum(a > b for side in sides for i, a in enumerate(side) for b in side[i + 1 :])

    def _implied(self, state: State) -> str:
        if not state.steps:
            return ""
        family, direction = self.relations.families[state.steps[-1][0]], state.steps[-1][1]
        return family.object_type if direction > 0 else family.subject_type

    def _began(self, state: State) -> str:
        """The type that the first hop promises of where it starts."""
        if not state.steps:
            return ""
        family, direction = self.relations.families[state.steps[0][0]], state.steps[0][1]
        return family.subject_type if direction > 0 else family.object_type

    def _fit(self, node: int, states: tuple[State, ...]) -> float:
        implied = next((kind for state in states if (kind := self._implied(state))), "")
        return self.types.fit(node, self.question.answer_type, self.question.answer_noun, implied)

    def _fitting(self, nodes: np.ndarray, states: tuple[State, ...]) -> np.ndarray:
        """Nodes of the kind asked for, when some are; else those that do not contradict it."""
        if len(nodes) > 200:
            return nodes
        fits = np.array([self._fit(node, states) for node in nodes.tolist()])
        return nodes[fits >= min(float(fits.max()), COARSE)]


def _decisive(unit: Unit) -> bool:
    """Whether leaving a unit unexplained means that another question was answered."""
    return bool(unit.families) and not unit.type and unit.weight >= 1


def _score(parts: dict[str, float], coverage: float) -> float:
    """What the units say of a path and what the learned reader says of it, by how far it is trusted for this question.

    Where the lexicon knows the words, a path that explains the units well loses little when the reader is sure of another, and
    one that the reader is sure of need not explain them. Where it does not, paths are ordered by what the reader says of
    them beside its best (a logarithmic pool of both opinions), and all of them lose by how unsure it is of that one.
    """
    units, trust, strange = coverage * parts["whole"], parts.get("trust", 0.0), parts.get("strange", 0.0)
    said = units
    if trust:
        learned = parts["learned"] * ((1 - strange) + strange / parts["best"]) * parts["whole"]
        mixed = (1 - trust) * units + trust * learned
        pooled = (units + _FLOOR) ** (1 - trust) * (learned + _FLOOR / 100) ** trust
        said = max((1 - max(DOUBT * trust, strange)) * units, (1 - strange) * mixed + strange * pooled)
        said *= 1 - strange * trust * (1 - parts["best"])
    return said * shape(parts["fit"]) * parts["link"]


def shape(fit: float) -> float:
    """The factor of a score that a type fit gives."""
    return 0.35 + 0.65 * fit


def _noun(text: str) -> str:
    return text[:-3] + "y" if text.endswith("ies") else text.rstrip("s")


def _sample(nodes: np.ndarray) -> np.ndarray:
    """A few nodes spread evenly over a sorted set."""
    if len(nodes) <= _SAMPLE:
        return nodes
    return np.asarray(nodes[np.linspace(0, len(nodes) - 1, min(_SAMPLE, len(nodes))).astype(int)])


__all__ = ["Candidate", "Scorer", "shape"]
