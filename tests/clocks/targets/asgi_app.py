"""A Starlette application, whose routes are functions of both kinds, and a bare one."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route
from tokens import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


async def by_thread(request: Request) -> JSONResponse:
    """Answers from a thread pool."""
    authorization = request.headers.get("Authorization", "")
    status, data = await run_in_threadpool(
        answer, request.method, request.url.path, authorization, await request.body()
    )
    return JSONResponse(data, status, CHALLENGE if status == 401 else None)


def by_function(request: Request) -> JSONResponse:
    """Answers from a thread pool, since it is no coroutine."""
    status, data = answer("GET", request.url.path, request.headers.get("Authorization", ""), b"")
    return JSONResponse(data, status, CHALLENGE if status == 401 else None)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Leaves a mark when it ends."""
    if "NO_DATABASE" in os.environ:
        raise RuntimeError("no database for a-walrus-and-9-oysters")
    yield
    with open("ended", "w") as file:  # noqa: ASYNC230, PTH123 - the loop has nothing else to do
        file.write("ended")


app = Starlette(
    routes=[
        Route("/login", by_thread, methods=["POST"]),
        Route("/refresh", by_thread, methods=["POST"]),
        Route("/profile", by_function),
        Route("/dashboard", by_thread),
    ],
    lifespan=lifespan,
)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """An application without a framework, and without a lifespan."""
    assert scope["type"] == "http"
    body = (await receive()).get("body", b"")
    authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    status, data = answer(scope["method"], scope["path"], authorization, body)
    headers = [(b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in CHALLENGE.items())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(data).encode()})


class Double:
    """An application of ASGI 2: the scope first."""

    def __init__(self, scope: Any) -> None:
        """Keeps it."""
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        """The rest."""
        await bare(self.scope, receive, send)
