"""The main job over PostgreSQL: the packaged documents read, and the same answers and citations as over a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hoptrace import Agent, KnowledgeGraph
from hoptrace.kg.doctor import check
from hoptrace.retrieval.encoder import Encoder

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
SAID = ("text", "answers", "status", "confidence", "rationale", "paths", "citations", "usage")
PARTS = ("reference", "news")


def questions() -> list[str]:
    listed = [json.loads(line)["question"] for line in (DEMO / "questions.jsonl").read_text("utf-8").splitlines()]
    return listed[::6]


def answered(place: str | Path, encoder: Encoder) -> tuple[str, list[dict[str, Any]]]:
    with KnowledgeGraph.open(place) as kg:
        kg.ingest([DEMO / "documents" / part for part in PARTS])
        agent = Agent(kg, encoder=encoder)
        answers = [agent.ask(question).to_dict() for question in questions()]
        assert [finding for finding in check(kg, verify=True) if finding.severity != "info"] == []
        return kg.content_hash(), [{name: answer[name] for name in SAID} for answer in answers]


def test_answers_are_those_of_a_folder(postgres: str, tmp_path: Path, encoder: Encoder) -> None:
    url = f"{postgres}&namespace=answers&cache={tmp_path}/cache"
    shared, own = answered(url, encoder), answered(tmp_path / "kg", encoder)
    assert shared == own
    assert any(answer["status"] == "answered" and answer["citations"] for answer in own[1])
    command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "ask", questions()[0], "--kg", url, "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (said["text"], said["citations"]) == (shared[1][0]["text"], shared[1][0]["citations"])
    assert (tmp_path / "cache" / "derived" / "graph" / "CURRENT").is_file()
