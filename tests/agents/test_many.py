"""Questions awaited and questions side by side: the same answers as one by one, in order, and no error is lost."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.answer import Answer
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.many import said, stepwise
from hoptrace.agents.steps import Answered, Linked
from hoptrace.kg.errors import InputError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.retrieval.encoder import Encoder

QUESTIONS = [
    "Where is Brightwater Labs headquartered?",
    "Who founded Brightwater Labs?",
    "Which firms supply Brightwater Labs?",
    "Who leads the company that supplies hull coatings to Brightwater Labs?",
    "Which country is the owner of Vellmar Yard headquartered in?",
    "How many ships were built by Vellmar Yard?",
    "When was Calder Pumps founded?",
    "Who ran Brightwater Labs in 2015?",
    "What is the revenue of Halden Marine?",
    "Who fined Calder Pumps?",
]


def facts_of(answer: Answer | None) -> Any:
    """An answer without what a clock says."""
    assert answer is not None
    whole = answer.to_dict()
    del whole["timings_ms"], whole["route"]["cost"]
    return whole


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns far more often than they do by themselves."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_side_by_side_gives_what_one_by_one_gives(agent: Agent, harbour: KnowledgeGraph, encoder: Encoder) -> None:
    alone = [facts_of(agent.ask(question)) for question in QUESTIONS]
    fresh = Agent(harbour, encoder=encoder)  # its parts are made while several ask
    outcomes = fresh.batch(QUESTIONS * 3, workers=4)
    assert [outcome.question for outcome in outcomes] == QUESTIONS * 3
    assert [facts_of(outcome.answer) for outcome in outcomes] == alone * 3


def test_an_error_stays_with_its_question(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = agent.ask

    def ask(question: str, **how: Any) -> Answer:
        if question == "crash":
            raise RuntimeError("it\nbroke")
        return whole(question, **how)

    monkeypatch.setattr(agent, "ask", ask)
    seen: list[tuple[int, int]] = []
    outcomes = agent.batch(["", QUESTIONS[0], "crash"], workers=2, progress=lambda done, total: seen.append((done, total)))
    assert [outcome.to_dict().get("error") for outcome in outcomes] == ["the question is empty", None, "RuntimeError: it broke"]
    assert outcomes[1].to_dict()["answer"]["answers"] == ["Tarn City"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert said(KeyError()) == "KeyError"


def test_workers_are_counted(agent: Agent) -> None:
    assert agent.batch([]) == []
    with pytest.raises(InputError, match="at least 1"):
        agent.batch(QUESTIONS, workers=0)


def test_the_day_is_for_all(agent: Agent) -> None:
    (outcome,) = agent.batch(["Who is chief executive of Brightwater Labs?"], as_of="2015-01-01")
    assert outcome.answer is not None
    assert outcome.answer.answers == ("Orla Vance",)


def test_an_event_loop_awaits_answers(agent: Agent) -> None:
    async def go() -> tuple[list[Answer], list[str]]:
        several = await asyncio.gather(*(agent.aask(question) for question in QUESTIONS[:3]))
        return several, [type(step).__name__ async for step in agent.astream(QUESTIONS[0], as_of="2024-01-01")]

    several, steps = asyncio.run(go())
    assert [facts_of(answer) for answer in several] == [facts_of(agent.ask(question)) for question in QUESTIONS[:3]]
    assert (steps[0], steps[-1]) == (Linked.__name__, Answered.__name__)


def test_an_event_loop_gets_the_error(agent: Agent) -> None:
    with pytest.raises(InputError, match="empty"):
        asyncio.run(agent.aask(""))


def test_the_loop_is_free_and_cancelling_stops_between_steps() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    made: list[int] = []

    def steps() -> Iterator[Any]:
        try:
            for i in range(3):
                if i == 1:
                    begun.set()
                    go_on.wait(20)
                made.append(i)
                yield i + 1
        finally:
            ended.set()

    async def read() -> None:
        async for _ in stepwise(steps()):
            pass

    async def go() -> None:
        task = asyncio.create_task(read())
        while not begun.is_set():
            await asyncio.sleep(0.001)  # the loop turns while a step is being made
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await asyncio.to_thread(ended.wait, 20)

    asyncio.run(go())
    assert made == [0, 1]  # the step at hand was finished, the third never begun
    assert ended.is_set()


# ---- the command


def test_a_file_of_questions(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "asked.jsonl").write_text(
        '{"question": "Where is Brightwater Labs headquartered?", "id": 7}\n\n{"question": " "}\n', "utf-8"
    )
    out = tmp_path / "out.jsonl"
    words = ["batch", str(tmp_path / "asked.jsonl"), "--out", str(out), "--workers", "2"]
    assert main([*words, "--json"]) == 65  # one of them failed
    said = json.loads(capsys.readouterr().out)
    assert (said["questions"], said["answered"], said["failed"]) == (2, 1, 1)
    first, second = map(json.loads, out.read_text("utf-8").splitlines())
    assert first["answer"]["answers"] == ["Tarn City"]
    assert second == {"question": " ", "error": "the question is empty"}
    assert main(words) == 65
    assert "--force" in capsys.readouterr().err


def test_lines_of_text_are_questions(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "asked.txt").write_text("\ufeffWhere is Brightwater Labs headquartered?\n\n", "utf-8")
    assert main(["batch", str(tmp_path / "asked.txt"), "--out", str(tmp_path / "out.jsonl")]) == 0
    assert "1 answered; written to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"question": "a"}\n[1]\n', 'asked.jsonl:2: no object with a text under "question"'),
        (b'{"question": 1}\n', "asked.jsonl:1: no object"),
        (b"{\n", "asked.jsonl:1: no object"),
        (b"\xff\n", "not UTF-8 at byte 0"),
    ],
)
def test_a_broken_file_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes, said: str
) -> None:
    (tmp_path / "asked.jsonl").write_bytes(text)
    assert main(["batch", str(tmp_path / "asked.jsonl"), "--out", str(tmp_path / "out")]) == 65
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["batch", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 66
