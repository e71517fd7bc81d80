"""The student: what goes in, what training makes, what comes out. Trains a few steps where torch is installed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.agents import student as student_package
from hoptrace.agents.student import OPERATIONS, Item, Mention, Spot, Student, Target, Task
from hoptrace.agents.student.inputs import QUESTION, WINDOW, read_task
from hoptrace.agents.student.rename import renamed
from hoptrace.kg.errors import ArtefactError, InputError
from hoptrace.retrieval.encoder import Encoder
from hypothesis import given
from hypothesis import strategies as st

TITLE = Item("Lothair II", (Mention(0, 10, 0),))
FIRST = Item("Lothair II was the son of Emperor Lothair I and Ermengarde of Tours.", (Mention(0, 10, 0), Mention(48, 67, 1)))
SECOND = Item("Ermengarde of Tours died on 20 March 851.", (Mention(0, 19, 1), Mention(28, 40, 2)))
TASK = Task("When did Lothair II's mother die?", (Mention(9, 19, 0),), (TITLE, FIRST, SECOND))
TARGET = Target("lookup", (1, 2), (Spot(2, 28, 40),))


def said(task: Task, spot: Spot) -> str:
    return task.items[spot.item].text[spot.start : spot.end]


# ---- inputs


def test_tokens_know_their_item_entity_and_characters() -> None:
    inputs = read_task(TASK, Encoder.default())
    assert inputs.item[0] == 0
    assert inputs.ids[0] == Encoder.default().special[0]
    assert inputs.item[inputs.marks].tolist() == [1, 2, 3]
    assert (inputs.ids[inputs.marks] == Encoder.default().special[1]).all()
    for token in np.flatnonzero(inputs.entity):
        number = int(inputs.item[token])
        text = TASK.items[number - 1].text if number else TASK.question
        mentions = TASK.items[number - 1].mentions if number else TASK.mentions
        start, end = inputs.offsets[token]
        holders = [m for m in mentions if m.start < end and start < m.end]
        assert [m.entity + 1 for m in holders] == [inputs.entity[token]]
        assert text[start:end].strip() == text[start:end] != ""
    assert sum(inputs.entity[inputs.item == 0] > 0) >= 2  # "Lothair II" of the question


def test_a_task_longer_than_the_window_is_cut() -> None:
    long = Task("why " * 500, (), tuple(Item("word " * 100) for _ in range(9)))
    inputs = read_task(long, Encoder.default())
    assert len(inputs.ids) <= WINDOW
    assert sum(inputs.item == 0) <= QUESTION + 2
    assert 1 <= len(inputs.marks) < 9


def test_a_task_without_evidence_is_refused() -> None:
    with pytest.raises(InputError, match="evidence"):
        read_task(Task("Who?", (), ()), Encoder.default())


# ---- other names

NAMES = st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs"]), min_size=1, max_size=12)


@given(
    st.lists(st.tuples(NAMES, st.integers(0, 3)), min_size=1, max_size=6), st.dictionaries(st.integers(0, 3), NAMES, max_size=4)
)
def test_renaming_changes_every_mention_and_keeps_what_is_right(parts: list[tuple[str, int]], names: dict[int, str]) -> None:
    text, mentions, spots = "", list[Mention](), list[Spot]()
    for name, entity in parts:
        text += " saw "
        mentions.append(Mention(len(text), len(text) + len(name), entity))
        spots.append(Spot(0, len(text), len(text) + len(name)))
        text += name
    task = Task(text, tuple(mentions), (Item(text + " end", tuple(mentions)),))
    made, target = renamed(task, Target("list", (0,), tuple(spots)), names)
    expected = [names.get(entity, name) for name, entity in parts]
    assert [said(made, spot) for spot in target.answers] == expected
    assert [made.question[m.start : m.end] for m in made.mentions] == expected
    assert made.items[0].text == "".join(f" saw {name}" for name in expected) + " end"


# ---- training and the packaged form


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A network after a few steps on one task, and where it was packaged."""
    pytest.importorskip("torch")
    from hoptrace.agents.student.train import package, train

    folder = tmp_path_factory.mktemp("student")
    net = train([(TASK, TARGET)] * 8, folder / "work", epochs=14, seed=3)
    package(net, folder / "made", Encoder.default(), {"tasks": 8})
    return net, folder / "made"


def test_a_trained_student_points_at_what_it_was_shown(trained: tuple[Any, Path]) -> None:
    reading = Student.load(trained[1]).read(TASK)
    assert reading.operation == "lookup"
    assert reading.operation in OPERATIONS
    spot, probability = reading.answers[0]
    assert said(TASK, spot) == "20 March 851"
    assert probability > 0.5 > reading.absent
    spans = [(s.item, s.start, s.end) for s, _ in reading.answers]
    assert all(a[0] != b[0] or a[2] <= b[1] or b[2] <= a[1] for i, a in enumerate(spans) for b in spans[:i])
    assert 0.99 < reading.absent + sum(p for _, p in reading.answers) <= 1.0001 or reading.absent < 0.5


