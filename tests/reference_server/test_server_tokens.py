"""Tokens: what they say, and which are refused."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.reference_server.api import CORE_ROUTES, claims_of

if TYPE_CHECKING:
    from tests.reference_server.api import Api
    from tests.reference_server.conftest import Start


def segment(value: Any) -> str:
    """JSON, or bytes, as a segment of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_claims_are_those_of_the_contract(api: Api) -> None:
    """Each token has the nine claims, with their types, and the two belong to one session."""
    tokens = api.login()
    access, refresh = claims_of(tokens.access), claims_of(tokens.refresh)
    for claims, kind in ((access, "access"), (refresh, "refresh")):
        assert claims["type"] == kind
        assert claims["iss"] == api.settings.issuer
        assert claims["aud"] == api.settings.audience
        assert all(type(claims[name]) is int for name in ("iat", "nbf", "exp"))
        assert all(type(claims[name]) is str and claims[name] for name in ("sub", "jti", "sid"))
    assert access["sid"] == refresh["sid"]
    assert access["sub"] == refresh["sub"]
    assert access["jti"] != refresh["jti"]


def test_every_token_is_new(api: Api) -> None:
    """Logins within one second give different tokens."""
    tokens = [api.login() for _ in range(5)]
    strings = {token.access for token in tokens} | {token.refresh for token in tokens}
    assert len(strings) == len({claims_of(string)["jti"] for string in strings}) == 10


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_published_key_verifies_the_tokens(start: Start, algorithm: str) -> None:
    """The key set holds the one public key that the tokens' `kid` names, and no private part."""
    api = start(algorithm=algorithm)
    answer = api.client.get("/.well-known/jwks.json")
    assert answer.mimetype == "application/jwk-set+json"
    (key,) = answer.json["keys"]
    assert key["use"] == "sig"
    assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    tokens = api.login()
    for token in (tokens.access, tokens.refresh):
        header = jwt.get_unverified_header(token)
        assert (header["alg"], header["kid"]) == (key["alg"], key["kid"]) == (algorithm, key["kid"])
        jwt.decode(token, jwt.PyJWK(key), audience=api.settings.audience, issuer=api.settings.issuer)
    assert api.opens(tokens.access)
    assert api.opens(api.refresh(tokens.refresh).access)


def test_secret_is_not_published(api: Api) -> None:
    """With a shared secret there is no key set."""
    assert api.client.get("/.well-known/jwks.json").status_code == 404


@pytest.mark.parametrize("path", CORE_ROUTES)
def test_kinds_are_told_apart(api: Api, path: str) -> None:
    """Neither kind of token is taken for the other, and a refused one changes nothing."""
    tokens = api.login()
    assert not api.opens(tokens.refresh, path)
    assert api.post("/refresh", tokens.access).status_code == 401
    assert api.opens(tokens.access, path)
    assert api.refresh(tokens.refresh)


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"}, {"iss": None}, {"iss": "jwt-conformance-reference/"}, {"aud": "other"}, {"aud": None},
        {"aud": ["jwt-conformance-reference-api"]}, {"type": None}, {"type": "id"}, {"sub": None}, {"sub": "nobody"},
        {"sid": None}, {"sid": "none"}, {"jti": None}, {"exp": None}, {"exp": "tomorrow"}, {"exp": str(NOW + 900)},
        {"exp": True}, {"exp": [NOW + 900]}, {"exp": NOW - 1}, {"exp": NOW - 86400}, {"nbf": NOW + 86400},
        {"nbf": str(NOW)}, {"iat": None}, {"exp": float("inf")},
    ],
)  # fmt: skip
def test_claims_are_checked_whoever_signed_them(shared: Api, changes: dict[str, Any]) -> None:
    """A token with a missing, ill-typed or wrong claim is refused although its signature is right."""
    tokens = shared.login()
    assert shared.opens(shared.forge(tokens.access))
    assert not shared.opens(shared.forge(tokens.access, **changes))
    assert shared.post("/refresh", shared.forge(tokens.refresh, **changes)).status_code == 401


@pytest.mark.parametrize("changes", [{"exp": NOW + 86400.5}, {"role": "admin"}])
def test_harmless_claims_are_accepted(shared: Api, changes: dict[str, Any]) -> None:
    """A fraction in a time and a claim that nobody knows do no harm (RFC 7519 §2 and §4)."""
    assert shared.opens(shared.forge(shared.login().access, **changes))


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}])
def test_critical_headers_are_refused(shared: Api, header: dict[str, Any]) -> None:
    """No extension is understood, so none that is critical is ignored (RFC 7515 §4.1.11)."""
    token = shared.login().access
    head, claims, _ = shared.forge(token).split(".")
    altered = json.loads(base64.urlsafe_b64decode(head + "==")) | header
    signed = f"{segment(altered)}.{claims}"
    key = shared.services.issuer.key
    signature = segment(jwt.get_algorithm_by_name("HS256").sign(signed.encode(), key.private))
    assert not shared.opens(f"{signed}.{signature}")


