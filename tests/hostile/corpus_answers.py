"""Servers that speak HTTP well, and whose answers are meant to hurt their reader."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from werkzeug.wrappers import Response

from tests.hostile.corpus import World, answer
from tests.reports.made import HOSTILE
from tests.shapes.api import Api

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

ALSO_FAILS: Final = "failed|inconclusive|result"
TOKENS: Final = ("access_token", "refresh_token")
DISCOVER: Final = {"command": "discover", "options": ()}


def told(response: Response, **members: Any) -> Response:
    """A successful answer in JSON with further members; any other stays what it is."""
    if response.status_code < 300 and response.data:
        response.data = json.dumps({**members, **json.loads(response.data)})
    return response


def tokens(response: Response, change: Any) -> Response:
    """The tokens of an answer, changed."""
    if response.status_code < 300 and response.data:
        body = json.loads(response.data)
        response.data = json.dumps({name: change(value) if name in TOKENS else value for name, value in body.items()})
    return response


# -- Bodies ------------------------------------------------------------------------------------------------------------


@answer("invalid UTF-8", "Its JSON is none, since its strings are no text.", "no JSON object")
def invalid_utf8(_asked: Request, response: Response, _world: World) -> Response:
    response.data = response.data.replace(b'"', b'"\xff\xfe\xc0\x80', 1)
    return response


@answer("half of a character", "Its strings hold halves of characters.", ALSO_FAILS, may_pass=True)
def surrogates(_asked: Request, response: Response, _world: World) -> Response:
    return told(response, **{"\ud800": "\udfff\ud83d", "note": "\ud800" * 1000})


@answer("JSON that never closes", "It opens a hundred thousand arrays.", "no JSON object")
def deep(_asked: Request, response: Response, _world: World) -> Response:
    response.data = b"[" * 100_000
    return response


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b'"deep"' + b"}" * depth


@answer("JSON as deep as can be read", "Beside its members there are 900 objects in each other.", "no JSON object")
def as_deep_as_can_be(_asked: Request, response: Response, _world: World) -> Response:
    if response.data.startswith(b"{"):
        response.data = b'{"deep": ' + nested(900) + b", " + response.data[1:]
    return response


@answer("errors as deep as can be read", "Its refusals are 900 lists in each other.", ALSO_FAILS, may_pass=True)
def deep_errors(_asked: Request, response: Response, _world: World) -> Response:
    if response.status_code >= 400:
        response.data = b"[" * 900 + b"]" * 900
    return response


@answer("numbers without end", "Its numbers are too large, or none.", ALSO_FAILS, may_pass=True)
def numbers(_asked: Request, response: Response, _world: World) -> Response:
    if response.status_code < 300 and response.data:
        head = b'{"n": 1e999, "m": -Infinity, "x": NaN, "expires_in": 1e400, '
        response.data = head + response.data[1:].replace(b'"expires_in": 900', b'"y": ' + b"9" * 4000)
    return response


@answer("twenty thousand members", "Its answers hold more members than anybody reads.", ALSO_FAILS, may_pass=True)
def members(_asked: Request, response: Response, _world: World) -> Response:
    return told(response, **{f"{number:x}": number for number in range(20_000)})


@answer("text that steers", "Its strings hold controls, marks of direction, and pages.", ALSO_FAILS, may_pass=True)
def steering(_asked: Request, response: Response, _world: World) -> Response:
    return told(response, note=[*HOSTILE[:4], *HOSTILE[5:8]])


@answer("an echo", "It answers with the request, credentials and all.", "not at|answers|whose data")
def echo(asked: Request, _response: Response, _world: World) -> Response:
    return Response(f"{asked.method} {asked.url}\n{asked.headers}\n{asked.get_data(as_text=True)}", 200)


@answer(
    "errors that are patterns' nightmare",
    "Its refusals are hard on regular expressions, and each is almost a megabyte.",
    ALSO_FAILS,
    options=("-k", "refresh_02 or sig_01 or leak_05", "--tier", "strict"),
    may_pass=True,
)
def nightmare(_asked: Request, response: Response, _world: World) -> Response:
    if response.status_code >= 400:
        response.data = b"eyJhbGciOiJ." * 40_000 + b"\\" * 400_000
        response.headers["WWW-Authenticate"] = "Bearer " + 'a="\\,' * 10_000
    return response


@answer(
    "errors of blank lines",
    "Its refusals are a megabyte of line breaks.",
    ALSO_FAILS,
    options=("-k", "refresh_02 or leak_05 or err_01", "--tier", "strict"),
    may_pass=True,
)
def blank_lines(_asked: Request, response: Response, _world: World) -> Response:
    if response.status_code >= 400:
        response.data = b"\n" * 900_000
    return response


# -- Tokens ------------------------------------------------------------------------------------------------------------


@answer("huge tokens", "Its tokens are 300 kB long.", "answers 431 to the access token")
def huge_tokens(_asked: Request, response: Response, _world: World) -> Response:
    return tokens(response, lambda token: token + "x" * 300_000)


@answer("tokens with NUL", "Its tokens hold NUL and other controls.", "token")
def nul_tokens(_asked: Request, response: Response, _world: World) -> Response:
    return tokens(response, lambda token: f"{token[:20]}\x00\x1b[31m{token[20:]}")


@answer("tokens with line breaks", "A token would end its header, and begin another.", "no header can carry")
def broken_tokens(_asked: Request, response: Response, world: World) -> Response:
    return tokens(response, lambda token: f"{token}\r\nHost: {world.other[7:]}\r\n\r\nGET {world.other} HTTP/1.1")


@answer("tokens with marks of direction", "Its tokens read from right to left.", "token")
def bidi_tokens(_asked: Request, response: Response, _world: World) -> Response:
    return tokens(response, lambda token: f"\u202e\u2066{token}\u200f")


@answer("tokens with halves of characters", "Its tokens cannot be encoded.", "token")
def half_tokens(_asked: Request, response: Response, _world: World) -> Response:
    return tokens(response, lambda token: f"{token}\ud800")


@answer("tokens that are objects", "Where a token should be there is a list of them.", "token")
def object_tokens(_asked: Request, response: Response, _world: World) -> Response:
    return tokens(response, lambda token: [{"token": token}] * 1000)


class Claiming(Api):
    """Signs whatever claims; the session is known by the token itself."""

    CLAIMS: dict[str, Any] = {}  # noqa: RUF012 - never changed

    def signed(self, kind: str, owner: str) -> str:
        now = int(time.time())
        claims = {"sub": owner, "type": kind, "iat": now, "exp": now + 900, "jti": secrets.token_hex(8), **self.CLAIMS}
        text = json.dumps(claims).replace('"deep"', nested(900).decode()).replace('"huge"', "9" * 4000)
        header = json.dumps({"alg": "HS256", "typ": "JWT", "kid": "../../../etc/passwd\u0000'; --" + "k" * 500})
        signed = b".".join(jwt.utils.base64url_encode(part.encode()) for part in (header, text))
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signed, self.key)
        return (signed + b"." + jwt.utils.base64url_encode(signature)).decode()


class Deep(Claiming):
    """Claims in claims."""

    CLAIMS = {"more": "deep"}  # noqa: RUF012 - never changed


class Endless(Claiming):
    """Times that are none."""

    # Never changed.
    CLAIMS = {"iat": 1e300, "exp": "huge", "nbf": float("inf"), "auth_time": float("nan")}  # noqa: RUF012


@answer(
    "claims as deep as can be read", "Its tokens hold 900 objects in each other.", ALSO_FAILS, api=Deep, may_pass=True
)
def deep_token(_asked: Request, response: Response, _world: World) -> Response:
    return response


@answer(
    "claims without end",
    "Its tokens were issued when nothing was, and end never.",
    ALSO_FAILS,
    api=Endless,
    may_pass=True,
)
def endless_claims(_asked: Request, response: Response, _world: World) -> Response:
    return response


# -- Headers -----------------------------------------------------------------------------------------------------------


@answer("cookies for others", "It sets cookies for other hosts.", ALSO_FAILS, may_pass=True)
def others_cookies(_asked: Request, response: Response, world: World) -> Response:
    for number, domain in enumerate((world.other[7:].partition(":")[0], ".com", "localhost", "..", "\xff")):
        response.headers.add("Set-Cookie", f"session{number}={'s' * 40}; Domain={domain}; Path=/../..; Max-Age=1e999")
    return response


@answer(
    "cookies without sense", "Its cookies have no name, no end, or a length of their own.", ALSO_FAILS, may_pass=True
)
def odd_cookies(_asked: Request, response: Response, _world: World) -> Response:
    for line in (
        "=;=;=",
        ";" * 5000,
        "a" * 20_000,
        f"x=y; Max-Age={'9' * 5000}",
        "x=y; Expires=Thu, 99 Foo 99999",
        "\x01",
    ):
        response.headers.add("Set-Cookie", line)
    return response


@answer("a clock that jumps", "Its time is a year ahead, and then a year behind.", ALSO_FAILS, may_pass=True)
def jumping(_asked: Request, response: Response, _world: World, *, turns: Any = itertools.cycle((1, -1))) -> Response:  # noqa: B008
    response.headers["Date"] = formatdate(time.time() + next(turns) * 31_536_000, usegmt=True)
    return response


class Jumping(Claiming):
    """Issues tokens a year ahead and a year ago in turn."""

    def signed(self, kind: str, owner: str) -> str:
        issued = int(time.time()) + secrets.choice((1, -1)) * 31_536_000
        self.CLAIMS = {"iat": issued, "exp": issued + 900}
        return super().signed(kind, owner)


@answer(
    "tokens whose clock jumps",
    "Its tokens are from next year, and then from last year.",
    ALSO_FAILS,
    api=Jumping,
    may_pass=True,
)
def jumping_tokens(_asked: Request, response: Response, _world: World) -> Response:
    return response


# -- Whims -------------------------------------------------------------------------------------------------------------


@answer("half of all requests fail", "Every other request meets a server error.", "500|inconclusive|a moment ago")
def half(_asked: Request, response: Response, _world: World) -> Response:
    return Response('{"msg": "sorry"}', 500) if secrets.randbelow(2) else response


@answer(
    "good and bad in turn", "After every fourth answer comes one that says the opposite.", "inconclusive|failed|answers"
)
def in_turn(_asked: Request, response: Response, _world: World, *, turns: Any = itertools.count()) -> Response:  # noqa: B008
    if next(turns) % 5 != 4:
        return response
    return Response("{}", 401 if response.status_code < 300 else 200, content_type="application/json")


@answer("yes to everything", "Whatever is asked, it shows alice's data.", "failed|without any token")
def yes(asked: Request, response: Response, _world: World) -> Response:
    good = Response('{"username": "alice"}', 200, content_type="application/json")
    return response if asked.path in {"/login", "/refresh"} else good


# -- Keys and documents ------------------------------------------------------------------------------------------------

RSA: Final = generate_private_key(65537, 2048)
JWK: Final = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()))


class Signing(Api):
    """Signs with a key that it publishes."""

    def signed(self, kind: str, owner: str) -> str:
        return jwt.encode(jwt.decode(super().signed(kind, owner), options={"verify_signature": False}), RSA, "RS256")


SIGNED: Final = {"api": Signing, "may_pass": True, "options": ("-k", "jwks or sig_", "--tier", "strict")}


def published(count: int) -> bytes:
    """So many keys, of which none is like another."""
    keys = [{**JWK, "kid": str(number), "n": JWK["n"][:-6] + f"{number:06d}"} for number in range(count)]
    return json.dumps({"keys": [JWK, *keys]}).encode()


MANY, AS_MANY_AS_FIT = published(100_000), published(2000)


def keys(asked: Request, response: Response, body: bytes) -> Response:
    return Response(body, content_type="application/json") if "jwks" in asked.path else response


@answer("a hundred thousand keys", "Its key set is 50 MB long.", ALSO_FAILS, **SIGNED)
def many_keys(asked: Request, response: Response, _world: World) -> Response:
    return keys(asked, response, MANY)


@answer(
    "as many keys as fit",
    "Its key set holds 2,000 keys, each of which might be taken for a secret.",
    ALSO_FAILS,
    **SIGNED,
)
def keys_that_fit(asked: Request, response: Response, _world: World) -> Response:
    return keys(asked, response, AS_MANY_AS_FIT)


def pointing(world: World) -> dict[str, Any]:
    """Metadata in which everything is somewhere else."""
    names = ("jwks_uri", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "introspection_endpoint")
    return {"issuer": world.other, **{name: f"{world.other}/{name}" for name in names}}


@answer("metadata that leads elsewhere", "Its metadata names another host's keys and routes.", ALSO_FAILS, **SIGNED)
def elsewhere(asked: Request, response: Response, world: World) -> Response:
    if "well-known" in asked.path:
        return Response(json.dumps(pointing(world)), content_type="application/json")
    return response


def document(**more: Any) -> dict[str, Any]:
    """An OpenAPI document of a login."""
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    login = {"post": {"requestBody": body, "responses": {"200": body}}}
    return {"openapi": "3.1.0", "paths": {"/login": login}, **more}


def schemas(**each: Any) -> dict[str, Any]:
    return {"components": {"schemas": each}}


def publishes(asked: Request, response: Response, described: dict[str, Any]) -> Response:
    return (
        Response(json.dumps(described), content_type="application/json") if asked.path == "/openapi.json" else response
    )


@answer("a document that refers to itself", "Its schemas are each other's members.", "path = |login", **DISCOVER)
def circular(asked: Request, response: Response, _world: World) -> Response:
    inner = {"properties": {str(number): {"$ref": "#/components/schemas/A"} for number in range(20)}}
    loops = {
        "A": {"allOf": [{"$ref": "#/components/schemas/B"}] * 20, **inner},
        "B": {"anyOf": [{"$ref": "#/components/schemas/A"}] * 20},
    }
    return publishes(asked, response, document(**schemas(**loops, C={"$ref": "#/components/schemas/C"})))


@answer(
    "a document that refers to others",
    "Its schemas, servers and token URLs are another host's, or files.",
    "path = |login",
    **DISCOVER,
)
def remote(asked: Request, response: Response, world: World) -> Response:
    flow = {"type": "oauth2", "flows": {"password": {"tokenUrl": f"{world.other}/token", "scopes": {}}}}
    linked = {"A": {"$ref": f"{world.other}/a.json"}, "B": {"$ref": world.file}}
    described = document(components={"schemas": linked, "securitySchemes": {"o": flow}}, servers=[{"url": world.other}])
    return publishes(asked, response, {**described, "externalDocs": {"url": world.other}})


@answer("a document without end", "It describes as many routes as fit into a megabyte.", "path = |login", **DISCOVER)
def endless(asked: Request, response: Response, _world: World) -> Response:
    routes = {f"/{number}": {"get": {"security": [{}]}} for number in range(20_000)}
    described = document()
    return publishes(asked, response, {**described, "paths": {**described["paths"], **routes}})


@answer("a YAML bomb", "Its document doubles with every line.", "path = |login", **DISCOVER)
def yaml_bomb(asked: Request, response: Response, _world: World) -> Response:
    lines = [
        "openapi: 3.1.0",
        "paths: {}",
        "a0: &a0 [x]",
        *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)),
    ]
    return (
        Response("\n".join(lines), content_type="text/yaml")
        if asked.path in {"/openapi.json", "/openapi.yaml"}
        else response
    )


@answer(
    "metadata for a discovery that leads elsewhere", "Its metadata names another host.", "path = |login", **DISCOVER
)
def discovered_elsewhere(asked: Request, response: Response, world: World) -> Response:
    if "well-known" in asked.path:
        return Response(json.dumps(pointing(world)), content_type="application/json")
    return response
