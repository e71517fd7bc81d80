"""What is to be told: the facts of a verified answer in the order they are walked, and the marks of a text.

In a text under construction a name is one character of its own, and so is a fact's tail (when it held, and its citations), so
that no name can be split, inflected or mistaken for a word. `Story.render` puts the names in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from ...kg.ingest.dates import find_dates
from ...kg.model import Entity, Hop, Path, Status, Triple
from ...retrieval.question import Understanding
from ...retrieval.wordings import lexicon, stem
from ..answer import Claim
from ..predicates import predicates
from ..wording import as_said, join, period

NAME, TAIL = 0xE000, 0xE400  # first characters of names and of tails of facts
MOST = 0x400  # of either
_DEATH = frozenset({"date of death", "died in", "cause of death", "buried in"})
_NAMED = 5  # answers before the facts
_ASKING = frozenset("who whom whose what which when where why how it is was were are did does do".split())  # of no relation
_FAR = 3  # hops after which an answer is said before them


@dataclass(frozen=True, slots=True)
class Told:
    """A fact: positions of its ends among the names of the story, its relation, its tail (" (from 2019) [1]"), and whether it is
    said in the past."""

    subject: int
    label: str
    object: int
    tail: str
    past: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A fact walked from its subject (1) or its object (-1)."""

    fact: int
    way: int

    def ends(self, facts: Sequence[Told]) -> tuple[int, int]:
        """Names where the step starts and ends."""
        fact = facts[self.fact]
        return (fact.subject, fact.object) if self.way > 0 else (fact.object, fact.subject)


@dataclass(frozen=True)
class Story:
    """What a sentence has to say.

    Attributes:
        question: as asked.
        lead: what stands before the facts ("Yes", "3 ships"), "" where the facts say the answer.
        names: of the ends of the facts.
        people: per name, whether it is a person's; None where unknown.
        facts: each once.
        chains: steps, by path.
        disputed: sources disagree on the answer.
        known: stems of the words that may be said: of the question, the relations (with their other forms) and the quotes.
    """

    question: str
    lead: str
    names: tuple[str, ...]
    people: tuple[bool | None, ...]
    facts: tuple[Told, ...]
    chains: tuple[tuple[Step, ...], ...]
    disputed: bool = False
    known: frozenset[str] = frozenset()

    @cached_property
    def asked(self) -> frozenset[str]:
        """The question's words in small letters."""
        return frozenset(re.findall(r"\w+", self.question.lower()))

    def render(self, text: str) -> str:
        """A text with its names and tails put in."""
        said = "".join(self._spelled(c) for c in text)
        return f"{self.lead}: {said}" if self.lead else said

    def _spelled(self, c: str) -> str:
        if NAME <= ord(c) < NAME + len(self.names):
            return self.names[ord(c) - NAME]
        if TAIL <= ord(c) < TAIL + len(self.facts):
            return self.facts[ord(c) - TAIL].tail
        return c


def story(question: Understanding, answers: Sequence[str], paths: Sequence[Path], claims: Sequence[Claim]) -> Story | None:
    """The story of a verified answer; None where its claims are not those of its paths, where a relation is a piece of a question
    and no predicate ("when was it founded"), or where too many answers would have to stand before the facts.

    Args:
        question: as read.
        answers: the bare answers.
        paths: the answer's.
        claims: one per distinct triple of the paths, in their order, with the citations that hold.
    """
    hops = list({hop.triple.id: hop for path in paths for hop in path.hops}.values())
    if not hops or len(hops) != len(claims):
        return None
    marks = {hop.triple.id: claim.citations for hop, claim in zip(hops, claims, strict=True)}
    names = list(dict.fromkeys(node.label for hop in hops for node in (hop.triple.subject, hop.triple.object)))
    if len(names) > MOST or len(hops) > MOST or any(not name.strip() for name in names):
        return None
    if any(_ASKING & {*hop.triple.relation.label.lower().removeprefix("is ").removeprefix("was ").split()} for hop in hops):
        return None
    keys: dict[tuple[str, str, str], list[Triple]] = {}
    for hop in hops:
        keys.setdefault(_key(hop.triple), []).append(hop.triple)
    past = _past(question, paths)
    facts = tuple(_told(triples, names, marks, past=not past.isdisjoint(triples)) for triples in keys.values())
    order = {key: i for i, key in enumerate(keys)}
    chains = tuple(dict.fromkeys(tuple(Step(order[_key(hop.triple)], hop.direction) for hop in path.hops) for path in paths))
    far = max(map(len, chains)) >= _FAR
    lead = _lead(question, answers, [] if far else names, [] if far else [fact.tail for fact in facts])
    if lead is None:
        return None
    disputed = question.operation == "lookup" and len(answers) > 1 and paths[0].hops[-1].triple.status == Status.DISPUTED
    people = tuple(_person(name, hops) for name in names)
    return Story(question.text, lead, tuple(names), people, facts, chains, disputed, _known(question.text, hops))


