"""A small graph, read once, that the tests of the surfaces copy and work on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces.session import Session

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
