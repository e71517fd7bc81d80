"""Why something is not the answer: the best path to it that was rejected, and what it lost by.

The entity need not have been reached by the search. The shortest paths from each mention to it are walked, alone, by the
same search, and scored by the same scorer as everything else; comparing that with the states which the search kept names the
hop at which the path was dropped, and comparing the parts of the scores names the part that lost. (A reader trained on the
graph is not asked about paths that the search did not take: it counts as expecting none of them.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from ..kg.adjacency import Adjacency
from ..kg.errors import UnknownEntityError
from ..kg.model import Entity, Path
from ..kg.store import OPEN_END, OPEN_START, Edges
from ..retrieval.base import Budget
from ..retrieval.exact import shortest_paths
from ..retrieval.linking import Link
from ..retrieval.paths import PathSearch, Search, State
from ..retrieval.question import Understanding
from ..retrieval.retriever import EXPIRED, Found, Resolved, Retriever
from ..retrieval.scoring import Candidate, shape
from .compose import ANSWER_AT, Draft, PathComposer
from .gate import Able, Gate, known
from .loop import for_values

PATHS = 12  # shortest paths tried from each node that a mention may mean
_SEEDS = 3  # such nodes of one mention
_ALL = 100_000  # candidates: none is cut off
_WIDE = Budget(beam=4096, seconds=None)
Walk = tuple[int, ...]  # node rows from a seed to the entity


@dataclass(frozen=True, slots=True)
class Step:
    """A hop of the rejected path: the unit of the question that it explains ("" for none) and how well, 0 to 1."""

    text: str
    explains: str = ""
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why an entity is not the answer to a question.

    Attributes:
        reason: one of `REASONS`.
        text: the same in a sentence.
        path: the best path to the entity; None where there is none.
        steps: its hops.
        hop: the hop at which the search dropped it, 1 for the first; 0 when it was not dropped on the way.
        rank: its place among the ranked candidates, 0 when it is not among them.
        score, parts: what the path is worth, and the parts of that (`retrieval.scoring`).
        lost: the part that is the smallest beside the winner's; "" where there is no winner, or nothing lost.
        answers: what was answered, or would have been were it sure enough.
        winner: a path to it, with its score and the parts of that.
        truncated: budgets that the search hit.
    """

    question: str
    entity: str
    reason: str
    text: str
    path: Path | None = None
    steps: tuple[Step, ...] = ()
    hop: int = 0
    rank: int = 0
    score: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    lost: str = ""
    answers: tuple[str, ...] = ()
    winner: Path | None = None
    truncated: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; paths as text with the ids of their triples."""
        shown = {name: _plain(getattr(self, name)) for name in ("path", "winner")}
        rest = ("question", "entity", "reason", "text", "hop", "rank", "score", "lost")
        return {
            **{name: getattr(self, name) for name in rest},
            "parts": dict(self.parts),
            "steps": [asdict(step) for step in self.steps],
            "answers": list(self.answers),
            **shown,
            "truncated": list(self.truncated),
        }


REASONS = {
    "answer": "it is the answer",
    "unknown entity": "the graph holds nothing of that name",
    "gate": "the question was refused before the search",
    "named": "the question itself names it",
    "operation": "the values found decide otherwise",
    "not connected": "no path within the hops that are searched",
    "date": "the facts on its path do not hold at the time asked about",
    "gap": "hops on its path, or words of the question, stay unexplained",
    "beam": "better beginnings of paths filled the beam",
    "budget": "a budget cut it off",
    "coverage": "its path explains less of the question",
    "fit": "it is not of the kind asked for",
    "learned": "the reader trained on this graph expects other relations",
    "link": "the name it starts from is less sure",
    "order": "its path takes the words of the question in another order, or is longer",
    "quotes": "the quotes on its path say less of what is asked",
    "threshold": "it is the best found, and not sure enough",
}


def why_not(retriever: Retriever, question: str, name: str, *, as_of: date | None = None, budget: Budget | None = None) -> WhyNot:
    """Search again, and say what stands between a question and an entity.

    Args:
        retriever: over the graph that was asked.
        question: as it was asked.
        name: the entity: a name, alias, IRI or id.
        as_of: the day it was asked for, as in `Agent.ask`.
        budget: limits; the retriever's own where None.
    """
    try:
        entity = retriever.kg.entity(name)
    except UnknownEntityError as error:
        return WhyNot(question, name, "unknown entity", f"{error}.")
    links = retriever.link(question)
    reading = for_values(retriever.read(question, links, as_of))
    route = Gate().first(reading, links, known(reading, links, retriever.gains(reading), ()), Able())
    if route.action == "abstain":
        return WhyNot(question, entity.label, "gate", f"No path was looked for: {route.reason}.")
    return _Inquiry(retriever, reading, links, entity, budget or retriever.budget).result()


@dataclass(frozen=True, slots=True, eq=False)
class _Rival:
    """The best way to the entity: its candidate, and that with its quotes read; None when they lie outside the days asked."""

    candidate: Candidate
    resolved: Resolved | None

    @property
    def score(self) -> float:
        return self.resolved.score if self.resolved else 0.0


class _Inquiry:
    """One question, one entity."""

    def __init__(
        self, retriever: Retriever, reading: Understanding, links: Sequence[Link], entity: Entity, budget: Budget
    ) -> None:
        self.retriever, self.reading, self.entity, self.budget = retriever, reading, entity, budget
        self.links = [link for link in links if link.seeds]
        self.row = retriever.kg.store.row_of(entity.id)
        self.found: Found = retriever.search(reading, links, budget)
        self.draft: Draft = PathComposer(retriever).compose(reading, links, self.found)
        self.resolved = retriever.resolve(self.found.candidates, reading)
        self.dated = len(retriever.adjacency().valid_from) > 0
        self._near: dict[tuple[int, int | None], list[Path]] = {}
        self.searches = retriever.explore(reading, links, budget, self.found.day)

    def result(self) -> WhyNot:
        """What became of the entity."""
        label, answers = self.entity.label, self.draft.answers
        if self.reading.operation in {"compare", "yes-no"} and self._is_named() and label not in answers:
            return self._said("operation", f"The question names {label}; what was found decides otherwise: {self.draft.text}")
        if self._is_named() and len(self.links) == 1 and label not in answers:
            return self._said("named", f"The question itself names {label}.")
        rival, out_of_time = self._rival(self.found.day), False
        if self.found.day is not None and self.dated:
            ever = self._rival(None)
            if ever and (rival is None or ever.score > max(rival.score, ANSWER_AT)):
                rival, out_of_time = ever, True
        if rival is None:
            return self._unwalked()
        reason, hop, said = self._verdict(rival, out_of_time=out_of_time or rival.resolved is None)
        path = rival.resolved.answers[0].paths[0] if rival.resolved else None
        winner = self._winner() if reason != "answer" else None
        lost = _lost(rival.candidate.parts, winner.parts) if winner else ""
        ranks = [i for i, c in enumerate(self.found.candidates, start=1) if self.row in c.nodes]
        return self._said(
            reason, said, path, hop=hop, rank=ranks[0] if ranks else 0, steps=self._steps(rival.candidate.states[0], path),
            score=rival.score, parts=_shown(rival.candidate.parts), lost=lost,
        )  # fmt: skip

    def _is_named(self) -> bool:
        return any(seed.row == self.row for link in self.links for seed in link.seeds)

    # ---- the best path

    def _rival(self, day: int | None) -> _Rival | None:
        """The best candidate that is the entity alone, on a day."""
        own = [self._alone(number, day) for number in range(len(self.searches))]
        kept = {id(state) for states in own for state in states}
        scorer = self.retriever.scorer(self.reading, self.links, self.found.types)
        both = [search.states + states for search, states in zip(self.searches, own)]  # it is ranked among what was found
        rivals = []
        for candidate in scorer.rank(both, limit=_ALL):
            if all(id(state) in kept for state in candidate.states):
                if self.found.expired:
                    candidate = replace(candidate, parts={**candidate.parts, "expired": EXPIRED})
                resolved = self.retriever.resolve([candidate], self.reading)
                rivals.append(_Rival(candidate, resolved[0] if resolved else None))
        return max(rivals, key=lambda rival: rival.score, default=None)

    def _alone(self, number: int, day: int | None) -> list[State]:
        """States that end at the entity and nowhere else: those of a mention's search, and ways that it did not take."""
        states = []
        if day == self.found.day:
            states = [only for state in self.searches[number].states if (only := _only(state, self.row)) is not None]
        known = {_walk(state, self.row) for state in states}
        for walk in self._shortest_walks(number, day):
            if walk not in known:
                known.add(walk)
                states += self._walked(self.links[number], walk, day)
        return states

    def _shortest_walks(self, number: int, day: int | None) -> Iterator[Walk]:
        row_of = self.retriever.kg.store.row_of
        for path in self._shortest(number, day) if self.links else ():
            yield tuple(row_of(node.id) for node in (path.start, *(hop.end for hop in path.hops)))

    def _shortest(self, number: int, day: int | None) -> list[Path]:
        """The shortest paths from a mention, on a day; looked for once, as that may take long in a large graph."""
        day = day if self.dated else None
        if (number, day) not in self._near:
            kg, hops, on = self.retriever.kg, self.budget.hops, date.fromordinal(day) if day is not None else None
            seeds = [seed.node for seed in self.links[number].seeds[:_SEEDS] if isinstance(seed.node, Entity)]
            self._near[number, day] = [
                path for node in seeds for path in shortest_paths(kg, node, self.entity, max_hops=hops, k=PATHS, day=on)
            ]
        return self._near[number, day]

    def _walked(self, link: Link, walk: Walk, day: int | None) -> list[State]:
        """The states of a search along one way to its end, were there nothing else in the graph."""
        seed = next(seed for seed in link.seeds if seed.row == walk[0])
        corridor = _corridor(self.retriever.adjacency(), walk)
        search = PathSearch(corridor, self.retriever.relations, replace(_WIDE, hops=self.budget.hops))
        states = search.search(self.reading, [seed], day).states
        return [only for state in states if (only := _only(state, walk[-1])) is not None]

    # ---- what became of it

    def _verdict(self, rival: _Rival, *, out_of_time: bool) -> tuple[str, int, str]:
        """(reason, hop at which it was dropped, sentence)."""
        label, answers = self.entity.label, self.draft.answers
        if self.draft.status != "abstained" and label in answers:
            return "answer", 0, f"{label} is an answer."
        if out_of_time:
            return "date", 0, f"The facts that lead to {label} do not hold at the time the question is about."
        best = self.resolved[0] if self.resolved else None
        if best is not None and any(grounded.row == self.row for grounded in best.answers):
            if self.reading.operation in {"compare", "superlative", "yes-no"}:
                return "operation", 0, f"{label} was found, and the values found decide otherwise: {self.draft.text}"
            return "threshold", 0, f"{label} is the best found, but not sure enough: {self.draft.missing}."
        for state in rival.candidate.states:
            if (hop := _dropped(state, self.row, self.searches)) and not self._ranked():
                return self._cut(state, hop, rival.score)
        same = [c for c in self.found.candidates if c.states[0].steps == rival.candidate.states[0].steps]
        if same and not any(self.row in c.nodes for c in same):
            return "fit", 0, f"The path to {label} was found, but other ends of it are rather of the kind asked for."
        return self._outranked(rival)

    def _ranked(self) -> bool:
        return any(self.row in candidate.nodes for candidate in self.found.candidates)

    def _cut(self, state: State, hop: int, score: float) -> tuple[str, int, str]:
        """The search left the path at a hop: its signature was not kept, or it was and the node was cut off."""
        kept = _kept(state.level(hop), self.searches)
        budgets = sorted(self.found.truncated)
        where = f"The search left the path to {self.entity.label} at hop {hop}"
        beside = self._beside(score)
        if kept:
            return "budget", hop, f"{where}: {', '.join(budgets) or 'a budget'} cut it off. {beside}"
        if hop - 1 not in state.hop_of.values():
            return "gap", hop, f"{where}: that hop explains no word of the question, and others promised more. {beside}"
        return "beam", hop, f"{where}: better beginnings of paths filled the beam. {beside}"

    def _beside(self, score: float) -> str:
        winner = self._winner()
        return f"It scores {score:.2f}" + (f" beside {winner.score:.2f} of the best path." if winner else ".")

    def _outranked(self, rival: _Rival) -> tuple[str, int, str]:
        winner, label = self._winner(), self.entity.label
        if winner is None:
            return "threshold", 0, f"{label} was found, but nothing found is sure enough: {self.draft.missing}."
        lost = _lost(rival.candidate.parts, winner.parts)
        reason = lost or "quotes"
        if lost == "whole":
            reason = "gap" if _gaps(rival.candidate, self.reading) > _gaps(self._best(), self.reading) else "order"
        left = [self.reading.units[u].text for u in rival.candidate.open_units]
        detail = f" It leaves unexplained: {', '.join(left)}." if left and reason in ("coverage", "gap") else ""
        if rival.candidate.parts.get("aside", 0.0) > 0 and reason == "coverage":
            detail += " It leaves a name of the question aside."
        said = f"{label} scores {rival.score:.2f} beside {winner.score:.2f}: {REASONS[reason]}."
        return reason, 0, said + detail

    def _winner(self) -> Resolved | None:
        """The best found that is something else."""
        return next((r for r in self.resolved if all(g.row != self.row for g in r.answers)), None)

    def _best(self) -> Candidate:
        return self.found.candidates[0]

    def _unwalked(self) -> WhyNot:
        """No state of the search ends at the entity, whatever is left out of the graph."""
        if self._is_named():
            return self._said("named", f"The question itself names {self.entity.label}.")
        names = ", ".join(link.text for link in self.links)
        for number in range(len(self.links)):
            for path in self._shortest(number, None):
                said = f"The only paths to {self.entity.label} have hops that no search takes or explain nothing of the question."
                return self._said("gap", said, path, hop=self._first_gap(path), steps=tuple(map(Step, _hops(path))))
        said = f"Nothing recorded joins {names or 'the question'} and {self.entity.label} within {self.budget.hops} hops."
        return self._said("not connected", said)

    def _first_gap(self, path: Path) -> int:
        """The hop of a path behind which no state of the search goes on."""
        rows = [self.retriever.kg.store.row_of(hop.end.id) for hop in path.hops]
        reached = {int(node) for search in self.searches for state in search.states for node in state.nodes}
        return next((i for i, row in enumerate(rows, start=1) if row not in reached), len(rows))

    def _steps(self, state: State, path: Path | None) -> tuple[Step, ...]:
        said = {hop: u for u, hop in state.hop_of.items()}
        return tuple(
            Step(text, self.reading.units[said[i]].text, round(state.used[said[i]], 3)) if i in said else Step(text)
            for i, text in enumerate(_hops(path) if path else ())
        )

    def _said(self, reason: str, said: str, path: Path | None = None, **more: Any) -> WhyNot:
        winner = self._winner() if reason != "answer" else None
        return WhyNot(
            self.reading.text, self.entity.label, reason, said, path,
            answers=self.draft.answers or (tuple(g.node.label for g in winner.answers) if winner else ()),
            winner=winner.answers[0].paths[0] if winner else None,
            truncated=tuple(sorted(self.found.truncated)), **more,
        )  # fmt: skip


