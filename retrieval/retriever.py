"""The default composition: link, read, search paths, rank, ground them in triples, find passages.

`Retriever` holds what is expensive (indexes, encoder) and serves any number of questions and threads; every method takes what
the one before returned, so a caller may look at, log or replace any stage.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..kg.errors import CorruptionError
from ..kg.model import Chunk, Hop, Node, Path, Triple
from .ambiguity import preferred
from .base import Budget, Evidence, Hit
from .difficulty import EvidenceDifficulty
from .evidence import pack
from .gaps import Gaps
from .linking import Link, Linker
from .paths import PathSearch, Search
from .question import Understanding, Unit, understand
from .relations import RelationIndex
from .scoring import MENTIONED, MENTIONED_AWAY, Candidate, Scorer
from .temporal import TightGraph
from .trained import TrainedScorer
from .types import NodeTypes
from .wordings import Lexicon, stems
from .words import word_keys

if TYPE_CHECKING:
    from ..kg.adjacency import Adjacency
    from ..kg.graph import KnowledgeGraph
    from .encoder import Encoder, Progress
    from .passages import PassageSearch

GOOD = 0.6  # score from which another day is not tried
EXPIRED = 0.45  # factor for an answer that only past facts give to a question in the present
_TRIPLES_KEPT = 20_000
UNDATED = 0.8  # factor for an event without a date when the question names one


@dataclass(slots=True)
class Found:
    """What path search found.

    Attributes:
        candidates: ranked answer sets.
        per_mention: the states of each linked mention, for operations that compare mentions.
        day: the day ordinal the facts were filtered by, None for all times.
        truncated: budgets that were hit.
        expired: only facts that no longer hold support the candidates.
    """

    candidates: list[Candidate]
    per_mention: list[list[Candidate]]
    day: int | None
    truncated: set[str]
    types: NodeTypes
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Grounded:
    """One answer node and a path per state that reaches it, each hop with its triple and spans."""

    row: int
    node: Node
    paths: tuple[Path, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Resolved:
    """A candidate after its quotes were read: answers best first, and the units that nothing explains.

    `gaps` says for which things on the way the next fact is not recorded, so that the answers may be incomplete; it is worked
    out for the best one alone.
    """

    answers: tuple[Grounded, ...]
    score: float
    parts: dict[str, float]
    missing: tuple[str, ...]
    gaps: tuple[str, ...] = ()


@dataclass(slots=True)
class Retriever:
    """Finds evidence for questions over one graph.

    Args:
        kg: the graph.
        encoder: the packaged one where None.
        budget: limits of a question where a call names none.
        lexicon: how relations are asked for; the packaged one and the graph's own wordings where None.
    """

    kg: KnowledgeGraph
    encoder: Encoder
    budget: Budget = field(default_factory=Budget)
    lexicon: Lexicon | None = None
    _parts: _Parts = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._parts = _Parts(self.kg, self.encoder, self.lexicon)

    def warm_up(self, progress: Progress | None = None) -> None:
        """Bring every derived index in step with the store: adjacency, relation labels and chunks not encoded yet.

        Args:
            progress: called with (texts done, texts in all) while chunks are encoded.
        """
        self.adjacency()
        self._parts.passages.refresh(progress)

    def link(self, question: str) -> list[Link]:
        """Mentions of entities in a question, those that match nothing included."""
        links = self.linker.link(question)
        if all(len(link.seeds) < 2 for link in links):
            return links
        return preferred(links, self.read(question, links), self.relations, self.adjacency(), self.types(links))

    def read(self, question: str, links: Sequence[Link], as_of: date | None = None) -> Understanding:
        """What the question asks for; `as_of` outranks a date it names."""
        understanding = understand(question, [(link.start, link.end) for link in links], self.relations.lexicon)
        understanding = replace(understanding, units=self.relations.weighed(understanding.units))
        if as_of is not None:
            understanding = replace(understanding, first=as_of, last=as_of)
        return understanding

    def gains(self, question: Understanding) -> np.ndarray:
        """How well each relation of the graph answers to each unit, float32 [families, 2, units]."""
        return self._parts.relations.gains(question.units)

    def search(self, question: Understanding, links: Sequence[Link], budget: Budget | None = None) -> Found:
        """Ranked answer sets. Days are tried in order: the end and the start of the interval named, else today, else any."""
        best = None
        for day, factor in _days(question):
            found = self._search_on(question, links, budget or self.budget, day)
            found.expired = factor < 1
            found.candidates = [_scaled(c, factor) for c in found.candidates]
            if best is None or _top(found) > _top(best):
                best = found
            if _top(best) >= GOOD:
                break
        assert best is not None  # every question has a day, "any" at least
        return best

    def _search_on(self, question: Understanding, links: Sequence[Link], budget: Budget, day: int | None) -> Found:
        types = self.types(links)
        searches = self.explore(question, links, budget, day)
        states, truncated = [search.states for search in searches], set().union(*(search.truncated for search in searches))
        scorer = self.scorer(question, links, types)
        linked = [link for link in links if link.seeds]
        alone = [self.scorer(question, [link], types).rank([mine]) for link, mine in zip(linked, states)]
        return Found(scorer.rank(states), alone, day, truncated, types)

    def explore(
        self, question: Understanding, links: Sequence[Link], budget: Budget | None = None, day: int | None = None
    ) -> list[Search]:
        """Every state that the path search keeps, one search per linked mention; one in all where nothing is linked.

        Args:
            question: the question, read.
            links: its mentions.
            budget: limits; the retriever's own where None.
            day: only facts valid on this day ordinal.
        """
        search = PathSearch(self.adjacency(), self.relations, budget or self.budget)
        return [
            search.search(question, list(link.seeds), day, self._guide(question, links, i))
            for i, link in enumerate(links)
            if link.seeds
        ] or [search.search(question, [], day)]

    def _guide(self, question: Understanding, links: Sequence[Link], mention: int) -> np.ndarray | None:
        """What the trained path scorer of this graph makes of a question that names one entity; None without one."""
        if len(links) != 1 or question.operation not in {"lookup", "list", "count"}:
            return None
        return self._parts.trained.guide(question.text, [(link.start, link.end) for link in links], mention)

    def scorer(self, question: Understanding, links: Sequence[Link], types: NodeTypes) -> Scorer:
        """What ranks the states of a question."""
        return Scorer(question, links, self.relations, types)

    def types(self, links: Sequence[Link]) -> NodeTypes:
        """Type look-ups for a question with these mentions; the same ones while the graph does not change."""
        cased = any(not seed.node.label.islower() for link in links for seed in link.seeds)
        return self._parts.types(cased)

    def adjacency(self) -> Adjacency:
        """The graph's edges with the intervals their dates imply together, in step with the store."""
        return self._parts.tight.adjacency()

    @property
    def linker(self) -> Linker:
        """What ties names to nodes."""
        return self._parts.linker

    @property
    def relations(self) -> RelationIndex:
        """How well the graph's relations answer to words."""
        return self._parts.relations

    def resolve(self, candidates: Sequence[Candidate], question: Understanding, limit: int = 12) -> list[Resolved]:
        """Read the quotes behind the best candidates and rank them again.

        An answer whose events fall outside the days asked about is left out. A word that no relation explains counts
        when it stands in the quotes of a path; a question for one thing keeps only the answers with the most of them.
        """
        resolved: list[tuple[Resolved, Candidate]] = []
        for candidate in candidates[:limit]:
            grounded = self._ground(candidate, question)
            if not grounded:
                continue
            best = grounded[0].score
            if question.operation not in {"list", "count"}:
                grounded = [g for g in grounded if g.score >= best - 1e-6]
            text = _text_of(grounded[0].paths)
            missing = tuple(question.units[u].text for u in candidate.open_units if not _stands_in(question.units[u], text))
            resolved.append((Resolved(tuple(grounded), best, candidate.parts, missing), candidate))
        ranked = sorted(resolved, key=lambda pair: -pair[0].score)
        return [replace(one, gaps=self._gaps(candidate)) if i == 0 else one for i, (one, candidate) in enumerate(ranked)]

    def _ground(self, candidate: Candidate, question: Understanding, limit: int = 100) -> list[Grounded]:
        rows = candidate.nodes[:limit].tolist()
        walks = [candidate.walks(row) for row in rows]
        wanted = sorted({triple for walk in walks for hops in walk for triple, _ in hops})
        triples = self._known(wanted)
        grounded = []
        for row, node, walk in zip(rows, self.kg.store.nodes(rows), walks):
            if any(triple not in triples for hops in walk for triple, _ in hops):
                continue
            paths = tuple(_path(hops, triples, candidate) for hops in walk if hops)
            factor = self._event_factor(paths, question)
            if factor > 0 and paths:
                support = sum(_support(question, u, paths, candidate) for u in candidate.open_units)
                grounded.append(Grounded(row, node, paths, candidate.with_support(support, factor)))
        return sorted(grounded, key=lambda g: (-g.score, _backward(g)))

    def _gaps(self, candidate: Candidate) -> tuple[str, ...]:
        return self._parts.gaps.along(candidate.states[0], self.adjacency()) if len(candidate.states) == 1 else ()

    def _known(self, rows: list[int]) -> dict[int, Triple]:
        """Triples by row, as `_readable`; each is read once while the graph does not change."""
        kept = self._parts.triples()
        found = {row: triple for row in rows if (triple := kept.get(row)) is not None}
        new = self._readable([row for row in rows if row not in found])
        if len(kept) + len(new) > _TRIPLES_KEPT:
            kept.clear()
        kept.update(new)
        return found | new

    def _readable(self, rows: list[int]) -> dict[int, Triple]:
        """Triples by row, those left out whose stored text is damaged: they are no evidence, and others still are."""
        try:
            return dict(zip(rows, self.kg.store.triples_at(rows)))
        except CorruptionError as error:
            if len(rows) == 1:
                warnings.warn(f"a damaged fact was passed over: {error}", stacklevel=2)
                return {}
        half = len(rows) // 2
        return self._readable(rows[:half]) | self._readable(rows[half:])

    def _event_factor(self, paths: tuple[Path, ...], question: Understanding) -> float:
        if question.first is None or question.last is None:
            return 1.0
        factor = 1.0
        for triple in (hop.triple for path in paths for hop in path.hops):
            if not self._parts.relations.is_event(triple.relation.label):
                continue
            if triple.valid_from is None:
                factor = min(factor, UNDATED)
            elif not question.first <= triple.valid_from <= question.last:
                return 0.0
        return factor

    def passages(self, question: str, k: int) -> list[Hit]:
        """The best chunks for a question by the hybrid of all searches."""
        if k < 1:
            return []
        try:
            found = self._parts.passages.hybrid(question, k)
            chunks = dict(self.kg.store.chunks([row for row, _ in found]))
        except CorruptionError as error:
            warnings.warn(f"passages could not be read: {error}", stacklevel=2)
            return []
        return [Hit(row, chunks[row], score, {"hybrid": score}) for row, score in found if row in chunks]

    @property
    def has_prose(self) -> bool:
        """Whether the graph has texts to read."""
        return self._parts.has_prose()

    def holds(self, name: str) -> bool:
        """Whether a passage, or its title, holds every word of a name."""
        words = word_keys(name)
        return bool(words) and len(self._parts.passages.words.table().holding_all(words)) > 0

    def about(self, name: str, k: int) -> list[Chunk]:
        """At most k first chunks of sources whose title is this name, a qualifier in brackets left out."""
        table = self._parts.passages.words.table()
        rows = table.rows[table.about_name(name)[:k]]
        return [chunk for _, chunk in self.kg.store.chunks(rows)] if len(rows) else []

    def pack(
        self, paths: Sequence[Path], hits: Sequence[Hit], truncated: set[str], budget: Budget | None = None, question: str = ""
    ) -> Evidence:
        """Evidence under the token budget; paths may cost what the difficulty of the question asks for."""
        difficulty = EvidenceDifficulty.of(question, paths) if question else None
        return pack(self.kg, self.encoder, paths, hits, budget or self.budget, truncated, difficulty)


