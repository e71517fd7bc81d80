"""What holds for one sitting at the shell, and the commands that set it.

They are in no other surface: each says why. Everything else that the shell can do is a command of the table in `commands`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...kg.errors import InputError
from . import opening
from .registry import writable
from .session import GATES

if TYPE_CHECKING:
    from .shell import Shell

MODES = ("table", "json", "csv", "md")


@dataclass(slots=True)
class State:
    """What holds for the lines that follow.

    Attributes:
        gate: where answers come from, as the argument `gate` of `ask`.
        as_of: the day that commands with a day are asked for.
        mode: how results are written.
        once: the file that the next result goes to.
        timing: the time that each line took is shown.
    """

    gate: str = GATES[0]
    as_of: date | None = None
    mode: str = MODES[0]
    once: Path | None = None
    timing: bool = False

    @property
    def prompt(self) -> str:
        """The prompt, with what is not as usual."""
        unusual = [f"as of {self.as_of}"] if self.as_of else []
        unusual += [self.gate] if self.gate != GATES[0] else []
        unusual += [self.mode] if self.mode != MODES[0] else []
        return f"hoptrace [{', '.join(unusual)}]> " if unusual else "hoptrace> "


@dataclass(frozen=True, slots=True)
class Local:
    """A command of the shell alone. `run(shell, rest)` does it; `reason` says why other surfaces lack it."""

    name: str
    argument: str
    help: str
    run: Callable[[Shell, str], None]
    examples: tuple[str, str]
    reason: str
    choices: tuple[str, ...] = ()


def _gate(shell: Shell, rest: str) -> None:
    if rest:
        shell.state.gate = _one(rest, GATES, "gate")
        return
    agent = shell.session.agent
    gate = agent.gate
    knows = f"calibrated ({gate.calibrated.mode})" if gate.calibrated else "by rules; hoptrace train gate calibrates it"
    shell.say(f"gate: {shell.state.gate}")
    shell.say(f"decides: {gate.note or knows}")
    shell.say(f"it can: {', '.join(agent.actions)}, abstain")
    if "internal" not in agent.actions:
        shell.say("no memory to answer from: hoptrace train memory makes one")


def _as_of(shell: Shell, rest: str) -> None:
    if rest:
        try:
            shell.state.as_of = None if rest == "now" else date.fromisoformat(rest)
        except ValueError:
            raise InputError(f"{rest!r} is not a day like 2024-03-31, nor now") from None
    else:
        shell.say(f"as of {shell.state.as_of or 'now'}")


def _mode(shell: Shell, rest: str) -> None:
    if rest:
        shell.state.mode = _one(rest, MODES, "mode")
    else:
        shell.say(shell.state.mode)


def _once(shell: Shell, rest: str) -> None:
    file, _, force = rest.partition(" --force")
    if not file or force:
        raise InputError("once needs one file: /once FILE [--force]")
    shell.state.once = writable(file.strip().strip('"'), rest.endswith(" --force"))


def _timing(shell: Shell, rest: str) -> None:
    if rest:
        shell.state.timing = _one(rest, ("on", "off"), "timing") == "on"
    else:
        shell.say("on" if shell.state.timing else "off")


def _last(shell: Shell, rest: str) -> None:
    if shell.last is None:
        raise InputError("no result yet")
    shell.show(shell.last, whole=True)


def _lines(shell: Shell, rest: str) -> None:
    found = [line for line in shell.typed() if rest.lower() in line.lower() and not line.startswith("/lines")]
    shell.say("\n".join(found) or f"no line with {rest!r}")


def _edit(shell: Shell, rest: str) -> None:
    text = click.edit(rest or next((line for line in reversed(shell.typed()) if not line.startswith("/edit")), ""))
    if text and text.strip():
        shell.say(text.strip())
        shell.handle(text)


def _open(shell: Shell, rest: str) -> None:
    if not re.fullmatch(r"\d+", rest):
        raise InputError(f"open needs the number of a citation of the last answer, not {rest!r}")
    record = shell.session.answers.get()
    cited = {citation["id"]: citation for citation in record["citations"]}
    if int(rest) not in cited:
        raise InputError(f"the last answer has no citation {rest}; it has {', '.join(map(str, cited)) or 'none'}")
    opening.show(shell.session.folder, cited[int(rest)])


def _one(text: str, choices: tuple[str, ...], what: str) -> str:
    if text not in choices:
        raise InputError(f"no {what} {text!r}; one of {', '.join(choices)}")
    return text


_STATE = "it is the state of one sitting; elsewhere"
LOCALS = {
    local.name: local
    for local in (
        Local("gate", "[auto|retrieval|internal|both]", "Where answers come from; alone, what the gate knows. !r and !i before a "
              "question do it once.", _gate, ("retrieval", ""), f"{_STATE} `ask --gate`", GATES),
        Local("as-of", "[DAY|now]", "Ask and look as of a day until it is cleared.", _as_of, ("2023-06-30", "now"),
              f"{_STATE} `--as-of`", ("now",)),
        Local("mode", "[table|json|csv|md]", "How results are written.", _mode, ("csv", "table"),
              f"{_STATE} `--json`, and rows by name", MODES),
        Local("once", "FILE [--force]", "Write the next result to a file.", _once, ("facts.csv", "answer.md --force"),
              "elsewhere the output is the caller's to redirect"),
        Local("timing", "[on|off]", "Show how long each line took, and what a question cost.", _timing, ("on", "off"),
              f"{_STATE} `timings_ms` and `usage` of the answer", ("on", "off")),
        Local("last", "", "Show the last result again, uncut.", _last, ("", ""), "elsewhere no result is cut"),
        Local("lines", "TEXT", "Search the lines typed; Ctrl-R does it key by key.", _lines, ("path", "Orla Vance"),
              "lines are typed here"),
        Local("edit", "[TEXT]", "Write the line in $EDITOR, starting from the last one.", _edit, ("", "/sparql SELECT ?s"),
              "it opens a program of the terminal"),
        Local("open", "N", "Open citation N of the last answer in $PAGER or $EDITOR; `o N` is short for it.", _open, ("1", "2"),
              "it opens a program of the terminal"),
    )
}  # fmt: skip

__all__ = ["LOCALS", "MODES", "Local", "State"]
