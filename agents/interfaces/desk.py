"""Where work waits and is done: a bounded number of threads, a bounded number of jobs before them, and a client who may leave.

A question runs in one thread from beginning to end. What it tells goes into a queue of its own that never fills, so a client
who reads slowly holds up nobody: the thread is free when the answer is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from starlette.requests import Request

from .refusals import BusyError, ClientLeftError

Tell = Callable[[Any], None]
_END = object()


class Desk:
    """Threads for jobs.

    Args:
        threads: jobs done at once.
        queue: jobs that may wait; one more is turned away.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hoptrace")
        self._room, self._inside, self._lock = threads + queue, 0, threading.Lock()

    @property
    def inside(self) -> int:
        """Jobs waiting or being done."""
        return self._inside

    def submit(self, job: Callable[[], None]) -> Future[None]:
        """Hand in a job.

        Raises:
            BusyError: there is no room, or the server is closing.
        """
        with self._lock:
            if self._inside >= self._room:
                raise BusyError(f"busy: {self._inside} requests are waiting; try again")
            self._inside += 1
        try:
            future = self._pool.submit(job)
        except RuntimeError:
            self._leave()
            raise BusyError("the server is closing") from None
        future.add_done_callback(self._leave)
        return future

    def _leave(self, done: Future[None] | None = None) -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Forget what waits and let what runs come to its end."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Work:
    """One job for one client.

    Args:
        desk: where it is done.
        job: gets `tell`, which it calls with each event on the way and which raises `ClientLeftError` once the client has left.

    Raises:
        BusyError: as for `Desk.submit`.
    """

    def __init__(self, desk: Desk, job: Callable[[Tell], Any]) -> None:
        self._loop, self._events, self._left = asyncio.get_running_loop(), asyncio.Queue[Any](), threading.Event()
        self._job = job
        self._result: Any = None
        self._error: Exception | None = None
        self._future = desk.submit(self._run)

    def _run(self) -> None:
        try:
            self._tell(None)
            self._result = self._job(self._tell)
        except Exception as error:  # handed to whoever waits, in `events`
            self._error = error
        self._put(_END)

    def _tell(self, event: Any) -> None:
        if self._left.is_set():
            raise ClientLeftError("the client left")
        if event is not None:
            self._put(event)

    def _put(self, event: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def events(self) -> AsyncIterator[Any]:
        """What the job tells, as it happens, and its result last. Leaving this loop stops the job at its next `tell`.

        Raises:
            Exception: whatever the job raised.
        """
        try:
            while (event := await self._events.get()) is not _END:
                yield event
            if self._error is not None:
                raise self._error
            yield self._result
        finally:
            self._left.set()
            self._future.cancel()

    async def result(self, request: Request) -> Any:
        """What the job returns.

        Raises:
            ClientLeftError: the client left first.
            Exception: whatever the job raised.
        """
        waiting = asyncio.ensure_future(self._last())
        leaving = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise ClientLeftError("the client left")
            return waiting.result()
        finally:
            for task in (waiting, leaving):
                task.cancel()
            await asyncio.gather(waiting, leaving, return_exceptions=True)  # not awaited: that would change where it was raised

    async def _last(self) -> Any:
        last = None
        async for event in self.events():
            last = event
        return last


async def _left(request: Request) -> None:
    """Returns when the client has gone away; its request has been read whole before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


__all__ = ["Desk", "Tell", "Work"]
