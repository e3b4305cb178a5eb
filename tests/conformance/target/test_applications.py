"""What is an application, and how it is called."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from flask import Flask
from starlette.applications import Starlette

from conformance.target.application import Interface, interface_of


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """The usual form."""
    return [environ, start_response]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """The usual form."""


def not_async(scope: Any, receive: Any, send: Any) -> Any:
    """Gives what is to be awaited."""
    return asgi(scope, receive, send)


def hidden(call: Any) -> Any:
    """A decorator that hides what it takes."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return wrapper


def hidden_async(call: Any) -> Any:
    """The same, for what is awaited."""

    async def wrapper(*args: Any) -> Any:
        return await call(*args)

    return wrapper


class WsgiClass:
    """An application whose instances are response bodies, as PEP 3333 shows one."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        """A request."""

    def __iter__(self) -> Any:
        """The body."""
        return iter([])


class AsgiObject:
    """An object that is an application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """A request."""


class AsgiTwoSteps:
    """ASGI 2: the scope first."""

    def __init__(self, scope: Any) -> None:
        """The first step."""

    async def __call__(self, receive: Any, send: Any) -> None:
        """The second."""


class Middleware:
    """Chooses what it is when it is made, as some middlewares do."""

    __slots__ = ("__call__",)

    def __init__(self, app: Any) -> None:
        """Wraps an ASGI application."""
        self.__call__ = app


class Handler:
    """Called with one request, as Tornado's applications are."""

    def __call__(self, request: Any) -> None:
        """A request."""


def extra(name: str, environ: Any, start_response: Any) -> list[bytes]:
    """An application once its first argument is given."""
    return [name.encode(), environ, start_response]


async def extra_async(name: str, scope: Any, receive: Any, send: Any) -> None:
    """As above."""


@pytest.mark.parametrize(
    ("found", "interface"),
    [
        (wsgi, Interface.WSGI),
        (Flask(__name__), Interface.WSGI),
        (Flask(__name__).wsgi_app, Interface.WSGI),
        (WsgiClass, Interface.WSGI),
        (functools.partial(extra, "x"), Interface.WSGI),
        (hidden(wsgi), Interface.WSGI),
        (functools.wraps(wsgi)(hidden(wsgi)), Interface.WSGI),
        (asgi, Interface.ASGI),
        (Starlette(), Interface.ASGI),
        (AsgiObject(), Interface.ASGI),
        (AsgiObject().__call__, Interface.ASGI),
        (Middleware(asgi), Interface.ASGI),
        (functools.partial(extra_async, "x"), Interface.ASGI),
        (hidden_async(asgi), Interface.ASGI),
        (not_async, Interface.ASGI),
        (AsgiTwoSteps, Interface.ASGI2),
    ],
)
def test_applications_are_told_apart(found: Any, interface: Interface | None) -> None:
    """By what they take, and by whether they are async."""
    assert interface_of(found) is interface


def make(config: object = None) -> Any:
    """A factory."""
    return wsgi if config is None else asgi


def make_more(config: object = None, testing: object = None, *, debug: object = None) -> Any:
    """Another."""
    return make(config or testing or debug)


NONE = {
    "nothing": None,
    "a number": 42,
    "a name": "app",
    "Flask itself": Flask,
    "Starlette itself": Starlette,
    "a class of applications": AsgiObject,
    "a handler": Handler(),
    "a class of handlers": Handler,
    "dict": dict,
    "a factory": make,
    "a factory that takes two": make_more,
    "a function of one": len,
}


@pytest.mark.parametrize("found", NONE)
def test_what_is_none_is_none(found: str) -> None:
    """Neither a class that makes applications nor a factory is taken for one, however many arguments it may have."""
    assert interface_of(NONE[found]) is None
