"""The table of commands: every face of a command has the same fields, or a reason is written down."""

from __future__ import annotations

import importlib
import inspect
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.interfaces.cli import build
from hoptrace.agents.interfaces.commands import COMMANDS
from hoptrace.agents.interfaces.registry import AS_OF, Argument, Command, Result, call, schema
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import InputError

ALL = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


def resolve(dotted: str) -> Any:
    """What `hoptrace.` and a dotted name stand for."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(["hoptrace", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(dotted)


@ALL
def test_every_surface_has_the_arguments_of_the_function(command: Command) -> None:
    names = {argument.name for argument in command.arguments}
    assert names == set(inspect.signature(command.run).parameters) - {"session"}
    assert names == {parameter.name for parameter in build(command).params} - {"as_json"}
    assert names == set(schema(command)["properties"])


@ALL
def test_every_command_is_a_python_name_or_says_why_it_is_for_people(command: Command) -> None:
    assert command.python or command.local
    if command.python:
        assert resolve(command.python) is not None


def test_a_name_that_is_not_there_is_noticed() -> None:
    with pytest.raises(AttributeError):
        resolve("kg.graph.KnowledgeGraph.no_such_method")


def test_a_program_gets_what_the_command_line_prints(session: Session) -> None:
    assert call(session, "path", {"start": "Orla Vance", "end": "Norland"}).to_dict()["paths"]
    assert call(session, "neighbors", {"name": "Tarn City", "limit": 1}).to_dict()["facts"][0]["id"]
    found = call(session, "search", {"question": "Who founded Brightwater Labs?", "limit": 2}).to_dict()["passages"]
    first = found[0]
    text = (session.folder.parent / first["source"]).read_text("utf-8")
    assert text[first["start"] : first["end"]] == first["text"]
    answer = call(session, "ask", {"question": "Where is Brightwater Labs headquartered?", "as_of": "2020-01-01"}).to_dict()
    assert answer["answers"] == ["Tarn City"]


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("nothing", {}, "no command nothing"),
        ("entity", {}, "entity needs name"),
        ("entity", {"name": 3}, "a text"),
        ("entity", {"name": "x", "limit": "3"}, "a whole number"),
        ("entity", {"name": "x", "limit": True}, "a whole number"),
        ("entity", {"name": "x", "colour": "red"}, "no argument 'colour'"),
        ("ask", {"question": "x", "as_of": "yesterday"}, "a day like"),
        ("ask", {"question": "x", "both": 1}, "true or false"),
        ("ingest", {"paths": []}, "a list of one or more"),
        ("ingest", {"paths": [1]}, "a text"),
    ],
)
def test_values_of_the_wrong_kind_are_refused_by_name(session: Session, name: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        call(session, name, given)


def test_absent_values_are_what_the_command_line_hands_over() -> None:
    seen: dict[str, Any] = {}

    def run(session: Session, **values: Any) -> Result:
        seen.update(values)
        return Result({}, lambda out: None)

    arguments = (
        Argument("words", "", greedy=True, optional=True),
        Argument("files", "", many=True, optional=True),
        Argument("number", "", int, optional=True),
        Argument("flag", "", bool, option=True),
        Argument("share", "", float, option=True, default=0.5),
        AS_OF,
    )
    COMMANDS["probe"] = Command("probe", "", run, arguments)
    try:
        call(Session(Path("nowhere")), "probe", {})
        assert seen == {"words": "", "files": (), "number": None, "flag": False, "share": 0.5, "as_of": None}
        call(Session(Path("nowhere")), "probe", {"share": 1, "files": "one", "as_of": "2024-03-31"})
        assert (seen["share"], seen["files"], seen["as_of"]) == (1.0, ("one",), date(2024, 3, 31))
    finally:
        del COMMANDS["probe"]
