"""Training on a graph: it learns, gives the same weights again, and says when a graph has too little to ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.agents.interfaces.cli import main
from hoptrace.data import model_folder
from hoptrace.kg.errors import InputError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.mining import Pattern
from hoptrace.retrieval.mining import QuestionMiner
from hoptrace.retrieval.relations import RelationIndex
from hoptrace.retrieval.stepwise import DEPTHS, SHAPES, Reader, StepScorer
from hoptrace.retrieval.train_paths import Split, evaluate, held_out, train
from hoptrace.retrieval.wordings import families

pytest.importorskip("torch")


def trained(kg: KnowledgeGraph, words: Any, reader: Reader, seed: int, lines: list[str] | None = None) -> StepScorer:
    report = (lines if lines is not None else []).append
    return train(kg, RelationIndex(kg, words), words, questions=200, epochs=2, seed=seed, reader=reader, report=report)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.fixture(scope="module")
def scorer(firms: KnowledgeGraph, words: Any, reader: Reader, lines: list[str]) -> StepScorer:
    return trained(firms, words, reader, 0, lines)


def test_a_trained_scorer_fits_its_graph(firms: KnowledgeGraph, scorer: StepScorer, words: Any) -> None:
    relations = RelationIndex(firms, words)
    relations.refresh()
    assert scorer.families == tuple(family.name for family in relations.families)
    assert sorted(scorer.weights) == sorted(SHAPES)
    assert scorer.encoder == words.id
    assert scorer.read(words, "who owns Babebi", [(9, 15)]).shape == (DEPTHS, 2 * len(scorer.families) + 1)


def test_the_same_seed_gives_the_same_weights(firms: KnowledgeGraph, scorer: StepScorer, words: Any, reader: Reader) -> None:
    again, another = (trained(firms, words, reader, seed) for seed in (0, 1))
    for name, value in scorer.weights.items():
        np.testing.assert_array_equal(again.weights[name], value)
    assert any(not np.array_equal(another.weights[name], value) for name, value in scorer.weights.items())


def test_the_loss_falls_and_held_out_figures_are_kept(scorer: StepScorer, lines: list[str]) -> None:
    losses = [float(line.rpartition(" ")[2]) for line in lines if line.startswith("epoch")]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    figures: Any = scorer.meta["held_out_path@1"]
    assert set(figures) == {"entities", "compositions", "wordings"}
    assert figures["entities"]["trained"] > figures["entities"]["reader"]


def test_held_out_questions_are_not_those_of_training(firms: KnowledgeGraph, words: Any) -> None:
    miner, split = QuestionMiner(firms, RelationIndex(firms, words)), Split(0)
    sets = held_out(miner, split, 0, 40)
    for some in sets.values():
        assert some
        assert not any(split.seeds(question.seed) for question in some)
    for question in sets["compositions"]:
        assert not split.pattern(Pattern(tuple(2 * family + (way < 0) for family, way in question.steps), 1))


@pytest.mark.parametrize("seed", range(3))
def test_a_split_holds_out_about_the_shares_it_says(seed: int) -> None:
    split = Split(seed)
    assert 0.17 < sum(not split.seeds(row) for row in range(4000)) / 4000 < 0.23
    assert 0.1 < sum(not split.pattern(Pattern((i, j), 1)) for i in range(60) for j in range(60)) / 3600 < 0.15
    assert all(split.pattern(Pattern((i,), 1)) for i in range(60)), "single hops are never held out"
    said = [(f, verb) for f in families() for verb in f.verbs]
    assert 0.05 < sum(not split.wording(f, 1, verb) for f, verb in said) / len(said) < 0.2


def test_evaluation_counts_whole_paths(firms: KnowledgeGraph, scorer: StepScorer, words: Any) -> None:
    miner = QuestionMiner(firms, RelationIndex(firms, words))
    some = held_out(miner, Split(0), 0, 60)["entities"]
    hits = 0
    for question in some:
        table, right = scorer.read(words, question.text, [(question.start, question.end)]), True
        gold = [2 * family + (way < 0) for family, way in question.steps] + [2 * len(scorer.families)]
        for hop, (codes, one) in enumerate(zip(miner.options(question), gold, strict=True)):
            right &= all(table[hop, one] >= table[hop, code] for code in [*codes, 2 * len(scorer.families)])
        hits += right
    assert evaluate(scorer, some, miner, words) == round(hits / len(some), 4)
    assert evaluate(scorer, [], miner, words) == 0.0


def test_a_graph_with_nothing_to_ask_is_unusable_input(tmp_path: Path, words: Any, reader: Reader) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Orla Vance", "founded", "Brightwater Labs")
        with pytest.raises(InputError, match="questions to learn from"):
            trained(kg, words, reader, 0)


def packaged() -> bool:
    return (model_folder("reader") / "manifest.json").is_file()


@pytest.mark.parametrize("words_", [("profile",), ("retriever", "--questions", "0"), ("retriever", "--epochs", "0")])
def test_what_cannot_be_trained_is_unusable_input(
    firms: KnowledgeGraph, capsys: pytest.CaptureFixture[str], words_: tuple[str, ...]
) -> None:
    assert main(["train", *words_, "--kg", str(firms.path)]) == InputError.exit_code
    assert ("retriever" if words_ == ("profile",) else "at least 1") in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.skipif(not packaged(), reason="the packaged reader is not there")
def test_the_command_trains_installs_and_says_so(firms: KnowledgeGraph, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "retriever", "--questions", "120", "--epochs", "2", "--kg", str(firms.path)]) == 0
    printed = capsys.readouterr()
    assert "path@1" in printed.out
    folder = firms.path / "models" / "retriever"
    assert str(folder) in printed.out
    assert "founded" in StepScorer.load(folder).families
