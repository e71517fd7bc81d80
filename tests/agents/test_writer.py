"""The writer: what it may say, what is rejected, and which text it takes."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date

import pytest
from hoptrace import Agent
from hoptrace.agents.answer import Claim
from hoptrace.agents.interfaces import render
from hoptrace.agents.writer import Story, Writer, faults, story
from hoptrace.agents.writer.check import function_words
from hoptrace.agents.writer.grammar import variants
from hoptrace.kg.model import Entity, Hop, Literal, Node, Path, Relation, Span, Triple
from hoptrace.retrieval.question import understand
from hypothesis import given
from hypothesis import strategies as st

Fact = tuple[str, str, str]


def hop(fact: Fact, way: int = 1, *, start: date | None = None, end: date | None = None, kind: str = "") -> Hop:
    subject, label, value = fact
    node: Node = Literal(value) if kind == "literal" else Entity(f"e{value}", value, kind)
    quote = f"{subject} {label} {value}"
    triple = Triple(
        "".join(fact), Entity(f"e{subject}", subject), Relation(f"r{label}", label), node, (Span("s", 0, len(quote), quote),)
    )
    return Hop(replace(triple, valid_from=start, valid_to=end), way)


def told(question: str, answers: tuple[str, ...], *chains: tuple[Hop, ...]) -> Story:
    hops = {h.triple.id: h for chain in chains for h in chain}
    claims = [Claim("", (i,)) for i in range(1, len(hops) + 1)]
    names = dict.fromkeys(node.label for h in hops.values() for node in (h.triple.subject, h.triple.object))
    named = [(question.index(name), question.index(name) + len(name)) for name in names if name in question]
    made = story(understand(question, sorted(named)), answers, [Path(chain) for chain in chains], claims)
    assert made is not None
    return made


def written(made: Story) -> str:
    return Writer().write(made).text


MOTHER = hop(("Lothair II", "mother", "Ermengarde of Tours"), kind="person")
DEATH = hop(("Ermengarde of Tours", "date of death", "20 March 851"), kind="literal")


def test_a_chain_is_one_sentence_with_each_citation_after_its_fact() -> None:
    text = written(told("When did Lothair II's mother die?", ("20 March 851",), (MOTHER, DEATH)))
    assert text == "Lothair II's mother was Ermengarde of Tours [1], whose date of death was 20 March 851 [2]."


def test_all_ways_to_say_a_chain_read_back_as_its_facts() -> None:
    made = told("When did Lothair II's mother die?", ("20 March 851",), (MOTHER, DEATH))
    texts = {made.render(v.text) for v in variants(made)}
    assert "Lothair II's mother, Ermengarde of Tours [1], died on 20 March 851 [2]." in texts
    assert not [(text, found) for text in texts if (found := faults(made, text))]


def test_a_list_cites_each_item() -> None:
    hops = [hop(("Alda", "supplies", name)) for name in ("Bering", "Corvo", "Delft")]
    text = written(told("What does Alda supply?", ("Bering", "Corvo", "Delft"), *((h,) for h in hops)))
    assert text == "Alda supplies Bering [1], Corvo [2] and Delft [3]."


def test_a_name_with_a_full_stop_does_not_end_a_sentence_where_that_can_be_helped() -> None:
    films = [(hop((name, "played by", "Alda Jr."), -1),) for name in ("Bering", "Corvo")]
    text = written(told("What was played by Alda Jr.?", ("Bering", "Corvo"), *films))
    assert ".." not in text
    assert text == "Alda Jr. played Bering [1] and Corvo [2]."


def test_a_count_says_the_number_before_the_things() -> None:
    hops = [hop((name, "owner", "Alda"), -1) for name in ("Bering", "Corvo")]
    text = written(told("How many ships does Alda own?", ("2",), *((h,) for h in hops)))
    assert text.startswith("2 ships: ")
    assert "Bering [1] and Corvo [2]" in text


def test_yes_and_no_stand_first() -> None:
    text = written(told("Is Alda a supplier of Bering?", ("yes",), (hop(("Alda", "supplies", "Bering")),)))
    assert text == "Yes: Alda supplies Bering [1]."


def test_a_comparison_names_the_winner_and_then_both_values() -> None:
    sides = [(hop(("Bering", "founded in", "2009"), kind="literal"),), (hop(("Alda", "founded in", "2016"), kind="literal"),)]
    text = written(told("Which company was founded earlier, Alda or Bering?", ("Bering",), *sides))
    assert text == "Bering: it was founded in 2009 [1] and Alda was founded in 2016 [2]."


def test_a_tree_is_told_from_its_root_with_a_list_for_each_branch() -> None:
    films = {name: hop((name, "directed by", "Alda"), -1) for name in ("Bering", "Corvo")}
    casts = [("Bering", "Delft"), ("Corvo", "Egmont"), ("Bering", "Faro")]
    chains = [(films[film], hop((film, "cast member", actor))) for film, actor in casts]
    text = written(told("Who acted in the films directed by Alda?", ("Delft", "Egmont", "Faro"), *chains))
    casts_told = "Bering's cast members are Delft [2] and Faro [5]. Corvo's cast member is Egmont [4]."
    assert text == f"Alda directed Bering [1] and Corvo [3]. {casts_told}"


def test_what_has_ended_is_said_in_the_past_with_its_days() -> None:
    owned = hop(("Alda", "owns", "Bering"), -1, start=date(2001, 5, 1), end=date(2003, 7, 1))
    text = written(told("Who owns Bering?", ("Alda",), (owned,)))
    assert text in {
        "Bering was owned by Alda (from 1 May 2001 until 30 June 2003) [1].",
        "Alda owned Bering (from 1 May 2001 until 30 June 2003) [1].",
    }


@pytest.mark.parametrize("label", ["when was it founded", "it a city", "is it headquartered in"])
def test_a_relation_that_is_a_piece_of_a_question_makes_no_story(label: str) -> None:
    fact = hop(("Alda", label, "2011"))
    assert story(understand("When was Alda founded?"), ("2011",), [Path((fact,))], [Claim("", (1,))]) is None


def test_claims_that_are_not_those_of_the_paths_make_no_story() -> None:
    assert story(understand("Who?"), ("Bering",), [Path((MOTHER, DEATH))], [Claim("", (1,))]) is None


@pytest.mark.parametrize(
    "text",
    [
        "Lothair II's mother was Ermengarde of Tours [1].",  # a fact is left out
        "Lothair II's mother was Ermengarde of Tours [2], who died on 20 March 851 [1].",  # citations change places
        "Lothair II's mother was Ermengarde of Tours, who died on 20 March 851 [1] [2].",
        "Lothair II's mother was Ermengarde of Tours [1], who died on 21 March 851 [2].",  # another day
        "Lothair II's father was Ermengarde of Tours [1], who died on 20 March 851 [2].",  # another relation
        "Lothair II's mother was not Ermengarde of Tours [1], who died on 20 March 851 [2].",  # negated
        "Ermengarde of Tours' mother was Lothair II [1]. Ermengarde of Tours died on 20 March 851 [2].",  # turned round
        "Lothair II's mother was Ermengarde of Tours [1]. Lothair II died on 20 March 851 [2].",  # of someone else
        "Lothair II's mother was Ermengarde [1], who died on 20 March 851 [2].",  # half a name
        "Lothair II's mother was Ermengarde of Tours [1], who died on 20 March 851 [2] [3].",  # a citation too many
        "Lothair II's beloved mother was Ermengarde of Tours [1], who died on 20 March 851 [2].",  # a word of its own
        "Lothair II's mother was Ermengarde of Tours [1], who died on 20 March 851 [2]",
        "",
    ],
)
def test_a_text_that_drops_or_changes_something_is_rejected(text: str) -> None:
    made = told("When did Lothair II's mother die?", ("20 March 851",), (MOTHER, DEATH))
    assert not faults(made, "Lothair II's mother was Ermengarde of Tours [1], who died on 20 March 851 [2].")
    assert faults(made, text)


def test_yes_for_no_is_rejected() -> None:
    made = told("Is Alda a supplier of Bering?", ("no",), (hop(("Alda", "supplies", "Bering")),))
    assert not faults(made, "No: Alda supplies Bering [1].")
    assert faults(made, "Yes: Alda supplies Bering [1].")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Co"]), min_size=1, max_size=12)
_ODD = ("[1]", "is", "who", "A and B", "St. Ives (Ltd)", "O'Neill's", "Ærø", "3,5", "東京", "the mother of", ". ", "-")
ODD = st.one_of(NAMES, st.sampled_from(_ODD))
_LABELS = "mother|owns|chief executive of|built by|located in|is a|date of birth|supplies to|member of"
LABELS = st.sampled_from(_LABELS.split("|"))


@given(st.lists(ODD, min_size=3, max_size=3, unique=True), LABELS, LABELS, st.sampled_from([1, -1]))
def test_every_word_of_a_text_is_copied_or_a_function_word(names: list[str], one: str, two: str, way: int) -> None:
    a, b, c = (name.strip() or "x" for name in names)
    first, second = (hop(fact) if way > 0 else hop((fact[2], fact[1], fact[0]), -1) for fact in ((a, one, b), (b, two, c)))
    made = story(understand(f"What about {a}?"), (c,), [Path((first, second))], [Claim("", (1,)), Claim("", (2,))])
    text = written(made) if made else ""
    for name in sorted((a, b, c), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    allowed = {*function_words(), "s", *f"What about {one} {two} born died owned supply chief executives supplied built".split()}
    assert {*re.findall(r"\w+", re.sub(r" \[\d\]", "", text).lower())} - {word.lower() for word in allowed} <= {"1", "2"}


@given(st.lists(ODD, min_size=2, max_size=2, unique=True), LABELS)
def test_a_text_names_both_ends_whatever_they_are_called(names: list[str], label: str) -> None:
    a, b = (name.strip() or "x" for name in names)
    made = story(understand("Who?"), (b,), [Path((hop((a, label, b)),))], [Claim("", (1,))])
    text = written(made) if made and a != b else ""
    assert not text or (a in text and b in text and text.endswith("."))


def test_an_answer_has_both_texts(agent: Agent) -> None:
    question = "Who runs the firm that Calder Pumps supplies?"
    answer = agent.ask(question)
    chief = "whose chief executive is Piet Aalders (from 1 July 2020) [2]"
    assert answer.text == f"Calder Pumps supplies Brightwater Labs [1], {chief}."
    assert answer.realised.startswith("Piet Aalders. Calder Pumps supplies Brightwater Labs; Piet Aalders is")
    assert answer.to_dict()["realised"] == answer.realised
    assert Agent(agent.kg, encoder=agent.encoder, writer=False).ask(question).text == answer.realised


def test_the_plain_text_is_shown_under_the_written_one_when_asked_for(agent: Agent) -> None:
    answer = agent.ask("Who runs the firm that Calder Pumps supplies?")
    shown = {both: io.StringIO() for both in (False, True)}
    for both, out in shown.items():
        render.answer(render.console(out), {"number": 1, **answer.to_dict()}, both=both)
    assert answer.realised in shown[True].getvalue()
    assert answer.realised not in shown[False].getvalue()
    assert answer.text in shown[False].getvalue()
