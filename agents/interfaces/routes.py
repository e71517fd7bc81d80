"""The routes: one for each command of the table that may be called from afar, and the few that only a server has."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ... import __version__
from ...kg.errors import InputError
from ...kg.ingest.text import loads
from ...kg.ingest.texts import MAX_URI, SUFFIXES, Text
from . import plain
from .cli import typed
from .commands import COMMANDS
from .desk import Desk, Tell, Work
from .door import failed
from .refusals import ForbiddenError, Json, dumps
from .registry import Command, schema
from .tenants import Namespace

Given = dict[str, Any]
NO_WRITES = "changes the graph: a server allows that with --allow-writes, and to tenants that write"
REMOTE = {name: command for name, command in COMMANDS.items() if not command.local}


class Document(BaseModel):
    """One text. `uri` is what citations call it; the media type goes by its end when left out."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(min_length=1, max_length=MAX_URI)
    text: str = Field(min_length=1)
    media_type: str = Field("", description=f"one of {', '.join(SUFFIXES)}")


class Documents(BaseModel):
    """Texts to read into the graph; one with the uri of an earlier one replaces it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"documents": [{"uri": "notes/labs.txt", "text": "Orla Vance founded Brightwater Labs."}]}]
        },
    )

    documents: list[Document] = Field(min_length=1, max_length=1000)


def router(desk: Desk, *, writes: bool) -> APIRouter:
    """All routes but the page's and OpenAI's.

    Args:
        desk: where commands that only read are run.
        writes: whether the server allows changes at all.
    """
    routes = APIRouter()
    for command in REMOTE.values():
        _add(routes, command.name, command.help, _command(command, desk, writes), body=_body(command))
    _add(routes, "ask/stream", "The steps of a question as they happen, then its answer.", _stream(desk), _body(REMOTE["ask"]))

    @routes.post("/ingest", summary="Read texts into the graph, as `hoptrace ingest` reads files.")
    async def ingest(request: Request, given: Documents) -> Response:
        namespace: Namespace = request.state.namespace
        if not _may(COMMANDS["ingest"], request, writes):
            raise ForbiddenError(f"ingest {NO_WRITES}")
        texts = [Text(**document.model_dump()) for document in given.documents]
        return Json(await Work(namespace.writing, lambda tell: namespace.take(texts, tell)).result(request))

    @routes.get("/commands", summary="The commands, their arguments as JSON Schema, and whether this token may run them.")
    async def commands(request: Request) -> Response:
        return Json([_card(command, enabled=_may(command, request, writes)) for command in REMOTE.values()])

    @routes.get("/healthz", summary="Whether the server answers; with a token also what its graph holds.")
    async def healthz(request: Request) -> Response:
        namespace: Namespace | None = request.state.namespace
        return Json({"status": "ok", "version": __version__, **(namespace.counts() if namespace else {})})

    @routes.get("/metrics", summary="Counters of this token's namespace in Prometheus's text format.")
    async def metrics(request: Request) -> Response:
        return PlainTextResponse(request.state.namespace.metrics.text(), media_type="text/plain; version=0.0.4")

    return routes


def _add(
    routes: APIRouter, name: str, help: str, endpoint: Callable[[Request], Awaitable[Response]], body: dict[str, Any]
) -> None:
    routes.add_api_route(f"/{name}", endpoint, methods=["POST"], summary=help, operation_id=name, openapi_extra=body)


def _command(command: Command, desk: Desk, writes: bool) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a command."""

    async def endpoint(request: Request) -> Response:
        namespace: Namespace = request.state.namespace
        if not _may(command, request, writes):
            raise ForbiddenError(f"{command.name} {NO_WRITES}")
        given = await read(request)
        work = Work(namespace.writing if command.writes else desk, lambda tell: namespace.call(command.name, given, tell))
        return Json(await work.result(request))

    return endpoint


def _may(command: Command, request: Request, writes: bool) -> bool:
    return not command.writes or (writes and request.state.namespace.tenant.writes)


def _stream(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        given = await read(request)
        work = Work(desk, asking(request.state.namespace, given))
        return StreamingResponse(_events(request, work), media_type="text/event-stream")

    return endpoint


def asking(namespace: Namespace, given: Given) -> Callable[[Tell], Any]:
    """The job that asks a question, tells each step as plain values and returns the answer's object."""
    question = " ".join(str(given.get("question", "")).split())
    return lambda tell: namespace.call("ask", given, lambda step: tell(plain.step(step, question)))


async def _events(request: Request, work: Work) -> AsyncIterator[str]:
    """Server-sent events: a `step` for each step, then one `answer` or `error`."""
    try:
        async for event in work.events():
            yield sent("step" if "step" in event else "answer", event)
    except Exception as error:  # told in the stream: its status has gone out long ago
        yield sent("error", failed(request.scope, error))


def sent(name: str, data: Any) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {dumps(data)}\n\n"


async def read(request: Request) -> Given:
    """The JSON object of a body; an empty body is an empty object.

    Raises:
        InputError: it is something else.
    """
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"the body is not UTF-8: byte {error.start}") from None
    given = loads(text, "", 0) if text.strip() else {}
    if not isinstance(given, dict):
        raise InputError("the body is a JSON object of arguments by name")
    return given


def _card(command: Command, *, enabled: bool) -> dict[str, Any]:
    return {
        "name": command.name,
        "help": command.help,
        "schema": schema(command),
        "writes": command.writes,
        "enabled": enabled,
    }


def _body(command: Command) -> dict[str, Any]:
    """What OpenAPI says of a command's body: its schema, and its examples as values by name."""
    examples = {f"{i}": {"value": typed(command, shlex.split(line))} for i, line in enumerate(command.examples, start=1)}
    return body_of(schema(command), examples)


def body_of(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, **({"examples": examples} if examples else {})}}
    return {"requestBody": {"required": bool(schema.get("required")), "content": content}}


__all__ = ["asking", "body_of", "read", "router", "sent"]
