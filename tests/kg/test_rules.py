"""What the rule extractor reads in plain English, sentence by sentence, and what it must not read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hoptrace.kg.ingest.rules import RuleExtractor
from hoptrace.kg.model import Document, Fact, Literal, Name, normalize
from hypothesis import given, settings
from hypothesis import strategies as st

DATASETS = Path(__file__).resolve().parents[2].parent / "shared" / "datasets"


def document(text: str, title: str = "") -> Document:
    kind = "application/x-passage" if title else "text/plain"
    return Document("a.txt", kind, f"{title}\n{text}" if title else text, "", title=title)


def facts_of(text: str, title: str = "") -> list[Fact]:
    [(facts, _)] = RuleExtractor().extract([document(text, title)])
    return list(facts)


def triples(text: str, title: str = "") -> set[tuple[str, str, str]]:
    return {(f.subject.label, f.relation, f.object.label) for f in facts_of(text, title)}


READS = [
    # active and passive, one label and direction
    ("Brightwater Labs acquired Harrow Lines.", ("Brightwater Labs", "acquired", "Harrow Lines")),
    ("Harrow Lines was acquired by Brightwater Labs.", ("Brightwater Labs", "acquired", "Harrow Lines")),
    ("Harrow Lines was taken over by Brightwater Labs.", ("Brightwater Labs", "acquired", "Harrow Lines")),
    ("Kemble Group owns Harrow Lines.", ("Kemble Group", "owns", "Harrow Lines")),
    ("Harrow Lines belongs to Kemble Group.", ("Kemble Group", "owns", "Harrow Lines")),
    ("Harrow Lines is a subsidiary of Kemble Group.", ("Harrow Lines", "subsidiary of", "Kemble Group")),
    ("Brightwater Labs, founded by Orla Vance, makes sensors.", ("Orla Vance", "founded", "Brightwater Labs")),
    ("Founded in 2011, Brightwater Labs makes sensors.", ("Brightwater Labs", "founded in", "2011")),
    # places
    ("Brightwater Labs is based in Tarn City, Norland.", ("Brightwater Labs", "headquartered in", "Tarn City")),
    ("Brightwater Labs is based in Tarn City, Norland.", ("Tarn City", "located in", "Norland")),
    ("The head office of Harrow Lines is in Tarn City.", ("Harrow Lines", "headquartered in", "Tarn City")),
    ("Tarn City is the capital of Norland.", ("Tarn City", "capital of", "Norland")),
    # people and offices
    ("Orla Vance is the chief executive of Harrow Lines.", ("Orla Vance", "chief executive of", "Harrow Lines")),
    ("Orla Vance, managing director of Harrow Lines, resigned.", ("Orla Vance", "chief executive of", "Harrow Lines")),
    ("Harrow Lines's chairman, Paul Imber, retired.", ("Paul Imber", "chair of", "Harrow Lines")),
    ("Her brother, Paul Imber, left.", None),
    ("Ada Stone was born in Tarn City.", ("Ada Stone", "place of birth", "Tarn City")),
    ("Ada Stone married Paul Imber.", ("Ada Stone", "spouse", "Paul Imber")),
    ("Mary Stone (born 3 May 1950 in Tarn City) is a chemist.", ("Mary Stone", "date of birth", "1950-05-03")),
    ("Mary Stone (1875 – 1950) was a chemist.", ("Mary Stone", "date of death", "1950")),
    # lists, colons, shares, sums, former names
    ("Harrow Lines acquired Alta Freight, Bern Foods and Cole Steel.", ("Harrow Lines", "acquired", "Cole Steel")),
    ("Harrow Lines owns two ships: the MV Ansa and the MV Berta.", ("Harrow Lines", "owns", "MV Berta")),
    ("Kemble Group owns 60 percent of Harrow Lines.", ("Kemble Group", "ownership share", "60 percent of Harrow Lines")),
    ("The Port Office has fined Harrow Lines EUR 640,000.", ("Harrow Lines", "fine", "EUR 640,000")),
    ("Harrow Lines was known as Alta Freight until 2019.", ("Harrow Lines", "formerly known as", "Alta Freight")),
    ("Harrow Lines sold Alta Freight to Kemble Group.", ("Kemble Group", "acquired", "Alta Freight")),
    ("Alta Freight supplies Harrow Lines with paint.", ("Alta Freight", "supplies to", "Harrow Lines")),
    ("Sea of Glass is a 1963 film directed by Ada Stone and starring Paul Imber.", ("Sea of Glass", "directed by", "Ada Stone")),
]


@pytest.mark.parametrize(("text", "expected"), READS)
def test_reads(text: str, expected: tuple[str, str, str] | None) -> None:
    title = "Sea of Glass" if text.startswith("Sea of Glass") else ""
    found = triples(text, title)
    assert expected is None or expected in found, found


@pytest.mark.parametrize(
    "text",
    [
        "Brightwater Labs did not acquire Harrow Lines.",
        "Brightwater Labs never owned Harrow Lines.",
        "Brightwater Labs no longer owns Harrow Lines.",
        "Brightwater Labs may acquire Harrow Lines.",
        "Brightwater Labs holds no shares in Harrow Lines.",
        "Brightwater Labs denied that it had bought Harrow Lines.",
    ],
)
def test_denied_and_possible_statements_are_no_facts(text: str) -> None:
    assert not {t for t in triples(text) if {"Brightwater Labs", "Harrow Lines"} == {t[0], t[2]}}


def test_the_company_she_and_last_names_are_resolved() -> None:
    text = (
        "Brightwater Labs was founded in 2011 by Orla Vance. The company is based in Tarn City. "
        "Vance studied at Norland University. She is married to Paul Imber."
    )
    assert triples(text) >= {
        ("Brightwater Labs", "headquartered in", "Tarn City"),
        ("Orla Vance", "educated at", "Norland University"),
        ("Orla Vance", "spouse", "Paul Imber"),
    }


def test_a_passage_is_about_its_title() -> None:
    found = triples("It was directed by Ada Stone.", "The Glass Sea (film)")
    assert ("The Glass Sea", "directed by", "Ada Stone") in found


def test_validity() -> None:
    def when(text: str, relation: str) -> tuple[date | None, date | None]:
        return next((f.valid_from, f.valid_to) for f in facts_of(text) if f.relation == relation)

    role = "chief executive of"
    assert when("Orla Vance has been the chief executive of Harrow Lines since 2019.", role) == (date(2019, 1, 1), None)
    assert when("From March 2021 to 30 June 2022 Orla Vance was the chief executive of Harrow Lines.", role) == (
        date(2021, 3, 1),
        date(2022, 7, 1),
    )
    assert when("Orla Vance stepped down as chief executive of Harrow Lines on 30 June 2023.", role) == (None, date(2023, 7, 1))
    assert when("On 4 May 2022 Harrow Lines acquired Alta Freight.", "acquired")[0] == date(2022, 5, 4)
    assert when("Orla Vance is a former chairman of Harrow Lines.", "former chair of") == (None, None)


def test_given_facts_stay_and_records_are_left_alone() -> None:
    given = Fact(Name("a"), "r", Literal("b"), 0, 1)
    text = "Brightwater Labs acquired Harrow Lines."
    prose = Document("a", "text/plain", text, "", facts=(given,))
    records = Document("a", "text/plain", text, "", facts=(given,), records=True)
    (first, _), (second, mentions) = RuleExtractor().extract([prose, records])
    assert given in first
    assert len(first) > 1
    assert (second, mentions) == ((given,), ())


@given(st.text(alphabet="Aab .,'’s\"()[]\n-–0129:;|#é", max_size=120) | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_offsets_inside_it_and_is_repeatable(text: str) -> None:
    [(facts, mentions)] = RuleExtractor().extract([document(text)])
    assert all(0 <= f.start < f.end <= len(text) for f in facts)
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)
    assert all(f.subject.label and f.object.label and f.relation and 0.5 <= f.confidence <= 0.95 for f in facts)
    assert RuleExtractor().extract([document(text)]) == [(facts, mentions)]


def test_mentions_are_the_names_as_they_stand() -> None:
    text = "Orla Vance founded Brightwater Labs. Vance left Brightwater Labs in 2020."
    [(_, mentions)] = RuleExtractor().extract([document(text)])
    assert [(text[m.start : m.end], m.name.label) for m in mentions] == [
        ("Orla Vance", "Orla Vance"),
        ("Brightwater Labs", "Brightwater Labs"),
        ("Vance", "Orla Vance"),
        ("Brightwater Labs", "Brightwater Labs"),
    ]


def test_links_most_gold_pairs_of_encyclopaedia_passages() -> None:
    """Share of gold (subject, object) pairs joined by a fact of their own passage: 0.74 when written; alarm below 0.65."""
    folder = DATASETS / "2wikimultihopqa"
    if not folder.is_dir():
        pytest.skip("needs ../shared/datasets/2wikimultihopqa")
    gold = [json.loads(line) for line in (folder / "gold_triples.jsonl").open(encoding="utf-8")][::6]
    wanted = {row["pid"] for row in gold}
    passages = [p for line in (folder / "passages.jsonl").open(encoding="utf-8") if (p := json.loads(line))["pid"] in wanted]
    found = dict(zip([p["pid"] for p in passages], RuleExtractor().extract([document(p["text"], p["title"]) for p in passages])))
    linked = 0
    for row in gold:
        ends = {normalize(row["s"]), normalize(row["s"].split(" (")[0])}, {normalize(row["o"]), *_dates(row["o"])}
        linked += any(_joins(fact, *ends) for fact in found[row["pid"]][0])
    assert linked / len(gold) > 0.65


def _dates(text: str) -> set[str]:
    from hoptrace.kg.ingest.dates import find_dates

    return {normalize(span.value) for span in find_dates(text)}


def _joins(fact: Fact, subject: set[str], other: set[str]) -> bool:
    first = {normalize(label) for label in (fact.subject.label, *fact.subject.aliases)}
    aliases = fact.object.aliases if isinstance(fact.object, Name) else ()
    second = {normalize(label) for label in (fact.object.label, *aliases)}
    return bool((first & subject and second & other) or (first & other and second & subject))
