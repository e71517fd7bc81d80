"""Relation labels as English predicates."""

from __future__ import annotations

import pytest
from hoptrace.agents.predicates import base, inflected, named, passive, predicates
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("label", "kind", "words", "flip"),
    [
        ("is a", "class", "a", False),
        ("mother", "noun", "mother", False),
        ("home port", "noun", "home port", False),
        ("parents", "noun", "parent", False),
        ("children", "noun", "child", False),
        ("has part", "noun", "part", False),
        ("sports team", "noun", "sports team", False),
        ("chief executive of", "noun", "chief executive", True),
        ("member of sports team", "noun", "member", True),
        ("supplies", "verb", "supplies", False),
        ("supplies to", "verb", "supplies to", False),
        ("has smokehouse in", "verb", "has smokehouse in", False),
        ("consists of", "verb", "consists of", False),
        ("died in", "verb", "died in", False),
        ("built by", "participle", "built by", False),
        ("was appointed on", "participle", "appointed on", False),
        ("adjacent to", "participle", "adjacent to", False),
        ("made of", "participle", "made of", False),
    ],
)
def test_the_nearest_predicate_keeps_the_words_of_the_label(label: str, kind: str, words: str, flip: bool) -> None:
    first = predicates(label)[0]
    assert (first.kind, first.words, first.flip) == (kind, words, flip)


def test_one_thing_at_a_time_takes_a_definite_article() -> None:
    assert predicates("chief executive of")[0].one
    assert not predicates("member of")[0].one


@pytest.mark.parametrize(
    ("label", "kind", "words", "flip"),
    [
        ("owner", "verb", "owns", True),
        ("written by", "verb", "wrote", True),
        ("date of birth", "participle", "born on", False),
        ("place of death", "verb", "died in", False),
    ],
)
def test_other_ways_to_say_a_relation(label: str, kind: str, words: str, flip: bool) -> None:
    assert (kind, words, flip) in {(p.kind, p.words, p.flip) for p in predicates(label)[1:]}


def test_a_noun_of_the_question_says_a_relation_only_where_it_is_of_the_same_verb() -> None:
    [supplier] = named("supplies to", frozenset({"supplier"}))
    assert (supplier.kind, supplier.words, supplier.flip) == ("noun", "supplier", True)
    assert not [*named("supplies to", frozenset({"customer", "vendor"}))]
    assert not [*named("fined", frozenset({"authority", "regulator"}))]


def test_forms_of_verbs() -> None:
    assert (passive("owns"), passive("wrote"), passive("supplies to"), passive("has")) == ("owned", "written", "", "")
    assert inflected("supplies to", plural=True, past=False) == "supply to"
    assert inflected("owns", plural=False, past=True) == "owned"
    assert inflected("acquired", plural=True, past=True) == "acquired"
    assert base("written") == base("wrote") == base("writes")


@given(st.text())
def test_every_label_has_a_predicate(label: str) -> None:
    assert predicates(label)
