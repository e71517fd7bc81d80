"""A small world to test gates in: facts of which a student truly knows the often told, and a store that truly lacks some.

Every entity has one value for each relation and is told so often as its rank says (rank^-0.85, after Kandpal et al. 2023,
arXiv 2211.08411). A line has four tokens: first name, last name, relation, value. The store covers most facts and confuses
names that are alike. The shadow block (Zhang et al. 2025, arXiv 2502.16143) has topics with two conditions, of which one is
told up to a hundred times as often as the other; in some lines the condition is masked, so that one can ask without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .model import Document, Fact, Name, text_hash

EXPONENT, COVERED, MASKED = 0.85, 0.82, 0.12
LEAST = 3  # times that the last entity is told of
MOST = 400
RATIOS = (2, 5, 10, 20, 50, 100)
RARE = 4  # times that the rare condition of a topic is told
_NAMES, _CONDITIONS = 60, 40
_RIGHT, _CONFUSED, _GUESSED = 0.95, 0.25, 0.08  # of the store: found, less by alias, and by chance where not covered
_CANDIDATES = 9


@dataclass(frozen=True, slots=True, eq=False)
class TinyWorld:
    """The world as arrays; row i of a fact is entity `i // relations`, relation `i % relations`.

    Attributes:
        prompts: int64 [facts, 3], tokens of first name, last name, relation.
        values: int64 [facts], the token that is true.
        told: int64 [facts], lines about the fact.
        aliases: int64 [facts], names that the entity may be confused with, itself included.
        covered: bool [facts], whether the store has the fact.
        pool: int64 [facts, values], tokens of the right type.
        shadows: int64 [pairs, 2, 4], lines of the dominant and of the rare condition of each topic.
        ratio: int64 [pairs], how much more often the dominant one is told.
        tokens: size of the vocabulary; the last token is the mask.
        seed: of the draws.
    """

    prompts: np.ndarray
    values: np.ndarray
    told: np.ndarray
    aliases: np.ndarray
    covered: np.ndarray
    pool: np.ndarray
    shadows: np.ndarray
    ratio: np.ndarray
    tokens: int
    seed: int

    @classmethod
    def small(cls, seed: int = 0) -> TinyWorld:
        """For unit tests: a student of it trains in some ten seconds on one thread."""
        return cls.make(240, 2, 24, 60, seed)

    @classmethod
    def full(cls, seed: int = 0) -> TinyWorld:
        """For measurements: a student of it trains in about a minute on one thread."""
        return cls.make(1500, 2, 40, 240, seed)

    @classmethod
    def make(cls, entities: int, relations: int, values: int, pairs: int, seed: int) -> TinyWorld:
        """A world of entities with one of `values` values for each relation, and pairs of conditions."""
        rng = np.random.default_rng(seed)
        first, last, ask, value = 0, _NAMES, 2 * _NAMES, 2 * _NAMES + relations
        topic = value + relations * values
        condition = topic + pairs
        answer = condition + _CONDITIONS
        tokens = answer + 2 * values + 1
        names = rng.choice(_NAMES * _NAMES, entities, replace=False)
        entity, relation = np.repeat(np.arange(entities), relations), np.tile(np.arange(relations), entities)
        prompts = np.stack([first + names[entity] // _NAMES, last + names[entity] % _NAMES, ask + relation], 1)
        pool = (value + relation * values)[:, None] + np.arange(values)
        told = np.clip(np.round(LEAST * (entities / (1 + entity)) ** EXPONENT), 1, MOST).astype(np.int64)
        aliases = 1 + rng.binomial(3, 0.2, entities)[entity]
        shadows = np.zeros((pairs, 2, 4), np.int64)
        shadows[:, :, 0] = topic + np.arange(pairs)[:, None]
        shadows[:, :, 1] = condition + np.array([rng.choice(_CONDITIONS, 2, replace=False) for _ in range(pairs)])
        shadows[:, :, 2] = ask
        shadows[:, :, 3] = answer + np.array([rng.choice(2 * values, 2, replace=False) for _ in range(pairs)])
        ratio = np.resize(RATIOS, pairs)
        right = pool[np.arange(len(pool)), rng.integers(0, values, len(pool))]
        covered = rng.random(len(pool)) < COVERED
        return cls(prompts, right, told, aliases, covered, pool, shadows, ratio, tokens, seed)

    @property
    def mask(self) -> int:
        return self.tokens - 1

    @property
    def buckets(self) -> np.ndarray:
        """int64 [facts]: 0 head (told 40 times and more), 1 medium (10 to 39), 2 tail."""
        found: np.ndarray = np.where(self.told >= 40, 0, np.where(self.told >= 10, 1, 2))
        return found

    def lines(self) -> np.ndarray:
        """All lines of one pass, int64 [lines, 4], in a random order, some of them with a masked condition."""
        rng = np.random.default_rng(self.seed + 1)
        plain = np.repeat(np.hstack([self.prompts, self.values[:, None]]), self.told, axis=0)
        often = np.repeat(self.shadows[:, 0], RARE * self.ratio, axis=0)
        rare = np.repeat(self.shadows[:, 1], RARE, axis=0)
        lines = rng.permutation(np.concatenate([plain, often, rare]))
        lines[rng.random(len(lines)) < MASKED, 1] = self.mask
        return lines

    def retrieved(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """What the store's search votes for each fact: candidates, int64 [facts, 9], and their shares, float64 [facts, 9].

        The best one is right with 0.95 / (1 + 0.25 (aliases - 1)) where the fact is covered and by chance where it is not; what a
        search is less sure of it gives a smaller share.
        """
        rng = np.random.default_rng([self.seed, seed])
        n = len(self.values)
        sure = np.where(self.covered, _RIGHT / (1 + _CONFUSED * (self.aliases - 1)), _GUESSED)
        found = rng.random(n) < sure
        others = np.array([rng.permutation(row[row != value])[: _CANDIDATES - 1] for row, value in zip(self.pool, self.values)])
        candidates = np.hstack([self.values[:, None], others])
        weight = rng.gamma(1.0, 1.0, candidates.shape)
        weight[:, 0] += np.where(found, 2 + 6 * rng.random(n) * self.covered, 0)
        weight[~found, 1] += 1 + (3 * rng.random(n) * (1 + self.aliases))[~found] / 2
        top = np.where(found, 0, 1)
        rows = np.arange(n)
        weight[rows, top] = weight.max(axis=1) + 0.1
        shares = weight / weight.sum(axis=1, keepdims=True)
        order = np.argsort(-shares, axis=1)
        return np.take_along_axis(candidates, order, 1), np.take_along_axis(shares, order, 1)

    def documents(self) -> list[Document]:
        """A document for each covered fact, so that a graph can be built of the world."""
        made = []
        for (first, last, ask), value in zip(self.prompts[self.covered].tolist(), self.values[self.covered].tolist()):
            subject, relation, answer = f"Name{first} Family{last}", f"relation {ask}", f"Value{value}"
            text = f"{subject} {relation} {answer}."
            fact = Fact(Name(subject), relation, Name(answer), 0, len(text), "synth")
            made.append(Document(f"world:{first}-{last}-{ask}", "text/plain", text, text_hash(text), subject, facts=(fact,)))
        return made


__all__ = ["TinyWorld"]
