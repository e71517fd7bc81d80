"""Published generations: whole or not at all, never a crash, readers keep what they hold."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.generations import Generations
from hypothesis import given, settings
from hypothesis import strategies as st

ARRAYS = {"a": np.arange(20, dtype=np.int32), "b": np.zeros((3, 4), dtype=np.float32), "none": np.zeros(0, np.int64)}


def quiet(home: Generations, kind: str = "graph") -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return home.current(kind)


def test_what_is_published_is_what_is_read(tmp_path: Path) -> None:
    Generations(tmp_path).publish("graph", ARRAYS, {"seq": 4})
    generation = Generations(tmp_path).current("graph")
    assert generation is not None
    assert generation.meta == {"seq": 4}
    for name, array in ARRAYS.items():
        assert generation.array(name).dtype == array.dtype
        assert np.array_equal(generation.array(name), array)
    assert not generation.array("a").flags.writeable


def test_nothing_published_is_none_without_a_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Generations(tmp_path / "absent").current("graph") is None


def test_a_reader_keeps_its_generation_when_a_newer_one_replaces_it(tmp_path: Path) -> None:
    home = Generations(tmp_path)
    home.publish("graph", {"a": np.full(5, 1)}, {})
    old = home.current("graph")
    home.publish("graph", {"a": np.full(5, 2)}, {})
    assert old is not None
    assert old.array("a").tolist() == [1] * 5
    new = home.current("graph")
    assert new is not None
    assert new.array("a").tolist() == [2] * 5
    assert [path.name for path in sorted((tmp_path / "graph").glob("gen-*"))] == ["gen-000002"]


def test_kinds_do_not_touch_each_other(tmp_path: Path) -> None:
    home = Generations(tmp_path)
    home.publish("graph", {"a": np.arange(3)}, {})
    home.publish("vectors", {"a": np.arange(9)}, {})
    graph = home.current("graph")
    assert graph is not None
    assert len(graph.array("a")) == 3


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_damaged_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("gen")
    Generations(root).publish("graph", ARRAYS, {"seq": 4})
    files = sorted(path for path in (root / "graph").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    how = data.draw(st.sampled_from(["flip", "cut", "remove"]))
    if how == "remove":
        path.unlink()
    elif how == "cut":
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 2))])
    else:
        content[data.draw(st.integers(0, len(content) - 2))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
    assert quiet(Generations(root)) is None
    Generations(root).publish("graph", ARRAYS, {"seq": 5})
    again = Generations(root).current("graph")
    assert again is not None
    assert again.meta == {"seq": 5}
    shutil.rmtree(root)


def test_swapped_files_are_noticed(tmp_path: Path) -> None:
    Generations(tmp_path).publish("graph", {"a": np.arange(4), "b": np.arange(4) + 1}, {})
    folder = next((tmp_path / "graph").glob("gen-*"))
    (folder / "a.npy").rename(folder / "x")
    (folder / "b.npy").rename(folder / "a.npy")
    (folder / "x").rename(folder / "b.npy")
    with pytest.warns(UserWarning, match="damaged"):
        assert Generations(tmp_path).current("graph") is None


def test_a_file_nobody_wrote_to_is_hashed_only_on_request(tmp_path: Path) -> None:
    """A write that hides its time is what a failing disk looks like: opening trusts the time, a thorough look does not."""
    home = Generations(tmp_path)
    home.publish("graph", {"a": np.arange(4)}, {})
    path = next((tmp_path / "graph").glob("gen-*/a.npy"))
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert quiet(home) is None
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert quiet(home) is not None
    with pytest.warns(UserWarning, match="sha256"):
        assert home.current("graph", thorough=True) is None


def test_a_copy_with_other_times_is_hashed_and_read(tmp_path: Path) -> None:
    Generations(tmp_path / "one").publish("graph", ARRAYS, {})
    shutil.copytree(tmp_path / "one", tmp_path / "two", copy_function=shutil.copyfile)
    copied = Generations(tmp_path / "two").current("graph")
    assert copied is not None
    assert np.array_equal(copied.array("a"), ARRAYS["a"])


def test_a_pointer_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    Generations(tmp_path / "in").publish("graph", ARRAYS, {})
    Generations(tmp_path / "out").publish("graph", ARRAYS, {})
    pointer = tmp_path / "in" / "graph" / "CURRENT"
    pointer.write_text("../../out/graph/" + pointer.read_text())
    with pytest.warns(UserWarning, match="damaged"):
        assert Generations(tmp_path / "in").current("graph") is None


def test_a_read_only_user_gets_the_index_in_memory(tmp_path: Path) -> None:
    generation = Generations(tmp_path / "derived", read_only=True).publish("graph", ARRAYS, {"seq": 1})
    assert np.array_equal(generation.array("a"), ARRAYS["a"])
    assert not (tmp_path / "derived").exists()


def test_a_folder_that_cannot_be_written_keeps_the_index_in_memory(tmp_path: Path) -> None:
    (tmp_path / "derived").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="stays in memory"):
        generation = Generations(tmp_path / "derived").publish("graph", ARRAYS, {"seq": 1})
    assert generation.folder is None
    assert np.array_equal(generation.array("b"), ARRAYS["b"])


def test_objects_are_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object"):
        Generations(tmp_path).publish("graph", {"a": np.array([{}], dtype=object)}, {})
    assert list((tmp_path / "graph").iterdir()) == []


def test_drafts_of_dead_processes_are_removed(tmp_path: Path) -> None:
    home = tmp_path / "graph"
    (home / ".new-dead").mkdir(parents=True)
    (home / ".new-alive").mkdir()
    os.utime(home / ".new-dead", (0, 0))
    Generations(tmp_path).publish("graph", ARRAYS, {})
    assert sorted(path.name for path in home.iterdir()) == [".new-alive", "CURRENT", "gen-000001"]
