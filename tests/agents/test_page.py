"""The web page in a real browser, served by the real server: what a reader does with it, by mouse and by keyboard."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces import cli

pytest.importorskip("uvicorn", reason="the page needs a server: extra `server`")
playwright = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright: extra `dev`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("the page is tested in Chromium, which is not installed", allow_module_level=True)

WEB = Path(cli.__file__).parent / "web"
RULES = (Path(__file__).parent / "page_rules.js").read_text("utf-8")
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
HOSTILE = "<script>document.title='taken'</script>\x1b[31m"
DOCUMENTS = {
    "labs.txt": "Orla Vance founded Brightwater Labs in 2011. Brightwater Labs is headquartered in Tarn City.\n",
    "city.md": "# Tarn City\n\nTarn City is located in Norland. The mayor of Tarn City is Piet Aalders.\n",
    "suppliers.csv": "supplier,customer,from,to\nKell Optics,Brightwater Labs,2021-03-01,2023-06-30\n"
    f'Moran Glass,Brightwater Labs,2023-07-01,\n"{HOSTILE}",Piet Aalders,,\n',
}
THREE_HOPS = "In which country is the company founded by Orla Vance headquartered?"
STEPS = ["Linked", "Understood", "Found", "Drafted", "Verified"]


@contextmanager
def _serving(folder: Path, token: str = "") -> Iterator[str]:
    """The address of a server of the graph in `folder`."""
    command = [sys.executable, "-m", cli.__name__, "serve", "--kg", str(folder), "--port", "0"]
    environment = {**os.environ, "HOPTRACE_TOKEN": token}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stderr is not None
        said = server.stderr.readline()
        assert "serving on" in said
        threading.Thread(target=server.stderr.read, daemon=True).start()  # a log that nobody reads would stop the server
        try:
            yield said.split()[-1]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, "utf-8")
    with KnowledgeGraph.open(folder / "kg") as kg:
        kg.ingest([str(folder / name) for name in DOCUMENTS])
    return folder / "kg"


@pytest.fixture(scope="module")
def address(graph: Path) -> Iterator[str]:
    with _serving(graph) as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield chromium
        chromium.close()


@contextmanager
def _looking(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """A page that complains about nothing and calls nobody else."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    page.set_default_timeout(30_000)
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((address, "data:", "blob:")) else trouble.append(sent.url))
    page.goto(f"{address}/")
    page.locator("#stats", has_text="facts").wait_for(state="attached")
    yield page
    assert trouble == [], trouble
    context.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with _looking(browser, address) as opened:
        yield opened


def _ask(page: Any, question: str, as_of: str = "") -> Any:
    """Ask, and wait for this question's answer."""
    page.fill("#question", question)
    page.fill("#as-of", as_of)
    page.click("#ask-form button[type=submit]")  # which takes the last answer away at once
    page.locator("article.answer").wait_for()
    return page.locator("article.answer")


def _record(page: Any, number: int | None = None) -> dict[str, Any]:
    return page.request.post(f"{page.url.partition('/#')[0]}/why", data={"number": number} if number else {}).json()


def test_the_hops_stream_in_before_the_answer_stands(page: Any) -> None:
    page.evaluate("""() => new MutationObserver(() => {
        window.stepsFirst ??= document.querySelector('article.answer') && document.querySelectorAll('#steps > li').length
    }).observe(document.body, {childList: true, subtree: true})""")
    answer = _ask(page, THREE_HOPS)
    steps = page.locator("#steps > li").all_text_contents()
    assert page.evaluate("window.stepsFirst") == len(steps)
    assert [step.split()[0] for step in steps if not step.startswith("Route")] == [
        "Linked",
        "Understood",
        "Found",
        "Drafted",
        "Verified",
    ]
    assert "Orla Vance" in steps[0]
    assert "—founded→ Brightwater Labs" in " ".join(steps)
    assert "Norland" in answer.locator(".said").inner_text()
    assert answer.locator(".said .cite").all_inner_texts() == ["[1]", "[2]", "[3]"]
    assert "answered" in answer.locator(".state").inner_text()
    assert "Orla Vance known to the graph" in answer.locator(".terms").inner_text()


