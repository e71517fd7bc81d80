"""Mined questions: gold answers and options against loops over the triples, and what is held out."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.mining import Pattern
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.mining import NOT_ASKED, MinedQuestion, QuestionMiner
from hoptrace.retrieval.relations import RelationIndex
from hoptrace.retrieval.train_paths import Split
from hoptrace.retrieval.wordings import Family


@pytest.fixture(scope="module")
def miner(firms: KnowledgeGraph, encoder: Encoder) -> QuestionMiner:
    return QuestionMiner(firms, RelationIndex(firms, encoder))


@pytest.fixture(scope="module")
def questions(miner: QuestionMiner) -> list[MinedQuestion]:
    return miner.mine(400, random.Random(7))


Leaving = dict[tuple[int, tuple[int, int]], set[int]]


@pytest.fixture(scope="module")
def leaving(firms: KnowledgeGraph, miner: QuestionMiner) -> Leaving:
    """Where each step (family, way) leads from each node, from the triples one by one."""
    index, found = {f.name: i for i, f in enumerate(miner.relations.families)}, defaultdict(set)
    for triple in firms.triples():
        family, flip = miner.relations.lexicon.family(triple.relation.label)
        subject, end = firms.store.row_of(triple.subject.id), firms.store.row_of(triple.object.id)
        if family.name not in NOT_ASKED:
            found[subject, (index[family.name], flip)].add(end)
            found[end, (index[family.name], -flip)].add(subject)
    return dict(found)


def ends(leaving: Leaving, seed: int, steps: tuple[tuple[int, int], ...]) -> set[int]:
    nodes = {seed}
    for step in steps:
        nodes = {end for node in nodes for end in leaving.get((node, step), ())}
    return nodes


def test_every_answer_is_that_of_a_loop(questions: list[MinedQuestion], leaving: Leaving) -> None:
    assert len(questions) == 400
    assert {len(question.steps) for question in questions} == {1, 2, 3}
    for question in questions:
        assert set(question.answers) == ends(leaving, question.seed, question.steps) - {question.seed}, question.marked


def test_options_are_the_steps_that_leave_each_hop(
    questions: list[MinedQuestion], miner: QuestionMiner, leaving: Leaving
) -> None:
    for question in questions[:60]:
        for hop, codes in enumerate(miner.options(question)):
            nodes = ends(leaving, question.seed, question.steps[:hop])
            assert codes == sorted({2 * family + (way < 0) for node, (family, way) in leaving if node in nodes})


def test_the_seed_stands_where_the_question_says(questions: list[MinedQuestion], firms: KnowledgeGraph) -> None:
    for question in questions:
        name = question.text[question.start : question.end]
        assert name.lower() == firms.store.nodes([question.seed])[0].label.lower()
        assert f"[{name}]" in question.marked
    assert {question.text[question.start].isupper() for question in questions} == {True, False}


def test_faulty_questions_are_left_out_and_counted(
    miner: QuestionMiner, questions: list[MinedQuestion], leaving: Leaving
) -> None:
    assert miner.faults["a hop can be left out"] > 0
    for question in (one for one in questions if len(one.steps) == 2):
        for step in question.steps:
            assert ends(leaving, question.seed, (step,)) - {question.seed} != set(question.answers), question.marked


def test_some_paths_go_back_over_a_relation(questions: list[MinedQuestion]) -> None:
    longer = [question.steps for question in questions if len(question.steps) > 1]
    back = sum(any(a == (b[0], -b[1]) for a, b in pairwise(steps)) for steps in longer)
    assert 0.2 < back / len(longer) < 0.7


def test_what_is_held_out_never_occurs(miner: QuestionMiner) -> None:
    split = Split(3)
    mined = miner.mine(300, random.Random(1), keep=split.pattern, allowed=split.wording, seeds=split.seeds)
    assert len(mined) > 200
    held = [pattern for pattern in miner.found if not split.pattern(pattern)]
    assert held
    asked = {tuple(2 * family + (way < 0) for family, way in question.steps) for question in mined}
    assert not asked & {pattern.steps for pattern in held}
    assert all(split.seeds(question.seed) for question in mined)
    families = miner.relations.families
    for question in (one for one in mined if len(one.wordings) == len(one.steps)):
        for (family, way), wording in zip(question.steps, question.wordings, strict=True):
            assert any(split.wording(families[family], end, wording) for end in (way, -way)), question.marked


def test_only_what_is_held_out_occurs_when_asked_for(miner: QuestionMiner) -> None:
    split = Split(3)

    def new(pattern: Pattern) -> bool:
        return not split.pattern(pattern)

    mined = miner.mine(60, random.Random(1), keep=new, seeds=lambda row: not split.seeds(row), hops=(2, 3))
    assert mined
    for question in mined:
        assert not split.seeds(question.seed)
        assert new(Pattern(tuple(2 * family + (way < 0) for family, way in question.steps), 0))


def test_a_wording_that_is_not_allowed_is_not_used(miner: QuestionMiner) -> None:
    def allowed(family: Family, direction: int, phrase: str) -> bool:
        return family.name != "supplies" and "found" not in phrase

    supplies = next(i for i, family in enumerate(miner.relations.families) if family.name == "supplies")
    mined = miner.mine(200, random.Random(1), allowed=allowed)
    assert len(mined) > 100
    assert not any(family == supplies for question in mined for family, _ in question.steps)
    assert not any("found" in wording for question in mined for wording in question.wordings)


def test_relations_of_one_family_are_one_step(miner: QuestionMiner, questions: list[MinedQuestion]) -> None:
    names = [family.name for family in miner.relations.families]
    assert names.count("owns") == 1
    assert "owned by" not in names
    assert not {names[family] for question in questions for family, _ in question.steps} & NOT_ASKED


def test_the_same_draws_give_the_same_questions(miner: QuestionMiner, questions: list[MinedQuestion]) -> None:
    assert miner.mine(400, random.Random(7)) == questions


def test_no_wording_of_a_question_says_another_relation_that_could_be_walked_there(
    questions: list[MinedQuestion], miner: QuestionMiner
) -> None:
    names = [family.name for family in miner.relations.families]
    for question in questions:
        for (family, _), offered in zip(question.steps, miner.options(question), strict=False):
            others = {names[code // 2] for code in offered} - {names[family]}
            for wording in question.wordings:
                said = miner.relations.lexicon.match(wording.split())
                assert names[family] not in said or not said & others, question.marked
