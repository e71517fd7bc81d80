"""Names in questions and the nodes they may mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.linking import Linker
from hoptrace.retrieval.retriever import Retriever
from hypothesis import given, settings
from hypothesis import strategies as st

FACTS = [
    ("Brightwater", "lies on", "Loch Orrin"),
    ("Brightwater Labs", "based in", "Brightwater"),
    ("Tessarvo Coatings AG", "based in", "Loch Orrin"),
    ("Tessarvo Coatings Ltd", "based in", "Brightwater"),
    ("Bank of Loch Orrin", "owns", "Brightwater Labs"),
    ("Ainsley & Sons", "supplies", "Brightwater Labs"),
    ("Society", "audits", "Ainsley & Sons"),
    ("A Night at the Quay", "filmed in", "Brightwater"),
    ("In Depths of Tarn", "filmed in", "Brightwater"),
]


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None]) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path_factory.mktemp("linking") / "kg") as graph:
        write(graph, FACTS)
        graph.add("Mercer Quay", "based in", "Brightwater", subject_type="company")
        graph.add("Mercer Quay", "lies on", "Loch Orrin", subject_type="place")
        yield graph


def linked(kg: KnowledgeGraph, question: str) -> list[tuple[str, list[str]]]:
    """(words of the question, labels they may mean); offsets are checked on the way."""
    links = Linker(kg).link(question)
    for link in links:
        assert question[link.start : link.end] == link.text
        assert all((seed.start, seed.end) == (link.start, link.end) for seed in link.seeds)
        assert all(0 < seed.score <= 1 for seed in link.seeds)
    assert all(a.end <= b.start for a, b in pairwise(links))
    return [(link.text, [seed.node.label for seed in link.seeds]) for link in links]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who owns Brightwater Labs?", [("Brightwater Labs", ["Brightwater Labs"])]),
        ("Where is Brightwater?", [("Brightwater", ["Brightwater"])]),
        ("Who runs Brightwater Labs's owner?", [("Brightwater Labs", ["Brightwater Labs"])]),
        ("Is Brightwater Labs’ owner rich?", [("Brightwater Labs", ["Brightwater Labs"])]),
        ("who owns brightwater labs?", [("brightwater labs", ["Brightwater Labs"])]),
        ("BRIGHTWATER LABS: who owns it?", [("BRIGHTWATER LABS", ["Brightwater Labs"])]),
        ("Does the Bank of Loch Orrin own it?", [("Bank of Loch Orrin", ["Bank of Loch Orrin"])]),
        ("Who supplies Ainsley & Sons?", [("Ainsley & Sons", ["Ainsley & Sons"])]),
        ("What joins Brightwater and Loch Orrin?", [("Brightwater", ["Brightwater"]), ("Loch Orrin", ["Loch Orrin"])]),
        ("Where is Tessarvo Coatings Ltd?", [("Tessarvo Coatings Ltd", ["Tessarvo Coatings Ltd"])]),
        ("Where is Tessarvo Coatings AG?", [("Tessarvo Coatings AG", ["Tessarvo Coatings AG"])]),
        ("who is the owner of a company in a city?", []),
        ("", []),
    ],
)
def test_exact_names(kg: KnowledgeGraph, question: str, expected: list[tuple[str, list[str]]]) -> None:
    surfaces = [(text.removeprefix("the "), labels) for text, labels in linked(kg, question)]
    assert surfaces == expected


def test_an_exact_name_is_certain_and_a_misspelt_one_is_not(kg: KnowledgeGraph) -> None:
    exact = Linker(kg).link("Who owns Brightwater Labs?")[0]
    misspelt = Linker(kg).link("Who owns Brightwatter Labs?")[0]
    assert exact.seeds[0].score == 1
    assert [seed.node.label for seed in misspelt.seeds] == ["Brightwater Labs"]
    assert misspelt.seeds[0].score < 1


def test_part_of_a_name_means_each_name_that_holds_it(kg: KnowledgeGraph) -> None:
    [(text, labels)] = linked(kg, "Where is Tessarvo Coatings?")
    assert text == "Tessarvo Coatings"
    assert sorted(labels) == ["Tessarvo Coatings AG", "Tessarvo Coatings Ltd"]


def test_a_name_of_two_things_keeps_both(kg: KnowledgeGraph) -> None:
    [link] = Linker(kg).link("Where is Mercer Quay?")
    assert {seed.node.type for seed in link.seeds} == {"company", "place"}
    assert len({seed.row for seed in link.seeds}) == 2


@pytest.mark.parametrize("name", ["Grendlow Freight", "Quorn", "Ivo van der Zanden", "Tessarvo Logistics", "Quay & Sons"])
def test_an_unknown_proper_name_is_reported_whole(kg: KnowledgeGraph, name: str) -> None:
    assert linked(kg, f"Who owns {name} today?") == [(name, [])]


def test_a_different_legal_form_is_another_company(kg: KnowledgeGraph) -> None:
    assert "Tessarvo Coatings AG" not in linked(kg, "Who runs Tessarvo Coatings Ltd?")[0][1]


def test_two_unknown_names_stay_two(kg: KnowledgeGraph) -> None:
    assert linked(kg, "What joins Quorn and the Grendlow Freight?") == [("Quorn", []), ("Grendlow Freight", [])]


@pytest.mark.parametrize("name", ["Brightwater Mills", "Brightwater Labs Yard", "Bank of Loch Orrin Trust", "Loch Orrin 7"])
def test_an_unknown_name_does_not_become_the_known_one_it_begins_with(kg: KnowledgeGraph, name: str) -> None:
    assert linked(kg, f"Who runs {name} today?") == [(name, [])]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who runs Brightwater Labs Ltd?", [("Brightwater Labs Ltd", ["Brightwater Labs"])]),
        ("Who runs Brightwater Labs Group?", [("Brightwater Labs Group", ["Brightwater Labs"])]),
        ("Who owns BWL?", [("BWL", ["Brightwater Labs"])]),
        ("Who owns B.W.L.?", [("B.W.L", ["Brightwater Labs"])]),
        ("Who runs The Bank of Lcoh Orrin?", [("Bank of Lcoh Orrin", ["Bank of Loch Orrin"])]),
        ("Who played in A Nihgt at the Quay?", [("A Nihgt at the Quay", ["A Night at the Quay"])]),
        ("Who played in In Dephts of Tarn?", [("In Dephts of Tarn", ["In Depths of Tarn"])]),
        ("who played in a night at the quay?", [("a night at the quay", ["A Night at the Quay"])]),
        ("Who Owns Brightwater Labs?", [("Brightwater Labs", ["Brightwater Labs"])]),
        ("Who founded brightwater_labs?", [("brightwater_labs", ["Brightwater Labs"])]),
        ("Did President Ainsly of Brightwater know?", [("Ainsly of Brightwater", [])]),
    ],
)
def test_near_names(kg: KnowledgeGraph, question: str, expected: list[tuple[str, list[str]]]) -> None:
    assert linked(kg, question) == expected


@pytest.mark.parametrize("question", ["Which May event?", "Did the CEO leave in March?", "What was it in EUR?"])
def test_calendar_and_currency_words_are_no_names(kg: KnowledgeGraph, question: str) -> None:
    assert linked(kg, question) == []


def test_brackets_mark_what_is_meant(kg: KnowledgeGraph) -> None:
    assert linked(kg, "what does [brightwater] have and Loch Orrin not?") == [("brightwater", ["Brightwater"])]
    assert linked(kg, "who owns [no such thing]?") == [("no such thing", [])]


def test_a_name_learnt_later_is_known_at_the_next_question(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as graph:
        linker = Linker(graph)
        assert linker.link("Who owns Kelso Ropeworks?")[0].seeds == ()
        graph.add("Kelso Ropeworks", "based in", "Tarn")
        assert [seed.node.label for seed in linker.link("Who owns Kelso Ropeworkz?")[0].seeds] == ["Kelso Ropeworks"]
        graph.forget(next(graph.sources()).id)
        assert linker.link("Who owns Kelso Ropeworkz?")[0].seeds == ()


def test_a_word_of_a_wording_is_no_name_in_lower_case(tmp_path: Path, write: Callable[..., None]) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        write(kg, [("Halden Marine", "has genre", "Tarn"), ("Halden Marine", "has genre", "Art")])
        assert linked(kg, "which art forms has halden marine?") == [("halden marine", ["Halden Marine"])]
        assert linked(kg, "what is known of art by halden marine?")[0] == ("art", ["Art"])


def test_a_place_takes_no_legal_form(kg: KnowledgeGraph) -> None:
    kinds = {seed.node.type for seed in Linker(kg).link("Who runs Mercer Quay Ltd?")[0].seeds}
    assert kinds == {"company"}


def test_the_words_of_a_question_order_entities_of_one_name(kg: KnowledgeGraph, encoder: Encoder) -> None:
    retriever = Retriever(kg, encoder)
    for question, kind in (
        ("Where is the company Mercer Quay?", "company"),
        ("Where is the place Mercer Quay?", "place"),
        ("Which loch does Mercer Quay lie on?", "place"),
        ("Where is Mercer Quay based?", "company"),
    ):
        [link] = retriever.link(question)
        assert link.seeds[0].node.type == kind, question
        assert len(link.seeds) == 2


WORDS = st.sampled_from(
    "who owns the Brightwater Labs brightwater labs' Tessarvo Coatings AG Ltd of & [ ] [Quorn] 2015 ? , .".split()
)


@settings(max_examples=60, deadline=None)
@given(question=st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=10).map(" ".join)))
def test_any_text_is_linked_in_order_without_overlap(kg: KnowledgeGraph, question: Any) -> None:
    linked(kg, question)
