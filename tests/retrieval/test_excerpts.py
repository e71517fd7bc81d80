"""Choosing sentences: whole, within the budget, and what answers the question first."""

from __future__ import annotations

import numpy as np
import pytest
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.excerpts import SENTENCE, Passage, candidates, excerpts
from hoptrace.retrieval.passage_scorer import PassageScorer

QUESTION = "Where did the ferry that Aldra built sink?"
PASSAGES = [
    Passage("Aldra", "Aldra\nAldra is a yard. It built the ferry Skua in 1961. Gulls nest on its roof.", 1.0),
    Passage("Skua", "Skua\nSkua is a ferry. The ferry would sink off Cork. The weather was mild.", 0.0),
]


def even(word: int) -> float:
    """Every word is as rare as the next."""
    return 1.0


def features(question: str, passages: list[Passage]) -> dict[str, dict[str, float]]:
    """Sentence to feature to value."""
    found, rows = candidates(question, passages, even)
    texts = [passages[one.passage].text[one.start : one.end] for one in found]
    return {text: dict(zip(SENTENCE, row, strict=True)) for text, row in zip(texts, rows.tolist(), strict=True)}


def test_excerpts_are_whole_sentences_within_their_budget_that_answer_the_question(encoder: Encoder) -> None:
    found = excerpts(QUESTION, PASSAGES, even, PassageScorer.default().sentence, encoder, 28)
    assert {(0, "It built the ferry Skua in 1961."), (1, "The ferry would sink off Cork.")} <= set(found)
    assert not {"Gulls nest on its roof.", "The weather was mild."} & {text for _, text in found}
    assert sum(encoder.count_tokens([text for _, text in found])) <= 28
    assert [i for i, _ in found] == sorted(i for i, _ in found)
    assert excerpts(QUESTION, PASSAGES, even, PassageScorer.default().sentence, encoder, 2) == []
    assert excerpts("", [], even, PassageScorer.default().sentence, encoder, 24) == []


def test_what_is_known_is_not_said_again(encoder: Encoder) -> None:
    weights, known = PassageScorer.default().sentence, ["The ferry would sink off Cork. It built the ferry Skua in 1961."]
    found = excerpts(QUESTION, PASSAGES, even, weights, encoder, 100, known)
    assert {text for _, text in found} == {
        "Aldra is a yard.",
        "Gulls nest on its roof.",
        "Skua is a ferry.",
        "The weather was mild.",
    }


def test_a_heading_that_repeats_the_title_is_no_sentence() -> None:
    found = features(QUESTION, PASSAGES)
    assert not {"Aldra", "Skua"} & found.keys()
    assert found["Aldra is a yard."]["opens"] == found["Skua is a ferry."]["opens"] == 1


def test_a_chain_shows_in_what_leads_on_and_what_is_reached() -> None:
    found = features(QUESTION, PASSAGES)
    assert found["It built the ferry Skua in 1961."]["leads on"] == 1
    assert found["Aldra is a yard."]["leads on"] == 0
    assert found["The ferry would sink off Cork."]["reached"] == 1
    assert found["Aldra is a yard."]["reached"] == 0


@pytest.mark.parametrize(
    ("question", "tells", "does_not"),
    [
        ("When was Skua built?", "It was launched in 1961.", "It sank near Cork."),
        ("Where did Skua sink?", "It sank near Cork.", "It was launched in 1961."),
        ("How many decks does Skua have?", "It has three decks.", "It sank near Cork."),
        ("Who built Skua?", "It was drawn by Orla Vance.", "It was launched in 1961."),
    ],
)
def test_a_sentence_that_tells_the_kind_asked_for_is_marked(question: str, tells: str, does_not: str) -> None:
    found = features(question, [Passage("Skua", f"{tells} {does_not}")])
    assert found[tells]["kind"] == 1
    assert found[does_not]["kind"] == 0


def test_a_long_sentence_must_be_worth_its_price(encoder: Encoder) -> None:
    passage = Passage("Skua", "The old ferry sank off Cork in a gale in the winter of that year at night. It sank.")
    weights = np.zeros(len(SENTENCE))
    assert excerpts("Where?", [passage], even, weights, encoder, 19) == [(0, "It sank.")]