class _Parts:
    """Indexes of a graph, made when first needed. Threads share them; what is kept is exchanged whole, never changed in place."""

    def __init__(self, kg: KnowledgeGraph, encoder: Encoder, lexicon: Lexicon | None) -> None:
        self.kg, self.encoder, self.lexicon = kg, encoder, lexicon
        self._types: dict[bool, tuple[int, NodeTypes]] = {}
        self._triples: tuple[int, dict[int, Triple]] = -1, {}
        self._prose: tuple[int, bool] = -1, False

    def types(self, cased: bool) -> NodeTypes:
        seq = self.kg.store.seq
        known = self._types.get(cased)
        if known is None or known[0] != seq:
            known = self._types[cased] = seq, NodeTypes(self.kg, self.tight.adjacency(), cased=cased)
        return known[1]

    def triples(self) -> dict[int, Triple]:
        """Those read so far in this state of the graph, by row."""
        seq = self.kg.store.seq
        known = self._triples
        if known[0] != seq:
            known = self._triples = seq, {}
        return known[1]

    @cached_property
    def trained(self) -> TrainedScorer:
        return TrainedScorer(self.kg, self.relations, self.encoder)

    @cached_property
    def tight(self) -> TightGraph:
        return TightGraph(self.kg, self.relations)

    @cached_property
    def linker(self) -> Linker:
        return Linker(self.kg)

    @cached_property
    def relations(self) -> RelationIndex:
        return RelationIndex(self.kg, self.encoder, self.lexicon)

    @cached_property
    def gaps(self) -> Gaps:
        return Gaps(self.kg, self.relations)

    def has_prose(self) -> bool:
        """As the store says, asked once for each of its states."""
        seq, known = self.kg.store.seq, self._prose
        if known[0] != seq:
            known = self._prose = seq, self.kg.store.has_prose()
        return known[1]

    @cached_property
    def passages(self) -> PassageSearch:
        from .passages import PassageSearch

        return PassageSearch(self.kg, self.encoder)


