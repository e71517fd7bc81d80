"""Who may ask what: tokens, names and origins, and namespaces that never see one another."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.interfaces.registry import COMMANDS
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import InputError, MissingPathError

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
from hoptrace.agents.interfaces.door import JsonLines
from hoptrace.agents.interfaces.server import Settings
from hoptrace.agents.interfaces.tenants import Tenant, digest, read_tenants, read_tokens

A, B = "a" * 32, "b" * 32
RARE = "Zanzitrope"  # a word that only B's graph holds


@pytest.fixture(scope="module")
def folders(_read_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A's graph, and B's, which holds one document more."""
    place = tmp_path_factory.mktemp("tenants")
    for name in ("a", "b"):
        shutil.copytree(_read_once / "kg", place / name)
    (place / "secret.txt").write_text(f"Orla Vance founded {RARE} Works. {RARE} Works is headquartered in Tarn City.\n")
    with KnowledgeGraph.open(place / "b") as kg:
        kg.ingest([str(place / "secret.txt")])
    return place / "a", place / "b"


@pytest.fixture(scope="module")
def two(folders: tuple[Path, Path], serve: Any) -> Iterator[Any]:
    tenants = [Tenant("a", folders[0], (digest(A),)), Tenant("b", folders[1], (digest(B),), writes=False)]
    with serve(Settings(tenants, writes=True, origins=["https://desk.example.org"]), token=A) as served:
        yield served


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/ask", "/commands", "/metrics", "/openapi.json", "/v1/models", "/nowhere", "/why", "/ingest"])
@pytest.mark.parametrize("header", [None, "Bearer", f"Bearer {A[:-1]}", f"Bearer {A}x", f"Basic {A}", A, "Bearer \xff"])
def test_without_a_matching_token_nothing_answers(two: Any, path: str, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    for method in ("GET", "POST"):
        response = httpx.request(method, two.url + path, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
    if path == "/v1/models":
        assert response.json()["error"]["type"] == "authentication_error"


def test_health_and_the_page_are_open_and_say_nothing_of_a_graph(two: Any) -> None:
    assert set(httpx.get(f"{two.url}/healthz").json()) == {"status", "version"}
    assert set(two.client.get("/healthz").json()) == {"status", "version", "triples", "seq"}
    assert httpx.get(f"{two.url}/").status_code == httpx.get(f"{two.url}/static/index.html").status_code == 200
    assert httpx.get(f"{two.url}/static/%2e%2e/server.py").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1", "169.254.169.254"])
def test_a_foreign_host_is_misdirected(two: Any, host: str) -> None:
    for path in ("/healthz", "/", "/commands"):
        response = two.client.get(path, headers={"host": host})
        assert response.status_code in (421, 400), response.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:99", "[::1]:8000", "desk.example.org"])
def test_known_hosts_are_answered(two: Any, host: str) -> None:
    assert two.client.get("/healthz", headers={"host": host}).status_code == 200


def test_a_foreign_origin_may_not_call(two: Any) -> None:
    for origin in ("https://evil.example", "null", "http://localhost:1", "https://desk.example.org.evil.example"):
        for path in ("/stats", "/ask/stream", "/healthz"):
            response = two.client.post(path, json={"question": "x"}, headers={"origin": origin})
            assert (response.status_code, response.json()["kind"]) == (403, "ForbiddenError")
            assert "access-control-allow-origin" not in response.headers
    assert two.client.post("/stats", headers={"origin": two.url}).status_code == 200
    allowed = {"origin": "https://desk.example.org"}
    response = two.client.post("/stats", headers=allowed)
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, allowed["origin"])
    asked = {**allowed, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    assert httpx.options(f"{two.url}/ask", headers=asked).status_code == 200


def test_one_tenant_never_sees_another(two: Any, folders: tuple[Path, Path], serve: Any) -> None:
    """Every command of A answers as on a server that holds A alone, whatever B asks and holds."""
    questions: list[tuple[str, dict[str, Any]]] = [
        ("entity", {"name": f"{RARE} Works"}),
        ("entities", {"prefix": RARE[:3]}),
        ("search", {"question": RARE}),
        ("ask", {"question": f"Where is {RARE} Works headquartered?"}),
        ("ask", {"question": "What did Orla Vance found?"}),
        ("neighbors", {"name": "Orla Vance"}),
        ("history", {"name": "Tarn City"}),
        ("path", {"start": "Orla Vance", "end": "Tarn City"}),
        ("why-not", {"question": ["What did Orla Vance found?"], "entity": f"{RARE} Works"}),
        ("sparql", {"query": f'SELECT ?s WHERE {{ ?s ?p ?o FILTER(CONTAINS(STR(?o), "{RARE}")) }}'}),
        ("stats", {}),
        ("log", {}),
        ("why", {}),
        ("why", {"number": 3}),
        ("sources", {}),
    ]
    told = two.client.post("/ask", json={"question": f"Who founded {RARE} Works?"}, headers=bearer(B)).json()
    assert told["answers"] == ["Orla Vance"]
    with serve(Settings([Tenant("alone", folders[0].with_name("alone"))], writes=True)) as empty:  # an empty graph, to be told
        assert empty.post("stats").json()["triples"] == 0
    shutil.copytree(folders[0], folders[0].with_name("only"))
    with serve(Settings([Tenant("only", folders[0].with_name("only"))])) as only:
        for name, given in questions:
            mine, alone = two.post(name, **given), only.post(name, **given)
            assert mine.status_code == alone.status_code
            assert timeless(mine.json()) == timeless(alone.json()), name
            found = json.dumps(mine.json()["facts"] if "facts" in mine.json() else mine.json().get("answers", []))
            assert RARE not in found
    counted = two.client.get("/metrics").text
    assert 'hoptrace_questions_total{status="answered",route="path"} 1' in counted
    assert two.client.post("/why", json={}, headers=bearer(B)).json()["number"] == 1


def timeless(value: Any) -> Any:
    """Without what differs from one run to the next."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key not in ("timings_ms", "ms", "at")}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def test_a_tenant_that_may_not_write_does_not(two: Any) -> None:
    fact = {"subject": "Orla Vance", "relation": "owns", "object": "MV Asta"}
    assert two.client.post("/teach", json=fact, headers=bearer(B)).status_code == 403
    cards = two.client.get("/commands", headers=bearer(B)).json()
    assert {card["name"] for card in cards if not card["enabled"]} == {n for n, c in COMMANDS.items() if c.writes and not c.local}


def test_logs_hold_no_text_and_no_token(two: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hoptrace.server"):
        two.post("ask", question="Who founded Brightwater Labs?")
        two.client.get("/entity?name=Brightwater")
        two.client.post("/ask", json={"question": "Brightwater"}, headers=bearer("wrong-token"))
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "hoptrace.server"]
    text = json.dumps(lines)
    assert "Brightwater" not in text
    assert A not in text
    assert "wrong-token" not in text
    asked = next(line for line in lines if line["route"] == "/ask" and line["status"] == 200)
    assert asked["namespace"] == "a"
    assert {"at", "level", "id", "ms", "method"} <= set(asked)


def test_a_failure_is_logged_by_its_place_and_not_by_its_words(
    two: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Session, "ask", fail)
    with caplog.at_level(logging.INFO, logger="hoptrace.server"):
        assert two.post("ask", question="x").status_code == 500
        two.post("ask/stream", question="x")
    failures = [JsonLines().format(record) for record in caplog.records if record.levelname == "ERROR"]
    assert [(line["kind"], line["where"].partition(":")[0]) for line in map(json.loads, failures)] == [
        ("RuntimeError", "test_server_tenants.py")
    ] * 2
    assert "secret" not in "".join(failures)


# ---- files of tokens and tenants --------------------------------------------------------------------------------------


def test_tokens_come_from_a_file_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{A}\n\n{B}\n")
    assert read_tokens(file, "c" * 16) == (digest("c" * 16), digest(A), digest(B))
    assert read_tokens(None, "") == ()
    for text, said in (("", "holds no token"), ("short", "at least 16")):
        file.write_text(text)
        with pytest.raises(InputError, match=said):
            read_tokens(file, "")
    with pytest.raises(MissingPathError):
        read_tokens(tmp_path / "none", "")


HEX = digest(A).hex()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "tables"),
        ("x = 1", "tables"),
        ("[[tenant]\n", "TOML|Expected|expected"),
        ('[[tenant]]\nname = "a"\ngraph = "a.kg"\n', "a tenant has"),
        ('[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = []\n', "at least one"),
        (f'[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = ["{A}"]\n', "in hex"),
        (f'[[tenant]]\nname = "a b"\ngraph = "a.kg"\ntokens = ["{HEX}"]\n', "letters"),
        (f'[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = ["{HEX}"]\nwrite = true\n', "perhaps writes"),
        (f'[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = ["{HEX}"]\n' * 2, "a name is there twice"),
        (
            f'[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = ["{HEX}"]\n'
            f'[[tenant]]\nname = "b"\ngraph = "./x/../a.kg"\ntokens = ["{"0" * 64}"]\n',
            "a graph is there twice",
        ),
        (
            f'[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = ["{HEX}"]\n'
            f'[[tenant]]\nname = "b"\ngraph = "b.kg"\ntokens = ["{HEX}"]\n',
            "a token is there twice",
        ),
    ],
)
def test_a_file_of_tenants_that_leaves_a_doubt_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tenants.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        read_tenants(file)


def test_a_file_of_tenants(tmp_path: Path) -> None:
    file = tmp_path / "tenants.toml"
    file.write_text(f'[[tenant]]\nname = "a"\ngraph = "a.kg"\ntokens = ["{HEX}"]\n')
    assert read_tenants(file) == (Tenant("a", tmp_path / "a.kg", (digest(A),), writes=False),)


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (["--host", "0.0.0.0"], "", 65, "give a token"),  # noqa: S104
        (["--tenants", "t.toml"], A, 65, "tokens of tenants are in their file"),
        (["--tenants", "none.toml"], "", 66, "no file of tenants"),
        (["--token-file", "none"], "", 66, "no token file"),
        (["--kg", "none.kg"], "", 66, "no knowledge graph"),
        (["--origin", "*"], "", 65, "an origin is like"),
    ],
)
def test_the_command_refuses_what_would_leave_a_graph_open(
    folder: Path,
    words: list[str],
    environment: str,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOPTRACE_TOKEN", environment)
    assert main(["serve", "--port", "0", *words]) == code
    assert said in capsys.readouterr().err
