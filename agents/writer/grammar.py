"""The sentences that can be said of a story: clauses, relative clauses and appositions for each fact, joined along the path.

A variant is a text in the marks of `story` and a cost: what it takes to follow the order of the path, to avoid new sentences
and unusual constructions. The cheapest is what the grammar alone would say; a model may choose another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ...retrieval.phrases import plural
from ..predicates import Predicate, article, inflected, is_plural, named, passive, predicates
from ..wording import join
from .story import NAME, TAIL, Step, Story, on_or_in

BEAM = 32  # variants kept
_LISTED = 12  # facts of one list
_LOOSE = 6  # lists that are told one by one
_EMBEDDED = 2  # relative clauses in one sentence
_RARER, _TURNED, _ANEW, _APPOSED = 0.15, 0.5, 0.7, 0.1  # costs
_DATED = frozenset({"born on", "died on", "founded on", "dissolved on", "released on"})


@dataclass(frozen=True, slots=True)
class Variant:
    """A text, what it costs, the name that it ends with (-1 for none), and relative clauses in its last sentence."""

    text: str
    cost: float
    last: int = -1
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of one relation that share the end they are walked from.

    Attributes:
        steps: one per fact.
        start: the shared name.
        ends: the others, in order.
    """

    steps: tuple[Step, ...]
    start: int
    ends: tuple[int, ...]


def variants(story: Story) -> list[Variant]:
    """Texts for a story without its lead, the cheapest first; none where the grammar has no good way to say it."""
    tree = _groups(story)
    if tree is not None:
        return _Grammar(story).along(tree)
    fans = _fans(story)
    small = len(fans) <= _LOOSE and all(len(group.ends) <= _LISTED for group in fans)
    return _Grammar(story).beside(fans) if small else []


def _fans(story: Story) -> list[Group]:
    """The facts by what they are walked from and by their relation, those nearest to the start first."""
    fans: dict[tuple[int, str, int], dict[int, Step]] = {}
    told: set[int] = set()
    for steps in zip_longest(*story.chains):
        for step in steps:
            if step is not None and step.fact not in told:
                told.add(step.fact)
                key = (step.ends(story.facts)[0], story.facts[step.fact].label, step.way)
                fans.setdefault(key, {})[step.fact] = step
    return [_group(story, tuple(fan.values())) for fan in fans.values()]


def _groups(story: Story) -> list[Group] | None:
    """The chains as one walk whose last hop may fan out; None for chains of any other shape."""
    first = story.chains[0]
    for chain in story.chains[1:]:
        labels = [(story.facts[a.fact].label, a.way) == (story.facts[b.fact].label, b.way) for a, b in zip(first, chain)]
        if len(chain) != len(first) or not all(labels) or chain[:-1] != first[:-1]:
            return None
    if len(story.chains) > _LISTED or len({chain[-1].ends(story.facts)[0] for chain in story.chains}) > 1:
        return None
    fan = tuple(dict.fromkeys(chain[-1] for chain in story.chains))
    facts = [step.fact for step in (*first[:-1], *fan)]
    if len({*facts}) < len(facts):
        return None
    return [*(_group(story, (step,)) for step in first[:-1]), _group(story, fan)]


def _group(story: Story, steps: tuple[Step, ...]) -> Group:
    ends = [step.ends(story.facts) for step in steps]
    return Group(steps, ends[0][0], tuple(end for _, end in ends))


