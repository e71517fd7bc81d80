"""Teachers and what is believed of them: every chain is executed again, whatever kind of lie it holds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.distill.evidence import Example
from hoptrace.agents.distill.teachers import Chain, ChatTeacher, FileTeacher, OracleTeacher, fault, parse_chain, target
from hoptrace.kg.errors import MissingPathError, ParseError
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

Lie = Callable[[Example, Chain, random.Random], Chain | None]


def unused(example: Example, chain: Chain) -> list[int]:
    return [i for i in range(len(example.facts)) if i not in chain.steps]


def wrong_step(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    rest = unused(example, chain)
    if not rest or not chain.steps:
        return None
    steps = list(chain.steps)
    steps[rng.randrange(len(steps))] = rng.choice(rest)
    return replace(chain, steps=tuple(steps))


def wrong_answer(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    said = {chain.answers[0]} if chain.answers else set()
    others = sorted({f.triple.object.label for f in example.facts} - said - set(example.answers))
    return replace(chain, answers=(rng.choice(others),)) if others and chain.answers else None


def one_answer_too_many(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, answers=(*chain.answers, "Nobody Known")) if chain.answers else None


def step_left_out(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, steps=chain.steps[:-1]) if chain.steps else None


def turned_round(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, steps=chain.steps[::-1]) if example.query.operation == "lookup" and len(chain.steps) > 1 else None


def made_up(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, steps=(0,), answers=(example.facts[0].triple.object.label,)) if not chain.answers else None


def denied(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, steps=(), answers=()) if chain.answers else None


def other_operation(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, operation="count" if chain.operation != "count" else "yes-no")


def no_such_fact(example: Example, chain: Chain, rng: random.Random) -> Chain | None:
    return replace(chain, steps=(*chain.steps, len(example.facts)))


LIES: tuple[Lie, ...] = (
    wrong_step, wrong_answer, one_answer_too_many, step_left_out, turned_round, made_up, denied, other_operation, no_such_fact,
)  # fmt: skip


def is_lie(example: Example, chain: Chain) -> bool:
    """Whether a changed chain still says what is right by other facts ("A owns B" stands there twice): that is none."""
    words = sorted(
        {step: example.task.items[step].text.partition(" (")[0] for step in chain.steps if step < len(example.facts)}.values()
    )
    gold = sorted(example.task.items[step].text.partition(" (")[0] for step in example.gold.steps)
    return set(words) != set(gold) or set(chain.answers) != set(example.answers) or chain.operation != example.query.operation


def test_the_oracle_is_believed(examples: list[Example]) -> None:
    for example in examples:
        (chain,) = OracleTeacher().teach(example)
        assert fault(example, chain) == "", example.task.question
        assert target(example, chain) == example.target


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_each_kind_of_lie_is_found(examples: list[Example], lie: Lie) -> None:
    rng, told, found = random.Random(1), 0, 0
    for example in examples:
        (chain,) = OracleTeacher().teach(example)
        false = lie(example, chain, rng)
        if (false is not None and is_lie(example, false)) or (false is not None and lie in (turned_round, no_such_fact)):
            told, found = told + 1, found + bool(fault(example, false))
    assert told > 20
    assert found >= 0.95 * told, f"{found} of {told}"


def test_of_a_teacher_who_lies_in_three_of_ten_chains_nearly_all_lies_and_no_truths_are_left_out(examples: list[Example]) -> None:
    rng, lies, found, truths, lost = random.Random(2), 0, 0, 0, 0
    for example in examples:
        (chain,) = OracleTeacher().teach(example)
        false = rng.choice(LIES)(example, chain, rng) if rng.random() < 0.3 else None
        if false is not None and is_lie(example, false):
            lies, found = lies + 1, found + bool(fault(example, false))
        elif false is None:
            truths, lost = truths + 1, lost + bool(fault(example, chain))
    assert lies > 35
    assert found >= 0.95 * lies
    assert lost == 0
    assert truths > 150


def reply(chain: Chain) -> str:
    return json.dumps({"operation": chain.operation, "steps": [s + 1 for s in chain.steps], "answers": list(chain.answers)})


def test_a_chat_model_sees_numbered_facts_and_its_chain_is_read(examples: list[Example]) -> None:
    example = next(e for e in examples if e.answers)
    (truth,) = OracleTeacher().teach(example)
    asked: list[Any] = []

    class Model(GenericFakeChatModel):
        def invoke(self, messages: Any, *rest: Any, **more: Any) -> Any:
            asked.append(messages)
            return super().invoke(messages, *rest, **more)

    teacher = ChatTeacher(Model(messages=iter([AIMessage("I think it is this."), AIMessage(f"```json\n{reply(truth)}\n```")])))
    assert teacher.teach(example) == [truth]
    assert f"[1] {example.task.items[0].text}" in asked[0][1][1]
    assert "not valid" in asked[1][1][1]


def test_a_chat_model_that_fails_leaves_the_task_out(examples: list[Example]) -> None:
    class Broken:
        def invoke(self, messages: Any) -> Any:
            raise RuntimeError("no connection")

    assert ChatTeacher(Broken()).teach(examples[0]) == []


def test_a_file_gives_the_chains_of_its_tasks(examples: list[Example], tmp_path: Path) -> None:
    file = tmp_path / "chains.jsonl"
    chains = {e.id: OracleTeacher().teach(e)[0] for e in examples[:3]}
    file.write_text("\n".join(json.dumps({"id": name, **json.loads(reply(chain))}) for name, chain in chains.items()) + "\n\n")
    teacher = FileTeacher(file)
    assert [teacher.teach(e) for e in examples[:4]] == [*([chains[e.id]] for e in examples[:3]), []]


@pytest.mark.parametrize(
    "line", ["nothing", '{"steps": [1]}', '{"operation": "lookup", "steps": [0], "answers": []}', '{"operation": "list"}']
)
def test_a_broken_line_names_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "chains.jsonl"
    file.write_text('{"id": "q1", "operation": "lookup", "steps": [1], "answers": ["A"]}\n' + line + "\n")
    with pytest.raises(ParseError, match=":2"):
        FileTeacher(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="none"):
        FileTeacher(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"operation": 1}',
        '{"operation": "lookup", "steps": "1"}',
        '{"operation": "lookup", "answers": [[]]}',
        "{" * 9999,
    ],
)
def test_what_is_no_chain_is_said(text: str) -> None:
    assert isinstance(parse_chain(text), str)
