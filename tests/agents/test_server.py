"""The server over real sockets: every route, the same answers as the command line's, errors in one shape."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.interfaces.commands import COMMANDS
from hoptrace.agents.interfaces.registry import call, schema
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import InputError, LockedError

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
from hoptrace.agents.interfaces.limits import Limits
from hoptrace.agents.interfaces.server import Settings
from hoptrace.agents.interfaces.tenants import Tenant, digest

QUESTION = "Where is Brightwater Labs headquartered?"
TOKEN = "t" * 32
REMOTE = {name: command for name, command in COMMANDS.items() if not command.local}
GIVEN: dict[str, dict[str, Any]] = {
    "ask": {"question": QUESTION},
    "why": {"number": 1},
    "sources": {"number": 1},
    "why-not": {"question": [QUESTION], "entity": "Norland"},
    "path": {"start": "Orla Vance", "end": "Norland"},
    "entity": {"name": "Tarn City"},
    "entities": {"prefix": "T", "limit": 5},
    "neighbors": {"name": "Tarn City", "limit": 2},
    "search": {"question": "mayor", "limit": 2},
    "history": {"name": "Tarn City"},
    "log": {"limit": 3},
    "sparql": {"query": "SELECT ?s WHERE { ?s ?p ?o } LIMIT 2"},
    "stats": {},
    "replay": {"number": 1},
    "diff": {"first": "1", "second": "2"},
}


@pytest.fixture(scope="module")
def served(_read_once: Path, tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Iterator[Any]:
    """One server for all tests that count nothing."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(_read_once, folder, dirs_exist_ok=True)
    with serve(Settings([Tenant("default", folder / "kg")])) as one:
        yield one


@pytest.fixture
def fresh(folder: Path, serve: Any) -> Iterator[Any]:
    with serve(Settings([Tenant("default", folder)])) as one:
        yield one


@pytest.fixture
def writable(folder: Path, serve: Any) -> Iterator[Any]:
    with serve(Settings([Tenant("default", folder)], writes=True)) as one:
        yield one


