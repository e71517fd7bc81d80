"""What a command is. Every surface (command line, REPL, Python, HTTP, MCP) is built from the one table in `commands`.

A person types words, which the command line parses; a program hands over values by name, which `call` checks against the
same arguments. `schema` describes them as JSON Schema, for OpenAPI and MCP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from .session import Session

Kind = type[str] | type[int] | type[float] | type[bool] | type[date]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command.

    Attributes:
        name: the function's parameter; an option is spelt with dashes (`as_of` is `--as-of`).
        help: one line.
        kind: str, int, float, bool (a flag) or date (YYYY-MM-DD).
        option: given by name; otherwise by position.
        default: used when absent; a positional argument without `optional` must be given.
        optional: a positional argument that may be left out.
        many: one or more values, handed over as a tuple.
        greedy: the remaining words joined by spaces, so that a question or a name needs no quotes.
        short: the option is spelt with this one letter, e.g. `-k`.
        entity: it names an entity, so that the REPL completes labels.
        most: the greatest number that a program may hand over; who types a command may spend more on it.
    """

    name: str
    help: str
    kind: Kind = str
    option: bool = False
    default: Any = None
    optional: bool = False
    many: bool = False
    greedy: bool = False
    short: str = ""
    entity: bool = False
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a command gives back: `data` for machines, `show` for people, and the exit code."""

    data: dict[str, Any]
    show: Callable[[Console], None]
    exit_code: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return self.data


@dataclass(frozen=True, slots=True)
class Command:
    """A named action. `run(session, **arguments)` does it; `examples` are complete argument lines.

    Attributes:
        python: what does the same in Python, as `hoptrace.` and this dotted name.
        writes: it changes the graph, so a server offers it only where its owner said so.
        local: why no server offers it; "" where HTTP and MCP do.
    """

    name: str
    help: str
    run: Callable[..., Result]
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    needs_graph: bool = True
    interactive: bool = False
    python: str = ""
    writes: bool = False
    local: str = ""


COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    help: str,
    *arguments: Argument,
    examples: tuple[str, ...] = (),
    needs_graph: bool = True,
    interactive: bool = False,
    python: str = "",
    writes: bool = False,
    local: str = "",
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Register the decorated function under `name`, in the order in which the commands are listed.

    Args:
        name: what people type.
        help: one line, shown in the list of commands.
        arguments: in the order in which they are typed.
        examples: argument lines for `/help` and `--help`.
        needs_graph: whether `--kg` says where it works.
        interactive: it holds the terminal itself, so there is no `--json` and no such command inside the REPL.
        python, writes, local: see `Command`.
    """

    def register(run: Callable[..., Result]) -> Callable[..., Result]:
        COMMANDS[name] = Command(name, help, run, arguments, examples, needs_graph, interactive, python, writes, local)
        return run

    return register


AS_OF = Argument("as_of", "facts that hold on this day, YYYY-MM-DD", date, option=True)


def call(session: Session, name: str, given: Mapping[str, Any]) -> Result:
    """Run a command with values by name, as a program has them.

    Args:
        session: where to run it.
        name: of the command.
        given: argument names and JSON values; a day is an ISO date.

    Raises:
        InputError: there is no such command or argument, one is missing, or a value is of the wrong kind.
    """
    command = COMMANDS.get(name)
    if command is None:
        raise InputError(f"no command {name}; there are {', '.join(COMMANDS)}")
    known = {argument.name: argument for argument in command.arguments}
    strange = [key for key in given if key not in known]
    if strange:
        raise InputError(f"{name} has no argument {strange[0]!r}; it has {', '.join(known) or 'none'}")
    return command.run(session, **{key: _value(name, argument, given.get(key)) for key, argument in known.items()})


def _value(name: str, argument: Argument, given: Any) -> Any:
    """What the command's function is handed for a JSON value, or for none."""
    if given is None:
        if not (argument.option or argument.optional):
            raise InputError(f"{name} needs {argument.name}: {argument.help}")
        absent = False if argument.kind is bool else "" if argument.greedy else () if argument.many else None
        return argument.default if argument.default is not None else absent
    if argument.many:
        values = [given] if isinstance(given, str) else given
        if not isinstance(values, list | tuple) or (not values and not argument.optional):
            raise InputError(f"{argument.name} of {name} is a list of one or more")
        return tuple(_one(name, argument, value) for value in values)
    return _one(name, argument, given)


def _one(name: str, argument: Argument, given: Any) -> Any:
    kind = argument.kind
    if kind is date and isinstance(given, str):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    elif kind is float and isinstance(given, int | float) and not isinstance(given, bool):
        return _within(name, argument, float(given))
    elif isinstance(given, kind) and (kind is bool or not isinstance(given, bool)):
        return _within(name, argument, given)
    raise InputError(f"{argument.name} of {name} is {_KINDS[kind][1]}, not {given!r:.60}")


def _within(name: str, argument: Argument, given: Any) -> Any:
    if argument.most is not None and not given <= argument.most:
        raise InputError(f"{argument.name} of {name} is at most {argument.most:g}, not {given!r:.60}")
    return given


_KINDS: dict[Kind, tuple[dict[str, str], str]] = {
    str: ({"type": "string"}, "a text"),
    int: ({"type": "integer"}, "a whole number"),
    float: ({"type": "number"}, "a number"),
    bool: ({"type": "boolean"}, "true or false"),
    date: ({"type": "string", "format": "date"}, "a day like 2024-03-31"),
}


def schema(command: Command) -> dict[str, Any]:
    """The arguments of a command as a JSON Schema object (draft 2020-12)."""
    properties = {}
    for argument in command.arguments:
        one: dict[str, Any] = {**_KINDS[argument.kind][0]}
        whole = {"type": "array", "items": one, "minItems": 0 if argument.optional else 1} if argument.many else one
        properties[argument.name] = {**whole, "description": argument.help}
        if argument.default is not None:
            properties[argument.name]["default"] = argument.default
        if argument.most is not None:
            properties[argument.name]["maximum"] = argument.most
    required = [argument.name for argument in command.arguments if not (argument.option or argument.optional)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def writable(file: str, force: bool) -> Path:
    """The file to write, which must not be there unless `force` says that it may be overwritten.

    Raises:
        InputError: it is there.
    """
    path = Path(file)
    if path.exists() and not force:
        raise InputError(f"{file} exists; --force overwrites it")
    return path


__all__ = ["AS_OF", "COMMANDS", "Argument", "Command", "Kind", "Result", "call", "command", "schema", "writable"]
