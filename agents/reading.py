"""Answers read in passages: what the graph does not hold may still be said in its sources.

The question is taken apart (`retrieval.decompose`). Each step is asked of the graph and, where it records nothing, of the
passages about its subject, where the distilled student points at the answer; that is the subject of the next step. A hop read
in this way becomes a fact with the sentence that it was read in, so that it is cited and verified like any other; nothing is
stored. A question without a plan is read as a whole.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..kg.ingest.dates import find_dates
from ..kg.ingest.lexicon import DEMONYMS
from ..kg.ingest.sentences import sentences
from ..kg.model import Chunk, Entity, Hop, Literal, Path, Relation, Span, Status, Triple, normalize, stable_id
from ..retrieval.base import Budget, Hit
from ..retrieval.decompose import Plan, SubQuestion, decompose
from ..retrieval.linking import Link
from ..retrieval.question import DATE, NUMBER, STOPWORDS
from ..retrieval.retriever import Retriever
from ..retrieval.wordings import families, stem
from .compose import Draft, PathComposer, because, reasons_of
from .student import Item, Mention, Student, Task
from .student.candidates import candidates
from .values import Value, parse_number, value_of

READ_AT = 0.2  # probability of a chain below which nothing is said
WHOLE_AT = 0.5  # of a question read as a whole
BEAM = 2  # answers of a step that are followed
LIFESPAN = "lifespan"  # a step that two days answer
STEP_HOPS = 2  # of the graph, for one step
_ABOUT, _BESIDE = 2, 1  # passages read for a step: about the subject, and others that name it
_SENTENCES = 8  # of a passage
_STATED = 0.6  # how sure a sentence with the words asked for makes of a yes, and its absence of a no
_ASKING = frozenset("it who whom whose what which when where how is are was were do does did has have had".split())
_YES_NO = re.compile(r"(?:is|are|was|were|do|does|did|has|have|had|can|could)\b")
_NATIONAL = re.compile(r"\b(?:countr|nation|citizen|from\b)")  # asked for, an adjective of a country is an answer
_UNSTATED = 0.2  # weight of an answer in a sentence without any word for what is asked
_ELSEWHERE = 0.2  # weight of one in a sentence about other things
_LIKELY = 0.1  # of the best answer of a step, for another one to be followed
_IDENTITY = re.compile(r"(?:is|was|are|were) .+ it$")


class Piece(NamedTuple):
    """A sentence of a chunk, or a title (an empty span at its beginning): characters in the text of the source."""

    chunk: Chunk
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Read:
    """A chain of hops, the answer at its end, and the probability of all of them together."""

    hops: tuple[Hop, ...]
    answer: str
    probability: float

    def then(self, hops: Sequence[Hop], answer: str, probability: float) -> Read:
        """The chain with more hops, which are sure with this probability."""
        return Read((*self.hops, *hops), answer, self.probability * probability)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the steps of one question may draw on: the passages found for it, and the budget of a path search."""

    hits: Sequence[Hit]
    budget: Budget


