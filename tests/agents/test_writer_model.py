"""The writer's model: learning, packaging, and what it may choose among."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hoptrace.agents.writer import Story, Writer
from hoptrace.agents.writer.corpora import lessons, likeness
from hoptrace.agents.writer.grammar import variants
from hoptrace.agents.writer.inputs import arrays
from hoptrace.agents.writer.source import CLOSED, OTHER, VOCABULARY, choices, source
from hoptrace.kg.artefacts import write_manifest
from hoptrace.kg.errors import ArtefactError
from hoptrace.retrieval.encoder import Encoder

SENTENCES = [
    ("In 2001 Orla Vance directed The Long Quay.", ["The Long Quay", "director", "Orla Vance"]),
    ("The Long Night was directed by Piet Aalders.", ["The Long Night", "director", "Piet Aalders"]),
    ("Tarn Tales was written by Ines Tolland.", ["Tarn Tales", "author", "Ines Tolland"]),
    ("The publisher of Tarn Tales is Skerry Books.", ["Tarn Tales", "publisher", "Skerry Books"]),
]


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sentences")
    rows = [{"sent": text, "triples": [triple], "ontology": "works"} for text, triple in SENTENCES]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "works_ontologies.jsonl").write_text(json.dumps({"id": "works", "relations": []}), "utf-8")
    return folder / "train.jsonl"


@pytest.fixture(scope="module")
def trained(sentences: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    from hoptrace.agents.writer.train import package, task, train

    folder = tmp_path_factory.mktemp("writer")
    tasks = [task(one, encoder) for one in lessons(sentences, None, random.Random(0))]
    net = train(tasks, folder / "checkpoint", epochs=1)
    package(net, folder / "model", encoder, {})
    return folder / "model"


def some_story(sentences: Path) -> Story:
    return next(one.story for one in lessons(sentences, None, random.Random(0)) if len(variants(one.story)) > 1)


def test_a_sentence_gives_its_story_with_names_as_marks(sentences: Path) -> None:
    first = lessons(sentences, None, random.Random(0))[0]
    assert {*first.story.names} == {"The Long Quay", "Orla Vance"}
    assert first.story.render(first.text) == SENTENCES[0][0]
    assert first.story.chains[0][0].ends(first.story.facts) == tuple(
        map(first.story.names.index, ("Orla Vance", "The Long Quay"))
    )


def test_likeness_is_of_words_and_their_order() -> None:
    assert likeness("a b c", "a b c") == 1
    assert 0 < likeness("a b c d", "d c b a") < likeness("a b c d", "a b c e") < 1
    assert likeness("a b", "c d") == 0


def test_a_text_of_the_grammar_is_made_of_function_words_and_copies_alone(sentences: Path, encoder: Encoder) -> None:
    told = some_story(sentences)
    units = source(told, encoder)
    for variant in variants(told):
        made = choices(variant.text, units.copies)
        assert (OTHER,) not in made
        assert any(choice[0] >= CLOSED for choice in made)


def test_a_word_of_no_source_is_neither(sentences: Path, encoder: Encoder) -> None:
    assert choices("zeppelin", source(some_story(sentences), encoder).copies)[0] == (OTHER,)


def test_a_packaged_model_orders_what_the_grammar_says_and_adds_nothing(trained: Path, sentences: Path, encoder: Encoder) -> None:
    told = some_story(sentences)
    writer, found = Writer.load(trained, encoder), variants(told)
    assert sorted(v.text for v in writer.ranked(told, found)) == sorted(v.text for v in found)


def test_training_goes_on_from_its_checkpoint_to_the_same_weights(sentences: Path, encoder: Encoder, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from hoptrace.agents.writer.train import task, train

    tasks = [task(one, encoder) for one in lessons(sentences, None, random.Random(0))]
    whole = train(tasks, tmp_path / "whole", epochs=2)
    again = train(tasks, tmp_path / "whole", epochs=2)
    for one, two in zip(whole.parameters(), again.parameters(), strict=True):
        assert np.array_equal(one.detach().numpy(), two.detach().numpy())


def test_texts_beside_each_other_do_not_change_a_score(trained: Path, sentences: Path, encoder: Encoder) -> None:
    told = some_story(sentences)
    units, found = source(told, encoder), variants(told)
    given = arrays([units], [[v.text for v in found]], [[0.0] * len(found)])
    alone = arrays([units], [[found[0].text]], [[0.0]])
    t = alone["said"].shape[1]
    assert np.array_equal(given["said"][0, :t], alone["said"][0])
    assert (given["said"][0, t:] == -1).all()


def test_a_model_of_other_function_words_or_another_encoder_is_refused(trained: Path, encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes((trained / "model.onnx").read_bytes())
    for meta in ({"encoder": encoder.id, "vocabulary": "another"}, {"encoder": "another", "vocabulary": VOCABULARY}):
        write_manifest(tmp_path, "writer", ["model.onnx"], meta)
        with pytest.raises(ArtefactError, match="made for"):
            Writer.load(tmp_path, encoder)


def test_changed_bytes_are_refused(trained: Path, encoder: Encoder) -> None:
    model = trained / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        with pytest.raises(ArtefactError):
            Writer.load(trained, encoder)
    finally:
        model.write_bytes(whole)
