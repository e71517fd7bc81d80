"""Features of steps: what stands beside a name, against reading the text word by word."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, text_hash
from hoptrace.retrieval.links import Links
from hoptrace.retrieval.passage_features import FEATURES, Asked, alone, steps
from hoptrace.retrieval.words import WordIndex, word_key, word_keys

WORDS = "founded river salt Orla Vance Skerry built lamp old near Ann digs".split()
QUESTION = "Who founded the old salt river near Orla?"
BESIDE = 6  # words on either side of a name


def share(asked: Asked, words: set[int]) -> float:
    """Share of the question's words, by rarity, among some words."""
    weights = dict(zip(asked.keys.tolist(), asked.weights.tolist(), strict=True))
    return sum(weights.get(word, 0.0) for word in words) / sum(weights.values())


def beside(asked: Asked, text: list[int], name: tuple[int, ...]) -> float:
    """The best that stands beside one mention of a name."""
    found = [0.0]
    for at in range(len(text)):
        end = at + len(name)
        if tuple(text[at:end]) == name:
            found.append(share(asked, {*text[max(at - BESIDE, 0) : at], *text[end : end + BESIDE]}))
    return max(found)


@pytest.mark.parametrize("seed", range(6))
def test_what_stands_beside_a_name_is_what_reading_finds(tmp_path: Path, words: Any, seed: int) -> None:
    rng, kg = random.Random(seed), KnowledgeGraph.open(tmp_path / "kg")
    for title in ("Orla Vance", "Skerry", "Ann", "old lamp"):
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 40)))
        document = Document(title, "text/plain", text, text_hash(text), title=title)
        kg.write_document(document, [(0, len(text), "text")])
    table = WordIndex(kg).table()
    links, n = Links(kg, table), len(table.rows)
    texts = dict(kg.store.chunks())
    asked = Asked.read(QUESTION, words, table)
    base = alone(asked, table, np.zeros(n), np.zeros(n))
    said = set()
    for place, row in enumerate(table.rows.tolist()):
        places, features = steps(asked, links, np.zeros((n, 2), np.float32), place, 1.0, np.zeros(len(asked.keys), bool), base)
        ways, names, text = links.around(place, np.zeros(n)), links.passage(place).names, word_keys(texts[row].text)
        np.testing.assert_array_equal(places, ways.places)
        for which, found in zip(ways.names.tolist(), features, strict=True):
            context, inside = (found[FEATURES.index(name)] for name in ("context", "asked for"))
            assert context == pytest.approx(beside(asked, text, names[which]), abs=1e-6)
            assert inside == pytest.approx(share(asked, set(names[which])), abs=1e-6)
            said.add(round(float(context), 6))
    assert word_key("founded") in asked.keys
    assert len(said) > 3