class PassageReader:
    """Reads answers in passages.

    Args:
        retriever: over the graph.
        student: points at answers.
    """

    name = "reader"

    def __init__(self, retriever: Retriever, student: Student) -> None:
        self.retriever, self.student = retriever, student

    def compose(self, question: str, links: Sequence[Link], hits: Sequence[Hit], budget: Budget) -> Draft | None:
        """A draft read in the passages found for a question; None where nothing there answers it, or its steps are more than the
        hops of the budget.

        Args:
            question: the question.
            links: names in it.
            hits: passages found for it, the best first.
            budget: limits of the question.
        """
        hits = [hit for hit in hits if hit.chunk.kind == "text"]
        if not hits:
            return None
        plan = decompose(question) or decompose(question, [(link.start, link.end) for link in links])
        if plan is None:
            return self._whole(question, hits)
        if max(_length(plan, side) for side in plan.sides) > budget.hops:
            return None
        return self._settle(plan, self._follow(plan, Sources(hits, replace(budget, hops=min(STEP_HOPS, budget.hops)))))

    def outranks(self, question: str, draft: Draft) -> bool:
        """Whether the steps of a question are to be followed although the graph gave an answer: its path falls short,
        or the question is whether two things are alike, and paths only tell whether one leads to the other."""
        plan = decompose(question)
        alike = plan is not None and plan.operation == "yes-no" and len(plan.sides) > 1
        return alike or self.falls_short(question, draft)

    def falls_short(self, question: str, draft: Draft) -> bool:
        """Whether a path has fewer hops than the question has steps, so that it answers another question."""
        plan = decompose(question)
        if plan is None or len(plan.sides) > 1:
            return False
        return any(len(path.hops) < _length(plan, plan.sides[0]) for path in draft.paths[:1])

    # ---- by steps

    def _follow(self, plan: Plan, sources: Sources) -> list[list[Read]]:
        """Chains that answer each step, the best first."""
        found: list[list[Read]] = []
        for step in plan.steps:
            begun = [Read((), step.subject, 1.0)] if isinstance(step.subject, str) else found[step.subject][:BEAM]
            chains = [chain for before in begun for chain in self._step(step, before, sources)]
            found.append(sorted(chains, key=lambda chain: -chain.probability))
        return found

    def _step(self, step: SubQuestion, before: Read, sources: Sources) -> list[Read]:
        """The chains that go on from one over a step."""
        if step.words == LIFESPAN:
            return self._lifespan(step, before, sources)
        recorded = self._recorded(step, before, sources.budget)
        title = "" if recorded else self._titled(before.answer)
        if title:
            recorded = self._recorded(step, replace(before, answer=title), sources.budget)
        return recorded or self._in_passages(step, replace(before, answer=title or before.answer), sources.hits)

    def _titled(self, name: str) -> str:
        """The title of the source about something that is named with more words there than its title has ("King Oswiu of
        Northumbria", "Archduke Otto von Habsburg"); "" where its full name is a title, or no shorter one is."""
        words = name.split()
        shorter = [words[first:] for first in range(min(3, len(words)))]
        shorter += [some[: some.index("of")] for some in shorter if "of" in some]
        for some in shorter:
            found = self.retriever.about(" ".join(some), 1) if some and len("".join(some)) > 3 else []
            if found:
                return "" if some == words else " ".join(some)
        return ""

    def _recorded(self, step: SubQuestion, before: Read, budget: Budget) -> list[Read]:
        """The chain over what the graph records for a step."""
        asked = step.text(before.answer)
        links = self.retriever.link(asked)
        if not links or not all(link.seeds for link in links):
            return []
        reading = self.retriever.read(asked, links)
        draft = PathComposer(self.retriever).compose(reading, links, self.retriever.search(reading, links, budget))
        if draft.status != "answered":
            return []
        return [before.then(draft.paths[0].hops, draft.answers[0], draft.confidence)]

    def _in_passages(self, step: SubQuestion, before: Read, hits: Sequence[Hit]) -> list[Read]:
        """The chains over what the student points at for a step."""
        subject, asked = before.answer, step.text(before.answer)
        pieces = self._pieces(self._about(step, subject, asked, hits))
        if not pieces:
            return []
        if _YES_NO.match(step.words):
            return self._holds(step, before, pieces)
        at = asked.find(subject)
        named = (Mention(at, at + len(subject), 0),) if at >= 0 else ()
        titles = [self._title(piece.chunk) for piece in pieces]
        task = Task(asked, named, _items(pieces, titles, subject, free=not step.kind))
        chains: list[Read] = []
        best = 0.0
        for spot, probability in self.student.read(task).answers[:BEAM]:
            said = task.items[spot.item].text[spot.start : spot.end]
            probability *= _support(step, subject, said, pieces[spot.item], titles[spot.item])
            best = max(best, probability)
            if probability >= _LIKELY * best and _fits(said, step.kind) and normalize(said) != normalize(subject):
                fact = _fact(subject, step, said, pieces[spot.item], probability)
                chains.append(before.then([Hop(fact)], said, probability))
        return chains

    def _lifespan(self, step: SubQuestion, before: Read, sources: Sources) -> list[Read]:
        """How long somebody lived, in days, from the two days read."""
        ends = [
            self._step(SubQuestion(step.subject, words, DATE), before, sources) for words in ("date of birth", "date of death")
        ]
        if not all(ends):
            return []
        born, died = (chains[0] for chains in ends)
        days = [find_dates(chain.answer) for chain in (born, died)]
        if not all(days):
            return []
        begin, end = born.hops[-1].triple, died.hops[-1].triple
        lived = Literal(str((days[1][0].first - days[0][0].first).days), "integer")
        fact = replace(begin, id=stable_id("t", begin.id, end.id), object=lived, spans=(*begin.spans, *end.spans))
        fact = replace(fact, relation=Relation(stable_id("r", LIFESPAN), "lifespan in days"))
        return [before.then([Hop(fact)], lived.value, born.probability * died.probability / before.probability**2)]

    def _holds(self, step: SubQuestion, before: Read, pieces: Sequence[Piece]) -> list[Read]:
        """Whether a sentence about the subject says what the step asks it to: every word of it, by stem."""
        asked = {stem for word, stem in _stems(step.words) if word not in STOPWORDS and word != "it"}
        pieces = [piece for piece in pieces if piece.end > piece.start]
        about = [piece for piece in pieces if normalize(self._title(piece.chunk)) == normalize(before.answer)] or pieces
        if not asked or not about:
            return []
        best = max(about, key=lambda piece: len(asked & {stem for _, stem in _stems(_text(piece))}))
        holds = asked <= {stem for _, stem in _stems(_text(best))}
        said = "yes" if holds else "no"
        return [before.then([Hop(_fact(before.answer, step, said, best, _STATED))], said, _STATED)]

    def _about(self, step: SubQuestion, subject: str, asked: str, hits: Sequence[Hit]) -> list[Chunk]:
        """Passages about a subject, then others that name it: of those found for the question, or for a step that is more than a
        noun, of those found for it. Where there are none, what is found for the step."""
        about = self.retriever.about(subject, _ABOUT)
        if not about or " it" in f" {step.words}":
            hits = [*self.retriever.passages(asked, _ABOUT + _BESIDE), *hits]
        known = {chunk.id for chunk in about}
        words = set(normalize(subject).split())
        named = [hit.chunk for hit in hits if words <= {*normalize(f"{self._title(hit.chunk)} {hit.chunk.text}").split()}]
        beside = {chunk.id: chunk for chunk in named if chunk.id not in known}
        found = [*about, *beside.values()] or [hit.chunk for hit in hits]
        return found[: max(len(about) + _BESIDE, _ABOUT)]

    # ---- the whole question

    def _whole(self, question: str, hits: Sequence[Hit]) -> Draft | None:
        """The question read in the best passages as it is."""
        pieces = self._pieces([hit.chunk for hit in hits[:3]])
        if not pieces:
            return None
        task = Task(question, (), _items(pieces, [self._title(piece.chunk) for piece in pieces], "", free=True))
        reading = self.student.read(task)
        if not reading.answers or reading.answers[0][1] < WHOLE_AT:
            return None
        spot, probability = reading.answers[0]
        said = task.items[spot.item].text[spot.start : spot.end]
        if normalize(said) in normalize(question):
            return None
        piece = pieces[spot.item]
        fact = _fact(self._title(piece.chunk) or said, SubQuestion("", "says", ""), said, piece, probability)
        return _draft((said,), said, [Read((Hop(fact),), said, probability)])

    # ---- the answer

    def _settle(self, plan: Plan, found: list[list[Read]]) -> Draft | None:
        """The answer of a plan whose steps were read; None where one of its sides is unknown."""
        sides = [found[side][0] for side in plan.sides if found[side]]
        if len(sides) < len(plan.sides) or min(side.probability for side in sides) < READ_AT:
            return None
        if plan.operation == "compare":
            return self._compare(plan, sides)
        if plan.operation == "yes-no":
            asked = any(_YES_NO.match(plan.steps[side].words) for side in plan.sides)
            if len(sides) < 2:
                return None
            holds = all(side.answer == "yes" for side in sides) if asked else _alike([side.answer for side in sides])
            return _draft(("yes" if holds else "no",), "Yes" if holds else "No", sides)
        return _draft((sides[0].answer,), sides[0].answer, sides)

    def _compare(self, plan: Plan, sides: list[Read]) -> Draft | None:
        """The side with the smallest or largest value; the one that the question names first where both are equal."""
        values: list[Value] = []
        for side in sides:
            said = Literal(side.answer)
            value = parse_number(side.answer) if side.answer.isdigit() and len(side.answer) > 4 else value_of(said, "date")
            value = value or value_of(said, "number")
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


