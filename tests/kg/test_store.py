"""The SQLite store: the shipped contract, and what is particular to a file on a disk that can break."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hoptrace.kg.errors import CorruptionError, LockedError, MissingPathError, SchemaVersionError, StorageError
from hoptrace.kg.model import Fact, Literal, Name, Status, stable_id, text_hash
from hoptrace.kg.sqlite import SQLiteStore
from hoptrace.kg.testing import StoreContract
from hoptrace.kg.testing_samples import ALL, FOUNDED, OWNS, document, edge_set, erase, put
from hypothesis import given, settings
from hypothesis import strategies as st


class TestSQLiteStore(StoreContract):
    def make(self, folder: Path) -> SQLiteStore:
        return SQLiteStore(folder)


# ---- a process that dies, a disk that fills, bytes that rot

CHILD = """
import sys
from pathlib import Path
from hoptrace.kg.sqlite import SQLiteStore
from hoptrace.kg.testing_samples import document, put
store = SQLiteStore(Path(sys.argv[1]))
for i in range(100_000):
    text = f"Maker {i} supplies Buyer {i % 7} with part {i}. " + "filler words " * 40
    put(store, document(f"{i}.txt", text, (f"Maker {i}", "supplies", f"Buyer {i % 7}")))
    print(i, flush=True)
