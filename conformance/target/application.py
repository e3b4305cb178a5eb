"""The user's own application, found by its name: `module:attribute`, as gunicorn, uvicorn and Flask write it."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from conformance.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

USUAL_NAMES: Final = ("app", "application", "create_app", "make_app", "asgi", "wsgi", "api")
"""Tried in this order where no attribute is named."""
MOST_SAID: Final = 300
MOST_READ: Final = 1 << 16


class Interface(StrEnum):
    """How an application is called."""

    WSGI = "WSGI"
    ASGI = "ASGI"
    ASGI2 = "ASGI 2"
    """In two steps: once with the scope, which gives what is called with `receive` and `send`."""


@dataclass(frozen=True, slots=True)
class Application:
    """A callable that a server can serve, and how it is called."""

    call: Any
    interface: Interface


def find(name: str, redact: Callable[[str], str]) -> Application:
    """The application of that name, made by its factory where the name is a factory's.

    Args:
        name: `module:attribute`; the attribute may be dotted, and may be called with literals.
        redact: takes secrets out of what the application says when it fails.

    Raises:
        ConfigurationError: there is none, and why.
    """
    module_name, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        looks_like_file = dotted != module_name and dotted
        raise ConfigurationError(
            f"--app {name!r} names no module",
            f"write it as Python imports it: {dotted}:{attribute or 'app'}" if looks_like_file else "write module:app",
        )
    module = _imported(module_name, redact)
    found, called = _attribute(module, name, attribute or _usual_name(module), redact)
    if interface := interface_of(found):
        return Application(found, interface)
    if not called and _is_factory(found):
        found = _made(found, name, redact)
        if interface := interface_of(found):
            return Application(found, interface)
        called = True
    what = f"what {name!r} makes, a {type(found).__name__}," if called else f"--app {name!r}, a {_kind(found)},"
    raise ConfigurationError(
        f"{what} is no WSGI or ASGI application",
        "name a callable that takes (environ, start_response) or (scope, receive, send), or a function without"
        " arguments that returns one",
    )


# -- Importing -------------------------------------------------------------------------------------------------------


def _imported(name: str, redact: Callable[[str], str]) -> ModuleType:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name
        if not missing:
            _tell(f"importing {name!r}", error, redact)
        if name == missing or name.startswith(f"{missing}."):
            around = {
                path.stem for path in Path.cwd().iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
            }
            raise ConfigurationError(
                f"--app: there is no module {missing!r}{nearest(missing, around)}",
                f"it is looked for in the working directory, {str(Path.cwd())!r}, and where this Python finds modules",
            ) from None
        raise ConfigurationError(
            f"--app: importing {name!r} needs the module {missing!r}, which is not there",
            "install what the application needs into the environment of jwt-conformance, or jwt-conformance into that"
            " of the application",
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - anything can happen in somebody's module
        _tell(f"importing {name!r}", error, redact)


def _tell(doing: str, error: BaseException, redact: Callable[[str], str]) -> NoReturn:
    """Says in a line what the application raised, and where in the user's own files."""
    files = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    own = [
        (file, line) for file, line in files if file.is_relative_to(Path.cwd()) and "site-packages" not in file.parts
    ]
    where = f", in {own[-1][0].name}, line {own[-1][1]}" if own and own[-1][0] != Path(__file__) else ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f", in {Path(error.filename).name}, line {error.lineno}"
        error = type(error)(error.msg)
    # Redacted before it is cut: half a secret is not recognised.
    said = " ".join(redact(str(error)[:MOST_READ]).split())[:MOST_SAID]
    raise ConfigurationError(
        f"--app: {doing} raises {type(error).__name__}{f': {said}' if said else ''}{where}",
        "does it need settings, or environment variables, that are not there?",
    ) from None


# -- The attribute ---------------------------------------------------------------------------------------------------


def _usual_name(module: ModuleType) -> str:
    for name in USUAL_NAMES:
        if hasattr(module, name):
            return name
    raise ConfigurationError(
        f"--app {module.__name__!r} names no attribute, and the module has none of {', '.join(USUAL_NAMES)}",
        f"write {module.__name__}:NAME_OF_THE_APPLICATION",
    )


