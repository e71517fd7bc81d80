"""What makes one candidate better than another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.retriever import Retriever
from hoptrace.retrieval.scoring import Candidate

Ranked = list[tuple[list[str], Candidate]]


@pytest.fixture
def rank(tmp_path: Path, write: Callable[..., None], encoder: Encoder) -> Any:
    """`rank(facts, question)`: labels of each candidate's nodes, best candidate first."""
    opened = []

    def ask(facts: list[Any], question: str) -> Ranked:
        kg = KnowledgeGraph.open(tmp_path / f"kg{len(opened)}")
        opened.append(kg)
        write(kg, facts)
        retriever = Retriever(kg, encoder)
        links = retriever.link(question)
        found = retriever.search(retriever.read(question, links), links)
        return [(sorted(node.label for node in kg.store.nodes(c.nodes)), c) for c in found.candidates]

    yield ask
    for kg in opened:
        kg.close()


def score(ranked: Ranked, *labels: str) -> float:
    return max((c.score for nodes, c in ranked if nodes == sorted(labels)), default=0.0)


CHAIN = [("Alda Works", "supplies", "Bering Yard"), ("Corvin Group", "owns", "Alda Works"), ("Alda Works", "based in", "Tarn")]


def test_scores_lie_between_0_and_1_best_first(rank: Any) -> None:
    ranked = rank(CHAIN, "Who owns the company that supplies Bering Yard?")
    scores = [c.score for _, c in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= s <= 1 for s in scores)
    for _, c in ranked:
        assert set(c.parts) >= {"coverage", "fit", "link", "whole"}
        assert c.with_support(0.0, 1.0) == pytest.approx(c.score)


def test_the_path_that_explains_every_word_wins_over_its_own_beginning(rank: Any) -> None:
    ranked = rank(CHAIN, "Who owns the company that supplies Bering Yard?")
    assert ranked[0][0] == ["Corvin Group"]
    assert ranked[0][1].open_units == ()
    assert score(ranked, "Alda Works") < ranked[0][1].score


def test_what_a_path_leaves_unexplained_counts_against_it(rank: Any) -> None:
    plain = rank(CHAIN, "Who supplies Bering Yard?")
    more = rank(CHAIN, "Who audits the company that supplies Bering Yard?")
    assert score(more, "Alda Works") < score(plain, "Alda Works")


def test_the_wrong_kind_of_answer_falls_behind(rank: Any) -> None:
    facts = [("Orla Vance", "owns", "Bering Yard"), ("Orla Vance", "is a", "person")]
    assert score(rank(facts, "Which person owns Bering Yard?"), "Orla Vance") > score(
        rank(facts, "Which city owns Bering Yard?"), "Orla Vance"
    )


def test_a_misspelt_name_lowers_the_score(rank: Any) -> None:
    exact, misspelt = rank(CHAIN, "Who supplies Bering Yard?"), rank(CHAIN, "Who supplies Berring Yard?")
    assert misspelt[0][0] == ["Alda Works"]
    assert misspelt[0][1].score < exact[0][1].score


def test_two_mentions_meet_in_what_both_reach(rank: Any) -> None:
    facts = [
        *((firm, "supplies", "Bering Yard") for firm in ("Alda Works", "Dorn Mills")),
        *((firm, "based in", "Tarn") for firm in ("Dorn Mills", "Ekko Ltd")),
    ]
    ranked = rank(facts, "Which company based in Tarn supplies Bering Yard?")
    assert ranked[0][0] == ["Dorn Mills"]
    best = ranked[0][1]
    assert best.parts["aside"] == 0
    [node] = best.nodes.tolist()
    for walk in best.walks(node):
        assert len(walk) >= 1


def test_a_mention_left_aside_counts_against_a_path(rank: Any) -> None:
    facts = [("Alda Works", "supplies", "Bering Yard"), ("Ekko Ltd", "based in", "Tarn")]
    ranked = rank(facts, "Which company based in Tarn supplies Bering Yard?")
    assert ranked[0][1].parts["aside"] > 0
    assert ranked[0][1].score < 0.5


def test_the_thing_asked_about_is_never_its_own_answer(rank: Any) -> None:
    facts = [("Alda Works", "owns", "Bering Yard"), ("Bering Yard", "owns", "Alda Works")]
    for nodes, _ in rank(facts, "Who owns Bering Yard?"):
        assert "Bering Yard" not in nodes
