"""Files out of a graph, by suffix.

`.nq` and `.trig` keep everything: text, facts with their characters, times. Reading one into an empty store gives the same
content again (`kg.rdf_restore`). The others keep what their format can say:

    .nt .ttl .jsonld .rdf           statements and labels only
    .graphml .gexf .cyjs .json      nodes and edges with their times: yEd and networkx, Gephi, Cytoscape, d3
    .csv .xlsx .zip                 one row per statement and place; facts, sources and entities; CSV files for neo4j-admin
    .mmd .dot .svg .html            a picture: Mermaid, Graphviz, SVG, a page with the facts under it
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path as File
from typing import TYPE_CHECKING, BinaryIO, TextIO

from ..errors import InputError, StorageError, UnsupportedFormatError
from ..rdf_export import RDF_WRITERS
from ..views import Facts
from . import FORMATS, RDF, diagrams, graphs, tables

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph
    from ..model import Path

_TEXT: dict[str, Callable[[Facts, TextIO], None]] = {
    "graphml": graphs.write_graphml,
    "gexf": graphs.write_gexf,
    "cyjs": graphs.write_cytoscape,
    "json": graphs.write_json,
    "csv": tables.write_csv,
    "dot": diagrams.write_dot,
    "mmd": diagrams.write_mermaid,
    "svg": diagrams.write_svg,
    "html": diagrams.write_html,
}
_BINARY: dict[str, Callable[[Facts, BinaryIO], None]] = {"xlsx": tables.write_workbook, "zip": tables.write_neo4j}


def export(
    kg: KnowledgeGraph,
    path: File | str,
    format: str | None = None,
    *,
    paths: Iterable[Path] | None = None,
    machine: bool = False,
) -> File:
    """Write the live graph to a file; returns its path. The file appears whole or not at all.

    Args:
        format: a suffix without its dot; by default that of `path`.
        paths: write the facts on these paths only, as those of an answer.
        machine: the cells of a CSV file stay as they are; by default none is a formula to a spreadsheet.

    Raises:
        UnsupportedFormatError: an unknown format; names the accepted ones.
        InputError: the graph holds something that the format cannot say, or RDF of some paths is asked for.
        StorageError: the file could not be written.
        MissingExtraError: a workbook needs openpyxl.
    """
    target = File(path)
    wanted = (format or target.suffix).lower().lstrip(".")
    if wanted not in FORMATS:
        raise UnsupportedFormatError(f"unknown export format {wanted!r}; accepted: {' '.join(FORMATS)}")
    if paths is not None and wanted in RDF:
        raise InputError(f"{wanted} is written of the whole graph; paths go to {' '.join(FORMATS[len(RDF) :])}")
    facts = Facts(kg, paths)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with scratch.open("wb") as out:
            _write(wanted, facts, out, machine)
        scratch.replace(target)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error.strerror or error}") from None
    finally:
        scratch.unlink(missing_ok=True)
    return target


def _write(wanted: str, facts: Facts, out: BinaryIO, machine: bool) -> None:
    if wanted in _BINARY:
        _BINARY[wanted](facts, out)
        return
    text = io.TextIOWrapper(out, encoding="utf-8", newline="\n")
    if wanted in RDF:
        RDF_WRITERS[wanted](facts.kg, text)
    elif wanted == "csv":
        tables.write_csv(facts, text, machine=machine)
    else:
        _TEXT[wanted](facts, text)
    text.flush()
    text.detach()


__all__ = ["export"]
