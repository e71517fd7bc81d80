"""Pack what was found into a token budget, paths first, and say what reading whole chunks would have cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..kg.errors import CorruptionError
from ..kg.ingest.sentences import sentences
from ..kg.model import Path, normalize
from .base import Budget, Evidence, Hit
from .difficulty import EvidenceDifficulty
from .words import STOPWORDS, word_key

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .encoder import Encoder, TextEncoder

FACT = 48  # tokens of evidence for one fact that is easy to find: a sentence and some room
HARDER = 1.5  # how much more a fact costs at full dispersion: the sentences around it, and paths that compete
LEAD = 0.3  # worth of a passage's first sentence, as a share of all the words of the question
BRIDGE = 0.25  # worth of naming what another of the passages is about


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


def excerpts(question: str, passages: Sequence[tuple[str, str]], encoder: TextEncoder, tokens: int) -> list[tuple[int, str]]:
    """The sentences of some passages that are most worth reading for a question.

    A sentence is worth the question's words it says (a word that few of the passages hold counts more), something for
    naming what another passage is about, and something for opening its passage; later passages count for less.

    Args:
        question: any text.
        passages: (title, text), best first.
        encoder: counts the tokens.
        tokens: at most this many WordPieces in all.

    Returns:
        (which passage, sentence) in the order of the passages.
    """
    asked = {word_key(word) for word in normalize(question).split() if word not in STOPWORDS}
    titles = [{word_key(word) for word in normalize(title).split()} - {0} for title, _ in passages]
    held = [{word_key(word) for word in normalize(text).split()} | title for (_, text), title in zip(passages, titles)]
    rare = {word: 1 / (1 + sum(word in words for words in held)) for word in asked}
    total = sum(rare.values()) or 1.0
    found: list[tuple[float, int, int, str]] = []
    for i, (_, text) in enumerate(passages):
        for n, (start, end) in enumerate(sentences(text)):
            words = {word_key(word) for word in normalize(text[start:end]).split()}
            worth = sum(rare[word] for word in asked & words) / total + LEAD * (n == 0)
            worth += BRIDGE * any(other and j != i and other <= words for j, other in enumerate(titles))
            found.append((-worth / (1 + i / 4), i, start, text[start:end]))
    chosen, spent = [], 0
    costs = encoder.count_tokens([piece for *_, piece in found])
    for (_, i, start, piece), cost in sorted(zip(found, costs)):
        if spent + cost <= tokens:
            spent += cost
            chosen.append((i, start, piece))
    return [(i, piece) for i, _, piece in sorted(chosen)]


def _window(kg: KnowledgeGraph, encoder: Encoder, chunk_id: str) -> int:
    """Tokens of a chunk; a damaged one would be no use to anybody and counts nothing."""
    try:
        return encoder.count_tokens([kg.store.chunk(chunk_id).text])[0]
    except CorruptionError:
        return 0


__all__ = ["excerpts", "pack", "tokens_for"]
