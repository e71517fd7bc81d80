"""Commands that train models on the user's own graph."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...kg.errors import InputError
from . import render
from .registry import Argument, Result, command

if TYPE_CHECKING:
    from .session import Session

TRAINED = ("retriever",)


@command(
    "train",
    "Train a model on questions mined from the graph; `retriever` is the scorer of paths. Needs the extra models.",
    Argument("what", "retriever"),
    Argument("questions", "questions mined for training", int, option=True, default=8000),
    Argument("epochs", "passes over them", int, option=True, default=12),
    Argument("seed", "of the draws", int, option=True, default=0),
    examples=("retriever", "retriever --questions 3000"),
)
def train(session: Session, what: str, questions: int, epochs: int, seed: int) -> Result:
    from ...kg.ingest.report import ProgressEvent
    from ...retrieval.encoder import Encoder
    from ...retrieval.relations import RelationIndex
    from ...retrieval.train_paths import train as train_paths
    from ...retrieval.trained import install

    if what not in TRAINED:
        raise InputError(f"cannot train {what!r}; known: {', '.join(TRAINED)}")
    if questions < 1 or epochs < 1:
        raise InputError(f"questions and epochs must be at least 1, not {questions} and {epochs}")
    kg, encoder = session.kg, Encoder.default()
    lines: list[str] = []
    started = time.perf_counter()

    def report(line: str) -> None:
        lines.append(line)
        session.progress(ProgressEvent(len(lines), epochs + 5, line, 0, 0, time.perf_counter() - started, None))

    relations = RelationIndex(kg, encoder)
    scorer = train_paths(kg, relations, encoder, questions=questions, epochs=epochs, seed=seed, report=report)
    folder = install(kg, scorer)
    lines.append(f"written to {folder}; questions use it from now on")
    data = {"what": what, "folder": str(folder), "relations": len(scorer.families), **scorer.meta}
    return Result(data, lambda out: render.lines(out, "\n".join(lines)))


__all__ = ["train"]
