"""The shell without a terminal: one line in, one result out, so that a pipe and a prompt behave alike."""

from __future__ import annotations

import difflib
import re
import shlex
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from ...kg.errors import ConflictError, HoptraceError, InputError
from . import followon, render, tabular
from .cli import build, emit, perform
from .commands import COMMANDS
from .registry import Command, Result
from .session import Session, StoppedError
from .sitting import LOCALS, Local, State

SLASHED = {name: command for name, command in COMMANDS.items() if not command.interactive}
LEAVE = ("quit", "exit")
_ONE_SHOT = {"!r": "retrieval", "!i": "internal"}


class Shell:
    """Does what lines say, in one sitting.

    Args:
        session: the graph.
        out: where results go.
        err: where errors and remarks go.
        confirm: asks a person; says no where there is none.
        typed: the lines typed, oldest first.

    Attributes:
        state: what the lines before have set.
        last: the last result.
        exit_code: of the first line that failed.
    """

    def __init__(
        self,
        session: Session,
        out: Console,
        err: Console,
        *,
        confirm: Callable[[str], bool] = lambda question: False,
        typed: Callable[[], list[str]] = list,
    ) -> None:
        self.session, self.out, self.err, self.confirm, self.typed = session, out, err, confirm, typed
        self.state, self.exit_code = State(), 0
        self.last: Result | None = None

    def handle(self, line: str) -> bool:
        """Do what a line says; False when it asks to leave. Errors are shown, the shell goes on."""
        line, started = line.strip(), time.perf_counter()
        try:
            if not self._done(line):
                return False
        except HoptraceError as error:
            self._failed(str(error), error.exit_code)
        except click.ClickException as error:
            self._failed(error.format_message(), error.exit_code)
        except click.exceptions.Exit:  # after --help
            pass
        except StoppedError as stopped:
            record = stopped.record
            self.show(Result(record, lambda out: render.answer(out, record)))
            self._failed(str(stopped), 130)
        except KeyboardInterrupt:
            self._failed("stopped", 130)
        except OSError as error:
            self._failed(str(error), 74)
        if self.state.timing and line:
            render.line(self.err, (f"{1000 * (time.perf_counter() - started):.0f} ms", "dim"))
        return True

    def _done(self, line: str) -> bool:
        if not line:
            return True
        name, _, rest = line[1:].partition(" ")
        if line[:2] in _ONE_SHOT:
            self._ask(line[2:].strip(), ["--gate", _ONE_SHOT[line[:2]]])
        elif re.fullmatch(r"o\s+\d+", line):
            LOCALS["open"].run(self, line[1:].strip())
        elif not line.startswith("/"):
            self._ask(line, [])
        elif name in LEAVE:
            return False
        elif name == "help":
            self._help(rest.strip().lstrip("/"))
        elif name in LOCALS:
            LOCALS[name].run(self, rest.strip())
        else:
            self._run(name, split(rest))
        return True

    def say(self, text: str) -> None:
        """Show plain lines."""
        render.lines(self.out, text)

    # ---- commands

    def _ask(self, question: str, options: list[str]) -> None:
        """Ask; a question that leans on the last one is first made whole, and shown so."""
        last = next((one for one in reversed(list(self.session.answers)) if one["status"] != "stopped"), None)
        talk = self.session.consultation
        if last is not None and last.get("asked") and not (talk and talk.refers(question)):
            whole = followon.read(question, last, self.session.agent)
            if whole != question:
                render.line(self.err, ("read as: ", "dim"), render.one_line(whole))
                question = whole
        self._run("ask", [*options, "--", question])

    def _run(self, name: str, words: list[str]) -> None:
        command = find(name)
        context = build(command).make_context(f"/{name}", words)
        values: dict[str, Any] = context.params
        as_json = values.pop("as_json", False)
        for field in ("as_of", "gate"):
            if field in values and context.get_parameter_source(field) is ParameterSource.DEFAULT:
                values[field] = getattr(self.state, field)
        try:
            result = perform(command, self.session, values)
        except ConflictError as error:
            said = str(error).partition("; --anyway")[0]
            if not self.confirm(f"{said}. Teach it anyway, both disputed?"):
                raise
            result = perform(command, self.session, {**values, "anyway": True})
        self.last = result
        self.show(result, as_json=as_json)
        self._note(result.exit_code)

    def show(self, result: Result, *, as_json: bool = False, whole: bool = False) -> None:
        """Write a result as the sitting has it: to the screen or to the file of `once`, in its mode."""
        if (path := self.state.once) is None:
            with render.uncut(self.out) if whole else nullcontext():
                self._write(result, self.out, as_json)
            if self.state.timing and "timings_ms" in result.data:
                self._cost(result.data)
            return
        self.state.once = None
        with path.open("w", encoding="utf-8") as file:
            self._write(result, render.console(file), as_json)
        self.say(f"written to {path}")

    def _write(self, result: Result, out: Console, as_json: bool) -> None:
        mode = "json" if as_json else self.state.mode
        if mode in ("json", "table"):
            emit(result, out, as_json=mode == "json")
        else:
            out.file.write(tabular.as_csv(result.data) if mode == "csv" else tabular.as_markdown(result.data))
            out.file.flush()

    def _cost(self, record: dict[str, Any]) -> None:
        spent = ", ".join(f"{name} {value:.0f} ms" for name, value in record["timings_ms"].items())
        usage = record["usage"]
        tokens = usage["prompt_tokens"] + usage["completion_tokens"]
        render.line(
            self.err,
            (f"{spent}; {usage['evidence_tokens']} evidence tokens, {usage['model_calls']} model calls, {tokens} tokens", "dim"),
        )

    def _failed(self, message: str, code: int) -> None:
        render.line(self.err, (message, "red"))
        self._note(code)

    def _note(self, code: int) -> None:
        self.exit_code = self.exit_code or code

    # ---- help

    def _help(self, name: str) -> None:
        if not name:
            every: list[Command | Local] = [*SLASHED.values(), *LOCALS.values()]
            rows = [(f"/{one.name}", one.help) for one in every]
            rows += [("/help NAME", "Show arguments and examples of a command."), ("/quit", "Leave.")]
            with render.uncut(self.out):
                render.table(self.out, ("command", "what it does"), rows)
            return
        command = LOCALS.get(name) or find(name)
        render.line(self.out, (f"/{command.name}", "bold"), f"  {command.help}")
        if isinstance(command, Local):
            render.line(self.out, f"  {command.argument}")
        else:
            for argument in command.arguments:
                spelt = argument.name.upper()
                if argument.option:
                    spelt = f"-{argument.short}" if argument.short else f"--{argument.name.replace('_', '-')}"
                render.line(self.out, f"  {spelt}  {argument.help}")
        for example in dict.fromkeys(command.examples):
            render.line(self.out, (f"  e.g. /{command.name} {example}".rstrip(), "dim"))


def find(name: str) -> Command:
    """The command of that name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if name in SLASHED:
        return SLASHED[name]
    near = difflib.get_close_matches(name, [*SLASHED, *LOCALS, "help", *LEAVE], n=1)
    raise InputError(f"no command /{name}" + (f"; did you mean /{near[0]}?" if near else "; /help lists them"))


def split(text: str) -> list[str]:
    """Words as a POSIX shell would cut them; an apostrophe inside a word is an apostrophe."""
    lexer = shlex.shlex(re.sub(r"(?<=\w)'(?=\w)", "\\'", text), posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError as error:
        raise InputError(f"cannot read {text!r}: {str(error).lower()}") from None


__all__ = ["LEAVE", "SLASHED", "Shell", "find", "split"]
