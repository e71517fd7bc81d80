"""The typed steps of one question, in the order they happen. The stream is the trace, the log and the replay."""

from __future__ import annotations

from dataclasses import dataclass

from ..kg.model import Path
from ..retrieval.base import Hit, Seed
from ..retrieval.rewrite import Rewrite
from .answer import Answer, Route


@dataclass(frozen=True, slots=True)
class Linked:
    """Question mentions tied to entities, ambiguity kept as several seeds for one mention.

    Where the question was rewritten, everything after this step, the places of the seeds included, is about the rewrite.
    """

    seeds: tuple[Seed, ...]
    rewrite: Rewrite | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What the question asks for: the operation, the words a path must explain, the answer type, the day asked about."""

    operation: str
    words: tuple[str, ...]
    answer_type: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Gated:
    route: Route


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Paths and passages found, best first. `truncated` names the budgets that were hit."""

    paths: tuple[Path, ...]
    hits: tuple[Hit, ...]
    truncated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft answer before its citations are verified. `composer` is path or the model's name."""

    composer: str
    text: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How many citations were re-read and how many claims were dropped because theirs failed."""

    citations: int
    failed: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Answered:
    answer: Answer


Step = Linked | Understood | Gated | Retrieved | Composed | Verified | Answered
