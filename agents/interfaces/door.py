"""The door of the server: which names it answers to, which pages may call it, whose token it is; and one log line per request.

A line says what was asked for, by whom, how long it took and how it ended: ids and names, never a text, a token or an address
with a query in it.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .refusals import (
    ForbiddenError,
    MisdirectedError,
    UnauthorizedError,
    error_response,
    status_of,
    told,
)
from .tenants import Namespace, admitted

LOG = logging.getLogger("hoptrace.server")
LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Door:
    """Lets requests in, each with the namespace of its token in `request.state.namespace`.

    Without a token that matches, only the page's own files (they hold nothing of any graph) and /healthz are served.

    Args:
        app: what is behind it.
        namespaces: all there are; a single one without tokens is open.
        hosts: names that the server answers to, beside the loopback's.
        origins: pages of other servers that may call it, e.g. https://desk.example.org.
    """

    def __init__(self, app: ASGIApp, namespaces: Sequence[Namespace], hosts: Sequence[str], origins: Sequence[str]) -> None:
        self.app, self.namespaces = app, namespaces
        self.origins = frozenset(map(str.lower, origins))
        self.hosts = LOOPBACK | {host.lower() for host in hosts} | {urlsplit(origin).hostname for origin in self.origins}
        self.open = next((namespace for namespace in namespaces if not namespace.tenant.tokens), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        try:
            self._check_names(headers)
            scope.setdefault("state", {})["namespace"] = self._namespace(scope["path"], headers)
        except (MisdirectedError, ForbiddenError, UnauthorizedError) as error:
            return await error_response(scope["path"], error)(scope, receive, send)
        return await self.app(scope, receive, send)

    def _check_names(self, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        if _hostname(host) not in self.hosts:
            raise MisdirectedError("this server does not answer to that name; --origin adds one")
        origin = headers.get("origin", "").lower()
        if origin and origin not in self.origins and origin not in (f"http://{host}", f"https://{host}"):
            raise ForbiddenError("pages of that origin may not call this server; --origin adds one")

    def _namespace(self, path: str, headers: Headers) -> Namespace | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        found = admitted(self.namespaces, token.strip()) if scheme.lower() == "bearer" else None
        found = found or self.open
        if found is None and not (path in ("/", "/healthz") or path.startswith("/static/")):
            raise UnauthorizedError("a token is needed: Authorization: Bearer TOKEN")
        return found


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class Journal:
    """Logs and counts each request, adds the headers that keep a browser safe, and keeps every error from leaving unshaped."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, number, status = time.perf_counter(), uuid.uuid4().hex[:16], 0
        scope.setdefault("state", {})["number"] = number

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update({**_HEADERS, "x-request-id": number})
            await send(message)

        try:
            await self.app(scope, receive, marked)
        except ClientDisconnect:
            pass
        except Exception as error:  # nothing that a command raises on purpose: that has been answered further in
            failed(scope, error)
            if not status:
                await error_response(scope["path"], error)(scope, receive, marked)
        finally:
            self._close(scope, {"id": number, "status": status or 499}, started)
        return None

    def _close(self, scope: Scope, fields: dict[str, Any], started: float) -> None:
        namespace = scope.get("state", {}).get("namespace")
        fields["route"] = getattr(scope.get("route"), "path", "other")
        if namespace is not None:
            namespace.metrics.served(fields["route"], fields["status"])
            fields["namespace"] = namespace.tenant.name
        fields |= {"method": scope["method"], "ms": round(1000 * (time.perf_counter() - started), 1)}
        LOG.info("served", extra={"fields": fields})


def failed(scope: Scope, error: Exception) -> dict[str, Any]:
    """Count and log an error that is told to a client; returns what it is told."""
    state, said = scope.get("state", {}), told(error)
    namespace: Namespace | None = state.get("namespace")
    if namespace is not None:
        namespace.metrics.failed(said["kind"])
    if status_of(error) >= 500:
        LOG.error("failed", extra={"fields": {"id": state.get("number"), "kind": said["kind"], "where": _place(error)}})
        LOG.debug("traceback", exc_info=error)
    return said


def _place(error: BaseException) -> str:
    """File and line where an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""


class JsonLines(logging.Formatter):
    """A log record as one line of JSON; a traceback only where the logger is set to debug."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at,
            "level": record.levelname.lower(),
            "event": record.getMessage().strip(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and LOG.isEnabledFor(logging.DEBUG):
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
