"""Questions mined from a graph: real walks along its patterns, put into words, with the walk as the gold path.

    miner = QuestionMiner(kg, relations)
    miner.mine(4000, random.Random(0))      # [MinedQuestion("who directed the films [Hanna Ost] wrote", ...), ...]

No question of a benchmark is involved, and no text but names, labels and the lexicon. Seeds, compositions and wordings can
be held out, so that a scorer can be judged on what it has never seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..kg.mining import Pattern, PatternMiner
from ..kg.model import Entity
from .phrases import Phraser
from .wordings import Family

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

HOPS = (1, 2, 3)
_SHARES = (0.2, 0.4, 0.4)  # of questions by number of hops
_TRIES = 8
_RETURNS = 0.35  # of the longer questions go back over a relation ("the other films of its director")
_ANSWERS = 300  # a longer path that leads to more is no question anybody asks


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
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex, min_support: int = 3) -> None:
        relations.refresh()
        self.kg, self.relations = kg, relations
        family = relations.family_of.astype(np.int64)
        back = relations.flip < 0
        codes = np.stack([family * 2 + back, family * 2 + ~back], axis=1).reshape(-1)
        skipped = [i for i, f in enumerate(relations.families) if f.name in NOT_ASKED]
        codes[np.isin(codes // 2, skipped)] = -1
        self.patterns = PatternMiner(kg.adjacency(), codes)
        self.found = self.patterns.mine(HOPS, min_support)

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
            drawn = [p for some, k in groups for p in rng.choices(some, [p.support**0.3 for p in some], k=k)]
            for pattern in drawn:
                for _ in range(_TRIES):
                    question = self._question(pattern, phraser, rng, seeds)
                    if question is not None:
                        questions.append(question)
                        break
        rng.shuffle(questions)
        return questions

    def _question(
        self, pattern: Pattern, phraser: Phraser, rng: random.Random, seeds: Callable[[int], bool] | None
    ) -> MinedQuestion | None:
        (seed,) = self.patterns.seeds(pattern.steps, rng, 1)
        node = self.kg.store.nodes([seed])[0]
        if not isinstance(node, Entity) or not node.label.strip() or (seeds is not None and not seeds(seed)):
            return None
        answers = self.patterns.reached(seed, pattern.steps)
        if not len(answers) or (len(pattern.steps) > 1 and len(answers) > _ANSWERS):
            return None
        steps = tuple((code // 2, 1 - 2 * (code & 1)) for code in pattern.steps)
        said = self.say(steps, phraser, rng)
        if said is None:
            return None
        template, wordings = said
        before, _, after = template.partition(SLOT)
        name = node.label if rng.random() < 0.5 else node.label.lower()
        spot = (len(before), len(before) + len(name))
        return MinedQuestion(before + name + after, *spot, seed, steps, wordings, tuple(answers.tolist()))

    def options(self, question: MinedQuestion) -> list[list[int]]:
        """Step codes (2 * family + 1 when walked backwards) that exist at each hop of the gold path and after its end."""
        codes = [2 * family + (way < 0) for family, way in question.steps]
        return [self.patterns.options(question.seed, codes[:i]) for i in range(len(codes) + 1)]

    def say(self, steps: Sequence[tuple[int, int]], phraser: Phraser, rng: random.Random) -> tuple[str, tuple[str, ...]] | None:
        """A question for steps, `SLOT` standing for the seed, and the wordings used; None where words are missing."""
        wordings: list[str] = []
        i = 0
        np_ = phraser.named((self.relations.families[steps[0][0]], steps[0][1]), SLOT)
        while i < len(steps):
            step = (self.relations.families[steps[i][0]], steps[i][1])
            returns = i + 1 < len(steps) and steps[i + 1] == (steps[i][0], -steps[i][1])
            if returns and rng.random() < 0.6 and (said := phraser.shared(step, np_)) is not None:
                i += 2
                if i == len(steps):
                    said = (rng.choice(("", "", "what are ", "which are ", "who are ", "name ")) + said[0], said[1])
            else:
                i += 1
                said = phraser.asked(step, np_) if i == len(steps) else phraser.described(step, np_)
            if said is None:
                return None
            np_ = said[0]
            wordings.append(said[1])
        text = np_ + rng.choice(("?", " ?", "", ""))
        if rng.random() < 0.3:
            text = text.replace("'s ", " 's ")
        if text.count(SLOT) != 1:
            return None
        return text[0].upper() + text[1:] if rng.random() < 0.3 and not text.startswith(SLOT) else text, tuple(wordings)


def _returns(pattern: Pattern) -> bool:
    return any(a ^ 1 == b for a, b in zip(pattern.steps, pattern.steps[1:], strict=False))


SLOT = "\N{WHITE SQUARE}"
NOT_ASKED = frozenset({"is a", "label", "pref label", "alt label", "name"})


__all__ = ["NOT_ASKED", "SLOT", "MinedQuestion", "QuestionMiner"]
