"""The first command's job: the packaged corpus in, three multi-hop questions, traced answers and an HTML report out."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ...data import ROOT
from . import render, report
from .registry import Result
from .session import Session

DEMO = ROOT / "demo"


def run(session: Session, out: Path) -> Result:
    """Ingest `data/demo/documents` into `out/demo.kg` (a second run finds it unchanged), ask, write `out/report.html`."""
    out.mkdir(parents=True, exist_ok=True)
    tour = Session(out / "demo.kg", watch=session.watch, progress=session.progress)
    try:
        ingested = tour.open(create=True).ingest([str(DEMO / "documents")], progress=session.progress)
        tour.answers.clear()
        records = [tour.ask(question) for question in json.loads((DEMO / "showcase.json").read_text("utf-8"))]
        page = out / "report.html"
        page.write_text(report.page(tour.kg, records), "utf-8")
    finally:
        tour.close()
    answers = [{name: value for name, value in record.items() if name != "trace"} for record in records]
    data = {"kg": str(tour.folder), "report": str(page), "answers": answers}

    def show(console: Any) -> None:
        render.lines(console, str(ingested))
        for record in records:
            render.line(console, "")
            render.answer(console, record)
        render.line(console, "")
        program = "hoptrace" if shutil.which("hoptrace") else os.path.relpath(Path(sys.executable).parent / "hoptrace")
        render.lines(console, f"report: {page}\ngo on:  {program} repl --kg {tour.folder}")

    return Result(data, show)
