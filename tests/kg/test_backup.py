"""A copy of a graph while it is written: one committed state, complete or not there. Part of fault test F20."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hoptrace.kg import backup as copying
from hoptrace.kg.backup import backup
from hoptrace.kg.doctor import check
from hoptrace.kg.errors import InputError, StorageError
from hoptrace.kg.graph import KnowledgeGraph

Write = Callable[..., None]
WRITER = """
import sys
from hoptrace import KnowledgeGraph
with KnowledgeGraph.open(sys.argv[1]) as kg:
    for i in range(100000):
        kg.add(f"Firm {i}", "owned by", f"Holding {i}")
        print(i, flush=True)
"""


def test_a_copy_is_the_same_graph_and_goes_its_own_way(tmp_path: Path, write: Write) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        write(kg, [("Alda Works", "owned by", "Alda Holding")])
        (kg.path / "wordings.toml").write_text("")
        kg.adjacency()
        made = backup(kg, tmp_path / "copies" / "monday.kg")
        with KnowledgeGraph.open(made) as copy:
            assert copy.content_hash() == kg.content_hash()
            assert not list(copy.verify())
            assert [finding for finding in check(copy, verify=True) if finding.severity == "error"] == []
            copy.add("Bering Works", "owned by", "Bering Holding")
            assert copy.content_hash() != kg.content_hash()
        assert (made / "wordings.toml").is_file()
        assert (kg.path / "derived").is_dir()
        assert sorted(p.name for p in (tmp_path / "copies").iterdir()) == ["monday.kg"]


def test_a_copy_made_while_another_process_writes_is_one_committed_state(tmp_path: Path) -> None:
    KnowledgeGraph.open(tmp_path / "kg").close()
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "kg")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        for i in range(3):
            acknowledged = int(child.stdout.readline())
            with KnowledgeGraph.open(tmp_path / "kg", read_only=True) as kg:
                made = backup(kg, tmp_path / f"copy{i}.kg")
            with KnowledgeGraph.open(made, read_only=True) as copy:
                assert not list(copy.verify())
                assert copy.stats()["triples"] >= acknowledged + 1
                assert copy.stats()["triples"] == copy.stats()["sources"]
    finally:
        child.kill()
        child.wait()


def test_a_backup_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with KnowledgeGraph.open(tmp_path / "kg") as kg, pytest.raises(InputError, match="exists"):
        backup(kg, tmp_path / "there")


def test_a_backup_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying, "_copy", full)
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        with pytest.raises(StorageError, match="No space"):
            backup(kg, tmp_path / "copies" / "monday.kg")
        assert not list((tmp_path / "copies").iterdir())
