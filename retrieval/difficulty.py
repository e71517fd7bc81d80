"""How much evidence a question needs and how hard it is to gather: scope and dispersion.

Goldman et al. 2024, *Is It Really Long Context if All You Need Is Retrieval?*, names the two axes and gives no formula;
the measures here are ours. Scope counts the facts that the plan of an answer needs. Dispersion says how far they lie
apart and how little gives them away: 0 for one sentence in the words of the question, 1 for single mentions in other
words, each in a source of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p

from ..kg.model import Path, Span, Triple
from .wordings import stems
from .words import STOPWORDS

FAR = 5000  # characters between two spans of one source that count as far apart as two sources


@dataclass(frozen=True, slots=True)
class EvidenceDifficulty:
    """Scope (facts needed, at least 1) and dispersion (0 to 1) of one question."""

    scope: int = 1
    dispersion: float = 0.0

    @classmethod
    def of(cls, question: str, paths: Sequence[Path]) -> EvidenceDifficulty:
        """Estimate both from the paths found, best first.

        The plan is the relations of the best path; every path with the same relations is another of its answers (an item
        of a list, a member of a group), and the distinct facts of all of these are needed. Dispersion is the mean of four
        parts: words of the question that no quote says, sources per fact, the inverse of how many sources say a fact, and
        the distance between neighbouring spans.

        Args:
            question: any text.
            paths: of a retriever; without any, one easy fact is assumed.
        """
        plan = [path for path in paths if _signature(path) == _signature(paths[0])]
        facts = list({hop.triple.id: hop.triple for path in plan for hop in path.hops}.values())
        spans = [fact.spans[0] for fact in facts if fact.spans]
        if not spans:
            return cls()
        parts = (_unsaid(question, facts), _spread(spans), sum(1 / _sources(fact) for fact in facts) / len(facts), _gap(spans))
        return cls(len(facts), sum(parts) / len(parts))


def _signature(path: Path) -> tuple[tuple[str, int], ...]:
    return tuple((hop.triple.relation.id, hop.direction) for hop in path.hops)


def _sources(fact: Triple) -> int:
    return len({span.source_id for span in fact.spans}) or 1


def _unsaid(question: str, facts: Sequence[Triple]) -> float:
    """Share of the question's content words that stand in no quote."""
    asked = {stem for word in question.lower().split() if word.strip("?,.!") not in STOPWORDS for stem in stems(word)}
    said = {stem for fact in facts for span in fact.spans[:1] for stem in stems(span.quote)}
    return len(asked - said) / len(asked) if asked else 0.0


def _spread(spans: Sequence[Span]) -> float:
    """0 when one source holds every fact, 1 when each has its own."""
    return (len({span.source_id for span in spans}) - 1) / max(len(spans) - 1, 1)


def _gap(spans: Sequence[Span]) -> float:
    """Mean distance between neighbours in reading order, on a logarithmic scale; 1 across sources."""
    ordered = sorted(spans, key=lambda span: (span.source_id, span.start))
    gaps = [
        1.0 if one.source_id != other.source_id else min(log1p(max(other.start - one.end, 0)) / log1p(FAR), 1.0)
        for one, other in pairwise(ordered)
    ]
    return sum(gaps) / len(gaps) if gaps else 0.0


__all__ = ["EvidenceDifficulty"]
