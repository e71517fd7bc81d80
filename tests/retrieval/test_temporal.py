"""What the dates of several facts say together: three rules, each with what it must leave alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from hoptrace.kg.adjacency import Adjacency
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.store import OPEN_END, OPEN_START, Edges
from hoptrace.retrieval.temporal import TightGraph, follow, tighten
from hoptrace.retrieval.wordings import Family, lexicon
from hypothesis import given, settings
from hypothesis import strategies as st

LABELS = ["owns", "owned by", "acquired", "sold", "chief executive of", "headquartered in", "supplies", "fined", "ceo"]
Stated = tuple[int, str, int, int | None, int | None]  # subject, label, object, first day, day after the last
Days = tuple[int | None, int | None]


def index() -> tuple[list[Family], np.ndarray, np.ndarray]:
    found = [lexicon().family(label) for label in LABELS]
    families = list({family.name: family for family, _ in found}.values())
    place = {family.name: i for i, family in enumerate(families)}
    return families, np.array([place[f.name] for f, _ in found], np.int32), np.array([way for _, way in found], np.int8)


def build(facts: list[Stated], numbers: list[int] | None = None) -> Adjacency:
    """The adjacency of facts; their triple rows are their places, or `numbers`."""
    rows = [(s, LABELS.index(r), o, OPEN_START if a is None else a, OPEN_END if b is None else b) for s, r, o, a, b in facts]
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    kinds = (np.int32, np.int32, np.int32, np.int32, np.int32)
    triples = np.arange(len(rows)) if numbers is None else np.array(numbers, np.int64)
    return Adjacency.build(Edges(triples, *(c.astype(k) for c, k in zip(columns, kinds))))


def days(adjacency: Adjacency) -> dict[int, Days]:
    """Interval of each triple; both directions of an edge must agree."""
    found: dict[int, set[tuple[int, int]]] = {}
    for triple, first, last in zip(adjacency.triple.tolist(), adjacency.valid_from.tolist(), adjacency.valid_to.tolist()):
        found.setdefault(triple, set()).add((first, last))
    assert all(len(intervals) == 1 for intervals in found.values())
    one = {triple: next(iter(intervals)) for triple, intervals in found.items()}
    return {t: (None if a == OPEN_START else a, None if b == OPEN_END else b) for t, (a, b) in one.items()}


def tight(*facts: Stated) -> list[Days]:
    intervals = days(tighten(build(list(facts)), *index()))
    return [intervals[i] for i in range(len(facts))]


# ---- facts that say the same


def test_equal_facts_share_the_narrowest_interval() -> None:
    assert tight((1, "owns", 2, 10, None), (1, "owns", 2, None, 50)) == [(10, 50), (10, 50)]


def test_equal_facts_under_an_inverse_label_share_too() -> None:
    assert tight((1, "owns", 2, 10, 50), (2, "owned by", 1, None, None)) == [(10, 50), (10, 50)]


def test_facts_about_other_things_or_of_another_kind_share_nothing() -> None:
    undated = [(1, "owns", 3, None, None), (4, "owns", 2, None, None), (1, "supplies", 2, None, None), (2, "owns", 1, None, None)]
    assert tight((1, "owns", 2, 10, 50), *undated)[1:] == [(None, None)] * 4  # type: ignore[arg-type]


def test_tenures_that_do_not_overlap_stay_two() -> None:
    assert tight((1, "owns", 2, 10, 20), (1, "owns", 2, 30, 40)) == [(10, 20), (30, 40)]


def test_events_of_the_same_two_stay_two() -> None:
    assert tight((1, "fined", 2, 10, None), (1, "fined", 2, 30, None)) == [(10, None), (30, None)]


# ---- buying and selling


def test_buying_starts_and_selling_ends_owning() -> None:
    assert tight((1, "owns", 2, None, None), (1, "acquired", 2, 10, None), (1, "sold", 2, 50, None))[0] == (10, 50)


def test_the_trade_of_another_thing_or_by_another_changes_nothing() -> None:
    assert tight((1, "owns", 2, None, None), (1, "acquired", 3, 10, None), (4, "sold", 2, 50, None))[0] == (None, None)


def test_a_trade_without_a_date_changes_nothing() -> None:
    found = tight((1, "owns", 2, 5, None), (1, "acquired", 2, None, None), (1, "sold", 2, None, None))
    assert found[0] == (5, None)


def test_a_trade_outside_a_tenure_belongs_to_another_one() -> None:
    assert tight((1, "owns", 2, 30, None), (1, "sold", 2, 20, None))[0] == (30, None)
    assert tight((1, "owns", 2, None, 20), (1, "acquired", 2, 30, None))[0] == (None, 20)


# ---- one holder at a time


def test_a_later_holder_ends_an_open_tenure() -> None:
    assert tight((1, "chief executive of", 9, 10, None), (2, "chief executive of", 9, 30, None)) == [(10, 30), (30, None)]


def test_three_holders_follow_each_other() -> None:
    found = tight(*((who, "chief executive of", 9, start, None) for who, start in ((3, 50), (1, 10), (2, 30))))
    assert found == [(50, None), (10, 30), (30, 50)]


def test_a_label_from_the_other_side_counts_alike() -> None:
    assert tight((1, "chief executive of", 9, 10, None), (9, "ceo", 2, 30, None))[0] == (10, 30)


def test_a_thing_that_can_be_in_one_place_moves() -> None:
    assert tight((9, "headquartered in", 1, 10, None), (9, "headquartered in", 2, 30, None)) == [(10, 30), (30, None)]
    assert tight((8, "headquartered in", 1, 10, None), (9, "headquartered in", 1, 30, None))[0] == (10, None)


def test_relations_with_many_holders_are_left_alone() -> None:
    assert tight((1, "supplies", 9, 10, None), (2, "supplies", 9, 30, None))[0] == (10, None)


def test_another_office_the_same_person_and_an_unknown_start_end_nothing() -> None:
    assert tight((1, "chief executive of", 9, 10, None), (2, "chief executive of", 8, 30, None))[0] == (10, None)
    assert tight((1, "chief executive of", 9, 10, None), (1, "chief executive of", 9, 30, None))[0] != (10, 30)
    assert tight((1, "chief executive of", 9, None, None), (2, "chief executive of", 9, 30, None))[0] == (None, None)
    assert tight((1, "chief executive of", 9, 10, None), (2, "chief executive of", 9, None, None))[0] == (10, None)


def test_joint_holders_whose_ends_are_stated_keep_them() -> None:
    found = tight((1, "chief executive of", 9, 10, 60), (2, "chief executive of", 9, 30, 60))
    assert found == [(10, 60), (30, 60)]


# ---- the whole


def test_a_graph_without_dates_is_returned_as_it_is() -> None:
    adjacency = build([(1, "owns", 2, None, None), (1, "sold", 2, None, None)])
    assert tighten(adjacency, *index()) is adjacency


SPANS = st.one_of(
    st.tuples(st.none(), st.none()),
    st.tuples(st.integers(0, 9), st.none()),
    st.tuples(st.none(), st.integers(10, 19)),
    st.tuples(st.integers(0, 9), st.integers(10, 19)),
)
FACTS = st.tuples(st.integers(0, 3), st.sampled_from(LABELS), st.integers(0, 3), SPANS).map(lambda f: (*f[:3], *f[3]))


@given(st.lists(FACTS, min_size=1, max_size=12))
def test_intervals_only_narrow_and_never_vanish_and_edges_stay(facts: list[Any]) -> None:
    before, families = build(facts), index()
    after = tighten(before, *families)
    assert after.neighbor.tolist() == before.neighbor.tolist()
    assert after.triple.tolist() == before.triple.tolist()
    old, new = days(before) if len(before.valid_from) else {}, days(after) if len(after.valid_from) else {}
    for triple, (first, last) in old.items():
        start, end = new[triple]
        assert first is None or (start is not None and start >= first)
        assert last is None or (end is not None and end <= last)
        assert start is None or end is None or start < end


# ---- following changes

CHANGES = st.lists(st.dictionaries(st.integers(0, 11), st.one_of(st.none(), FACTS), min_size=1, max_size=3), max_size=5)


@settings(max_examples=300)
@given(st.dictionaries(st.integers(0, 11), FACTS, max_size=12), CHANGES)
def test_following_changes_equals_tightening_anew(facts: dict[int, Any], changes: list[dict[int, Any]]) -> None:
    raw = build([facts[row] for row in sorted(facts)], sorted(facts))
    known = tighten(raw, *index())
    for change in changes:
        facts = {row: fact for row, fact in {**facts, **change}.items() if fact is not None}
        now = build([facts[row] for row in sorted(facts)], sorted(facts))
        raw, known = now, follow(raw, known, now, np.array(sorted(change), np.int64), *index())
        anew = tighten(now, *index())
        assert known.triple.tolist() == anew.triple.tolist()
        assert known.valid_from.tolist() == anew.valid_from.tolist()
        assert known.valid_to.tolist() == anew.valid_to.tolist()


def test_a_rival_far_from_the_change_still_counts() -> None:
    """1 is touched; its office at 9 is not, and must stay as 9's later holder leaves it."""
    office: list[Stated] = [(1, "chief executive of", 9, 10, None), (2, "chief executive of", 9, 30, None)]
    raw = build(office)
    now = build([*office, (1, "supplies", 5, 3, None)])
    assert days(follow(raw, tighten(raw, *index()), now, np.array([2]), *index())) == {0: (10, 30), 1: (30, None), 2: (3, None)}


