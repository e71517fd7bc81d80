"""Errors as HTTP says them: a status, and one line as JSON; in OpenAI's shape under /v1. No traceback, path or text leaves.

400  input that cannot be used            413  body too large              500  an error of the server's own
401  no token, or a wrong one             421  not a name of this server   501  an optional package is missing
403  not allowed                          429  busy                        503  locked, out of space, over budget
404  no such entity, relation, answer or route
408  request not complete in time
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from starlette.responses import Response

from ...kg.errors import (
    BudgetExceededError,
    HoptraceError,
    InputError,
    LockedError,
    MissingExtraError,
    MissingPathError,
    StorageFullError,
    UnknownAnswerError,
    UnknownEntityError,
    UnknownRelationError,
)
from .render import one_line

RETRY_AFTER = {"retry-after": "1"}


class Refusal(HoptraceError):
    """A request that is not served. `status` is its HTTP status."""

    status: ClassVar[int] = 400


class UnauthorizedError(Refusal):
    status = 401


class ForbiddenError(Refusal):
    status = 403


class NotFoundError(Refusal):
    status = 404


class MethodError(Refusal):
    status = 405


class BodyTooLargeError(Refusal):
    status = 413


class MisdirectedError(Refusal):
    status = 421


class BusyError(Refusal):
    status = 429
    retryable = True


class ClientLeftError(Refusal):
    """Nobody reads this answer any more."""

    status = 499


_STATUS: tuple[tuple[type[HoptraceError], int], ...] = (
    (UnknownEntityError, 404),
    (UnknownRelationError, 404),
    (UnknownAnswerError, 404),
    (InputError, 400),
    (MissingPathError, 404),
    (MissingExtraError, 501),
    (LockedError, 503),
    (StorageFullError, 503),
    (BudgetExceededError, 503),
)
_SAID = {  # in place of messages that may name folders and processes of the server
    404: "not found",
    500: "an error of the server's own; its log says more",
    503: "the server cannot do this now: its graph is locked, its disk full or a limit was hit; try again",
}


def status_of(error: Exception) -> int:
    """The HTTP status that an error is."""
    if isinstance(error, Refusal):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def told(error: Exception) -> dict[str, Any]:
    """An error as the client is told it: `{"error": one line, "kind": name of its class}`."""
    status = status_of(error)
    hidden = status >= 500 and status != 501 and not isinstance(error, BudgetExceededError)
    message = _SAID[status] if hidden or isinstance(error, MissingPathError) else str(error)
    return {"error": one_line(message)[:500], "kind": type(error).__name__}


def openai_error(error: Exception) -> dict[str, Any]:
    """The same in OpenAI's shape."""
    said, status = told(error), status_of(error)
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error" if status < 500 else "server_error"
    )
    return {"error": {"message": said["error"], "type": kind, "param": None, "code": said["kind"]}}


def error_response(path: str, error: Exception) -> Response:
    """The response to a request for `path` that failed."""
    status = status_of(error)
    headers = RETRY_AFTER if status in (429, 503) else {"www-authenticate": "Bearer"} if status == 401 else None
    return Json(openai_error(error) if path.startswith("/v1/") else told(error), status, headers)


class Json(Response):
    """JSON in ASCII, so that no text can spoil it: half a surrogate pair is an escape like any other character."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dumps(content).encode("ascii")


def dumps(content: Any) -> str:
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


__all__ = [
    "BodyTooLargeError",
    "BusyError",
    "ClientLeftError",
    "ForbiddenError",
    "Json",
    "MethodError",
    "MisdirectedError",
    "NotFoundError",
    "Refusal",
    "UnauthorizedError",
    "dumps",
    "error_response",
    "openai_error",
    "status_of",
    "told",
]
