"""Trained files that hoptrace loads: a folder with a `manifest.json` that names every file and its SHA-256.

Nothing is loaded before its bytes were hashed, so a cut, swapped or edited model is an error and never a wrong answer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import ArtefactError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A checked folder: `files` maps each file name to its SHA-256, `meta` is what its maker wrote about it."""

    folder: Path
    name: str
    files: dict[str, str]
    meta: dict[str, Any] = field(default_factory=dict)

    def path(self, file: str) -> Path:
        """Where a file of the manifest lies.

        Raises:
            ArtefactError: the manifest does not name it.
        """
        if file not in self.files:
            raise ArtefactError(f"{self.folder / MANIFEST}: names no file {file!r}, only {', '.join(sorted(self.files))}")
        return self.folder / file


def write_manifest(folder: Path, name: str, files: list[str], meta: dict[str, Any]) -> Artefact:
    """Hash `files` (names inside `folder`) and write the manifest beside them."""
    hashes = {file: file_hash(folder / file) for file in sorted(files)}
    text = json.dumps({"name": name, "files": hashes, "meta": meta}, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return Artefact(folder, name, hashes, meta)


def load_artefact(folder: Path) -> Artefact:
    """Read a manifest and check every file that it names.

    Raises:
        ArtefactError: the manifest or a file is missing, or a file's bytes are not those the manifest names.
    """
    path = folder / MANIFEST
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        name, files, meta = record["name"], record["files"], record.get("meta", {})
        plain = all(isinstance(key, str) and Path(key).name == key and isinstance(value, str) for key, value in files.items())
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtefactError(f"{path}: not a manifest ({type(error).__name__})") from error
    if not isinstance(name, str) or not isinstance(meta, dict) or not plain:
        raise ArtefactError(f"{path}: not a manifest (name, files or meta has the wrong form)")
    for file, expected in files.items():
        try:
            actual = file_hash(folder / file)
        except OSError as error:
            raise ArtefactError(f"{folder / file}: {error.strerror or error}") from error
        if actual != expected:
            raise ArtefactError(f"{folder / file}: SHA-256 is {actual[:12]}…, the manifest says {expected[:12]}…")
    return Artefact(folder, name, files, meta)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
