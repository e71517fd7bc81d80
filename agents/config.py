"""A few dials of a graph's agent, in `hoptrace.toml` in the graph's folder or else in the working folder.

    seconds = 10        # for a question
    chunks = 3          # passages as evidence
    writer = false      # answers as plain lists of facts

A variable of the environment outranks the file (HOPTRACE_SECONDS=10), and an option of a command outranks both. `hoptrace
config` prints what holds, and why.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..kg.errors import InputError, ParseError
from ..kg.ingest.extract import DEFAULT, EXTRACTORS
from ..retrieval.base import Budget

FILE = "hoptrace.toml"
_BUDGET = Budget()
_LEAST = {"hops": 1, "seconds": 0.01, "chunks": 0, "evidence_tokens": 1}
_KINDS: dict[str, Any] = {
    "extractor": str,
    "hops": int,
    "seconds": float,
    "chunks": int,
    "evidence_tokens": int,
    "reads": bool,
    "writer": bool,
}
_SAID = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Config:
    """Attributes:
    extractor: what reads facts out of prose.
    hops: longest path.
    seconds: wall clock for a question.
    chunks: passages as evidence; with none, none is read.
    evidence_tokens: WordPieces of evidence that may reach a composer.
    reads: whether passages are read where the graph has no answer.
    writer: whether answers are written as whole sentences.
    """

    extractor: str = DEFAULT
    hops: int = _BUDGET.hops
    seconds: float = _BUDGET.seconds or 0.0
    chunks: int = _BUDGET.chunks
    evidence_tokens: int = _BUDGET.tokens
    reads: bool = True
    writer: bool = True

    @property
    def budget(self) -> Budget:
        """The limits of a question."""
        return Budget(hops=self.hops, seconds=self.seconds, chunks=self.chunks, tokens=self.evidence_tokens)


DIALS = tuple(field.name for field in fields(Config))


def load(folder: Path, environment: Mapping[str, str] | None = None) -> tuple[Config, dict[str, str]]:
    """The dials of the graph in a folder, and where each value came from: "default", a file, or a variable.

    Args:
        folder: of the graph; it need not be there yet.
        environment: that of the process where None.

    Raises:
        ParseError: the file is no TOML.
        InputError: there is no such dial (the nearest is named), or a value is of another kind or too small.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origins = dict.fromkeys(DIALS, "default")
    file = next((path for path in (folder / FILE, Path(FILE)) if path.is_file()), None)
    if file is not None:
        for name, value in _read(file).items():
            values[name], origins[name] = _checked(name, value, str(file)), str(file)
    for name in DIALS:
        variable = f"HOPTRACE_{name.upper()}"
        if text := environment.get(variable):
            values[name], origins[name] = _checked(name, _typed(name, text), variable), variable
    return Config(**values), origins


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except ValueError as error:  # of TOML or of UTF-8
        raise ParseError(str(error), uri=str(file)) from None


def _typed(name: str, text: str) -> Any:
    """The text of a variable as the value it stands for; itself where it stands for none."""
    kind = _KINDS[name]
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def _checked(name: str, value: Any, where: str) -> Any:
    if name not in DIALS:
        near = difflib.get_close_matches(name, DIALS, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"{where}: no dial {name!r}; {meant}there are {', '.join(DIALS)}")
    kind = _KINDS[name]
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise InputError(f"{where}: {name} is {_SAID[kind]}, not {value!r:.60}")
    if name in _LEAST and not value >= _LEAST[name]:
        raise InputError(f"{where}: {name} is at least {_LEAST[name]}, not {value}")
    if name == "extractor" and value not in EXTRACTORS:
        raise InputError(f"{where}: no extractor {value!r}; there are {', '.join(EXTRACTORS)}")
    return value


__all__ = ["DIALS", "FILE", "Config", "load"]
