"""The command line: the table of commands as a click program. `hoptrace --help` loads no graph, model or numeric library."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from ... import __version__
from ...kg.errors import HoptraceError
from . import plain, render
from .commands import COMMANDS
from .registry import Argument, Command, Result
from .session import Session

EXIT_CODES = """\b
Exit codes (as in sysexits.h):
  0    done                            74   storage error, disk full
  1    doctor's errors, reader gone     75   locked or over budget; try again
  2    wrong usage                     76   graph written by a newer hoptrace
  65   unusable input                  78   a model file is missing or changed
  66   no such file or graph           130  interrupted
  69   an optional package is missing"""


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day like 2024-03-31", param, ctx)


class _Program(click.Group):
    """Lists the commands in the order of the table: putting in, asking, looking around, care."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _parameter(argument: Argument) -> click.Parameter:
    kind: Any = _Day() if argument.kind is date else argument.kind
    if not argument.option:
        nargs = -1 if argument.many or argument.greedy else 1
        return click.Argument([argument.name], type=kind, nargs=nargs, required=not argument.optional)
    names = [argument.name, f"-{argument.short}" if argument.short else f"--{argument.name.replace('_', '-')}"]
    if argument.kind is bool:
        return click.Option(names, is_flag=True, help=argument.help)
    shown = argument.default not in (None, "")
    return click.Option(
        names, type=kind, default=argument.default, multiple=argument.many, show_default=shown, help=argument.help
    )


def build(command: Command, callback: Callable[..., Any] | None = None, *extra: click.Parameter) -> click.Command:
    """The click form of a command: its arguments, `--json`, and `extra` parameters."""
    described = [f"  {argument.name.upper()}: {argument.help}" for argument in command.arguments if not argument.option]
    examples = [f"  hoptrace {command.name} {line}".rstrip() for line in command.examples]
    parts = [("Arguments:", described), ("Examples:", examples)]
    epilog = "\n\n".join("\n".join(["\b", head, *body]) for head, body in parts if body)
    parameters = [*map(_parameter, command.arguments), *extra]
    if not command.interactive:
        parameters.append(click.Option(["as_json", "--json"], is_flag=True, help="Print one JSON object."))
    short = re.split("[;:]", command.help)[0].rstrip(".")
    return click.Command(command.name, params=parameters, callback=callback, help=command.help, short_help=short, epilog=epilog)


def typed(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """What a program would hand over for these words: JSON values by name, those left out not among them.

    Raises:
        click.ClickException: they are no arguments of the command.
    """
    form = build(command)
    form.params = form.params[: len(command.arguments)]
    context = form.make_context(command.name, list(words))
    greedy = {argument.name for argument in command.arguments if argument.greedy}
    given = {name: value for name, value in context.params.items() if value != () and value not in (None, False)}
    given = {name: value for name, value in given.items() if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    return {name: " ".join(value) if name in greedy else plain.value(value) for name, value in given.items()}


def perform(command: Command, session: Session, values: dict[str, Any], out: Console, *, as_json: bool = False) -> int:
    """Run a command with parsed values and print its result; returns the exit code."""
    greedy = {argument.name for argument in command.arguments if argument.greedy}
    result = command.run(session, **{name: " ".join(value) if name in greedy else value for name, value in values.items()})
    emit(result, out, as_json=as_json)
    return result.exit_code


def emit(result: Result, out: Console, *, as_json: bool) -> None:
    """Print a result: for people, or as one JSON object on one line (ASCII, so that no terminal or pipe can spoil it)."""
    if as_json:
        print(json.dumps(result.to_dict(), allow_nan=False), file=out.file, flush=True)
    else:
        result.show(out)
        out.file.flush()


def _program() -> click.Group:
    about = "Ask questions over your own documents; every hop traced to its source."
    program = _Program("hoptrace", help=about, epilog=EXIT_CODES)
    program = click.version_option(__version__, prog_name="hoptrace")(program)
    for command in COMMANDS.values():
        folder = click.Option(
            ["kg", "--kg"], default="my.kg", envvar="HOPTRACE_KG", show_default=True, show_envvar=True, help="The graph's folder."
        )
        program.add_command(build(command, _callback(command), *([folder] if command.needs_graph else [])))
    return program


def _callback(command: Command) -> Callable[..., int]:
    def call(as_json: bool = False, kg: str = "", **values: Any) -> int:
        progress = render.Progress(sys.stderr)
        session = Session(Path(kg), progress=progress)
        try:
            return perform(command, session, values, render.console(), as_json=as_json)
        finally:
            progress.stop()
            session.close()

    return call


def fail(message: str) -> None:
    print(f"hoptrace: {render.one_line(message)}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; every deliberate error is one line on stderr and its own exit code."""
    try:
        code = _program().main(arguments, prog_name="hoptrace", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HoptraceError as error:
        fail(str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except OSError as error:
        fail(str(error))
        return 74


if __name__ == "__main__":
    sys.exit(main())
