"""Many questions: awaited in an event loop, or asked side by side in threads.

Answering is work for a processor and not waiting, so every step is made in a thread and the event loop stays free. The parts of
an agent keep themselves in step with the graph under locks of their own, so that one agent serves all threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypedDict

from ..kg.errors import HoptraceError, InputError
from ..retrieval.base import Budget
from .answer import Action, Answer

if TYPE_CHECKING:
    from .agent import Agent
    from .steps import Step


class How(TypedDict, total=False):
    """What `Agent.ask` takes beside the question."""

    as_of: date | str | None
    budget: Budget | None
    action: Action | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question with its answer, or with the error that it ended in."""

    question: str
    answer: Answer | None = None
    error: Exception | None = None

    def to_dict(self) -> dict[str, Any]:
        """`question`, and `answer` (see `Answer.to_dict`) or `error`, one line."""
        if self.answer is not None:
            return {"question": self.question, "answer": self.answer.to_dict()}
        return {"question": self.question, "error": said(self.error)}


def said(error: Exception | None) -> str:
    """An error in one line; one that nobody raised on purpose is named by its kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, HoptraceError) else f"{type(error).__name__}: {text}".rstrip(": ")


async def stepwise(steps: Iterator[Step]) -> AsyncIterator[Step]:
    """Steps as they are made, each in a thread. Cancelled, the step at hand is finished there and no other is begun."""
    while (step := await asyncio.to_thread(next, steps, None)) is not None:
        yield step


def outcomes(
    agent: Agent, questions: Iterable[str], workers: int, progress: Callable[[int, int], None] | None, how: How
) -> Iterator[Outcome]:
    """What became of each question, in their order, as soon as it and all before it are done. See `Agent.batch`."""
    if workers < 1:
        raise InputError(f"{workers} workers cannot ask anything; at least 1 is needed")
    asked = list(questions)

    def one(question: str) -> Outcome:
        try:
            return Outcome(question, agent.ask(question, **how))
        except Exception as error:  # whatever it is, it is the outcome of this question and of no other
            return Outcome(question, error=error)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="hoptrace")
    try:
        for done, outcome in enumerate(pool.map(one, asked), start=1):
            if progress is not None:
                progress(done, len(asked))
            yield outcome
    finally:
        pool.shutdown(cancel_futures=True)


__all__ = ["How", "Outcome", "outcomes", "said", "stepwise"]
