"""`run.py` before anything is installed: standard library only, a clear word for an old Python or a wrong command."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (ROOT / "run.py").read_text("utf-8")


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py as a module whose environment lies in a temporary folder and whose pip line is recorded, not run."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp.json")
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text(name)
    return module


def test_needs_nothing_installed() -> None:
    names = {a.name for n in ast.walk(ast.parse(SOURCE)) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in ast.walk(ast.parse(SOURCE)) if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_an_old_python_can_read_it_far_enough_to_be_told() -> None:
    ast.parse(SOURCE, feature_version=(3, 7))


def test_an_unknown_command_is_named() -> None:
    run = subprocess.run([sys.executable, str(ROOT / "run.py"), "tset"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "'tset'" in run.stderr
    assert "run.py test" in run.stderr


def test_installs_once_and_again_when_requirements_change(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[list[str]] = []

    def record(line: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        if "install" in line:
            lines.append(line)
        return subprocess.CompletedProcess(line, 0)

    monkeypatch.setattr(bootstrap.subprocess, "run", record)
    bootstrap.install("documents")
    bootstrap.install("documents")
    assert [line[-1] for line in lines] == [".[documents]"]
    bootstrap.install(bootstrap.TEST)
    bootstrap.install("documents")  # the larger set holds the smaller one
    assert [line[-1] for line in lines] == [".[documents]", f".[{bootstrap.TEST}]"]
    (bootstrap.ROOT / "constraints.txt").write_text("numpy==2.0.0")
    bootstrap.install("documents")
    assert [line[-1] for line in lines][2:] == [".[documents]"]


def test_a_failed_installation_is_not_remembered(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        bootstrap.subprocess, "run", lambda line, **_: subprocess.CompletedProcess(line, 3 if "install" in line else 0)
    )
    with pytest.raises(SystemExit, match="exit code 3"):
        bootstrap.install("documents")
    assert bootstrap.installed() == ""


def test_a_damaged_stamp_counts_as_nothing_installed(bootstrap: ModuleType) -> None:
    bootstrap.STAMP.write_text("{")
    assert bootstrap.installed() == ""
