"""What an agent gives back: an answer whose every hop can be followed to the characters it came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..kg.model import Path

if TYPE_CHECKING:
    from .steps import Step

Action = Literal["internal", "adapter", "verify", "path", "path+text", "abstain"]
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
    """What the gate chose and why. `mode` is calibrated, rule or forced."""

    action: Action
    mode: str = "rule"
    scores: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    cost: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens (WordPiece for evidence, the provider's own for a model) and model calls of one question."""

    evidence_tokens: int = 0
    window_tokens: int = 0
    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a question. `text` is a sentence for people, `answers` the bare values, [] when abstaining.

    `realised` is the plain text, the answers and then each fact by itself; it is `text` where no writer wrote that.
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

    def citations_of(self, triple_spans: tuple[Any, ...]) -> tuple[int, ...]:
        """Ids of the citations that point at any of these spans."""
        spots = {(span.start, span.end, span.chunk_id) for span in triple_spans}
        return tuple(c.id for c in self.citations if (c.start, c.end, c.chunk_id) in spots)

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
            },
            "rationale": [{"text": c.text, "citations": list(c.citations)} for c in self.rationale],
            "paths": [
                {
                    "score": round(path.score, 4),
                    "hops": [
                        {
                            "subject": hop.triple.subject.label,
                            "relation": hop.triple.relation.label,
                            "object": hop.triple.object.label,
                            "direction": hop.direction,
                            "triple_id": hop.triple.id,
                            "citations": list(self.citations_of(hop.triple.spans)),
                        }
                        for hop in path.hops
                    ],
                }
                for path in self.paths
            ],
            "citations": [asdict(citation) for citation in self.citations],
            "usage": asdict(self.usage),
            "timings_ms": {k: round(v, 2) for k, v in self.timings_ms.items()},
        }
