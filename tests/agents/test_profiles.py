"""Profiles: statements with their characters, and a typed error for every other form."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.profiles import Beside, Profile
from hoptrace.kg.errors import MissingPathError, ProfileError
from hoptrace.kg.graph import KnowledgeGraph

PUMP = {
    "id": "pump-7",
    "measurements": {"age": "9 years", "vibration": "3 mm/s"},
    "conditions": ["outdoor use"],
    "reports": [
        {"date": "2026-03-02", "measurements": {"vibration": "7.1 mm/s"}, "conditions": ["smell of smoke"]},
        {"date": "2026-01-02", "measurements": {"vibration": "5 mm/s"}},
    ],
}


def test_every_statement_is_made_of_the_characters_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pump.json"
    path.write_text(json.dumps(PUMP, indent=3), "utf-8")
    profile = Profile.load(path)
    assert len(profile.statements) == 6
    for said in profile.statements:
        assert path.read_text("utf-8")[said.span.start : said.span.end] == said.span.quote
        assert said.name in said.span.quote
        assert said.value in said.span.quote


def test_the_latest_report_counts_and_a_day_cuts_off_later_ones() -> None:
    def value(day: date | None) -> str:
        return next(said.value for said in Profile.load(PUMP).current(day) if said.name == "vibration")

    assert value(None) == "7.1 mm/s"
    assert value(date(2026, 2, 1)) == "5 mm/s"
    assert value(date(2025, 1, 1)) == "3 mm/s"


def test_what_is_supposed_outranks_and_is_cited_to_the_words_of_the_question(tmp_path: Path) -> None:
    profile = Profile.load(PUMP).supposing("if vibration were 1", [("vibration", "1 mm/s", 3, 19, True)])
    [said] = [said for said in profile.current() if said.name == "vibration"]
    assert (said.value, said.span.quote) == ("1 mm/s", "vibration were 1")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        library = Beside(kg, profile.pages)
        assert library.store.text(said.span.source_id, said.span.start, said.span.end) == "vibration were 1"
        assert library.store.source(said.span.source_id).kind == "profile"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs an id"),
        ({"id": "x", "measurement": {}}, "no field 'measurement'; there are: id, note"),
        ({"id": "x", "measurements": []}, "not an object"),
        ({"id": "x", "measurements": {"age": {"years": 3}}}, "age needs a value"),
        ({"id": "x", "measurements": {"age": None}}, "age needs a value"),
        ({"id": "x", "conditions": "epilepsy"}, "conditions is a list"),
        ({"id": "x", "conditions": [["epilepsy"]]}, "a condition is a name"),
        ({"id": "x", "reports": [{"date": "yesterday"}]}, "'yesterday' is no date"),
        ({"id": "x", "reports": ["a"]}, "not an object"),
        ({"id": "x", "note": object()}, "what JSON can hold"),
        ({"id": "x", "measurements": {"age": float("nan")}}, "what JSON can hold"),
    ],
)
def test_another_form_is_a_profile_error_that_says_where(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Profile.load(given)


@pytest.mark.parametrize("text", ["", "{", '{"id": "x", "id": "y"}', "[1]", "\x00\x01\x02", "[" * 100])
def test_a_broken_file_is_a_profile_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text, "utf-8")
    with pytest.raises(ProfileError):
        Profile.load(tmp_path / "p.json")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError):
        Profile.load(tmp_path / "none.json")