def test_a_citation_opens_at_its_marked_span(page: Any) -> None:
    _ask(page, THREE_HOPS).locator(".said .cite").nth(1).click()
    mark = page.locator("#panel mark")
    quote = _record(page)["citations"][1]["quote"]
    assert mark.inner_text() == quote == "Brightwater Labs is headquartered in Tarn City."
    assert mark.is_visible()
    assert page.locator("#panel blockquote").inner_text().strip() == DOCUMENTS["labs.txt"].strip()
    assert "✓ verified" in page.locator("#panel").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "[2]"


def test_a_node_opens_and_closes_what_is_linked_to_it(page: Any) -> None:
    answer = _ask(page, THREE_HOPS)
    city = answer.locator(".node", has_text="Tarn City")
    city.click()
    answer.locator(".node", has_text="Piet Aalders").wait_for()
    assert city.get_attribute("aria-expanded") == "true"
    assert "new entities" in page.locator("#said").inner_text()
    city.click()
    answer.locator(".node", has_text="Piet Aalders").wait_for(state="detached")


def test_an_arrow_tells_its_quote_and_points_from_subject_to_object(page: Any) -> None:
    answer = _ask(page, THREE_HOPS)
    edge = answer.locator(".edge", has_text="founded")
    edge.dispatch_event("pointerenter")
    assert "Orla Vance founded Brightwater Labs in 2011." in answer.locator(".tip").inner_text()
    head = edge.locator(".head").bounding_box()
    boxes = [answer.locator(".node", has_text=name).bounding_box() for name in ("Orla Vance", "Brightwater Labs")]
    distances = [abs(head["x"] - box["x"] - box["width"] / 2) + abs(head["y"] - box["y"]) for box in boxes]
    assert distances[1] < distances[0]


def test_the_drawing_moves_and_zooms(page: Any) -> None:
    answer = _ask(page, THREE_HOPS)
    world, canvas = answer.locator(".canvas > g"), answer.locator(".canvas")
    playwright.expect(world).to_have_attribute("transform", re.compile("scale"))
    first = last = world.get_attribute("transform")

    def moved() -> None:
        nonlocal last
        playwright.expect(world).not_to_have_attribute("transform", last)
        last = world.get_attribute("transform")

    answer.get_by_role("button", name="Zoom in").click()
    moved()
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    moved()
    canvas.hover(position={"x": 20, "y": 20})
    page.mouse.wheel(0, -200)
    moved()
    page.mouse.down()
    page.mouse.move(400, 300, steps=3)
    page.mouse.up()
    moved()
    answer.get_by_role("button", name="Fit").click()
    playwright.expect(world).to_have_attribute("transform", first)


def test_another_day_gives_another_answer_and_both_are_compared(page: Any) -> None:
    question = "Who supplied Brightwater Labs?"
    first = _ask(page, question, "2022-05-01").locator(".said").inner_text()
    second = _ask(page, question, "2024-05-01").locator(".said").inner_text()
    assert "Kell Optics" in first
    assert "Moran Glass" in second
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("button", name="Compare").click()
    page.locator(".compared .differs").first.wait_for()
    differing = page.locator(".compared .differs").all_inner_texts()
    assert any("Kell Optics" in row and "Moran Glass" in row for row in differing)
    assert any("2022-05-01" in row and "2024-05-01" in row for row in differing)
    assert page.locator(".pair .node", has_text="Kell Optics").count() == 1


