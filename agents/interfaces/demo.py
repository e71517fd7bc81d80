"""The first command's job: a packaged corpus in, its showcase asked, traced answers and an HTML report out."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ...data import ROOT
from ...kg.errors import InputError
from ...retrieval.relations import WORDINGS
from . import render, report
from .registry import Result
from .session import Session

PACKS = tuple(sorted(path.parent.name for path in ROOT.glob("*/showcase.json")))


def run(session: Session, out: Path, pack: str = "demo") -> Result:
    """Ingest the documents of a pack into `out/PACK.kg` (a second run finds them unchanged), ask, write `out/report.html`.

    Its `showcase.json` is a list of questions, and of `{"profile": FILE}` where advice is asked for; its `wordings.toml`, if
    it has one, goes with the graph.

    Raises:
        InputError: no such pack.
    """
    if pack not in PACKS:
        raise InputError(f"no pack {pack!r}; there are: {', '.join(PACKS)}")
    home = ROOT / pack
    out.mkdir(parents=True, exist_ok=True)
    tour = Session(out / f"{pack}.kg", watch=session.watch, progress=session.progress)
    try:
        ingested = tour.open(create=True).ingest([str(home / "documents")], progress=session.progress)
        if (home / WORDINGS).is_file():
            shutil.copyfile(home / WORDINGS, tour.folder / WORDINGS)
        tour.answers.clear()
        records = [_ask(tour, home, entry) for entry in json.loads((home / "showcase.json").read_text("utf-8"))]
        page = out / "report.html"
        page.write_text(report.page(tour.library, records), "utf-8")
    finally:
        tour.close()
    answers = [{name: value for name, value in record.items() if name != "trace"} for record in records]
    data = {"kg": str(tour.folder), "report": str(page), "answers": answers}

    title = (home / "README.md").read_text("utf-8").partition("\n")[0].lstrip("# ")

    def show(console: Any) -> None:
        render.line(console, (title, "bold"))
        render.lines(console, str(ingested))
        for record in records:
            render.line(console, "")
            render.answer(console, record)
        render.line(console, "")
        program = "hoptrace" if shutil.which("hoptrace") else os.path.relpath(Path(sys.executable).parent / "hoptrace")
        render.lines(console, f"report: {page}\ngo on:  {program} repl --kg {tour.folder}")

    return Result(data, show)


def _ask(tour: Session, home: Path, entry: str | dict[str, str]) -> dict[str, Any]:
    return tour.ask(entry) if isinstance(entry, str) else tour.advise(home / entry["profile"])
