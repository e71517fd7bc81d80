"""Which files a run reads, in a fixed order, and what they are called."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import InputError, MissingPathError, UnsupportedFormatError
from .datasets import is_dataset, is_taken
from .loaders import format_of
from .sidecar import is_sidecar

_IGNORED = frozenset([".git", ".venv", "venv", "node_modules", "__pycache__"])
_CASUAL = frozenset(["", ".py", ".log", ".lock", ".tmp", ".bak"])  # not worth a line in the report


def discover(paths: Sequence[str | os.PathLike[str]], roots: Sequence[Path]) -> tuple[list[tuple[Path, str]], list[str]]:
    """Find the files to read.

    Args:
        paths: files, folders (searched to any depth) and glob patterns.
        roots: a file's uri is its path relative to the first of these folders that holds it, else its absolute path.

    Returns:
        (path, uri) of each file in order of uri, and one line for each file that was left out, with the reason.

    Raises:
        MissingPathError: nothing is there.
        UnsupportedFormatError: a file that was named itself has no loader or is no regular file.
    """
    found: dict[str, Path] = {}
    skipped: list[str] = []
    for path in _expand(paths):
        if path.is_dir():
            for file, reason in _walk(path):
                if reason:
                    skipped.append(f"{_uri(file, roots)}: {reason}")
                else:
                    found.setdefault(_uri(file, roots), file)
        else:
            uri = _uri(path, roots)
            if not stat.S_ISREG(path.stat().st_mode):
                raise UnsupportedFormatError(f"{uri}: not a regular file")
            format_of(path, uri)
            found.setdefault(uri, path)
    return sorted(((path, uri) for uri, path in found.items()), key=lambda entry: entry[1]), skipped


def _expand(paths: Sequence[str | os.PathLike[str]]) -> Iterator[Path]:
    for given in paths:
        text = os.fspath(given)
        if not text or "\0" in text:
            raise InputError(f"not a path: {text!r}")
        if os.path.lexists(text):
            if not os.path.exists(text):
                raise MissingPathError(f"the link leads nowhere: {text}")
            yield Path(text)
            continue
        matches = sorted(glob.glob(text, recursive=True)) if glob.has_magic(text) else []
        if not matches:
            raise MissingPathError(f"no such file or folder: {text[:200]}")
        yield from map(Path, matches)


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """(file, reason to leave it out or "") of a folder's files, without hidden ones, environments and graphs."""
    root = folder.resolve()
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _IGNORED and not _is_graph(here / name)
        )
        for name in [name for name in folders if (here / name).is_symlink()]:
            folders.remove(name)
            yield here / name, "a link to a folder is not followed"
        dataset = is_dataset(here)
        for name in sorted(names):
            file = here / name
            if name.startswith(".") or is_sidecar(file):
                continue
            reason = _refusal(file, root)
            if not reason and dataset and not is_taken(file):
                reason = "read with passages.jsonl" if name == "triples.jsonl" else "evaluation file of a data set"
            if reason or file.suffix.lower() not in _CASUAL:
                yield file, reason


def _refusal(file: Path, root: Path) -> str:
    try:
        if file.is_symlink() and not file.resolve().is_relative_to(root):
            return "a link that leads out of the folder"
        if not stat.S_ISREG(file.stat().st_mode):
            return "not a regular file"
        format_of(file, file.name)
    except UnsupportedFormatError:
        return "" if file.suffix.lower() in _CASUAL else f"no loader for {file.suffix!r}"
    except OSError as error:
        return f"cannot be opened: {error.strerror or error}"
    return ""


def _is_graph(folder: Path) -> bool:
    return folder.suffix == ".kg" or (folder / "kg.sqlite").exists()


def _uri(path: Path, roots: Sequence[Path]) -> str:
    absolute = Path(os.path.abspath(path))
    for root in roots:
        if absolute.is_relative_to(root):
            return absolute.relative_to(root).as_posix()
    return absolute.as_posix()
