"""What answers and tokens give away."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.reading import JWT_SHAPE, Kind, read_jwt, strings_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange

SECRET_MEMBERS: Final = frozenset(
    {"password", "passwd", "pwd", "passwordhash", "hashedpassword", "hash", "salt", "secret", "otp", "otpsecret",
     "totpsecret", "privatekey"}
)  # fmt: skip
SECRET_SHAPES: Final = {
    "a bcrypt hash": re.compile(r"\$2[abxy]?\$\d\d\$"),
    "an Argon2 hash": re.compile(r"\$argon2(?:id|i|d)\$"),
    "a PBKDF2 hash": re.compile(r"pbkdf2(?:_sha\d+\$|:sha\d+)"),
    "a scrypt hash": re.compile(r"scrypt:\d+:\d+"),
    "a private key in PEM": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}


def test_leak_03(target: Trial) -> None:
    """No answer and no token payload holds a password, a hash, a key or another token."""
    session = target.new_session()
    tokens = [session.token(kind) for kind in Kind]
    replies = [("the login", session.login, True)]
    if not session.ended:
        replies.append(("the refresh", target.target.refresh(session), True))
    shared = target.session()
    for door in target.protected_routes:
        replies.append((door.label, target.send(door.present(shared.access.value, shared)), True))
        replies.append((f"{door.label} without credentials", target.send(door.anonymous()), False))
    wrong = target.guess(target.account.username, target.target.wrong_password())
    replies.append(("a login with a wrong password", target.send(wrong), False))
    for name, exchange, is_success in replies:
        _check(target, f"the answer to {name}", exchange.response.text, exchange.response.json if is_success else None,
               exchange)  # fmt: skip
    for kind, token in [(token.kind, token) for token in tokens] + [(kind, session.token(kind)) for kind in Kind]:
        if parts := token.jwt:
            _check(
                target,
                f"the payload of the {kind} token",
                json.dumps(parts.claims),
                parts.claims,
                session.login,
            )
    for name, exchange, is_success in replies[2:]:
        stray = [match for match in JWT_SHAPE.findall(exchange.response.text) if read_jwt(match)]
        stray += [token for token in target.target.honest_values if token in exchange.response.text]
        target.expect(
            not (is_success and stray),
            f"the answer to {name}",
            expected="no token",
            observed="a token",
            shown_by=[(name, exchange)],
        )


def _check(target: Trial, case: str, text: str, data: Any, shown_by: Exchange) -> None:
    # JSON may escape any character, and so hide a password from whoever looks at the text alone.
    shown_text = "\n".join([text, *strings_in(_json(text))])
    found = [what for what, spelling in _spellings(target.account.password) if spelling in shown_text]
    found += [what for what, shape in SECRET_SHAPES.items() if shape.search(shown_text)]
    # In a refusal, a member named password may well say what is wrong with it.
    found += [f"a member named {name!r}" for name in _secret_members(data)]
    target.expect(
        not found,
        case,
        expected="no password, hash or key",
        observed=" and ".join(found),
        shown_by=[(case, shown_by)],
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _spellings(password: str) -> Iterator[tuple[str, str]]:
    raw = password.encode("utf-8", "surrogatepass")
    yield "the password", password
    yield "the password in base64", base64.b64encode(raw).decode().rstrip("=")
    for name in ("md5", "sha1", "sha256", "sha512"):
        yield f"the {name.upper()} of the password", hashlib.new(name, raw, usedforsecurity=False).hexdigest()


def _secret_members(data: Any) -> Iterator[str]:
    match data:
        case dict():
            for name, value in data.items():
                plain = re.sub(r"[^a-z]", "", str(name).lower())
                if plain in SECRET_MEMBERS and isinstance(value, str) and value:
                    yield str(name)
                yield from _secret_members(value)
        case list():
            for value in data:
                yield from _secret_members(value)
