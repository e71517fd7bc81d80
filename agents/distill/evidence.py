"""Evidence around a question: the facts that answer it among others that look like them, and edits whose effect is known.

Beside what is needed stand facts of the same relation about other things, other facts of the same things, a whole walk of the
same relations elsewhere, facts of namesakes, and versions that no longer hold. None of them may change the answer; an edit (a
fact taken away, a name swapped everywhere) must.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ...kg.model import Node, stable_id
from ..student import Mention, Target, Task
from .facts import Fact, Outcome, Query, execute, said
from .graph import MOST, FactReader

ITEMS = (5, 9)  # fewest and most pieces of evidence of a task, where the graph has so many
_TRIES = 6
_FAR, _NEAR, _SAME = 3, 3, 4  # most facts of each kind of distractor


@dataclass(frozen=True, slots=True)
class Example:
    """A task whose answer is known.

    Attributes:
        id: of its words.
        task: what a student reads.
        query: what is asked, in formal form.
        facts: those of the task's items, in the same order.
        gold: what the facts come to.
        kind: "plain", "absent" (a fact that is needed was taken away), "swapped" (a name was swapped), "past" (asked for a day).
        rare: whether it starts at one of the rarest nodes.
    """

    id: str
    task: Task
    query: Query
    facts: tuple[Fact, ...]
    gold: Outcome
    kind: str = "plain"
    rare: bool = False

    @property
    def target(self) -> Target:
        return Target(self.query.operation, self.gold.steps, self.gold.spots)

    @property
    def answers(self) -> tuple[str, ...]:
        """In words; none where the evidence does not hold them."""
        return said(self.query, self.gold, self.facts)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in words and in formal form. `mentions` are (start, end, node)."""

    text: str
    mentions: tuple[tuple[int, int, int], ...]
    query: Query


