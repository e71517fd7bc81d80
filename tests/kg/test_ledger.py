"""The ledger's scope: what a question rests on, against the facts that were really changed."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.ledger import FactLedger
from hoptrace.kg.model import Triple
from hypothesis import given, settings
from hypothesis import strategies as st

STATED = [
    ("Orla Vance", "founded", "Brightwater Labs"),
    ("Brightwater Labs", "based in", "Tarn City"),
    ("Tarn City", "located in", "Norland"),
    ("Piet Aalders", "founded", "Vellmar Yard"),
    ("Piet Aalders", "born in", "Tarn City"),
]


@pytest.fixture
def kg(tmp_path: Path) -> KnowledgeGraph:
    kg = KnowledgeGraph.open(tmp_path / "kg")
    for fact in STATED:
        kg.add(*fact)
    return kg


def scope(kg: KnowledgeGraph, subject: str, *steps: str) -> tuple[list[str], list[tuple[str, int]]]:
    """A subject and relations walked from it; a relation with `<` before it is walked back."""
    return [kg.entity(subject).id], [(kg.relation(step.lstrip("<")).id, -1 if step[0] == "<" else 1) for step in steps]


def stated(kg: KnowledgeGraph, subject: str, relation: str) -> Triple:
    return next(kg.triples(subject, relation))


@pytest.mark.parametrize(
    ("subject", "steps", "hops", "touched"),
    [
        ("Brightwater Labs", ["based in"], 1, True),
        ("Tarn City", ["<based in"], 1, True),  # the inverse
        ("Orla Vance", ["founded", "based in"], 2, True),  # the middle changed
        ("Orla Vance", ["founded", "based in"], 1, False),
        ("Orla Vance", ["founded"], 2, False),
        ("Piet Aalders", ["founded", "based in"], 2, False),
        ("Tarn City", ["located in"], 1, False),
        ("Brightwater Labs", ["<founded"], 1, False),
    ],
)
def test_an_edit_is_stale_for_its_subject_its_inverse_and_what_rests_on_it(
    kg: KnowledgeGraph, subject: str, steps: list[str], hops: int, touched: bool
) -> None:
    before, ledger = kg.store.seq, FactLedger(kg)
    asked = scope(kg, subject, *steps)
    assert not ledger.stale(*asked, before, hops=hops)
    kg.edit(stated(kg, "Brightwater Labs", "based in").id, object="Skerry")
    assert ledger.stale(*asked, before, hops=hops) is touched
    assert not ledger.stale(*asked, kg.store.seq, hops=hops)
    assert not ledger.erased(*asked, before, hops=hops)


def test_every_relation_is_in_question_where_none_is_named(kg: KnowledgeGraph) -> None:
    before, ledger = kg.store.seq, FactLedger(kg)
    kg.retract(stated(kg, "Brightwater Labs", "based in").id)
    near, far, apart = ([kg.entity(name).id] for name in ("Brightwater Labs", "Orla Vance", "Norland"))
    assert ledger.stale(near, None, before)
    assert ledger.stale(far, None, before)
    assert not ledger.stale(far, None, before, hops=1)
    assert not ledger.stale(apart, None, before, hops=1)


def test_an_alias_of_the_subject_is_the_subject(kg: KnowledgeGraph) -> None:
    kg.add("O. J. Vance", "chairs", "Harbour Board")
    one = kg.merge("Orla Vance", "O. J. Vance")
    before, ledger = kg.store.seq, FactLedger(kg)
    asked = ([one.id], [(kg.relation("chairs").id, 1)])
    assert not ledger.stale(*asked, before)
    kg.edit(stated(kg, "O. J. Vance", "chairs").id, object="Quay Board")
    assert ledger.stale(*asked, before)


def test_what_was_forgotten_under_one_name_is_erased_for_the_other(kg: KnowledgeGraph) -> None:
    kg.add("O. J. Vance", "chairs", "Harbour Board")
    relation = kg.relation("chairs").id
    kg.merge("Orla Vance", "O. J. Vance")
    before = kg.store.seq
    kg.forget(stated(kg, "O. J. Vance", "chairs").spans[0].source_id)
    left = kg.entity("Orla Vance").id
    assert FactLedger(kg).erased([left], [(relation, 1)], before)
    assert not FactLedger(kg).erased([left], [(relation, 1)], kg.store.seq)


def test_forgetting_leaves_that_a_fact_was_erased_and_no_word_of_it(kg: KnowledgeGraph) -> None:
    before, asked = kg.store.seq, scope(kg, "Piet Aalders", "born in")
    secret = kg.add("Piet Aalders", "born in", "Zzyzxville")
    row = np.array([kg.store.edges().triple.max()])
    kg.forget(secret.spans[0].source_id)
    ledger = FactLedger(kg)
    assert ledger.erased(*asked, before)
    assert ledger.touched(row, before)
    assert not ledger.erased(*scope(kg, "Orla Vance", "founded"), before)
    kg.close()
    assert all(b"zzyzx" not in file.read_bytes().lower() for file in kg.path.rglob("*") if file.is_file())


def test_a_number_that_the_store_has_not_reached_is_of_another_history(kg: KnowledgeGraph) -> None:
    assert FactLedger(kg).stale(*scope(kg, "Orla Vance", "founded"), kg.store.seq + 1)
    assert FactLedger(kg).touched(np.zeros(0, np.int64), kg.store.seq + 1)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=5), st.data())
def test_the_scope_is_that_of_a_walk_by_hand(
    tmp_path_factory: pytest.TempPathFactory, facts: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    names, relations = ["Ada", "Bo", "Cleo", "Dov"], ["likes", "owns"]
    with KnowledgeGraph.open(tmp_path_factory.mktemp("walk")) as kg:
        made = {fact: kg.add(names[fact[0]], relations[fact[1]], names[fact[2]] + " Hall") for fact in facts}
        before = kg.store.seq
        gone = data.draw(st.sampled_from(sorted(made)))
        kg.retract(made[gone].id)
        ledger = FactLedger(kg)
        for (subject, _, _), (relation, way) in product(made, product((0, 1), (1, -1))):
            asked = kg.relation(relations[relation]).id if relation in {r for _, r, _ in made} else "r"
            expected = way == 1 and (subject, relation) == gone[:2]
            assert ledger.stale([made_id(made, subject)], [(asked, way)], before, hops=1) is expected


def made_id(made: dict[tuple[int, int, int], Triple], subject: int) -> str:
    return next(triple.subject.id for fact, triple in made.items() if fact[0] == subject)