def _key(triple: Triple) -> tuple[str, str, str]:
    return triple.subject.label, triple.relation.label, triple.object.label


def _past(question: Understanding, paths: Sequence[Path]) -> set[Triple]:
    """What a question in the past is about: the facts that it asks for, and of the dead all."""
    if not question.past:
        return set()
    dead = any(lexicon().family(path.hops[-1].triple.relation.label)[0].name in _DEATH for path in paths)
    return {hop.triple for path in paths for hop in (path.hops if dead else path.hops[-1:])}


def _told(triples: list[Triple], names: list[str], marks: dict[str, tuple[int, ...]], *, past: bool) -> Told:
    """One fact of triples that say the same; the first one that says when it held says it."""
    first = next((triple for triple in triples if period(triple)), triples[0])
    cited = "".join(f" [{i}]" for i in sorted({i for triple in triples for i in marks[triple.id]}))
    ended = first.valid_to is not None and first.valid_to <= date.today()
    return Told(
        names.index(first.subject.label),
        first.relation.label,
        names.index(first.object.label),
        _when(first) + cited,
        past or ended,
    )


def _when(triple: Triple) -> str:
    """ " on 1 May 2021" or " in 2021" of what happened; of what held, when."""
    if triple.valid_from is None or not lexicon().family(triple.relation.label)[0].event:
        return period(triple)
    said = as_said(triple, triple.valid_from)
    return f" {on_or_in(said)} {said}"


def on_or_in(said: str) -> str:
    """The preposition of a date: "on" a day, "in" a month or a year."""
    found = find_dates(said)
    return "on" if found and found[0].last_exclusive - found[0].first == timedelta(days=1) else "in"


def _lead(question: Understanding, answers: Sequence[str], names: Sequence[str], tails: Sequence[str]) -> str | None:
    """What has to be said before the facts; None where that is too much."""
    if question.operation in {"compare", "superlative", "yes-no"}:
        return join(list(answers)).capitalize() if answers[0] in {"yes", "no", "equal"} else join(list(answers))
    if question.operation == "count" and answers[0] not in names:
        noun = question.tokens[question.target].lower if question.target >= 0 else ""
        return f"{answers[0]} {noun}".strip()
    shown = all(answer in names or any(answer in tail for tail in tails) for answer in answers)
    return "" if shown else join(list(answers)) if len(answers) <= _NAMED else None


def _person(name: str, hops: Sequence[Hop]) -> bool | None:
    """Whether a name is a person's, by the type of its entity or the relations it stands in."""
    for hop in hops:
        for node in (hop.triple.subject, hop.triple.object):
            if node.label == name and isinstance(node, Entity) and node.type:
                return node.type == "person"
    for hop in hops:
        family, way = lexicon().family(hop.triple.relation.label)
        ends = (hop.triple.subject, hop.triple.object)[::way]
        for node, kind in zip(ends, (family.subject_type, family.object_type), strict=True):
            if node.label == name and kind:
                return kind == "person"
    return None


def _known(question: str, hops: Sequence[Hop]) -> frozenset[str]:
    texts = [question]
    for hop in hops:
        label = hop.triple.relation.label
        texts += [label, *(said.words for said in predicates(label)), *(span.quote for span in hop.triple.spans)]
    return frozenset(stem(word) for text in texts for word in re.findall(r"\w+", text.lower()))


__all__ = ["MOST", "NAME", "TAIL", "Step", "Story", "Told", "on_or_in", "story"]