class EvidenceMaker:
    """Makes tasks of questions.

    Args:
        reader: of the graph.
        rng: the draws.
    """

    def __init__(self, reader: FactReader, rng: random.Random) -> None:
        self.reader, self.rng = reader, rng

    def make(self, asked: Asked, kind: str, *, rare: bool = False) -> Example | None:
        """A task of this kind, None where it cannot be made of this question."""
        needed = self.needed(asked.query)
        gold = execute(asked.query, needed)
        if not 0 < len(needed) <= MOST or not (gold.answers or asked.query.operation == "yes-no"):
            return None
        facts = self._beside(asked.query, needed, gold)
        made: tuple[Asked, list[Fact]] | None = asked, facts
        if kind == "absent":
            made = asked, self._without(asked.query, facts)
        elif kind == "swapped":
            made = self._swapped(asked, facts)
        elif kind == "past":
            made = self._past(asked, facts)
        return None if made is None else self._example(*made, kind, rare)

    def needed(self, query: Query) -> list[Fact]:
        """The facts of the graph on the walks of a question."""
        facts: list[Fact] = []
        for seed in query.seeds:
            facts += self.reader.walked(seed, query.steps)
        if query.value >= 0:
            ends = query.seeds if query.operation == "compare" else {
                end for fact in facts for node in query.seeds if (end := fact.leads(node, query.steps[-1])) is not None
            }  # fmt: skip
            facts += [fact for end in sorted(ends) for fact in self.reader.out(end, query.value)]
        return list({fact.triple.id: fact for fact in facts}.values())

    def _beside(self, query: Query, needed: list[Fact], gold: Outcome) -> list[Fact]:
        """The facts needed and distractors, which leave the answer what it is."""
        wanted = max(self.rng.randint(*ITEMS), len(needed) + 2)
        facts = {fact.triple.id: fact for fact in needed}
        before = said(query, gold, needed)
        others = [fact for some in self._distractors(query, needed) for fact in some if fact.triple.id not in facts]
        self.rng.shuffle(others)
        for fact in others:
            if len(facts) >= wanted:
                break
            more = [*facts.values(), fact]
            if said(query, execute(query, more), more) == before:
                facts[fact.triple.id] = fact
        mixed = list(facts.values())
        self.rng.shuffle(mixed)
        return mixed

    def _distractors(self, query: Query, needed: Sequence[Fact]) -> list[list[Fact]]:
        rng, codes = self.rng, [*query.steps, *([query.value] if query.value >= 0 else [])]
        nodes = list(dict.fromkeys([*query.seeds, *(node for fact in needed for node in (fact.subject, fact.object))]))
        far = [self.elsewhere(code) for code in rng.choices(codes, k=_FAR)]
        near = [self._other(node) for node in [*query.seeds, *rng.sample(nodes, min(len(nodes), _NEAR))]]
        label = self.reader.node(query.seeds[0]).label
        names = [row for row in self.reader.namesakes(label) if row not in query.seeds]
        same = [fact for row in rng.sample(names, min(len(names), 2)) for fact in self._other(row, 2)]
        parallel = self.reader.walked(seed, query.steps)[:_SAME] if (seed := self._parallel(query)) is not None else []
        return [*far, *near, same, parallel, *([old] for fact in needed if (old := self.outdated(fact, codes)) is not None)]

    def elsewhere(self, code: int) -> list[Fact]:
        """A fact of the same relation about something else."""
        (seed,) = self.reader.miner.patterns.seeds((code,), self.rng, 1)
        return self.reader.out(seed, code, limit=1)

    def _other(self, node: int, most: int = _SAME) -> list[Fact]:
        facts = self.reader.out(node, limit=3)
        return self.rng.sample(facts, min(len(facts), most))

    def _parallel(self, query: Query) -> int | None:
        """Another thing of which the same could be asked."""
        if not query.steps or self.rng.random() < 0.5:
            return None
        seeds = self.reader.miner.patterns.seeds(query.steps, self.rng, 2)
        return next((seed for seed in seeds if seed not in query.seeds), None)

    def outdated(self, fact: Fact, codes: Sequence[int]) -> Fact | None:
        """A version of a fact that held before it, where facts of this relation end."""
        code = next((code for code in codes if code in (fact.forth, fact.back)), -1)
        if code < 0 or fact.triple.valid_to is not None or not self.reader.ends(code) or self.rng.random() < 0.5:
            return None
        end = fact.object if code == fact.forth else fact.subject
        until = min(fact.triple.valid_from or date(2020, 1, 1), date(self.rng.randint(1995, 2020), self.rng.randint(1, 12), 1))
        since = until - timedelta(days=365 * self.rng.randint(1, 9))
        other = self.another(end, code, {fact.subject, fact.object})
        if other is None:
            return None
        old = fact.swapped(end, *other)
        name = f"{fact.triple.id}/{other[0]}"
        return replace(old, triple=replace(old.triple, spans=(), id=name, valid_from=since, valid_to=until))

    def another(self, node: int, code: int, taken: set[int]) -> tuple[int, Node] | None:
        """Another end of a step, of the same sort as a node (thing or value), with its number."""
        sort = type(self.reader.node(node))
        for _ in range(_TRIES):
            for fact in self.elsewhere(code):
                end = fact.object if fact.forth == code else fact.subject
                found = fact.triple.object if fact.forth == code else fact.triple.subject
                if end not in taken and isinstance(found, sort):
                    return end, found
        return None

    def _without(self, query: Query, facts: list[Fact]) -> list[Fact]:
        """The facts without as many of those used as it takes to leave no answer."""
        kept = list(facts)
        while (gold := execute(query, kept)).answers:
            del kept[self.rng.choice(gold.steps)]
        return kept

    def _swapped(self, asked: Asked, facts: list[Fact]) -> tuple[Asked, list[Fact]] | None:
        """Another name in place of one on the way, in all facts alike, so that the answer is another."""
        query, gold = asked.query, execute(asked.query, facts)
        codes = [*query.steps[-1:], *([query.value] if query.value >= 0 else [])]
        ends = [(end, code) for i in gold.steps for code in codes[-1:] for end in _ends(facts[i], code)]
        taken = {node for fact in facts for node in (fact.subject, fact.object)} | {query.asked, *query.seeds}
        for _ in range(_TRIES):
            if not ends:
                break
            old, code = self.rng.choice(ends)
            other = self.another(old, code, taken) if old not in query.seeds else None
            if other is not None:
                edited = [fact.swapped(old, *other) for fact in facts]
                now = said(query, execute(query, edited), edited)
                if now and now != said(query, gold, facts):
                    return asked, edited
        return None

    def _past(self, asked: Asked, facts: list[Fact]) -> tuple[Asked, list[Fact]] | None:
        """The question asked for a day on which another version held."""
        query = asked.query
        ended = [(since, until) for fact in facts if (since := fact.triple.valid_from) and (until := fact.triple.valid_to)]
        self.rng.shuffle(ended)
        for since, until in ended:
            day = since + (until - since) / 2
            then = replace(query, day=day.toordinal())
            now = said(then, execute(then, facts), facts)
            if now and now != said(query, execute(query, facts), facts):
                text = f"{asked.text.rstrip('?. ')} on {day.day} {day:%B %Y}?"
                return Asked(text, asked.mentions, then), facts
        return None

    def _example(self, asked: Asked, facts: list[Fact], kind: str, rare: bool) -> Example | None:
        if not facts:
            return None
        number: dict[int, int] = {}
        mentions = tuple(Mention(start, end, number.setdefault(node, len(number))) for start, end, node in asked.mentions)
        task = Task(asked.text, mentions, tuple(fact.item(number) for fact in facts))
        gold = execute(asked.query, facts)
        query = asked.query
        if query.operation == "lookup" and len(gold.answers) > 1:
            query = replace(query, operation="list")
        name = stable_id("q", asked.text, *(item.text for item in task.items))
        return Example(name, task, query, tuple(facts), gold, kind, rare)


def _ends(fact: Fact, code: int) -> list[int]:
    return [node for node, leads in ((fact.object, fact.forth), (fact.subject, fact.back)) if leads == code]


__all__ = ["ITEMS", "Asked", "EvidenceMaker", "Example"]
