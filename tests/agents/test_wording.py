"""Facts as sentences."""

from __future__ import annotations

from datetime import date

import pytest
from hoptrace.agents.wording import as_said, day, join, period, sentence
from hoptrace.kg.model import Entity, Literal, Relation, Span, Triple
from hoptrace.retrieval.wordings import stem
from hypothesis import example, given
from hypothesis import strategies as st


def triple(
    relation: str, obj: str | Literal = "Bering", quote: str = "", valid_from: date | None = None, valid_to: date | None = None
) -> Triple:
    target = obj if isinstance(obj, Literal) else Entity("e2", obj)
    spans = (Span("s1", 0, len(quote), quote),) if quote else ()
    return Triple("t1", Entity("e1", "Alda"), Relation("r1", relation), target, spans, valid_from=valid_from, valid_to=valid_to)


@pytest.mark.parametrize(
    ("relation", "obj", "text"),
    [
        ("owns", "Bering", "Alda owns Bering"),
        ("is a", "island", "Alda is an island"),
        ("is a", "port", "Alda is a port"),
        ("built by", "Bering", "Alda was built by Bering"),
        ("located in", "Bering", "Alda is located in Bering"),
        ("founded in", Literal("2011", "gYear"), "Alda was founded in 2011"),
        ("chief executive of", "Bering", "Alda is the chief executive of Bering"),
        ("home port", "Bering", "Alda's home port is Bering"),
        ("Roles", "Bering", "Alda's role is Bering"),
        ("revenue", Literal("EUR 5"), "Alda's revenue is EUR 5"),
    ],
)
def test_sentence(relation: str, obj: str | Literal, text: str) -> None:
    assert sentence(triple(relation, obj)) == text


@given(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), st.one_of(st.text(min_size=1), st.just("of it")))
@example("Roles", "of it")  # of one thing: the noun is said in the singular
def test_every_sentence_names_both_ends_and_the_relation(relation: str, obj: str) -> None:
    text = sentence(triple(relation, obj))
    assert text.startswith("Alda")
    assert stem(relation.lower()) in {stem(word) for word in text.lower().split()}
    assert text.endswith(obj)


def test_a_fact_that_holds_for_a_time_says_so() -> None:
    start, end = date(2021, 5, 1), date(2023, 7, 1)
    assert period(triple("owns")) == ""
    assert period(triple("owns", valid_from=start)) == " (from 1 May 2021)"
    assert period(triple("owns", valid_to=end)) == " (until 30 June 2023)"
    assert sentence(triple("owns", valid_from=start, valid_to=end)) == "Alda owns Bering (from 1 May 2021 until 30 June 2023)"


def test_what_holds_through_a_year_names_it_once() -> None:
    stated = triple("revenue", quote="In 2023 Alda earned EUR 5.", valid_from=date(2023, 1, 1), valid_to=date(2024, 1, 1))
    assert period(stated) == " (2023)"


def test_an_event_says_when() -> None:
    assert period(triple("acquired", valid_from=date(2021, 5, 1))) == " (1 May 2021)"


def test_days_are_said_as_precisely_as_the_source_says_them() -> None:
    stated = triple("founded", quote="Alda founded Bering in May 2021.", valid_from=date(2021, 5, 1))
    assert as_said(stated, date(2021, 5, 1)) == "May 2021"
    assert as_said(stated, date(2020, 5, 1)) == "1 May 2020"


def test_day_has_no_leading_zero() -> None:
    assert day(date(2021, 5, 1)) == "1 May 2021"


@pytest.mark.parametrize(("items", "text"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")])
def test_join(items: list[str], text: str) -> None:
    assert join(items) == text
