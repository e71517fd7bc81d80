"""Train the weights of sentences: `python -m hoptrace.retrieval.train_excerpts OUT --mine KG... --told KG QUESTIONS.jsonl`.

OUT is the packaged passage scorer with new weights of sentences (`excerpts`). `--mine` names graphs whose passages questions
are mined from, `--told` a graph and questions whose answers are known, {question, supporting_pids, answers}; it may stand
several times.

A sentence is wanted when an answer stands in it or, for a mined question, when the question was made from it. Mined
questions teach where chains end, but copy words of their sentences; questions about single facts that people wrote, or
that were put together from facts people marked, say what telling sentences are like. Both count, the latter twice.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..kg.graph import KnowledgeGraph
from ..kg.model import normalize
from .encoder import Encoder
from .excerpts import SENTENCE, candidates
from .passage_questions import MinedQuestion, PassageMiner
from .passage_scorer import PassageScorer
from .passages import PassageSearch
from .train_passages import read_questions

PASSAGES = 5  # of a question whose sentences are compared
TOLD = 2.0  # weight of a question with known answers
PULL = 0.03  # L2


@dataclass(frozen=True, slots=True, eq=False)
class SentenceExample:
    """Sentences of one question: features [m, len(SENTENCE)], which are wanted [m], and how much the question counts."""

    features: np.ndarray
    wanted: np.ndarray
    weight: float


def sentence_examples(search: PassageSearch, questions: Iterable[MinedQuestion]) -> list[SentenceExample]:
    """The sentences of the best passages by `search`; questions of which none is wanted are left out."""
    found = []
    for question in questions:
        passages = [passage for _, passage in search.found(question.question, PASSAGES)]
        sentences, features = candidates(question.question, passages, search.corpus().links.table.rarity)
        texts = [passages[one.passage].text[one.start : one.end] for one in sentences]
        wanted = np.array([_wanted(question, text) for text in texts], dtype=bool)
        if wanted.any():
            found.append(SentenceExample(features, wanted, TOLD if question.answers else 1.0))
    return found


def _wanted(question: MinedQuestion, text: str) -> bool:
    if question.answers:
        return any(f" {normalize(answer)} " in f" {normalize(text)} " for answer in question.answers if answer)
    return text in (question.sentences if question.kind.startswith("comparison") else question.sentences[-1:])


def fit_sentences(found: Sequence[SentenceExample]) -> np.ndarray:
    """Weights float64 [len(SENTENCE)] that put a wanted sentence of every question first."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    total = sum(example.weight for example in found) or 1.0

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = PULL * float(weights @ weights), 2 * PULL * weights
        for example in found:
            scores = example.features @ weights
            raised = np.exp(scores - scores.max())
            wanted = raised * example.wanted
            value -= example.weight / total * float(np.log(wanted.sum() / raised.sum()))
            slope = slope + example.weight / total * (example.features.T @ (raised / raised.sum() - wanted / wanted.sum()))
        return value, slope

    weights: np.ndarray = minimize(loss, np.zeros(len(SENTENCE)), jac=True, method="L-BFGS-B").x
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--mine", type=Path, nargs="+", default=[], metavar="KG")
    parser.add_argument("--told", type=Path, nargs=2, action="append", default=[], metavar=("KG", "QUESTIONS"))
    parser.add_argument("--count", type=int, default=200, help="questions of each")
    options = parser.parse_args()
    encoder, found = Encoder.default(), []
    for path in options.mine:
        search = PassageSearch(KnowledgeGraph.open(path, create=False), encoder)
        found += sentence_examples(search, PassageMiner(search.kg, search.corpus().links).mine(options.count))
    for path, questions in options.told:
        search = PassageSearch(KnowledgeGraph.open(path, create=False), encoder)
        found += sentence_examples(search, read_questions(questions, search)[: options.count])
    default = PassageScorer.default()
    scorer = replace(default, sentence=fit_sentences(found), meta=default.meta | {"sentence questions": len(found)})
    scorer.save(options.out)
    for name, weight in zip(SENTENCE, scorer.sentence, strict=True):
        print(f"{name:24} {weight:8.2f}")


if __name__ == "__main__":
    main()
