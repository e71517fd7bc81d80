"""The MCP server with the official client: in process, over stdio, and over HTTP with and without a token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("mcp")

import anyio
import httpx2
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.interfaces.mcp_server import GraphServer, offered, serve_http
from hoptrace.agents.interfaces.registry import COMMANDS, Command, Result, call, schema
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import InputError, MissingPathError
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

QUESTION = "Where is Brightwater Labs headquartered?"
SERVE = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "mcp"]


def with_client(target: Any, talk: Callable[[Client], Any]) -> Any:
    async def go() -> Any:
        async with Client(target) as client:
            return await talk(client)

    return anyio.run(go)


def called(session: Session, name: str, given: dict[str, Any], **allowed: bool) -> Any:
    return with_client(GraphServer(session, **allowed), lambda client: client.call_tool(name, given))


def refused(session: Session, ask: Callable[[Client], Any]) -> str:
    """What a request is refused with."""

    async def talk(client: Client) -> str:
        try:
            await ask(client)
        except MCPError as error:
            return str(error)
        raise AssertionError("it was answered")

    return str(with_client(GraphServer(session), talk))


@pytest.mark.parametrize("allowed", [{}, {"sparql": True}, {"writes": True}, {"writes": True, "sparql": True}])
def test_the_tools_are_the_commands_of_the_registry(session: Session, allowed: dict[str, bool]) -> None:
    tools = {tool.name: tool for tool in with_client(GraphServer(session, **allowed), lambda c: c.list_tools()).tools}
    assert set(tools) == set(offered(**allowed))
    for name, tool in tools.items():
        command = COMMANDS[name]
        assert not command.local
        assert tool.input_schema == schema(command)
        assert (tool.description, tool.annotations.read_only_hint) == (command.help, not command.writes)
        assert tool.annotations.destructive_hint == command.writes
    missing = {name for name, command in COMMANDS.items() if not command.local} - set(tools)
    assert missing == {n for n in missing if COMMANDS[n].writes or n == "sparql"}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("path", {"start": "Orla Vance", "end": "Norland"}),
        ("entity", {"name": "Brightwater Labs"}),
        ("neighbors", {"name": "Tarn City", "limit": 2}),
        ("search", {"question": "Who founded Brightwater Labs?", "limit": 2}),
        ("history", {"name": "Tarn City"}),
        ("sparql", {"query": "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"}),
        ("stats", {}),
    ],
)
def test_a_tool_gives_what_its_command_gives(session: Session, name: str, given: dict[str, Any]) -> None:
    got = called(session, name, given, sparql=True)
    assert not got.is_error
    assert got.structured_content == json.loads(json.dumps(call(session, name, given).to_dict()))
    assert "\x1b" not in got.content[0].text


def test_an_answer_can_be_looked_into(session: Session) -> None:
    async def talk(client: Client) -> tuple[Any, Any, Any, Any]:
        answer = await client.call_tool("ask", {"question": QUESTION, "as_of": "2020-01-01"})
        number = answer.structured_content["number"]
        why = await client.call_tool("why", {"number": number})
        sources = await client.call_tool("sources", {"number": number})
        not_that = await client.call_tool("why-not", {"question": [QUESTION], "entity": "Norland"})
        return answer, why, sources, not_that

    answer, why, sources, not_that = with_client(GraphServer(session), talk)
    assert answer.structured_content["answers"] == ["Tarn City"]
    assert "Tarn City [1]" in answer.content[0].text
    assert why.structured_content == json.loads(json.dumps(call(session, "why", {}).to_dict()))
    assert sources.structured_content["citations"][0]["verified"]
    assert not_that.structured_content["entity"] == "Norland"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("entity", {"name": "Nobody Known"}, "no entity 'Nobody Known'"),
        ("entity", {}, "entity needs name: a name, alias, IRI or entity id"),
        ("entity", {"name": "x", "colour": "red"}, "entity has no argument 'colour'; it has name, limit"),
        ("ask", {"question": " "}, "the question is empty"),
        ("why", {"number": 7}, "no answer yet: ask a question first"),
        ("teach", {"subject": "a", "relation": "b", "object": "c"}, "no tool teach; there are "),
        ("sparql", {"query": "ASK { ?s ?p ?o }"}, "no tool sparql; there are "),
        ("ingest", {"paths": ["/etc"]}, "no tool ingest; there are "),
    ],
)
def test_an_error_is_one_line(session: Session, name: str, given: dict[str, Any], said: str) -> None:
    got = called(session, name, given, writes=False)
    assert got.is_error
    text = got.content[0].text
    assert text.startswith(said)
    assert "\n" not in text


def test_a_crash_tells_its_kind_and_no_more(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(session: Session) -> Result:
        raise RuntimeError("the secret of /root")

    monkeypatch.setitem(COMMANDS, "crash", Command("crash", "", run))
    got = called(session, "crash", {})
    assert (got.is_error, got.content[0].text) == (True, "crash failed: RuntimeError")


def test_writing_needs_the_flag(session: Session) -> None:
    fact = {"subject": "Piet Aalders", "relation": "born in", "object": "Skerry"}
    assert called(session, "teach", fact).is_error
    assert called(session, "teach", fact, writes=True).structured_content["object"] == "Skerry"
    assert called(session, "undo", {}, writes=True).structured_content["action"] == "undo"


def test_a_graph_that_is_not_there_is_made_for_writers_only(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError):
        GraphServer(Session(tmp_path / "none"))
    session = Session(tmp_path / "new")
    assert GraphServer(session, writes=True).offered["teach"]
    session.close()


def test_passages_and_sources_are_resources(session: Session) -> None:
    found = call(session, "search", {"question": QUESTION, "limit": 1}).to_dict()["passages"][0]

    async def talk(client: Client) -> tuple[Any, ...]:
        listed = (await client.list_resources()).resources
        templates = {template.uri_template for template in (await client.list_resource_templates()).resource_templates}
        one = await client.read_resource(f"hoptrace://chunk/{found['chunk_id']}")
        whole = await client.read_resource(f"hoptrace://source/{quote(found['source'], safe='')}")
        again = await client.read_resource(str(listed[0].uri))
        return listed, templates, *(json.loads(read.contents[0].text) for read in (one, whole, again))

    listed, templates, chunk, whole, again = with_client(GraphServer(session), talk)
    assert {resource.name for resource in listed} == {"labs", "Tarn City"}
    assert templates == {"hoptrace://chunk/{id}", "hoptrace://source/{uri}"}
    assert {name: chunk[name] for name in ("chunk_id", "source", "start", "end", "text")} == {
        name: found[name] for name in ("chunk_id", "source", "start", "end", "text")
    }
    assert whole["text"][found["start"] : found["end"]] == found["text"]
    assert again["length"] == len(again["text"])


@pytest.mark.parametrize("address", ["chunk/c0123456789abcdef", "source/no.txt", "source/..%2F..%2Fetc%2Fpasswd", "other/x"])
def test_an_unknown_resource_is_an_error(session: Session, address: str) -> None:
    assert "\n" not in refused(session, lambda client: client.read_resource(f"hoptrace://{address}"))


def test_the_prompt_asks_for_citations(session: Session) -> None:
    async def talk(client: Client) -> tuple[Any, Any]:
        return await client.list_prompts(), await client.get_prompt("cited", {"question": QUESTION})

    listed, got = with_client(GraphServer(session), talk)
    assert [(p.name, [a.name for a in p.arguments]) for p in listed.prompts] == [("cited", ["question"])]
    text = got.messages[0].content.text
    assert QUESTION in text
    assert {tool for tool in offered() if f"`{tool}`" in text} >= {"ask", "path", "entity", "search"}
    assert refused(session, lambda client: client.get_prompt("none", {})) == "no prompt none; there are cited"
    assert "takes ['question'], got []" in refused(session, lambda client: client.get_prompt("cited", {}))


def test_the_server_answers_while_a_command_runs(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = threading.Event()

    def run(session: Session) -> Result:
        return Result({"listed": listed.wait(20)}, lambda out: None)

    async def talk(client: Client) -> Any:
        async def slow() -> None:
            got.append(await client.call_tool("slow", {}))

        got: list[Any] = []
        async with anyio.create_task_group() as group:
            group.start_soon(slow)
            await anyio.sleep(0.1)
            assert not got
            await client.list_tools()
            listed.set()
        return got[0].structured_content

    monkeypatch.setitem(COMMANDS, "slow", Command("slow", "", run))
    assert with_client(GraphServer(session), talk) == {"listed": True}


# ---- transports


async def _a_tour(client: Client) -> tuple[list[str], Any, Any]:
    tools = [tool.name for tool in (await client.list_tools()).tools]
    answer = await client.call_tool("ask", {"question": QUESTION})
    failed = await client.call_tool("entity", {"name": "Nobody Known"})
    return tools, answer.structured_content["answers"], failed.content[0].text


def test_over_stdio(folder: Path) -> None:
    command, *arguments = SERVE
    parameters = StdioServerParameters(command=command, args=[*arguments, "--allow-sparql"], env=dict(os.environ))
    tools, answers, failed = with_client(stdio_client(parameters), _a_tour)
    assert tools == list(offered(sparql=True))
    assert (answers, failed) == (["Tarn City"], "no entity 'Nobody Known'")


@contextmanager
def served(token: str = "") -> Iterator[str]:
    """The address of a server on a free port of this machine."""
    environment = {**os.environ, "HOPTRACE_TOKEN": token}
    with subprocess.Popen([*SERVE, "--http", "0"], env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[-1]
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_over_http(folder: Path) -> None:
    with served() as address:
        tools, answers, failed = with_client(address, _a_tour)
        assert tools == list(offered())
        assert (answers, failed) == (["Tarn City"], "no entity 'Nobody Known'")
        json_type = {"content-type": "application/json"}
        assert httpx2.post(address, headers={"host": "evil.example", **json_type}).status_code == 421
        assert httpx2.post(address, headers={"origin": "http://evil.example", **json_type}).status_code == 403
        assert httpx2.post(address, content=b"x" * (2 << 20), headers=json_type).status_code == 413


def test_a_token_that_is_set_is_asked_for(folder: Path) -> None:
    with served("s3cret") as address:
        for given in ({}, {"authorization": "Bearer wrong"}, {"authorization": "s3cret"}):
            refused = httpx2.post(address, headers=given)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")

        async def go() -> Any:
            async with (
                httpx2.AsyncClient(headers={"authorization": "Bearer s3cret"}) as http,
                Client(streamable_http_client(address, http_client=http)) as client,
            ):
                return await _a_tour(client)

        assert anyio.run(go)[1] == ["Tarn City"]


def test_other_machines_need_a_token(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOPTRACE_TOKEN", raising=False)
    server = GraphServer(session)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):  # noqa: S104
        with pytest.raises(InputError, match="HOPTRACE_TOKEN"):
            serve_http(server, host, 0)
    for port in (-1, 65536):
        with pytest.raises(InputError, match="no port"):
            serve_http(server, "127.0.0.1", port)


def test_a_missing_graph_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--kg", str(tmp_path / "none")]) == 66
    assert capsys.readouterr().err.count("\n") == 1
