"""Questions in a notebook: `%load_ext hoptrace`, then

    %hop_kg my.kg                         the graph to ask; HOPTRACE_KG or my.kg where this is left out
    %hop Who owns Brightwater Labs?       an answer; `--as-of 2022-05-01` at the end asks for a day
    %hop_path Orla Vance -> Norland       the shortest paths between two entities
    %%sparql                              a read-only query in the rest of the cell

Each gives the value of the Python API, so that `answer = %hop ...` goes on with it, and keeps answers as the command line does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...kg.errors import HoptraceError, InputError, MissingExtraError
from ...kg.show import Picture, Shown, of_paths
from .session import Session

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...kg.model import Path as Hops
    from ...kg.sparql import SparqlResult
    from ..answer import Answer

Given = TypeVar("Given")
_ASKED = re.compile(r"(\s*(?:[\w, ]+=\s*)?)%hop\s+(.*\?)\s*")
_QUESTION = re.compile(r"(.*?)(?:\s+--as-of\s+(\S+))?\s*", re.S)


class Paths(Shown, tuple["Hops", ...]):
    """Paths, drawn one under the other."""

    __slots__ = ()

    def _shown(self) -> Picture:
        return of_paths(self)


class Desk:
    """The graph that a notebook works on."""

    def __init__(self) -> None:
        self.session = Session(Path(os.environ.get("HOPTRACE_KG", "my.kg")))

    def open(self, line: str) -> KnowledgeGraph:
        """%hop_kg FOLDER: work on another graph."""
        if line.strip():
            self.session.close()
            self.session = Session(Path(line.strip()))
        return self.session.kg

    def ask(self, line: str) -> Answer:
        """%hop QUESTION [--as-of YYYY-MM-DD]: ask the graph."""
        found = _QUESTION.fullmatch(line)
        question, day = found.groups() if found else (line, None)
        answer = self.session.agent.ask(question, as_of=day)
        self.session.answers.add(answer)
        return answer

    def path(self, line: str) -> Paths:
        """%hop_path START -> END: the shortest paths between two entities."""
        from ...retrieval.exact import shortest_paths

        start, arrow, end = line.partition("->")
        if not arrow:
            raise InputError(f"no path {line!r}; START -> END")
        kg = self.session.kg
        return Paths(shortest_paths(kg, kg.entity(start.strip()), kg.entity(end.strip()), max_hops=4, k=5))

    def sparql(self, line: str, cell: str) -> SparqlResult:
        """%%sparql: run the cell as a read-only query."""
        return self.session.kg.sparql(f"{line}\n{cell}")


def asked(lines: list[str]) -> list[str]:
    """Lines of a cell in which `%hop QUESTION?` is a question; a "?" at the end of a line means help to IPython."""
    if lines and lines[0].startswith("%%"):
        return lines
    found = [(_ASKED.fullmatch(line), line) for line in lines]
    return [f"{m[1]}get_ipython().run_line_magic('hop', {m[2]!r})\n" if m else line for m, line in found]


def load(shell: Any) -> None:
    """Register the commands with an IPython shell.

    Raises:
        MissingExtraError: IPython is not installed.
    """
    try:
        from IPython.core.error import UsageError
    except ImportError:
        raise MissingExtraError("a notebook", "notebook") from None

    def plainly(do: Callable[..., Given]) -> Callable[..., Given]:
        """Say a deliberate error in one line, as IPython does its own."""

        @wraps(do)
        def call(*words: str) -> Given:
            try:
                return do(*words)
            except HoptraceError as error:
                raise UsageError(str(error)) from None

        return call

    shell.input_transformers_cleanup.append(asked)
    desk = Desk()
    for name, do in (("hop", desk.ask), ("hop_path", desk.path), ("hop_kg", desk.open)):
        shell.register_magic_function(plainly(do), "line", name)
    shell.register_magic_function(plainly(desk.sparql), "cell", "sparql")


__all__ = ["Desk", "Paths", "asked", "load"]
