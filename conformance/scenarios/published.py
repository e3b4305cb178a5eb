"""What a target publishes about its keys, looked for once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance.target.http import Exchange, Request

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

USUAL_PLACES: Final = ("/.well-known/jwks.json", "/jwks", "/jwks.json", "/oauth/jwks")
DISCOVERY: Final = "/.well-known/openid-configuration"


def key_sets(target: Trial) -> list[Exchange]:
    """The answers of the declared and of the usual places of a JWK Set (RFC 7517 §5), whatever they are."""
    if "key sets" not in target.target.memory:
        declared = target.profile.capabilities.jwks
        metadata = target.send(Request("GET", DISCOVERY))
        paths = dict.fromkeys([declared, *USUAL_PLACES, _announced(target, metadata)])
        found = [target.send(Request("GET", path)) for path in paths if path]
        target.target.memory["key sets"] = found
        target.target.memory["published keys"] = [key for exchange in found for key in keys_in(exchange)]
    exchanges: list[Exchange] = target.target.memory["key sets"]
    return exchanges


def keys_in(exchange: Exchange) -> list[dict[str, Any]]:
    """The members of `keys` in a JWK Set, as far as they are objects."""
    data = exchange.response.json
    keys = data.get("keys") if exchange.response.is_success and isinstance(data, dict) else None
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def published_keys(target: Trial) -> list[dict[str, Any]]:
    """Every published key, once."""
    key_sets(target)
    keys: list[dict[str, Any]] = []
    for key in target.target.memory["published keys"]:
        if key not in keys:
            keys.append(key)
    return keys


def _announced(target: Trial, metadata: Exchange) -> str:
    """The path of the `jwks_uri` in the server's metadata, where it is on the target itself."""
    data = metadata.response.json
    uri = data.get("jwks_uri") if isinstance(data, dict) else None
    if not isinstance(uri, str):
        return ""
    base = target.target.client.base_url
    # Nothing is fetched from another host: the target may name any.
    return uri[len(base) :] if uri.startswith(f"{base}/") and urlsplit(uri).netloc == urlsplit(base).netloc else ""
