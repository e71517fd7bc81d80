"""What was typed at a graph: kept in its folder for its owner only, without lines that look like secrets."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

FILE = "repl_history"
SECRET = re.compile(
    r"(?i)\b(?:api[_-]?key|secret|passwd|password|pwd|token|authorization)\b\s*[:=]|\bbearer\s+\S{8,}|\bapi[_ -]?key\b"
    r"|\bsk-[\w-]{8,}|\bA(?:KIA|SIA)[0-9A-Z]{12,}|\bgh[pousr]_\w{16,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}\."
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^\s/:@]+:[^\s/@]+@"
)


class PrivateHistory(FileHistory):
    """A history file that a line with a secret in it does not reach; the session itself still knows the line."""

    def store_string(self, string: str) -> None:
        if not SECRET.search(string):
            super().store_string(string)


def open_history(folder: Path) -> tuple[History, bool]:
    """The history of a graph and whether it is new; in memory only where the folder cannot be written."""
    path = folder / FILE
    new = not path.exists()
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory(), True
    return PrivateHistory(str(path)), new


__all__ = ["FILE", "SECRET", "PrivateHistory", "open_history"]
