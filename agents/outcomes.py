"""What every action did on every question: the counterfactual log that a gate is trained and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..kg.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Each action run once on each question, whatever a gate would have chosen.

    Attributes:
        features: names of what was known before acting.
        x: float64 [questions, features], nan where a feature was not measured.
        actions: names; "abstain" is none of them.
        right: bool [questions, actions].
        cost: float64 [questions, actions], in retrievals.
        groups: int64 [questions], the entity asked about: no entity may stand on both sides of a split.
        buckets: int64 [questions], 0 head, 1 medium, 2 tail, by how often the entity is spoken of.
        said: bool [questions, actions], whether an action gave an answer at all; None where each always does.
        votes: int64 [questions, actions], a number for what each said, the same where it is the same, -1 where nothing; None
            where answers were not compared.
    """

    features: tuple[str, ...]
    x: np.ndarray
    actions: tuple[str, ...]
    right: np.ndarray
    cost: np.ndarray
    groups: np.ndarray
    buckets: np.ndarray
    said: np.ndarray | None = None
    votes: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.x)
        asked, acted = (n, len(self.features)), (n, len(self.actions))
        if not (self.x.shape == asked and self.right.shape == self.cost.shape == acted):
            raise InputError("outcomes of questions by features, and of questions by actions, do not have one length")
        if not (self.groups.shape == self.buckets.shape == (n,)):
            raise InputError("each question has one group and one bucket")

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> Outcomes:
        """Some of the questions.

        Args:
            rows: int64 or bool [questions].
        """
        parts = {name: getattr(self, name)[rows] for name in ("x", "right", "cost", "groups", "buckets")}
        said, votes = (None if one is None else one[rows] for one in (self.said, self.votes))
        return replace(self, **parts, said=said, votes=votes)

    def split(self, share: float, seed: int) -> tuple[Outcomes, Outcomes]:
        """Two parts without a group in common, the first with about `share` of the groups."""
        groups = np.random.default_rng(seed).permutation(np.unique(self.groups))
        first = np.isin(self.groups, groups[: round(share * len(groups))])
        return self.take(first), self.take(~first)

    def pick(self, actions: Sequence[str]) -> Outcomes:
        """With some of the actions."""
        columns = [self.actions.index(name) for name in actions]
        right, cost = self.right[:, columns], self.cost[:, columns]
        said, votes = (None if one is None else one[:, columns] for one in (self.said, self.votes))
        return replace(self, actions=tuple(actions), right=right, cost=cost, said=said, votes=votes)

    def only(self, features: Sequence[str]) -> Outcomes:
        """With some of the features."""
        columns = [self.features.index(name) for name in features]
        return replace(self, features=tuple(features), x=self.x[:, columns])


__all__ = ["Outcomes"]