def _attribute(module: ModuleType, name: str, text: str, redact: Callable[[str], str]) -> tuple[Any, bool]:
    """What the attribute is, or gives when it is called, and whether it was called."""
    path, args, kwargs = _parsed(name, text)
    found: Any = module
    for step, part in enumerate(path):
        try:
            found = getattr(found, part)
        except AttributeError:
            owner = ".".join([module.__name__, *path[:step]])
            raise ConfigurationError(
                f"--app: {owner!r} has no attribute {part!r}{nearest(part, _public(found))}",
                "the part after the colon is the application's name in the module",
            ) from None
    if args is None:
        return found, False
    if not callable(found):
        raise ConfigurationError(f"--app: {'.'.join(path)!r} is called, and is no function but a {_kind(found)}")
    return _made(partial(found, *args, **kwargs), name, redact), True


def _parsed(name: str, text: str) -> tuple[list[str], list[Any] | None, dict[str, Any]]:
    """The dotted name, and the arguments of the call; None where nothing is called."""
    with suppress(SyntaxError, ValueError):
        tree = ast.parse(text.strip(), mode="eval").body
        call = tree if isinstance(tree, ast.Call) else None
        path = ast.unparse(call.func if call else tree).split(".")
        args = None if call is None else [ast.literal_eval(value) for value in call.args]
        kwargs = {} if call is None else {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        if all(part.isidentifier() for part in path):
            return path, args, kwargs
    raise ConfigurationError(
        f"--app {name!r} names no attribute after the colon",
        "write module:app, module:object.app or module:create_app(), with no arguments but literals",
    )


def _public(owner: Any) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("__")]


def _kind(found: Any) -> str:
    return "module" if inspect.ismodule(found) else "class" if inspect.isclass(found) else type(found).__name__


# -- What it is ------------------------------------------------------------------------------------------------------


def interface_of(found: Any) -> Interface | None:
    """How a server has to call this; None where it is no application, or one only after it was called.

    Async functions with three arguments are ASGI, and callables with two are WSGI. What takes any number is judged by
    whether it is async.
    """
    if not callable(found):
        return None
    if inspect.isclass(found):
        return _interface_of_class(found)
    call = found if inspect.isroutine(found) or isinstance(found, partial) else found.__call__
    if _is_async(found) or _is_async(call):
        return Interface.ASGI if _takes(found, 3) else None
    if getattr(found, "_asgi_double_callable", False):
        return Interface.ASGI2
    if _takes(found, 2) and not _takes(found, 0, strictly=True):
        return Interface.WSGI
    return Interface.ASGI if _takes(found, 3) and not _takes(found, 0, strictly=True) else None


def _interface_of_class(found: type) -> Interface | None:
    """A class is an application whose instances are what comes of a call: an iterable body, or the second step."""
    if _takes(found, 2) and not _takes(found, 1) and hasattr(found, "__iter__"):
        return Interface.WSGI
    if _takes(found, 3) and not _takes(found, 2) and hasattr(found, "__await__"):
        return Interface.ASGI
    if _takes(found, 1) and not _takes(found, 0) and _is_async(found.__call__):
        return Interface.ASGI2
    return None


def _is_async(call: Any) -> bool:
    while isinstance(call, partial):
        call = call.func
    return inspect.iscoroutinefunction(call)


def _takes(call: Any, count: int, *, strictly: bool = False) -> bool:
    """Whether it can be called with so many arguments; what tells nothing can, unless asked strictly."""
    try:
        signature = inspect.signature(call)
    except (ValueError, TypeError):
        return not strictly
    if strictly and any(item.kind is item.VAR_POSITIONAL for item in signature.parameters.values()):
        return False
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _is_factory(found: Any) -> bool:
    return callable(found) and not _is_async(found) and _takes(found, 0, strictly=True)


def _made(factory: Callable[[], Any], name: str, redact: Callable[[str], str]) -> Any:
    try:
        return factory()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as for an import
        _tell(f"calling {name!r}", error, redact)


def make_importable() -> Callable[[], None]:
    """Lets modules of the working directory be imported, as `python -m` does; returns what undoes it."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)

    def undo() -> None:
        with suppress(ValueError):  # the application may have seen to it
            sys.path.remove(folder)

    return undo
