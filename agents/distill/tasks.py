"""Examples mined from a graph: questions of all operations, their evidence, and what the evidence comes to.

    miner = TaskMiner(kg, relations)
    miner.mine(4000, random.Random(0), Part.training(Split(0)))

Nobody is asked anything: questions are walks put into words, answers are walks executed. Entities, compositions and wordings can
be held out, as for the path scorer.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...kg.mining import Pattern
from ...retrieval.mining import MinedQuestion, QuestionMiner
from ...retrieval.phrases import SLOT, Phraser, say
from ...retrieval.train_paths import Split
from ...retrieval.wordings import Family
from . import asking
from .evidence import Asked, EvidenceMaker, Example
from .facts import Query
from .graph import FactReader
from .longtail import bindings, rarest

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...retrieval.relations import RelationIndex

OTHER = "\N{BLACK SQUARE}"  # stands for the second name of a question
_ANSWERS = 5  # most that a list or a count may have
_LOOSE = 0.3  # of names are in small letters
_TRIES = 12  # draws for each example wanted
_SHARES = {"walk": 0.52, "count": 0.12, "yes-no": 0.14, "compare": 0.11, "superlative": 0.11}
_KINDS = {"plain": 0.6, "absent": 0.2, "swapped": 0.12, "past": 0.08}
_RARE = 0.2  # of questions start at rare things
_YES = 0.5  # of questions for yes or no name what is so
_BEAM = 60  # rare bindings kept of a pattern


@dataclass(frozen=True, slots=True)
class Part:
    """What may be asked: patterns, wordings, and where questions start; None for anything."""

    keep: Callable[[Pattern], bool] | None = None
    allowed: Callable[[Family, int, str], bool] | None = None
    seeds: Callable[[int], bool] | None = None

    @classmethod
    def training(cls, split: Split) -> Part:
        return cls(split.pattern, split.wording, split.seeds)

    @classmethod
    def held_out(cls, split: Split) -> dict[str, Part]:
        """Unseen entities; unseen compositions about them; unseen wordings about them."""

        def unseen(row: int) -> bool:
            return not split.seeds(row)

        def new(pattern: Pattern) -> bool:
            return not split.pattern(pattern)

        def unsaid(family: Family, way: int, phrase: str) -> bool:
            return not split.wording(family, way, phrase)

        return {
            "entities": cls(split.pattern, split.wording, unseen),
            "compositions": cls(new, split.wording, unseen),
            "wordings": cls(split.pattern, unsaid, unseen),
        }


class TaskMiner:
    """Mines examples from one graph.

    Args:
        kg: the graph.
        relations: its families.

    Attributes:
        questions: the miner of walks, whose quality gate every question passes.
        dropped: how often an example could not be made, by operation and kind.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex) -> None:
        self.questions = QuestionMiner(kg, relations)
        self.reader = FactReader(self.questions)
        self.values = self.reader.kinds()
        size = self.questions.patterns.size
        self.frequency = self.reader.adjacency.degree(np.arange(size))
        self.rare = rarest(self.frequency)
        self.dropped: Counter[str] = Counter()

    def mine(self, count: int, rng: random.Random, part: Part | None = None) -> list[Example]:
        """Examples in random order, no two of the same words; fewer where the graph has not enough to ask."""
        draw = _Draw(self, rng, part or Part())
        found: dict[str, Example] = {}
        shares = {name: share for name, share in _SHARES.items() if draw.patterns(name)}
        for name, share in shares.items():
            wanted = len(found) + round(count * share / sum(shares.values()))
            for _ in range(_TRIES * wanted):
                if len(found) >= wanted:
                    break
                example = draw.one(name)
                if example is not None:
                    found[example.id] = example
        examples = list(found.values())
        rng.shuffle(examples)
        return examples


