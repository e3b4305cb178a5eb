"""Exchanges as evidence: safe to publish, short, and with a command that repeats them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.reading import JWT_SHAPE, read_jwt

if TYPE_CHECKING:
    from conformance.redaction import Redactor
    from conformance.target.http import Exchange, Headers, Request

MAX_TEXT: Final = 2000
_PASSWORD: Final = re.compile(r"<(?:second )?password>")


def exchange_to_json(exchange: Exchange, note: str, redactor: Redactor) -> dict[str, Any]:
    """One exchange as a JSON object. `note` says what it is: a control, or what the probe changed."""
    request, response = exchange.request, exchange.response
    return {
        "note": note,
        "request": {
            "method": request.method,
            "path": redactor.text(request.path),
            "headers": _headers(request.headers, redactor),
            "body": _cut(redactor.text(request.body.decode("utf-8", "replace"))),
        },
        "response": {
            "status": response.status,
            "headers": _headers(response.headers, redactor),
            "body": _cut(redactor.text(response.text)),
            "elapsed_s": round(response.elapsed_s, 4),
        },
    }


def _headers(headers: Headers, redactor: Redactor) -> list[list[str]]:
    return [[name, _cut(redactor.text(value))] for name, value in headers]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"


def curl(base_url: str, request: Request, honest: dict[str, str], redactor: Redactor) -> str:
    """A curl command that repeats the request, with shell variables in place of secrets.

    Args:
        base_url: the target's URL.
        request: what was sent.
        honest: shell variables by the genuine token that each stands for.
        redactor: takes out what remains.
    """
    words = ["curl", "-i"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(shlex.quote(base_url + request.path))
    for name, value in request.headers:
        words += ["-H", _quoted(f"{name}: {value}", honest, redactor)]
    if request.body:
        words += ["--data-binary", _quoted(request.body.decode("utf-8", "replace"), honest, redactor)]
    return " ".join(words)


def _quoted(text: str, honest: dict[str, str], redactor: Redactor) -> str:
    """The text as one shell word, its secrets as variables outside the single quotes."""
    marks: dict[str, str] = {}

    def mark(variable: str) -> str:
        marks[token := f"\0{len(marks)}\0"] = variable
        return token

    for value, variable in honest.items():
        # The whole token, and not the beginning of one that only starts alike.
        text = re.sub(rf"(?<![\w.-]){re.escape(value)}(?![\w.-])", lambda _, v=variable: mark(v), text)  # type: ignore[misc]
    text = JWT_SHAPE.sub(lambda found: found[0] if _is_unsigned(found[0]) else mark("FORGED_TOKEN"), text)
    text = _PASSWORD.sub(lambda _: mark("PASSWORD"), redactor.text(text))
    word = shlex.quote(text)
    for token, variable in marks.items():
        word = word.replace(token, f"'\"${variable}\"'" if word.startswith("'") else f'"${variable}"')
    return word


def _is_unsigned(token: str) -> bool:
    parts = read_jwt(token)
    return parts is not None and not parts.segments[2]
