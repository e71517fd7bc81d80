"""Which relations of a graph answer to which words of a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.question import Unit, understand
from hoptrace.retrieval.relations import RelationIndex

LABELS = [
    "owns", "owned by", "chief executive of", "chief financial officer of", "supplies", "located in", "moored beside", "warranty",
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None], encoder: Encoder) -> Iterator[RelationIndex]:
    with KnowledgeGraph.open(tmp_path_factory.mktemp("relations") / "kg") as kg:
        write(kg, [(f"Subject {label}", label, f"Object {label}") for label in LABELS])
        yield RelationIndex(kg, encoder)


def unit(text: str) -> Unit:
    """The unit that a question with these words has."""
    return next(u for u in understand(f"Which {text} is it?").units if u.text == text)


def gain(index: RelationIndex, text: str, family: str) -> tuple[float, float]:
    """(from subject to object, from object to subject) of a family for these words."""
    gains = index.gains((unit(text),))
    place = next(i for i, f in enumerate(index.families) if f.name == family)
    return float(gains[place, 0, 0]), float(gains[place, 1, 0])


def test_labels_of_one_meaning_are_one_family_and_know_their_direction(index: RelationIndex) -> None:
    index.refresh()
    rows = {relation.label: row for row, relation in index.kg.store.relations()}
    assert index.family_of[rows["owns"]] == index.family_of[rows["owned by"]]
    assert (index.flip[rows["owns"]], index.flip[rows["owned by"]]) == (1, -1)
    assert index.family_of[rows["supplies"]] != index.family_of[rows["owns"]]


def test_gains_have_a_row_for_each_family_way_and_unit(index: RelationIndex) -> None:
    gains = index.gains((unit("owner"), unit("supplier"), unit("warranty")))
    assert gains.shape == (len(index.families), 2, 3)
    assert (gains >= 0).all()
    assert (gains <= 1).all()
    assert index.gains(()).shape == (len(index.families), 2, 0)


def test_a_noun_asks_for_one_direction(index: RelationIndex) -> None:
    forward, backward = gain(index, "owner", "owns")
    assert backward > forward
    forward, backward = gain(index, "subsidiary", "owns")
    assert forward > backward


@pytest.mark.parametrize(
    ("words", "family"), [("supplies", "supplies"), ("owner", "owns"), ("warranty", "warranty"), ("moored", "moored beside")]
)
def test_words_speak_most_for_their_own_relation(index: RelationIndex, words: str, family: str) -> None:
    gains = index.gains((unit(words),)).max(axis=(1, 2))
    assert index.families[int(np.argmax(gains))].name == family


def test_a_near_job_is_another_job(index: RelationIndex) -> None:
    right = max(gain(index, "chief financial officer", "chief financial officer of"))
    wrong = max(gain(index, "chief financial officer", "chief executive of"))
    assert right == 1
    assert wrong < 0.3


def test_a_relation_taught_later_is_known(tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        index = RelationIndex(kg, encoder)
        assert index.gains((unit("owner"),)).shape == (0, 2, 1)
        kg.add("Alda", "owns", "Bering")
        assert gain(index, "owner", "owns")[1] == 1


def test_vectors_are_read_again_instead_of_made_again(index: RelationIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    before = index.gains((unit("warranty"),))
    again = RelationIndex(index.kg, index.encoder)
    encoded: list[str] = []
    encode = index.encoder.encode

    def noting(texts: list[str]) -> np.ndarray:
        encoded.extend(texts)
        return encode(texts)

    monkeypatch.setattr(index.encoder, "encode", noting)
    np.testing.assert_allclose(again.gains((unit("warranty"),)), before, atol=1e-6)
    assert encoded == ["warranty"]


def test_events(index: RelationIndex) -> None:
    assert index.is_event("bought")
    assert not index.is_event("owns")
    assert not index.is_event("moored beside")


def test_a_word_that_is_no_wording_speaks_for_the_family_whose_wordings_mean_the_same(index: RelationIndex) -> None:
    for text, family in (("provisioner", "supplies"), ("whereabouts now", "located in")):
        gains = index.gains((Unit(text, 1),))
        assert index.families[int(gains[:, :, 0].max(axis=1).argmax())].name == family, text


def test_a_noun_never_seen_speaks_for_the_way_that_nouns_like_it_name(index: RelationIndex) -> None:
    supplies = next(i for i, f in enumerate(index.families) if f.name == "supplies")
    forth, back = index.gains((Unit("provisioner", 1),))[supplies, :, 0].tolist()
    assert back > forth > 0
    assert index.gains((Unit("provisioner", 1, source=True),))[supplies, :, 0].tolist() == [back, forth]
