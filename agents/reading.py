"""Answers read in passages: what the graph does not hold may still be said in its sources.

The question is taken apart (`retrieval.decompose`); each step is asked of the passages about its subject, and the distilled
student points at the answer there, which is the subject of the next step. A hop read in this way becomes a fact with the
sentence that it was read in, so that it is cited and verified like any other; nothing is stored. A question without a plan is
read as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..kg.ingest.dates import find_dates
from ..kg.ingest.sentences import sentences
from ..kg.model import Chunk, Entity, Hop, Literal, Path, Relation, Span, Status, Triple, normalize, stable_id
from ..retrieval.base import Hit
from ..retrieval.decompose import Plan, SubQuestion, decompose
from ..retrieval.question import DATE, NUMBER
from ..retrieval.retriever import Retriever
from .compose import Draft, Reason, because
from .student import Item, Mention, Student, Task
from .values import Value, value_of

READ_AT = 0.25  # probability of a chain below which nothing is said
WHOLE_AT = 0.5  # of a question read as a whole
BEAM = 2  # answers of a step that are followed
_ABOUT, _BESIDE = 2, 2  # passages read for a step: about the subject, and others that name it
_SENTENCES = 12  # of a passage
_LIKELY = 0.1  # of the best answer of a step, for another one to be followed


class Piece(NamedTuple):
    """A sentence of a chunk, or a title (an empty span at its beginning): characters in the text of the source."""

    chunk: Chunk
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Read:
    """A chain of hops read, and the probability of all of them together."""

    hops: tuple[Triple, ...]
    probability: float

    @property
    def answer(self) -> str:
        return self.hops[-1].object.label


class PassageReader:
    """Reads answers in passages.

    Args:
        retriever: over the graph.
        student: points at answers.
    """

    name = "reader"

    def __init__(self, retriever: Retriever, student: Student) -> None:
        self.retriever, self.student = retriever, student

    def compose(self, question: str, names: Sequence[tuple[int, int]], hits: Sequence[Hit]) -> Draft | None:
        """A draft read in the passages found for a question; None where nothing there answers it.

        Args:
            question: the question.
            names: `[start, end)` of names that the graph knows in it.
            hits: passages found for it, the best first.
        """
        plan = decompose(question, names) or decompose(question)
        if plan is not None:
            found = self._follow(plan, hits)
            draft = self._settle(plan, found)
            if draft is not None:
                return draft
        return self._whole(question, hits)

    # ---- by steps

    def _follow(self, plan: Plan, hits: Sequence[Hit]) -> list[list[Read]]:
        """Chains that answer each step, the best first."""
        found: list[list[Read]] = []
        for step in plan.steps:
            begun = [Read((), 1.0)] if isinstance(step.subject, str) else found[step.subject][:BEAM]
            chains = [chain for before in begun for chain in self._step(step, before, hits)]
            found.append(sorted(chains, key=lambda chain: -chain.probability))
        return found

    def _step(self, step: SubQuestion, before: Read, hits: Sequence[Hit]) -> list[Read]:
        """The chains that go on from one over a step."""
        subject = step.subject if isinstance(step.subject, str) else before.answer
        pieces = self._pieces(self._about(subject, step.text(subject), hits))
        asked = step.text(subject)
        at = asked.find(subject)
        named = (Mention(at, at + len(subject), 0),) if at >= 0 else ()
        task = Task(asked, named, tuple(_item(piece, self._title(piece.chunk), subject) for piece in pieces))
        if not pieces:
            return []
        reading, chains = self.student.read(task), list[Read]()
        for spot, probability in reading.answers[:BEAM]:
            said = task.items[spot.item].text[spot.start : spot.end]
            if chains and probability < _LIKELY * chains[0].probability / before.probability:
                break
            if _fits(said, step.kind) and normalize(said) != normalize(subject):
                triple = _fact(subject, step, said, pieces[spot.item], probability)
                chains.append(Read((*before.hops, triple), before.probability * probability))
        return chains

    def _about(self, subject: str, asked: str, hits: Sequence[Hit]) -> list[Chunk]:
        """Passages about a subject, then those found that name it; those found for the step where there are none."""
        about = self.retriever.about(subject, _ABOUT)
        known = {chunk.id for chunk in about}
        words = set(normalize(subject).split())
        for hit in hits:
            if len(about) >= len(known) + _BESIDE:
                break
            title = self._title(hit.chunk)
            if hit.chunk.id not in known and words <= set(f"{normalize(title)} {normalize(hit.chunk.text)}".split()):
                about.append(hit.chunk)
        if not about:
            return [hit.chunk for hit in self.retriever.passages(asked, _ABOUT)]
        return about[: _ABOUT + _BESIDE]

    # ---- the whole question

    def _whole(self, question: str, hits: Sequence[Hit]) -> Draft | None:
        """The question read in the best passages as it is."""
        pieces = self._pieces([hit.chunk for hit in hits[:3]])
        if not pieces:
            return None
        task = Task(question, (), tuple(_item(piece, self._title(piece.chunk), "") for piece in pieces))
        reading = self.student.read(task)
        if not reading.answers or reading.answers[0][1] < WHOLE_AT:
            return None
        spot, probability = reading.answers[0]
        said = task.items[spot.item].text[spot.start : spot.end]
        piece = pieces[spot.item]
        fact = _fact(self._title(piece.chunk) or said, SubQuestion("", "says", ""), said, piece, probability)
        return _draft((said,), said, [Read((fact,), probability)])

    # ---- the answer

    def _settle(self, plan: Plan, found: list[list[Read]]) -> Draft | None:
        """The answer of a plan whose steps were read; None where one of its sides is unknown."""
        sides = [found[side][0] for side in plan.sides if found[side]]
        if len(sides) < len(plan.sides) or math.prod(side.probability for side in sides) < READ_AT ** len(sides):
            return None
        if plan.operation == "compare":
            return self._compare(plan, sides)
        if plan.operation == "yes-no":
            same = len({normalize(side.answer) for side in sides}) == 1
            return _draft((("yes" if same else "no"),), "Yes" if same else "No", sides) if len(sides) > 1 else None
        return _draft((sides[0].answer,), sides[0].answer, sides)

    def _compare(self, plan: Plan, sides: list[Read]) -> Draft | None:
        """The side with the smallest or largest value; the one that the question names first where both are equal."""
        values: list[Value] = []
        for side in sides:
            last = side.hops[-1].object
            value = value_of(last, "date") or value_of(last, "number")
            if value is None:
                return None
            values.append(value)
        if not all(value.comparable(values[0]) for value in values) or not plan.direction:
            return None
        best = max(range(len(sides)), key=lambda i: values[i].key * plan.direction)
        return _draft((plan.names[best],), plan.names[best], sides)

    # ---- passages

    def _pieces(self, chunks: Sequence[Chunk]) -> list[Piece]:
        """Titles and sentences of passages."""
        pieces = []
        for chunk in chunks:
            pieces.append(Piece(chunk, chunk.start, chunk.start))
            pieces += [Piece(chunk, chunk.start + a, chunk.start + b) for a, b in sentences(chunk.text)[:_SENTENCES]]
        return pieces

    def _title(self, chunk: Chunk) -> str:
        return self.retriever.kg.store.source(chunk.source_id).title


def _item(piece: Piece, title: str, subject: str) -> Item:
    """A piece as the student reads it, the subject marked where it is named."""
    text = _text(piece) or title or "-"
    at = text.find(subject) if subject else -1
    return Item(text, (Mention(at, at + len(subject), 0),) if at >= 0 else ())


def _text(piece: Piece) -> str:
    return piece.chunk.text[piece.start - piece.chunk.start : piece.end - piece.chunk.start]


def _fits(said: str, kind: str) -> bool:
    """Whether a text can be of the kind that is asked for."""
    if kind == DATE:
        return bool(find_dates(said))
    if kind == NUMBER:
        return any(c.isdigit() for c in said)
    return bool(normalize(said))


def _fact(subject: str, step: SubQuestion, said: str, piece: Piece, probability: float) -> Triple:
    """A hop that was read, as a fact with its sentence."""
    end = piece.end if piece.end > piece.start else piece.chunk.end
    quote = piece.chunk.text[piece.start - piece.chunk.start : end - piece.chunk.start]
    span = Span(piece.chunk.source_id, piece.start, end, quote, piece.chunk.id, PassageReader.name, probability)
    start, relation = Entity(stable_id("e", normalize(subject)), subject), Relation(stable_id("r", step.words), step.words)
    node = Literal(said, "date") if step.kind == DATE else Entity(stable_id("e", normalize(said)), said)
    shown = {*normalize(f"{subject} {said}").split()} <= {*normalize(quote).split()}
    status = Status.GROUNDED if shown else Status.PROPOSED
    return Triple(stable_id("t", start.id, relation.id, node.id, span.source_id, str(span.start)), start, relation, node, (span,), status)


def _draft(answers: tuple[str, ...], text: str, sides: Sequence[Read]) -> Draft:
    """The draft of chains read; it is as sure as the chain that is least so."""
    hops = [hop for side in sides for hop in side.hops]
    reasons = tuple({hop.id: Reason(_said(hop), hop.spans) for hop in hops}.values())
    paths = tuple(Path(tuple(Hop(hop) for hop in side.hops), side.probability) for side in sides)
    sure = min(side.probability for side in sides)
    return Draft(because(text, reasons), answers, reasons, paths, sure, composer=PassageReader.name)


def _said(hop: Triple) -> str:
    """A hop as a claim."""
    return f"{hop.subject.label}: {hop.relation.label} {hop.object.label}"


__all__ = ["PassageReader"]
