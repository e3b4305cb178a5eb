"""What somebody sends who holds no good token of a session: its owner's name and ids, forgeries, dead tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from conformance.target.http import Request
from conformance.target.places import Place
from conformance.tokens import keys
from conformance.tokens.forging import broken_copies
from conformance.tokens.reading import Jwt, b64url_encode
from conformance.tokens.spellings import spellings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.trial import Trial
    from conformance.target.doors import ProtectedDoor
    from conformance.target.giving_doors import RefreshDoor
    from conformance.target.session import Session


BEARER: Final = Place("header", "Authorization", "Bearer")


def without_a_token(trial: Trial, session: Session) -> Iterator[tuple[str, Request]]:
    """Logouts of a session by somebody who knows all about it but its tokens' signatures."""
    door = trial.logout_door
    yield "no token", door.anonymous()
    yield "a token that is none", door.present("garbage", session)
    parts = session.access.jwt
    if parts is None:
        _, forged = next(broken_copies(session.access.value))
        trial.target.keep_secret(forged, "access token, altered")
        yield "an access token that was altered", door.present(forged, session)
    else:
        unsigned = b64url_encode(json.dumps({**parts.header, "alg": "none"}).encode())
        yield "its access token, unsigned", door.present(f"{unsigned}.{parts.segments[1]}.", session)
        forged = foreign(parts)
        yield "its access token, signed by another key", door.present(forged, session)
    for case, further in naming(session):
        yield f"no token and {case}", Request(door.method, door.path + further.path, further.headers, further.body)


def naming(session: Session) -> Iterator[tuple[str, Request]]:
    """What names a session and its owner, as parts of a request: a query as its path, headers and a body."""
    name = session.account.username
    claims = session.access.jwt.claims if session.access.jwt else {}
    subject = claims.get("sub", name)
    who: dict[str, Any] = {"username": name, "user": name, "user_id": subject, "sub": subject, "id": subject}
    who |= {key: claims[key] for key in ("jti", "sid", "session_id") if key in claims}
    json_type = (("Content-Type", "application/json"),)
    yield "the account's name and ids in the body", Request("", "", json_type, json.dumps(who).encode())
    headers = tuple((f"X-{key}", name) for key in ("User", "User-Id", "Username"))
    yield "the account's name and ids in the query, its name in headers", Request("", f"?{urlencode(who)}", headers)


def foreign(parts: Jwt, **changes: Any) -> str:
    """A token that says the same, but for the changes, signed with a key of the suite's own."""
    algorithm = parts.algorithm if keys.can_sign(parts.algorithm) else "HS256"
    header = {**parts.header, "alg": algorithm}
    return keys.sign(header, {**parts.claims, **changes}, keys.foreign_key_for(algorithm), algorithm)


def written_otherwise(
    trial: Trial, door: ProtectedDoor | RefreshDoor, token: str, session: Session
) -> Iterator[tuple[str, Request]]:
    """The token in every other spelling, and in the plain one with another spelling of the header around it."""
    target = trial.target
    for case, spelling in spellings(token):
        # Should it be accepted, it is as good as the token itself.
        target.honest_values[spelling] = "TOKEN_IN_THAT_SPELLING"
        target.keep_secret(spelling)
        yield f"with {case}", door.present(spelling, session)
    if door.place(door.wants) == BEARER:
        for case, value in (
            ("the scheme in lower case", f"bearer {token}"),
            ("two spaces after the scheme", f"Bearer  {token}"),
        ):
            yield f"with {case}", Request(door.method, door.path, (("Authorization", value),))
