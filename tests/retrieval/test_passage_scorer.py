"""The packaged scorer is checked when it is loaded, and training finds weights that were planted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.errors import ArtefactError, InputError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, text_hash
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.excerpts import SENTENCE
from hoptrace.retrieval.passage_features import ALONE, FEATURES
from hoptrace.retrieval.passage_questions import KINDS, MinedQuestion, PassageMiner
from hoptrace.retrieval.passage_scorer import PassageScorer
from hoptrace.retrieval.passages import PassageSearch
from hoptrace.retrieval.train_excerpts import SentenceExample, fit_sentences, sentence_examples
from hoptrace.retrieval.train_passages import MAY_BE_NEGATIVE, Example, _loss, fit, read_questions, train

TOPICS = ("Amber", "Basalt", "Cinder", "Drift", "Elm", "Fern", "Grove", "Haven")


@pytest.fixture
def kg(tmp_path: Path) -> KnowledgeGraph:
    """Films and their directors, read by the default extractor."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    passages = []
    for i, topic in enumerate(TOPICS):
        person = f"Orla {topic}son"
        passages.append({"pid": f"f{i}", "title": f"{topic} Road", "text": f"{topic} Road is a film directed by {person}."})
        passages.append({"pid": f"d{i}", "title": person, "text": f"{person} was born in {1900 + i}. {person} died in Cork."})
    (folder / "passages.jsonl").write_text("\n".join(map(json.dumps, passages)), encoding="utf-8")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    graph.ingest([folder])
    return graph


