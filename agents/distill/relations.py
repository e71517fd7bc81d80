"""How tokens relate, passed from a teacher whose states can be seen to a student: similarities, never the states themselves.

After Knowledge Distillation via Token-level Relationship Graph (Zhang et al. 2023). Only cosines within each space are compared,
so the teacher may be wider than the student, and turning its space changes nothing. Tokens are compared as words or items: where
two tokenizers differ, states are pooled first (`pooled`). Needs the extra `models`.
"""

from __future__ import annotations

from typing import Any

from ...kg.errors import InputError
from ...retrieval.train_reader import import_torch


class TokenRelationLoss:
    """Local, global and contextual relations of one batch of tokens.

    Args:
        k: nearest neighbours in the teacher's space over which the local distributions are.
        tau: temperature of the distributions.
        alpha: weight of the contextual part (cosines within an instance).
        beta: weight of the local part and of the global one (to all tokens of the batch).
    """

    def __init__(self, k: int = 8, tau: float = 0.1, alpha: float = 1.0, beta: float = 0.5) -> None:
        if k < 1 or tau <= 0:
            raise InputError(f"k must be at least 1 and tau above 0, not {k} and {tau}")
        self.k, self.tau, self.alpha, self.beta = k, tau, alpha, beta

    def __call__(self, student: Any, teacher: Any, groups: Any) -> Any:
        """The loss, a scalar.

        Args:
            student: states [n, d].
            teacher: states of the same tokens [n, e]; no gradient goes there.
            groups: int [n], the instance of each token.
        """
        torch = import_torch()
        mine, theirs = _cosines(torch, student), _cosines(torch, teacher.detach())
        n = len(mine)
        if n < 3:
            return mine.sum() * 0.0
        apart = ~torch.eye(n, dtype=torch.bool, device=mine.device)
        same = (groups[:, None] == groups[None, :]) & apart
        contextual = ((mine - theirs) ** 2)[same].mean() if same.any() else mine.sum() * 0.0
        off_mine, off_theirs = (values[apart].reshape(n, n - 1) for values in (mine, theirs))
        near = off_theirs.topk(min(self.k, n - 1), dim=1).indices
        local = self._divergence(torch, off_mine.gather(1, near), off_theirs.gather(1, near))
        return self.alpha * contextual + self.beta * (local + self._divergence(torch, off_mine, off_theirs))

    def _divergence(self, torch: Any, mine: Any, theirs: Any) -> Any:
        """Mean Kullback-Leibler divergence of the student's distributions from the teacher's, rows of similarities given."""
        gold, said = (theirs / self.tau).log_softmax(dim=1), (mine / self.tau).log_softmax(dim=1)
        return (gold.exp() * (gold - said)).sum(dim=1).mean()


def pooled(states: Any, owners: Any, count: int) -> Any:
    """Means of the states [n, d] of the tokens of each word or item; `owners` int [n] below `count`, -1 for none."""
    torch = import_torch()
    kept = owners >= 0
    sums = torch.zeros(count, states.shape[1], dtype=states.dtype).index_add(0, owners[kept], states[kept])
    sizes = torch.zeros(count, dtype=states.dtype).index_add(0, owners[kept], torch.ones(int(kept.sum()), dtype=states.dtype))
    return sums / sizes.clamp(min=1)[:, None]


def _cosines(torch: Any, states: Any) -> Any:
    unit = torch.nn.functional.normalize(states, dim=1)
    return unit @ unit.T


__all__ = ["TokenRelationLoss", "pooled"]
