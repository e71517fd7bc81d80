"""Limits of the server: size, pace, number, and that nobody else pays for a client who keeps none of them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.interfaces.session import Session
from hoptrace.agents.steps import Composed

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
from hoptrace.agents.interfaces import limits as limits_module
from hoptrace.agents.interfaces.limits import Limits
from hoptrace.agents.interfaces.server import Settings
from hoptrace.agents.interfaces.tenants import Tenant

HEAD = b"POST /ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SLOW = 0.4  # seconds that a request may take in these tests


@pytest.fixture
def tight(folder: Path, serve: Any) -> Iterator[Any]:
    """A server with a body of 20,000 bytes, one of 60,000 to ingest, little patience, one thread and one place to wait."""
    limits = Limits(body=20_000, ingest=60_000, request_seconds=SLOW, send_seconds=SLOW, threads=1, queue=1)
    with serve(Settings([Tenant("default", folder)], writes=True, limits=limits)) as one:
        yield one


def chunked(path: str, size: int) -> bytes:
    parts = b"".join(b"400\r\n" + b" " * 1024 + b"\r\n" for _ in range(size // 1024))
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + parts + b"0\r\n\r\n"


@pytest.mark.parametrize(("path", "limit"), [("/ask", 20_000), ("/ingest", 60_000), ("/v1/chat/completions", 20_000)])
def test_a_body_too_large_is_refused_by_its_length_and_as_it_comes(tight: Any, path: str, limit: int) -> None:
    response = tight.client.post(path, content=b" " * (limit + 1), headers={"content-type": "application/json"})
    assert response.status_code == 413
    said = response.json()["error"]
    assert (said["code"] if path.startswith("/v1") else response.json()["kind"]) == "BodyTooLargeError"
    assert tight.raw(chunked(path, limit + 4096)).startswith(b"HTTP/1.1 413 ")
    assert tight.raw(chunked(path, limit - 4096)).startswith(b"HTTP/1.1 400 ")


def test_a_length_that_is_none_is_refused(tight: Any) -> None:
    for length in (b"-1", b"1e3", b"99999999999999999999999999", b""):
        answer = tight.raw(HEAD + b"Connection: close\r\nContent-Length: " + length + b"\r\n\r\n")
        assert answer.split()[1] in (b"400", b"413"), answer


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /ask HT",
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHo",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + HEAD + b"Content-Length: 100\r\n\r\n{",
    ],
    ids=["nothing", "line", "headers", "body", "chunk", "second", "second body"],
)
def test_a_request_that_never_ends_is_closed(tight: Any, begun: bytes) -> None:
    started = time.monotonic()
    answer = tight.raw(begun)
    assert SLOW / 2 < time.monotonic() - started < 10 * SLOW + 5
    last = answer.rpartition(b"HTTP/1.1 ")[2]
    assert not last or last.startswith((b"408 ", b"200 "))
    assert answer.count(b"408 ") <= 1
    assert tight.client.get("/healthz").status_code == 200


def test_drops_do_not_buy_time(tight: Any) -> None:
    """One byte now and then is as slow as none."""
    with socket.create_connection(("127.0.0.1", tight.port), timeout=5) as client:
        client.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        started = time.monotonic()
        with pytest.raises(OSError, match=r"."):  # noqa: PT012
            while time.monotonic() - started < 20:
                client.sendall(b" ")
                time.sleep(SLOW / 8)
        assert time.monotonic() - started < 19


def test_a_body_that_comes_steadily_has_longer(tight: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "RATE", 1000)
    body = json.dumps({"question": "Who founded Brightwater Labs?"}).encode().ljust(12_000)
    with socket.create_connection(("127.0.0.1", tight.port), timeout=20) as client:
        client.sendall(HEAD + b"Content-Length: 12000\r\n\r\n")
        for at in range(0, 12_000, 1000):
            client.sendall(body[at : at + 1000])
            time.sleep(SLOW / 4)
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")


def test_more_than_may_wait_are_told_to_come_again(tight: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    asked = Session.ask

    def slow(self: Session, *args: Any, **more: Any) -> dict[str, Any]:
        free.wait(20)
        return asked(self, *args, **more)

    monkeypatch.setattr(Session, "ask", slow)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(tight.post, "ask", question="Who founded Brightwater Labs?") for _ in range(8)]
        refused = 0
        while refused < 6:
            refused = sum(future.done() for future in waiting)
            time.sleep(0.01)
        assert tight.client.get("/healthz").status_code == 200  # those who wait hold up nobody else
        for path in ("ask/stream", "v1/chat/completions"):
            given = (
                {"question": "x"} if path == "ask/stream" else {"messages": [{"role": "user", "content": "x"}], "stream": True}
            )
            assert tight.post(path, **given).status_code == 429
        free.set()
        answers = [future.result() for future in waiting]
    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [429] * 6
    busy = next(answer for answer in answers if answer.status_code == 429)
    assert (busy.headers["retry-after"], busy.json()["kind"]) == ("1", "BusyError")


@pytest.mark.parametrize("path", [b"/ask", b"/ask/stream"])
def test_a_client_that_does_not_read_is_left(tight: Any, path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no thread while its answer waits to be read, and is cut off in the end."""

    def big(self: Session, question: str, **_: Any) -> dict[str, Any]:
        for _ in range(16):
            self.watch(Composed("x", "x" * 2**20))
        return {"status": "answered", "route": {"action": "x"}, "big": "x" * 2**24}

    monkeypatch.setattr(Session, "ask", big)
    with socket.create_connection(("127.0.0.1", tight.port), timeout=20) as client:
        client.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\n" % path + b'{"question": "x"}')
        assert client.recv(20).startswith(b"HTTP/1.1 200 ")
        monkeypatch.undo()
        assert tight.post("ask", question="Who founded Brightwater Labs?").status_code == 200
        time.sleep(4 * SLOW)
        received = 0
        with contextlib.suppress(ConnectionError):
            while part := client.recv(2**20):
                received += len(part)
        assert received < 2**24


def test_a_question_takes_no_longer_than_the_server_allows(folder: Path) -> None:
    session = Session(folder, seconds=0.0)
    given: dict[str, Any] = {"question": "Where is Brightwater Labs headquartered?"}
    from hoptrace.agents.interfaces.registry import call

    call(session, "ask", given | {"seconds": 100})
    (trace,) = [step for step in session.answers.get()["trace"] if step["step"] == "retrieved"]
    assert trace["truncated"] == ["seconds"]
    session.close()
