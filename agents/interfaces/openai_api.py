"""OpenAI's chat protocol over the command `ask`, so that any front end that speaks it can ask a graph.

The question is the last message of the user; earlier turns are not read. The text carries its marks `[1]` and ends with the
list of sources, so that every front end shows them, and a `hoptrace` object beside it holds the whole answer. Text of
documents is escaped for Markdown: a name in a graph can neither load a picture nor hide an address behind a word.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from ...kg.errors import InputError
from .desk import Desk, Work
from .door import failed
from .refusals import Json, dumps, openai_error
from .render import one_line
from .routes import asking

MODEL = "hoptrace"
_MARKUP = re.compile(r"[\\\[\]<>`]|!(?=\[)")
_MARK = re.compile(r"\\\[(\d{1,4})\\\](?![(:\[])")


class Message(BaseModel):
    """One turn; a content of parts is read for its text."""

    role: str
    content: str | list[dict[str, Any]] | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: bool = False


class Chat(BaseModel):
    """A request; whatever else OpenAI's has is accepted and changes nothing, as no text is sampled here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": MODEL, "messages": [{"role": "user", "content": "Who founded Brightwater Labs?"}]}]
        }
    )

    model: str = MODEL
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None

    def question(self) -> str:
        """The last message of the user.

        Raises:
            InputError: there is none.
        """
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text()
        raise InputError("messages hold no message of the role user")


def router(desk: Desk) -> APIRouter:
    """The routes under /v1."""
    routes = APIRouter(prefix="/v1")
    made = int(time.time())

    @routes.get("/models", summary="The one model there is: the graph.")
    async def models() -> Response:
        card = {"id": MODEL, "object": "model", "created": made, "owned_by": "hoptrace"}
        return Json({"object": "list", "data": [card]})

    @routes.post("/chat/completions", summary="Ask the last message of the user; plain or as a stream.")
    async def completions(request: Request, chat: Chat) -> Response:
        work = Work(desk, asking(request.state.namespace, {"question": chat.question()}))
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": chat.model}
        if chat.stream:
            wants_usage = chat.stream_options is not None and chat.stream_options.include_usage
            return StreamingResponse(_chunks(request, work, head, wants_usage), media_type="text/event-stream")
        record = await work.result(request)
        message = {"role": "assistant", "content": text(record), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        whole = {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(record), "hoptrace": extra(record)}
        return Json(whole)

    return routes


async def _chunks(request: Request, work: Work, head: dict[str, Any], wants_usage: bool) -> AsyncIterator[str]:
    """The role at once, the text by paragraphs when it is verified, and what the answer rests on at the end."""
    try:
        yield _chunk(head, {"role": "assistant", "content": ""})
        record: dict[str, Any] = {}
        async for record in work.events():  # noqa: B007  (the last one is the answer)
            pass
        for part in re.findall(r".+?(?:\n\n|\Z)", text(record), re.S):
            yield _chunk(head, {"content": part})
        yield _chunk(head, {}, finish="stop", hoptrace=extra(record))
        if wants_usage:
            yield _data({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(record)})
    except Exception as error:  # told in the stream: its status has gone out long ago
        failed(request.scope, error)
        yield _data(openai_error(error))
    yield "data: [DONE]\n\n"


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish: Literal["stop"] | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return _data({**head, "object": "chat.completion.chunk", "choices": [choice], **more})


def _data(value: Any) -> str:
    return f"data: {dumps(value)}\n\n"


def text(record: Mapping[str, Any]) -> str:
    """An answer as Markdown: its text with marks, and the sources that they point to."""
    ids = {str(citation["id"]) for citation in record["citations"]}
    said = escaped(one_line(record["text"]), ids)
    missing = [f"[{one}]" for one in sorted(ids, key=int) if f"[{one}]" not in said]
    lines = [
        f"[{c['id']}] {escaped(one_line(c['source']))}:{c['start']}-{c['end']} “{escaped(one_line(c['quote']))}”"
        + ("" if c["verified"] else " (not confirmed)")
        for c in record["citations"]
    ]
    return "\n\n".join([" ".join([said, *missing]), *(["Sources:", *lines] if lines else [])])


def escaped(said: str, ids: set[str] | frozenset[str] = frozenset()) -> str:
    """Text that Markdown shows as it is; marks of these ids stay marks.

    >>> print(escaped("Ann ![x](http://evil) [1] [9]", {"1"}))
    Ann \\!\\[x\\](http://evil) [1] \\[9\\]
    """
    plain = _MARKUP.sub(lambda match: "\\" + match[0], said)
    return _MARK.sub(lambda match: f"[{match[1]}]" if match[1] in ids else match[0], plain)


def extra(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer rests on, for clients that know of it."""
    names = ("number", "answers", "status", "confidence", "paths", "citations", "usage")
    return {**{name: record[name] for name in names}, "gate": record["route"]}


def _usage(record: Mapping[str, Any]) -> dict[str, int]:
    """Tokens of a model, where one composed the answer; what the evidence measures is in `hoptrace.usage`."""
    prompt, completion = record["usage"]["prompt_tokens"], record["usage"]["completion_tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


__all__ = ["escaped", "extra", "router", "text"]
