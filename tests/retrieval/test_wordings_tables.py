"""The packaged wordings themselves: tables that name what exists, and forms of a verb that all ask for its family."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hoptrace.kg.model import normalize
from hoptrace.retrieval import wordings
from hoptrace.retrieval.question import understand
from hoptrace.retrieval.wordings import families, lexicon, stems

FILES = sorted(Path(wordings.__file__).with_name("wordings").glob("*.toml"))
HOMONYMS = {"parent", "parent of", "director"}  # of people and of companies; of a board and of a film


def tables(name: str) -> list[dict[str, Any]]:
    return [row for file in FILES for row in tomllib.loads(file.read_text("utf-8")).get(name, [])]


def test_a_label_belongs_to_one_family() -> None:
    owner: dict[str, str] = {}
    for family in families():
        for label in {normalize(label) for label in (family.name, *family.labels, *family.inverse_labels)}:
            assert owner.setdefault(label, family.name) == family.name or label in HOMONYMS, label


def test_chains_walk_families_that_exist() -> None:
    rows = tables("chain")
    assert rows
    for row in rows:
        assert set(row) == {"wordings", "hops"}
        assert row["wordings"]
        assert len(row["hops"]) >= 2
        for name, direction in row["hops"]:
            assert name in lexicon().families, name
            assert direction in {1, -1}


def test_every_family_can_be_asked_for() -> None:
    mute = {f.name for f in families() if not (f.verbs or f.subject_nouns or f.object_nouns)}
    assert mute == {wordings.IS_A}


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("deliver", "delivered"),
        ("discover", "discovered"),
        ("register", "registered"),
        ("border", "bordered"),
        ("carry", "carrying"),
    ],
)
def test_forms_that_do_not_share_a_stem_are_listed(verb: str, form: str) -> None:
    assert stems(verb) != stems(form)
    asked = lexicon().phrases
    assert asked[stems(verb)] <= asked[stems(form)]


@pytest.mark.parametrize(
    ("question", "family"),
    [
        ("Who is the better half of", "married to"),
        ("Which companies compete with", "competes with"),
        ("What is the legal tender of", "currency"),
        ("Who wrote the lyrics of", "lyricist of"),
        ("What does it take its name from, named after", "named after"),
        ("In a few words, what is", "has tags"),
        ("Where was the claim to fame of", "notable work"),
        ("Which illness did he suffer from", "medical condition"),
        ("What is the diet of", "eats"),
        ("Who is the skipper of", "captain of"),
    ],
)
def test_questions_reach_their_family(question: str, family: str) -> None:
    assert any(family in unit.families for unit in understand(question).units)
