"""Ranking for a profile: a reordering only, with a recorded path as the reason; simulated readers with planted tastes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.kg.errors import InputError
from hoptrace.kg.model import Entity, Literal
from hoptrace.retrieval.profile import Profile, ProfileRanker

BOOKS = [
    ("Salt Road", "written by", "Ines Tolland"),
    ("Salt Road", "about", "Harbours"),
    ("Iron Quay", "written by", "Ines Tolland"),
    ("Low Tide", "about", "Harbours"),
    ("Red Fern", "about", "Gardens"),
    ("Red Fern", "printed in", "Tarn City"),
    ("Blue Moss", "about", "Gardens"),
]
TITLES = ["Blue Moss", "Red Fern", "Low Tide", "Iron Quay"]


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "kg") as graph:
        for subject, relation, other in BOOKS:
            graph.add(subject, relation, other, subject_type="book")
        graph.add("Grey Heron", "about", "Gardens", subject_type="film")
        yield graph


def ranked(kg: KnowledgeGraph, profile: Profile, titles: list[str] = TITLES) -> list[str]:
    return [r.candidate.label for r in ProfileRanker(kg).rank([kg.entity(title) for title in titles], profile)]


def test_an_empty_profile_keeps_the_order(kg: KnowledgeGraph) -> None:
    for order in (TITLES, TITLES[::-1]):
        assert ranked(kg, Profile(), order) == order
        assert ranked(kg, Profile(entities={"Nobody Known": 1.0}), order) == order


def test_interest_reaches_what_was_never_looked_at(kg: KnowledgeGraph) -> None:
    found = ProfileRanker(kg).rank([kg.entity(title) for title in TITLES], Profile.of_history(["Salt Road"]))
    assert {r.candidate.label for r in found[:2]} == {"Low Tide", "Iron Quay"}
    assert [r.score > 0 for r in found] == [True, True, False, False]


def test_every_score_has_a_recorded_path(kg: KnowledgeGraph) -> None:
    known = {triple.id for triple in kg.triples()}
    profile = Profile(entities={"Salt Road": 2, "Gardens": 1}, relations={"printed in": 1})
    for one in ProfileRanker(kg).rank([kg.entity(title) for title in TITLES], profile):
        assert one.score > 0
        assert one.why is not None
        assert one.why.end == one.candidate
        assert one.why.start.label in {"Salt Road", "Gardens"}
        assert {hop.triple.id for hop in one.why.hops} <= known


def test_relations_and_types_count(kg: KnowledgeGraph) -> None:
    [first, *others] = ProfileRanker(kg).rank([kg.entity(t) for t in TITLES], Profile(relations={"Printed In": 1.0}))
    assert first.candidate.label == "Red Fern"
    assert first.why is not None
    assert [hop.triple.relation.label for hop in first.why.hops] == ["printed in"]
    assert first.why.end == first.candidate
    assert all(one.score == 0 and one.why is None for one in others)
    assert ranked(kg, Profile(types={"film": 1.0}), [*TITLES, "Grey Heron"])[0] == "Grey Heron"


def test_hidden_things_go_last_and_stay(kg: KnowledgeGraph) -> None:
    profile = Profile(entities={"Salt Road": 1.0}, hidden=frozenset({"low tide", kg.entity("Blue Moss").id}))
    assert ranked(kg, profile) == ["Iron Quay", "Red Fern", "Low Tide", "Blue Moss"]


def test_values_are_candidates_too(kg: KnowledgeGraph) -> None:
    kg.add("Salt Road", "pages", 311)
    value = kg.triples("Salt Road", "pages")
    [pages] = [triple.object for triple in value]
    assert isinstance(pages, Literal)
    found = ProfileRanker(kg).rank([kg.entity("Red Fern"), pages], Profile(entities={"Salt Road": 1.0}))
    assert [r.candidate.label for r in found] == ["311", "Red Fern"]


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_and_decay_out_of_range_are_refused(kg: KnowledgeGraph, weight: float) -> None:
    with pytest.raises(InputError, match="'x'"):
        Profile(types={"x": weight})
    with pytest.raises(InputError, match="decay"):
        ProfileRanker(kg, decay=1.0 + abs(weight))


def test_a_candidate_the_graph_does_not_hold_is_refused(kg: KnowledgeGraph) -> None:
    with pytest.raises(InputError):
        ProfileRanker(kg).rank([Entity("e0000000000000000", "Nobody")], Profile(entities={"Salt Road": 1.0}))


# ---- simulated readers


ITEMS, TOPICS, WRITERS, READERS = 120, 8, 24, 16


def ndcg(order: list[int], wanted: set[int], k: int = 10) -> float:
    gain = sum(1 / np.log2(place + 2) for place, item in enumerate(order[:k]) if item in wanted)
    return float(gain / sum(1 / np.log2(place + 2) for place in range(min(k, len(wanted)))))


@pytest.mark.parametrize("seed", range(3))
def test_readers_with_planted_tastes_are_served_better_than_by_popularity(seed: int, tmp_path: Path) -> None:
    """Each reader likes one topic and is known by what was read alone; half of the readers have read two items."""
    pick = random.Random(seed)
    topic_of = {item: pick.randrange(TOPICS) for item in range(ITEMS)}
    words = [f"{a}{b}{c}" for a in "BDFGK" for b in "aeiou" for c in ("lin", "mar", "ton", "vel", "ris", "gan")]
    lines = []
    for item in range(ITEMS):
        about = [topic_of[item], *([pick.randrange(TOPICS)] if pick.random() < 0.3 else [])]  # some are about two things
        facts = [*(("about", f"Topic {t}") for t in dict.fromkeys(about)), ("written by", f"Writer {pick.randrange(WRITERS)}")]
        lines += [f"{words[item]} Tale|{relation}|{other}" for relation, other in (*facts, ("printed in", f"Town {item % 5}"))]
    (tmp_path / "kb.txt").write_text("\n".join(lines) + "\n")
    popular = pick.sample(range(ITEMS), ITEMS)
    gains: dict[int, list[float]] = {2: [], 6: []}
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.ingest([str(tmp_path / "kb.txt")])
        entities = [kg.entity(f"{words[item]} Tale") for item in range(ITEMS)]
        place = {entity.id: item for item, entity in enumerate(entities)}
        for reader in range(READERS):
            liked = [item for item in range(ITEMS) if topic_of[item] == reader % TOPICS]
            size = 2 if reader < READERS // 2 else 6
            past = pick.sample(liked, size)
            rest = [item for item in popular if item not in past]
            found = ProfileRanker(kg).rank([entities[item] for item in rest], Profile.of_history([entities[i].id for i in past]))
            order = [place[one.candidate.id] for one in found]
            assert sorted(order) == sorted(rest)
            wanted = set(liked) - set(past)
            gains[size].append(ndcg(order, wanted) - ndcg(rest, wanted))
    assert np.mean(gains[2]) >= 0.15
    assert np.mean(gains[6]) >= 0.15
