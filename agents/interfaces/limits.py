"""Limits of the server: how large a body, how slow a client, how long a question, how many at once.

uvicorn bounds none of them: a request half sent stays open for ever, and a body is held whole however long it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from typing import Any

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .refusals import BodyTooLargeError, dumps, error_response

RATE = 64 * 1024  # bytes per second below which a body is slow


@dataclass(frozen=True, slots=True)
class Limits:
    """Attributes:
    body, ingest: bytes of a body; of one for /ingest.
    request_seconds: until a request is complete; a body that comes at `RATE` or more has longer.
    send_seconds: until a client takes the next part of an answer.
    question_seconds: for one question.
    threads: questions at once.
    queue: questions that wait.
    """

    body: int = 2**20
    ingest: int = 16 * 2**20
    request_seconds: float = 5.0
    send_seconds: float = 30.0
    question_seconds: float = 20.0
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    queue: int = 64


class Bodies:
    """Counts a body as it comes and refuses one that is too large."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        most = self.limits.ingest if scope["path"] == "/ingest" else self.limits.body
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        too_large = BodyTooLargeError(f"the body is larger than {most:,} bytes")
        if not said.isdigit() or int(said) > most:
            return await error_response(scope["path"], too_large)(scope, receive, send)
        seen, refused = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise too_large
            return message

        async def replaced(message: Message) -> None:
            nonlocal refused
            if seen <= most:
                await send(message)
            elif not refused:  # whatever a parser made of a body that broke off
                refused = True
                await error_response(scope["path"], too_large)(scope, receive, send)

        return await self.app(scope, counted, replaced)


class Punctual(H11Protocol):
    """Closes a connection whose request is not complete in time, the first one included, or whose answer nobody takes."""

    limits: Limits
    deadline: asyncio.TimerHandle | None = None
    received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expected()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()
        self._untaken(0)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.loop.call_later(self.limits.send_seconds, self._untaken, self.transport.get_write_buffer_size())

    def _untaken(self, before: int) -> None:
        """Let go of a client that takes nothing of what is left for it."""
        left = self.transport.get_write_buffer_size()
        if left and left == before:
            self.transport.abort()
        elif left:
            self.loop.call_later(self.limits.send_seconds, self._untaken, left)

    def _look(self) -> None:
        """Start the clock where a request has begun, stop it where it is complete."""
        state = self.conn.their_state
        if state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0]):
            if self.deadline is None:
                self._expect()
        elif state is not h11.IDLE or self.cycle is not None:
            self._expected()

    def _expect(self) -> None:
        self.received = 0
        self.deadline = self.loop.call_later(self.limits.request_seconds, self._late)

    def _expected(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _late(self) -> None:
        self.deadline = None
        answered = self.cycle is not None and self.cycle.response_started
        if self.conn.their_state is h11.SEND_BODY and not answered and self.received >= RATE * self.limits.request_seconds:
            self._expect()
            return
        if not answered and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._say_late()
        self.transport.close()

    def _say_late(self) -> None:
        body = dumps({"error": "the request was not complete in time", "kind": "TimeoutError"}).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
        events: list[Any] = [
            h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        with contextlib.suppress(h11.LocalProtocolError):  # too late for an answer too
            for event in events:
                self.transport.write(self.conn.send(event) or b"")


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The HTTP protocol for uvicorn, with a deadline for each request."""
    return type("Punctual", (Punctual,), {"limits": limits})


__all__ = ["Bodies", "Limits", "protocol"]
