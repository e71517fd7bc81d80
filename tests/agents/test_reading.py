"""Answers read in passages, over small graphs whose extracted facts do not hold the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hoptrace import Agent, Answer, KnowledgeGraph

PASSAGES = {
    "Red Sand": "Red Sand is a drama film of 1951. It was the last work of director Ada Holm before she left the studio.",
    "Ada Holm": "Ada Holm was a filmmaker. A native of Torvik, she came to the capital at the age of nine.",
    "Blue Hour": "Blue Hour is a comedy. Ben Oake, its director, shot it in eleven days.",
    "Ben Oake": "Ben Oake (12 May 1922 – 3 March 1999) was a filmmaker from Lund.",
    "Cara Vane": "Cara Vane (7 June 1910 – 1 July 1975) was a painter.",
    "Old Glass": "Old Glass is a novel about a glazier and his dog.",
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    folder = tmp_path_factory.mktemp("passages")
    for title, text in PASSAGES.items():
        (folder / f"{title}.md").write_text(f"# {title}\n\n{text}\n", "utf-8")
    with KnowledgeGraph.open(folder / "kg") as kg:
        kg.ingest(sorted(folder.glob("*.md")))
        yield Agent(kg)


def quoted(answer: Answer) -> str:
    return " ".join(citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Who is the director of Red Sand?", "Ada Holm"),
        ("Where was the director of Red Sand born?", "Torvik"),
        ("Who lived longer, Ben Oake or Cara Vane?", "Ben Oake"),
        ("Who was born first, Ben Oake or Cara Vane?", "Cara Vane"),
        ("Are Ben Oake and Cara Vane both painters?", "no"),
    ],
)
def test_what_the_facts_do_not_say_is_read(agent: Agent, question: str, said: str) -> None:
    answer = agent.ask(question)
    assert answer.answers == (said,)
    assert answer.citations
    assert all(citation.verified for citation in answer.citations)


def test_every_word_of_an_answer_that_was_read_stands_in_its_quotes(agent: Agent) -> None:
    answer = agent.ask("Where was the director of Red Sand born?")
    assert "Torvik" in quoted(answer)
    assert "Ada Holm" in quoted(answer)
    assert answer.route.action == "path+text"
    hops = [hop for path in answer.paths for hop in path.hops]
    assert [hop.end.label for hop in hops] == ["Ada Holm", "Torvik"]
    assert hops[0].end.label == hops[1].start.label


def test_a_hop_that_was_read_is_not_stored(agent: Agent) -> None:
    before = agent.kg.store.counts()
    agent.ask("Where was the director of Red Sand born?")
    assert agent.kg.store.counts() == before


@pytest.mark.parametrize("question", ["Who is the director of Grey Moor?", "Where was the director of Grey Moor born?"])
def test_a_name_that_no_passage_holds_is_refused(agent: Agent, question: str) -> None:
    answer = agent.ask(question)
    assert answer.status == "abstained"
    assert answer.answers == ()
    assert "Grey Moor" in answer.text


def test_without_reading_the_facts_alone_answer(agent: Agent) -> None:
    assert Agent(agent.kg, reads=False).ask("Where was the director of Red Sand born?").status == "abstained"


def test_a_source_that_is_forgotten_is_not_read(tmp_path: Path) -> None:
    for title in ("Red Sand", "Ada Holm"):
        (tmp_path / f"{title}.md").write_text(f"# {title}\n\n{PASSAGES[title]}\n", "utf-8")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.ingest(sorted(tmp_path.glob("*.md")))
        agent = Agent(kg)
        assert agent.ask("Where was the director of Red Sand born?").answers == ("Torvik",)
        kg.forget(next(source.uri for source in kg.sources() if source.title == "Ada Holm"))
        assert agent.ask("Where was the director of Red Sand born?").answers == ()