class _Grammar:
    """Variants of one story."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def along(self, groups: Sequence[Group]) -> list[Variant]:
        """Texts that follow a walk."""
        told: list[list[Variant]] = [[] for _ in range(len(groups) + 1)]
        told[1] = self.clauses(groups[0])
        if len(groups) > 1:
            told[2] = list(self._apposed(groups[0], groups[1]))
        for at in range(1, len(groups)):
            told[at + 1] += [v for before in _best(told[at]) for v in self._next(before, groups[at])]
        return _finished(self.story, told[-1])

    def beside(self, groups: Sequence[Group]) -> list[Variant]:
        """Texts that tell lists of facts one after the other: two that are not joined in one sentence, more in as many."""
        pair = len(groups) == 2 and all(len(chain) == 1 for chain in self.story.chains)
        found, joint = self.clauses(groups[0]), " and " if pair else ". "
        for group in groups[1:]:
            clauses = self.clauses(group)
            found = _best([Variant(_joined(v.text, joint, c.text), v.cost + c.cost) for v in found for c in clauses])
        return _finished(self.story, found)

    def _next(self, before: Variant, group: Group) -> Iterator[Variant]:
        if before.last == group.start and before.depth < _EMBEDDED and self._undated(before):
            for i, said in enumerate(self._relatives(group)):
                cost = before.cost + i * _RARER
                yield Variant(f"{before.text}, {said}", cost, self._end(said, group), before.depth + 1)
        for clause in self.clauses(group):
            yield Variant(_joined(before.text, ". ", clause.text), before.cost + clause.cost + _ANEW, clause.last)

    # ---- one group

    def clauses(self, group: Group) -> list[Variant]:
        """Main clauses; those that start with the known end cost less."""
        found = []
        for i, said in enumerate(self._said(group)):
            for j, text in enumerate(self._clauses(group, *said)):
                known, new = text.index(chr(NAME + group.start)), text.index(chr(NAME + group.ends[0]))
                cost = (i + j) * _RARER + (_TURNED if new < known else 0.0)
                found.append(Variant(text, cost, self._end(text, group)))
        return _best(found)

    def _relatives(self, group: Group) -> Iterator[str]:
        """What may follow the shared end after a comma."""
        who = {None: "", True: "who", False: "which"}[self.story.people[group.start]]
        for p, x, y in self._said(group):
            if p.kind == "noun" and x == (group.start,):
                noun, be = self._noun(p, group, y)
                if p.one:
                    yield f"whose {noun} {be} {self._late(group, y)}"
                elif who and len(y) == 1:
                    yield f"of {'whom' if who == 'who' else who} {self._late(group, y)} {be} {article(noun)} {noun}"
            elif who and (said := self._rest(group, p, x, y)):
                yield f"{who} {said}"

    def _apposed(self, first: Group, second: Group) -> Iterator[Variant]:
        """`A's mother, B [1], died in C [2]`."""
        for p, x, y in self._said(first):
            if p.kind != "noun" or x != (first.start,) or len(y) > 1 or not p.one or is_plural(p.words):
                continue
            opening = f"{self._of(first.start)} {p.words}, {self._late(first, y)}, "
            for i, other in enumerate(self._said(second)):
                if said := self._rest(second, *other):
                    yield Variant(opening + said, _APPOSED + i * _RARER, self._end(said, second))

    def _said(self, group: Group) -> Iterator[tuple[Predicate, tuple[int, ...], tuple[int, ...]]]:
        """Predicates with what they take as X and as Y; of a noun, X is whose it is and Y who it is."""
        label = self.story.facts[group.steps[0].fact].label
        ends = ((group.start,), group.ends) if group.steps[0].way > 0 else (group.ends, (group.start,))
        own = predicates(label)
        for predicate in (*own, *(p for p in named(label, self.story.asked) if p.words != own[0].words)):
            x, y = ends[::-1] if predicate.flip else ends
            yield predicate, x, y

    def _clauses(self, group: Group, p: Predicate, x: tuple[int, ...], y: tuple[int, ...]) -> Iterator[str]:
        """Main clauses of a predicate."""
        if p.kind != "noun":
            yield f"{self._early(group, x)} {self._predicate(group, p, x, y)}"
            if p.kind == "verb" and (done := passive(p.words)):
                yield f"{self._early(group, y)} {self._be(group, len(y) > 1, past=p.past)} {done} by {self._late(group, x)}"
            return
        noun, be = self._noun(p, group, y)
        if p.one and len(x) == 1:
            yield f"{self._of(x[0])} {noun} {be} {self._late(group, y)}"
            yield f"the {noun} of {chr(NAME + x[0])} {be} {self._late(group, y)}"
        the = "the " if p.one else "" if len(y) > 1 else f"{article(noun)} "
        yield f"{self._early(group, y)} {self._be(group, len(y) > 1)} {the}{noun} of {self._late(group, x)}"

    def _predicate(self, group: Group, p: Predicate, x: tuple[int, ...], y: tuple[int, ...]) -> str:
        """What is said of X: "supplies Y", "was built by Y", "is a Y"."""
        if p.kind == "class":
            return f"{self._be(group, len(x) > 1)} {article(self.story.names[y[0]])} {self._late(group, y)}"
        words = _timed(p.words, self.story.names[y[0]])
        if p.kind == "participle":
            return f"{self._be(group, len(x) > 1, past=p.past)} {words} {self._late(group, y)}"
        return f"{inflected(words, plural=len(x) > 1, past=self._past(group))} {self._late(group, y)}"

    def _rest(self, group: Group, p: Predicate, x: tuple[int, ...], y: tuple[int, ...]) -> str:
        """What is said of the shared end, "" where that takes another subject."""
        if p.kind == "noun":
            the = "the" if p.one and len(x) == 1 else article(p.words)
            said = f"{self._be(group, False)} {the} {p.words} of {self._late(group, x)}"
            return said if y == (group.start,) else ""
        if x == (group.start,):
            return self._predicate(group, p, x, y)
        done = passive(p.words) if p.kind == "verb" else ""
        return f"{self._be(group, False, past=p.past)} {done} by {self._late(group, x)}" if done else ""

    # ---- words

    def _early(self, group: Group, names: tuple[int, ...]) -> str:
        """Names that open a clause; the tail of a single fact comes later."""
        return join([chr(NAME + name) for name in names]) if len(names) == 1 else self._late(group, names)

    def _late(self, group: Group, names: tuple[int, ...]) -> str:
        """Names that stand last in a clause, each with the tail of its fact."""
        if len(group.ends) == 1:
            return chr(NAME + names[0]) + chr(TAIL + group.steps[0].fact)
        if len(names) == 1:
            return chr(NAME + names[0])
        return join([chr(NAME + name) + chr(TAIL + step.fact) for name, step in zip(names, group.steps, strict=True)])

    def _end(self, text: str, group: Group) -> int:
        """The name that a text ends with and that a relative clause may be about."""
        ends = chr(NAME + group.ends[0]) + chr(TAIL + group.steps[0].fact)
        return group.ends[0] if len(group.ends) == 1 and text.endswith(ends) else -1

    def _of(self, name: int) -> str:
        return chr(NAME + name) + ("'" if self.story.names[name].endswith("s") else "'s")

    def _noun(self, p: Predicate, group: Group, filler: tuple[int, ...]) -> tuple[str, str]:
        """A noun for so many, and its copula."""
        noun = plural(p.words) if len(filler) > 1 and not is_plural(p.words) else p.words
        return noun, self._be(group, len(filler) > 1 or is_plural(noun))

    def _be(self, group: Group, many: bool, *, past: bool = False) -> str:
        if past or self._past(group):
            return "were" if many else "was"
        return "are" if many else "is"

    def _undated(self, before: Variant) -> bool:
        """Whether a text ends with a name and no date after it."""
        return self.story.facts[ord(before.text[-1]) - TAIL].tail.startswith((" [", " ("))

    def _past(self, group: Group) -> bool:
        return all(self.story.facts[step.fact].past for step in group.steps)


def _timed(words: str, when: str) -> str:
    """ "Born on" a day, "born in" a year."""
    return f"{words[:-2]}{on_or_in(when)}" if words in _DATED else words


def _finished(story: Story, found: list[Variant]) -> list[Variant]:
    """Whole texts: a thing that the lead has named is "it" when the next words name it again."""
    whole = []
    for v in found:
        text = v.text + "."
        if story.lead in story.names and story.people[at := story.names.index(story.lead)] is False:
            text = _again(text, chr(NAME + at))
        whole.append(Variant(text if story.lead else text[0].upper() + text[1:], v.cost))
    dotted = "|".join(chr(NAME + i) for i, name in enumerate(story.names) if name.endswith("."))
    single = [v for v in whole if not dotted or not re.search(rf"(?:{dotted})\.", v.text)]  # "Jr.." is the last resort
    return _best(single or whole)


def _again(text: str, name: str) -> str:
    """A text that begins with a name, with "it" or "its" in its place."""
    text = re.sub(f"^the ([^{chr(NAME)}-{chr(TAIL - 1)}]+) of {name} ", r"its \1 ", text)
    return re.sub(f"^{name} ", "it ", re.sub(f"^{name}(?:'s|') ", "its ", text))


def _best(found: list[Variant]) -> list[Variant]:
    unique = {v.text: v for v in sorted(found, key=lambda v: -v.cost)}
    return sorted(unique.values(), key=lambda v: (v.cost, v.text))[:BEAM]


def _joined(text: str, joint: str, clause: str) -> str:
    return text + joint + (clause[0].upper() + clause[1:] if joint == ". " else clause)


__all__ = ["BEAM", "Group", "Variant", "variants"]
