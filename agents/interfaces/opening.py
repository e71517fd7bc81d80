"""Opens what an answer cites in the reader's own program, at the line. Only files of this machine are opened."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...kg.errors import InputError

_SCHEME = re.compile(r"[A-Za-z][\w+.-]+:(?!\\)")  # https:, human:, profile:, and not C:\
_LINES = re.compile(r"(?:less|more|most|vim?|nvim|view|nano|emacs\w*|micro|joe|kak)(?:\.exe)?$")  # take +LINE
_MOST = 50_000_000  # bytes that are read to find a line


def place(folder: Path, citation: Mapping[str, Any]) -> tuple[Path, int]:
    """The file that a citation is from and the line where it stands, 1 where the characters are not the file's own.

    Raises:
        InputError: it is no file of this machine, or is not where it was read.
    """
    source = str(citation["source"])
    if _SCHEME.match(source) or source.startswith(("//", "\\\\")):
        raise InputError(f"{source} is no file of this machine; sources shows its text")
    found = next((path for root in (folder.resolve().parent, Path.cwd()) if (path := root / source).is_file()), None)
    if found is None:
        raise InputError(f"{source} is not there any more; sources shows its text")
    text = found.read_bytes().decode("utf-8", "replace") if found.stat().st_size <= _MOST else ""
    start, quote = citation["start"], citation["quote"]
    own = text[start : start + len(quote)] == quote
    return found, text.count("\n", 0, start) + 1 if own else 1


def viewer(path: Path, line: int) -> list[str]:
    """The command that shows a file: $PAGER, else $EDITOR, else less.

    Raises:
        InputError: there is none of them.
    """
    chosen = os.environ.get("PAGER") or os.environ.get("EDITOR") or ("less" if shutil.which("less") else "")
    words = shlex.split(chosen, posix=os.name != "nt")
    if not words:
        raise InputError("nothing to open it with: set PAGER or EDITOR")
    at = [f"+{line}"] if _LINES.match(Path(words[0]).name) else []
    return [*words, *at, str(path)]


def show(folder: Path, citation: Mapping[str, Any]) -> None:
    """Open a citation and wait until its reader is done.

    Raises:
        InputError: as for `place` and `viewer`.
        OSError: the program cannot be run.
    """
    path, line = place(folder, citation)
    subprocess.run(viewer(path, line), check=False)


__all__ = ["place", "show", "viewer"]