def test_the_packaged_form_says_what_the_network_says(trained: tuple[Any, Path]) -> None:
    import torch
    from hoptrace.agents.student.network import network, restore
    from hoptrace.agents.student.train import lesson, padded

    net, folder = trained
    again = network(torch)
    restore(torch, again, (folder / "student.onnx").read_bytes())
    lessons = [lesson(TASK, TARGET, Encoder.default()), lesson(replace(TASK, items=TASK.items[:2]), TARGET, Encoder.default())]
    with torch.no_grad():
        for first, second in zip(
            net(*padded(torch, lessons, Encoder.default())), again.eval()(*padded(torch, lessons, Encoder.default()))
        ):
            assert float((first - second).abs().max()) < 0.15 * float(first.abs().max())


def test_padding_changes_nothing(trained: tuple[Any, Path]) -> None:
    import torch
    from hoptrace.agents.student.train import lesson, padded

    net, encoder = trained[0], Encoder.default()
    short, long = lesson(replace(TASK, items=TASK.items[:2]), TARGET, encoder), lesson(TASK, TARGET, encoder)
    t = len(short.inputs.ids)
    with torch.no_grad():
        alone = net(*padded(torch, [short], encoder))
        beside = net(*padded(torch, [short, long], encoder))
    assert torch.allclose(alone[2][0], beside[2][0, :t], atol=1e-4)


def test_training_that_was_cut_off_gives_the_same_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from hoptrace.agents.student import train as module

    examples = [(TASK, TARGET), (replace(TASK, items=TASK.items[:2]), Target("lookup", (1,), ()))]
    whole = module.train(examples, tmp_path / "whole", epochs=6, seed=1).state_dict()

    class Killed(Exception):
        pass

    def step(self: Any, batch: list[int], at: int, total: int, plain: Any = module._Trainer._step) -> np.ndarray:
        if at == 4:
            raise Killed
        result: np.ndarray = plain(self, batch, at, total)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SAVE", 2)
        patch.setattr(module._Trainer, "_step", step)
        with pytest.raises(Killed):
            module.train(examples, tmp_path / "cut", epochs=6, seed=1)
    resumed = module.train(examples, tmp_path / "cut", epochs=6, seed=1).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_no_examples_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from hoptrace.agents.student.train import train

    with pytest.raises(InputError, match="examples"):
        train([], tmp_path)


def test_a_changed_student_is_refused(trained: tuple[Any, Path], tmp_path: Path) -> None:
    for name in ("student.onnx", "manifest.json"):
        (tmp_path / name).write_bytes((trained[1] / name).read_bytes())
    (tmp_path / "student.onnx").write_bytes((trained[1] / "student.onnx").read_bytes()[:-1] + b"x")
    with pytest.raises(ArtefactError, match="SHA-256"):
        Student.load(tmp_path)


def test_a_student_of_another_encoder_is_refused(trained: tuple[Any, Path], tmp_path: Path) -> None:
    (tmp_path / "student.onnx").write_bytes((trained[1] / "student.onnx").read_bytes())
    manifest = json.loads((trained[1] / "manifest.json").read_text())
    manifest["meta"]["encoder"] = "other@000000000000"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="other@"):
        Student.load(tmp_path)


# ---- tasks from marked texts


def test_tasks_are_drawn_with_answers_that_follow_from_the_marks() -> None:
    from hoptrace.agents.student.corpora import Drawer
    from hoptrace.kg.extraction.examples import Example

    def text(person: str, film: str, place: str) -> Example:
        body = f"{film} was directed by {person}. {person} was born in {place}."
        first = len(f"{film} was directed by ")
        second = first + len(person) + 2
        place_at = body.rindex(place)
        mentions = (
            (0, len(film), 0),
            (first, first + len(person), 1),
            (second, second + len(person), 1),
            (place_at, place_at + len(place), 2),
        )
        relations = ((0, "director", 1), (1, "place of birth", 2))
        return Example(
            body,
            ((0, second), (second, len(body))),
            (film, person, place),
            ("thing", "person", "place"),
            mentions,
            relations,
            title=film,
        )

    texts = [
        text("Ada Holm", "Red Sand", "Torvik"),
        text("Ben Oake", "Blue Hour", "Lund"),
        text("Cara Vane", "Old Glass", "Aber"),
    ]
    drawn = list(Drawer(texts, random.Random(5)).draw(120))
    assert len({task.question for task, _ in drawn}) > 60
    answered = [(task, target) for task, target in drawn if target.answers]
    assert 0.1 < 1 - len(answered) / len(drawn) < 0.4
    for task, target in drawn:
        shown = {"Ada Holm", "Red Sand", "Torvik", "Ben Oake", "Blue Hour", "Lund", "Cara Vane", "Old Glass", "Aber"}
        assert target.operation in OPERATIONS
        assert all(0 <= step < len(task.items) for step in target.steps)
        for spot in target.answers:
            assert said(task, spot) in shown
            assert any((m.start, m.end) == (spot.start, spot.end) for m in task.items[spot.item].mentions)
            assert said(task, spot).lower() not in task.question.lower()


def test_weights_are_averaged_with_those_gone_on_from() -> None:
    torch = pytest.importorskip("torch")
    from hoptrace.agents.student.network import network, restore
    from hoptrace.agents.student.train import average

    packaged = Path(student_package.__file__).resolve().parents[2] / "data" / "models" / "student"
    old, net = network(torch), network(torch)
    restore(torch, old, (packaged / "student.onnx").read_bytes())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    average(net, packaged, 0.25)
    for name, value in net.state_dict().items():
        assert torch.allclose(value, 0.75 * before[name] + 0.25 * old.state_dict()[name], atol=1e-5), name
