"""What a target publishes about its keys, looked for once a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance.errors import TargetError
from conformance.target.http import Exchange, Request
from conformance.target.pacing import HeldBackError
from conformance.tokens.keys import verifies
from conformance.tokens.public_keys import read_pem
from conformance.tokens.reading import HMAC_ALGORITHMS

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

USUAL_PLACES: Final = ("/.well-known/jwks.json", "/jwks", "/jwks.json", "/oauth/jwks")
DISCOVERY: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
MOST_KEYS: Final = 20
"""So many published keys are tried as something that they are not; who publishes more has a reason of another kind."""
NO_KEY_PAIR: Final = "tokens are signed with an HMAC secret, so there is no public key"
HOW_TO_GIVE: Final = "--public-key @FILE, or the JWK Set's path as capabilities.jwks"


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The public keys of a target, as far as the suite knows them.

    Attributes:
        jwks: those that are published.
        served: the sets that they were found in, byte for byte.
        pem_files: what the user gave, where it fits the target's tokens.
        problems: what is wrong with what the user gave, or with a set where the profile says that there is one.
    """

    jwks: tuple[dict[str, Any], ...]
    served: tuple[bytes, ...]
    pem_files: tuple[bytes, ...]
    problems: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether there is a key at all."""
        return bool(self.jwks or self.pem_files)


def known_keys(target: Trial) -> KnownKeys:
    """Published keys, and the one that the user gave where it is the target's."""
    sets = [exchange for exchange in key_sets(target) if keys_in(exchange)]
    pem, problems = target.target.public_key_pem, list(target.target.memory["key set problems"])
    misfit = _misfit(target, pem) if pem else ""
    keys = _likeliest_first(target, published_keys(target))
    if len(keys) > MOST_KEYS:
        problems.append(f"{len(keys)} keys are published, of which {MOST_KEYS} are tried")
    return KnownKeys(
        tuple(keys[:MOST_KEYS]),
        tuple(dict.fromkeys(exchange.response.body for exchange in sets)),
        (pem.encode(),) if pem and not misfit else (),
        tuple([*problems, misfit] if misfit else problems),
    )


def _likeliest_first(target: Trial, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The keys, beginning with those that the target's tokens name."""
    session = target.session()
    named = [token.jwt.header.get("kid") for token in (session.access, session.refresh) if token.jwt]
    return sorted(keys, key=lambda key: key.get("kid") not in named)


def require_key(target: Trial) -> KnownKeys:
    """The public keys; not applicable where there can be none, and untested where none is known."""
    known = known_keys(target)
    if not known.any:
        if not has_key_pair(target):
            target.not_applicable(NO_KEY_PAIR)
        target.untested("; ".join(known.problems) or "the public key is not known", give=HOW_TO_GIVE)
    for problem in known.problems:
        target.remark(problem)
    return known


def has_key_pair(target: Trial) -> bool:
    """Whether any token is signed with a key pair."""
    session = target.session()
    signed = [token.jwt for token in (session.access, session.refresh) if token.jwt]
    return any(token.algorithm not in HMAC_ALGORITHMS for token in signed)


def _misfit(target: Trial, pem: str) -> str:
    """Why the key that the user gave is not the target's; an empty string where it is."""
    key = read_pem(pem.encode())
    if key is None:
        return "what --public-key holds cannot be read as a public key or a certificate"
    session = target.session()
    signed = [token.jwt for token in (session.access, session.refresh) if token.jwt]
    if not signed or any(verifies(token, key) for token in signed):
        return ""
    kind = type(key).__name__.lstrip("_").removesuffix("PublicKey")
    algorithms = " and ".join(dict.fromkeys(token.algorithm for token in signed))
    return f"--public-key ({kind}) is not the key of the target's tokens ({algorithms})"


def key_sets(target: Trial) -> list[Exchange]:
    """The answers of the declared and of the usual places of a JWK Set (RFC 7517 §5), whatever they are."""
    if "key sets" not in target.target.memory:
        declared = target.profile.capabilities.jwks
        announced = [jwks_path(target, exchange) for exchange in metadata(target)]
        found: list[Exchange] = []
        problems: list[str] = []
        for path in dict.fromkeys([declared, *USUAL_PLACES, *announced]):
            if not path:
                continue
            try:
                exchange = target.send(Request("GET", path))
            except HeldBackError:
                raise
            except TargetError as error:
                problems += [f"the key set at {path} cannot be had: {error}"]
                continue
            found.append(exchange)
            if path == declared and not keys_in(exchange):
                status = exchange.response.status
                problems += [
                    f"the profile says that there is a key set at {path}, and "
                    + ("what is there is none" if exchange.response.is_success else f"it answers {status}")
                ]
        target.target.memory["key sets"] = found
        target.target.memory["key set problems"] = problems
        target.target.memory["published keys"] = [key for exchange in found for key in keys_in(exchange)]
    exchanges: list[Exchange] = target.target.memory["key sets"]
    return exchanges


def metadata(target: Trial) -> list[Exchange]:
    """The server's own descriptions (RFC 8414 §3, OpenID Connect Discovery §4), whatever is there."""
    if "metadata" not in target.target.memory:
        target.target.memory["metadata"] = [target.send(Request("GET", path)) for path in DISCOVERY]
    exchanges: list[Exchange] = target.target.memory["metadata"]
    return exchanges


def keys_in(exchange: Exchange) -> list[dict[str, Any]]:
    """The members of `keys` in a JWK Set, as far as they are objects."""
    data = exchange.response.json
    keys = data.get("keys") if exchange.response.is_success and isinstance(data, dict) else None
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def published_keys(target: Trial) -> list[dict[str, Any]]:
    """Every published key, once."""
    key_sets(target)
    return list({json.dumps(key, sort_keys=True): key for key in target.target.memory["published keys"]}.values())


def jwks_path(target: Trial, described: Exchange) -> str:
    """The path of the `jwks_uri` in the server's metadata, where it is on the target itself."""
    data = described.response.json
    uri = data.get("jwks_uri") if isinstance(data, dict) else None
    if not isinstance(uri, str):
        return ""
    base = target.target.client.base_url
    # Nothing is fetched from another host: the target may name any.
    return uri[len(base) :] if uri.startswith(f"{base}/") and urlsplit(uri).netloc == urlsplit(base).netloc else ""


def public_path(uri: Any) -> str:
    """The path of a URL on whatever host: where the target goes by another name outside, it is here all the same."""
    try:
        parts = urlsplit(uri) if isinstance(uri, str) else urlsplit("")
    except ValueError:
        return ""
    return parts.path if parts.scheme in {"http", "https"} and parts.netloc else ""
