"""The lock that lets one process at a time write to a store.

It is an operating-system lock on a file, so it ends with the process that holds it: a killed writer leaves nothing
stale. The file's content (pid, host, since when) is only there to tell the next one who holds it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from .errors import LockedError, StorageError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> None:
        os.lseek(handle, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_LOCK_BYTE = 1 << 20  # Windows locks a byte range and forbids reading it: lock one far behind the text


class WriterLock:
    """An exclusive lock on `path`, held between `acquire` and `release`.

    Args:
        path: the lock file; created when missing, never removed (removing it would let two processes lock two files).
        patience: seconds to keep trying before giving up.
    """

    def __init__(self, path: Path, patience: float = 0.6) -> None:
        self.path, self.patience = path, patience
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            LockedError: somebody holds it; the message names pid, host and since when.
            StorageError: the file cannot be opened.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise StorageError(f"cannot open the lock file {self.path}: {error.strerror}") from error
        deadline = time.monotonic() + self.patience
        while True:
            try:
                _try_lock(handle)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(handle)
                    raise LockedError(f"{self.path.parent} is locked by {holder(self.path) or 'another process'}") from None
                time.sleep(0.02)
        self._handle = handle
        since = datetime.now(UTC).isoformat("T", "seconds")
        line = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, line.encode())
        os.ftruncate(handle, len(line))

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def holder(path: Path) -> str:
    """Who holds the lock, as `pid N on HOST since T`; "" when nobody does."""
    try:
        held = json.loads(path.read_text("utf-8"))
        return f"pid {held['pid']} on {held['host']} since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
