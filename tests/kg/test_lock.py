"""The writer lock: exclusive, told by name, and gone with its process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hoptrace.kg.errors import LockedError, StorageError
from hoptrace.kg.lock import WriterLock, holder

CHILD = """
import sys
from pathlib import Path
from hoptrace.kg.lock import WriterLock
WriterLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = WriterLock(path), WriterLock(path, patience=0.0)
    first.acquire()
    assert holder(path).startswith(f"pid {os.getpid()} on {socket.gethostname()} since 20")
    with pytest.raises(LockedError, match=f"locked by pid {os.getpid()} on .* since "):
        second.acquire()
    first.release()
    assert holder(path) == ""
    second.acquire()
    second.release()
    second.release()  # nothing to give back


def test_another_process_holds_it_until_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"pid {process.pid} "):
        WriterLock(path, patience=0.0).acquire()
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock = WriterLock(path, patience=0.0)
    lock.acquire()
    assert f"pid {os.getpid()} " in holder(path)
    lock.release()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot open"):
        WriterLock(tmp_path / "missing" / "lock").acquire()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}', "\x00\xff"])
def test_nonsense_in_the_file_names_nobody(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lock"
    path.write_text(content, "utf-8")
    assert holder(path) == ""
    lock = WriterLock(path)
    lock.acquire()
    lock.release()
