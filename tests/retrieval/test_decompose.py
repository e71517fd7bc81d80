"""Questions taken apart into single-hop questions."""

from __future__ import annotations

import pytest
from hoptrace.retrieval.decompose import Plan, decompose


def plan(question: str, *names: str) -> Plan:
    spans = [(question.index(name), question.index(name) + len(name)) for name in names]
    found = decompose(question, spans)
    assert found is not None
    return found


def steps(found: Plan) -> list[tuple[str | int, str]]:
    return [(step.subject, step.words) for step in found.steps]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What is the place of birth of the performer of song Dim Light?", ["performer", "place of birth"]),
        ("When did Dim Light's mother's father die?", ["mother", "father", "date of death"]),
        ("Where was the director of film Dim Light born?", ["director", "place of birth"]),
        ("Who is the spouse of the director of Dim Light?", ["director", "spouse"]),
        ("Which country is the composer of Dim Light from?", ["composer", "country"]),
        ("When was Dim Light's father's birthday?", ["father", "birthday"]),
        ("Who is the Dim Light singer's wife?", ["singer", "wife"]),
        ("Who is the paternal grandmother of Dim Light?", ["father", "mother"]),
        ("Who is Dim Light's maternal grandfather?", ["mother", "father"]),
        ("Who is Dim Light's mother-in-law?", ["spouse", "mother"]),
        ("Who is the sibling-in-law of Dim Light?", ["spouse", "sibling"]),
        ("Who is the child-in-law of Dim Light?", ["child", "spouse"]),
        ("Who is the stepmother of Dim Light?", ["father", "spouse"]),
        ("What is the name of the river in the country of Dim Light?", ["country", "river"]),
    ],
)
def test_nested_phrases_are_asked_from_the_inside(question: str, asked: list[str]) -> None:
    found = plan(question)
    assert steps(found) == [("Dim Light", asked[0]), *((i, words) for i, words in enumerate(asked[1:]))]
    assert (found.sides, found.operation, found.names) == ((len(asked) - 1,), "lookup", ())


@pytest.mark.parametrize(
    ("question", "first", "then"),
    [
        ("Who directed the film that was shot in Arlen?", "what film was shot in it", "who directed it"),
        (
            "When did the state where Arlen is located become part of the union?",
            "in what state is it located",
            "when did it become part of the union",
        ),
        ("Who is the founder of the company that makes Arlen?", "what company makes it", "founder"),
        ("What is the religion of the person who sold the mill in Arlen?", "who sold the mill in it", "religion"),
        ("What river flows through the city Arlen played for?", "what city it played for", "what river flows through it"),
        ("When did the company Arlen is part of close?", "what company is it part of", "when did it close"),
        ("Where did the band form that made the album Arlen?", "what band made it", "where did it form"),
        ("Arlen is on a network founded by who?", "it is on what network", "it is founded by who"),
        ("Who led the band that Arlen joined before Bo?", "what band it joined before Bo", "who led it"),
        ("Who wrote the book named after Arlen?", "what book is named after it", "who wrote it"),
        (
            "Arlen is a hall in a university located in what city?",
            "it is a hall in what university",
            "it is located in what city",
        ),
    ],
)
def test_a_clause_is_a_step(question: str, first: str, then: str) -> None:
    assert steps(plan(question)) == [("Arlen", first), (0, then)]


@pytest.mark.parametrize(
    ("question", "words", "operation", "direction"),
    [
        ("Which film was released first, Ann Lee or Bo Tan?", "when was it released", "compare", -1),
        ("Who was born first out of Ann Lee and Bo Tan?", "date of birth", "compare", -1),
        ("Was Ann Lee or Bo Tan born first?", "date of birth", "compare", -1),
        ("Who is older, Ann Lee or Bo Tan?", "date of birth", "compare", -1),
        ("Who died later, Ann Lee or Bo Tan?", "date of death", "compare", 1),
        ("Who lived longer, Ann Lee or Bo Tan?", "lifespan", "compare", 1),
        ("Which firm has more employees, Ann Lee or Bo Tan?", "number of employees", "compare", 1),
        ("Which film was released more recently, Ann Lee or Bo Tan?", "when was it released", "compare", 1),
        ("Which singer is Danish, Ann Lee or Bo Tan?", "is it danish", "compare", 0),
        ("Was Ann Lee born before Bo Tan?", "date of birth", "yes-no", -1),
        ("Did Ann Lee and Bo Tan come from the same country?", "country", "yes-no", 0),
        ("Does Ann Lee have the same nationality as Bo Tan?", "nationality", "yes-no", 0),
        ("Are Ann Lee and Bo Tan both located in the same country?", "country", "yes-no", 0),
        ("Were both Ann Lee and Bo Tan, born in the same place?", "place of birth", "yes-no", 0),
        ("Are Ann Lee and Bo Tan both board games?", "is it a board game", "yes-no", 0),
        ("What nationality do Ann Lee and Bo Tan share?", "nationality", "lookup", 0),
        ("What do Ann Lee and Bo Tan have in common?", "what is it", "lookup", 0),
    ],
)
def test_two_names_are_asked_the_same(question: str, words: str, operation: str, direction: int) -> None:
    found = plan(question, "Ann Lee", "Bo Tan")
    assert steps(found) == [("Ann Lee", words), ("Bo Tan", words)]
    assert (found.sides, found.names) == ((0, 1), ("Ann Lee", "Bo Tan"))
    assert (found.operation, found.direction) == (operation, direction)


