"""Optional packages that are absent: the base works without them, and what needs them says in one line what to install."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import hoptrace
import pytest

ROOT = Path(hoptrace.__file__).resolve().parent
OPTIONAL = tuple(
    """torch transformers sentence_transformers peft onnx pyoxigraph pypdf docx openpyxl pandas psycopg pyarrow polars
    IPython fastapi uvicorn starlette mcp llama_index""".split()
)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder in which every optional package is a module that cannot be imported; child processes see it too."""
    folder = tmp_path / "absent"
    folder.mkdir()
    for name in OPTIONAL:
        (folder / f"{name}.py").write_text(f"raise ImportError('no module named {name}')\n")
    return folder


def without(bare: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, [str(bare), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8", "HOPTRACE_KG": str(bare.parent / "kg")}
    return subprocess.run([sys.executable, *arguments], env=environment, cwd=bare.parent, capture_output=True, text=True)


def command(bare: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return without(bare, "-m", "hoptrace.agents.interfaces.cli", *words)


def test_the_main_job_runs_on_the_base(bare: Path) -> None:
    (bare.parent / "a.txt").write_text("Orla Vance founded Brightwater Labs. Brightwater Labs is headquartered in Tarn City.\n")
    assert command(bare, "ingest", "a.txt").returncode == 0
    done = command(bare, "ask", "Where is the company founded by Orla Vance headquartered?")
    assert "Tarn City" in done.stdout
    assert "verified" in done.stdout
    done = command(bare, "sparql", "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suffix", ["pdf", "docx", "xlsx"])
def test_a_format_that_needs_an_extra_names_it(bare: Path, suffix: str) -> None:
    (bare.parent / f"file.{suffix}").write_bytes(b"%PDF-1.4 " if suffix == "pdf" else b"PK\x03\x04")
    done = command(bare, "ingest", f"file.{suffix}", "--strict")
    assert "hoptrace[documents]" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("call", "extra"),
    [
        ("kg.to_pandas()", "documents"),
        ("kg.to_polars()", "arrow"),
        ("kg.to_arrow()", "arrow"),
        ("kg.add_frame(Stream(), 'x')", "arrow"),
        ("kg.export('x.xlsx')", "documents"),
        ("hoptrace.load_ipython_extension(None)", "notebook"),
    ],
)
def test_what_needs_an_extra_names_it(bare: Path, call: str, extra: str) -> None:
    code = f"""
import hoptrace
from hoptrace.kg.errors import MissingExtraError
class Stream:
    __arrow_c_stream__ = None
kg = hoptrace.KnowledgeGraph.open('kg')
try:
    {call}
except MissingExtraError as error:
    print(error, error.exit_code)
"""
    done = without(bare, "-c", code)
    assert done.stdout.endswith(f"needs: pip install 'hoptrace[{extra}]' 69\n"), done.stderr


def test_a_shared_store_names_its_extra(bare: Path) -> None:
    done = command(bare, "ask", "who?", "--kg", "postgresql://user@host/db?namespace=acme")
    assert done.returncode == 69
    assert done.stderr == "hoptrace: a graph in PostgreSQL needs: pip install 'hoptrace[postgres]'\n"


def test_the_mcp_server_names_its_extra(bare: Path) -> None:
    done = command(bare, "mcp")
    assert (done.stderr, done.returncode) == ("hoptrace: serving MCP needs: pip install 'hoptrace[mcp]'\n", 69)


def test_the_llamaindex_adapter_names_its_extra(bare: Path) -> None:
    done = without(bare, "-c", "import hoptrace.agents.interfaces.llamaindex")
    assert done.stderr.splitlines()[-1].endswith("LlamaIndex needs: pip install 'hoptrace[llamaindex]'")


def test_the_server_names_its_extra(bare: Path) -> None:
    done = command(bare, "serve")
    assert (done.returncode, done.stderr) == (69, "hoptrace: serve needs: pip install 'hoptrace[server]'\n")


def test_every_extra_that_an_error_names_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    sources = [path.read_text("utf-8") for folder in ("kg", "retrieval", "agents") for path in (ROOT / folder).rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'MissingExtraError\([^)]*?, "(\w+)"\)', text)}
    assert named
    assert named <= set(extras)