def test_why_and_why_not(page: Any) -> None:
    answer = _ask(page, THREE_HOPS)
    answer.get_by_role("button", name="Why this answer").click()
    panel = page.locator("#panel")
    panel.locator(".candidates .taken").first.wait_for()
    assert "coverage" in panel.inner_text()
    answer.get_by_role("button", name="Why not").click()
    page.keyboard.type("Tarn")
    page.locator("#rival-names li", has_text="Tarn City").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.input_value("#rival") == "Tarn City"
    page.keyboard.press("Enter")
    panel.locator(".numbers .marked").wait_for()
    assert "Tarn City" in panel.locator("[aria-live]").inner_text()


def test_entities_are_browsed(page: Any) -> None:
    page.get_by_role("link", name="Browse").click()
    page.fill("#prefix", "Brigh")
    page.locator("#found a", has_text="Brightwater Labs").click()
    card = page.locator("#card")
    assert "Orla Vance founded Brightwater Labs" in card.locator(".facts").inner_text()
    card.locator(".node", has_text="Orla Vance").wait_for()
    card.get_by_role("button", name="Show history").click()
    card.get_by_role("region", name="History").wait_for()
    page.fill("#path-end", "Norland")
    card.get_by_role("button", name="Find paths").click()
    card.locator(".node.answer", has_text="Norland").wait_for()
    card.locator(".facts a", has_text="Orla Vance").first.click()
    page.locator("#entity-title", has_text="Orla Vance").wait_for()


def test_an_exported_answer_stands_alone(page: Any, browser: Any, tmp_path: Path) -> None:
    answer = _ask(page, THREE_HOPS)
    for kind in ("HTML", "JSON"):
        with page.expect_download() as started:
            answer.get_by_role("button", name=f"Export {kind}").click()
        started.value.save_as(tmp_path / f"answer.{kind.lower()}")
    assert json.loads((tmp_path / "answer.json").read_text("utf-8")) == _record(page)
    text = (tmp_path / "answer.html").read_text("utf-8")
    assert "<script" not in text
    context = browser.new_context(java_script_enabled=False)
    alone, asked = context.new_page(), list[str]()
    alone.on("request", lambda sent: asked.append(sent.url))
    alone.on("console", lambda said: asked.append(said.text))
    alone.goto((tmp_path / "answer.html").as_uri())
    assert asked == [(tmp_path / "answer.html").as_uri()]
    assert alone.locator("mark").all_inner_texts() == [citation["quote"] for citation in _record(page)["citations"]]
    assert alone.locator("svg .node").count() == 4
    assert alone.locator(".said").inner_text() == answer.locator(".said").inner_text()
    context.close()


def test_hostile_labels_are_only_text(page: Any) -> None:
    answer = _ask(page, "Who supplied Piet Aalders?")
    answer.locator(".node", has_text="Piet Aalders").first.click()
    page.get_by_role("link", name="Browse").click()
    page.fill("#prefix", "<scr")
    page.locator("#found a", has_text="<script>").click()
    page.locator("#entity-title", has_text="<script>document.title='taken'</script>").wait_for()
    page.locator("#card .node.open").wait_for()
    assert page.title() == "hoptrace: browse"
    assert "\x1b" not in page.content()
    assert page.evaluate("[...document.scripts].map((one) => one.src)") == [f"{page.url.partition('/#')[0]}/static/app.js"]


def test_keys_are_enough(page: Any) -> None:
    """No pointer: complete a name, ask, expand a node, open a citation, close it."""

    def tab_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"no way to {selector}")

    tab_to("#question")
    page.keyboard.type("In which country is the company founded by Orla")
    page.locator("#question-names li").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type(" headquartered?")
    assert page.input_value("#question") == THREE_HOPS
    page.keyboard.press("Enter")
    page.locator("article.answer").wait_for()
    tab_to(".said .cite")
    page.keyboard.press("Enter")
    page.locator("#panel mark").wait_for()
    assert page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    tab_to(".edge")
    assert page.locator(".tip").is_visible()
    tab_to(".node[aria-label^='Tarn City']")
    page.keyboard.press("Enter")
    page.locator(".node", has_text="Piet Aalders").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"


