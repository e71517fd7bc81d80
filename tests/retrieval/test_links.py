"""Ways over names: which passages are reached, and what is known of each step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Mention, Name, normalize, text_hash
from hoptrace.retrieval import links as links_module
from hoptrace.retrieval.links import Links
from hoptrace.retrieval.words import WordIndex, word_keys

TEXTS = {
    "Nine Mounds": "Nine Mounds is a site in Hinds County, Mississippi. The BOSS dug there.",
    "Mississippi": "The river state has a capital.",
    "History of Mississippi": "Elected delegates wrote a constitution in Mississippi.",
    "County fairs": "Each county holds a fair.",
    "Orla Vance": "Vance led the dig.",
}


def put(kg: KnowledgeGraph, title: str, text: str, mention: str = "") -> None:
    at = text.find(mention) if mention else -1
    mentions = (Mention(Name("Orla Vance"), at, at + len(mention)),) if at >= 0 else ()
    document = Document(title, "text/plain", text, text_hash(text), title=title, mentions=mentions)
    kg.write_document(document, [(0, len(text), "text")])


@pytest.fixture
def links(tmp_path: Path) -> Links:
    kg = KnowledgeGraph.open(tmp_path / "kg")
    for title, text in TEXTS.items():
        put(kg, title, text, {"Nine Mounds": "BOSS", "Orla Vance": "Vance"}.get(title, ""))
    return Links(kg, WordIndex(kg).table())


def step(links: Links, title: str) -> dict[tuple[str, str], dict[str, float]]:
    """(title reached, spelling of the name) to what is said of the way."""
    titles = {source.id: source.title for source in links.kg.store.sources()}
    chunks = dict(links.kg.store.chunks())
    places = {titles[chunks[row].source_id]: place for place, row in enumerate(links.table.rows.tolist())}
    names_of = {place: name for name, place in places.items()}
    links.meet([places[title]])
    text = TEXTS[title]
    names, ways = links.around(places[title], text, normalize(text).split(), np.zeros(len(places)))
    spelled = {tuple(word_keys(name)): name for name in ("Mississippi", "Hinds County", "Orla Vance", "Nine Mounds")}
    return {
        (names_of[int(place)], spelled.get(names[int(name)], "?")): {"about": about, "partly": partly, "back": back}
        for name, place, about, partly, back in zip(ways.names, ways.places, ways.about, ways.partly, ways.back, strict=True)
    }


def test_a_name_inside_a_longer_one_leads_to_the_passage_about_it(links: Links) -> None:
    found = step(links, "Nine Mounds")
    assert found["Mississippi", "Mississippi"] == {"about": 1.0, "partly": 1.0, "back": 0.0}
    assert found["History of Mississippi", "Mississippi"] == {"about": 0.0, "partly": pytest.approx(1 / 3), "back": 0.0}


def test_an_entity_leads_on_under_another_spelling(links: Links) -> None:
    assert step(links, "Nine Mounds")["Orla Vance", "Orla Vance"]["about"] == 1.0


def test_words_in_lower_case_lead_nowhere(links: Links) -> None:
    assert not any(title == "County fairs" for title, _ in step(links, "Nine Mounds"))


def test_a_passage_does_not_lead_to_itself(links: Links) -> None:
    for title in TEXTS:
        assert not any(reached == title for reached, _ in step(links, title))


def test_a_name_that_stands_everywhere_is_followed_to_the_best_only(links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links_module, "COMMON", 1)
    text = TEXTS["Nine Mounds"]
    links.meet([0])
    place = links.table.about_name("Nine Mounds")[0]
    worth = np.zeros(len(links.table.rows))
    history = links.table.about_name("History of Mississippi")[0]
    worth[history] = 1.0
    names, ways = links.around(int(place), text, normalize(text).split(), worth)
    over = ways.places[ways.names == names.index(tuple(word_keys("Mississippi")))]
    about = links.table.about_name("Mississippi")[0]
    assert set(over.tolist()) == {int(history), int(about)}  # the best holder, and what is about the name
