"""Run a function in a child process that may die: foreign file formats are parsed there and nowhere else.

The child is started afresh (no fork, no pickle): the parent sends one line of JSON naming a module-level function and its
arguments, the child answers with one line of JSON. Memory, CPU time and file writes are limited by `setrlimit` where the
system has it, wall-clock time by a timer that kills the child. A child serves many calls until one goes wrong.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from . import errors
from .errors import BudgetExceededError, HoptraceError, ParseError

_ANSWER_LIMIT = 2**30  # bytes
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LD_LIBRARY_PATH")  # no secret reaches a parser
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {module} import serve; serve()"


class Sandbox:
    """One child process, started when it is first needed and again after it died. Calls wait for each other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self, function: Callable[..., Any], *args: Any, memory_mb: int = 1024, cpu_s: int = 20, wall_s: float = 30.0) -> Any:
        """Call `function(*args)` in the child.

        Args:
            function: a module-level function that the child can import.
            args: JSON values; so must be what it returns.
            memory_mb: address space, MiB.
            cpu_s: CPU seconds of this call.
            wall_s: seconds until the child is killed.

        Raises:
            BudgetExceededError: a limit was hit, or the child died.
            HoptraceError: what the function raised, if it is one of ours.
            ParseError: any other exception of the function.
        """
        name = f"{function.__module__}:{function.__qualname__}"
        request = json.dumps([name, args, memory_mb, cpu_s]).encode() + b"\n"
        with self._lock:
            process = self._started()
            overrun = threading.Event()

            def expire() -> None:
                overrun.set()
                process.kill()

            timer = threading.Timer(wall_s, expire)
            timer.start()
            try:
                answer = _exchange(process, request)
            finally:
                timer.cancel()
            if not answer.endswith(b"\n"):
                self.close()
                raise BudgetExceededError(_death(process.returncode, overrun.is_set(), memory_mb, cpu_s, wall_s))
        return _result(json.loads(answer), memory_mb)

    def close(self) -> None:
        """End the child, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            atexit.unregister(self.close)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            environment = {key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ}
            environment |= {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT.format(module=__name__), json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            atexit.register(self.close)
        return self._process


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """The child's answer, without its final newline when the child died or said too much."""
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except OSError:
        return b""
    return process.stdout.readline(_ANSWER_LIMIT)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:  # what was still buffered for a dead child
        return


def _death(code: int | None, overrun: bool, memory_mb: int, cpu_s: int, wall_s: float) -> str:
    if overrun:
        return f"stopped after {wall_s:g} s"
    if code is not None and hasattr(signal, "SIGXCPU") and code == -signal.SIGXCPU:
        return f"stopped after {cpu_s} s of CPU time"
    return f"the parser died (exit {code}; it may use {memory_mb} MiB)"


def _result(answer: dict[str, Any], memory_mb: int) -> Any:
    if "error" not in answer:
        return answer["result"]
    kind, message = answer["error"], answer["message"]
    if kind == "ParseError":
        raise ParseError(answer["reason"], uri=answer["uri"], line=answer["line"])
    if kind == "MissingExtraError":
        raise errors.MissingExtraError(message.split(" needs: ")[0], answer["extra"])
    if kind == "MemoryError":
        raise BudgetExceededError(f"it needs more than {memory_mb} MiB")
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, HoptraceError):
        raise known(message)
    raise ParseError(f"{kind}: {message}")


_shared = Sandbox()


def run(function: Callable[..., Any], *args: Any, memory_mb: int = 1024, cpu_s: int = 20, wall_s: float = 30.0) -> Any:
    """`Sandbox.run` in the child that all callers of this process share.

    >>> import math
    >>> run(math.hypot, 3, 4)
    5.0
    """
    return _shared.run(function, *args, memory_mb=memory_mb, cpu_s=cpu_s, wall_s=wall_s)


# ---- the child's side ------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer calls until the parent goes away."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # what a parser prints must not mix with the answers
    for line in sys.stdin.buffer:
        name, args, memory_mb, cpu_s = json.loads(line)
        channel.write(json.dumps(_call(name, args, memory_mb, cpu_s)).encode() + b"\n")
        channel.flush()


def _call(name: str, args: list[Any], memory_mb: int, cpu_s: int) -> dict[str, Any]:
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
        _limit(memory_mb, cpu_s)
        result = function(*args)
        json.dumps(result)
        return {"result": result}
    except ParseError as error:
        return {"error": "ParseError", "message": "", "reason": error.reason, "uri": error.uri, "line": error.line}
    except errors.MissingExtraError as error:
        return {"error": "MissingExtraError", "message": str(error), "extra": error.extra}
    except RecursionError:
        return {"error": "ParseError", "message": "", "reason": "nested too deeply", "uri": "", "line": 0}
    except Exception as error:  # a foreign parser may raise anything; the parent gets it as a typed error
        return {"error": type(error).__name__, "message": str(error)[:300]}


def _limit(memory_mb: int, cpu_s: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no rlimits: the wall clock is the only limit there
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + cpu_s + 1  # the child's whole life counts, so the limit moves on
    for limit, value in (
        (resource.RLIMIT_AS, memory_mb * 2**20),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY or value <= hard:
            try:
                resource.setrlimit(limit, (value, hard))
            except (ValueError, OSError):  # macOS refuses RLIMIT_AS
                continue