def test_a_token_is_asked_for_and_kept_for_the_tab(graph: Path, browser: Any) -> None:
    with _serving(graph, "open sesame and more") as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}/")
        for token in ("wrong", "open sesame and more"):
            page.locator("#token-dialog[open]").wait_for()
            page.fill("#token-value", token)
            page.keyboard.press("Enter")
        page.locator("#stats", has_text="facts").wait_for(state="attached")
        page.reload()
        page.locator("#stats", has_text="facts").wait_for(state="attached")
        assert page.locator("#token-dialog[open]").count() == 0
        context.close()


def test_the_gate_is_offered_where_the_server_has_one(browser: Any, address: str) -> None:
    with _looking(browser, address) as page:
        commands = page.request.get(f"{address}/commands").json()
        asks = next(command for command in commands if command["name"] == "ask")
        assert page.locator("#gate-field").is_visible() == ("gate" in asks["schema"]["properties"])
        asks["schema"]["properties"]["gate"] = {"enum": ["auto", "retrieval"]}
        page.route("**/commands", lambda route: route.fulfill(json=commands))
        page.reload()
        page.locator("#gate-field").wait_for()
        refused = "event: error\ndata: " + json.dumps({"error": "not today", "kind": "Refusal"}) + "\n\n"
        page.route("**/ask/stream", lambda route: route.fulfill(body=refused, content_type="text/event-stream"))
        page.select_option("#gate", "retrieval")
        page.fill("#question", "Who?")
        with page.expect_request("**/ask/stream") as sent:
            page.locator("#question").press("Enter")
        assert sent.value.post_data_json == {"question": "Who?", "gate": "retrieval"}
        page.locator("#problem", has_text="not today").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_view_keeps_the_rules(browser: Any, address: str, width: int, scheme: str) -> None:
    still = {"reduced_motion": "reduce", "bypass_csp": True}  # nothing is half faded in when it is measured
    with _looking(browser, address, viewport={"width": width, "height": 844}, color_scheme=scheme, **still) as page:
        checks = [_rules]
        if "AXE_JS" in os.environ:
            page.add_init_script(path=os.environ["AXE_JS"])
            page.reload()
            checks.append(_axe)

        def keep(view: str) -> None:
            broken = [sentence for check in checks for sentence in check(page)]
            assert not broken, f"{view}: {broken}"

        keep("empty")
        answer = _ask(page, THREE_HOPS)
        page.locator("#live summary").click()
        keep("answer")
        answer.locator(".node", has_text="Tarn City").click()
        answer.locator(".node.open").wait_for()
        answer.get_by_role("button", name="Why this answer").click()
        page.locator("#panel .candidates").wait_for()
        keep("why")
        page.keyboard.press("Escape")
        answer.locator(".said .cite").first.click()
        page.locator("#panel mark").wait_for()
        keep("source")
        page.keyboard.press("Escape")
        _ask(page, "Who supplied Brightwater Labs?", "2022-05-01")
        page.get_by_role("link", name="Compare").click()
        page.get_by_role("button", name="Compare").click()
        page.locator(".compared").wait_for()
        keep("compare")
        page.get_by_role("link", name="Browse").click()
        page.locator("#found a", has_text="Brightwater Labs").click()
        page.locator("#card .node.open").wait_for()
        keep("browse")


def _rules(page: Any) -> list[str]:
    return page.evaluate(RULES)


def _axe(page: Any) -> list[str]:
    found = page.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("path", sorted(WEB.iterdir()), ids=lambda path: path.name)
def test_the_files_load_nothing_from_outside_and_read_no_text_as_markup(path: Path) -> None:
    text = path.read_text("utf-8")
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
    assert addresses == set()
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\son\w+=|\sstyle=", text)
    assert text.count("\n") <= 450
