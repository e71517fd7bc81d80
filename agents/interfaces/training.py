"""Commands that train models on the user's own graph."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import InputError, MissingPathError
from . import render
from .registry import Argument, Result, command

if TYPE_CHECKING:
    from ...retrieval.encoder import Encoder
    from ...retrieval.relations import RelationIndex
    from ..distill.teachers import Teacher
    from .session import Session

TRAINED = ("retriever", "memory")


@command(
    "train",
    "Train a model on the graph: `retriever` is the scorer of paths, `memory` answers facts that it was shown without looking "
    "into the graph. Needs the extra models.",
    Argument("what", "retriever or memory"),
    Argument("questions", "questions mined for training the retriever", int, option=True, default=8000),
    Argument("epochs", "passes of the retriever over them", int, option=True, default=12),
    Argument("share", "of the facts that the memory is shown, the best supported ones first", float, option=True, default=1.0),
    Argument("minutes", "after which training of the memory stops", float, option=True, default=10.0),
    Argument("seed", "of the draws", int, option=True, default=0),
    examples=("retriever", "retriever --questions 3000", "memory --share 0.5"),
)
def train(session: Session, what: str, questions: int, epochs: int, share: float, minutes: float, seed: int) -> Result:
    from ...kg.ingest.report import ProgressEvent
    from ...retrieval.encoder import Encoder
    from ...retrieval.relations import RelationIndex

    if what not in TRAINED:
        raise InputError(f"cannot train {what!r}; known: {', '.join(TRAINED)}")
    if questions < 1 or epochs < 1:
        raise InputError(f"questions and epochs must be at least 1, not {questions} and {epochs}")
    encoder = Encoder.default()
    relations = RelationIndex(session.kg, encoder)
    lines: list[str] = []
    started = time.perf_counter()

    def report(line: str) -> None:
        lines.append(line)
        session.progress(ProgressEvent(len(lines), epochs + 5, line, 0, 0, time.perf_counter() - started, None))

    if what == "memory":
        folder, meta = _memory(session, relations, encoder, share, minutes, seed, report)
    else:
        folder, meta = _retriever(session, relations, encoder, questions, epochs, seed, report)
    lines.append(f"written to {folder}")
    return Result({"what": what, "folder": str(folder), **meta}, lambda out: render.lines(out, "\n".join(lines)))


def _retriever(
    session: Session,
    relations: RelationIndex,
    encoder: Encoder,
    questions: int,
    epochs: int,
    seed: int,
    report: Callable[[str], None],
) -> tuple[Path, dict[str, Any]]:
    from ...retrieval.train_paths import train as train_paths
    from ...retrieval.trained import install

    scorer = train_paths(session.kg, relations, encoder, questions=questions, epochs=epochs, seed=seed, report=report)
    return install(session.kg, scorer), {"relations": len(scorer.families), **scorer.meta}


def _memory(
    session: Session,
    relations: RelationIndex,
    encoder: Encoder,
    share: float,
    minutes: float,
    seed: int,
    report: Callable[[str], None],
) -> tuple[Path, dict[str, Any]]:
    from ..experts.train_memory import install
    from ..experts.train_memory import train as train_memory

    memory = train_memory(session.kg, relations, encoder, share=share, seed=seed, minutes=minutes, report=report)
    return install(memory), memory.meta


@command(
    "distill",
    "Distil a small student from the graph: it reads facts found and answers where paths alone do not. Needs the extra models.",
    Argument(
        "teacher",
        "oracle, a file of chains (JSON lines), or MODULE:NAME of a langchain-core chat model",
        option=True,
        default="oracle",
    ),
    Argument("student", "packaged, or the folder of a causal language model", option=True, default="packaged"),
    Argument("minutes", "what it may take, about", float, option=True, default=30.0),
    Argument("tasks", "most tasks mined to learn from", int, option=True, default=4000),
    Argument("held_out", "tasks in each part that is held out and measured", int, option=True, default=300),
    Argument("seed", "of the draws", int, option=True, default=0),
    Argument("adapter", "of a causal language model: lora or kasa", option=True, default="lora"),
    Argument("out", "where the student is put; the graph's own place, where questions use it, when left out", option=True),
    examples=("", "--teacher chains.jsonl --minutes 10"),
)
def distill(
    session: Session,
    teacher: str,
    student: str,
    minutes: float,
    tasks: int,
    held_out: int,
    seed: int,
    adapter: str,
    out: str | None,
) -> Result:
    from ...kg.ingest.report import ProgressEvent
    from ...retrieval.encoder import Encoder
    from ...retrieval.relations import RelationIndex
    from ..distill.run import Distiller
    from ..distill.students import learner
    from ..distill.trained import student_folder

    kg, started, done = session.kg, time.perf_counter(), [0]

    def report(line: str) -> None:
        done[0] += 1
        session.progress(ProgressEvent(done[0], done[0], line, 0, 0, time.perf_counter() - started, None))

    folder = Path(out) if out else student_folder(kg)
    work, kind = folder.with_name(folder.name + ".work"), learner(student, adapter)
    budget = {"tasks": tasks, "held_out": held_out, "seed": seed}
    relations = RelationIndex(kg, Encoder.default())
    run = Distiller(kg, relations, _teacher(teacher), kind, work, minutes=minutes, report=report, **budget)
    made = run.run(folder)
    data = {"folder": str(made.folder), "hash": made.hash, **made.report}
    return Result(data, lambda console: render.lines(console, str(made)))


def _teacher(named: str) -> Teacher:
    """The teacher that an option names.

    Raises:
        MissingPathError: a file or module that is not there.
        InputError: a module without that name in it.
    """
    from ..distill.teachers import ChatTeacher, FileTeacher, OracleTeacher

    if named == "oracle":
        return OracleTeacher()
    module, _, name = named.partition(":")
    if not name or named.endswith(".jsonl"):
        return FileTeacher(Path(named))
    try:
        model: Any = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise MissingPathError(f"no teacher {named!r}: {error}") from error
    except AttributeError:
        raise InputError(f"no teacher {named!r}: {module} has no {name}") from None
    if not hasattr(model, "invoke"):
        model = model()
    return ChatTeacher(model)


__all__ = ["distill", "train"]
