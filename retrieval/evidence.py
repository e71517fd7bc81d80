"""Pack what was found into a token budget, paths first, and say what reading whole chunks would have cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..kg.errors import CorruptionError
from ..kg.model import Path
from .base import Budget, Evidence, Hit
from .difficulty import EvidenceDifficulty

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .encoder import Encoder

FACT = 48  # tokens of evidence for one fact that is easy to find: a sentence and some room
HARDER = 1.5  # how much more a fact costs at full dispersion: the sentences around it, and paths that compete


def tokens_for(difficulty: EvidenceDifficulty, budget: Budget) -> int:
    """Tokens that the paths of a question may cost: by scope and dispersion, never more than the budget."""
    return min(budget.tokens, round(FACT * difficulty.scope * (1 + HARDER * difficulty.dispersion)))


def pack(
    kg: KnowledgeGraph,
    encoder: Encoder,
    paths: Sequence[Path],
    hits: Sequence[Hit],
    budget: Budget,
    truncated: set[str],
    difficulty: EvidenceDifficulty | None = None,
) -> Evidence:
    """Keep the best paths, then the best chunks, while they fit.

    A path costs the quotes of its hops (one span each, a quote shared by two hops counted once); a chunk costs its text
    unless a kept quote already stands in it and nothing else fits. The first path is kept whatever it costs.

    Args:
        difficulty: paths may cost what this asks for (`tokens_for`) instead of the whole budget; chunks take the rest.

    Returns:
        Evidence; `window_tokens` counts the whole chunks that hold the kept quotes together with the kept chunks.
    """
    limit = budget.tokens if difficulty is None else tokens_for(difficulty, budget)
    kept: list[Path] = []
    quotes: dict[str, int] = {}
    windows: dict[str, int] = {}
    tokens = 0
    for path in paths[: budget.paths]:
        new = {hop.triple.spans[0].quote for hop in path.hops if hop.triple.spans} - quotes.keys()
        costs = dict(zip(new, encoder.count_tokens(list(new))))
        if kept and tokens + sum(costs.values()) > limit:
            if limit == budget.tokens:
                truncated.add("tokens")
            break
        quotes.update(costs)
        tokens += sum(costs.values())
        kept.append(path)
    for chunk_id in {hop.triple.spans[0].chunk_id for path in kept for hop in path.hops if hop.triple.spans}:
        windows[chunk_id] = _window(kg, encoder, chunk_id)
    chosen: list[Hit] = []
    for hit in hits[: budget.chunks]:
        cost = windows.get(hit.chunk.id) or encoder.count_tokens([hit.chunk.text])[0]
        if tokens + cost > budget.tokens:
            truncated.add("tokens")
            continue
        chosen.append(hit)
        tokens += cost
        windows[hit.chunk.id] = cost
    return Evidence(tuple(kept), tuple(chosen), tokens, sum(windows.values()), tuple(sorted(truncated)))


def _window(kg: KnowledgeGraph, encoder: Encoder, chunk_id: str) -> int:
    """Tokens of a chunk; a damaged one would be no use to anybody and counts nothing."""
    try:
        return encoder.count_tokens([kg.store.chunk(chunk_id).text])[0]
    except CorruptionError:
        return 0


__all__ = ["pack", "tokens_for"]
