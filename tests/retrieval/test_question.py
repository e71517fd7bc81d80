"""What a question asks for, read from its words."""

from __future__ import annotations

from datetime import date

import pytest
from hoptrace.retrieval.question import Understanding, Unit, tokenize, understand
from hypothesis import example, given
from hypothesis import strategies as st


def read(text: str, *names: str) -> Understanding:
    """Understand `text`, the names in it masked as mentions."""
    return understand(text, [(text.index(name), text.index(name) + len(name)) for name in names])


def unit(question: Understanding, text: str) -> Unit:
    return next(u for u in question.units if u.text == text)


@pytest.mark.parametrize(
    ("text", "names", "operation"),
    [
        ("Who runs Alda Works?", ["Alda Works"], "lookup"),
        ("Where is the head office of Alda Works?", ["Alda Works"], "lookup"),
        ("Which companies does Alda Works supply?", ["Alda Works"], "list"),
        ("List the firms fined by Alda Works.", ["Alda Works"], "list"),
        ("Who are the owners of Alda Works?", ["Alda Works"], "list"),
        ("How many ships does Alda Works own?", ["Alda Works"], "count"),
        ("What is the number of ships of Alda Works?", ["Alda Works"], "count"),
        ("Does Alda Works own Bering Ltd?", ["Alda Works", "Bering Ltd"], "yes-no"),
        ("Is Alda Works older than Bering Ltd?", ["Alda Works", "Bering Ltd"], "yes-no"),
        ("Which is older, Alda Works or Bering Ltd?", ["Alda Works", "Bering Ltd"], "compare"),
        ("Which supplier of Alda Works has the highest revenue?", ["Alda Works"], "superlative"),
    ],
)
def test_operation(text: str, names: list[str], operation: str) -> None:
    assert read(text, *names).operation == operation


@pytest.mark.parametrize(
    ("text", "answer_type", "noun"),
    [
        ("Who runs Alda Works?", "agent", ""),
        ("Where is Alda Works?", "place", ""),
        ("When was Alda Works founded?", "date", ""),
        ("How much did Alda Works earn?", "number", ""),
        ("In which country is Alda Works?", "place", "country"),
        ("Which companies does Alda Works supply?", "organization", "company"),
        ("Whose yard is Alda Works?", "person", ""),
        ("What film did Alda Works make?", "work", "film"),
        ("Which supplier of Alda Works is it?", "agent", ""),
        ("Tell me about Alda Works.", "", ""),
    ],
)
def test_answer_type(text: str, answer_type: str, noun: str) -> None:
    question = read(text, "Alda Works")
    assert (question.answer_type, question.answer_noun) == (answer_type, noun)


def test_mentions_are_masked_and_give_no_unit() -> None:
    text = "Who owns Supplier Watch Group?"
    assert {u.text for u in read(text, "Supplier Watch Group").units} == {"owns"}
    assert "supplier" in {u.text.lower() for u in read(text).units}
    masked = read(text, "Supplier Watch Group")
    assert [masked.tokens[i].text for i in masked.mention_positions(0)] == ["Supplier", "Watch", "Group"]


@pytest.mark.parametrize(
    ("text", "word", "passive"),
    [
        ("Which firms were fined by Alda Works?", "fined", True),
        ("Which firms has Alda Works fined?", "fined", False),
        ("Who bought Alda Works?", "bought", False),
        ("Who was Alda Works bought by?", "bought", True),
    ],
)
def test_passive(text: str, word: str, passive: bool) -> None:
    assert unit(read(text, "Alda Works"), word).passive is passive


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Who ran Alda Works in 2015?", date(2015, 1, 1), date(2015, 12, 31)),
        ("Who ran Alda Works in May 2015?", date(2015, 5, 1), date(2015, 5, 31)),
        ("Who ran Alda Works on 4 May 2015?", date(2015, 5, 4), date(2015, 5, 4)),
        ("Who ran Alda Works between 2015 and 2017?", date(2015, 1, 1), date(2017, 12, 31)),
        ("Who runs Alda Works?", None, None),
    ],
)
def test_days_are_an_inclusive_interval(text: str, first: date | None, last: date | None) -> None:
    question = read(text, "Alda Works")
    assert (question.first, question.last) == (first, last)


def test_a_year_inside_a_name_is_no_date() -> None:
    assert read("Who directed Harbour 1984?", "Harbour 1984").first is None
    assert read("Who directed films in 1984?").first == date(1984, 1, 1)


def test_the_last_day_there_is_can_be_asked_for() -> None:
    assert read("Who ran it on 9999-12-30?").last == date(9999, 12, 30)


@pytest.mark.parametrize(
    ("word", "kind", "direction"),
    [("earlier", "date", -1), ("later", "date", 1), ("larger", "number", 1), ("lower", "number", -1)],
)
def test_comparatives_name_kind_and_direction(word: str, kind: str, direction: int) -> None:
    question = read(f"Which is {word}, Alda Works or Bering Ltd?", "Alda Works", "Bering Ltd")
    assert (question.operation, question.value_kind, question.direction) == ("compare", kind, direction)


def test_known_wordings_name_their_families_and_the_longest_wins() -> None:
    assert "supplies" in unit(read("Who are the suppliers of X?"), "suppliers").families
    question = read("Who is the chief financial officer of Alda Works?", "Alda Works")
    assert unit(question, "chief financial officer").families == {"chief financial officer of"}
    assert "chief" not in {u.text for u in question.units}


def test_past_sharing_and_target() -> None:
    assert read("Who was the owner of Alda Works?", "Alda Works").past
    assert not read("Who is the owner of Alda Works?", "Alda Works").past
    assert read("Which films share a director with Alda?", "Alda").shares
    assert not read("Which films has Alda?", "Alda").shares
    question = read("Which customers does Alda supply?", "Alda")
    assert question.tokens[question.target].text == "customers"
    assert read("Who runs Alda?", "Alda").target == -1


def test_a_question_for_the_old_name() -> None:
    assert "formerly known as" in {f for u in read("What was Alda called before?", "Alda").units for f in u.families}
    assert "formerly known as" not in {f for u in read("Who owns the firm called Alda?", "Alda").units for f in u.families}


@pytest.mark.parametrize(("text", "words"), [("Orla's yard", ["Orla", "yard"]), ("a co-owner", ["a", "co-owner"]), ("", [])])
def test_tokens_leave_the_possessive_out(text: str, words: list[str]) -> None:
    tokens = tokenize(text)
    assert [t.text for t in tokens] == words
    assert all(text[t.start : t.end] == t.text for t in tokens)


WORDS = st.sampled_from(
    """who which what how many much number of the a company city was were founded by bought earlier largest or and in 2015
    May 2023 Alda's Works supplier called before list between share since until -5 % ? , . ( [ ] 31 June 9999 1000 0000""".split()
)
QUESTIONS = st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=14).map(" ".join))


@given(QUESTIONS, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=3))
@example("9999", [])
@example("Who ran it in 9999-12-31?", [])
@example("December 9999", [])
def test_every_text_has_an_understanding_whose_positions_lie_inside(text: str, spots: list[tuple[int, int]]) -> None:
    question = understand(text, [(start, start + length) for start, length in spots])
    assert question.text == text
    assert question.operation in {"lookup", "list", "count", "compare", "superlative", "yes-no"}
    for token in question.tokens:
        assert text[token.start : token.end] == token.text
    for u in question.units:
        assert 0 <= u.position < max(len(question.tokens), 1)
        assert 0 < u.weight <= 1
    assert (question.first is None) == (question.last is None)
    if question.first and question.last:
        assert question.first <= question.last
