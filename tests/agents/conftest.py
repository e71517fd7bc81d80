"""A small graph, read once, that the tests of the surfaces copy and work on."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces import render, repl
from hoptrace.agents.interfaces.session import Session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

Typed = Callable[..., str]

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
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "kg"


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    """One sitting with the graph in `folder`."""
    made = Session(folder)
    yield made
    made.close()


@pytest.fixture
def type_in(folder: Path) -> Typed:
    """Type keys (Ctrl-D is added) at a prompt over the graph; returns everything shown."""

    def typed(keys: str, *, plain: bool = False, rows: int | None = None) -> str:
        buffer = io.StringIO()
        session = Session(folder)
        with create_pipe_input() as pipe:
            pipe.send_text(keys + "\x04")
            pipe.close()  # nothing waits for more keys
            screen = render.console(buffer, plain=plain, most_rows=rows)
            code = repl.run(session, plain=plain, input=pipe, output=DummyOutput(), out=screen)
        session.close()
        assert code == 0
        return buffer.getvalue()

    return typed
