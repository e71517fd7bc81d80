"""A copy of a graph's folder while it is in use.

The copy is one committed state (SQLite's backup API follows a writer that commits meanwhile) and a graph like any other: to
restore is to open it, or to put it where the old one stood. What is derived is left out and made again when it is asked for.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from .errors import InputError, StorageError
from .graph import KnowledgeGraph

STORE = "kg.sqlite"
_LEFT_OUT = shutil.ignore_patterns("derived", f"{STORE}*", "*.lock", "*.tmp", "*.new", "*.work")
_PAGES = 4096  # copied in one step, between which a writer may commit


def backup(kg: KnowledgeGraph, target: str | Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Path:
    """Copy a graph with its models and kept answers into a new folder.

    Args:
        kg: the graph; readers and a writer go on meanwhile.
        target: a folder that is not there yet; it appears when the copy is complete.
        progress: called with pages copied and pages in all.

    Raises:
        InputError: the folder is there, or the graph has no folder of its own that holds it.
        StorageError: the disk is full or cannot be written; nothing is left behind.
    """
    target = Path(target)
    if target.exists():
        raise InputError(f"{target} exists; a backup goes to a new folder")
    if not (kg.path / STORE).is_file():
        raise InputError(f"{kg.path} holds no {STORE}: back up its server by the server's own means")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        shutil.copytree(kg.path, draft, ignore=_LEFT_OUT, dirs_exist_ok=True)
        _copy(kg.path / STORE, draft / STORE, progress)
        draft.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"backup to {target} failed: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _copy(store: Path, copy: Path, progress: Callable[[int, int], None]) -> None:
    source, made = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True), sqlite3.connect(copy)
    try:
        source.backup(made, pages=_PAGES, progress=lambda _, left, total: progress(total - left, total))
        made.execute("PRAGMA journal_mode = WAL")
    finally:
        made.close()
        source.close()


__all__ = ["STORE", "backup"]