def _days(question: Understanding) -> list[tuple[int | None, float]]:
    """(day ordinal or None, factor) in the order they are tried."""
    if question.first is not None and question.last is not None:
        days: list[tuple[int | None, float]] = [(question.last.toordinal(), 1.0)]
        if question.first != question.last:
            days.append((question.first.toordinal(), 1.0))
        return days
    if question.past:
        return [(None, 1.0)]
    return [(date.today().toordinal(), 1.0), (None, EXPIRED)]


def _backward(grounded: Grounded) -> int:
    """Hops that read a fact from its object: of two answers, the one that the facts name as such comes first."""
    return sum(hop.direction < 0 for path in grounded.paths for hop in path.hops)


def _top(found: Found) -> float:
    return found.candidates[0].score if found.candidates else 0.0


def _scaled(candidate: Candidate, factor: float) -> Candidate:
    if factor == 1:
        return candidate
    return replace(candidate, score=candidate.score * factor, parts={**candidate.parts, "expired": factor})


def _text_of(paths: Sequence[Path]) -> frozenset[str]:
    """Stems of all words in the quotes and names along paths."""
    words: set[str] = set()
    for hop in (hop for path in paths for hop in path.hops):
        words.update(stems(f"{hop.triple.subject.label} {hop.triple.relation.label} {hop.triple.object.label}"))
        for span in hop.triple.spans[:3]:
            words.update(stems(span.quote[:2000]))
    return frozenset(words)


def _support(question: Understanding, u: int, paths: Sequence[Path], candidate: Candidate) -> float:
    """Weight of a word that stands in the quotes of a path: most in those of the hop whose unit is nearest to it."""
    unit = question.units[u]
    for path, state in zip(paths, candidate.states):
        if state.hop_of:
            nearest = min(state.hop_of, key=lambda other: abs(question.units[other].position - unit.position))
            if _stands_in(unit, _text_of([Path(path.hops[state.hop_of[nearest] : state.hop_of[nearest] + 1])])):
                return unit.weight * MENTIONED
    return unit.weight * MENTIONED_AWAY if _stands_in(unit, _text_of(paths)) else 0.0


def _stands_in(unit: Unit, words: frozenset[str]) -> bool:
    return not unit.families and set(stems(unit.text)) <= words


def _path(hops: list[tuple[int, int]], triples: dict[int, Triple], candidate: Candidate) -> Path:
    return Path(tuple(Hop(triples[row], direction) for row, direction in hops), candidate.score, dict(candidate.parts))


__all__ = ["Found", "Grounded", "Resolved", "Retriever"]
