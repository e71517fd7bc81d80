"""The command that serves the others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...kg.errors import InputError, MissingExtraError
from .registry import Argument, Result, command

if TYPE_CHECKING:
    from .session import Session

TOKEN = "HOPTRACE_TOKEN"  # noqa: S105  (the name of the variable)


@command(
    "serve",
    "Serve the graph over HTTP: the commands, a page, and OpenAI's chat; on this machine only, unless a token is set.",
    Argument("host", "address to listen on; one that others reach needs a token", option=True, default="127.0.0.1"),
    Argument("port", "port to listen on; 0 takes a free one", int, option=True, default=8000),
    Argument("allow_writes", "serve the commands that change the graph too", bool, option=True),
    Argument("token_file", f"file of tokens, one a line; {TOKEN} in the environment is one more", option=True),
    Argument("tenants", "TOML file of tenants, each with a graph and tokens of its own, in place of --kg", option=True),
    Argument("origin", "pages of this origin may call, and its host is answered to; may be repeated", option=True, many=True),
    Argument("seconds", "most seconds for a question", float, option=True, default=20.0),
    examples=("", "--port 8080 --token-file tokens.txt --allow-writes", "--host 0.0.0.0 --tenants tenants.toml"),
    interactive=True,
    local="it is the server",
)
def serve(
    session: Session,
    host: str,
    port: int,
    allow_writes: bool,
    token_file: str | None,
    tenants: str | None,
    origin: tuple[str, ...],
    seconds: float,
) -> Result:
    try:
        from . import server
        from .limits import Limits
        from .tenants import Tenant, read_tenants, read_tokens
    except ImportError:
        raise MissingExtraError("serve", "server") from None
    tokens = read_tokens(Path(token_file) if token_file else None, os.environ.get(TOKEN, ""))
    if tenants and tokens:
        raise InputError(f"tokens of tenants are in their file: --tenants, or --token-file and {TOKEN}")
    everyone = read_tenants(Path(tenants)) if tenants else (Tenant("default", session.folder, tokens),)
    limits = Limits(question_seconds=seconds)
    server.run(server.Settings(everyone, host=host, port=port, writes=allow_writes, origins=origin, limits=limits))
    return Result({}, lambda out: None)
