"""Pictures of the page, made by asking the demo's graph in a headless Chromium: `python docs/pictures.py`.

Needs the extras `server` and `dev`, and Chromium. Writes `docs/pictures/page-*.png`, each under 150 kB.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from hoptrace import KnowledgeGraph
from hoptrace.data import ROOT
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent / "pictures"
QUESTION = "Who runs the group that owns the shipyard that built the MV Solveth?"
MOST = 150_000  # bytes of a picture
VIEWS: dict[str, dict[str, Any]] = {
    "page-1280": {"viewport": {"width": 1280, "height": 640}, "color_scheme": "light"},
    "page-1280-dark": {"viewport": {"width": 1280, "height": 640}, "color_scheme": "dark"},
    "page-390": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copytree(ROOT / "demo" / "documents", "documents")
        with KnowledgeGraph.open("demo.kg") as kg:
            kg.ingest(["documents"])
        command = [sys.executable, "-m", "hoptrace.agents.interfaces.cli", "serve", "--kg", "demo.kg", "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            address = server.stderr.readline().split()[-1]
            threading.Thread(target=server.stderr.read, daemon=True).start()  # a log that nobody reads would stop the server
            try:
                take(address)
            finally:
                server.terminate()


def take(address: str) -> None:
    """Write every picture of the page at `address`."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for name, options in VIEWS.items():
            page = browser.new_context(**options, reduced_motion="reduce").new_page()
            page.goto(f"{address}/")
            page.locator("#stats", has_text="facts").wait_for(state="attached")
            pose(page, name)
            target = OUT / f"{name}.png"
            page.screenshot(path=target)
            if target.stat().st_size > MOST:
                sys.exit(f"{target} is larger than {MOST} bytes")
            print(target.name, target.stat().st_size)
        browser.close()


def pose(page: Page, name: str) -> None:
    """Ask; in the light the source of a citation stands beside the answer, in the dark a box is expanded."""
    page.fill("#question", QUESTION)
    page.keyboard.press("Enter")
    page.locator("article.answer").wait_for()
    if name == "page-1280":
        page.locator(".said .cite").nth(3).click()
        page.locator("#panel mark").wait_for()
    elif name == "page-1280-dark":
        page.locator(".node", has_text="Kestrane Group").click()
        page.locator(".node.open").wait_for()
    page.locator("article.answer").evaluate("(answer) => answer.scrollIntoView()")
    page.mouse.move(1, 1)


if __name__ == "__main__":
    main()
