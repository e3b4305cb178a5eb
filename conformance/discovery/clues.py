"""What a target publishes of itself: its OpenAPI document, and the metadata of its authorization server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance.discovery import openapi
from conformance.errors import ConfigurationError, TargetError
from conformance.target.http import HttpClient, Request

if TYPE_CHECKING:
    from conformance.discovery.openapi import Document
    from conformance.discovery.probing import Prober
    from conformance.target.http import Response

ADDRESSES: Final = (
    "/openapi.json", "/swagger.json", "/v3/api-docs", "/api/openapi.json", "/api/schema/", "/schema/openapi.json",
    "/docs-json", "/api-json", "/api-docs", "/api/v1/_openapi", "/api/v1/openapi.json", "/swagger/v1/swagger.json",
    "/swagger/doc.json", "/openapi.yaml",
)  # fmt: skip
"""Where frameworks put an OpenAPI document by themselves."""
METADATA: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
ENDPOINTS: Final = ("token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint")
LARGEST_FILE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Clues:
    """What was found.

    Attributes:
        document: the OpenAPI document.
        endpoints: paths below the target's URL, by their name in the metadata.
        scopes: those of its scopes that get a refresh token.
    """

    document: Document | None
    endpoints: dict[str, str]
    scopes: tuple[str, ...] = ()


def look(prober: Prober, openapi_url: str) -> Clues:
    """Asks the usual addresses, or the one that the user gives.

    Raises:
        ConfigurationError: what the user gives is no OpenAPI document.
        TargetError: the target does not answer.
    """
    base_path = urlsplit(prober.client.base_url).path
    if openapi_url:
        data, origin = _given(prober.client, openapi_url)
        document: Document | None = openapi.read(data, origin, base_path)
    else:
        document = _found(prober, base_path)
    if document:
        prober.tell(f"read {document.origin}: {len(document.operations)} operations")
    endpoints, scopes = _metadata(prober, base_path)
    return Clues(document, endpoints, scopes)


def _found(prober: Prober, base_path: str) -> Document | None:
    for path in ADDRESSES:
        answer = prober.ask("GET", path)
        if answer is None or not answer.is_success:
            continue
        if answer.truncated:
            prober.tell(f"GET {path} is too long to be read: save it, and give the file as --openapi-url")
            continue
        try:
            return openapi.read(openapi.parse(answer.body, path), path, base_path)
        except ConfigurationError as error:
            prober.tell(str(error))
    prober.tell(f"found no OpenAPI document at {len(ADDRESSES)} usual addresses; --openapi-url names another one")
    return None


def _given(client: HttpClient, given: str) -> tuple[dict[str, Any], str]:
    hint = "--openapi-url takes a URL, a path of the target, or a file"
    if "://" in given:
        return _answered(_fetched(given, client), given, hint)
    file = Path(given)
    if file.is_file():
        if file.stat().st_size > LARGEST_FILE:
            raise ConfigurationError(f"{given} is larger than {LARGEST_FILE >> 20} MiB", "leave other APIs out of it")
        try:
            return openapi.parse(file.read_bytes(), given), given
        except OSError as error:
            raise ConfigurationError(f"{given} cannot be read: {error.strerror}", hint) from None
    if not given.startswith("/"):
        raise ConfigurationError(f"there is no file {given!r}", hint)
    return _answered(client.send(Request("GET", given)).response, given, hint)


def _fetched(url: str, like: HttpClient) -> Response:
    """What is at a URL, which may be another host's: asked without anything that is meant for the target."""
    parts = urlsplit(url)
    client = HttpClient(f"{parts.scheme}://{parts.netloc}", max_wait_s=like.max_wait_s, trusted_ca=like.trusted_ca)
    try:
        return client.send(Request("GET", f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}")).response
    except TargetError as error:
        raise ConfigurationError(f"{url}: {error.args[0]}", "--openapi-url takes a file as well") from None
    finally:
        client.close()


def _answered(answer: Response, given: str, hint: str) -> tuple[dict[str, Any], str]:
    if not answer.is_success:
        raise ConfigurationError(f"{given} answers {answer.status}, and no OpenAPI document", hint)
    if answer.truncated:
        raise ConfigurationError(f"{given} is too long to be read over HTTP", "save it, and give the file")
    return openapi.parse(answer.body, given), given


def _metadata(prober: Prober, base_path: str) -> tuple[dict[str, str], tuple[str, ...]]:
    for path in METADATA:
        answer = prober.ask("GET", path)
        if answer is None or not answer.is_success or not isinstance(answer.json, dict):
            continue
        own = urlsplit(prober.client.base_url)
        found = {}
        for name in ENDPOINTS:
            try:
                parts = urlsplit(str(answer.json.get(name) or ""))
            except ValueError:
                continue
            # Behind a proxy a server may know itself by another name; nothing but the path is taken from it.
            below = parts.path.removeprefix(base_path) if parts.scheme in {"http", "https"} else ""
            if below.startswith("/") and openapi.is_path(below) and parts.hostname in {own.hostname, "localhost"}:
                found[name] = below
        if found:
            prober.tell(f"read {path}: {', '.join(found)}")
            scopes = answer.json.get("scopes_supported")
            known = scopes if isinstance(scopes, list) else []
            return found, tuple(scope for scope in ("openid", "offline_access") if "offline_access" in known)
    return {}, ()
