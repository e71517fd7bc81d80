"""OpenAI's own client against the server: models, answers, streams, errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.interfaces.session import Session

pytest.importorskip("openai")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
import openai
from hoptrace.agents.interfaces.openai_api import escaped, text
from hoptrace.agents.interfaces.server import Settings
from hoptrace.agents.interfaces.tenants import Tenant, digest

TOKEN = "t" * 32
ASKED: list[dict[str, Any]] = [
    {"role": "system", "content": "You are a pirate."},
    {"role": "user", "content": "Who founded Brightwater Labs?"},
    {"role": "assistant", "content": "Orla Vance."},
    {"role": "user", "content": [{"type": "text", "text": "Where is Brightwater Labs headquartered?"}]},
]


@pytest.fixture
def guarded(folder: Path, serve: Any) -> Iterator[Any]:
    with serve(Settings([Tenant("default", folder, (digest(TOKEN),))]), token=TOKEN) as one:
        yield one


def client(served: Any, token: str = TOKEN) -> Any:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key=token, max_retries=0)


def test_the_official_client_lists_asks_and_streams(guarded: Any) -> None:
    hop = client(guarded)
    (model,) = hop.models.list().data
    assert model.id == "hoptrace"
    whole = hop.chat.completions.create(model=model.id, messages=ASKED, temperature=0.3, seed=1)
    said = whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "stop"
    assert said.splitlines()[0].endswith("Tarn City [1].")
    assert "Sources:" in said
    assert said.splitlines()[-1].startswith("[1] labs.txt:")
    rest = whole.model_extra["hoptrace"]
    assert (rest["number"], rest["answers"], rest["gate"]["action"]) == (1, ["Tarn City"], "path")
    assert rest["citations"][0]["verified"]
    assert rest["paths"][0]["hops"][0]["object"] == "Tarn City"
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    chunks = list(hop.chat.completions.create(model="x", messages=ASKED, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == said
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert next(c for c in chunks if c.choices and c.choices[0].finish_reason).model_extra["hoptrace"]["answers"] == ["Tarn City"]


def test_a_stream_ends_as_openai_ends_it(guarded: Any) -> None:
    body = guarded.post("v1/chat/completions", messages=ASKED, stream=True).text
    assert body.endswith("data: [DONE]\n\n")
    assert body.count("[DONE]") == 1


def test_an_abstention_is_an_answer_without_sources(guarded: Any) -> None:
    asked = [{"role": "user", "content": "Who owns Nowhere Mills?"}]
    said = client(guarded).chat.completions.create(model="hoptrace", messages=asked).choices[0].message.content
    assert said == "I don't know: nothing in the graph is named Nowhere Mills."


def test_errors_have_openais_shape(guarded: Any) -> None:
    with pytest.raises(openai.AuthenticationError, match="a token is needed"):
        client(guarded, "wrong").models.list()
    hop = client(guarded).chat.completions
    for messages in ([], [{"role": "system", "content": "x"}], [{"role": "user", "content": " "}]):
        with pytest.raises(openai.BadRequestError) as caught:
            hop.create(model="hoptrace", messages=messages)
        assert caught.value.type == "invalid_request_error"
    with pytest.raises(openai.NotFoundError):
        client(guarded).models.retrieve("other")
    with pytest.raises(openai.APIError, match="the question is empty"):
        list(hop.create(model="hoptrace", messages=[{"role": "user", "content": " "}], stream=True))


def test_an_error_of_the_servers_own_is_told_in_the_stream(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Session, "ask", fail)
    with pytest.raises(openai.APIError) as caught:
        list(client(guarded).chat.completions.create(model="hoptrace", messages=ASKED, stream=True))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("![x](http://evil/?q)", "\\!\\[x\\](http://evil/?q)"),
        ("[click][1]", "\\[click\\][1]"),
        ("fact [1], fact [2].", "fact [1], fact \\[2\\]."),
        ("[1](http://evil)", "\\[1\\](http://evil)"),
        ("[1]: http://evil", "\\[1\\]: http://evil"),
        ("<img src=x> `x`", "\\<img src=x\\> \\`x\\`"),
        ("\\[x](y)", "\\\\\\[x\\](y)"),
    ],
)
def test_markdown_of_documents_is_shown_and_not_obeyed(said: str, shown: str) -> None:
    assert escaped(said, {"1"}) == shown


def test_marks_that_the_text_lacks_are_added() -> None:
    citation = {"id": 2, "source": "a_[b].txt", "start": 0, "end": 4, "quote": "Yes.\n[9]", "verified": False}
    record = {"text": "Yes.", "citations": [citation]}
    assert text(record) == "Yes. [2]\n\nSources:\n\n[2] a_\\[b\\].txt:0-4 “Yes. \\[9\\]” (not confirmed)"
