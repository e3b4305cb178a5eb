"""Keeps secrets out of everything that leaves the process: evidence, reports, tracebacks, logs."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final
from urllib.parse import quote, quote_plus

from conformance.tokens.reading import JWT_SHAPE, b64url_decode

SHORTEST_SECRET: Final = 3
"""Shorter strings are not replaced: doing so would garble ordinary words without hiding anything."""


class Redactor:
    """Knows the run's secrets and takes them out of texts.

    A JWT keeps its header and payload and loses its signature; every other known secret is replaced by its label.
    """

    def __init__(self) -> None:
        """Starts without secrets; JWTs are recognised by their shape from the start."""
        self._labels: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str, label: str) -> None:
        """Hides `secret`, in each spelling in which it could travel, behind `<label>`."""
        if len(secret) < SHORTEST_SECRET:
            return
        for spelling in _spellings(secret):
            if len(spelling) >= SHORTEST_SECRET and spelling not in self._labels:
                self._labels[spelling] = f"<{label}>"
                self._pattern = None

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._known(JWT_SHAPE.sub(self._without_signature, text))

    def value(self, value: Any) -> Any:
        """A JSON value without secrets, in its strings and in its member names."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case _:
                return value

    def _known(self, text: str) -> str:
        # Most texts hold no secret, and every new token would mean a new pattern.
        if not any(spelling in text for spelling in self._labels):
            return text
        if self._pattern is None and self._labels:
            longest_first = sorted(self._labels, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(lambda match: self._labels[match[0]], text) if self._pattern else text

    def _without_signature(self, match: re.Match[str]) -> str:
        header, payload, _signature = match[0].split(".", 2)
        for segment in (header, payload):
            try:
                plain = b64url_decode(segment).decode("utf-8", "replace")
            except ValueError:
                continue
            # A payload that holds a password would otherwise carry it out in base64.
            if self._known(plain) != plain:
                return "<token withheld: its readable part holds a secret>"
        return f"{header}.{payload}.<signature removed>"


def _spellings(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe="", errors="surrogatepass"),
        quote_plus(secret, errors="surrogatepass"),
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
    }
