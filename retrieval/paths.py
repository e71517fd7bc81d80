"""Multi-hop path search: a beam over relation signatures, grounded in node sets.

A state is a relation signature (the families and directions walked from a seed) together with every node it reaches, so
"the suppliers of X" is one state with ten nodes and not ten states. Each hop must earn its place: it explains a unit of
the question, or it pays. What a path leaves unexplained counts against it (`scoring`). Relations are judged before their
edges are read, and a hub is cut inside a relation group, never by dropping the group; every cut is named.

The shape follows the plan-then-ground search of RoG (Luo et al., ICLR 2024), without its language model.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from ..kg.adjacency import Adjacency, Expansion, Groups
from ..kg.model import Literal
from .base import Budget, Seed
from .question import CONTAINMENT_NOUNS, Understanding, is_sharing
from .relations import RelationIndex
from .stepwise import DEPTHS
from .wordings import stems

MATCHED = 0.3  # gain from which a hop counts as explaining a unit
MATCHED_TYPE = 0.4  # the same for a mere type noun, which is near to many relations
SKIP_PENALTY = 1.0  # price of a hop that explains nothing
CONTAINMENT_PENALTY = 0.06  # price of one more "located in" when a containing place is asked for
WRONG_WAY = 0.5  # factor when the syntax says the verb runs the other way
PASSED_OVER = 0.5  # factor when the hop leaves a nearer relation of the question unexplained
OUT_OF_ORDER = 0.25  # and when a nested phrase says another first
SOME_RELATION = 0.6  # gain of a type noun in a nested phrase ("X's wife's firm") by a relation to things of that type
SHARED_GAIN = 0.8  # "films that share a director": the same relation back again
SEEDLESS = 0.85  # gain from which a relation may start a search of its own
LEARNED = 2.0  # what a path that the learned reader is sure of gains in the order of the beam
LIKELY = -4.0  # log-probability from which the learned reader opens a step of its own
_SKIPS_KEPT = 4
_FRONTIER = 5000
_CONTAINMENT = "located in"
_NOT_WALKED = frozenset({"is a", "label", "pref label", "alt label", "name"})
NO_SEED = Seed(-1, Literal(""), 0, 0, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A signature and the nodes it reaches from one seed.

    Attributes:
        steps: (family index, direction within the family) of each hop.
        nodes: int32 [n] distinct node rows reached.
        parent: int32 [n] index of each node's predecessor in `previous.nodes`.
        triple: int64 [n] triple row by which it was reached.
        way: int8 [n] 1 when that triple was walked from subject to object, -1 when from object to subject.
        used: indices of units explained so far, with the gain of each.
        hop_of: which hop explains each of them.
        shared: it has gone back over a relation because the question says share, same or also.
        spent: what hops that explain nothing have cost.
        learned: log-probability of the steps so far by the learned reader, 0 without one.
        stop: log-probability of asking for nothing more here; None without a learned reader.
    """

    seed: Seed
    nodes: np.ndarray
    parent: np.ndarray
    triple: np.ndarray
    way: np.ndarray
    steps: tuple[tuple[int, int], ...] = ()
    previous: State | None = None
    used: dict[int, float] = field(default_factory=dict)
    hop_of: dict[int, int] = field(default_factory=dict)
    shared: bool = False
    spent: float = 0.0
    skips: int = 0
    learned: float = 0.0
    stop: float | None = None

    @property
    def depth(self) -> int:
        return len(self.steps)

    @property
    def likelihood(self) -> float:
        """Probability of these steps and no more by the learned reader, 0 without one."""
        return float(np.exp(self.learned + self.stop)) if self.stop is not None else 0.0

    def promise(self, understanding: Understanding) -> float:
        """Order of the beam: weight explained less what was spent, and what the learned reader thinks of it."""
        explained = sum(understanding.units[u].weight * gain for u, gain in self.used.items())
        learned = LEARNED * max(0.0, 1 - self.learned / LIKELY) if self.stop is not None else 0.0
        return explained - self.spent + learned

    def walk(self, index: int) -> list[tuple[int, int]]:
        """(triple row, direction) of each hop to the node at `index`, first hop first."""
        hops: list[tuple[int, int]] = []
        state: State = self
        while state.previous is not None:
            hops.append((int(state.triple[index]), int(state.way[index])))
            index = int(state.parent[index])
            state = state.previous
        return hops[::-1]

    def level(self, depth: int) -> State:
        """The state `depth` hops from the seed on the way to this one."""
        state: State = self
        while state.depth > depth and state.previous is not None:
            state = state.previous
        return state


