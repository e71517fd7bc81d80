"""The learned reader of questions: numpy against torch, what it sees of a question, and model files that are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.errors import ArtefactError
from hoptrace.retrieval.stepwise import DEPTHS, PLACES, SHARED, WEIGHTS, Reader, StepScorer, token_inputs
from hoptrace.retrieval.wordings import lexicon
from hypothesis import given
from hypothesis import strategies as st

FAMILIES = ("owns", "founded", "located in")


@pytest.fixture(scope="module")
def scorer(reader: Reader) -> StepScorer:
    made = reader.scorer(FAMILIES, {})
    bias = np.random.default_rng(1).normal(size=made.weights["bias"].shape).astype(np.float32)
    return replace(made, weights={**made.weights, "bias": bias})


def test_numpy_gives_what_torch_gives(scorer: StepScorer, words: Any) -> None:
    torch = pytest.importorskip("torch")
    from hoptrace.retrieval.train_reader import module

    model = module(torch, words.dim, {name: scorer.weights[name] for name in SHARED})
    texts = ["who owns the firm X founded", "X", "where is the maker of what X wrote located in and why"]
    read = [token_inputs(words, text, [(text.index("X"), text.index("X") + 1)]) for text in texts]
    longest = max(len(states) for states, _ in read)
    states, places = np.zeros((3, longest, words.dim), np.float32), np.full((3, longest), PLACES)
    mask = np.zeros((3, longest), bool)
    for i, (one, at) in enumerate(read):
        states[i, : len(one)], places[i, : len(one)], mask[i, : len(one)] = one, at, True
    steps, bias = (torch.tensor(scorer.weights[name]) for name in ("steps", "bias"))
    with torch.no_grad():
        logits = model(torch.tensor(states), torch.tensor(places), torch.tensor(mask), steps, bias)
        expected = torch.log_softmax(logits, dim=2).numpy()
    for i, (one, at) in enumerate(read):
        np.testing.assert_allclose(scorer.log_probabilities(one, at), expected[i], atol=2e-5)


def test_a_table_holds_log_probabilities(scorer: StepScorer, words: Any) -> None:
    table = scorer.read(words, "Who owns Acme Corp?", [(9, 18)])
    assert table.shape == (DEPTHS, 2 * len(FAMILIES) + 1)
    assert table.dtype == np.float32
    np.testing.assert_allclose(np.exp(table).sum(axis=1), 1, rtol=1e-5)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=30).filter(str.strip))
def test_a_name_is_not_seen(scorer: StepScorer, words: Any, name: str) -> None:
    before, after = "who owns the supplier of ", " in town"
    read = [token_inputs(words, before + one + after, [(len(before), len(before) + len(one))]) for one in (name, "Acme Corp")]
    for first, second in zip(*read, strict=True):
        np.testing.assert_array_equal(first, second)


def test_capitals_brackets_and_the_last_mark_do_not_matter(words: Any) -> None:
    plain = token_inputs(words, "who owns acme", [(9, 13)])
    for text, spot in (("Who OWNS Acme?", (9, 13)), ("who owns [Acme] ?", (10, 14)), ("who owns acme...", (9, 13))):
        for first, second in zip(plain, token_inputs(words, text, [spot]), strict=True):
            np.testing.assert_array_equal(first, second)


def test_places_are_distances_from_the_seed_asked_for(words: Any) -> None:
    text = "do Acme Corp and Zeta Ltd share " + "very " * 20 + "much"
    mentions = [(3, 12), (17, 25)]
    _, first = token_inputs(words, text, mentions, 0)
    _, second = token_inputs(words, text, mentions, 1)
    assert first[:5].tolist() == [PLACES - 1, PLACES, PLACES + 1, PLACES + 2, PLACES + 3]
    assert second[:5].tolist() == [PLACES - 3, PLACES - 2, PLACES - 1, PLACES, PLACES + 1]
    assert first.max() == second.max() == 2 * PLACES


def test_steps_of_a_scorer_are_those_of_the_families_asked_for(reader: Reader) -> None:
    forward, backward = reader.scorer(FAMILIES, {}).weights["steps"], reader.scorer(FAMILIES[::-1], {}).weights["steps"]
    np.testing.assert_allclose(forward[:-1].reshape(3, 2, -1), backward[:-1].reshape(3, 2, -1)[::-1], atol=1e-6)
    np.testing.assert_array_equal(forward[-1], reader.weights["stop"])
    np.testing.assert_allclose(np.linalg.norm(forward[:-1], axis=1), 1, rtol=1e-4)


def test_wordings_given_take_the_place_of_known_ones(reader: Reader) -> None:
    own = np.random.default_rng(3).normal(size=(2, reader.weights["ways"].shape[1])).astype(np.float32)
    known = reader.scorer(FAMILIES, {}).weights["steps"]
    changed = reader.scorer((*FAMILIES, "zorbles"), {"owns": own, "zorbles": own}).weights["steps"]
    np.testing.assert_allclose(changed[2:6], known[2:6], atol=1e-6)
    np.testing.assert_allclose(changed[:2], changed[6:8], atol=1e-6)
    assert not np.allclose(changed[:2], known[:2])


def test_what_was_saved_is_loaded(scorer: StepScorer, reader: Reader, tmp_path: Path) -> None:
    scorer.save(tmp_path / "scorer")
    reader.save(tmp_path / "reader")
    for saved, loaded in ((scorer, StepScorer.load(tmp_path / "scorer")), (reader, Reader.load(tmp_path / "reader"))):
        assert (loaded.families, loaded.encoder, loaded.meta) == (saved.families, saved.encoder, saved.meta)
        assert sorted(loaded.weights) == sorted(saved.weights)
        for name, value in saved.weights.items():
            np.testing.assert_array_equal(loaded.weights[name], value)


def spoil(folder: Path, how: str) -> None:
    weights = folder / WEIGHTS
    if how == "missing":
        weights.unlink()
    elif how == "changed":
        data = bytearray(weights.read_bytes())
        data[-3] ^= 1
        weights.write_bytes(bytes(data))
    else:
        weights.write_bytes(weights.read_bytes()[:-7])


@pytest.mark.parametrize("how", ["missing", "changed", "cut"])
@pytest.mark.parametrize("kind", [StepScorer, Reader])
def test_a_damaged_model_is_not_loaded(scorer: StepScorer, reader: Reader, tmp_path: Path, kind: Any, how: str) -> None:
    (scorer if kind is StepScorer else reader).save(tmp_path)
    spoil(tmp_path, how)
    with pytest.raises(ArtefactError, match=WEIGHTS):
        kind.load(tmp_path)


def test_a_model_of_another_kind_is_not_loaded(scorer: StepScorer, reader: Reader, tmp_path: Path) -> None:
    scorer.save(tmp_path / "scorer")
    reader.save(tmp_path / "reader")
    with pytest.raises(ArtefactError, match="other names"):
        StepScorer.load(tmp_path / "reader")
    with pytest.raises(ArtefactError, match="other names"):
        Reader.load(tmp_path / "scorer")
    with pytest.raises(ArtefactError):
        Reader.load(tmp_path / "nowhere")


def test_steps_that_are_not_those_of_the_families_are_not_loaded(scorer: StepScorer, tmp_path: Path) -> None:
    replace(scorer, families=FAMILIES[:2]).save(tmp_path)
    with pytest.raises(ArtefactError, match="steps"):
        StepScorer.load(tmp_path)


def test_another_encoder_is_refused(scorer: StepScorer, words: Any) -> None:
    foreign = replace(scorer, encoder="other@0123456789ab")
    with pytest.raises(ArtefactError, match="other@0123456789ab"):
        foreign.read(words, "who owns Acme", [(9, 13)])


def test_the_families_of_these_tests_are_in_the_lexicon() -> None:
    assert set(FAMILIES) <= lexicon().families.keys()
