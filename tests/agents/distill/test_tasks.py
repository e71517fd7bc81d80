"""Mined examples: what they ask is answered by brute force, and their evidence is what their kind says."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest
from hoptrace.agents.distill.evidence import Example
from hoptrace.agents.distill.facts import Fact, Query
from hoptrace.agents.distill.longtail import bindings
from hoptrace.agents.distill.tasks import Part, TaskMiner
from hoptrace.agents.values import value_of
from hoptrace.kg.model import Entity
from hoptrace.retrieval.train_paths import Split
from hoptrace.retrieval.wordings import lexicon

OPERATIONS = {"lookup", "list", "count", "compare", "superlative", "yes-no"}


def edges(fact: Fact, code: int) -> list[tuple[int, int]]:
    ways = {
        (fact.subject, fact.object) if fact.forth == code else None,
        (fact.object, fact.subject) if fact.back == code else None,
    }
    return [way for way in ways if way is not None]


def current(fact: Fact, rivals: list[Fact], day: int | None) -> bool:
    """Whether a fact counts: it holds on the day; without a day, it has no end, or nothing without one is there."""
    start, end = fact.triple.valid_from, fact.triple.valid_to
    if day is not None:
        return (start is None or start.toordinal() <= day) and (end is None or end.toordinal() > day)
    return end is None or all(rival.triple.valid_to is not None for rival in rivals)


def reached(query: Query, facts: tuple[Fact, ...], seed: int, steps: tuple[int, ...]) -> set[int]:
    """Ends of all sequences of facts that walk the steps: tried one by one, not level by level."""
    found = set()
    for walk in itertools.product(facts, repeat=len(steps)):
        at = {seed}
        for fact, code in zip(walk, steps, strict=True):
            rivals = [f for f in facts if any(a in at for a, _ in edges(f, code))]
            at = {
                b
                for a, b in edges(fact, code)
                if a in at and current(fact, [r for r in rivals if (a in {x for x, _ in edges(r, code)})], query.day)
            }
        found |= at
    return found - {seed}


def brute(example: Example) -> set[str]:
    """The answers in words, by trying everything."""
    query, facts = example.query, example.facts
    labels = {n: label for f in facts for n, label in ((f.subject, f.triple.subject.label), (f.object, f.triple.object.label))}
    if query.operation in ("compare", "superlative"):
        members = set(query.seeds) if query.operation == "compare" else reached(query, facts, query.seeds[0], query.steps)
        values = {}
        for member in members:
            nodes = [f.triple.object for f in facts for a, _ in edges(f, query.value) if a == member]
            found = {value for node in nodes if (value := value_of(node, query.kind)) is not None}
            values[member] = found
        if len(members) < 2 or any(len(found) != 1 for found in values.values()):
            return set()
        keys = {member: next(iter(found)).key * query.way for member, found in values.items()}
        best = [member for member, key in keys.items() if key == max(keys.values())]
        return {labels[best[0]]} if len(best) == 1 else set()
    ends = reached(query, facts, query.seeds[0], query.steps)
    if query.operation == "yes-no":
        if query.asked in ends:
            return {"yes"}
        used = [f for f in facts for a, _ in edges(f, query.steps[0]) if a == query.seeds[0]]
        way = {f.triple.relation.label: 1 if f.forth == query.steps[0] else -1 for f in used}
        closed = ends and len(query.steps) == 1 and all(lexicon().settles(label, one) for label, one in way.items())
        return {"no"} if closed else set()
    if query.operation == "count":
        return {str(len(ends))} if ends else set()
    return {labels[end] for end in ends}


def test_every_operation_and_every_kind_is_asked(examples: list[Example]) -> None:
    assert len(examples) > 250
    assert {example.query.operation for example in examples} == OPERATIONS
    assert {example.kind for example in examples} == {"plain", "absent", "swapped", "past"}
    absent = sum(not example.answers for example in examples) / len(examples)
    assert 0.15 < absent < 0.4


def test_gold_is_what_brute_force_finds(examples: list[Example]) -> None:
    small = [e for e in examples if len(e.facts) ** max(1, len(e.query.steps)) <= 150]
    assert len(small) > 150
    wrong = [(e.task.question, e.answers, brute(e)) for e in small if set(e.answers) != brute(e)]
    assert not wrong


def test_answers_stand_where_the_spots_say(examples: list[Example]) -> None:
    for example in examples:
        for spot in example.gold.spots:
            said = example.task.items[spot.item].text[spot.start : spot.end]
            assert said in {example.facts[spot.item].triple.subject.label, example.facts[spot.item].triple.object.label}
            if example.query.operation in ("lookup", "list", "compare", "superlative"):
                assert said in example.answers
        assert bool(example.gold.spots) == bool(example.answers)


def test_mentions_name_what_they_mark(examples: list[Example]) -> None:
    for example in examples:
        names: dict[int, set[str]] = {}
        texts = [(example.task.question, example.task.mentions), *((i.text, i.mentions) for i in example.task.items)]
        for text, mentions in texts:
            for mention in mentions:
                names.setdefault(mention.entity, set()).add(text[mention.start : mention.end].lower())
        assert all(len(same) == 1 for same in names.values()), names
        assert len({next(iter(same)) for same in names.values()}) == len(names)


def test_without_an_edit_the_evidence_answers_as_the_graph_does(miner: TaskMiner, examples: list[Example]) -> None:
    walks = [e for e in examples if e.kind == "plain" and e.query.operation in ("lookup", "list", "count")]
    assert len(walks) > 100
    for example in walks:
        assert example.answers
        ends = set(miner.questions.patterns.reached(example.query.seeds[0], example.query.steps).tolist())
        assert set(example.gold.answers) <= ends


def test_every_used_step_is_needed_or_says_the_same_twice(examples: list[Example]) -> None:
    for example in examples:
        assert len({*example.gold.steps}) == len(example.gold.steps)
        assert all(step < len(example.facts) for step in example.gold.steps)


def test_absent_items_lack_something_and_swapped_ones_follow(miner: TaskMiner, examples: list[Example]) -> None:
    assert not any(example.answers for example in examples if example.kind == "absent")
    swapped = [e for e in examples if e.kind == "swapped"]
    stored = {(t.subject.id, t.relation.id, t.object.id) for t in miner.reader.kg.triples()}
    for example in swapped:
        assert example.answers
        facts = [(f.triple.subject.id, f.triple.relation.id, f.triple.object.id) for f in example.facts]
        assert not set(facts) <= stored, "the edit states something that the graph does not"


def test_past_questions_name_a_day_on_which_their_answer_held(examples: list[Example]) -> None:
    past = [e for e in examples if e.kind == "past"]
    assert past
    for example in past:
        assert example.query.day is not None
        used = [example.facts[step] for step in example.gold.steps]
        assert all(fact.holds(example.query.day) for fact in used)
        assert any(fact.triple.valid_to is not None for fact in used)


def test_evidence_holds_facts_that_mislead(examples: list[Example]) -> None:
    same_relation, same_thing = 0, 0
    for example in examples:
        used = [example.facts[step] for step in example.gold.steps]
        rest = [fact for fact in example.facts if fact not in used]
        nodes = {node for fact in used for node in (fact.subject, fact.object)}
        same_relation += any(f.forth == u.forth for f in rest for u in used)
        same_thing += any(nodes & {f.subject, f.object} for f in rest)
    answered = sum(bool(example.gold.steps) for example in examples)
    assert same_relation > 0.5 * answered
    assert same_thing > 0.7 * answered


def test_parts_share_no_seed_pattern_or_wording(miner: TaskMiner) -> None:
    split = Split(1)
    train = miner.mine(150, random.Random(0), Part.training(split))
    parts = {name: miner.mine(60, random.Random(1), part) for name, part in Part.held_out(split).items()}
    assert all(split.seeds(e.query.seeds[0]) for e in train)
    for some in parts.values():
        assert some
        assert not any(split.seeds(seed) for e in some for seed in e.query.seeds)
    steps = {e.query.steps for e in train if len(e.query.steps) > 1}
    new = [e for e in parts["compositions"] if e.query.operation in ("lookup", "list", "count", "yes-no")]
    assert new
    assert not any(e.query.steps in steps for e in new)


def test_the_same_seed_mines_the_same(miner: TaskMiner) -> None:
    first, second, other = (miner.mine(60, random.Random(seed)) for seed in (5, 5, 6))
    assert [e.id for e in first] == [e.id for e in second]
    assert {e.id for e in first} != {e.id for e in other}


@pytest.mark.parametrize("tail", [True, False])
def test_rare_bindings_are_walks_of_the_graph_and_the_rarest_there_are(miner: TaskMiner, tail: bool) -> None:
    patterns, sign, gained = miner.questions.patterns, 1 if tail else -1, 0.0
    for pattern in [p for p in miner.questions.found if len(p.steps) == 2][:20]:
        first, second = (patterns.matrices[code].toarray() for code in pattern.steps)
        every = [
            (a, b, c) for a, b in np.argwhere(first).tolist() for c in np.flatnonzero(second[b]).tolist() if len({a, b, c}) == 3
        ]
        found = bindings(patterns, pattern.steps, miner.frequency, tail=tail, beam=10**6)
        assert set(found) <= set(every)
        assert bool(found) == bool(every)
        weights = [sign * sum(int(miner.frequency[node]) for node in one) for one in found]
        assert weights == sorted(weights)
        if len(every) > 20:
            ends = np.array([miner.frequency[one[-1]] for one in every])
            kept = np.array([miner.frequency[one[-1]] for one in found])
            assert sign * kept.mean() <= sign * ends.mean()
            gained += sign * (ends.mean() - kept.mean())
    assert gained > 0


def test_rare_examples_start_at_rare_things(miner: TaskMiner, examples: list[Example]) -> None:
    counts = Counter(example.rare for example in examples)
    assert counts[True] > 20
    for example in examples:
        assert example.rare == (miner.frequency[example.query.seeds[0]] <= miner.rare)
        assert isinstance(miner.reader.node(example.query.seeds[0]), Entity)
