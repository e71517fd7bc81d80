"""From bytes to characters, and JSON without its loose ends."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ParseError
from .report import Issues

MAX_BYTES = 512 * 2**20  # a larger text file is refused: split it, or load it as several
MAX_DEPTH = 64  # nesting of JSON
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_bytes(path: Path, uri: str) -> bytes:
    """The bytes of a regular file.

    Raises:
        ParseError: it is empty or larger than `MAX_BYTES`.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ParseError(f"{size:,} bytes are more than the {MAX_BYTES:,} accepted in one file", uri=uri)
    raw = path.read_bytes()
    if not raw.strip():
        raise ParseError("the file is empty", uri=uri)
    return raw


def decode(raw: bytes, uri: str, issues: Issues, *, declared: str = "") -> str:
    """The text of a file: UTF-8, UTF-16 with a byte order mark, `declared`, else Windows-1252 with a warning.

    Raises:
        ParseError: the bytes look binary.
    """
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or b"\x00" in raw:
            line = raw.count(b"\n", 0, error.start) + 1
            raise ParseError(f"looks binary: byte {error.start} is not {encoding}", uri=uri, line=line) from None
        text = _legacy(raw, uri, issues, declared, error.start)
    control = _CONTROL.findall(text[:1_000_000])
    if "\x00" in text or len(control) > max(2, len(text) // 500):
        raise ParseError("looks binary: it holds NUL or control characters", uri=uri, line=_line_of_control(text))
    return text


def _legacy(raw: bytes, uri: str, issues: Issues, declared: str, position: int) -> str:
    line = raw.count(b"\n", 0, position) + 1
    for encoding in filter(None, (declared, "cp1252")):
        try:
            text = raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if encoding == "cp1252":
            issues.warnings.append(f"{uri}:{line}: not UTF-8, read as Windows-1252")
        return text
    raise ParseError("looks binary: neither UTF-8 nor Windows-1252", uri=uri, line=line)


def _line_of_control(text: str) -> int:
    found = _CONTROL.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0


def sha256(*parts: bytes) -> str:
    """SHA-256 of the concatenated parts, hex."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def line_of(text: str, position: int) -> int:
    """1-based line number of a character offset."""
    return text.count("\n", 0, position) + 1


def loads(text: str, uri: str, line: int) -> Any:
    """Strict JSON of one line: no NaN or Infinity, no duplicate key, no nesting beyond what Python's stack holds.

    Raises:
        ParseError: with `uri` and `line`.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            raise ParseError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}", uri=uri, line=line)
        return found

    def refuse(constant: str) -> NoReturn:
        raise ParseError(f"{constant} is not JSON", uri=uri, line=line)

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError:
        raise ParseError("nested too deeply", uri=uri, line=line) from None
    except ValueError as error:  # includes JSONDecodeError and integers of more than 4,300 digits
        raise ParseError(f"not JSON: {error}", uri=uri, line=line) from None
