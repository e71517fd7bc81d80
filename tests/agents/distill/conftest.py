"""A graph with everything that can be asked of one: chains, symmetry, dates, values, names that look alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hoptrace.agents.distill.evidence import Example
from hoptrace.agents.distill.tasks import TaskMiner
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Literal
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex

_SYLLABLES = ("ba", "de", "fo", "gri", "ka", "lu", "mo", "ne", "pra", "qui", "ro", "sta", "ti", "vo", "wel", "zan")


def named(rng: random.Random, taken: set[str]) -> str:
    while True:
        name = "".join(rng.choice(_SYLLABLES) for _ in range(3)).capitalize()
        if name not in taken:
            taken.add(name)
            return name


def trading_facts(seed: int = 0, firms: int = 76) -> list[tuple[Any, ...]]:
    """Firms, owners, suppliers, chief executives with terms of office, towns and founding years."""
    rng, taken = random.Random(seed), set[str]()
    names = [f"{named(rng, taken)} {rng.choice(('Works', 'Group', 'Foods', 'Lines'))}" for _ in range(firms)]
    people = [f"{named(rng, taken)} {named(rng, taken)}" for _ in range(firms)]
    towns = [named(rng, taken) for _ in range(12)]
    facts: list[tuple[Any, ...]] = []
    for i, name in enumerate(names):
        facts.append((name, "founded in", Literal(str(1900 + rng.randrange(110)), "gYear")))
        facts.append((name, "headquartered in", rng.choice(towns)))
        facts.append((name, "employees", Literal(str(rng.randrange(20, 9000)), "integer")))
        since = date(2000 + rng.randrange(20), 1, 1)
        facts.append((people[i], "chief executive of", name, {"valid_from": since}))
        if i % 3 == 0:
            before = {"valid_from": date(1990, 1, 1), "valid_to": since}
            facts.append((people[i - 1], "chief executive of", name, before))
        for other in rng.sample(names, 2):
            if other != name:
                facts.append((name, "supplies", other))
        if i % 2:
            facts.append((rng.choice(names[:i]), "owns", name))
        if i % 4 == 0:
            facts.append((name, "competes with", rng.choice([n for n in names if n != name])))
    return facts


@pytest.fixture(scope="session")
def trade(tmp_path_factory: pytest.TempPathFactory, write: Any) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path_factory.mktemp("trade") / "kg") as kg:
        write(kg, trading_facts())
        yield kg


@pytest.fixture(scope="session")
def miner(trade: KnowledgeGraph, encoder: Encoder) -> TaskMiner:
    return TaskMiner(trade, RelationIndex(trade, encoder))


@pytest.fixture(scope="session")
def examples(miner: TaskMiner) -> list[Example]:
    return miner.mine(300, random.Random(3))
