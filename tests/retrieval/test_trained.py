"""Whether a question is read by the scorer trained for its graph, and what is said when that one does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.errors import InputError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.relations import WORDINGS, RelationIndex
from hoptrace.retrieval.stepwise import WEIGHTS, Reader, StepScorer
from hoptrace.retrieval.trained import TrainedScorer, general_scorer, install, scorer_folder

QUESTION, MENTION = "who owns the firm that supplies Babebi", [(32, 38)]


@pytest.fixture
def kg(tmp_path: Path, write: Callable[..., None], firms_facts: list[Any]) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "kg") as made:
        write(made, firms_facts[:60])
        yield made


@pytest.fixture
def used(kg: KnowledgeGraph, words: Any) -> TrainedScorer:
    return TrainedScorer(kg, RelationIndex(kg, words), words)


def other(reader: Reader, used: TrainedScorer, seed: int = 1) -> StepScorer:
    """A scorer for the same relations, in another order, that scores otherwise."""
    used.relations.refresh()
    general = general_scorer(reader, used.relations)
    steps = np.random.default_rng(seed).normal(size=general.weights["steps"].shape).astype(np.float32)
    return replace(general, families=general.families[::-1], weights={**general.weights, "steps": steps})


def in_order(scorer: StepScorer, used: TrainedScorer) -> np.ndarray:
    """Its table with the steps in the order of the graph's families."""
    table = scorer.read(used.encoder, QUESTION, MENTION)
    columns = [2 * scorer.families.index(f.name) + back for f in used.relations.families for back in (0, 1)]
    return table[:, [*columns, -1]]


def test_an_untrained_graph_has_no_guide(used: TrainedScorer) -> None:
    assert used.guide(QUESTION, MENTION, 0) is None
    assert "hoptrace train retriever" in used.fallback


def test_a_new_scorer_is_picked_up(kg: KnowledgeGraph, used: TrainedScorer, reader: Reader) -> None:
    used.guide(QUESTION, MENTION, 0)
    for seed in (1, 2):
        scorer = other(reader, used, seed)
        assert install(kg, scorer) == scorer_folder(kg)
        table = used.guide(QUESTION, MENTION, 0)
        assert table is not None
        np.testing.assert_allclose(table, in_order(scorer, used), atol=1e-6)
        assert used.fallback == ""
    assert [folder.name for folder in scorer_folder(kg).parent.iterdir()] == ["retriever"]


def test_a_relation_unknown_to_the_scorer_is_named_and_the_scorer_left_aside(
    kg: KnowledgeGraph, used: TrainedScorer, reader: Reader
) -> None:
    install(kg, other(reader, used))
    used.guide(QUESTION, MENTION, 0)
    kg.add("Babebi", "married to", "Bobibu")
    with pytest.warns(UserWarning, match="'married to'; train it again"):
        assert used.guide(QUESTION, MENTION, 0) is None
    install(kg, other(reader, used))
    used.guide(QUESTION, MENTION, 0)
    assert used.fallback == ""


def test_a_relation_that_is_gone_does_not_stop_a_scorer(kg: KnowledgeGraph, used: TrainedScorer, reader: Reader) -> None:
    scorer = other(reader, used)
    more = np.concatenate([np.ones((2, scorer.weights["steps"].shape[1]), np.float32), scorer.weights["steps"]])
    bias = np.zeros((len(scorer.weights["bias"]), len(more)), np.float32)
    bias[:, :2] = -1e4  # the step that no graph has takes no part
    install(kg, replace(scorer, families=("gone", *scorer.families), weights={**scorer.weights, "steps": more, "bias": bias}))
    table = used.guide(QUESTION, MENTION, 0)
    assert table is not None
    assert table.shape[1] == 2 * len(used.relations.families) + 1
    plain = replace(scorer, weights={**scorer.weights, "bias": bias[:, 2:]})
    np.testing.assert_allclose(table, in_order(plain, used), atol=1e-5)


@pytest.mark.parametrize(("how", "said"), [("encoder", "other@0123456789ab"), ("damaged", "SHA-256")])
def test_a_scorer_that_does_not_fit_is_named_and_left_aside(
    kg: KnowledgeGraph, used: TrainedScorer, reader: Reader, how: str, said: str
) -> None:
    scorer = other(reader, used)
    install(kg, replace(scorer, encoder="other@0123456789ab") if how == "encoder" else scorer)
    if how == "damaged":
        with (scorer_folder(kg) / WEIGHTS).open("ab") as stream:
            stream.write(b"x")
    with pytest.warns(UserWarning, match=said):
        assert used.guide(QUESTION, MENTION, 0) is None
    assert said in used.fallback


def test_a_family_outside_the_lexicon_goes_by_its_own_words(used: TrainedScorer, reader: Reader, words: Any) -> None:
    scorer = general_scorer(reader, used.relations)
    at = scorer.families.index("zorbles")
    mean = words.encode(["zorbles"])[0]
    row = mean + reader.weights["ways"][0]
    row = row + row @ reader.weights["lift_down"] @ reader.weights["lift_up"]
    np.testing.assert_allclose(scorer.weights["steps"][2 * at], row / np.linalg.norm(row), atol=1e-4)


def test_a_graph_may_bring_its_own_wordings(kg: KnowledgeGraph, words: Any, reader: Reader) -> None:
    before = general_scorer(reader, RelationIndex(kg, words))
    (kg.path / WORDINGS).write_text(
        '[[family]]\nname = "zorbles"\nverbs = ["hoodwink"]\nobject_nouns = ["dupe"]\n\n'
        '[[family]]\nname = "supplies"\nverbs = ["kit out"]\n', "utf-8"
    )  # fmt: skip
    relations = RelationIndex(kg, words)
    after = general_scorer(reader, relations)
    named = {family.name: family for family in relations.families}
    assert named["zorbles"].verbs == ("hoodwink",)
    assert "kit out" in named["supplies"].verbs
    assert len(named["supplies"].verbs) > 1, "the packaged wordings stay"
    rows = {name: slice(2 * i, 2 * i + 2) for i, name in enumerate(after.families)}
    for name, at in rows.items():
        same = np.array_equal(after.weights["steps"][at], before.weights["steps"][at])
        assert same == (name not in {"zorbles", "supplies"}), name


@pytest.mark.parametrize(
    "text",
    ["[[family]\n", 'family = "owns"\n', "[[family]]\nverbs = ['x']\n", '[[family]]\nname = "owns"\ncolour = "red"\n', "\xff"],
)
def test_broken_wordings_are_unusable_input(kg: KnowledgeGraph, words: Any, text: str) -> None:
    (kg.path / WORDINGS).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=WORDINGS):
        RelationIndex(kg, words)
