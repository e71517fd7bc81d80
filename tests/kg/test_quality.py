"""The gate of question quality: eight kinds of corruption are planted in questions that a loop over the facts finds sound."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.mining import QualityGate, Question

RELATIONS = {  # relation: (kind of subject, kind of object)
    "works for": ("person", "firm"), "headquartered in": ("firm", "city"), "located in": ("city", "land"),
    "born in": ("person", "city"), "supplies": ("firm", "firm"),
}  # fmt: skip
SIZES = {"person": 90, "firm": 50, "city": 24, "land": 6}
FIRST, SWITCH = date(2001, 1, 1), date(2015, 1, 1)
BEFORE, AFTER = (SWITCH - timedelta(days=400)).toordinal(), (SWITCH + timedelta(days=400)).toordinal()
PER_FILE = 6


@dataclass(frozen=True)
class Stated:
    subject: str
    relation: str
    object: str
    start: date | None = None
    end: date | None = None

    def holds(self, day: int | None) -> bool:
        if day is None:
            return True
        return (self.start is None or self.start.toordinal() <= day) and (self.end is None or day < self.end.toordinal())


def names(rng: random.Random) -> dict[str, list[str]]:
    syllables = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]
    drawn: dict[str, None] = {}
    while len(drawn) < sum(SIZES.values()):
        drawn[" ".join("".join(rng.sample(syllables, 3)).capitalize() for _ in range(2))] = None
    every = list(drawn)
    return {kind: [every.pop() for _ in range(size)] for kind, size in SIZES.items()}


def generated(rng: random.Random) -> list[Stated]:
    """A typed graph in which people change their firm and firms their city at `SWITCH`."""
    named, facts = names(rng), []
    for relation, (subject, target) in RELATIONS.items():
        for one in named[subject]:
            a, b = rng.sample([other for other in named[target] if other != one], 2)
            if relation in {"works for", "headquartered in"} and rng.random() < 0.5:
                facts += [Stated(one, relation, a, FIRST, SWITCH), Stated(one, relation, b, SWITCH)]
            else:
                facts.append(Stated(one, relation, a))
    return facts


class Loop:
    """Walks over a list of facts, one fact at a time; a step is a relation and 1 or -1."""

    def __init__(self, facts: Sequence[Stated]) -> None:
        self.facts = facts
        self.leaving: dict[tuple[str, str, int], list[tuple[str, Stated]]] = {}
        for fact in facts:
            self.leaving.setdefault((fact.subject, fact.relation, 1), []).append((fact.object, fact))
            self.leaving.setdefault((fact.object, fact.relation, -1), []).append((fact.subject, fact))
        self.steps = sorted({step for _, *step_ in self.leaving for step in [tuple(step_)]})

    def ends(self, seed: str, steps: Sequence[Any], day: int | None) -> frozenset[str]:
        nodes = {seed}
        for relation, way in steps:
            nodes = {end for node in nodes for end, fact in self.leaving.get((node, relation, way), ()) if fact.holds(day)}
        return frozenset(nodes - {seed})

    def used(self, seed: str, steps: Sequence[Any], day: int | None) -> set[Stated]:
        """Facts on walks that do not end at the seed."""
        if not steps:
            return set()
        found = set()

        def walk(node: str, at: int, so_far: list[Stated]) -> None:
            if at == len(steps):
                found.update(so_far if node != seed else [])
                return
            for end, fact in self.leaving.get((node, *steps[at]), ()):
                if fact.holds(day):
                    walk(end, at + 1, [*so_far, fact])

        walk(seed, 0, [])
        return found

    def sound(self, seed: str, steps: Sequence[Any], day: int | None) -> bool:
        """At most five answers, and no shorter path of any kind has the same."""
        answers = self.ends(seed, steps, day)
        shorter = (s for length in range(1, len(steps)) for s in product(self.steps, repeat=length))
        return 0 < len(answers) <= 5 and all(self.ends(seed, s, day) != answers for s in shorter)


@dataclass(frozen=True)
class Planted:
    """A graph after the corruptions, its questions, and how to make more of them."""

    kg: KnowledgeGraph
    gate: QualityGate
    good: list[Question]
    bad: dict[str, list[Question]]


Asked = tuple[str, tuple[Any, ...], int | None]


def drawn(loop: Loop, rng: random.Random, count: int, fits: Callable[[Asked], bool]) -> list[Asked]:
    """Different questions that a loop finds sound."""
    seeds, found = sorted({fact.subject for fact in loop.facts}), dict[Asked, None]()
    patterns = [s for length in (2, 3) for s in product(loop.steps, repeat=length)]
    for _ in range(200_000):
        if len(found) == count:
            break
        asked = (rng.choice(seeds), rng.choice(patterns), rng.choice((None, BEFORE, AFTER)))
        if asked not in found and loop.ends(*asked) and loop.sound(*asked) and fits(asked):
            found[asked] = None
    return list(found)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None]) -> Iterator[Planted]:
    rng, folder = random.Random(5), tmp_path_factory.mktemp("quality") / "kg"
    facts = generated(rng)
    rng.shuffle(facts)
    before = Loop(facts)
    # the graph gets an edge from the seed to each answer of some questions
    cut = drawn(before, rng, 25, lambda asked: asked[2] is None and len(before.ends(*asked)) == 1)
    facts += [Stated(one[0], f"code {i % 5}", end) for i, one in enumerate(cut) for end in before.ends(*one)]
    loop = Loop(facts)
    files = [facts[i : i + PER_FILE] for i in range(0, len(facts), PER_FILE)]
    with KnowledgeGraph.open(folder) as kg:
        for i, some in enumerate(files):
            rows = [(f.subject, f.relation, f.object, {"valid_from": f.start, "valid_to": f.end}) for f in some]
            write(kg, rows, f"{i}.txt")
    damaged = set(files[3] + files[11])
    with sqlite3.connect(folder / "kg.sqlite") as db:
        for i in (3, 11):
            uri = f"{i}.txt"
            db.execute(
                "UPDATE chunk SET text = replace(replace(text, 'a', 'e'), 'o', 'i') "
                "WHERE source = (SELECT row FROM source WHERE uri = ?)", (uri,)
            )  # fmt: skip
    db.close()
    with KnowledgeGraph.open(folder, read_only=True) as kg:
        yield plant(kg, loop, damaged, cut, rng)


def plant(kg: KnowledgeGraph, loop: Loop, damaged: set[Stated], cut: list[Asked], rng: random.Random) -> Planted:
    labels = {name for fact in loop.facts for name in (fact.subject, fact.object)}
    row = {name: kg.store.row_of(kg.entity(name).id) for name in labels}
    relation = {one.label: i for i, one in kg.store.relations()}

    def question(asked: Asked) -> Question:
        seed, steps, day = asked
        codes = tuple(2 * relation[r] + (way < 0) for r, way in steps)
        name = seed if rng.random() < 0.5 else seed.lower()
        start = len("who or what is reached from ")
        text = f"who or what is reached from {name} in {len(steps)} steps?"
        return Question(text, start, start + len(name), row[seed], codes, tuple(row[e] for e in sorted(loop.ends(*asked))), day)

    def whole(asked: Asked) -> bool:
        return not loop.used(*asked) & damaged

    def any_sound(fits: Callable[[Asked], bool] = lambda asked: True) -> list[Asked]:
        return drawn(loop, rng, 25, lambda asked: whole(asked) and fits(asked))

    def longer(asked: Asked) -> Asked | None:
        """The same answers over a hop more and back."""
        seed, steps, day = asked
        for at, (name, way) in product(range(len(steps) + 1), loop.steps):
            padded = (*steps[:at], (name, way), (name, -way), *steps[at:])
            if loop.ends(seed, padded, day) == loop.ends(*asked):
                return seed, padded, day
        return None

    def expired(asked: Asked) -> bool:
        seed, steps, day = asked
        return day is not None and loop.sound(seed, steps, None) and loop.ends(seed, steps, None) != loop.ends(*asked)

    def dead_end(asked: Asked) -> Asked:
        seed, steps, day = asked
        return seed, next(s for s in product(loop.steps, repeat=len(steps)) if not loop.ends(seed, s, day)), day

    def other(asked: Asked) -> str:
        return rng.choice(sorted(labels - loop.ends(*asked) - {asked[0]}))

    def and_from(q: Question, name: str) -> Question:
        return replace(q, text=f"{q.text[:-1]} and from {name}?")

    some = {kind: [(asked, question(asked)) for asked in any_sound()] for kind in ("tail", "leak", "second", "empty")}
    bad = {
        "wrong tail": [replace(q, answers=(*q.answers[1:], row[other(asked)])) for asked, q in some["tail"]],
        "leaked answer": [and_from(q, rng.choice(sorted(loop.ends(*asked)))) for asked, q in some["leak"]],
        "redundant hop": [question(padded) for asked in any_sound(lambda a: longer(a) is not None) if (padded := longer(asked))],
        "shortcut edge": [question(asked) for asked in cut],
        "expired fact": [
            replace(question(asked), answers=question((*asked[:2], None)).answers) for asked in any_sound(expired)
        ],
        "broken span": [question(asked) for asked in drawn(loop, rng, 25, lambda asked: not whole(asked))],
        "two seeds": [and_from(q, rng.choice((str.lower, str))(other(asked))) for asked, q in some["second"]],
        "empty hop": [replace(q, steps=question(dead_end(asked)).steps) for asked, q in some["empty"]],
    }  # fmt: skip
    good = [question(asked) for asked in drawn(loop, rng, 200, whole)]
    gate = QualityGate(kg, np.arange(2 * (max(relation.values()) + 1)))
    return Planted(kg, gate, good, bad)


def test_sound_questions_are_kept(planted: Planted) -> None:
    faults = [fault for question in planted.good if (fault := planted.gate.fault(question))]
    assert len(planted.good) == 200
    assert len(faults) <= 10, faults


REASONS = {
    "wrong tail": {"its path leads elsewhere"},
    "leaked answer": {"an answer is printed in it"},
    "redundant hop": {"a hop can be left out"},
    "shortcut edge": {"a shorter path leads to its answers"},
    "expired fact": {"a hop does not hold on the day asked for"},
    "broken span": {"a quote is not what its source says"},
    "two seeds": {"it names something else as well"},
    "empty hop": {"its path leads nowhere"},
}


@pytest.mark.parametrize("kind", REASONS)
def test_a_planted_corruption_is_rejected_for_its_reason(planted: Planted, kind: str) -> None:
    faults = [planted.gate.fault(question) for question in planted.bad[kind]]
    assert len(faults) == 25
    assert sum(map(bool, faults)) >= 24
    assert sum(fault in REASONS[kind] for fault in faults) >= 20, faults


def gate_of(kg: KnowledgeGraph, **options: Any) -> QualityGate:
    return QualityGate(kg, np.arange(2 * (max(row for row, _ in kg.store.relations()) + 1)), **options)


def asked(kg: KnowledgeGraph, text: str, seed: str, relation: str, way: int, *answers: str) -> Question:
    """One hop; the seed stands in the text in [brackets]."""
    before, _, rest = text.partition("[")
    name, _, after = rest.partition("]")
    row = next(row for row, one in kg.store.relations() if one.label == relation)
    ends = tuple(kg.store.row_of(kg.entity(answer).id) for answer in answers)
    at = kg.store.row_of(kg.entity(seed).id)
    return Question(before + name + after, len(before), len(before) + len(name), at, (2 * row + (way < 0),), ends)


WHO = "who runs the suppliers of [Brightwater Labs]?"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("who supplies [Brightwater Labs]?", ""),
        ("Who supplies [brightwater labs]?", ""),
        ("[Brightwater Labs]", "too few or too many words beside the name"),
        ("who " + "really " * 3 + "supplies [Brightwater Labs]?", "the wording is not a sentence's"),
        ("who {acts} [Brightwater Labs]?", "the wording is not a sentence's"),
        ("so " + "who was it that " * 12 + "supplied [Brightwater Labs]?", "too few or too many words beside the name"),
        ("who supplies [Halden Marine]?", "it does not name its seed"),
        ("who supplies [Brightwater Labs] and Halden Marine?", "it names something else as well"),
        ("who supplies halden marine and [Brightwater Labs]?", "it names something else as well"),
        ("which of Skerry's firms supplies [Brightwater Labs]?", "it names something else as well"),
        ("which city's firms supply [Brightwater Labs]?", ""),  # a word for a kind of thing, though an entity is called so
    ],
)
def test_what_a_question_says(harbour: KnowledgeGraph, text: str, fault: str) -> None:
    question = asked(harbour, text, "Brightwater Labs", "supplies", -1, "Calder Pumps", "Tidewell Paints")
    assert gate_of(harbour).fault(question) == fault


def test_an_answer_within_the_name_of_the_seed_is_printed(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.add("Skerry Boats", "based in", "Skerry")
        assert gate_of(kg).fault(asked(kg, "where is [Skerry Boats]?", "Skerry Boats", "based in", 1, "Skerry")) == (
            "an answer is printed in it"
        )


def test_the_most_answers_depend_on_the_number_of_hops(harbour: KnowledgeGraph) -> None:
    question = asked(harbour, WHO, "Brightwater Labs", "supplies", -1, "Calder Pumps", "Tidewell Paints")
    assert gate_of(harbour, most_answers=(1, 5)).fault(question) == "more than 1 answers"
    assert gate_of(harbour, most_answers=(2, 1)).fault(question) == ""
    assert gate_of(harbour).fault(replace(question, answers=())) == "it has no answer"
