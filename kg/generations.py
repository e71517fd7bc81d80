"""Derived indexes on disk: disposable folders, hashed, published by renaming one pointer.

    derived/graph/CURRENT              gen-000007 <sha256 of its manifest>
    derived/graph/gen-000007/manifest.json, triple.npy, neighbor.npy, ...

A generation is never changed after it is published. A reader maps it into memory, so it keeps its generation even when
a newer one is published and the old folder is removed. The pointer holds the manifest's hash and the manifest the
files' hashes, so nothing is read that was not written together. A file is hashed again when its size or its time of
change is not the one in the manifest; that time is set into the past, so that no later write can leave it as it is (git
looks at its working tree in the same way: half a gigabyte of arrays would take seconds to hash at every start). Whatever
is missing, cut, swapped, or from another store makes `current` answer None with one warning: the caller rebuilds from the
store. (The manifest commit is Lance's idea, https://lancedb.github.io/lance/format; here without versions to keep.)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .store import Changes, Store

_FORMAT = 1
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FOLDER = re.compile(r"gen-(\d{6,9})")
_BACK_NS = 60_000_000_000
_ABANDONED_S = 3600.0  # an unfinished folder older than this belongs to a process that died


@dataclass(frozen=True, slots=True)
class Generation:
    """One published index: named arrays and what it says about itself. `folder` is None when it only lives in memory."""

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]
    folder: Path | None = None

    def array(self, name: str) -> np.ndarray:
        """A memory-mapped, read-only array.

        Raises:
            KeyError: there is no such array.
        """
        return self.arrays[name]


class Generations:
    """The derived indexes of one store, one `kind` (graph, vectors-...) beside the other.

    Args:
        root: the folder that holds them; made at the first `publish`.
        read_only: keep what is published in memory and write nothing.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root, self.read_only = root, read_only

    def publish(self, kind: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Generation:
        """Write a new generation and make it the current one.

        Args:
            kind: a folder name.
            arrays: plain arrays (no objects) by lower-case name.
            meta: JSON values; put `position(store)` in, so that `changes` can tell whether it belongs to a store.

        Returns:
            The generation as a reader would get it; one that only lives in memory when the folder cannot be written.
        """
        if not self.read_only:
            try:
                self._write(kind, arrays, meta)
            except OSError as error:
                warnings.warn(f"{kind} index stays in memory: {error}", stacklevel=2)
            else:
                written = self.current(kind)
                if written is not None:
                    return written
        return Generation(dict(arrays), dict(meta))

    def current(self, kind: str, *, thorough: bool = False) -> Generation | None:
        """The published generation, checked against its manifest, or None (with one warning if it was damaged).

        Args:
            kind: as it was published.
            thorough: hash every file, also those that nobody seems to have written to since.
        """
        pointer = self.root / kind / "CURRENT"
        target = _read_pointer(pointer)
        while target is not None:
            try:
                return _open(self.root / kind, target, kind, thorough=thorough)
            except (OSError, ValueError, KeyError, TypeError) as error:
                newer = _read_pointer(pointer)
                if newer == target:
                    reason = " ".join(str(error).split())[:200]
                    warnings.warn(f"the {kind} index is damaged and will be rebuilt: {reason}", stacklevel=2)
                    return None
                target = newer  # replaced and removed while it was being opened
        return None

    def discard(self, kind: str) -> None:
        """Remove a kind and all its generations; the next reader rebuilds it."""
        if not self.read_only:
            shutil.rmtree(self.root / kind, ignore_errors=True)

    def _write(self, kind: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
        home = self.root / kind
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=home))
        try:
            files = {}
            for name, array in arrays.items():
                if not _NAME.fullmatch(name):
                    raise ValueError(f"array name {name!r} is not lower-case letters, digits and _")
                np.save(draft / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
                files[name] = {**_fingerprint(draft / f"{name}.npy"), "written": _date_back(draft / f"{name}.npy")}
            manifest = {"format": _FORMAT, "kind": kind, "files": files, "meta": dict(meta)}
            text = json.dumps(manifest, indent=1).encode("ascii")
            (draft / "manifest.json").write_bytes(text)
            for path in (*draft.iterdir(), draft):
                _sync(path)
            number = _claim(home, draft)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _point(home, f"gen-{number:06d} {hashlib.sha256(text).hexdigest()}")
        _remove_old(home, number)


def position(store: Store) -> dict[str, Any]:
    """Where a store stands: which one it is, its `seq`, and the time of that ledger entry.

    Read it before the data the index is built from: what is written meanwhile is then brought in by `changes`.
    """
    seq = store.seq
    return {"store": store.identity, "seq": seq, "stamp": _stamp(store, seq)}


def changes(store: Store, meta: Mapping[str, Any]) -> Changes | None:
    """What to apply to an index with this `position` in its meta; None when it must be rebuilt.

    An index built before this store was put back from a backup has a stamp that its ledger lacks.
    """
    seq, stamp = meta.get("seq"), meta.get("stamp")
    if meta.get("store") != store.identity or not isinstance(seq, int):
        return None
    if not 0 <= seq <= store.seq or _stamp(store, seq) != stamp:
        return None
    return store.changes_since(seq)


def _stamp(store: Store, seq: int) -> str:
    newest_first = store.ledger(store.seq - seq + 1) if seq > 0 else []
    return next((entry.at.isoformat() for entry in newest_first if entry.seq == seq), "")


def _read_pointer(pointer: Path) -> str | None:
    try:
        return pointer.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None  # nothing was published yet


def _open(home: Path, target: str, kind: str, *, thorough: bool) -> Generation:
    name, _, digest = target.partition(" ")
    if not _FOLDER.fullmatch(name):
        raise ValueError("CURRENT does not name a generation")
    folder = home / name
    text = (folder / "manifest.json").read_bytes()
    if hashlib.sha256(text).hexdigest() != digest:
        raise ValueError(f"{name}/manifest.json is not the one CURRENT was written for")
    manifest = json.loads(text)
    if (manifest["format"], manifest["kind"]) != (_FORMAT, kind):
        raise ValueError(f"manifest is of format {manifest['format']}, kind {manifest['kind']}")
    arrays = {}
    for name, expected in manifest["files"].items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"array name {name!r}")
        path = folder / f"{name}.npy"
        stat = path.stat()
        untouched = (stat.st_size, stat.st_mtime_ns) == (expected["size"], expected.get("written"))
        if thorough or not untouched:
            found = _fingerprint(path)
            if found != {name: expected[name] for name in found}:
                raise ValueError(f"{path.name} has {found['size']} bytes, sha256 {found['sha256'][:12]}, not what was written")
        arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
    return Generation(arrays, dict(manifest["meta"]), folder)


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"size": file.tell(), "sha256": digest}


