"""Commands that offer the graph to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import Argument, Result, command

if TYPE_CHECKING:
    from .session import Session


@command(
    "mcp",
    "Offer the graph to MCP clients: over stdio, or over HTTP where a port is given.",
    Argument("http", "port for streamable HTTP; stdio when left out", int, option=True),
    Argument("host", "address for HTTP; one that other machines reach needs HOPTRACE_TOKEN", option=True, default="127.0.0.1"),
    Argument("allow_writes", "offer the commands that change the graph", bool, option=True),
    Argument("allow_sparql", "offer SPARQL", bool, option=True),
    examples=("", "--http 8790", "--allow-sparql"),
    interactive=True,
    local="it is a server itself",
)
def mcp(session: Session, http: int | None, host: str, allow_writes: bool, allow_sparql: bool) -> Result:
    from .mcp_server import GraphServer, serve_http

    server = GraphServer(session, writes=allow_writes, sparql=allow_sparql)
    if http is None:
        server.run("stdio")
    else:
        serve_http(server, host, http)
    return Result({}, lambda out: None)
