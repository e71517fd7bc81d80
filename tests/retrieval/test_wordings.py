"""The lexicon of relation families: which labels mean one thing, and in which direction."""

from __future__ import annotations

import pytest
from hoptrace.retrieval.wordings import families, lexicon, stem, stems
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "words",
    ["supplier suppliers supplies supplied supply", "owner owns owned own", "founder founded founds", "acquisition acquisitions"],
)
def test_forms_of_a_word_share_a_stem(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 1


@pytest.mark.parametrize(("one", "other"), [("owner", "founder"), ("supplier", "support"), ("chair", "chief"), ("sell", "seal")])
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@given(st.text(max_size=40))
def test_stems_of_any_text(text: str) -> None:
    assert stems(text) == stems(text.lower())
    assert all(stem(word) == stem(word.upper()) or not word.isascii() for word in text.split())


@pytest.mark.parametrize(
    ("label", "family", "direction"),
    [
        ("owns", "owns", 1),
        ("owned by", "owns", -1),
        ("Subsidiary of", "owns", -1),
        ("chief_executive_of", "chief executive of", 1),
        ("CEO", "chief executive of", -1),
        ("has director", "board member of", -1),
        ("built by", "produces", -1),
        ("has subsidiary", "owns", 1),
    ],
)
def test_labels_have_a_family_and_a_direction(label: str, family: str, direction: int) -> None:
    found, way = lexicon().family(label)
    assert (found.name, way) == (family, direction)


def test_a_label_outside_the_lexicon_is_its_own_family() -> None:
    found, way = lexicon().family("Moored_Beside")
    assert (found.name, way) == ("moored beside", 1)
    assert not found.verbs


@pytest.mark.parametrize(
    ("phrase", "family"),
    [("chief financial officer", "chief financial officer of"), ("took over", "acquired"), ("home port", "registered at")],
)
def test_phrases_ask_for_families(phrase: str, family: str) -> None:
    assert lexicon().phrases[stems(phrase)] == {family}


@pytest.mark.parametrize(
    ("family", "phrase", "noun"),
    [
        ("supplies", "supplier", True),
        ("supplies", "suppliers", True),
        ("supplies", "supplies", False),
        ("supplies", "supplied", False),
        ("owns", "owner", True),
        ("owns", "parent companies", True),
        ("chief executive of", "head", False),
        ("chief executive of", "ceo", True),
        ("owns", "supplier", False),
    ],
)
def test_nouns_are_told_from_verbs_of_the_same_stem(family: str, phrase: str, noun: bool) -> None:
    assert lexicon().families[family].is_noun(phrase) is noun


def test_the_packaged_families_are_sound() -> None:
    names = [family.name for family in families()]
    assert len(set(names)) == len(names)
    kinds = {"", "person", "organization", "place", "work", "product", "date", "number"}
    for family in families():
        assert {family.subject_type, family.object_type} <= kinds, family.name
        assert family.exclusive in {"", "subject", "object"}, family.name
        assert lexicon().family(family.name) == (family, 1)
        for phrase in (*family.verbs, *family.weak_verbs, *family.subject_nouns, *family.object_nouns):
            assert family.name in lexicon().phrases[stems(phrase)], phrase


def test_families_whose_ends_go_by_the_same_nouns_are_symmetric() -> None:
    known = lexicon().families
    assert known["competes with"].symmetric
    assert known["married to"].symmetric
    assert not known["owns"].symmetric
    assert not known["born in"].symmetric, "it has nouns for one end only, which is no sameness"
