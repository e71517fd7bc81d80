"""Train the passage scorer: `python -m hoptrace.retrieval.train_passages OUT --mine KG... --asked KG QUESTIONS.jsonl`.

`--mine` names graphs whose passages questions are mined from (`passage_questions`), `--asked` a graph and questions that
people asked about it, {question, supporting_pids}; either may stand several times. The rough English of mined questions
says little about cosines, so the weights of passages alone are fitted to asked questions first, and all weights are then
pulled towards them. A feature that must not speak against a passage has no negative weight.

The loss of a question is the mean over its passages of the log-odds of each against all that it does not need, each
passage by its best way (as in the search). Which way is best depends on the weights, so fitting and choosing alternate,
and the ways are searched again with the fitted weights once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..kg.errors import InputError
from ..kg.graph import KnowledgeGraph
from .encoder import Encoder
from .hops import best_places
from .passage_features import ALONE, FEATURES
from .passage_questions import MinedQuestion, PassageMiner
from .passage_scorer import PassageScorer
from .passages import PassageSearch

POOL = 60  # best passages, by either scorer, beside which the needed ones are learned
RANDOM = 20  # and passages by chance
MAY_BE_NEGATIVE = {"title share", "title weight", "hop", "seed cosine", "names the seed", "asked for"}
PULL = 1e-3  # L2 towards the weights of passages alone
_START = {"cosine": 10.0, "lexical": 3.0, "coverage": 4.0, "rest coverage": 2.0, "rarity": 4.0, "about": 1.0, "hop": -2.5}


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Ways to p passages of one question.

    Attributes:
        spots: int [m] the passage each way leads to.
        features: float32 [m, f].
        needed: bool [p].
    """

    spots: np.ndarray
    features: np.ndarray
    needed: np.ndarray


def examples(search: PassageSearch, questions: Iterable[MinedQuestion], seed: int = 0) -> list[Example]:
    """Search for each question with the scorer of `search` and keep the ways to the best, the needed and some others."""
    rng = np.random.default_rng(seed)
    found = []
    for question in questions:
        walk = search.walk(question.question)
        n = len(walk.scores)
        best = {*best_places(walk.base @ search.scorer.first, POOL), *best_places(walk.scores, POOL)}
        pool = np.array(sorted({*best, *question.places, *rng.integers(0, n, RANDOM).tolist()}))
        places, rows = [pool], [walk.base[pool]]
        for reached, features in walk.ways:
            kept = np.isin(reached, pool)
            places.append(reached[kept])
            rows.append(features[kept])
        spots = np.searchsorted(pool, np.concatenate(places))
        found.append(Example(spots, np.concatenate(rows).astype(np.float32), np.isin(pool, question.places)))
    return found