@dataclass(slots=True)
class Search:
    """Result of one search: every state kept, and the budgets that were hit."""

    states: list[State] = field(default_factory=list)
    truncated: set[str] = field(default_factory=set)
    expansions: int = 0


class PathSearch:
    """Beam search over signatures.

    Args:
        adjacency: the graph.
        relations: gains of its relations.
        budget: hops, beam, expansions, fan-out and seconds.
    """

    def __init__(self, adjacency: Adjacency, relations: RelationIndex, budget: Budget) -> None:
        self.adjacency, self.relations, self.budget = adjacency, relations, budget

    def search(
        self, understanding: Understanding, seeds: list[Seed], day: int | None = None, guide: np.ndarray | None = None
    ) -> Search:
        """States from every seed, in no particular order; each is a candidate answer set.

        Args:
            understanding: the question; its units price every hop.
            seeds: where to start; each is searched on its own.
            day: only facts valid on this day ordinal.
            guide: log-weights of steps by hop from a learned reader, float32 [DEPTHS, 2 * families + 1], the last for stop.
        """
        gains = self.relations.gains(understanding.units)
        found = Search()
        deadline = time.monotonic() + self.budget.seconds if self.budget.seconds is not None else None
        asked = frozenset(name for unit in understanding.units for name in unit.families)
        starts = [State(seed, *_start(np.array([seed.row], np.int32))) for seed in seeds] or self._anywhere(gains, found)
        for start in starts:
            beam = [self._opened(start, day, guide, asked)]
            for _ in range(self.budget.hops):
                grown = [new for opened in beam for new in self._grow(opened, understanding, gains, day, found)]
                grown.sort(key=lambda s: (-s.promise(understanding), s.steps))
                if len(grown) > self.budget.beam:
                    found.truncated.add("beam")
                beam = [self._opened(state, day, guide, asked) for state in grown[: self.budget.beam]]
                found.states += [opened.state for opened in beam]
                if not beam or (deadline is not None and time.monotonic() > deadline):
                    if beam:
                        found.truncated.add("seconds")
                    break
        return found

    def _anywhere(self, gains: np.ndarray, found: Search) -> list[State]:
        """For a question that names nothing: every node with a relation that explains a unit well, as one state."""
        if not gains.size:
            return []
        asked = np.flatnonzero(gains.max(axis=(1, 2)) >= SEEDLESS)
        relation = self.adjacency.group_key >> 1
        groups = np.flatnonzero(np.isin(self.relations.family_of[relation], asked))
        nodes = np.unique(np.searchsorted(self.adjacency.node_groups, groups, side="right") - 1).astype(np.int32)
        if len(nodes) > _FRONTIER:
            found.truncated.add("frontier")
        return [State(NO_SEED, *_start(nodes[:_FRONTIER]))] if len(nodes) else []

    def _opened(self, state: State, day: int | None, guide: np.ndarray | None, asked: frozenset[str]) -> _Opened:
        """The steps that leave a state, and what the learned reader thinks of each and of stopping here.

        What a thing is called or is a kind of leads from everything to everything: it is walked to its object only, and only
        where the question names it.
        """
        groups = self.adjacency.groups(state.nodes, day)
        codes = self.relations.codes(groups)
        names = {code: self.relations.families[code // 2].name for code in np.unique(codes).tolist()}
        options = [code for code, name in names.items() if name not in _NOT_WALKED or (name in asked and not code & 1)]
        if guide is None:
            return _Opened(state, groups, codes, options, {})
        row = guide[min(state.depth, DEPTHS - 1)]
        logits = row[[*options, len(row) - 1]].astype(float)
        logs = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        return _Opened(replace(state, stop=float(logs[-1])), groups, codes, options, dict(zip(options, logs.tolist())))

    def _grow(self, opened: _Opened, question: Understanding, gains: np.ndarray, day: int | None, found: Search) -> list[State]:
        state = opened.state
        if state.skips > 1:
            return []
        matched: list[tuple[float, int, int, float]] = []  # (rank, code, unit, gain)
        skipped: list[tuple[float, int, int, float]] = []
        for code in opened.options:
            step = (code // 2, 1 - 2 * (code & 1))
            unit, gain, near = self._explain(state, step, question, gains)
            if gain >= (MATCHED if unit < 0 or not question.units[unit].type else MATCHED_TYPE):
                matched.append((-gain * (question.units[unit].weight if unit >= 0 else 1.0), code, unit, gain))
            elif state.learned + opened.logs.get(code, -np.inf) > LIKELY:
                matched.append((-float(np.exp(opened.logs[code])), code, -1, 0.0))
            else:
                skipped.append((self._skip_price(step, question) - 0.1 * near, code, -1, 0.0))
        if len(matched) > self.budget.beam:
            found.truncated.add("beam")
        chosen = sorted(matched)[: self.budget.beam] + sorted(skipped)[:_SKIPS_KEPT]
        grown = (self._step(opened, code, unit, gain, question, day, found) for _, code, unit, gain in chosen)
        return [new for new in grown if new is not None]

    def _explain(
        self, state: State, step: tuple[int, int], question: Understanding, gains: np.ndarray
    ) -> tuple[int, float, float]:
        """The unit a hop explains best: (unit, gain, gain it would have were every unit free); unit -2 is sharing."""
        row = gains[step[0], 0 if step[1] > 0 else 1]
        best, best_gain, nearest = -1, 0.0, 0.0
        due = question.due(state.used)
        for u in range(len(question.units)):
            gain = self._due_gain(step, u, question, row) if u == due else self._free_gain(state, step, u, question, row)
            if due >= 0 and u != due:
                gain *= OUT_OF_ORDER if question.units[due].families else PASSED_OVER
            nearest = max(nearest, gain)
            if u not in state.used and self._worth(u, gain, question) > self._worth(best, best_gain, question):
                best, best_gain = u, gain
        if (best < 0 or best != due) and state.steps and state.steps[-1] == (step[0], -step[1]):
            return self._explain_return(state, step, question, best, best_gain)
        return best, best_gain, nearest

    def _worth(self, u: int, gain: float, question: Understanding) -> float:
        return gain * (question.units[u].weight if u >= 0 else 1.0)

    def _due_gain(self, step: tuple[int, int], u: int, question: Understanding, row: np.ndarray) -> float:
        """Of the unit that a nested phrase walks next: a mere type noun there is any relation to such a thing."""
        family, unit = self.relations.families[step[0]], question.units[u]
        end = family.object_type if step[1] > 0 else family.subject_type
        return max(float(row[u]), SOME_RELATION if unit.type and unit.type == end else 0.0)

    def _free_gain(self, state: State, step: tuple[int, int], u: int, question: Understanding, row: np.ndarray) -> float:
        """Of any other unit, by the places of the words."""
        gain = float(row[u])
        if gain >= MATCHED and self._is_verb(step, u, question):
            gain *= 1.0 if self._agrees(state, step, u, question) else WRONG_WAY
        if gain >= MATCHED and self._passes_over(state, u, question):
            gain *= PASSED_OVER
        return gain

    def _explain_return(
        self, state: State, step: tuple[int, int], question: Understanding, best: int, gain: float
    ) -> tuple[int, float, float]:
        """Back over the last relation: a second wording of it ("directed by the director of X"), or sharing, once."""
        there = max((state.used[u] for u, hop in state.hop_of.items() if hop == state.depth - 1), default=1.0)
        again = best >= 0 and self.relations.families[step[0]].name in question.units[best].families
        if again and min(gain, there) > WRONG_WAY:  # neither hop against the syntax
            return best, gain, gain
        if question.shares and not state.shared and not state.skips and self._is_shared(step, question):
            return -2, SHARED_GAIN, SHARED_GAIN
        return -1, 0.0, 0.0

    def _is_shared(self, step: tuple[int, int], question: Understanding) -> bool:
        """Whether the relation is the one that is shared: the one said nearest to the word for sharing ("share a *director*")."""
        at = [i for i, token in enumerate(question.tokens) if is_sharing(token)]
        said = [unit for unit in question.units if at and unit.families]
        nearest = min(said, key=lambda unit: (min(abs(unit.position - i) for i in at), -unit.position), default=None)
        return nearest is None or self.relations.families[step[0]].name in nearest.families

    def _is_verb(self, step: tuple[int, int], u: int, question: Understanding) -> bool:
        family, unit = self.relations.families[step[0]], question.units[u]
        if question.tokens[unit.position - 1 : unit.position] and question.tokens[unit.position - 1].lower == "which":
            return False
        if family.name not in unit.families:
            return not unit.type and not unit.families
        return not family.is_noun(unit.text)

    def _passes_over(self, state: State, u: int, question: Understanding) -> bool:
        """Whether a relation not yet explained stands between this unit and the nearest thing walked so far."""
        at = question.units[u].position
        walked = self._walked(state, question)
        if not walked:
            return False
        nearest = min(walked, key=lambda position: abs(position - at))
        low, high = min(at, nearest), max(at, nearest)
        return any(
            low < unit.position < high and unit.families and not unit.type and i not in state.used
            for i, unit in enumerate(question.units)
        )

    def _walked(self, state: State, question: Understanding) -> list[int]:
        """Token positions of the mention and of the units explained."""
        positions = [question.units[i].position for i in state.used]
        if question.operation == "compare":
            return [*positions, -1]  # "which was founded earlier, A or B": both stand for the subject
        return positions + [i for i, t in enumerate(question.tokens) if state.seed.start <= t.start < state.seed.end]

    def _agrees(self, state: State, step: tuple[int, int], u: int, question: Understanding) -> bool:
        """Whether the verb's place in the question agrees with the direction of travel.

        What was walked so far (the mention, then the units explained) stands left of an active verb when it is the
        subject and right of it when it is the object; a passive swaps the two.
        """
        unit, family = question.units[u], self.relations.families[step[0]]
        if family.symmetric or stems(unit.text) in {stems(verb) for verb in family.two_way}:
            return True
        if unit.fellow or any(token.lower == "together" for token in question.tokens):  # both are its subjects
            return step[1] > 0
        walked = self._walked(state, question)
        if walked:
            subject_side = min(walked, key=lambda position: abs(position - unit.position)) < unit.position
        else:
            subject_side = False  # only what is asked for stands before the verb
        if unit.passive and not family.adjectival:
            subject_side = not subject_side
        return (step[1] > 0) == subject_side

    def _skip_price(self, step: tuple[int, int], question: Understanding) -> float:
        contains = self.relations.families[step[0]].name == _CONTAINMENT and step[1] > 0
        return CONTAINMENT_PENALTY if contains and question.answer_noun in CONTAINMENT_NOUNS else SKIP_PENALTY

    def _step(
        self, opened: _Opened, code: int, unit: int, gain: float, question: Understanding, day: int | None, found: Search
    ) -> State | None:
        """Read the edges of one signature and make the next state; None when it leads nowhere new."""
        state = opened.state
        if found.expansions >= self.budget.expansions:
            found.truncated.add("expansions")
            return None
        picked = opened.groups.take(opened.codes == code)
        edges = self.adjacency.edges(picked, limit=self.budget.fan_out, day=day)
        found.expansions += len(edges.triple)
        if edges.truncated.any():
            found.truncated.add("hub")
        parent = picked.origin[edges.group]
        keep = self._kept(state, parent, edges, code // 2, unit, question)
        neighbor, parent, triple = edges.neighbor[keep], parent[keep], edges.triple[keep]
        way = picked.direction[edges.group[keep]]
        order = np.argsort(-way, kind="stable")  # what is said of the thing itself before what is said of another
        neighbor, parent, triple, way = neighbor[order], parent[order], triple[order], way[order]
        nodes, first = np.unique(neighbor, return_index=True)
        if not len(nodes):
            return None
        if len(nodes) > _FRONTIER:
            found.truncated.add("frontier")
            nodes, first = nodes[:_FRONTIER], first[:_FRONTIER]
        step = (code // 2, 1 - 2 * (code & 1))
        learned = state.learned + opened.logs.get(code, 0.0)
        price = 0.0 if gain >= MATCHED else self._skip_price(step, question)
        likely = state.stop is not None and learned > LIKELY
        return State(
            seed=state.seed,
            nodes=nodes,
            parent=parent[first].astype(np.int32),
            triple=triple[first],
            way=way[first],
            steps=(*state.steps, step),
            previous=state,
            used={**state.used, unit: gain} if unit >= 0 else state.used,
            hop_of={**state.hop_of, unit: state.depth} if unit >= 0 else state.hop_of,
            shared=state.shared or unit == -2,
            spent=state.spent + price,
            skips=state.skips + (price == SKIP_PENALTY and not likely),
            learned=learned,
        )

    def _kept(
        self, state: State, parent: np.ndarray, edges: Expansion, family: int, unit: int, question: Understanding
    ) -> np.ndarray:
        """Which edges are walked, bool [edges]: not back, unless a noun asks for it and nothing else is there ("X's wife's
        husband"). In a nested phrase every thing counts on the way and at its end, but "X's father's sons" are others than X."""
        noun = unit >= 0 and self.relations.families[family].is_noun(question.units[unit].text)
        within = noun and any(question.units[u].position == question.units[unit].position for u in state.used)  # "grandson"
        if noun and unit == question.due(state.used) and not within:
            passing = len(state.used) + 1 < len(question.units) or state.depth > 1
            forth = np.ones(len(parent), bool) if passing else ~np.isin(edges.neighbor, state.level(0).nodes)
            return forth if forth.any() else ~forth
        forth = ~_visited(state, parent, edges)
        return state.nodes[parent] != edges.neighbor if noun and not forth.any() else forth


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A state with the groups that leave it: `codes[i]` is the step of group i, `logs` what the learned reader gives each."""

    state: State
    groups: Groups
    codes: np.ndarray
    options: list[int]
    logs: dict[int, float]


def _start(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return nodes, np.zeros(len(nodes), np.int32), np.full(len(nodes), -1, np.int64), np.ones(len(nodes), np.int8)


def _visited(state: State, parent: np.ndarray, edges: Expansion) -> np.ndarray:
    """Which new edges walk a triple of their own path again or lead back to the seed, bool [edges].

    Another node may come twice: who directed the films that the writer of X wrote may be that writer. Where a hop that a
    noun asks for leads nowhere else, it may go back after all ("X's wife's husband"); see `PathSearch._step`.
    """
    back = state.nodes[parent] == edges.neighbor  # a loop
    level, index = state, parent
    while level.previous is not None:
        back |= level.triple[index] == edges.triple
        index, level = level.parent[index], level.previous
    seed: np.ndarray = back | (level.nodes[index] == edges.neighbor)
    return seed


__all__ = ["PathSearch", "Search", "State"]