def _date_back(path: Path) -> int:
    """Set a file's time of change a minute back; returns it in nanoseconds, as the file system keeps it."""
    before = time.time_ns() - _BACK_NS
    os.utime(path, ns=(before, before))
    return path.stat().st_mtime_ns


def _claim(home: Path, draft: Path) -> int:
    """Rename the finished draft to the next free number; another process may take it first."""
    while True:
        number = max((int(match[1]) for path in home.iterdir() if (match := _FOLDER.fullmatch(path.name))), default=0) + 1
        target = home / f"gen-{number:06d}"
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():
                raise
        else:
            return number


def _point(home: Path, target: str) -> None:
    handle, draft = tempfile.mkstemp(prefix=".CURRENT-", dir=home)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(target + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, home / "CURRENT")
    _sync(home)


def _remove_old(home: Path, number: int) -> None:
    for path in home.iterdir():
        old = (match := _FOLDER.fullmatch(path.name)) is not None and int(match[1]) < number
        if old or (path.name.startswith(".new-") and _age_s(path) > _ABANDONED_S):
            shutil.rmtree(path, ignore_errors=True)  # still mapped on some systems: the next publish tries again


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0  # another process just finished or removed it


def _sync(path: Path) -> None:
    """Make a file's bytes or a folder's names durable; folders cannot be opened on Windows."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["Generation", "Generations", "changes", "position"]