def test_the_packaged_scorer_loads_and_keeps_the_signs_it_was_trained_with() -> None:
    scorer = PassageScorer.default()
    limited = [i for i, name in enumerate(FEATURES) if name not in MAY_BE_NEGATIVE]
    assert scorer.first.shape == scorer.joint.shape == (len(FEATURES),)
    assert (scorer.joint[limited] >= 0).all()
    assert not scorer.first[len(ALONE) :].any()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    weights = np.arange(len(FEATURES), dtype=float)
    saved = PassageScorer(weights, -weights, np.arange(len(SENTENCE), dtype=float), {"note": "x"})
    saved.save(tmp_path / "m")
    loaded = PassageScorer.load(tmp_path / "m")
    for one, other in zip(saved.arrays(), loaded.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.meta == {"note": "x"}


@pytest.mark.parametrize("harm", ["changed", "missing", "other features", "not finite"])
def test_a_damaged_scorer_is_refused(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "m"
    weights = np.full(len(FEATURES), np.nan if harm == "not finite" else 1.0)
    PassageScorer(weights, weights).save(folder)
    if harm == "changed":
        (folder / "weights.safetensors").write_bytes(b"\0" + (folder / "weights.safetensors").read_bytes()[1:])
    elif harm == "missing":
        (folder / "weights.safetensors").unlink()
    elif harm == "other features":
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["meta"]["features"][0] = "another"
        (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError):
        PassageScorer.load(folder)


def test_the_gradient_of_the_loss_is_that_of_its_differences() -> None:
    rng = np.random.default_rng(3)
    rows, needed = rng.normal(size=(40, 5)), rng.random(40) < 0.3
    question, weights, towards = np.sort(rng.integers(0, 6, 40)), rng.normal(size=5), rng.normal(size=5)
    _, slope = _loss(weights, rows, needed, question, towards, 0.1)
    for i in range(5):
        step = np.eye(5)[i] * 1e-6
        ends = [_loss(weights + sign * step, rows, needed, question, towards, 0.1)[0] for sign in (1, -1)]
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-5)


def test_fitting_finds_planted_weights_and_the_best_way_to_each_passage() -> None:
    rng = np.random.default_rng(4)
    truth = np.zeros(len(FEATURES))
    truth[[FEATURES.index("cosine"), FEATURES.index("rarity"), FEATURES.index("hop")]] = 4, 6, -3
    found = []
    for _ in range(150):
        alone, hops = np.zeros((12, len(FEATURES))), np.zeros((12, len(FEATURES)))
        alone[:, 0] = hops[:, 0] = rng.random(12)
        hops[:, FEATURES.index("hop")], hops[:, FEATURES.index("rarity")] = 1, rng.random(12)
        features = np.concatenate([alone, hops])
        scores = np.maximum(alone @ truth, hops @ truth)
        found.append(Example(np.tile(np.arange(12), 2), features, scores >= np.sort(scores)[-2]))
    weights = fit(found, truth / 4, np.zeros(len(FEATURES)), pull=1e-4)
    ratio = weights[FEATURES.index("rarity")] / weights[0]
    assert ratio == pytest.approx(1.5, rel=0.15)
    assert weights[FEATURES.index("hop")] < 0


def test_the_weights_of_sentences_find_what_was_planted() -> None:
    rng = np.random.default_rng(6)
    found = []
    for _ in range(60):
        features = rng.random((8, len(SENTENCE)))
        found.append(SentenceExample(features, np.arange(8) == np.argmax(features[:, 1]), 1.0))
    weights = fit_sentences(found)
    assert np.argmax(weights) == 1
    assert np.abs(np.delete(weights, 1)).max() < weights[1] / 3


def test_mined_questions_need_passages_that_share_names_and_repeat_with_their_seed(kg: KnowledgeGraph) -> None:
    search = PassageSearch(kg, Encoder.default())
    links = search.corpus().links
    questions = list(PassageMiner(kg, links, seed=2).mine(25))
    assert questions == list(PassageMiner(kg, links, seed=2).mine(25))
    assert {question.kind for question in questions} <= set(KINDS)
    assert any(question.kind == "relations" for question in questions)
    texts = [chunk.text for _, chunk in kg.store.chunks(links.table.rows)]
    for question in questions:
        assert len(set(question.places)) == len(question.places) >= 2
        assert len(question.sentences) == len(question.places)
        assert all(said in texts[place] for said, place in zip(question.sentences, question.places, strict=True))


def test_training_beats_blank_weights_on_its_own_corpus(kg: KnowledgeGraph, tmp_path: Path) -> None:
    asked = [
        {"question": f"When was the director of {t} Road born?", "supporting_pids": [f"f{i}", f"d{i}"]}
        for i, t in enumerate(TOPICS)
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    blank = PassageScorer(np.zeros(len(FEATURES)), np.zeros(len(FEATURES)))
    search = PassageSearch(kg, Encoder.default(), blank)
    questions = read_questions(path, search)
    scorer = train([search], [(PassageSearch(kg, Encoder.default(), blank), questions)], 8)

    def found(scorer: PassageScorer) -> float:
        trained = PassageSearch(kg, Encoder.default(), scorer)
        best = [{row for row, _ in trained.hybrid(question.question, 2)} for question in questions]
        table = trained.corpus().links.table
        return float(np.mean([set(table.rows[list(q.places)].tolist()) == rows for q, rows in zip(questions, best, strict=True)]))

    assert found(scorer) > found(blank)
    assert found(scorer) >= 0.9
    scorer.save(tmp_path / "scorer")
    assert PassageScorer.load(tmp_path / "scorer").meta["questions"] > 8


def test_sentences_learned_from_known_answers_hold_them(kg: KnowledgeGraph) -> None:
    search = PassageSearch(kg, Encoder.default())
    places = {title: place for place, title in enumerate(PassageMiner(kg, search.corpus().links).titles)}
    questions = [
        MinedQuestion(f"When was Orla {t}son born?", (places[f"Orla {t}son"],), "asked", answers=(f"{1900 + i}",))
        for i, t in enumerate(TOPICS)
    ]
    examples = sentence_examples(search, questions)
    assert len(examples) == len(TOPICS)
    search.scorer = replace(search.scorer, sentence=fit_sentences(examples))
    for question in questions:
        assert question.answers[0] in search.excerpts(question.question, 2, 12)[0][1]


@pytest.mark.parametrize("text", ["", "no json", '{"question": "x"}', '{"question": "x", "supporting_pids": ["absent"]}'])
def test_a_file_without_usable_questions_is_refused(kg: KnowledgeGraph, tmp_path: Path, text: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_questions(path, PassageSearch(kg, Encoder.default()))


def test_a_question_without_known_words_scores_every_passage_finitely(kg: KnowledgeGraph) -> None:
    document = Document("odd", "text/plain", "???", text_hash("???"), title="")
    kg.write_document(document, [(0, 3, "text")])
    walk = PassageSearch(kg, Encoder.default()).walk("Zzyzx qwv?")
    assert np.isfinite(walk.scores).all()