class _Draw:
    """The draws of one call of `mine`."""

    def __init__(self, miner: TaskMiner, rng: random.Random, part: Part) -> None:
        self.miner, self.rng, self.part = miner, rng, part
        self.phraser = Phraser(rng, part.allowed)
        self.evidence = EvidenceMaker(miner.reader, rng)
        self._bindings: dict[tuple[int, ...], list[int]] = {}
        self._patterns: dict[str, list[Pattern]] = {}

    def patterns(self, operation: str) -> list[Pattern]:
        """Patterns that an operation can be asked of; those of "compare" and "superlative" end with their value."""
        if operation not in self._patterns:
            hops = {"walk": (1, 2, 3), "count": (1, 2), "yes-no": (1, 2), "compare": (1,), "superlative": (2,)}[operation]
            valued = operation in ("compare", "superlative")
            self._patterns[operation] = [
                p for p in self.miner.questions.found
                if len(p.steps) in hops and (not valued or p.steps[-1] in self.miner.values)
                and (self.part.keep is None or self.part.keep(p))
            ]  # fmt: skip
        return self._patterns[operation]

    def one(self, operation: str) -> Example | None:
        some = self.patterns(operation)
        lengths = sorted({len(p.steps) for p in some})
        length = self.rng.choice(lengths)  # as many questions of one hop as of three
        fitting = [p for p in some if len(p.steps) == length]
        (pattern,) = self.rng.choices(fitting, [p.support**0.3 for p in fitting])
        kind = self.rng.choices(list(_KINDS), list(_KINDS.values()))[0]
        frequency, seed = self.miner.frequency, self._seed(pattern, self.rng.random() < _RARE)
        if seed is None:
            return None
        asked = getattr(self, f"_{operation.replace('-', '_')}")(pattern, seed)
        example = None if asked is None else self.evidence.make(asked, kind, rare=bool(frequency[seed] <= self.miner.rare))
        if example is None:
            self.miner.dropped[f"{operation}, {kind if asked else 'no question'}"] += 1
        return example

    def _seed(self, pattern: Pattern, rare: bool) -> int | None:
        if not rare:
            seeds = self.miner.questions.patterns.seeds(pattern.steps, self.rng, 8)
            return next((seed for seed in seeds if self.part.seeds is None or self.part.seeds(seed)), None)
        if pattern.steps not in self._bindings:
            found = bindings(
                self.miner.questions.patterns, pattern.steps, self.miner.frequency, beam=_BEAM, seeds=self.part.seeds
            )
            self._bindings[pattern.steps] = list(dict.fromkeys(one[0] for one in found))
        rarest = self._bindings[pattern.steps]
        return self.rng.choice(rarest) if rarest else None

    def _sound(self, said: asking.Said | None, seed: int, codes: tuple[int, ...], most: int = _ANSWERS) -> MinedQuestion | None:
        """The words about a seed as a question of their own, if nothing is wrong with it."""
        question = None if said is None else self.miner.questions.asked(said, seed, codes, self.rng)
        return question if question is not None and len(question.answers) <= most else None

    def _walk(self, pattern: Pattern, seed: int) -> Asked | None:
        said = say(self.miner.questions.walked(pattern.steps), self.phraser)
        question = self._sound(said, seed, pattern.steps)
        if question is None:
            return None
        return Asked(question.text, ((question.start, question.end, seed),), Query("lookup", (seed,), pattern.steps))

    def _count(self, pattern: Pattern, seed: int) -> Asked | None:
        said = asking.counted(self.miner.questions.walked(pattern.steps), self.phraser)
        question = self._sound(said, seed, pattern.steps)
        if question is None:
            return None
        return Asked(question.text, ((question.start, question.end, seed),), Query("count", (seed,), pattern.steps))

    def _yes_no(self, pattern: Pattern, seed: int) -> Asked | None:
        said = asking.described(self.miner.questions.walked(pattern.steps), self.phraser)
        question = self._sound(said, seed, pattern.steps)
        if said is None or question is None:
            return None
        if self.rng.random() < _YES:
            it = self.rng.choice(question.answers)
        else:
            other = self.evidence.another(question.answers[0], pattern.steps[-1], {seed, *question.answers})
            if other is None:
                return None
            it = other[0]
        query = Query("yes-no", (seed,), pattern.steps, asked=it)
        return self._filled(asking.doubted(said[0], OTHER, self.rng), {SLOT: seed, OTHER: it}, query)

    def _compare(self, pattern: Pattern, seed: int) -> Asked | None:
        (code,), other = pattern.steps, self._seed(pattern, False)
        noun = self._noun(code)
        if other is None or other == seed:
            return None
        about = (f"the {noun} of {SLOT}", (noun,))
        if not all(self._sound(about, one, pattern.steps, 1) for one in (seed, other)):
            return None
        query = self._extreme("compare", (seed, other), (), code)
        text = asking.compared(SLOT, OTHER, noun, query.kind, query.way, self.rng)
        return self._filled(text, {SLOT: seed, OTHER: other}, query)

    def _superlative(self, pattern: Pattern, seed: int) -> Asked | None:
        *steps, code = pattern.steps
        said = asking.described(self.miner.questions.walked(steps), self.phraser)
        question = self._sound(said, seed, tuple(steps))
        if said is None or question is None or len(question.answers) < 2:
            return None
        query = self._extreme("superlative", (seed,), tuple(steps), code)
        text = asking.ranked(said[0], self._noun(code), query.kind, query.way, self.rng)
        return self._filled(text, {SLOT: seed}, query)

    def _extreme(self, operation: str, seeds: tuple[int, ...], steps: tuple[int, ...], code: int) -> Query:
        return Query(operation, seeds, steps, value=code, kind=self.miner.values[code], way=self.rng.choice((-1, 1)))

    def _noun(self, code: int) -> str:
        """A word for what a step leads to."""
        (step,) = self.miner.questions.walked((code,))
        return self.rng.choice([*self.phraser.nouns(step), step[0].name])

    def _filled(self, text: str, names: dict[str, int], query: Query) -> Asked:
        """The question with names in place of their signs."""
        mentions: list[tuple[int, int, int]] = []
        loose = self.rng.random() < _LOOSE
        for sign, node in sorted(names.items(), key=lambda pair: text.index(pair[0])):
            label = self.miner.reader.node(node).label
            start, label = text.index(sign), label.lower() if loose else label
            text = text.replace(sign, label, 1)
            mentions.append((start, start + len(label), node))
        return Asked(text, tuple(mentions), query)


__all__ = ["Part", "TaskMiner"]