def test_other_algorithms_are_refused_with_the_right_key(api: Api) -> None:
    """The key decides on the algorithm, not the token (RFC 8725 §3.1)."""
    claims, key = claims_of(api.login().access), api.services.issuer.key
    assert api.opens(jwt.encode(claims, key.private, algorithm="HS256"))
    for algorithm in ("HS384", "HS512"):
        assert not api.opens(jwt.encode(claims, key.private, algorithm=algorithm))
    assert not api.opens(jwt.encode(claims, None, algorithm="none"))


def test_repeated_members_are_refused(api: Api) -> None:
    """No two readers can see two different tokens."""
    token = api.login().access
    head, claims, _ = token.split(".")
    text = base64.urlsafe_b64decode(claims + "==").decode()
    doubled = segment((text[:-1] + ', "sub": "x"}').encode())
    signature = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{doubled}".encode(), api.services.issuer.key.private)
    assert not api.opens(f"{head}.{doubled}.{segment(signature)}")


def alterations(token: str) -> dict[str, str]:
    """Tokens that are not quite this one."""
    head, claims, signature = token.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return {
        "padded": token + "=",
        "with a space": token.replace(".", " .", 1),
        "with a part more": f"{token}.{signature}",
        "without signature": f"{head}.{claims}.",
        "without last dot": f"{head}.{claims}",
        "cut": token[:-2],
        "with another signature": f"{head}.{claims}.{signature[:middle]}{other}{signature[middle + 1 :]}",
        "all zeros": f"{head}.{claims}.{'A' * len(signature)}",
        "with another claim": f"{head}.{segment(claims_of(token) | {'sub': 'x'})}.{signature}",
        "unsigned": f"{segment({'alg': 'none'})}.{claims}.",
        "without algorithm": f"{segment({'typ': 'JWT'})}.{claims}.{signature}",
        "no object": f"{segment([])}.{claims}.{signature}",
        "no JSON": f"{segment(b'{')}.{claims}.{signature}",
        "with standard base64": f"{head}.{claims}.{signature[:middle]}+/{signature[middle + 2 :]}",
        "as JSON": json.dumps({"protected": head, "payload": claims, "signature": signature}),
    }


@pytest.mark.parametrize("alteration", alterations(jwt.encode({}, "x" * 32)))
@pytest.mark.parametrize("shared", ["HS256", "ES256"], indirect=True)
def test_altered_tokens_are_refused_and_end_nothing(shared: Api, alteration: str) -> None:
    """Whatever is not the token itself opens nothing, and does not end the session that it names."""
    tokens = shared.login()
    assert not shared.opens(alterations(tokens.access)[alteration])
    assert shared.post("/refresh", alterations(tokens.refresh)[alteration]).status_code == 401
    assert shared.opens(tokens.access)
    assert shared.refresh(tokens.refresh)


@pytest.mark.parametrize(
    "token", ["x", "null", "{}", ".", "..", "...", "a.b.c", "é.é.é", "%00", "A" * 20_000, "." * 5000]
)
def test_nonsense_is_refused(shared: Api, token: str) -> None:
    """No string crashes the server."""
    for answer in (shared.get("/profile", token), shared.post("/refresh", token), shared.post("/logout", token)):
        assert answer.status_code == 401


def test_tokens_of_a_deleted_account_are_refused(api: Api) -> None:
    """An account that is gone has no access, nor has a new one of the same name the old one's tokens."""
    tokens, others = api.login(), api.login("bob")
    api.services.accounts.remove("alice")
    for _ in range(2):
        assert not api.opens(tokens.access)
        assert api.post("/refresh", tokens.refresh).status_code == 401
        api.services.accounts.put("alice", "A new password")
    assert api.opens(others.access)


def test_change_of_password_ends_sessions(api: Api) -> None:
    """Who knew the old password is out."""
    tokens = api.login()
    api.services.accounts.put("alice", "A new password")
    assert not api.opens(tokens.access)
    assert api.post("/refresh", tokens.refresh).status_code == 401
    assert api.try_login("alice", "A new password").status_code == 200


@pytest.mark.parametrize("scope", [None, "", "other", "dashboards", "Dashboard", ["dashboard"], 1])
def test_a_scope_that_does_not_do_is_forbidden(api: Api, scope: object) -> None:
    """The dashboard wants its scope as one of the token's words; what lacks it still opens the profile."""
    narrow = api.forge(api.login().access, scope=scope)

    answer = api.get("/dashboard", narrow)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert 'scope="dashboard"' in answer.headers["WWW-Authenticate"]
    assert api.opens(narrow)
    assert api.opens(api.forge(narrow, scope="other dashboard"), "/dashboard")


def test_a_refresh_keeps_its_scope(start: Start) -> None:
    """What a refresh gives has the scope of the refresh token, and never a wider one."""
    for rotation in (True, False):
        api = start(rotation=rotation)
        tokens = api.login()
        assert {claims_of(token)["scope"] for token in (tokens.access, tokens.refresh)} == {"dashboard"}
        narrow = api.refresh(api.forge(tokens.refresh, scope="other"))
        assert claims_of(narrow.access)["scope"] == "other"
        assert "scope" not in claims_of(start(variant="lesson").login().access)
