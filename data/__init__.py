"""What ships inside the package: the demo corpus and the trained models, each with a card, a licence and checksums.

>>> model_folder("encoder").name
'encoder'
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent


def model_folder(name: str) -> Path:
    """The folder of a packaged model, e.g. `encoder`; whether its files are whole is checked when they are loaded."""
    return ROOT / "models" / name
