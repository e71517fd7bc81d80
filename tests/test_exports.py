"""What `import hoptrace` offers, and what it costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import hoptrace
import pytest

ROOT = Path(hoptrace.__file__).resolve().parent
PUBLIC = {
    "Agent",
    "Answer",
    "Budget",
    "Chunk",
    "Citation",
    "Entity",
    "Hop",
    "HoptraceError",
    "KnowledgeGraph",
    "Literal",
    "Path",
    "Relation",
    "Source",
    "Span",
    "Status",
    "Triple",
    "__version__",
}


def test_the_public_names_are_these() -> None:
    assert set(hoptrace.__all__) == PUBLIC
    assert set(dir(hoptrace)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_loads(name: str) -> None:
    assert getattr(hoptrace, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == PUBLIC - {"__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Agnet"):
        _ = hoptrace.Agnet


def test_the_version_is_the_package_version() -> None:
    assert hoptrace.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a statement adds to a fresh interpreter, the standard library and hoptrace left out."""
    code = f"import sys, json; before = set(sys.modules); {statement}; print(json.dumps(sorted(set(sys.modules) - before)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    tops = {name.partition(".")[0] for name in json.loads(run.stdout)}
    return tops - set(sys.stdlib_module_names) - {"hoptrace"}


def test_import_loads_the_standard_library_only() -> None:
    assert loaded_by("import hoptrace") == set()


def test_the_value_types_load_the_standard_library_only() -> None:
    assert loaded_by("from hoptrace import Entity, Path, Span, HoptraceError") == set()


def test_the_command_line_loads_nothing_heavy() -> None:
    loaded = loaded_by("import hoptrace.agents.interfaces.cli")
    assert loaded & {"click", "rich"} == {"click", "rich"}
    heavy = {"numpy", "scipy", "networkx", "rdflib", "faiss", "onnxruntime", "torch", "pandas", "langchain_core"}
    assert not loaded & heavy


@pytest.mark.parametrize("folder", ["kg", "kg.ingest", "retrieval", "prompts", "agents", "agents.interfaces", "data"])
def test_each_folder_tells_its_story(folder: str) -> None:
    tree = ast.parse((ROOT / folder.replace(".", "/") / "__init__.py").read_text("utf-8"))
    assert len(ast.get_docstring(tree) or "") > 60
