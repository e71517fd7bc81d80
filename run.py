"""The two commands of the README, with the standard library only.

    python3 run.py                        set up .venv once, then run the demo: documents in, traced answers out
    python3 run.py test [--long] [ARGS]   install everything and run all tests; ARGS go to pytest

A stamp in .venv remembers what is installed, so the second run needs no network.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "hoptrace-installed.json"
DEMO = "documents"  # the demo reads PDF and DOCX, no torch
TEST = "models,sparql,documents,server,mcp,postgres,notebook,arrow,llamaindex,dev"


def fingerprint() -> str:
    """What an installation depends on: the two requirement files, the Python, and where the checkout lies."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    digest.update(f"{sys.version_info[:2]} {ROOT}".encode())
    return digest.hexdigest()


def installed() -> str:
    """The extras that were installed for the present fingerprint, "" when none or unknown."""
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
        return stamp["extras"] if stamp["fingerprint"] == fingerprint() and PYTHON.exists() else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def create_venv() -> None:
    try:
        import ensurepip  # noqa: F401 - Debian splits it from python3; without it the environment would have no pip
        import venv
    except ImportError:
        sys.exit("run.py: this Python cannot create environments; on Debian or Ubuntu: apt install python3-venv")
    print(f"creating {VENV}", flush=True)
    venv.create(VENV, with_pip=True, clear=True, symlinks=os.name != "nt")


def install(extras: str) -> None:
    """Bring .venv to `extras`; nothing is done, and no network used, when they are there."""
    if installed() in (extras, TEST):
        return
    works = PYTHON.exists() and subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True).returncode == 0
    if not works:
        create_venv()
    STAMP.unlink(missing_ok=True)
    line = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    line += ["--constraint", "constraints.txt", "--editable", f".[{extras}]"]
    print("$ " + shlex.join(line), flush=True)
    code = subprocess.run(line, cwd=ROOT).returncode
    if code:
        sys.exit(f"run.py: pip ended with exit code {code}; the line above can be run by hand")
    STAMP.write_text(json.dumps({"fingerprint": fingerprint(), "extras": extras}), "utf-8")


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["test"]:
        install(TEST)
        job = ["-m", "pytest", *arguments[1:]]
    elif not arguments:
        install(DEMO)
        job = ["-m", "hoptrace.agents.interfaces.cli", "demo", "--out", "out"]
    else:
        sys.exit(f"run.py: unknown command {arguments[0]!r}; there are: python3 run.py, python3 run.py test [--long] [ARGS]")
    return subprocess.run([str(PYTHON), *job], cwd=ROOT).returncode


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - run.py is started before anything checks requires-python
        sys.exit("run.py: hoptrace needs Python 3.11 or newer, this is " + sys.version.split()[0])
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
