"""Facts as numbered evidence, questions in formal form, and what a question comes to over some facts.

`execute` is the judge of everything that is learned here: gold answers, the chains of a teacher, the effect of an edit. It knows
nothing of the graph but the facts that it is given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ...kg.model import Entity, Node, Triple
from ...retrieval.wordings import lexicon
from ..student import Item, Mention, Spot
from ..values import Value, value_of
from ..wording import period, sentence


@dataclass(frozen=True, slots=True)
class Fact:
    """A triple between two nodes of a task.

    Attributes:
        triple: what it says, with the names that are printed.
        subject, object: node numbers; equal numbers are one thing.
        forth, back: step codes of walking it from subject to object, and back; -1 where it is not walked.
    """

    triple: Triple
    subject: int
    object: int
    forth: int
    back: int

    def item(self, number: dict[int, int]) -> Item:
        """The fact as a sentence; `number` gives each node its number within the task and grows."""
        text, places = sentence(self.triple), self.places()
        ends = ((node, number.setdefault(node, len(number))) for node in (self.subject, self.object))
        return Item(text, tuple(Mention(*places[node], entity) for node, entity in dict(ends).items()))

    def places(self) -> dict[int, tuple[int, int]]:
        """Where the sentence names each node."""
        end = len(sentence(self.triple)) - len(period(self.triple))
        subject, value = self.triple.subject.label, self.triple.object.label
        return {self.object: (end - len(value), end), self.subject: (0, len(subject))}

    def label(self, node: int) -> str:
        return self.triple.subject.label if node == self.subject else self.triple.object.label

    def leads(self, node: int, code: int) -> int | None:
        """The node that a step of this code leads to from `node`; None where it does not."""
        if node == self.subject and code == self.forth:
            return self.object
        return self.subject if node == self.object and code == self.back else None

    def swapped(self, old: int, new: int, node: Node) -> Fact:
        """The fact with `node`, of number `new`, in place of `old`; a value stands only where it is the object."""
        triple, subject, object_ = self.triple, self.subject, self.object
        if subject == old and isinstance(node, Entity):
            triple, subject = replace(triple, subject=node), new
        if object_ == old:
            triple, object_ = replace(triple, object=node), new
        return replace(self, triple=triple, subject=subject, object=object_)

    def holds(self, day: int | None) -> bool:
        """Whether it holds on a day; with None, whether no end of it is known."""
        until, since = self.triple.valid_to, self.triple.valid_from
        if day is None:
            return until is None
        return (since is None or since.toordinal() <= day) and (until is None or day < until.toordinal())


@dataclass(frozen=True, slots=True)
class Query:
    """A question in formal form.

    Attributes:
        operation: as a student names it.
        seeds: nodes where it starts: two for "compare", else one.
        steps: step codes walked from the seed.
        value: of "compare" and "superlative", the step code that leads to the values.
        kind: of the values, "date" or "number".
        way: 1 for the largest value, -1 for the smallest.
        asked: of "yes-no", the node that may or may not be at the end.
        day: day ordinal that the facts must hold on; None for now.
    """

    operation: str
    seeds: tuple[int, ...]
    steps: tuple[int, ...] = ()
    value: int = -1
    kind: str = ""
    way: int = 1
    asked: int = -1
    day: int | None = None

    @property
    def hops(self) -> int:
        return len(self.steps) + (self.value >= 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question comes to.

    Attributes:
        steps: facts used, in the order walked.
        answers: nodes, ascending; none where the facts do not hold the answer.
        spots: where the answers stand in the facts' sentences.
    """

    steps: tuple[int, ...] = ()
    answers: tuple[int, ...] = ()
    spots: tuple[Spot, ...] = ()


Taken = tuple[int, int, int]  # index of a fact, the node that it is walked from, and the node that it leads to


def execute(query: Query, facts: Sequence[Fact]) -> Outcome:
    """Answer a question from facts alone."""
    if query.operation == "compare":
        return _ranked(query, facts, [(seed, ()) for seed in query.seeds])
    walk = _walk(facts, query.seeds[0], query.steps, query.day)
    ends = sorted({end for _, _, end in walk[-1]} - {query.seeds[0]})
    if query.operation == "superlative":
        return _ranked(query, facts, [(end, _used(walk, {end})) for end in ends])
    if query.operation == "yes-no":
        if query.asked in ends:
            ends = [query.asked]
        elif len(query.steps) > 1 or not ends or not _settled(facts, walk[0], query.steps[0]):
            return Outcome()
    return _outcome(facts, _used(walk, ends), ends, [i for i, _, end in walk[-1] if end in ends])


