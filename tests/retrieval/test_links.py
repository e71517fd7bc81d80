"""Ways over names: which passages are reached, and what is known of each step."""

from __future__ import annotations

import math
import random
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
    names, ways = links.passage(places[title]).names, links.around(places[title], np.zeros(len(places)))
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
    place = links.table.about_name("Nine Mounds")[0]
    worth = np.zeros(len(links.table.rows))
    history = links.table.about_name("History of Mississippi")[0]
    worth[history] = 1.0
    names, ways = links.passage(int(place)).names, links.around(int(place), worth)
    over = ways.places[ways.names == names.index(tuple(word_keys("Mississippi")))]
    about = links.table.about_name("Mississippi")[0]
    assert set(over.tolist()) == {int(history), int(about)}  # the best holder, and what is about the name


NAMES = ("Orla Vance", "Hinds County", "Mississippi", "Bay of Skerry", "Skerry", "Ann Lee Ray", "Rex", "Silver")
TITLES = (*NAMES, "Silver (film)", "Rex (dog)", "salt mines", "with", "ox", "Lee Ray")
FILLER = ("salt mines", "with", "old river", "old river", "ox", "digs", "near", "silver", "when it rains")


class Corpus:
    """Passages made of filler in lower case and names in capitals, so that what each spells is known without reading it."""

    def __init__(self, kg: KnowledgeGraph, seed: int) -> None:
        self.kg, self.rng, self.spelled = kg, random.Random(seed), dict[str, set[str]]()
        for title in self.rng.sample(TITLES, 9):
            self.put(title)

    def put(self, title: str) -> None:
        halves = [[self.rng.choice((*FILLER, *NAMES)) for _ in range(self.rng.randint(1, 9))] for _ in range(2)]
        texts = [" a ".join(half) + " a " for half in halves]
        self.spelled |= {text: {piece for piece in half if piece in NAMES} for text, half in zip(texts, halves, strict=True)}
        text, mentions = "".join(texts), []
        for name in ("old river", *NAMES[:3]):
            at = text.find(name)
            if at >= 0 and self.rng.random() < 0.8:
                mentions.append(Mention(Name("Ann Lee Ray" if name == "old river" else name), at, at + len(name)))
        document = Document(title, "text/plain", text, text_hash(text), title=title, mentions=tuple(mentions))
        cut = len(texts[0])
        self.kg.write_document(document, [(0, cut, "text"), (cut, len(text), "text")])

    def ways(self) -> dict[tuple[int, int, tuple[int, ...]], tuple[float, ...]]:
        """(chunk left, chunk reached, name) to what is said of the way, by reading everything for every pair."""
        store = self.kg.store
        titles = {source.id: source.title for source in store.sources()}
        plain = {id_: normalize(title.partition(" (")[0]) for id_, title in titles.items()}
        chunks = dict(store.chunks())
        words = {row: {*word_keys(chunk.text), *word_keys(titles[chunk.source_id])} for row, chunk in chunks.items()}
        pairs = list(zip(*(part.tolist() for part in store.mentions()), strict=True))
        found = {}
        for row, chunk in chunks.items():
            said = {part for name in self.spelled[chunk.text] for part in (name, name.rpartition(" of ")[2])}
            text = f" {normalize(chunk.text)} "
            said |= {name for name in plain.values() if f" {name} " in text and (len(name) > 4 or " " in name)}
            holders = {normalize(name): {one for one in words if words[one] >= set(word_keys(name))} for name in said}
            for node in {node for node, place in pairs if place == row}:
                label = normalize(store.nodes([node])[0].label)
                holders[label] = holders.get(label, set()) | {place for one, place in pairs if one == node}
            own = set(word_keys(titles[chunk.source_id]))
            for name, held in holders.items():
                about = {one for one, other in chunks.items() if other.start == 0 and plain[other.source_id] == name}
                keys = set(word_keys(name))
                for reached in (held | about) - {row}:
                    title = set(word_keys(titles[chunks[reached].source_id]))
                    found[row, reached, tuple(word_keys(name))] = (
                        1 - math.log(len(held)) / math.log(len(chunks)), float(reached in about),
                        len(title & keys) / len(title | keys), float(own == keys),
                    )  # fmt: skip
        return found


def ways_of(links: Links) -> dict[tuple[int, int, tuple[int, ...]], tuple[float, ...]]:
    rows = links.table.rows.tolist()
    found = {}
    for place, row in enumerate(rows):
        names, ways = links.passage(place).names, links.around(place, np.zeros(len(rows)))
        for name, reached, *said in zip(ways.names, ways.places, ways.rarity, ways.about, ways.partly, ways.back, strict=True):
            key = row, rows[reached], names[name]
            assert key not in found
            found[key] = tuple(map(float, said))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_ways_are_those_that_reading_every_text_finds_after_any_change(tmp_path: Path, seed: int) -> None:
    kg = KnowledgeGraph.open(tmp_path / "kg")
    corpus, index = Corpus(kg, seed), WordIndex(kg)
    steps = (
        lambda: None,
        lambda: corpus.put("Rex (dog)"),
        kg.undo,
        lambda: kg.forget(next(iter(kg.store.sources())).id),
        lambda: kg.merge(*(entity.id for entity in kg.store.entities(limit=2))),
    )
    for change in steps:
        change()
        wanted, found = corpus.ways(), ways_of(Links(kg, index.table()))
        assert found.keys() == wanted.keys()
        for way, said in wanted.items():
            assert found[way] == pytest.approx(said, abs=1e-12), way
        assert ways_of(Links(kg, WordIndex(kg).table())) == found  # mentions as they were published
