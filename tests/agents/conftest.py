"""A small graph, read once, that the tests of the surfaces copy and work on; and a real server on a free port."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces.session import Session

if TYPE_CHECKING:
    import httpx
    from hoptrace.agents.interfaces.server import Settings

DOCUMENTS = {
    "labs.txt": "Orla Vance founded Brightwater Labs in 2011. Brightwater Labs is headquartered in Tarn City.\n",
    "city.md": "# Tarn City\n\nTarn City is located in Norland. The mayor of Tarn City is Piet Aalders.\n",
}


@pytest.fixture(scope="session")
def _read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("surfaces")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, "utf-8")
    with KnowledgeGraph.open(folder / "kg") as kg:
        kg.ingest([str(folder / name) for name in DOCUMENTS])
    return folder


@pytest.fixture
def folder(_read_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A graph's folder, private to the test; it is also what HOPTRACE_KG names."""
    shutil.copytree(_read_once, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("HOPTRACE_KG", str(tmp_path / "kg"))
    return tmp_path / "kg"


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    """One sitting with the graph in `folder`."""
    made = Session(folder)
    yield made
    made.close()


@dataclass
class Served:
    """A running server: where it is, and a client that carries a token."""

    port: int
    client: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, /, **given: Any) -> httpx.Response:
        return self.client.post(f"/{path}", json=given)

    def raw(self, data: bytes, *, wait: float = 10.0) -> bytes:
        """What comes back for these bytes until the server closes the connection, at most `wait` seconds."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            connection.sendall(data)
            found = b""
            while part := connection.recv(65536):
                found += part
            return found

    def events(self, path: str, /, **given: Any) -> list[tuple[str, str]]:
        """(event, data) of what is streamed for a question."""
        blocks = filter(None, self.post(path, **given).text.split("\n\n"))
        pairs = (block.partition("\n") for block in blocks)
        return [(event.removeprefix("event: "), data.removeprefix("data: ")) for event, _, data in pairs]


Serve = Callable[..., AbstractContextManager[Served]]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """`with serve(settings, token="") as served`: uvicorn in a thread, with the settings' own limits."""
    import httpx
    import uvicorn
    from hoptrace.agents.interfaces.server import configured

    @contextmanager
    def running(settings: Settings, token: str = "") -> Iterator[Served]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(configured(settings))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            headers = {"authorization": f"Bearer {token}"} if token else {}
            port = listening.getsockname()[1]
            try:
                while not server.started:
                    time.sleep(0.01)
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
                    yield Served(port, client)
            finally:
                server.should_exit = True
                thread.join(20)
                assert not thread.is_alive()

    return running
