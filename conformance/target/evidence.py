"""Exchanges as evidence: safe to publish, short, and with a command that repeats them."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.reading import JWT_SHAPE, read_jwt

if TYPE_CHECKING:
    from conformance.redaction import Redactor
    from conformance.target.http import Exchange, Headers, Request

MAX_TEXT: Final = 2000
MAX_SEARCHED: Final = 1 << 16
"""So much of a text is searched for secrets: an answer may be made of what is slow to search."""
LONGEST_SECRET: Final = 1 << 13
_PASSWORDS: Final = ("password", "second password", "altered password")
_SHOWN: Final = frozenset(range(ord(" "), ord("~") + 1)) - frozenset(b"'\\")
_HIDDEN_PASSWORD: Final = re.compile(rf"<({'|'.join(_PASSWORDS)})>")


def exchange_to_json(exchange: Exchange, note: str, redactor: Redactor) -> dict[str, Any]:
    """One exchange as a JSON object. `note` says what it is: a control, or what the probe changed."""
    request, response = exchange.request, exchange.response
    return {
        "note": redactor.text(note),
        "request": {
            "method": request.method,
            "path": redactor.text(request.path),
            "headers": _headers(request.headers, redactor),
            "body": _shown(request.body.decode("utf-8", "replace"), redactor),
        },
        "response": {
            "status": response.status,
            "headers": _headers(response.headers, redactor),
            "body": _shown(response.text, redactor),
            "elapsed_s": round(response.elapsed_s, 4),
        },
    }


def _headers(headers: Headers, redactor: Redactor) -> list[list[str]]:
    return [[redactor.text(name), _shown(value, redactor)] for name, value in headers]


def _shown(text: str, redactor: Redactor) -> str:
    """The text's beginning, without secrets."""
    shown = redactor.text(text[:MAX_SEARCHED])
    if len(text) > MAX_SEARCHED:
        # Half a secret at the end would not have been recognised.
        shown = shown[:-LONGEST_SECRET]
    if len(text) <= MAX_SEARCHED and len(shown) <= MAX_TEXT:
        return shown
    return f"{shown[:MAX_TEXT]}… ({len(text)} characters)"


def curl(base_url: str, request: Request, honest: dict[str, str], redactor: Redactor) -> str:
    """A curl command that repeats the request, with shell variables in place of secrets.

    Args:
        base_url: the target's URL.
        request: what was sent.
        honest: shell variables by the genuine token that each stands for.
        redactor: takes out what remains.
    """
    words = ["curl", "-i"]
    if request.method == "HEAD":
        words = ["curl", "--head"]
    elif request.method != "GET" or request.body:
        words += ["-X", request.method]
    if re.search(r"/\.|[][{}]", request.path):
        words += ["--path-as-is", "--globoff"]
    words.append(_quoted(base_url + request.path, honest, redactor))
    for name, value in request.headers:
        # To curl, `Name:` means to leave the header out, and `Name;` to send it empty.
        words += ["-H", _quoted(f"{name}: {value}" if value else f"{name};", honest, redactor)]
    if request.body:
        if not any(name.lower() == "content-type" for name, _ in request.headers):
            words += ["-H", "Content-Type:"]
        words += ["--data-raw", _quoted(request.body.decode("utf-8", "surrogateescape"), honest, redactor)]
    return " ".join(words)


def _quoted(text: str, honest: dict[str, str], redactor: Redactor) -> str:
    """The text as one word for bash, its secrets as variables outside the single quotes."""
    variables: list[str] = []

    def mark(variable: str) -> str:
        variables.append(variable)
        return f"\0{len(variables) - 1}\0"

    text = text.replace("\0", "\ufffd")
    for value, variable in honest.items():
        if value in text:
            # The whole token, and not the beginning of one that only starts alike.
            whole = rf"(?<![\w.-]){re.escape(value)}(?![\w.-])"
            text = re.sub(whole, lambda _, v=variable: mark(v), text)  # type: ignore[misc]
    text = JWT_SHAPE.sub(lambda found: found[0] if _is_unsigned(found[0]) else mark("FORGED_TOKEN"), text)
    for label in _PASSWORDS:
        # In JSON a quotation mark of the password has a backslash before it, which the variable has to hold as well.
        plain = redactor.known_as(label)
        for escaped in {json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]} - {plain}:
            text = text.replace(escaped, mark(f"{_variable(label)}_JSON"))
    text = _HIDDEN_PASSWORD.sub(lambda found: mark(_variable(found[1])), redactor.text(text))
    # Every other piece is the number of a mark.
    pieces = re.split(r"\0(\d+)\0", text)
    pieces[1::2] = [f'"${variables[int(index)]}"' for index in pieces[1::2]]
    pieces[::2] = [_literal(piece) for piece in pieces[::2]]
    return "".join(pieces) or "''"


def _variable(label: str) -> str:
    return label.upper().replace(" ", "_")


def _literal(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text) if text else ""
    # What cannot be shown is written by its number, as bash reads it between $' and '.
    raw = text.encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(byte) if byte in _SHOWN else f"\\x{byte:02x}" for byte in raw) + "'"


def _is_unsigned(token: str) -> bool:
    parts = read_jwt(token)
    return parts is not None and not parts.segments[2]
