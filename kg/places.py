"""Where graphs are: in a folder (SQLite), or in a namespace of a PostgreSQL database.

    my.kg                                              a folder
    postgresql://user@host/db?namespace=acme           a namespace; `default` when none is named
    postgresql://host/db?namespace=acme&cache=/fast    what is derived, and this machine's own files, go to /fast

A shared store keeps what is known; indexes, kept answers, trained models and the quarantine of an ingestion stay in a
local folder, by default one for each address under `$XDG_CACHE_HOME/hoptrace` (`~/.cache/hoptrace`). It may be removed:
indexes are rebuilt.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from .errors import InputError, MissingExtraError, MissingPathError

if TYPE_CHECKING:
    from .store import Store

_URL = re.compile(r"postgres(ql)?://")


def local_folder(place: str | Path) -> Path:
    """The folder itself, or the local folder of a shared store; nothing is made and no server asked."""
    if not _shared(place):
        return Path(place).expanduser()
    parts = urlsplit(str(place))
    given = parse_qs(parts.query)
    if "cache" in given:
        return Path(given["cache"][0]).expanduser()
    where = "\n".join([parts.netloc.rpartition("@")[2], parts.path, *given.get("host", []), *given.get("namespace", ["default"])])
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "hoptrace"
    return home / hashlib.blake2b(where.encode(), digest_size=8).hexdigest()


def open_store(place: str | Path, *, create: bool, read_only: bool) -> tuple[Path, Store]:
    """The local folder and the store of a place.

    Raises:
        MissingPathError: there is none and it shall not be made.
        InputError: the path is a file, or the URL cannot be read.
        SchemaVersionError: it was written by a newer hoptrace.
        MissingExtraError: a URL, and psycopg is not installed.
        ConnectionLostError: the server does not answer.
    """
    folder = local_folder(place)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, a knowledge graph is a folder")
    if _shared(place):
        try:
            from .postgres import PostgresStore
        except ImportError:
            raise MissingExtraError("a graph in PostgreSQL", "postgres") from None
        store = PostgresStore(str(place), create=create, read_only=read_only)
        with suppress(OSError):  # indexes then stay in memory
            folder.mkdir(parents=True, exist_ok=True)
        return folder, store
    from .sqlite import SQLiteStore

    if (read_only or not create) and not (folder / "kg.sqlite").is_file():
        raise MissingPathError(f"no knowledge graph at {folder}")
    return folder, SQLiteStore(folder, read_only=read_only)


def _shared(place: str | Path) -> bool:
    return isinstance(place, str) and _URL.match(place) is not None
