"""Write the PDF and Word documents of the demo corpus from `sources/`.

    python data/demo/make_binaries.py

`sources/memos/a.docx.md` becomes `documents/memos/a.docx`. The sources use a few lines of Markdown: `# title`,
`## heading`, `| a | b |` table rows; everything else is a paragraph. The same sources give the same bytes with the
same versions of fpdf2 and python-docx, because all dates are fixed.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import docx
from docx.document import Document
from fpdf import FPDF

HERE = Path(__file__).resolve().parent
MADE = datetime(2024, 12, 31, 12, 0, tzinfo=UTC)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each block; kind is title, heading, table or paragraph."""
    for block in text.strip().split("\n\n"):
        if block.startswith("# "):
            yield "title", block[2:]
        elif block.startswith("## "):
            yield "heading", block[3:]
        else:
            yield ("table" if block.startswith("|") else "paragraph"), block


def rows(table: str) -> list[list[str]]:
    """The cells of a Markdown table, without its ruling."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [row for row in cells if not set("".join(row)) <= set("-: ")]


def pdf_bytes(text: str) -> bytes:
    """One column of text on A4 pages; tables are not supported."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(MADE)
    pdf.set_margin(25)
    pdf.add_page()
    for kind, block in blocks(text):
        if kind == "table":
            raise ValueError(f"a PDF source holds a table: {block.splitlines()[0]}")
        if kind == "title":
            pdf.set_title(block)
        pdf.set_font("Helvetica", style="" if kind == "paragraph" else "B", size={"title": 16, "heading": 13}.get(kind, 11))
        pdf.multi_cell(0, 6 if kind == "paragraph" else 9, block, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    return bytes(pdf.output())


def add_table(document: Document, cells: list[list[str]]) -> None:
    table = document.add_table(rows=0, cols=len(cells[0]), style="Table Grid")
    for row in cells:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = value


def docx_bytes(text: str) -> bytes:
    document = docx.Document()
    properties = document.core_properties
    properties.author, properties.created, properties.modified = "Research desk", MADE, MADE
    for kind, block in blocks(text):
        if kind == "table":
            add_table(document, rows(block))
        elif kind == "paragraph":
            document.add_paragraph(block)
        else:
            document.add_heading(block, level=0 if kind == "title" else 1)
        if kind == "title":
            properties.title = block
    packed = io.BytesIO()
    document.save(packed)
    return with_fixed_dates(packed.getvalue())


def with_fixed_dates(archive: bytes) -> bytes:
    """The same zip archive with every member dated `MADE`, since zip files record when they were written."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            stamped = zipfile.ZipInfo(member.filename, MADE.timetuple()[:6])
            stamped.compress_type, stamped.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            new.writestr(stamped, old.read(member))
    return out.getvalue()


def build(sources: Path = HERE / "sources", documents: Path = HERE / "documents") -> list[Path]:
    """Write every binary document; returns their paths."""
    makers = {".pdf": pdf_bytes, ".docx": docx_bytes}
    written = []
    for source in sorted(sources.rglob("*.md")):
        target = documents / source.relative_to(sources).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(makers[target.suffix](source.read_text(encoding="utf-8")))
        written.append(target)
    return written


if __name__ == "__main__":
    for path in build():
        print(path.relative_to(HERE))
