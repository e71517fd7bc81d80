"""Commands that train models on the user's own graph."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import InputError, MissingPathError
from . import render
from .registry import Argument, Result, command

if TYPE_CHECKING:
    from ..distill.teachers import Teacher
    from .session import Session

TRAINED = ("retriever", "memory", "gate")


@command(
    "train",
    "Train a model on the graph: `retriever` scores paths, `memory` answers what it was shown without looking it up (both need "
    "the extra models), `gate` is calibrated on answered questions.",
    Argument("what", "retriever, memory or gate"),
    Argument("questions", "questions mined for training the retriever", int, option=True, default=8000),
    Argument("epochs", "passes of the retriever over them", int, option=True, default=12),
    Argument("share", "of the facts that the memory is shown, the best supported ones first", float, option=True, default=1.0),
    Argument("minutes", "after which training of the memory stops", float, option=True, default=10.0),
    Argument("seed", "of the draws", int, option=True, default=0),
    Argument("asked", "for the gate: JSON lines with question and answer or answers", option=True),
    Argument("error", "for the gate: share of wrong answers among those given that may be", float, option=True, default=0.1),
    examples=("retriever", "retriever --questions 3000", "memory --share 0.5", "gate --asked questions.jsonl --error 0.05"),
    local="minutes of work, for the owner of the graph",
)
def train(
    session: Session,
    what: str,
    questions: int,
    epochs: int,
    share: float,
    minutes: float,
    seed: int,
    asked: str | None,
    error: float,
) -> Result:
    if what not in TRAINED:
        raise InputError(f"cannot train {what!r}; known: {', '.join(TRAINED)}")
    if what == "gate":
        return _train_gate(session, asked, error, seed)
    if what == "memory":
        return _train_memory(session, share, minutes, seed)
    return _train_retriever(session, questions, epochs, seed)


def _train_retriever(session: Session, questions: int, epochs: int, seed: int) -> Result:
    """Train the scorer of paths on questions mined from the graph."""
    from ...retrieval.encoder import Encoder
    from ...retrieval.relations import RelationIndex
    from ...retrieval.train_paths import train as train_paths
    from ...retrieval.trained import install

    if questions < 1 or epochs < 1:
        raise InputError(f"questions and epochs must be at least 1, not {questions} and {epochs}")
    encoder, lines = Encoder.default(), _Lines(session, epochs + 5)
    relations = RelationIndex(session.kg, encoder)
    scorer = train_paths(session.kg, relations, encoder, questions=questions, epochs=epochs, seed=seed, report=lines)
    folder = install(session.kg, scorer)
    return lines.result("retriever", folder, {"relations": len(scorer.families), **scorer.meta})


def _train_memory(session: Session, share: float, minutes: float, seed: int) -> Result:
    """Train the memory on facts of the graph, put into questions by the lexicon."""
    from ...retrieval.encoder import Encoder
    from ...retrieval.relations import RelationIndex
    from ..experts.train_memory import install
    from ..experts.train_memory import train as train_memory

    encoder, lines = Encoder.default(), _Lines(session, 10)
    relations = RelationIndex(session.kg, encoder)
    memory = train_memory(session.kg, relations, encoder, share=share, seed=seed, minutes=minutes, report=lines)
    return lines.result("memory", install(memory), memory.meta)


class _Lines:
    """Lines of a training: shown as progress while it runs, and kept for its result."""

    def __init__(self, session: Session, total: int) -> None:
        self.session, self.total, self.started = session, total, time.perf_counter()
        self.kept: list[str] = []

    def __call__(self, line: str) -> None:
        from ...kg.ingest.report import ProgressEvent

        self.kept.append(line)
        total, spent = max(self.total, len(self.kept)), time.perf_counter() - self.started
        self.session.progress(ProgressEvent(len(self.kept), total, line, 0, 0, spent, None))

    def result(self, what: str, folder: Path, meta: dict[str, Any]) -> Result:
        text = "\n".join([*self.kept, f"written to {folder}; questions use it from now on"])
        return Result({"what": what, "folder": str(folder), **meta}, lambda out: render.lines(out, text))


def _train_gate(session: Session, asked: str | None, error: float, seed: int) -> Result:
    """Calibrate the gate on questions with known answers."""
    from ...kg.ingest.report import ProgressEvent
    from ..evaluate import load_questions
    from ..train_gate import calibrate, observe, save_gate
    from ..utility import Price

    if not asked:
        raise InputError("a gate is calibrated on questions with known answers: --asked FILE")
    if not 0 < error < 1:
        raise InputError(f"error is a share between 0 and 1, not {error}")
    started = time.perf_counter()

    def report(done: int, total: int) -> None:
        session.progress(ProgressEvent(done, total, "questions", 0, 0, time.perf_counter() - started, None))

    outcomes = observe(session.agent, load_questions(asked), report)
    gate, figures = calibrate(outcomes, error=error, price=Price(), seed=seed)
    folder = save_gate(session.agent, gate, figures)
    worth = ", ".join(f"{name} {value:.3f}" for name, value in figures["utility"].items())
    promise = (
        f"at most {error:.0%} of answers wrong, with confidence 90 %" if figures["guaranteed"] else "no error rate is promised"
    )
    lines = f"utility on {figures['held_out']} questions held out: {worth}\n{promise}\nwritten to {folder}"
    return Result({"what": "gate", "folder": str(folder), **figures}, lambda out: render.lines(out, lines))


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
    python="agents.distill.run.Distiller",
    local="minutes of work, for the owner of the graph",
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
