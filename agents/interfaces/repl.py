"""The interactive shell: questions in plain words, commands behind a slash, everything numbered and traced.

On a terminal it completes commands and entity names and keeps a private history in the graph's folder; when its input is a
pipe it reads one question or command per line. Ctrl-C stops a question, Ctrl-D leaves.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from rich.console import Console

from ...kg.errors import HoptraceError, InputError
from . import render
from .cli import build, emit, perform
from .commands import COMMANDS
from .registry import Command
from .session import Session

SLASHED = {name: command for name, command in COMMANDS.items() if not command.interactive}
LEAVE = ("quit", "exit")
HINT = "Ask a question, or /help for the commands. Tab completes names, Ctrl-C stops a question, Ctrl-D leaves."


class Shell:
    """One line in, one result out; knows nothing of terminals, so that a pipe and a prompt behave alike."""

    def __init__(self, session: Session, out: Console, err: Console) -> None:
        self.session, self.out, self.err = session, out, err
        self.exit_code = 0  # of the first line that failed

    def handle(self, line: str) -> bool:
        """Do what a line says; False when it asks to leave. Errors are shown, the shell goes on."""
        line = line.strip()
        try:
            if not line.startswith("/"):
                return not line or self._run("ask", [line])
            name, _, rest = line[1:].partition(" ")
            if name in LEAVE:
                return False
            if name == "help":
                return self._help(rest.strip().lstrip("/"))
            return self._run(name, split(rest))
        except HoptraceError as error:
            self._failed(str(error), error.exit_code)
        except click.ClickException as error:
            self._failed(error.format_message(), error.exit_code)
        except click.exceptions.Exit:  # after --help
            pass
        except KeyboardInterrupt:
            self._failed("stopped", 130)
        except OSError as error:
            self._failed(str(error), 74)
        return True

    def _run(self, name: str, words: list[str]) -> bool:
        command = find(name)
        values = build(command).make_context(f"/{name}", words).params
        as_json = values.pop("as_json", False)
        result = perform(command, self.session, values)
        emit(result, self.out, as_json=as_json)
        self._note(result.exit_code)
        return True

    def _failed(self, message: str, code: int) -> None:
        render.line(self.err, (message, "red"))
        self._note(code)

    def _note(self, code: int) -> None:
        self.exit_code = self.exit_code or code

    def _help(self, name: str) -> bool:
        if not name:
            rows = [(f"/{command.name}", command.help) for command in SLASHED.values()]
            rows += [("/help NAME", "Show arguments and examples of a command."), ("/quit", "Leave.")]
            render.table(self.out, ("command", "what it does"), rows)
            return True
        command = find(name)
        render.line(self.out, (f"/{command.name}", "bold"), f"  {command.help}")
        for argument in command.arguments:
            spelt = argument.name.upper()
            if argument.option:
                spelt = f"-{argument.short}" if argument.short else f"--{argument.name.replace('_', '-')}"
            render.line(self.out, f"  {spelt}  {argument.help}")
        for example in command.examples:
            render.line(self.out, (f"  e.g. /{command.name} {example}", "dim"))
        return True


def find(name: str) -> Command:
    """The command of that name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if name in SLASHED:
        return SLASHED[name]
    near = difflib.get_close_matches(name, [*SLASHED, "help", *LEAVE], n=1)
    raise InputError(f"no command /{name}" + (f"; did you mean /{near[0]}?" if near else "; /help lists them"))


def split(text: str) -> list[str]:
    """Words as a POSIX shell would cut them; an apostrophe inside a word is an apostrophe."""
    lexer = shlex.shlex(re.sub(r"(?<=\w)'(?=\w)", "\\'", text), posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError as error:
        raise InputError(f"cannot read {text!r}: {str(error).lower()}") from None


class Names(Completer):
    """Completes `/commands`, entity names as arguments of commands that take some, and names inside a question."""

    def __init__(self, entities: Callable[[str], Iterable[Any]]) -> None:
        self._entities = entities

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        text = document.text_before_cursor
        head, space, rest = text.partition(" ")
        if not text.startswith("/"):
            yield from self._in_question(text)
        elif not space:
            names = [f"/{name}" for name in (*SLASHED, "help", *LEAVE)]
            yield from (Completion(name, -len(head)) for name in names if name.startswith(head))
        elif head[1:] in SLASHED:
            yield from self._argument(SLASHED[head[1:]], rest)

    def _in_question(self, text: str) -> Iterator[Completion]:
        """The longest run of words that begins with a capital letter, ends at the cursor and begins a name."""
        for start in re.finditer(r"(?<!\S)[A-Z0-9]", text):
            begun = text[start.start() :]
            found = list(self._entities(begun)) if len(begun) > 1 else []
            if found:
                yield from (Completion(e.label, -len(begun), display_meta=e.type) for e in found)
                return

    def _argument(self, command: Command, rest: str) -> Iterator[Completion]:
        if not any(argument.entity for argument in command.arguments):
            return
        greedy = any(argument.greedy for argument in command.arguments)
        begun = rest if greedy else rest[rest.rindex('"') :] if rest.count('"') % 2 else rest.rpartition(" ")[2]
        quote = not greedy
        for entity in self._entities(begun.lstrip('"')) if begun.strip('"') else ():
            label = render.clean(entity.label)
            text = '"' + label.replace('"', '\\"') + '"' if quote and not label.isalnum() else label
            yield Completion(text, -len(begun), display=label, display_meta=entity.type)


def run(session: Session, *, input: Any = None, output: Any = None, out: Console | None = None) -> int:
    """Read lines until the end; returns the exit code.

    Args:
        session: the graph to work on, made when it is missing.
        input: a prompt_toolkit input; the terminal or the pipe of the process when None.
        output: a prompt_toolkit output.
        out: where results go.
    """
    out = out or render.console()
    shell = Shell(session, out, out if sys.stdout.isatty() or input else render.console(sys.stderr))
    kg = session.open(create=True)
    if input is None and not sys.stdin.isatty():
        for line in sys.stdin:
            if not shell.handle(line):
                break
        return shell.exit_code
    session.watch = lambda step: render.step(out, step)
    render.line(out, (HINT, "dim"))
    prompt: PromptSession[str] = PromptSession(
        history=_history(session),
        completer=Names(lambda prefix: kg.store.entities(prefix=prefix, limit=20)),
        auto_suggest=AutoSuggestFromHistory(),
        complete_while_typing=True,
        input=input,
        output=output,
    )
    while True:
        try:
            if not shell.handle(prompt.prompt("hoptrace> ")):
                return 0
        except KeyboardInterrupt:
            continue  # clears the line that was being typed
        except EOFError:
            return 0


def _history(session: Session) -> History:
    """Lines typed at this graph, in its folder, readable by their owner only; in memory where the folder is read-only."""
    path = session.folder / "repl_history"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
