"""A graph of people, firms, books and towns, each fact in a document of its own, and a memory of half of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hoptrace.agents.experts.memory import Memory
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex

_FIRST = "Orla Piet Ines Ravn Sela Toke Mira Joss".split()
_LAST = "Vance Aalders Tolland Ekholm Brack Dorn".split()
_TOWNS = [f"{name}{end}" for name in ("Hal", "Skel", "Tarn", "Vem") for end in ("by", "ford", "ton")]


def facts(seed: int = 0) -> list[tuple[str, str, str]]:
    rng = random.Random(seed)
    people = rng.sample([f"{first} {last}" for first in _FIRST for last in _LAST], 30)
    made = [(town, "located in", rng.choice(("Norland", "Ostrea", "Sudmark"))) for town in _TOWNS]
    for i, person in enumerate(people):
        made.append((person, "born in", rng.choice(_TOWNS)))
        if i % 5:
            made.append((person, "works for", f"{rng.choice(_LAST)} {rng.choice(('Mill', 'Yard'))}"))
        if i % 3 == 0:
            made.append((person, "wrote", f"Letter {rng.choice(('to', 'from'))} {rng.choice(_TOWNS)} {i}"))
    return made


@pytest.fixture(scope="session")
def _learned(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None], encoder: Encoder) -> Path:
    from hoptrace.agents.experts.train_memory import install, train

    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("learned") / "kg"
    with KnowledgeGraph.open(folder) as kg:
        for i, fact in enumerate(facts()):
            write(kg, [fact], f"{i}.txt")
        install(train(kg, RelationIndex(kg, encoder), encoder, share=0.6, seed=3))
    return folder


@pytest.fixture
def learned(_learned: Path, tmp_path: Path) -> Iterator[KnowledgeGraph]:
    """The graph with its memory, private to the test."""
    shutil.copytree(_learned, tmp_path / "learned")
    with KnowledgeGraph.open(tmp_path / "learned") as kg:
        yield kg


@pytest.fixture
def memory(learned: KnowledgeGraph, encoder: Encoder) -> Memory:
    return Memory.load(learned, encoder)
