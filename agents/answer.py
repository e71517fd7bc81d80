"""What an agent gives back: an answer whose every hop can be followed to the characters it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..kg.frames import Row, Tabular
from ..kg.model import Path
from ..kg.show import Picture, Shown
from .support import NOBODY, Support

if TYPE_CHECKING:
    from .steps import Step

Action = Literal["internal", "adapter", "verify", "path", "path+text", "abstain"]
Mode = Literal["rule", "shrunk", "calibrated", "forced"]
AnswerStatus = Literal["answered", "abstained", "partial", "stopped"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Characters `[start, end)` of a source. `verified`: they were re-read from the store and match the quote and its hash."""

    id: int
    source: str
    chunk_id: str
    start: int
    end: int
    quote: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the rationale and the ids of the citations it rests on."""

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """What the gate chose and why.

    Attributes:
        action: what was done in the end.
        mode: what made the choice: rules, a gate drawn to them because it has seen few outcomes, a calibrated one, or the asker.
        scores: what it was decided by, numbers alone.
        reason: in words, with what could not be used.
        cost: retrievals, tokens of evidence, milliseconds.
        promised: share of wrong answers that is kept with confidence 0.9; None where no error rate is promised.
    """

    action: Action
    mode: Mode = "rule"
    scores: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    cost: dict[str, float] = field(default_factory=dict)
    promised: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens (WordPiece for evidence, the provider's own for a model) and model calls of one question."""

    evidence_tokens: int = 0
    window_tokens: int = 0
    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer(Tabular, Shown):
    """The result of a question. `text` is a sentence for people, `answers` the bare values, [] when abstaining.

    `realised` is the plain text, the answers and then each fact by itself; it is `text` where no writer wrote that. `support`
    says by how many sources of their own the weakest hop is stated, and what others say instead.
    """

    question: str
    text: str
    answers: tuple[str, ...]
    status: AnswerStatus
    confidence: float
    route: Route
    rationale: tuple[Claim, ...] = ()
    paths: tuple[Path, ...] = ()
    citations: tuple[Citation, ...] = ()
    usage: Usage = Usage()
    timings_ms: dict[str, float] = field(default_factory=dict)
    trace: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()  # why the answers may be incomplete
    realised: str = ""
    support: Support = NOBODY
    generation: int = 0  # ledger number of the graph that was asked

    def rows(self) -> Iterator[Row]:
        """The hops of the paths, once for each place that states them; the score is the path's."""
        uris = {(c.chunk_id, c.start, c.end): c.source for c in self.citations}
        for path in self.paths:
            for triple in (hop.triple for hop in path.hops):
                for span in triple.spans:
                    uri = uris.get((span.chunk_id, span.start, span.end), span.source_id)
                    names = (triple.subject.label, triple.relation.label, triple.object.label)
                    scores = (path.score, span.confidence, self.generation)
                    yield Row(*names, span.chunk_id, uri, span.start, span.end, *scores)

    def citations_of(self, triple_spans: tuple[Any, ...]) -> tuple[int, ...]:
        """Ids of the citations that point at any of these spans."""
        spots = {(span.start, span.end, span.chunk_id) for span in triple_spans}
        return tuple(c.id for c in self.citations if (c.start, c.end, c.chunk_id) in spots)

    def _shown(self) -> Picture:
        from .show import of_answer

        return of_answer(self)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of `hoptrace ask --json` (DESIGN: public contract)."""
        return {
            "question": self.question,
            "text": self.text,
            "realised": self.realised or self.text,
            "answers": list(self.answers),
            "status": self.status,
            "confidence": round(self.confidence, 4),
            "route": {
                "action": self.route.action,
                "mode": self.route.mode,
                "scores": {k: round(v, 4) for k, v in self.route.scores.items()},
                "reason": self.route.reason,
                "cost": dict(self.route.cost),
                "promised": self.route.promised,
            },
            "rationale": [{"text": c.text, "citations": list(c.citations)} for c in self.rationale],
            "paths": [
                {
                    "score": round(path.score, 4),
                    "hops": [{**hop.to_dict(), "citations": list(self.citations_of(hop.triple.spans))} for hop in path.hops],
                }
                for path in self.paths
            ],
            "citations": [asdict(citation) for citation in self.citations],
            "support": self.support.to_dict(),
            "usage": asdict(self.usage),
            "timings_ms": {k: round(v, 2) for k, v in self.timings_ms.items()},
        }
