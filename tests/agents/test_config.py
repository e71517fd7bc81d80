"""Dials: where a value comes from, what outranks what, and what is said of a file that cannot be used."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.config import DIALS, FILE, Config, load
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.interfaces.registry import call
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import InputError, ParseError
from hoptrace.kg.ingest.extract import DEFAULT
from hoptrace.retrieval.base import Budget

OTHER = "seconds = 9\nhops = 3\nchunks = 2\nevidence_tokens = 100\nextractor = 'rules+distilled'\nreads = false\nwriter = false\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no variables."""
    monkeypatch.chdir(tmp_path)
    for name in DIALS:
        monkeypatch.delenv(f"HOPTRACE_{name.upper()}", raising=False)
    return tmp_path


def test_the_defaults_are_those_of_the_agent(here: Path) -> None:
    config, origins = load(here / "kg")
    assert (config, set(origins.values())) == (Config(), {"default"})
    assert (config.budget, config.extractor, config.reads, config.writer) == (Budget(), DEFAULT, True, True)


def test_every_dial_can_be_turned(here: Path) -> None:
    (here / FILE).write_text(OTHER, "utf-8")
    config, origins = load(here / "kg")
    turned = dataclasses.asdict(config)
    assert not [name for name, value in dataclasses.asdict(Config()).items() if turned[name] == value]
    assert config.budget == Budget(seconds=9.0, hops=3, chunks=2, tokens=100)
    assert set(origins.values()) == {FILE}


def test_the_graph_s_file_is_taken_before_the_folder_s_and_a_variable_before_both(here: Path) -> None:
    (here / "kg").mkdir()
    (here / FILE).write_text("hops = 2\nchunks = 1\n", "utf-8")
    (here / "kg" / FILE).write_text("hops = 3\nseconds = 1.5\n", "utf-8")
    config, origins = load(here / "kg", {"HOPTRACE_SECONDS": "7", "HOPTRACE_READS": "false", "HOPTRACE_WRITER": ""})
    assert (config.hops, config.seconds, config.chunks, config.reads, config.writer) == (3, 7.0, Budget().chunks, False, True)
    assert origins["hops"] == str(here / "kg" / FILE)
    assert (origins["seconds"], origins["chunks"]) == ("HOPTRACE_SECONDS", "default")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hop = 3", "no dial 'hop'; did you mean hops? there are extractor, hops, "),
        ("colour = 'red'", "no dial 'colour'; there are extractor"),
        ("hops = '3'", "hops is a whole number, not '3'"),
        ("hops = true", "hops is a whole number, not True"),
        ("hops = 0", "hops is at least 1, not 0"),
        ("seconds = nan", "seconds is at least 0.01, not nan"),
        ("reads = 1", "reads is true or false, not 1"),
        ("extractor = 'magic'", "no extractor 'magic'; there are rules"),
        ("[budget]\nhops = 3", "no dial 'budget'"),
    ],
)
def test_what_is_wrong_is_named(here: Path, text: str, said: str) -> None:
    (here / FILE).write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        load(here)
    assert f"{FILE}: {said}" in str(error.value)


@pytest.mark.parametrize("raw", [b"hops = ", b"\xff"])
def test_a_file_that_is_no_toml_is_named(here: Path, raw: bytes) -> None:
    (here / FILE).write_bytes(raw)
    with pytest.raises(ParseError, match=FILE):
        load(here)


@pytest.mark.parametrize(("name", "text"), [("HOPTRACE_HOPS", "many"), ("HOPTRACE_READS", "perhaps"), ("HOPTRACE_SECONDS", "-1")])
def test_a_variable_that_cannot_be_is_named(here: Path, name: str, text: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        load(here, {name: text})


def test_a_session_makes_its_agent_with_them(here: Path, session: Session) -> None:
    (session.folder / FILE).write_text(OTHER, "utf-8")
    agent = session.agent
    assert (agent.budget, agent.reads, agent.writer) == (session.config.budget, False, False)
    given: dict[str, Any] = {}
    session.ask = lambda question, **how: given.update(how) or {}  # type: ignore[method-assign,assignment]
    call(session, "ask", {"question": "Who?", "seconds": 2})
    assert given["budget"] == dataclasses.replace(agent.budget, seconds=2.0)


def test_ingestion_uses_the_extractor_that_is_configured(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a.txt").write_text("Orla Vance founded Brightwater Labs.\n", "utf-8")
    (here / FILE).write_text("extractor = 'magic'", "utf-8")
    assert main(["ingest", "a.txt", "--no-vectors", "--extractor", "rules"]) == 0
    assert main(["ingest", "a.txt", "--no-vectors"]) == 65
    assert "no extractor 'magic'" in capsys.readouterr().err


def test_the_command_prints_what_holds(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (here / FILE).write_text("hops = 3\n", "utf-8")
    monkeypatch.setenv("HOPTRACE_CHUNKS", "1")
    assert main(["config", "--json"]) == 0
    dials = json.loads(capsys.readouterr().out)["dials"]
    assert list(dials) == list(DIALS)
    assert dials["hops"] == {"value": 3, "from": FILE}
    assert dials["chunks"] == {"value": 1, "from": "HOPTRACE_CHUNKS"}
    assert dials["writer"] == {"value": True, "from": "default"}
    assert main(["config"]) == 0
    assert "ask --seconds" in capsys.readouterr().out