def _only(state: State, row: int) -> State | None:
    """The state with `row` as its only end; None when it does not end there."""
    at = np.flatnonzero(state.nodes == row)
    if not len(at):
        return None
    return replace(state, nodes=state.nodes[at], parent=state.parent[at], triple=state.triple[at], way=state.way[at])


def _walk(state: State, row: int) -> Walk:
    """Node rows from the seed to `row`."""
    index, rows = int(np.flatnonzero(state.nodes == row)[0]), []
    level: State | None = state
    while level is not None:
        rows.append(int(level.nodes[index]))
        index, level = int(level.parent[index]), level.previous
    return tuple(rows[::-1])


def _corridor(adjacency: Adjacency, walk: Walk) -> Adjacency:
    """The edges between the nodes of a walk that follow each other, and no others."""
    found = []
    for start, end in pairwise(walk):
        at = adjacency.positions(np.array([start]))
        at = at[adjacency.neighbor[at] == end]
        key = adjacency.group_key[np.searchsorted(adjacency.group_start, at, side="right") - 1]
        ends = np.array([[start, end], [end, start]])[key % 2]
        days = [adjacency.valid_from[at], adjacency.valid_to[at]] if len(adjacency.valid_from) else [OPEN_START, OPEN_END]
        found.append(np.column_stack([adjacency.triple[at], ends[:, 0], key >> 1, ends[:, 1], *(d + 0 * at for d in days)]))
    columns = np.unique(np.concatenate(found), axis=0).T
    return Adjacency.build(Edges(columns[0], *(column.astype(np.int32) for column in columns[1:])))


