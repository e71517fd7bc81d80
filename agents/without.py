"""What an answer would be without a source: asked of a copy of the graph in which that source was never read.

Forgetting equals never having read, so the copy says exactly what would be known. It lives for one call.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..kg.backup import backup
from ..kg.graph import KnowledgeGraph

if TYPE_CHECKING:
    from datetime import date

    from .agent import Agent
    from .answer import Answer


@dataclass(frozen=True, slots=True)
class Without:
    """An answer with a source and without it. `changed`: other answers, or none."""

    source: str
    before: Answer
    after: Answer

    @property
    def changed(self) -> bool:
        return self.before.answers != self.after.answers

    def to_dict(self) -> dict[str, Any]:
        kept = ("text", "answers", "status", "confidence", "support")
        before, after = ({name: one.to_dict()[name] for name in kept} for one in (self.before, self.after))
        return {
            "question": self.before.question, "source": self.source, "changed": self.changed, "before": before, "after": after
        }  # fmt: skip


def without(agent: Agent, source: str, question: str, *, as_of: date | str | None = None) -> Without:
    """Ask a question with and without a source.

    Args:
        agent: over a graph in a folder.
        source: id or uri.
        question: as for `Agent.ask`.
        as_of: as for `Agent.ask`.

    Raises:
        InputError: there is no such source, or as for `Agent.ask`.
    """
    from .agent import Agent

    before = agent.ask(question, as_of=as_of)
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(backup(agent.kg, Path(folder) / "copy.kg")) as copy:
        copy.forget(source)
        asked = Agent(
            copy,
            model=agent.model,
            encoder=agent.retriever.encoder,
            budget=agent.budget,
            reads=agent.reads,
            writer=agent.writer,
        )
        after = asked.ask(question, as_of=as_of)
    return Without(source, before, after)


__all__ = ["Without", "without"]