def _length(plan: Plan, step: int) -> int:
    """How many hops lead to the answer of one; whether that is a given thing ("is X it") is no hop."""
    before, hop = plan.steps[step].subject, not _IDENTITY.match(plan.steps[step].words)
    return int(hop) if isinstance(before, str) else int(hop) + _length(plan, before)


def _items(pieces: Sequence[Piece], titles: Sequence[str], subject: str, free: bool) -> tuple[Item, ...]:
    """Pieces as the student reads them: where the subject is named, and what else may be meant by a name, a day or a number.

    Args:
        titles: of the source of each piece.
        subject: entity 0; one word of a longer name is taken for it as well.
        free: mark the subject alone, so that any span may be the answer.
    """
    entities, own = {normalize(subject): 0}, set(normalize(subject).split())
    items = []
    for piece, title in zip(pieces, titles, strict=True):
        text = _text(piece) or title or "-"
        at = text.lower().find(subject.lower()) if subject else -1
        mentions = [Mention(at, at + len(subject), 0)] if at >= 0 else []
        for start, end in candidates(text, [mention[:2] for mention in mentions]):
            name = normalize(text[start:end])
            entity = 0 if name in own and len(name) > 2 else entities.setdefault(name, len(entities))
            if entity == 0 or not free:
                mentions.append(Mention(start, end, entity))
        items.append(Item(text, tuple(sorted(mentions))))
    return tuple(items)


