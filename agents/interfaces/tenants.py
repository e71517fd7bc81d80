"""Who may ask which graph. A namespace is a graph folder of its own, and a token opens exactly one.

Separate folders, not a filter on a shared store: no query, index, cache or log can forget to apply a filter that does not exist.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...kg.errors import InputError, MissingPathError
from ...kg.ingest.texts import Text
from .changing import take
from .desk import Desk
from .limits import Limits
from .metrics import Metrics
from .registry import call
from .session import Session

MIN_TOKEN = 16  # characters
_FIELDS = {"name", "graph", "tokens", "writes"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """Attributes:
    name: for logs.
    graph: its folder.
    tokens: SHA-256 digests; with none, everybody who reaches the server is this tenant.
    writes: whether it may change its graph where the server allows changes at all.
    """

    name: str
    graph: Path
    tokens: tuple[bytes, ...] = ()
    writes: bool = True


class Namespace:
    """A tenant at work: its open graph, its log of answers, its counters, and the one thread in which it writes."""

    def __init__(self, tenant: Tenant, limits: Limits) -> None:
        self.tenant, self.session = tenant, Session(tenant.graph, seconds=limits.question_seconds)
        self.metrics, self.writing = Metrics(), Desk(1, limits.queue)
        self._counted: tuple[int, int] | None = None

    def call(self, name: str, given: Mapping[str, Any], watch: Callable[[Any], None]) -> dict[str, Any]:
        """Run a command; `watch` gets steps and progress as they happen, and stops it by raising."""
        started = time.perf_counter()
        with self.metrics.working():
            data = call(self.session.watched(watch), name, given).to_dict()
        if name == "ask":
            self.metrics.answered(data, time.perf_counter() - started)
        return data

    def take(self, texts: Sequence[Text], watch: Callable[[Any], None]) -> dict[str, Any]:
        """Read texts into the graph; `watch` gets progress."""
        with self.metrics.working():
            return take(self.session.watched(watch), texts).to_dict()

    def counts(self) -> dict[str, int]:
        """Facts and the last ledger number of the graph; the facts are counted once for each of its states."""
        seq = self.session.kg.store.seq
        if self._counted is None or self._counted[0] != seq:
            self._counted = (seq, self.session.kg.stats()["triples"])
        return {"triples": self._counted[1], "seq": seq}

    def close(self) -> None:
        self.writing.close()
        self.session.close()


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def admitted(namespaces: Sequence[Namespace], token: str) -> Namespace | None:
    """The namespace that a token opens, None for none. All digests are compared, each in constant time."""
    given, found = digest(token), None
    for namespace in namespaces:
        for known in namespace.tenant.tokens:
            if hmac.compare_digest(known, given):
                found = namespace
    return found


def read_tokens(file: Path | None, given: str) -> tuple[bytes, ...]:
    """Digests of the tokens in a file, one a line, and of one given.

    Raises:
        MissingPathError: no such file.
        InputError: a token is too short, or the file holds none.
    """
    tokens = [given] if given else []
    if file is not None:
        try:
            tokens += file.read_text("utf-8").split()
        except OSError as error:
            raise MissingPathError(f"no token file {file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InputError(f"{file} is not UTF-8") from None
        if not tokens:
            raise InputError(f"{file} holds no token")
    if any(len(token) < MIN_TOKEN for token in tokens):
        raise InputError(f"a token has at least {MIN_TOKEN} characters; `openssl rand -hex 32` makes a good one")
    return tuple(map(digest, tokens))


def read_tenants(file: Path) -> tuple[Tenant, ...]:
    """Tenants of a TOML file: tables `[[tenant]]` with name, graph (a folder, seen from the file), tokens, writes.

    Raises:
        MissingPathError: no such file.
        InputError: it is no TOML, a field is missing, strange or wrong, or two tenants share a name, a folder or a token.
    """
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise MissingPathError(f"no file of tenants {file}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{file}: {error}") from None
    rows = data.get("tenant")
    if set(data) != {"tenant"} or not isinstance(rows, list) or not rows:
        raise InputError(f"{file}: it holds tables [[tenant]], at least one, and nothing else")
    tenants = tuple(_tenant(file, row) for row in rows)
    everyone = {
        "name": [tenant.name for tenant in tenants],
        "graph": [str(tenant.graph) for tenant in tenants],
        "token": [token.hex() for tenant in tenants for token in tenant.tokens],
    }
    for what, values in everyone.items():
        if len(set(values)) < len(values):
            raise InputError(f"{file}: a {what} is there twice")
    return tenants


def _tenant(file: Path, row: Any) -> Tenant:
    if not isinstance(row, dict) or not {"name", "graph", "tokens"} <= set(row) <= _FIELDS:
        raise InputError(f"{file}: a tenant has name, graph, tokens and perhaps writes")
    name, graph, tokens, writes = row["name"], row["graph"], row["tokens"], row.get("writes", False)
    if not (isinstance(name, str) and re.fullmatch(r"[\w.-]{1,64}", name, re.ASCII)):
        raise InputError(f"{file}: a tenant's name is of letters, digits, dots and dashes, not {name!r:.80}")
    if not (isinstance(graph, str) and graph and isinstance(writes, bool)):
        raise InputError(f"{file}: {name}: graph is a folder, writes is true or false")
    if not (isinstance(tokens, list) and tokens and all(isinstance(t, str) and re.fullmatch("[0-9a-f]{64}", t) for t in tokens)):
        raise InputError(f"{file}: {name}: tokens are SHA-256 sums in hex, at least one")
    return Tenant(name, (file.parent / graph).resolve(), tuple(map(bytes.fromhex, tokens)), writes)
