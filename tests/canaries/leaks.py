"""Secrets that are planted, servers that give them away, and a search for them in all that a run leaves behind."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Everything that some format escapes, and nothing that a line of the server's settings could not hold.
PASSWORD = "Zw3'i\"q\\u0041%41$(id) &<b>`é😀;#+/= 'x"
SECOND_PASSWORD = "Plain-walrus-and-9-oysters"
HMAC_KEY = "kÜ\"ey' \\n$HOME %7e <&> 0123456789 abcdefghijklmnopqrstuvwxyz"
_JWT = re.compile(rb"[\w-]*ey[\w-]{8,}\.[\w-]{8,}\.([\w-]{16,})")


class Recorder:
    """An application, and all tokens that it has issued or accepted."""

    def __init__(self, app: WSGIApplication) -> None:
        """Answers as `app` does."""
        self._app = app
        self.signatures: set[bytes] = set()
        self.handles: set[bytes] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Looks through one request and its answer."""
        status, headers, body = answer_of(self._app, environ)
        if status.startswith("2"):
            shown = (
                environ.get("HTTP_AUTHORIZATION", ""),
                environ.get("HTTP_COOKIE", ""),
                *(text for _, text in headers),
            )
            self.signatures |= {match[1] for match in _JWT.finditer("\n".join(shown).encode() + b"\n" + body)}
            self.handles |= set(re.findall(rb"_token\": ?\"([^\"]+)\"", body))
        start_response(status, headers)
        return [body]


def answer_of(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    """What the application answers; the request's body can be read again afterwards."""
    sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(sent)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        started[:] = [status, headers]
        return lambda _data: None

    body = b"".join(app(environ, start_response))
    environ["wsgi.input"] = BytesIO(sent)
    return started[0], started[1], body


def leaky(app: WSGIApplication) -> WSGIApplication:
    """The application, but for what it refuses: a server error that repeats all that was sent, in every spelling.

    Seen in the wild as debug pages, and as gateways that log into headers.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = answer_of(app, environ)
        sent = environ["wsgi.input"].read().decode("utf-8", "replace")
        token = environ.get("HTTP_AUTHORIZATION", "") + environ.get("HTTP_COOKIE", "")
        if status.startswith("2"):
            # A success is repeated in a header, with its tokens and with what bought them.
            trace = f"{sent} {token} {body.decode()} {headers}"
            headers = [*headers, ("X-Trace", quote(trace)), ("X-Raw", base64.b64encode(trace.encode()).decode())]
            start_response(status, headers)
            return [body]
        told = {name: text for value in (sent, token, PASSWORD) for name, text in _named_spellings(value)}
        page = json.dumps({"msg": "no", **told}).encode()
        latin = ("X-Bytes", PASSWORD.encode().decode("latin-1"))
        echoes = [(f"X-{name.title()}", text) for name, text in told.items() if text.isascii() and text.isprintable()]
        start_response(
            "500 Internal Server Error",
            [("Content-Type", "application/json"), ("Set-Cookie", f"last={quote(token)}"), latin, *echoes],
        )
        return [page]

    return answer


def opaque(app: WSGIApplication) -> WSGIApplication:
    """The application with handles in place of its JWTs; what it does not know, it crashes on and repeats."""
    return _renaming(app, lambda token: hashlib.sha256(token.encode()).hexdigest())


def oddly_signed(app: WSGIApplication) -> WSGIApplication:
    """The application, but for the algorithm that its tokens name: a password, and an order to the terminal."""
    header = json.dumps({"alg": f"\x1b[31m{PASSWORD}", "typ": "JWT"}).encode()
    odd = base64.urlsafe_b64encode(header).decode().rstrip("=")
    return _renaming(app, lambda token: f"{odd}.{token.partition('.')[2]}")


def _renaming(app: WSGIApplication, rename: Callable[[str], str]) -> WSGIApplication:
    tokens: dict[str, str] = {}

    def handle(match: re.Match[str]) -> str:
        name = rename(match[0])
        tokens[name] = match[0]
        return name

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scheme, _, shown = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if shown and shown not in tokens:
            start_response("500 Internal Server Error", [("Content-Type", "application/json")])
            return [json.dumps({"msg": "no", "token": shown}).encode()]
        environ["HTTP_AUTHORIZATION"] = f"{scheme} {tokens.get(shown, '')}".strip()
        status, headers, body = answer_of(app, environ)
        body = re.sub(r"ey[\w-]+\.[\w-]+\.[\w-]+", handle, body.decode()).encode()
        headers = [(key, value) for key, value in headers if key.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _named_spellings(text: str) -> Iterator[tuple[str, str]]:
    raw = text.encode()
    kind = f"{len(text)}-"
    yield f"{kind}plain", text
    yield f"{kind}json", json.dumps(text)
    yield f"{kind}url", quote(text, safe="")
    yield f"{kind}form", quote_plus(text)
    yield f"{kind}html", html.escape(text)
    yield f"{kind}base64", base64.b64encode(raw).decode()
    yield f"{kind}urlsafe", base64.urlsafe_b64encode(b"." + raw).decode()
    yield f"{kind}hex", raw.hex()
    yield f"{kind}upper", raw.hex().upper()
    yield f"{kind}python", repr(raw)


def spellings(secret: str) -> set[bytes]:
    """The secret in each form in which a run could print it, alone or inside something longer."""
    in_json = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    found: set[str] = set(in_json)
    for text in in_json:
        raw = text.encode()
        # A header's bytes are read as Latin-1.
        latin = raw.decode("latin-1")
        found |= {
            latin,
            json.dumps(latin)[1:-1],
            ascii(latin)[1:-1],
            json.dumps(text)[1:-1],
            repr(text)[1:-1],
            ascii(text)[1:-1],
            repr(raw)[2:-1],
            repr(f"'\"{text}")[4:-1],
        }
        found |= {quote(text), quote(text, safe=""), quote_plus(text), quote(text, safe="").lower(), quote(quote(text))}
        found |= {html.escape(text), html.escape(text, quote=False), html.escape(text).replace("&#x27;", "&#39;")}
        found |= {raw.hex(), raw.hex().upper()}
        found |= _in_base64(raw)
    return {text.encode() for text in found if len(text) > 3}


def _in_base64(raw: bytes) -> set[str]:
    """What base64 makes of it inside something longer, wherever it begins there."""
    found = set()
    for shift in range(3):
        # The characters at both ends also hold bits of what stands beside the secret.
        plain = base64.b64encode(b"." * shift + raw).decode().rstrip("=")[2 + shift : -2]
        found |= {plain, plain.replace("+", "-").replace("/", "_")}
    return found


def leftovers(folder: Path, *texts: str) -> dict[str, bytes]:
    """Everything that a run printed, and every file in its folder, byte by byte."""
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return files | {f"printed text {number}": text.encode() for number, text in enumerate(texts, start=1)}


def found_in(remains: dict[str, bytes], secrets: Iterable[str], signatures: Iterable[bytes]) -> list[str]:
    """Where a secret is, or a token with its signature; words that do not repeat it."""
    found = []
    for number, secret in enumerate(secrets, start=1):
        wanted = spellings(secret)
        found += [f"secret {number} in {name}" for name, data in remains.items() for item in wanted if item in data]
    hidden = {text.encode() for signature in signatures for text in (*_in_base64(signature), signature.decode())}
    for name, data in remains.items():
        found += [f"a signature in {name}" for item in hidden if item in data]
        found += [f"the signature of {match[0][:60]!r} in {name}" for match in _JWT.finditer(data)]
    return found
