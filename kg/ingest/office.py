"""PDF, Word and Excel files. Their parsers see foreign binary data, so `loaders` runs them in the sandbox child."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import MissingExtraError, ParseError
from ..exports.tables import AUTHOR
from ..model import Document
from .blocks import Builder
from .report import Issues
from .tables import mentions
from .text import read_bytes, sha256
from .values import cell_text, printable

_UNPACKED_LIMIT = 256 * 2**20  # bytes a zip container may unpack to
_RATIO_LIMIT = 200  # and how much larger that may be than the file
_CELL_LIMIT = 2_000_000
PAGE_BREAK = "\n\f"


def load_pdf(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read a .pdf file: the text of its pages in order, joined by a newline and a form feed."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        raise MissingExtraError("reading .pdf files", "documents") from None
    raw = read_bytes(path, uri)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ParseError("the PDF is encrypted", uri=uri)
        text = PAGE_BREAK.join(printable(page.extract_text()) for page in reader.pages)
        title = str((reader.metadata.title if reader.metadata else "") or "").strip()
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, zipfile.BadZipFile) as error:
        raise ParseError(f"broken PDF: {type(error).__name__}: {error}", uri=uri) from None
    if not text.strip():
        raise ParseError("the PDF holds no text layer", uri=uri)
    yield Document(uri, "application/pdf", text, sha256(raw), title=title or path.stem)


def load_docx(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read a .docx file: headings, paragraphs and tables in order."""
    try:
        import docx
        from docx.table import Table
    except ImportError:
        raise MissingExtraError("reading .docx files", "documents") from None
    raw = read_bytes(path, uri)
    _check_zip(path, uri)
    builder = Builder()
    try:
        word = docx.Document(str(path))
        title = word.core_properties.title.strip()
        for block in word.iter_inner_content():
            if isinstance(block, Table):
                builder.add_table([[printable(cell.text) for cell in row.cells] for row in block.rows])
                continue
            style, line = (block.style.name or "") if block.style else "", printable(block.text)
            if line and (level := re.fullmatch(r"(?:Heading (\d)|Title)", style)):
                title = title or line
                builder.add_heading(int(level[1] or 1), line)
            elif line:
                builder.add_line(line)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile) as error:
        raise ParseError(f"broken Word file: {type(error).__name__}: {error}", uri=uri) from None
    text, facts = builder.finish(uri)
    media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    yield Document(uri, media, text, sha256(raw), title=title or path.stem, facts=facts, mentions=mentions(text, facts))


def load_xlsx(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read an .xlsx file: every sheet's name and its rows as `a | b | c`. Of a workbook that hoptrace exported, the facts."""
    try:
        import openpyxl  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("reading .xlsx files", "documents") from None
    raw = read_bytes(path, uri)
    _check_zip(path, uri)
    builder, count = Builder(), 0
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        own = book.properties.creator == AUTHOR  # an export: only its facts state anything
        for sheet in (sheet for sheet in book.worksheets if not own or sheet.title.startswith("facts")):
            builder.add_heading(1, sheet.title)
            table: list[list[str]] = []
            for values in sheet.iter_rows(values_only=True):
                count += len(values)
                if count > _CELL_LIMIT:
                    raise ParseError(f"more than {_CELL_LIMIT:,} cells: save it as .csv", uri=uri)
                if any(value is not None for value in values):
                    table.append([cell_text(value) for value in values])
            builder.add_table(table)
        book.close()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile) as error:
        raise ParseError(f"broken Excel file: {type(error).__name__}: {error}", uri=uri) from None
    text, facts = builder.finish(uri)
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    yield Document(uri, media, text, sha256(raw), title=path.stem, records=True, facts=facts, mentions=mentions(text, facts))


def _check_zip(path: Path, uri: str) -> None:
    """Refuse a container that unpacks to far more than it is, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as container:
            size = sum(entry.file_size for entry in container.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ParseError(f"broken zip container: {error}", uri=uri) from None
    if size > _UNPACKED_LIMIT or size > max(_RATIO_LIMIT * path.stat().st_size, 10 * 2**20):
        raise ParseError(f"zip bomb: {path.stat().st_size:,} bytes unpack to {size:,}", uri=uri)
