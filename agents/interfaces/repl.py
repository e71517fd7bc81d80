"""The interactive shell on a terminal: questions in plain words, commands behind a slash, everything numbered and traced.

It completes commands, names and relations, keeps a private history in the graph's folder, and runs the lines of
`~/.config/hoptrace/rc` first. When its input is a pipe it reads one question or command per line. Ctrl-C stops a question and
keeps what was found, Ctrl-D leaves.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from rich.console import Console

from ...kg.errors import HoptraceError
from . import render
from .completion import LineCompleter, Names
from .history import open_history
from .session import Session
from .shell import SLASHED, Shell
from .sitting import LOCALS

HINT = "Ask a question, or /help for the commands. Tab completes names, Ctrl-C stops a question, Ctrl-D leaves."
FIRST = """Ask in plain words. Every answer has a number: /why 1 says how it came about, /sources 1 shows its quotes in place.
/help lists the commands, /help NAME shows examples. Tab completes, Ctrl-R searches what was typed, Alt-Enter breaks the line.
Ctrl-C stops a question and keeps what was found; Ctrl-D leaves."""
ROWS = 40  # of a table on a terminal, before it is cut


def run(
    session: Session,
    *,
    plain: bool = False,
    vi: bool = False,
    input: Any = None,
    output: Any = None,
    out: Console | None = None,
) -> int:
    """Read lines until the end; returns the exit code.

    Args:
        session: the graph to work on, made when it is missing.
        plain: no colour, drawing, menus or ghost text, for screen readers.
        vi: vi keys in place of emacs'.
        input: a prompt_toolkit input; the terminal or the pipe of the process when None.
        output: a prompt_toolkit output.
        out: where results go.
    """
    kg = session.open(create=True)
    if input is None and not sys.stdin.isatty():
        return _piped(Shell(session, out or render.console(plain=plain), render.console(sys.stderr, plain=plain)))
    out = out or render.console(plain=plain, most_rows=ROWS)
    history, new = open_history(session.folder)
    names = Names(kg)
    prompt = _prompt(history, LineCompleter(names, SLASHED, LOCALS), plain=plain, vi=vi, input=input, output=output)

    def confirm(question: str) -> bool:
        asking: PromptSession[str] = PromptSession(input=input, output=output)
        return asking.prompt(f"{render.one_line(question)} [y/N] ").strip().lower() in ("y", "yes")

    shell = Shell(session, out, out, confirm=confirm, typed=lambda: list(reversed(list(history.load_history_strings()))))

    def watch(step: Any) -> None:
        if shell.state.mode == "table" and shell.state.once is None:
            render.step(out, step)

    session.watch = watch
    loading = threading.Thread(target=_load, args=(names,), daemon=True)
    loading.start()
    try:
        return _read(shell, prompt, names, FIRST if new else HINT)
    finally:
        loading.join()


def _piped(shell: Shell) -> int:
    for line in sys.stdin:
        if not shell.handle(line):
            break
    return shell.exit_code


def _read(shell: Shell, prompt: PromptSession[str], names: Names, hint: str) -> int:
    """The loop of a prompt."""
    for text in hint.splitlines():
        render.line(shell.out, (text, "dim"))
    for line in _rc():
        if not shell.handle(line):
            return 0
    while True:
        try:
            if not shell.handle(prompt.prompt(shell.state.prompt)):
                return 0
        except KeyboardInterrupt:
            continue  # clears the line that was being typed
        except EOFError:
            return 0
        if names.adjacency is not None:
            _load(names)


def _prompt(history: History, completer: LineCompleter, *, plain: bool, vi: bool, input: Any, output: Any) -> PromptSession[str]:
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(
        history=history,
        completer=completer,
        auto_suggest=None if plain else AutoSuggestFromHistory(),
        complete_while_typing=not plain,
        color_depth=ColorDepth.DEPTH_1_BIT if plain or os.environ.get("NO_COLOR") else None,
        editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
        key_bindings=keys,
        input=input,
        output=output,
    )


def _load(names: Names) -> None:
    """Bring the number of facts beside names up to date; it is left out where it cannot be read."""
    with suppress(HoptraceError):
        names.adjacency = names.kg.adjacency()


def _rc() -> list[str]:
    """Lines to run first; # begins a remark."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    path = Path(home).expanduser() / "hoptrace" / "rc"
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


__all__ = ["run"]