class FamiliesOfLabels:
    """As much of a relation index as dates need: families by relation row, no vectors."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg

    def refresh(self) -> None:
        rows = {row: lexicon().family(relation.label) for row, relation in self.kg.store.relations()}
        self.families = list({family.name: family for family, _ in rows.values()}.values())
        self.family_of, self.flip = np.zeros(max(rows, default=0) + 1, np.int32), np.ones(max(rows, default=0) + 1, np.int8)
        for row, (family, way) in rows.items():
            self.family_of[row], self.flip[row] = self.families.index(family), way


def test_a_graph_that_is_taught_corrected_and_merged_stays_tight(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        relations: Any = FamiliesOfLabels(kg)
        following = TightGraph(kg, relations)
        holders = kg.add("Ada", "chief executive of", "Acme", valid_from=date(2001, 1, 1))
        changes: list[Callable[[], object]] = [
            lambda: kg.add("Bela", "chief executive of", "Acme", valid_from=date(2005, 1, 1)),
            lambda: kg.add("Acme", "acquired", "Yard", valid_from=date(2003, 1, 1)),
            lambda: kg.add("Acme", "owns", "Yard"),
            lambda: kg.edit(holders.id, valid_to=date(2004, 1, 1)),
            lambda: kg.undo(),
            lambda: kg.merge("Ada", "Bela"),
            lambda: kg.retract(kg.add("Acme", "sold", "Yard", valid_from=date(2009, 1, 1)).id),
        ]
        for change in changes:
            change()
            now = following.adjacency()
            anew = tighten(kg.adjacency(), relations.families, relations.family_of, relations.flip)
            assert now.seq == kg.store.seq
            assert now.neighbor.tolist() == anew.neighbor.tolist()
            assert (now.valid_from.tolist(), now.valid_to.tolist()) == (anew.valid_from.tolist(), anew.valid_to.tolist())
        assert days(now) != days(kg.adjacency())  # the dates of the purchase reached the ownership


def test_published_intervals_are_used_followed_and_refused_when_families_change(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        relations: Any = FamiliesOfLabels(kg)
        kg.add("Ada", "chief executive of", "Acme", valid_from=date(2001, 1, 1))
        kg.add("Bela", "chief executive of", "Acme", valid_from=date(2005, 1, 1))
        first = TightGraph(kg, relations, publish_from=1).adjacency()
        published = kg.generations.current("intervals")
        assert published is not None
        assert published.array("valid_to").tolist() == first.valid_to.tolist() != kg.adjacency().valid_to.tolist()
        marker = np.full_like(published.array("valid_to"), 7)  # what nobody would work out shows where it comes from
        kg.generations.publish("intervals", {"valid_from": marker, "valid_to": marker}, published.meta)
        assert set(TightGraph(kg, relations, publish_from=1).adjacency().valid_to.tolist()) == {7}
        assert TightGraph(kg, relations).adjacency().valid_to.tolist() == first.valid_to.tolist()
        kg.generations.publish("intervals", {"valid_from": marker, "valid_to": marker}, {**published.meta, "families": ""})
        kg.add("Cleo", "chief executive of", "Acme", valid_from=date(2009, 1, 1))
        now = TightGraph(kg, relations, publish_from=1).adjacency()
        anew = tighten(kg.adjacency(), relations.families, relations.family_of, relations.flip)
        assert now.seq == kg.store.seq
        assert (now.valid_from.tolist(), now.valid_to.tolist()) == (anew.valid_from.tolist(), anew.valid_to.tolist())
