"""The gate on a `TinyWorld`: what each action does on each of its questions, and what student and store believe."""

from __future__ import annotations

import numpy as np

from ..kg.synth import TinyWorld
from .experts.causal import CausalStudent
from .opinion import Opinion
from .outcomes import Outcomes
from .overshadow import shadow_score

TIERS = (
    ("told", "covered", "aliases"),  # known from the training manifest and the store
    ("margin", "entropy", "shadow"),  # of one draft
    ("share", "gap"),  # of what a search would find
)
ACTIONS = ("internal", "path", "verify")
RETRIEVALS = (0.0, 1.0, 1.0)
PROBE = (0.0, 0.02, 1.0)  # retrievals that each tier costs; the last is the retrieval itself, and acting on it is free then
_FLOOR = 1e-9


def outcomes(world: TinyWorld, student: CausalStudent, seed: int = 0) -> Outcomes:
    """Every action once on every fact: the student alone, the store's best vote, and its candidates as the student ranks them."""
    given, masked = student.next(world.prompts), student.next(_masked(world))
    candidates, shares = world.retrieved(seed)
    rows = np.arange(len(world.values))
    ranked = candidates[rows, np.take_along_axis(given, candidates, 1).argmax(axis=1)]
    top = np.sort(given, axis=1)
    x = np.stack(
        [
            np.log1p(world.told),
            world.covered.astype(np.float64),
            world.aliases.astype(np.float64),
            top[:, -1] - top[:, -2],
            -(given * np.log(given + _FLOOR)).sum(axis=1),
            shadow_score(given, masked),
            shares[:, 0],
            shares[:, 0] - shares[:, 1],
        ],
        axis=1,
    )
    right = np.stack([given.argmax(axis=1), candidates[:, 0], ranked], axis=1) == world.values[:, None]
    cost = np.tile(RETRIEVALS, (len(rows), 1))
    names = tuple(name for tier in TIERS for name in tier)
    entity = world.prompts[:, 0] * world.tokens + world.prompts[:, 1]
    return Outcomes(names, x, ACTIONS, right, cost, entity, world.buckets)


def opinions(
    world: TinyWorld, student: CausalStudent, reliability: np.ndarray, seed: int = 0
) -> tuple[list[Opinion], list[Opinion]]:
    """What the student and the store believe of each fact.

    Args:
        reliability: float [facts, 2], calibrated probability that the student and that the store is right.
    """
    given = np.take_along_axis(student.next(world.prompts), world.pool, 1)
    candidates, shares = world.retrieved(seed)
    own = [
        Opinion.of([str(token) for token in pool], p, r)
        for pool, p, r in zip(world.pool.tolist(), given.astype(np.float64), reliability[:, 0].tolist())
    ]
    found = [
        Opinion.of([str(token) for token in names], p, r)
        for names, p, r in zip(candidates.tolist(), shares, reliability[:, 1].tolist())
    ]
    return own, found


def shadowed(world: TinyWorld, student: CausalStudent) -> dict[str, np.ndarray]:
    """The shadow block: `score` and `entropy`, float64 [pairs, 2], of the dominant and the rare condition, and `right`, bool
    [pairs, 2]; `shadowed`, bool [pairs], says whether the rare condition is answered as the dominant one."""
    flat = world.shadows.reshape(-1, 4)
    prompts, without = flat[:, :3], flat[:, :3].copy()
    without[:, 1] = world.mask
    given, masked = student.next(prompts), student.next(without)
    best = given.argmax(axis=1).reshape(-1, 2)
    truth = world.shadows[:, :, 3]
    return {
        "score": shadow_score(given, masked).reshape(-1, 2),
        "entropy": -(given * np.log(given + _FLOOR)).sum(axis=1).reshape(-1, 2),
        "right": best == truth,
        "shadowed": best[:, 1] == truth[:, 0],
    }


def _masked(world: TinyWorld) -> np.ndarray:
    prompts = world.prompts.copy()
    prompts[:, 1] = world.mask
    return prompts


__all__ = ["ACTIONS", "PROBE", "RETRIEVALS", "TIERS", "opinions", "outcomes", "shadowed"]