def _text(piece: Piece) -> str:
    return piece.chunk.text[piece.start - piece.chunk.start : piece.end - piece.chunk.start]


def _stems(text: str) -> list[tuple[str, str]]:
    """Words and their stems."""
    return [(word, stem(word)) for word in normalize(text).split()]


def _support(step: SubQuestion, subject: str, said: str, piece: Piece, title: str) -> float:
    """How much a sentence supports an answer by its words: whether it says what is asked for, whether it names the subject or its
    passage is about it, whether it holds the other names of the step."""
    text, words = _text(piece), set(normalize(subject).split())
    factor = 1.0
    stems = {stem for _, stem in _stems(text)} - {stem for _, stem in _stems(f"{subject} {said}")}
    if not (any(phrase <= stems for phrase in _wordings(step.words)) or _by_form(step.words, step.kind, said, text)):
        factor *= _UNSTATED
    about = set(normalize(title).split())
    if not (words <= about or (about and about <= words) or any(len(word) > 3 for word in words & set(normalize(text).split()))):
        factor *= _ELSEWHERE
    others = {word for start, end in candidates(step.words) for word in normalize(step.words[start:end]).split()}
    if not others <= {*normalize(f"{title} {text}").split()}:
        factor *= _ELSEWHERE
    return factor


def _by_form(words: str, kind: str, said: str, text: str) -> bool:
    """Whether a sentence says something by its form alone: "is a 2008 film", "(1322 – 23 April 1358)", "a Slovene director"."""
    if kind == DATE:
        here = re.escape(said)
        return bool(re.search(rf"\b(?:is|was) an? {here}\b|\([^()]*{here}[^()]*\)", text))
    return bool(_NATIONAL.search(words)) and any(part in DEMONYMS for part in re.split(r"[\s-]", said))


@functools.cache
def _wordings(words: str) -> frozenset[frozenset[str]]:
    """The phrases by which a text may say what a step asks for, each as the stems of its words."""
    said = {words}
    for family in families():
        nouns = (*family.subject_nouns, *family.object_nouns)
        phrases = (family.name, *family.labels, *family.inverse_labels, *family.verbs, *nouns)
        if words in phrases:
            said |= {*phrases}
    stems = (frozenset(one for word, one in _stems(phrase) if word not in STOPWORDS and word != "it") for phrase in said)
    return frozenset(phrase for phrase in stems if phrase)


def _alike(answers: Sequence[str]) -> bool:
    """Whether answers name one thing: in the same words, as a country and its adjective, or with and without what it lies in."""
    names = []
    for answer in answers:
        parts = [part.strip() for part in answer.split(",")]
        names.append({normalize(DEMONYMS.get(part, part).replace("_", " ")) for part in (answer, parts[0], parts[-1])})
    return bool(set.intersection(*names))


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
    label = " ".join(word for word in step.words.split() if word not in _ASKING) or step.words
    start, relation = Entity(stable_id("e", normalize(subject)), subject), Relation(stable_id("r", label), label)
    node = Literal(said, "date") if step.kind == DATE else Entity(stable_id("e", normalize(said)), said)
    shown = {*normalize(f"{subject} {said}").split()} <= {*normalize(quote).split()}
    status = Status.GROUNDED if shown else Status.PROPOSED
    key = stable_id("t", start.id, relation.id, node.id, span.source_id, str(span.start))
    return Triple(key, start, relation, node, (span,), status)


def _draft(answers: tuple[str, ...], text: str, sides: Sequence[Read]) -> Draft:
    """The draft of chains read; it is as sure as the chain that is least so."""
    paths = tuple(Path(side.hops, side.probability) for side in sides)
    reasons = reasons_of(paths)
    sure = min(side.probability for side in sides)
    return Draft(because(text, reasons), answers, reasons, paths, sure, composer=PassageReader.name)


__all__ = ["PassageReader"]
