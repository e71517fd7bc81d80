"""Training the reader for relations in general: its questions, its encodings, and that it learns from them."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hoptrace.retrieval.phrases import Phraser
from hoptrace.retrieval.stepwise import DEPTHS, PLACES, READER
from hoptrace.retrieval.train_reader import chains, compose, encode, step_wordings, train_reader, twins, wording_table
from hoptrace.retrieval.wordings import families

KNOWN = families()


def test_chains_are_of_one_to_three_hops_and_mostly_join_in_type() -> None:
    found = chains(KNOWN, 3000, random.Random(0))
    shares = [sum(len(path) == hops for path in found) / 3000 for hops in (1, 2, 3)]
    np.testing.assert_allclose(shares, (0.2, 0.4, 0.4), atol=0.05)
    joins = [pair for path in found for pair in pairwise(path)]
    back = sum(b == (a[0], -a[1]) for a, b in joins)
    assert 0.1 < back / len(joins) < 0.5

    def end(step: tuple[int, int]) -> str:
        return KNOWN[step[0]].object_type if step[1] > 0 else KNOWN[step[0]].subject_type

    def start(step: tuple[int, int]) -> str:
        return end((step[0], -step[1]))

    fits = sum(not end(a) or not start(b) or end(a) == start(b) for a, b in joins)
    assert fits / len(joins) > 0.85


def test_encoded_questions_are_padded_and_end_in_stop(words: Any) -> None:
    data = encode([("who owns X", 9, 10, [4]), ("X", 0, 1, [3, 7, 1])], 20, words)
    assert data.mask.sum(axis=1).tolist() == [3, 1]
    assert data.steps.tolist() == [[4, 20, -1, -1], [3, 7, 1, 20]]
    assert data.places[0].tolist() == [PLACES - 2, PLACES - 1, PLACES]
    assert not data.states[1, 1:].any()
    np.testing.assert_allclose(data.states[0, 1], words.token_states("owns")[1][0].astype(np.float16))


def test_a_step_is_the_mean_of_its_wordings(words: Any) -> None:
    known, belongs = wording_table(KNOWN[:20])
    means, phraser = step_wordings(KNOWN[:20], words), Phraser(random.Random(0))
    assert belongs.shape == (40, len(known))
    for i, family in enumerate(KNOWN[:20]):
        for j, way in enumerate((1, -1)):
            texts = dict.fromkeys((family.name, *phraser.nouns((family, way)), *phraser.verbs((family, way))))
            np.testing.assert_allclose(means[2 * i + j], words.encode(list(texts)).mean(axis=0), atol=1e-5)


def test_a_question_never_holds_a_wording_that_is_held_out() -> None:
    drawn, used = compose(KNOWN, 300, random.Random(3), lambda family, way, phrase: len(phrase) % 3 > 0)
    assert len(drawn) == len(used) > 200
    assert all(len(word) % 3 for words in used for word in words)
    for (text, start, end, steps), words in zip(drawn, used, strict=True):
        assert text[start:end] == "X"
        assert len(words) in {len(steps), len(steps) - 1}


def test_twins_are_the_other_way_of_symmetric_families() -> None:
    gold = np.array([[0, 3, 6, -1], [2, 6, -1, -1]])  # three families, of which the second is symmetric; 6 is to stop
    found = twins(gold, np.array([False, False, True, True, False, False]))
    assert np.argwhere(found).tolist() == [[0, 1, 2], [1, 0, 3]]


def test_a_reader_learns_and_the_same_seed_gives_the_same_reader(words: Any) -> None:
    pytest.importorskip("torch")
    lines: list[str] = []
    first = train_reader(words, questions=256, epochs=3, seed=1, report=lines.append)
    losses = [float(line.rpartition(" ")[2]) for line in lines if line.startswith("epoch")]
    assert losses[-1] < losses[0]
    assert first.families == tuple(family.name for family in KNOWN)
    assert sorted(first.weights) == sorted(READER)
    table = first.scorer(("owns", "founded"), {}).read(words, "who owns Acme", [(9, 13)])
    assert table.shape == (DEPTHS, 5)
    again = train_reader(words, questions=256, epochs=3, seed=1)
    for name, value in first.weights.items():
        np.testing.assert_array_equal(again.weights[name], value)