def fit(found: Sequence[Example], start: np.ndarray, towards: np.ndarray, *, pull: float = PULL, hops: bool = True) -> np.ndarray:
    """Weights float64 [f] that put the needed passages first.

    Args:
        found: at least one.
        start: float [f] with which the first best ways are chosen.
        towards: float [f] what unneeded weights fall back to.
        pull: how strongly.
        hops: use ways over other passages; without, only the first `len(ALONE)` weights are fitted.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    count = len(FEATURES) if hops else len(ALONE)
    bounds = [(None if name in MAY_BE_NEGATIVE else 0.0, None) for name in FEATURES[:count]]
    sizes = np.array([len(example.needed) for example in found])
    offsets = np.cumsum(sizes) - sizes
    rows = np.concatenate([example.features for example in found]).astype(np.float64)
    passage = np.concatenate([example.spots + offset for example, offset in zip(found, offsets, strict=True)])
    needed = np.concatenate([example.needed for example in found])
    question = np.repeat(np.arange(len(found)), sizes)
    if not hops:
        alone = rows[:, len(ALONE)] == 0
        rows, passage = rows[alone], passage[alone]
    weights = start.astype(np.float64).copy()
    for _ in range(6 if hops else 1):
        order = np.lexsort((rows @ weights, passage))
        best = order[np.append(passage[order][1:] != passage[order][:-1], True)]
        table = rows[best][:, :count]
        result = minimize(
            _loss, weights[:count], (table, needed, question, towards[:count], pull), jac=True, method="L-BFGS-B", bounds=bounds
        )
        weights = np.append(result.x, np.zeros(len(FEATURES) - count))
    return weights


def _loss(
    weights: np.ndarray, rows: np.ndarray, needed: np.ndarray, question: np.ndarray, towards: np.ndarray, pull: float
) -> tuple[float, np.ndarray]:
    """Mean over questions of the mean over needed passages of -log(e^s / (e^s + sum of e^s of those not needed)), gradient."""
    n = int(question.max()) + 1
    scores = rows @ weights
    highest = np.full(n, -np.inf)
    np.maximum.at(highest, question, scores)
    raised = np.exp(scores - highest[question])
    others = np.bincount(question, raised * ~needed, n)[question]
    share = needed / np.maximum(np.bincount(question, needed, n), 1)[question] / n
    both = np.where(needed, others + raised, 1.0)
    value = float((share * np.log(both / np.where(needed, raised, 1.0))).sum())
    slope = np.where(needed, share * (raised / both - 1), raised * np.bincount(question, share / both, n)[question])
    away = weights - towards
    return value + pull * float(away @ away), rows.T @ slope + 2 * pull * away


def train(
    mined: Sequence[PassageSearch], asked: Sequence[tuple[PassageSearch, list[MinedQuestion]]], count: int
) -> PassageScorer:
    """Fit a scorer.

    Args:
        mined: searches over the graphs to mine.
        asked: searches with questions of people.
        count: questions mined from each graph, and taken of each set of asked ones.
    """
    sets = [(search, questions[:count], True) for search, questions in asked]
    sets += [(search, list(PassageMiner(search.kg, search.corpus().links).mine(count)), False) for search in mined]
    start = np.array([_START.get(name, 0.0) for name in FEATURES])
    first = np.where(np.arange(len(FEATURES)) < len(ALONE), start, 0.0)
    scorer = PassageScorer(first, start)
    for _ in range(2):
        found: list[tuple[Example, bool]] = []
        for search, questions, human in sets:
            search.scorer = scorer
            found += [(example, human) for example in examples(search, questions)]
        by_people = [example for example, human in found if human]
        if by_people:
            first = fit(by_people, scorer.first, np.zeros(len(FEATURES)), pull=PULL / 10, hops=False)
        scorer = PassageScorer(first, fit([example for example, _ in found], scorer.joint, first))
    return PassageScorer(scorer.first, scorer.joint, meta={"questions": sum(len(questions) for _, questions, _ in sets)})


def read_questions(path: Path, search: PassageSearch) -> list[MinedQuestion]:
    """Questions with `supporting_pids` and, where they are known, `answers`; the uri of a passage ends in `#pid`.

    Raises:
        InputError: the file cannot be read, or no question has its passages in the graph.
    """
    uris = {source.id: source.uri.rpartition("#")[2] for source in search.kg.store.sources()}
    table = search.words.table()
    rows = {uris[chunk.source_id]: row for row, chunk in search.kg.store.chunks() if chunk.start == 0}
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        wanted = [(str(one["question"]), one["supporting_pids"], tuple(one.get("answers", ()))) for one in records]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no questions with supporting_pids ({type(error).__name__})") from error
    questions = []
    for question, pids, answers in wanted:
        places = table.places(np.array([rows[pid] for pid in pids if pid in rows], dtype=np.int64))
        if len(places):
            questions.append(MinedQuestion(question, tuple(places.tolist()), "asked", answers=answers))
    if not questions:
        raise InputError(f"{path}: none of its passages is in {search.kg.path}")
    return questions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--mine", type=Path, nargs="+", default=[], metavar="KG")
    parser.add_argument("--asked", type=Path, nargs=2, action="append", default=[], metavar=("KG", "QUESTIONS"))
    parser.add_argument("--count", type=int, default=250, help="questions of each")
    options = parser.parse_args()
    encoder, blank = Encoder.default(), PassageScorer(np.zeros(len(FEATURES)), np.zeros(len(FEATURES)))
    mined = [PassageSearch(KnowledgeGraph.open(path, create=False), encoder, blank) for path in options.mine]
    asked = []
    for path, questions in options.asked:
        search = PassageSearch(KnowledgeGraph.open(path, create=False), encoder, blank)
        asked.append((search, read_questions(questions, search)))
    scorer = train(mined, asked, options.count)
    scorer.save(options.out)
    for name, first, joint in zip(FEATURES, scorer.first, scorer.joint, strict=True):
        print(f"{name:24} {first:8.2f} {joint:8.2f}")


if __name__ == "__main__":
    main()