def timeless(value: Any) -> Any:
    """Without what differs from one run to the next."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key not in ("timings_ms", "ms", "at")}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def test_every_command_that_is_not_local_is_a_route_with_its_schema(served: Any) -> None:
    paths = served.client.get("/openapi.json").json()["paths"]
    for name, command in REMOTE.items():
        body = paths[f"/{name}"]["post"]["requestBody"]["content"]["application/json"]
        assert body["schema"]["properties"] == schema(command)["properties"]
        for example in body.get("examples", {}).values():
            assert set(example["value"]) <= set(schema(command)["properties"])
            assert set(schema(command)["required"]) <= set(example["value"])
    posts = {path for path, way in paths.items() if "post" in way}
    assert posts == {f"/{name}" for name in REMOTE} | {"/ask/stream", "/ingest", "/v1/chat/completions"}
    cards = {card.pop("name"): card for card in served.client.get("/commands").json()}
    assert cards == {
        name: {"help": c.help, "schema": schema(c), "writes": c.writes, "enabled": not c.writes} for name, c in REMOTE.items()
    }


def test_every_reading_command_answers_what_the_registry_answers(fresh: Any, folder: Path) -> None:
    assert set(GIVEN) == {name for name, command in REMOTE.items() if not command.writes}
    answers = {name: fresh.post(name, **given) for name, given in GIVEN.items()}
    session = Session(folder)
    session.answers.clear()
    try:
        for name, given in GIVEN.items():
            assert answers[name].status_code == 200, answers[name].text
            assert timeless(answers[name].json()) == timeless(call(session, name, given).to_dict()), name
    finally:
        session.close()


def test_steps_come_as_they_happen_and_the_answer_last(fresh: Any) -> None:
    events = fresh.events("ask/stream", question=QUESTION)
    steps = [json.loads(data)["step"] for name, data in events if name == "step"]
    assert steps == ["linked", "understood", "gated", "retrieved", "composed", "verified", "answered"]
    assert [name for name, _ in events[-1:]] == ["answer"]
    asked = fresh.post("ask", question=QUESTION).json()
    streamed = json.loads(events[-1][1])
    assert (streamed.pop("number"), asked.pop("number")) == (1, 2)
    assert timeless(streamed) == timeless(asked)


def test_an_error_in_a_stream_is_an_event(served: Any) -> None:
    ((name, data),) = served.events("ask/stream", question=" ")
    assert (name, json.loads(data)) == ("error", {"error": "the question is empty", "kind": "InputError"})


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/ask", b"{}", 400, "InputError"),
        ("/ask", b"[1]", 400, "InputError"),
        ("/ask", b'{"question": "x", "colour": 1}', 400, "InputError"),
        ("/ask", b'{"question": "x", "as_of": "someday"}', 400, "InputError"),
        ("/ask", b'{"question": "' + b"x" * 30_000 + b'"}', 400, "InputError"),
        ("/ask", b'{"question": NaN}', 400, "ParseError"),
        ("/ask", b'{"question": "a", "question": "b"}', 400, "ParseError"),
        ("/ask", b"[" * 100_000, 400, "ParseError"),
        ("/ask", b"\xff\xfe", 400, "InputError"),
        ("/entity", b'{"name": "Nobody Atall"}', 404, "UnknownEntityError"),
        ("/entity", b'{"name": "Tarn City", "limit": 1000000}', 400, "InputError"),
        ("/path", b'{"start": "Orla Vance", "end": "Norland", "max_hops": 99}', 400, "InputError"),
        ("/why", b'{"number": 7}', 404, "UnknownAnswerError"),
        ("/sparql", b'{"query": "DELETE everything"}', 400, "QueryError"),
        ("/no-such", b"{}", 404, "NotFoundError"),
        ("/demo", b"{}", 404, "NotFoundError"),
        ("/ingest", b'{"documents": []}', 400, "InputError"),
        ("/static/../server.py", b"", 404, "NotFoundError"),
        ("/healthz", b"{}", 405, "MethodError"),
    ],
)
def test_errors_are_one_line_with_a_kind(served: Any, path: str, body: bytes, status: int, kind: str) -> None:
    response = served.client.post(path, content=body)
    assert (response.status_code, response.json()["kind"]) == (status, kind), response.text
    assert "\n" not in response.json()["error"]
    assert set(response.json()) == {"error", "kind"}


def test_half_a_surrogate_pair_is_an_answer_or_an_error_but_no_failure(served: Any) -> None:
    for path in ("/ask", "/entity", "/search", "/entities"):
        name = {"/entity": "name", "/entities": "prefix"}.get(path, "question")
        assert served.client.post(path, content=b'{"%s": "\\ud800 x"}' % name.encode()).status_code in (200, 400, 404)


def test_a_failure_says_nothing_of_the_inside(folder: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret at /some/where")

    def locked(*_: Any, **__: Any) -> None:
        raise LockedError("/some/where is locked by pid 1")

    with serve(Settings([Tenant("default", folder)])) as served:
        for raises, status, kind in ((fail, 500, "RuntimeError"), (locked, 503, "LockedError")):
            monkeypatch.setattr(Session, "ask", raises)
            response = served.post("ask", question=QUESTION)
            assert (response.status_code, response.json()["kind"]) == (status, kind)
            (event,) = served.events("ask/stream", question=QUESTION)
            chat = served.client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "x"}]})
            assert (chat.status_code, chat.json()["error"]["code"]) == (status, kind)
            for text in (response.text, event[1], chat.text):
                assert "some" not in text
                assert "Traceback" not in text
        assert 'hoptrace_errors_total{kind="RuntimeError"} 3' in served.client.get("/metrics").text


def test_the_page_may_load_nothing_from_elsewhere(served: Any) -> None:
    for path in ("/", "/static/index.html"):
        response = served.client.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")
        assert response.headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
            "frame-ancestors 'none'"
        )
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


def test_health_and_counters(fresh: Any) -> None:
    fresh.post("ask", question=QUESTION)
    fresh.post("ask", question="Who owns Nowhere Mills?")
    health = fresh.client.get("/healthz").json()
    assert health["status"] == "ok"
    assert health["triples"] > 0
    assert health["seq"] == 2
    text = fresh.client.get("/metrics").text
    assert 'hoptrace_questions_total{status="answered",route="path"} 1' in text
    assert 'hoptrace_questions_total{status="abstained",route="abstain"} 1' in text
    assert 'hoptrace_requests_total{path="/ask",code="200"} 2' in text
    assert 'hoptrace_question_seconds_bucket{le="+Inf"} 2' in text
    assert "hoptrace_in_flight 0" in text
    assert "Nowhere" not in text


# ---- changes ----------------------------------------------------------------------------------------------------------


def test_changes_are_off_unless_the_owner_allows_them(fresh: Any, folder: Path) -> None:
    fact = {"subject": "Orla Vance", "relation": "owns", "object": "MV Asta"}
    for name, given in (("teach", fact), ("undo", {}), ("forget", {"source": "labs.txt"})):
        response = fresh.post(name, **given)
        assert (response.status_code, response.json()["kind"]) == (403, "ForbiddenError")
    assert fresh.post("ingest", documents=[{"uri": "a.txt", "text": "x"}]).status_code == 403
    assert fresh.client.get("/healthz").json()["seq"] == 2


def test_what_is_taught_and_sent_is_answered_and_forgotten(writable: Any) -> None:
    assert all(card["enabled"] for card in writable.client.get("/commands").json())
    taught = writable.post("teach", subject="Orla Vance", relation="owns", object="MV Asta").json()
    assert taught["done"] == "taught"
    assert writable.post("neighbors", name="MV Asta").json()["facts"][0]["id"] == taught["id"]
    assert writable.post("undo").json()["action"] == "undo"
    documents = [
        {"uri": "yard/vellmar.md", "text": "# Vellmar Yard\n\nVellmar Yard is located in Skerry.\n"},
        {"uri": "ships", "text": "ship,builder\nMV Brise,Vellmar Yard\n", "media_type": "text/csv"},
    ]
    report = writable.post("ingest", documents=documents).json()
    assert (report["added"], report["quarantined"]) == (2, [])
    again = writable.post("ingest", documents=documents).json()
    assert (again["added"], again["unchanged"]) == (0, 2)
    answer = writable.post("ask", question="Where is Vellmar Yard located?").json()
    assert answer["answers"] == ["Skerry"]
    assert answer["citations"][0]["source"] == "yard/vellmar.md"
    assert writable.post("forget", source="yard/vellmar.md").json()["answers_erased"] == 1
    assert writable.post("ask", question="Where is Vellmar Yard located?").json()["answers"] == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"uri": "a#b", "text": "x"}, "no #"),
        ({"uri": "a\nb", "text": "x"}, "control character"),
        ({"uri": "a.txt", "text": "x", "media_type": "application/pdf"}, "media type"),
        ({"uri": "a.txt", "text": "\ud800"}, "unicode"),
        ({"uri": "a.txt"}, "text"),
        ({"uri": "a.txt", "text": "x", "path": "/etc/passwd"}, "path"),
        ({"uri": "a.json", "text": "{"}, "not JSON"),
        ({"uri": "../../etc/cron", "text": " "}, "empty"),
    ],
)
def test_texts_that_cannot_be_taken_are_refused(writable: Any, document: dict[str, str], said: str) -> None:
    body = json.dumps({"documents": [document]})
    response = writable.client.post("/ingest", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400, response.text
    assert said in response.json()["error"]
    assert "tmp" not in response.text


def test_answers_hold_while_facts_are_taught_beside_them(writable: Any) -> None:
    """New relations renumber what questions read: none of them may fail or say something else."""

    def teach(i: int) -> int:
        response = writable.post("teach", subject=f"Mill {i}", relation=f"grinds {'abcdefghij'[i % 10]} for", object="Tarn City")
        return int(response.status_code)

    def ask(_: int) -> list[str]:
        response = writable.post("ask", question=QUESTION)
        assert response.status_code == 200, response.text
        return list(response.json()["answers"])

    with ThreadPoolExecutor(8) as pool:
        taught = pool.map(teach, range(30))
        asked = list(pool.map(ask, range(60)))
        assert set(taught) == {200}
    assert asked == [["Tarn City"]] * 60


def test_answers_are_numbered_without_gaps_by_many_at_once(fresh: Any) -> None:
    questions = [QUESTION, "Who founded Brightwater Labs?", "Who is the mayor of Tarn City?"] * 10
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda question: fresh.post("ask", question=question).json(), questions))
    assert sorted(answer["number"] for answer in answers) == list(range(1, 31))
    right = {QUESTION: ["Tarn City"], questions[1]: ["Orla Vance"], questions[2]: ["Piet Aalders"]}
    assert all(answer["answers"] == right[answer["question"]] for answer in answers)
    assert {fresh.post("why", number=n).json()["number"] for n in (1, 17, 30)} == {1, 17, 30}


def test_labels_of_documents_stay_data(writable: Any) -> None:
    hostile = "<script>alert(1)</script> ![x](http://evil.example/?q)"
    assert writable.post("teach", subject=hostile, relation="located in", object="Tarn City").status_code == 200
    response = writable.post("neighbors", name="Tarn City")
    assert response.headers["content-type"] == "application/json"
    assert any(fact["subject"] == hostile for fact in response.json()["facts"])
    chat = {"messages": [{"role": "user", "content": f"What is located in Tarn City? [{'Tarn City'}]"}]}
    said = writable.client.post("/v1/chat/completions", json=chat).json()["choices"][0]["message"]["content"]
    assert "![x]" not in said
    assert "<script>" not in said.replace("\\<", "")


def test_a_client_that_leaves_stops_the_work(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, going = threading.Event(), threading.Event()

    def long(self: Session, question: str, **_: Any) -> None:
        from hoptrace.agents.steps import Verified

        try:
            for _ in range(2000):
                self.watch(Verified(0, 0, 0))
                going.set()
                ended.wait(0.01)
        finally:
            ended.set()

    monkeypatch.setattr(Session, "ask", long)
    body = b'{"question": "x"}'
    for path in (b"/ask/stream", b"/ask"):
        ended.clear()
        going.clear()
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (path, len(body), body))
            assert going.wait(5)
        assert ended.wait(5), path


# ---- refusing to start ----------------------------------------------------------------------------------------------


def test_an_address_that_others_reach_needs_a_token(folder: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "desk.example.org"):  # noqa: S104
        with pytest.raises(InputError, match="give a token"):
            Settings([Tenant("default", folder)], host=host)
        Settings([Tenant("default", folder, (digest(TOKEN),))], host=host)
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        Settings([Tenant("default", folder)], host=host)


@pytest.mark.parametrize("origin", ["*", "https://", "desk.example.org", "https://desk.example.org/path", "file://x"])
def test_a_strange_origin_is_refused(folder: Path, origin: str) -> None:
    with pytest.raises(InputError, match="an origin is like"):
        Settings([Tenant("default", folder)], origins=[origin])


def test_limits_have_the_values_that_are_documented() -> None:
    assert (Limits().body, Limits().ingest, Limits().request_seconds) == (2**20, 2**24, 5.0)