def _kept(state: State, searches: Sequence[Search]) -> list[State]:
    """The states of the search with this one's seed and signature."""
    return [
        other for search in searches for other in search.states if other.seed.row == state.seed.row and other.steps == state.steps
    ]


def _dropped(state: State, row: int, searches: Sequence[Search]) -> int:
    """The first hop whose signature or node the search did not keep; 0 when it kept them all."""
    for hop, node in enumerate(_walk(state, row)[1:], start=1):
        if not any(node in kept.nodes for kept in _kept(state.level(hop), searches)):
            return hop
    return 0


def _gaps(candidate: Candidate, reading: Understanding) -> int:
    """Hops that explain nothing, and relations asked for that no hop explains."""
    units = (reading.units[u] for u in candidate.open_units)
    return sum(state.skips for state in candidate.states) + sum(bool(unit.families) and not unit.type for unit in units)


def _shown(parts: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in parts.items()}


def _lost(mine: dict[str, float], winner: dict[str, float]) -> str:
    """The factor of the score that is the smallest beside the winner's; "" when none is smaller."""
    ratios = {}
    for name in ("coverage", "fit", "link", "whole", "learned"):
        ours, theirs = (_worth(name, parts) for parts in (mine, winner))
        ratios[name] = ours / theirs if theirs else 1.0
    worst = min(ratios, key=lambda name: ratios[name])
    return worst if ratios[worst] < 1 - 1e-6 else ""


def _worth(name: str, parts: dict[str, float]) -> float:
    """How a part counts in the score; what a learned reader says counts by how far it is trusted."""
    if name == "learned":
        return 1 - parts.get("trust", 0.0) * (1 - parts.get("learned", 0.0))
    return shape(parts[name]) if name == "fit" else parts[name]


def _hops(path: Path) -> list[str]:
    return [str(Path((hop,))) for hop in path.hops]


def _plain(path: Path | None) -> dict[str, Any] | None:
    return {"text": str(path), "triples": [hop.triple.id for hop in path.hops]} if path else None


__all__ = ["REASONS", "Step", "WhyNot", "why_not"]
