"""The agent: what users hold. Everything it does is a stream of steps (`agents.loop`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ..kg.artefacts import MANIFEST
from ..kg.errors import InputError
from ..retrieval.base import Budget
from .answer import Action, Answer
from .steps import Answered, Step, Understood

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from ..retrieval.encoder import Encoder
    from ..retrieval.retriever import Retriever
    from .acting import Means, Memory, ModelComposer
    from .consult import Consultation
    from .gate import Gate
    from .profiles import Given, Profile
    from .whynot import WhyNot

MAX_QUESTION = 20_000  # characters


class Agent:
    """Answers questions over a graph, every hop traced to its characters; ask from any number of threads.

    Args:
        kg: the graph to ask.
        model: any langchain-core chat model that composes answers from numbered evidence; with None the path composer
            answers and no model is called.
        encoder: an `Encoder`; the packaged one where None.
        budget: limits of a question.
        reads: whether the distilled student reads passages where the graph has no answer.
        writer: whether the answer's text is written as whole sentences (`agents.writer`); with False it is the plain list of
            facts, which `Answer.realised` has in either case.
    """

    def __init__(
        self,
        kg: KnowledgeGraph,
        *,
        model: Any | None = None,
        encoder: Encoder | None = None,
        budget: Budget | None = None,
        reads: bool = True,
        writer: bool = True,
    ) -> None:
        self.kg, self.model, self.encoder, self.budget = kg, model, encoder, budget or Budget()
        self.reads, self.writer = reads, writer
        self._retriever: Retriever | None = None
        self._student: ModelComposer | None = None
        self._remembers: tuple[int, Memory | None] | None = None
        self._gated: tuple[tuple[int, int], Gate] | None = None
        self._guard = threading.RLock()

    @property
    def retriever(self) -> Retriever:
        """The retriever over this agent's graph, made on first use."""
        with self._guard:
            if self._retriever is None:
                from ..retrieval.encoder import Encoder
                from ..retrieval.retriever import Retriever

                self._retriever = Retriever(self.kg, self.encoder or Encoder.default(), self.budget)
            return self._retriever

    def ask(
        self,
        question: str,
        *,
        as_of: date | str | None = None,
        budget: Budget | None = None,
        action: Action | None = None,
    ) -> Answer:
        """Answer a question.

        Args:
            question: in plain English; the things it is about named.
            as_of: a day (or ISO date) at which the facts must hold.
            budget: limits of this question.
            action: do this in place of what the gate would choose: "path", "path+text", "internal" (from memory) or "abstain".

        Raises:
            InputError: the question is empty or longer than 20,000 characters, or `as_of` is no ISO date.
        """
        for step in self.stream(question, as_of=as_of, budget=budget, action=action):
            if isinstance(step, Answered):
                return step.answer
        raise InputError("the question gave no answer step")

    def stream(
        self,
        question: str,
        *,
        as_of: date | str | None = None,
        budget: Budget | None = None,
        action: Action | None = None,
    ) -> Iterator[Step]:
        """The steps of `ask` as they happen; the last one holds the answer."""
        from .loop import stream

        day, text = _day(as_of), _text(question)
        yield from stream(text, self.retriever, self._means(), as_of=day, budget=budget, action=action)

    def _means(self) -> Means:
        """What may answer a question now, and the gate that decides among it."""
        from .train_gate import gate_folder, load_gate

        manifest = gate_folder(self.kg) / MANIFEST
        stamp = (manifest.stat().st_mtime_ns if manifest.is_file() else 0, self.kg.store.seq)
        with self._guard:
            if self._gated is None or self._gated[0] != stamp:
                self._gated = (stamp, load_gate(self))
            return replace(self._able(), gate=self._gated[1])

    def _able(self) -> Means:
        with self._guard:
            return self._found()

    def _found(self) -> Means:
        from .acting import Means

        if self.model is not None:
            from .chat import ChatComposer

            return Means(model=ChatComposer(self.model))
        from .experts.memory import memory_folder
        from .experts.remember import remembering
        from .reading import PassageReader
        from .student import Student
        from .writer import Writer

        memory = memory_folder(self.kg) / MANIFEST
        stamp = memory.stat().st_mtime_ns if memory.is_file() else 0
        if self._remembers is None or self._remembers[0] != stamp:
            self._remembers = (stamp, remembering(self.retriever) if stamp else None)
        reads = self.reads and self.retriever.has_prose
        return Means(
            reader=PassageReader(self.retriever, Student.default()) if reads else None,
            student=self._distilled(),
            memory=self._remembers[1],
            writer=Writer.default() if self.writer else None,
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """What can be done on a question, beside abstaining."""
        means = self._able()
        found: list[Action] = ["path"]
        if means.reader is not None or means.model is not None:
            found.append("path+text")
        if means.memory is not None:
            found.append("internal")
        return tuple(found)

    def _distilled(self) -> ModelComposer | None:
        """The composer over the student distilled for the graph, None where there is none."""
        if self._student is None and (self.kg.path / "models" / "student").is_dir():
            from .distill.composer import StudentComposer
            from .distill.trained import GraphStudent

            self._student = StudentComposer(GraphStudent(self.kg, self.retriever.relations))
        return self._student

    def advise(self, profile: Profile | Given, *, as_of: date | str | None = None) -> Answer:
        """What the rules of the graph call for, given a profile: see `consult`, whose first answer this is."""
        return self.consult(profile, as_of=as_of).advise()

    def consult(self, profile: Profile | Given, *, as_of: date | str | None = None) -> Consultation:
        """Advice for a profile, and the questions that follow; the profile stays beside the graph (`agents.consult`).

        Args:
            profile: a `Profile`, a JSON file, or a mapping of measurements, conditions and reports.
            as_of: rules and statements as of this day.

        Raises:
            MissingPathError: no such file.
            ProfileError: the profile cannot be read, or has a value that cannot be.
            InputError: the graph holds no rules (`agents.guidance`), or as for `ask`.
        """
        from .consult import Consultation

        return Consultation(self, profile, as_of=_day(as_of))

    def why_not(self, question: str | Answer, entity: str, *, as_of: date | str | None = None) -> WhyNot:
        """Why an entity is not the answer: the best rejected path to it, and what it lost by.

        Args:
            question: a question, or the answer to one.
            entity: a name, alias, IRI or id; one that the graph does not hold is a reason too.
            as_of: the day the question was asked for; an answer's own is known.

        Raises:
            InputError: as for `ask`.
        """
        from .whynot import why_not

        if not isinstance(question, str):
            said = next((step.as_of for step in question.trace if isinstance(step, Understood)), "")
            question = question.question
            if not as_of and self.retriever.read(question, self.retriever.link(question)).last is None:
                as_of = said or None  # no day in its words, so it was given
        return why_not(self.retriever, _text(question), entity, as_of=_day(as_of))


def _text(question: str) -> str:
    """The question on one line."""
    text = " ".join(question.split())
    if not text:
        raise InputError("the question is empty")
    if len(text) > MAX_QUESTION:
        raise InputError(f"the question has {len(text)} characters, at most {MAX_QUESTION} are read")
    return text


def _day(value: date | str | None) -> date | None:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"as_of {value!r} is no ISO date, such as 2023-06-30") from None
