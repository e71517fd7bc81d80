"""The table of commands: each is one function over the Python API, registered once for every surface.

Importing a module below registers its commands, in the order in which they are listed. Heavy modules are imported inside the
functions, so that listing the commands costs little.
"""

from __future__ import annotations

from . import asking, care, changing, looking, serving, training  # noqa: F401  (the order of the table)
from .registry import COMMANDS

__all__ = ["COMMANDS"]