@pytest.mark.parametrize(
    ("question", "words", "operation", "direction"),
    [
        ("Which film has the director who died earlier, Dim or Lit?", "date of death", "compare", -1),
        ("Which film whose director is younger, Dim or Lit?", "date of birth", "compare", 1),
        ("Which film's director was born first, Dim or Lit?", "date of birth", "compare", -1),
        ("Do both films, Dim and Lit, have directors from the same country?", "country", "yes-no", 0),
        ("Do the directors of Dim and Lit share the same nationality?", "nationality", "yes-no", 0),
        ("Are the director of film Dim and the director of film Lit from the same country?", "country", "yes-no", 0),
    ],
)
def test_a_bridge_goes_before_what_is_compared(question: str, words: str, operation: str, direction: int) -> None:
    found = plan(question)
    assert steps(found) == [("Dim", "director"), (0, words), ("Lit", "director"), (2, words)]
    assert (found.sides, found.names, found.operation, found.direction) == ((1, 3), ("Dim", "Lit"), operation, direction)


@pytest.mark.parametrize(
    "name",
    [
        "The War of the Roses",
        "Pride and Prejudice",
        "Henry, Duke of Arlen",
        "Dim (1982 film)",
        "dim light",
        "What's Up?",
        "45 Fathers",
    ],
)
def test_a_given_name_is_taken_whole(name: str) -> None:
    assert steps(plan(f"Where was the director of film {name} born?", name))[0] == (name, "director")
    assert plan(f"Which is longer, {name} or Lit?", name, "Lit").names == (name, "Lit")


@pytest.mark.parametrize(
    "name", ["The War Of The Roses", "Henry, Duke Of Arlen", "Dim (1982 Film)", "45 Fathers", "Henry V of Arlen"]
)
def test_names_are_found_by_their_capitals(name: str) -> None:
    assert steps(plan(f"Where was the mother of {name} born?")) == [(name, "mother"), (0, "place of birth")]
    assert plan(f"Who died later, {name} or Lit?").names == (name, "Lit")


def test_an_and_beside_an_or_is_part_of_a_name() -> None:
    assert plan("Which novel is longer, Pride and Fall or Light and Shade?").names == ("Pride and Fall", "Light and Shade")


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("When did the director of Dim die?", ["Who is the director of Dim?", "When did Ida die?"]),
        (
            "What is the capital of the country where Dim was born?",
            ["What is the country of birth of Dim?", "What is the capital of Ida?"],
        ),
        ("Who wrote the book that Dim is part of?", ["What book is Dim part of?", "Who wrote Ida?"]),
    ],
)
def test_a_step_reads_as_a_question(question: str, texts: list[str]) -> None:
    found = plan(question)
    assert [step.text("Ida" if isinstance(step.subject, int) else step.subject) for step in found.steps] == texts


def test_kinds_of_answers() -> None:
    kinds = [plan(q).steps[-1].kind for q in ("When did Dim die?", "Where is Dim?", "Who is Dim's aunt?", "What city is Dim in?")]
    assert kinds == ["date", "place", "person", "place"]
    assert plan("How many people live in the city of Dim?").operation == "count"


@pytest.mark.parametrize(
    "question", ["", "?", "Where?", "Dim?", "what is this", "§0 or §1", "of 's of or and, or", "who's or whose 's"]
)
def test_words_without_a_name_give_no_plan(question: str) -> None:
    assert decompose(question) is None


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("List the firms that have been fined by Marrow Inspectorate.", ["what firms have been fined by it"]),
        ("Name the companies that were acquired by Halden Marine", ["what companies were acquired by it"]),
        ("Please give me the owner of Vellmar Yard", ["owner"]),
    ],
)
def test_to_be_told_is_no_step(question: str, asked: list[str]) -> None:
    plan = decompose(question)
    assert plan is not None
    assert [step.words for step in plan.steps] == asked
    assert plan.sides == (0,)
