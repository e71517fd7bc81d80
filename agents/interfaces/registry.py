"""What a command is. Every surface (command line, REPL) is built from the one table of commands in `commands`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

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
    """A named action. `run(session, **arguments)` does it; `examples` are complete argument lines."""

    name: str
    help: str
    run: Callable[..., Result]
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    needs_graph: bool = True
    interactive: bool = False


COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    help: str,
    *arguments: Argument,
    examples: tuple[str, ...] = (),
    needs_graph: bool = True,
    interactive: bool = False,
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Register the decorated function under `name`, in the order in which the commands are listed.

    Args:
        name: what people type.
        help: one line, shown in the list of commands.
        arguments: in the order in which they are typed.
        examples: argument lines for `/help` and `--help`.
        needs_graph: whether `--kg` says where it works.
        interactive: it holds the terminal itself, so there is no `--json` and no such command inside the REPL.
    """

    def register(run: Callable[..., Result]) -> Callable[..., Result]:
        COMMANDS[name] = Command(name, help, run, arguments, examples, needs_graph, interactive)
        return run

    return register


__all__ = ["COMMANDS", "Argument", "Command", "Kind", "Result", "command"]
