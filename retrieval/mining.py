"""Questions mined from a graph: real walks along its patterns, put into words, with the walk as the gold path.

    miner = QuestionMiner(kg, relations)
    miner.mine(4000, random.Random(0))      # [MinedQuestion("who directed the films [Hanna Ost] wrote", ...), ...]

No question of a benchmark is involved, and no text but names, labels and the lexicon. Seeds, compositions and wordings can
be held out, so that a scorer can be judged on what it has never seen.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..kg.mining import Pattern, PatternMiner, QualityGate, Question
from ..kg.model import Entity
from .phrases import SLOT, Phraser, Step, say
from .wordings import Family

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

HOPS = (1, 2, 3)
_SHARES = (0.2, 0.4, 0.4)  # of questions by number of hops
_TRIES = 8
_RETURNS = 0.35  # of the longer questions go back over a relation ("the other films of its director")
_ANSWERS = (sys.maxsize, 300)  # a longer path that leads to more is no question anybody asks


@dataclass(frozen=True, slots=True)
class MinedQuestion:
    """A question with its gold path.

    Attributes:
        text: the question; the seed's name stands between `start` and `end`.
        seed: node row.
        steps: (family index, direction within the family) of each hop.
        wordings: the wording used for each hop (one for a hop and its return).
        answers: node rows at the end of the path.
    """

    text: str
    start: int
    end: int
    seed: int
    steps: tuple[tuple[int, int], ...]
    wordings: tuple[str, ...]
    answers: tuple[int, ...]

    @property
    def marked(self) -> str:
        """The question with its seed in [brackets]."""
        return f"{self.text[: self.start]}[{self.text[self.start : self.end]}]{self.text[self.end :]}"


class QuestionMiner:
    """Mines questions from one graph.

    Args:
        kg: the graph.
        relations: its families.
        min_support: seeds that a pattern needs.

    Attributes:
        codes: int [2 * relations], the step code of each group key; -1 for what is not asked.
        found: the patterns that can be asked.
        gate: what every question passes; a scorer may learn from one that a shorter path answers as well.
        faults: how often a question was dropped, by reason.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex, min_support: int = 3) -> None:
        relations.refresh()
        self.kg, self.relations = kg, relations
        family = relations.family_of.astype(np.int64)
        back, sided = relations.flip < 0, ~relations.symmetric[family]
        codes = np.stack([family * 2 + (back & sided), family * 2 + (~back & sided)], axis=1).reshape(-1)
        skipped = [i for i, f in enumerate(relations.families) if f.name in NOT_ASKED]
        codes[np.isin(codes // 2, skipped)] = -1
        self.codes = codes
        self.patterns = PatternMiner(kg.adjacency(), codes)
        self.found = self.patterns.mine(HOPS, min_support)
        self.gate = QualityGate(kg, codes, most_answers=_ANSWERS, shorter=False, spans=False)
        self.faults: Counter[str] = Counter()

    def mine(
        self,
        count: int,
        rng: random.Random,
        *,
        keep: Callable[[Pattern], bool] | None = None,
        allowed: Callable[[Family, int, str], bool] | None = None,
        seeds: Callable[[int], bool] | None = None,
        hops: Sequence[int] = HOPS,
    ) -> list[MinedQuestion]:
        """Questions in random order; fewer where the graph has not enough to ask.

        Args:
            count: how many.
            rng: the draws.
            keep: patterns that may be asked (to hold out compositions).
            allowed: wordings that may be used, given family, direction and phrase.
            seeds: node rows that may be seeds (to hold out entities).
            hops: lengths.
        """
        phraser = Phraser(rng, allowed)
        questions: list[MinedQuestion] = []
        shares = {h: _SHARES[h - 1] for h in hops}
        for length in hops:
            patterns = [p for p in self.found if len(p.steps) == length and (keep is None or keep(p))]
            if not patterns:
                continue
            wanted = round(count * shares[length] / sum(shares.values()))
            returning = [p for p in patterns if _returns(p)]
            groups = [(patterns, wanted)]
            if returning:
                groups = [(patterns, round(wanted * (1 - _RETURNS))), (returning, round(wanted * _RETURNS))]
            for some, k in groups:
                weights = [p.support**0.3 for p in some]
                tried = (
                    self._question(pattern, phraser, rng, seeds)
                    for _ in range(k * _TRIES)
                    for pattern in rng.choices(some, weights)
                )
                questions += islice((question for question in tried if question is not None), k)
        rng.shuffle(questions)
        return questions

    def _question(
        self, pattern: Pattern, phraser: Phraser, rng: random.Random, seeds: Callable[[int], bool] | None
    ) -> MinedQuestion | None:
        (seed,) = self.patterns.seeds(pattern.steps, rng, 1)
        if seeds is not None and not seeds(seed):
            return None
        said = say(self.walked(pattern.steps), phraser)
        return None if said is None else self.asked(said, seed, pattern.steps, rng)

    def walked(self, codes: Sequence[int]) -> list[Step]:
        """Step codes as families and ways."""
        return [(self.relations.families[code // 2], 1 - 2 * (code & 1)) for code in codes]

    def asked(
        self, said: tuple[str, tuple[str, ...]], seed: int, codes: tuple[int, ...], rng: random.Random
    ) -> MinedQuestion | None:
        """A question about one seed, from its words (`SLOT` where the name goes) and the wordings in them; None with a fault."""
        template, wordings = said
        node = self.kg.store.nodes([seed])[0]
        if not isinstance(node, Entity) or not node.label.strip():
            return None
        if self._ambiguous(seed, codes, wordings):
            self.faults["its words say another relation as well"] += 1
            return None
        before, _, after = template.partition(SLOT)
        name = node.label if rng.random() < 0.5 else node.label.lower()
        text, spot = before + name + after, (len(before), len(before) + len(name))
        answers = tuple(self.patterns.reached(seed, codes).tolist())
        if fault := self.gate.fault(Question(text, *spot, seed, codes, answers)):
            self.faults[fault] += 1
            return None
        steps = tuple((code // 2, 1 - 2 * (code & 1)) for code in codes)
        return MinedQuestion(text, *spot, seed, steps, wordings, answers)

    def _ambiguous(self, seed: int, codes: tuple[int, ...], wordings: tuple[str, ...]) -> bool:
        """Whether a wording of a hop is one of another relation as well that could be walked there ("product" of `supplies`)."""
        said = [self.relations.lexicon.match(wording.split()) for wording in wordings]
        for i, code in enumerate(codes):
            name = self.relations.families[code // 2].name
            others = {self.relations.families[one // 2].name for one in self.patterns.options(seed, codes[:i])} - {name}
            if any(name in names and names & others for names in said):
                return True
        return False

    def options(self, question: MinedQuestion) -> list[list[int]]:
        """Step codes (2 * family + 1 when walked backwards) that exist at each hop of the gold path and after its end."""
        codes = [2 * family + (way < 0) for family, way in question.steps]
        return [self.patterns.options(question.seed, codes[:i]) for i in range(len(codes) + 1)]


def _returns(pattern: Pattern) -> bool:
    return any(a ^ 1 == b for a, b in zip(pattern.steps, pattern.steps[1:], strict=False))


NOT_ASKED = frozenset({"is a", "label", "pref label", "alt label", "name"})


__all__ = ["NOT_ASKED", "MinedQuestion", "QuestionMiner"]