"""


def child(folder: Path, prelude: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", prelude + CHILD, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    process = child(tmp_path)
    assert process.stdout
    for _ in range(20):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    acknowledged = [last, *(int(line) for line in process.stdout.read().split("\n") if line.strip().isdigit())]
    process.wait()
    store = SQLiteStore(tmp_path)
    kept = {source.uri for source in store.sources()}
    assert {f"{i}.txt" for i in range(max(acknowledged) + 1)} <= kept
    assert list(store.verify()) == []
    put(store, OWNS)  # the lock died with the process


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_full_disk_is_a_named_error_and_earlier_documents_stay(tmp_path: Path) -> None:
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
    out, err = child(tmp_path, limit).communicate()
    assert "StorageFullError" in err.strip().splitlines()[-1]
    store = SQLiteStore(tmp_path)
    assert {source.uri for source in store.sources()} == {f"{line}.txt" for line in out.split()}
    assert list(store.verify()) == []
    put(store, OWNS)


def damaged(folder: Path, sql: str) -> SQLiteStore:
    """A store with one value changed behind its back."""
    store = SQLiteStore(folder)
    for one in ALL:
        put(store, one, size=400)
    store.close()
    db = sqlite3.connect(folder / "kg.sqlite")
    db.execute(sql)
    db.commit()
    db.close()
    return SQLiteStore(folder)


def test_a_changed_chunk_is_never_shown(tmp_path: Path) -> None:
    store = damaged(tmp_path, "UPDATE chunk SET text = replace(text, 'Norway', 'Narwoy')")
    (bad,) = store.sources(uri="c.txt")
    with pytest.raises(CorruptionError, match="hash"):
        store.text(bad.id)
    with pytest.raises(CorruptionError, match=bad.id):
        list(store.triples(source_id=bad.id))
    assert any("c.txt" in line and "hash" in line for line in store.verify())
    assert store.text(next(store.sources(uri="a.txt")).id) == FOUNDED.text


def test_a_moved_span_is_never_shown(tmp_path: Path) -> None:
    store = damaged(tmp_path, "UPDATE span SET start = start + 1")
    with pytest.raises(CorruptionError):
        list(store.triples())
    assert sum("does not show" in line for line in store.verify()) == len(ALL)


def test_full_text_out_of_step_is_found(tmp_path: Path) -> None:
    store = damaged(tmp_path, "INSERT INTO fts (rowid, text) VALUES (999, 'ghost')")
    assert any("full-text" in line for line in store.verify())


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be looked at" * 40, b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kg.sqlite").write_bytes(content)
    with pytest.raises(CorruptionError, match=r"kg\.sqlite"):
        SQLiteStore(tmp_path)


def test_flipped_bytes_never_give_a_wrong_citation(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "good")
    for one in ALL:
        put(store, one)
    quotes = {(span.source_id, span.start, span.end): span.quote for triple in store.triples() for span in triple.spans}
    store.close()
    good = (tmp_path / "good" / "kg.sqlite").read_bytes()
    for round_ in range(60):
        mutant = bytearray(good)
        for k in range(4):
            mutant[(round_ * 104_729 + k * 15_485_863) % len(good)] ^= 1 << (round_ + k) % 8
        folder = tmp_path / str(round_)
        folder.mkdir()
        (folder / "kg.sqlite").write_bytes(bytes(mutant))
        try:
            shown = [span for triple in SQLiteStore(folder).triples() for span in triple.spans]
        except (StorageError, SchemaVersionError):
            continue
        assert all(quotes.get((span.source_id, span.start, span.end), span.quote) == span.quote for span in shown)


def test_a_newer_store_is_refused_by_name(tmp_path: Path) -> None:
    SQLiteStore(tmp_path).close()
    db = sqlite3.connect(tmp_path / "kg.sqlite")
    db.execute("INSERT INTO migration VALUES ('m999_from_the_future')")
    db.commit()
    db.close()
    with pytest.raises(SchemaVersionError, match="m999_from_the_future"):
        SQLiteStore(tmp_path)


# ---- opening, locking


def test_read_only_opens_only_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError):
        SQLiteStore(tmp_path, read_only=True)
    writer = SQLiteStore(tmp_path)
    put(writer, OWNS)
    reader = SQLiteStore(tmp_path, read_only=True)
    assert reader.content_hash() == writer.content_hash()
    with pytest.raises(StorageError, match="reading only"), reader.writing():
        pass
    put(writer, FOUNDED)
    assert reader.seq == writer.seq == 2


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    first, second = SQLiteStore(tmp_path), SQLiteStore(tmp_path)
    with first.writing() as writer:
        with pytest.raises(LockedError, match=f"pid {os.getpid()} "), second.writing():
            pass
        assert not list(second.sources())  # reading is never locked
        writer.set_meta("x", "1")
    put(second, OWNS)


# ---- more of what is derived


def test_a_name_in_another_case_or_order_shows_the_same_label(tmp_path: Path) -> None:
    one = document("1", "TARN PUMPS is big.", ("TARN PUMPS", "is", "big"))
    two = document("2", "Tarn Pumps is old.", ("Tarn Pumps", "is", "old"))
    three = document("3", "Tarn Pumps is new.", ("Tarn Pumps", "is", "new"))
    store = SQLiteStore(tmp_path)
    labels = []
    for one_more in (one, two, three):
        put(store, one_more)
        labels.append(store.entity("tarn pumps").label)
    assert labels == ["TARN PUMPS", "TARN PUMPS", "Tarn Pumps"]
    erase(store, next(store.sources(uri="3")).id)
    assert store.entity("tarn pumps").label == "TARN PUMPS"


def test_values_are_grounded_by_their_digits(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    text = "Tarn Pumps, born on 1 May 1998, sold pumps for 1.2 million."
    facts = [
        ("born", Literal("1998-05-01", "date")),
        ("sold for", Literal("1200000", "integer")),
        ("sold for", Literal("77", "integer")),
    ]
    put(store, document("a", text, *((Name("Tarn Pumps"), relation, value) for relation, value in facts)))
    shown = {triple.object.label: triple.status for triple in store.triples()}
    assert shown == {"1998-05-01": Status.GROUNDED, "1200000": Status.GROUNDED, "77": Status.PROPOSED}
    assert store.alias_rows("77") == [store.row_of(Literal("77", "integer").id)]


WORDS = st.sampled_from(
    ["Halden Marine", "Halden Marine Ltd", "Halden Marine Limited", "Halden Marnie", "Tarn", "Tarn Inc", "Ines Tarr"]
)
NAMES = st.builds(Name, WORDS, st.sampled_from(["", "company", "city"]), st.sampled_from(["", "", "urn:x"]))
FACTS = st.tuples(NAMES, st.sampled_from(["owns", "Owns", "flag"]), NAMES)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(FACTS, min_size=1, max_size=3), min_size=2, max_size=5), st.data())
def test_any_order_and_any_erasure_equal_a_fresh_store(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[list[tuple[Name, str, Name]]], data: st.DataObject
) -> None:
    documents = [
        document(f"{i}.txt", f"{i}: " + "; ".join(f"{s.label} {r} {o.label}" for s, r, o in body), *body)
        for i, body in enumerate(bodies)
    ]
    shuffled = data.draw(st.permutations(documents))
    dropped = data.draw(st.sets(st.sampled_from([one.uri for one in documents])))
    root = tmp_path_factory.mktemp("orders")
    store, fresh = SQLiteStore(root / "1"), SQLiteStore(root / "2")
    for target, batch in ((store, shuffled), (fresh, [one for one in documents if one.uri not in dropped])):
        with target.writing() as writer:
            writer.note("edit", "", {})
        for one in batch:
            put(target, one)
    for uri in sorted(dropped):
        erase(store, next(store.sources(uri=uri)).id)
    assert store.content_hash() == fresh.content_hash()
    assert edge_set(store, store.edges()) == edge_set(fresh, fresh.edges())
    assert list(store.verify()) == []
    store.close()
    fresh.close()


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_no_query_breaks_the_search(query: str) -> None:
    assert isinstance(_SHARED.search_text(query), list)


@pytest.fixture(autouse=True, scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _SHARED
    _SHARED = SQLiteStore(tmp_path_factory.mktemp("shared"))
    put(_SHARED, OWNS)


_SHARED: SQLiteStore


def test_a_fact_is_one_span_however_often_it_is_given(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    twice = document("a", "Tarn owns Orla.", ("Tarn", "owns", "Orla"), ("Tarn", "owns", "Orla"))
    put(store, twice)
    (triple,) = store.triples()
    assert len(triple.spans) == 1
    assert isinstance(twice.facts[0], Fact)


def test_a_bulk_load_equals_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path for documents larger than the store drops and remakes indexes; nothing else may differ."""
    body = [(f"Maker {i % 40}", "supplies", f"Buyer {i % 90}") for i in range(400)]
    large = document("large", "; ".join(" ".join(parts) for parts in body), *body)
    monkeypatch.setattr("hoptrace.kg.sql_facts._BULK", 100)
    monkeypatch.setattr("hoptrace.kg.sql_facts._BATCH", 7)
    bulk = SQLiteStore(tmp_path / "bulk")
    put(bulk, large)
    monkeypatch.setattr("hoptrace.kg.sql_facts._BULK", 10_000)
    plain = SQLiteStore(tmp_path / "plain")
    put(plain, large)
    assert bulk.content_hash() == plain.content_hash()
    assert len(bulk.edges().triple) == len({*body})
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
    assert bulk.query(indexes) == plain.query(indexes)
    put(bulk, OWNS)
    assert list(bulk.verify()) == []


def test_ids_are_those_of_the_model(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    source = put(store, OWNS, size=400)
    (triple,) = store.triples()
    subject, object_ = stable_id("e", "brightwater labs limited", "company"), stable_id("e", "tarn pumps", "")
    assert (triple.subject.id, triple.object.id) == (subject, object_)
    assert triple.relation.id == stable_id("r", "owns")
    assert triple.id == stable_id("t", subject, triple.relation.id, object_, "", "")
    assert source.id == stable_id("s", OWNS.uri, OWNS.sha256, text_hash(OWNS.text))
    assert triple.spans[0].chunk_id == stable_id("c", source.id, "0", str(len(OWNS.text)))
