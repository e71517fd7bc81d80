"""Measures of retrieval and of answers, and how sure one can be of their means.

Answers are compared as SQuAD does (Rajpurkar et al. 2016): lower case, without punctuation, articles and extra space.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def recall_at_k(ranked: Sequence[Hashable], gold: Collection[Hashable], k: int) -> float:
    """Share of the gold items among the first k; 0 when there is no gold.

    >>> recall_at_k(["p1", "p7", "p3"], {"p3", "p9"}, 3)
    0.5
    """
    wanted = set(gold)
    return len(wanted & set(ranked[:k])) / len(wanted) if wanted else 0.0


def hits_at_1(ranked: Sequence[Hashable], gold: Collection[Hashable]) -> float:
    """1 when the first item is gold, else 0."""
    return float(bool(ranked) and ranked[0] in set(gold))


def reciprocal_rank(ranked: Sequence[Hashable], gold: Collection[Hashable]) -> float:
    """1 / rank of the first gold item; 0 when there is none. Its mean over questions is MRR."""
    wanted = set(gold)
    return next((1.0 / rank for rank, item in enumerate(ranked, start=1) if item in wanted), 0.0)


def ndcg_at_k(ranked: Sequence[Hashable], gold: Collection[Hashable], k: int) -> float:
    """Normalised discounted cumulative gain with gains 0 and 1 (Järvelin and Kekäläinen 2002).

    An item that stands in the ranking twice gains once.
    """
    wanted = set(gold)
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    seen: set[Hashable] = set()
    gained = 0.0
    for discount, item in zip(discounts, ranked[:k], strict=False):
        if item in wanted and item not in seen:
            gained += float(discount)
        seen.add(item)
    best = float(discounts[: len(wanted)].sum())
    return gained / best if best else 0.0


def normalize_answer(text: str) -> str:
    """The form in which SQuAD compares answers.

    >>> normalize_answer("The  U.S. Army!")
    'us army'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(predicted: str, accepted: Iterable[str]) -> float:
    """1 when the prediction equals one of the accepted answers after normalisation, else 0."""
    return float(any(normalize_answer(predicted) == normalize_answer(answer) for answer in accepted))


def token_f1(predicted: str, accepted: Iterable[str]) -> float:
    """Harmonic mean of token precision and recall against the accepted answer it fits best.

    `yes`, `no` and `noanswer` earn nothing from a longer text that holds them, as in HotpotQA's script.
    """
    return max((_f1(normalize_answer(predicted), normalize_answer(answer)) for answer in accepted), default=0.0)


def set_f1(predicted: Iterable[str], gold: Iterable[str]) -> float:
    """F1 between two sets of answers after normalisation, for questions with several; 1 when both are empty."""
    found, wanted = {normalize_answer(text) for text in predicted}, {normalize_answer(text) for text in gold}
    if not found and not wanted:
        return 1.0
    return 2 * len(found & wanted) / (len(found) + len(wanted))


def bootstrap_ci(
    values: Sequence[float] | np.ndarray, *, level: float = 0.95, resamples: int = 2000, seed: int = 13
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979).

    Args:
        values: one per question.
        level: probability mass of the interval.
        resamples: draws with replacement.
        seed: the same seed gives the same interval.

    Returns:
        (low, high); (nan, nan) for no values.
    """
    sample = np.asarray(values, dtype=np.float64)
    if not len(sample):
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    means = [sample[generator.integers(0, len(sample), len(sample))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _f1(predicted: str, accepted: str) -> float:
    closed = {"yes", "no", "noanswer"}
    if predicted != accepted and (predicted in closed or accepted in closed):
        return 0.0
    found, wanted = predicted.split(), accepted.split()
    if not found or not wanted:
        return float(found == wanted)
    same = sum((Counter(found) & Counter(wanted)).values())
    return 2 * same / (len(found) + len(wanted))