def said(query: Query, outcome: Outcome, facts: Sequence[Fact]) -> tuple[str, ...]:
    """The answers in words, sorted; none where the facts do not hold them."""
    if not outcome.answers:
        return ()
    if query.operation == "yes-no":
        return ("yes" if query.asked in outcome.answers else "no",)
    if query.operation == "count":
        return (str(len(outcome.answers)),)
    stood = ((facts[spot.item], spot, node) for spot in outcome.spots for node in outcome.answers)
    return tuple(sorted({fact.label(node) for fact, spot, node in stood if fact.places().get(node) == (spot.start, spot.end)}))


def _walk(facts: Sequence[Fact], seed: int, steps: Sequence[int], day: int | None) -> list[list[Taken]]:
    """By hop, the facts taken. Of those from one node, the ones that hold are taken, where there are any."""
    at, walk = {seed}, list[list[Taken]]()
    for code in steps:
        taken: list[Taken] = []
        for node in sorted(at):
            found = [(i, node, end) for i, fact in enumerate(facts) if (end := fact.leads(node, code)) is not None]
            holding = [one for one in found if facts[one[0]].holds(day)]
            taken += holding if holding or day is not None else found
        walk.append(taken)
        at = {end for _, _, end in taken}
    return walk


def _used(walk: list[list[Taken]], ends: Collection[int]) -> tuple[int, ...]:
    """Facts on the walks to these ends, in the order walked."""
    kept: list[list[int]] = []
    for taken in reversed(walk):
        useful = [one for one in taken if one[2] in ends]
        ends = {node for _, node, _ in useful}
        kept.append([i for i, _, _ in useful])
    return tuple(dict.fromkeys(i for hop in reversed(kept) for i in hop))


def _settled(facts: Sequence[Fact], taken: list[Taken], code: int) -> bool:
    """Whether the facts of one step deny all others: "who owns X" is known, "whom X supplies" may go on."""
    lex = lexicon()
    relations = [(facts[i].triple.relation, 1 if facts[i].forth == code else -1) for i, _, _ in taken]
    return all(lex.settles(relation.label, way, functional=relation.functional) for relation, way in relations)


def _ranked(query: Query, facts: Sequence[Fact], members: list[tuple[int, tuple[int, ...]]]) -> Outcome:
    """The member with the largest or smallest value; nothing where a value is missing, doubtful or shared by the best two."""
    rows: list[tuple[Value, int, int]] = []
    for node, _ in members:
        (taken,) = _walk(facts, node, (query.value,), query.day)
        values = {value: i for i, _, end in taken if (value := _value(facts[i], end, query.kind)) is not None}
        if len(values) != 1:
            return Outcome()
        rows += [(value, node, i) for value, i in values.items()]
    if len(rows) < 2 or not all(value.comparable(rows[0][0]) for value, _, _ in rows):
        return Outcome()
    (best, winner, _), (second, _, _) = sorted(rows, key=lambda row: row[0].key * query.way, reverse=True)[:2]
    if best.key == second.key:
        return Outcome()
    steps = dict.fromkeys(i for _, used in members for i in used) | dict.fromkeys(i for _, _, i in rows)
    return _outcome(facts, tuple(steps), [winner], [i for i in steps if winner in (facts[i].subject, facts[i].object)])


def _value(fact: Fact, node: int, kind: str) -> Value | None:
    return value_of(fact.triple.object if node == fact.object else fact.triple.subject, kind)


def _outcome(facts: Sequence[Fact], steps: tuple[int, ...], answers: Sequence[int], where: Sequence[int]) -> Outcome:
    spots = {Spot(i, *place) for i in where for node, place in facts[i].places().items() if node in answers}
    return Outcome(steps, tuple(sorted(answers)), tuple(sorted(spots)))


__all__ = ["Fact", "Outcome", "Query", "execute", "said"]
