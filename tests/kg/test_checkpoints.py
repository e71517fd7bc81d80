"""Named moments, what changed between two, and what a statement would contradict."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hoptrace.kg.checkpoints import checkpoint, checkpoints, difference, moment
from hoptrace.kg.conflicts import conflicts
from hoptrace.kg.errors import InputError
from hoptrace.kg.graph import KnowledgeGraph


@pytest.fixture
def kg(tmp_path: Path) -> KnowledgeGraph:
    made = KnowledgeGraph.open(tmp_path / "kg")
    made.add("Norland", "capital", "Tarn City", functional=True)
    return made


def labels(triples: object) -> list[str]:
    return [str(triple) for triple in triples]  # type: ignore[attr-defined]


def test_a_checkpoint_names_the_present_state_and_changes_no_content(kg: KnowledgeGraph) -> None:
    before, seq = kg.content_hash(), kg.store.seq
    assert checkpoint(kg, "before") == seq
    assert (kg.content_hash(), kg.store.seq) == (before, seq)
    assert checkpoints(kg) == {"before": seq}
    kg.add("Norland", "borders", "Soland")
    assert checkpoint(kg, "before") == kg.store.seq
    assert moment(kg, "before") == moment(kg, "now") == kg.store.seq


@pytest.mark.parametrize("name", ["", "  ", "now", "12"])
def test_a_name_that_could_be_another_moment_is_refused(kg: KnowledgeGraph, name: str) -> None:
    with pytest.raises(InputError, match="checkpoint needs a name"):
        checkpoint(kg, name)


def test_an_unknown_moment_names_the_known_ones(kg: KnowledgeGraph) -> None:
    checkpoint(kg, "before")
    for unknown in ("nothing", "99"):
        with pytest.raises(InputError, match="before, now and 0 to 1"):
            moment(kg, unknown)


def test_the_difference_is_what_was_stated_and_withdrawn(kg: KnowledgeGraph) -> None:
    checkpoint(kg, "before")
    capital = next(iter(kg.triples("Norland", "capital")))
    kg.add("Norland", "borders", "Soland")
    kg.retract(capital.id)
    found = difference(kg, "before")
    assert (labels(found.added), labels(found.removed)) == (["Norland — borders → Soland"], ["Norland — capital → Tarn City"])
    back = difference(kg, "now", "before")
    assert (back.added, back.removed) == (found.removed, found.added)


def test_what_was_undone_is_no_difference(kg: KnowledgeGraph) -> None:
    checkpoint(kg, "before")
    kg.add("Norland", "borders", "Soland")
    middle = str(kg.store.seq)
    kg.undo()
    assert not difference(kg, "before").added
    assert labels(difference(kg, middle).removed) == ["Norland — borders → Soland"]


def test_ledger_number_nought_is_the_empty_graph(kg: KnowledgeGraph) -> None:
    assert labels(difference(kg, "0").added) == ["Norland — capital → Tarn City"]


def test_another_object_of_a_functional_relation_is_a_conflict(kg: KnowledgeGraph) -> None:
    assert labels(conflicts(kg, "Norland", "capital", "Eskmouth")) == ["Norland — capital → Tarn City"]
    assert not conflicts(kg, "Norland", "capital", "tarn city")
    assert not conflicts(kg, "Soland", "capital", "Eskmouth")
    assert not conflicts(kg, "Norland", "borders", "Eskmouth")


def test_only_days_that_overlap_conflict(kg: KnowledgeGraph) -> None:
    kg.add("Soland", "capital", "Marn", valid_from=date(2000, 1, 1), valid_to=date(2010, 1, 1))
    assert not conflicts(kg, "Soland", "capital", "Ost", valid_from=date(2010, 1, 1))
    assert not conflicts(kg, "Soland", "capital", "Ost", valid_to=date(2000, 1, 1))
    assert conflicts(kg, "Soland", "capital", "Ost", valid_from=date(2009, 12, 31))
    assert conflicts(kg, "Soland", "capital", "Ost")


def test_a_statement_may_say_itself_that_its_relation_is_functional(kg: KnowledgeGraph) -> None:
    kg.add("Norland", "borders", "Soland")
    assert not conflicts(kg, "Norland", "borders", "Westmark")
    assert conflicts(kg, "Norland", "borders", "Westmark", functional=True)


def test_what_is_named_as_a_conflict_is_what_becomes_disputed(kg: KnowledgeGraph) -> None:
    (against,) = conflicts(kg, "Norland", "capital", "Eskmouth")
    made = kg.add("Norland", "capital", "Eskmouth")
    assert made.status == kg.triple(against.id).status == "disputed"
