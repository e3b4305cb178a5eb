"""Bodies of a login that are spelt, labelled, repeated or broken in unusual ways."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.giving_doors import LoginDoor
    from conformance.target.http import Request
    from conformance.target.session import Account, Session

LABEL: Final = "Content-Type"
JSON_LABELS: Final = ("Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"')
FOREIGN_LABELS: Final = ("text/plain", "application/octet-stream", "application/xml", "multipart/form-data; boundary=x")


def labelled(request: Request, media_type: str) -> Request:
    """The request with another Content-Type; without one where it is empty."""
    others = tuple(pair for pair in request.headers if pair[0] != LABEL)
    return replace(request, headers=(*others, (LABEL, media_type)) if media_type else others)


def foreign(door: LoginDoor, account: Account) -> Iterator[tuple[str, Request, bool]]:
    """Honest logins that are no JSON, or not called so; and whether that may be another way in which to log in."""
    honest = door.credentials(account.username, account.password)
    for label in FOREIGN_LABELS:
        yield f"JSON that is called {label.partition(';')[0]}", labelled(honest, label), False
    # RFC 9110 §8.3: without the field, a recipient may look at what there is.
    yield "JSON without a Content-Type", labelled(honest, ""), True
    flat = {
        name: value for name, value in door.body(account.username, account.password).items() if isinstance(value, str)
    }
    form = labelled(honest, "application/x-www-form-urlencoded")
    yield "a form", form.with_body(urlencode(flat).encode()), True


def spellings(body: dict[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """The same JSON object, written in other ways."""
    backwards = json.dumps(dict(reversed(body.items())))
    spaced = "\r\n\t " + json.dumps(body, indent=2, separators=(" ,", " : ")) + " \n"
    return (
        ("members in another order", backwards.encode()),
        ("white space wherever it may be", spaced.encode()),
        ("every letter as an escape", _escaped(body).encode()),
    )


def _escaped(value: Any) -> str:
    match value:
        case str():
            units = value.encode("utf-16-be", "surrogatepass").hex()
            return '"' + "".join(rf"\u{units[index : index + 4]}" for index in range(0, len(units), 4)) + '"'
        case dict():
            return "{" + ",".join(f"{_escaped(name)}:{_escaped(item)}" for name, item in value.items()) + "}"
        case _:
            return json.dumps(value)


def repeated(door: LoginDoor, member: str, values: tuple[str, str], account: Account) -> Request:
    """A login of that account with one member, `username` or `password`, twice."""
    path: str = getattr(door.profile.login, member)
    right = account.username if member == "username" else account.password
    name = json.dumps(path.rpartition(".")[2])
    copies = ", ".join(f"{name}: {json.dumps(value)}" for value in values)
    text = json.dumps(door.body(account.username, account.password))
    return door.raw(text.replace(f"{name}: {json.dumps(right)}", copies, 1).encode())


def owner(target: Trial, session: Session) -> str:
    """Whose a session is, as the first route says that tells; otherwise the subject of its token, or nothing."""
    for door in target.protected_routes:
        answer = target.send(door.present(session.access.value, session)).response
        if answer.is_success and (who := door.identity(answer)):
            return who
    return str(session.access.jwt.claims.get("sub", "")) if session.access.jwt else ""


def ill_formed(door: LoginDoor, account: Account) -> Iterator[tuple[str, Request]]:
    """Logins with text, or numbers, that no JSON may hold or no database can."""
    name, nobody = account.username, account.nobody()
    yield "NUL after the username", door.credentials(f"{name}\0x", account.password)
    yield "half a surrogate pair after the username", door.credentials(f"{name}\ud800", account.password)
    marked = json.dumps(door.body(f"{name}@@", account.password)).encode()
    for words, raw in (("a byte that is no UTF-8", b"\xff"), ("an over-long form of UTF-8", b"\xc0\xaf")):
        yield f"{words} after the username", door.raw(marked.replace(b"@@", raw, 1))
    plain = json.dumps(door.body(nobody, "a password"))
    # These may be read as what they stand for, so they are somebody's who does not exist.
    yield "a byte order mark before the object", door.raw(b"\xef\xbb\xbf" + plain.encode())
    yield "the whole body in UTF-16", door.raw(plain.encode("utf-16"))
    for words, number in (("1e400", "1e400"), ("a whole number of 5,000 digits", "9" * 5000)):
        yield f"the username is {words}", door.raw(plain.replace(json.dumps(nobody), number, 1).encode())


def with_query(request: Request, values: dict[str, str]) -> Request:
    """The request with these values in its URL."""
    separator = "&" if "?" in request.path else "?"
    return replace(request, path=f"{request.path}{separator}{urlencode(values)}")
