"""The child process that parses foreign formats: it may die, the parent may not."""

from __future__ import annotations

import json
import math
import os
import time

import pytest
from hoptrace.kg.errors import BudgetExceededError, ParseError
from hoptrace.kg.ingest.loaders import load_packed
from hoptrace.kg.sandbox import Sandbox


@pytest.fixture
def sandbox():
    child = Sandbox()
    yield child
    child.close()


def test_the_child_is_another_process_and_serves_many_calls(sandbox: Sandbox) -> None:
    first, second = sandbox.run(os.getpid), sandbox.run(os.getpid)
    assert first == second != os.getpid()
    assert sandbox.run(math.hypot, 3, 4) == 5.0


def test_a_dead_child_is_an_error_and_the_next_call_works(sandbox: Sandbox) -> None:
    with pytest.raises(BudgetExceededError, match="died"):
        sandbox.run(os.abort)
    assert sandbox.run(math.hypot, 3, 4) == 5.0


def test_the_wall_clock_kills(sandbox: Sandbox) -> None:
    with pytest.raises(BudgetExceededError, match=r"stopped after 0\.3 s"):
        sandbox.run(time.sleep, 60, wall_s=0.3)
    assert sandbox.run(math.hypot, 3, 4) == 5.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no rlimits here")
def test_memory_and_cpu_are_limited(sandbox: Sandbox) -> None:
    with pytest.raises(BudgetExceededError, match="MiB"):
        sandbox.run(bytearray, 2**31, memory_mb=512)
    with pytest.raises(BudgetExceededError, match=r"CPU|died"):
        sandbox.run(pow, 7, 10**9, cpu_s=1, wall_s=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no rlimits here")
def test_nothing_can_be_written(sandbox: Sandbox, tmp_path) -> None:
    target = tmp_path / "canary"
    descriptor = sandbox.run(os.open, str(target), os.O_CREAT | os.O_WRONLY)
    with pytest.raises(ParseError, match=r"OSError|large"):
        sandbox.run(os.truncate, str(target), 10)
    assert descriptor > 2
    assert target.stat().st_size == 0


def test_errors_keep_their_type_place_and_line(sandbox: Sandbox, tmp_path) -> None:
    broken = tmp_path / "a.json"
    broken.write_text('{"a": 1,\n "a": 2}')
    with pytest.raises(ParseError) as caught:
        sandbox.run(load_packed, str(broken), "docs/a.json")
    assert (caught.value.uri, caught.value.line) == ("docs/a.json", 2)
    with pytest.raises(ParseError, match="JSONDecodeError"):
        sandbox.run(json.loads, "{")


def test_secrets_of_the_environment_do_not_reach_the_child(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_KEY", "secret")
    assert sandbox.run(os.getenv, "CANARY_KEY") is None
