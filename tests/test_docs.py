"""Documentation that runs: every console and Python block of the README in order, and the doctests of the package."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import hoptrace
import pytest
from hoptrace.kg import errors

ROOT = Path(hoptrace.__file__).resolve().parent
README = (ROOT / "README.md").read_text("utf-8")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.S | re.M)


def commands(block: str) -> list[tuple[str, str]]:
    """(command, expected output) of a console block; a command that shows no output may print anything."""
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [(command, expected) for command, _, expected in (part.partition("\n") for part in parts)]


def check(expected: str, got: str, what: str) -> None:
    if expected:
        assert doctest.OutputChecker().check_output(expected, got, FLAGS), f"{what}\nexpected:\n{expected}\ngot:\n{got}"


@pytest.mark.skipif(os.name == "nt", reason="the console blocks are for a POSIX shell")
def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, "PYTHONIOENCODING": "utf-8"}
    environment.pop("HOPTRACE_KG", None)
    steps = [step for block in blocks("console") for step in commands(block)]
    assert len(steps) > 10
    for command, expected in steps:
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        check(expected, done.stdout, command)
    (code,), (expected,) = blocks("python"), blocks("text")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check(expected, done.stdout, "the Python block")


def test_the_readme_names_every_exit_code() -> None:
    codes = {value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")}
    section = README.partition("## Exit codes")[2].partition("##")[0]
    assert codes <= set(map(int, re.findall(r"(?<!\w)\d+(?= )", section)))


def test_the_readme_is_short() -> None:
    assert README.count("\n") < 200


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_the_documents_name_files_that_exist(name: str) -> None:
    named = re.findall(r"`((?:kg|retrieval|agents|prompts|data|tests|benchmarks)/[\w/.]*)`", (ROOT / name).read_text("utf-8"))
    missing = [path for path in named if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()]
    assert not missing


def modules() -> list[str]:
    folders = ("kg", "retrieval", "prompts", "agents", "data")
    found = (info.name for f in folders for info in pkgutil.walk_packages([str(ROOT / f)], f"hoptrace.{f}."))
    with_examples = (name for name in [*(f"hoptrace.{f}" for f in folders), *found] if ">>> " in source(name))
    return sorted(with_examples)


def source(name: str) -> str:
    path = ROOT.joinpath(*name.split(".")[1:])
    return (path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py").read_text("utf-8")


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.failed == 0
