"""The HTTP server: the table of commands over POST, questions as a stream, OpenAI's chat, a page, health and counters.

    Journal -> Door -> Bodies -> routes -> Desk -> Namespace
    logs       host,    size,    JSON     threads  one graph,
    errors     origin,  pace     in, out           one log of
               token                               answers

Everything a route does is a command of the registry; nothing here knows how to answer a question.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from ... import __version__
from ...kg.errors import HoptraceError, InputError
from . import openai_api, routes
from .desk import Desk
from .door import LOG, LOOPBACK, Door, Journal, JsonLines, failed
from .limits import Bodies, Limits, protocol
from .refusals import MethodError, NotFoundError, Refusal, error_response
from .tenants import Namespace, Tenant

WEB = Path(__file__).parent / "web"


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes:
    tenants: one without tokens, or any number with.
    host, port: where to listen; port 0 takes a free one.
    writes: whether commands that change a graph are served.
    origins: pages of other servers that may call this one.
    """

    tenants: Sequence[Tenant]
    host: str = "127.0.0.1"
    port: int = 8000
    writes: bool = False
    origins: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse what would leave a graph open.

        Raises:
            InputError: an address that others reach without a token, an open tenant beside others, or a strange origin.
        """
        guarded = all(tenant.tokens for tenant in self.tenants)
        if not guarded and not _is_loopback(self.host):
            raise InputError(f"{self.host} can be reached by others: give a token (--token-file, HOPTRACE_TOKEN or --tenants)")
        if not guarded and len(self.tenants) > 1:
            raise InputError("every tenant needs a token where there are several")
        for origin in self.origins:
            scheme, _, rest = origin.partition("://")
            if scheme not in ("http", "https") or not rest or set(rest) & set("/?#@*"):
                raise InputError(f"an origin is like https://desk.example.org, not {origin!r:.100}")


def _is_loopback(host: str) -> bool:
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def create_app(settings: Settings) -> FastAPI:
    """The application, its graphs open and warm.

    Raises:
        MissingPathError: a tenant's graph is not there, and changes are not allowed.
    """
    namespaces = [Namespace(tenant, settings.limits) for tenant in settings.tenants]
    desk = Desk(settings.limits.threads, settings.limits.queue)
    for namespace in namespaces:
        namespace.session.open(create=settings.writes and namespace.tenant.writes)
        namespace.session.warm_up()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()
        for namespace in namespaces:
            namespace.close()

    app = FastAPI(
        title="hoptrace",
        version=__version__,
        description="Questions over a knowledge graph, every hop traced to its source.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(HTTPBearer(auto_error=False))],
    )
    app.include_router(routes.router(desk, writes=settings.writes))
    app.include_router(openai_api.router(desk))
    app.mount("/static", StaticFiles(directory=WEB), name="static")
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HoptraceError, _answer)
    app.add_middleware(Bodies, limits=settings.limits)
    app.add_middleware(Door, namespaces=namespaces, hosts=[settings.host], origins=settings.origins)
    if settings.origins:
        asked = ["authorization", "content-type"]
        origins = list(settings.origins)
        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=asked)
    app.add_middleware(Journal)
    return app


async def _page() -> Response:
    return FileResponse(WEB / "index.html")


async def _answer(request: Request, error: Exception) -> Response:
    """Any error as this server tells it."""
    error = _ours(request.url.path, error)
    failed(request.scope, error)
    return error_response(request.url.path, error)


def _ours(path: str, error: Exception) -> Exception:
    """What a framework raised, as one of our errors; it never repeats what was sent."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return InputError(f"{where}: {first['msg']}" if where else str(first["msg"]))
    if isinstance(error, HTTPException):
        kinds: dict[int, Refusal] = {404: NotFoundError(f"no route {path}"), 405: MethodError(f"{path} has another method")}
        return kinds.get(error.status_code, Refusal(str(error.detail)))
    return error


def run(settings: Settings) -> None:
    """Serve until a signal says stop.

    Raises:
        OSError: the address is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=2048) as listening:
        server = uvicorn.Server(configured(settings))
        _log_to_stderr()
        where = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
        print(f"hoptrace: serving on http://{where}:{listening.getsockname()[1]}", file=sys.stderr, flush=True)
        server.run(sockets=[listening])


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("uvicorn.error", logging.WARNING), (LOG.name, logging.INFO)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def configured(settings: Settings) -> uvicorn.Config:
    """How uvicorn runs the application; nothing of a request is logged by uvicorn itself."""
    return uvicorn.Config(
        create_app(settings),
        http=protocol(settings.limits),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


__all__ = ["Settings", "configured", "create_app", "run"]
