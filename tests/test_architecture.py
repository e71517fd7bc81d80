"""The shape of the house: which way imports run, what may not be called, how big a file may get, types and style."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("kg", "retrieval", "prompts", "agents", "data")
MAY_IMPORT = {
    "kg": {"kg", "data"},
    "retrieval": {"kg", "retrieval", "data"},
    "prompts": {"prompts"},
    "agents": {"kg", "retrieval", "prompts", "agents", "data"},
    "data": {"data"},
}
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if "demo" not in path.parts]
CODE = [*FILES, ROOT / "__init__.py", ROOT / "run.py", *sorted((ROOT / "benchmarks").glob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted path inside hoptrace) of every import of our own code, wherever in the file it stands."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            for alias in node.names:
                yield node.lineno, ".".join([*base, *(node.module.split(".") if node.module else [alias.name])])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "hoptrace":
            yield node.lineno, (node.module or "").partition(".")[2] or node.names[0].name
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, a.name.partition(".")[2]) for a in node.names if a.name.startswith("hoptrace."))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_data_flows_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    wrong = [f"{name(path)}:{line} imports {used}" for line, used in imports(path) if used.partition(".")[0] in FOLDERS]
    wrong = [text for text in wrong if text.rpartition(" ")[2].partition(".")[0] not in MAY_IMPORT[own]]
    assert not wrong


def test_nobody_inside_imports_the_interfaces() -> None:
    outside = [path for path in FILES if "interfaces" not in path.parts]
    found = [f"{name(path)}:{line}" for path in outside for line, used in imports(path) if used.startswith("agents.interfaces")]
    assert not found


def test_the_import_reader_sees_an_import_inside_a_function() -> None:
    assert any(used == "kg.graph" for _, used in imports(ROOT / "agents" / "interfaces" / "session.py"))


FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "pd.read_pickle"}


def forbidden(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Whatever runs code or commands hidden in data, and loaders that would."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, f"import {a.name}") for a in node.names if a.name.partition(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            yield node.lineno, f"from {node.module}"
        elif isinstance(node, ast.Call):
            called, keywords = ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}
            if called in FORBIDDEN_CALLS:
                yield node.lineno, called
            if called == "torch.load" and keywords.get("weights_only") != "True":
                yield node.lineno, "torch.load without weights_only=True"
            for keyword in ("shell", "allow_pickle"):
                if keywords.get(keyword, "False") != "False":
                    yield node.lineno, f"{keyword}={keywords[keyword]}"


@pytest.mark.parametrize("path", CODE, ids=name)
def test_nothing_runs_code_found_in_data(path: Path) -> None:
    assert not list(forbidden(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from marshal import loads",
        "eval(text)",
        "exec(text)",
        "os.system(text)",
        "subprocess.run(text, shell=True)",
        "numpy.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
    ],
)
def test_the_gate_finds_each_forbidden_call(line: str) -> None:
    assert list(forbidden(ast.parse(line)))


@pytest.mark.parametrize("line", ["model.eval()", "torch.load(p, weights_only=True)", "np.load(p, allow_pickle=False)"])
def test_the_gate_lets_ordinary_calls_pass(line: str) -> None:
    assert not list(forbidden(ast.parse(line)))


@pytest.mark.parametrize("path", CODE, ids=name)
def test_files_stay_readable(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 450
    long = [
        f"{name(path)}:{node.lineno} {node.name}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (node.end_lineno or 0) - node.body[0].lineno >= 60
    ]
    assert not long


def test_every_package_ships() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    found = {"hoptrace"} | {".".join(["hoptrace", *p.parent.relative_to(ROOT).parts]) for p in FILES if p.name == "__init__.py"}
    assert set(listed) == found


def test_every_data_file_ships() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    shipped: set[Path] = set()
    for package, globs in patterns.items():
        folder = ROOT.joinpath(*package.split(".")[1:])
        matched = {path for glob in globs for path in folder.glob(glob) if path.is_file()}
        assert matched, f"{package}: {globs} match nothing"
        shipped |= matched
    data = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert {path for path in data - shipped if path.suffix not in (".py", ".pyc") and not path.name.startswith(".")} == set()


def test_no_torch_in_the_base() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = " ".join(project["dependencies"] + project["optional-dependencies"]["documents"])
    assert "torch" not in base
    assert "transformers" not in base


def test_ruff() -> None:
    pytest.importorskip("ruff")
    result = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.skipif(os.name == "nt" or importlib.util.find_spec("mypy") is None, reason="needs mypy and symbolic links")
def test_mypy_strict(tmp_path: Path) -> None:
    # the import package is the checkout itself, whatever its name: a link gives mypy the name `hoptrace`
    (tmp_path / "hoptrace").symlink_to(ROOT, target_is_directory=True)
    command = [sys.executable, "-m", "mypy", "--strict", *(part for f in FOLDERS[:4] for part in ("-p", f"hoptrace.{f}"))]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, "MYPYPATH": str(tmp_path)}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
