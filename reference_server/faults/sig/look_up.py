"""Faults in looking a key up by what the token says: URLs and names (SIG-07, SIG-08)."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt
import requests
from cryptography.x509 import load_pem_x509_certificates
from flask import request

from reference_server.faults import fault
from reference_server.faults._signatures import SelfServiceVerifier
from reference_server.faults._tools import GullibleVerifier, hmac_fits, is_access
from reference_server.verification import TokenVerifier

LONGEST_KEY = 4096
LONGEST_SLEEP_S = 5


def fetched(url: Any) -> requests.Response:
    """Whatever is at the URL.

    Raises:
        LookupError: nothing is.
    """
    try:
        return requests.get(str(url), timeout=2)
    except requests.RequestException as error:
        raise LookupError from error


def key_named(key_set: Any, kid: Any, algorithm: str) -> Any:
    """The key of a set with that name, or else for that algorithm."""
    keys = key_set["keys"]
    found = [key for key in keys if key.get("kid") == kid] or [key for key in keys if key.get("alg") == algorithm]
    return jwt.PyJWK(found[0], algorithm=algorithm).key


# Key URLs: SIG-07


@fault(
    "jku-trusted",
    "SIG-07",
    seen="common where a library resolves jku by default, which RFC 8725 §3.10 warns of",
)
class Jku(SelfServiceVerifier):
    """Verifies an access token with a key from the URL in its `jku`."""

    def embedded(self, header: dict[str, Any]) -> Any:
        """Fetch it."""
        return key_named(fetched(header["jku"]).json(), header.get("kid"), header["alg"])


@fault(
    "jku-trusted-by-its-beginning",
    "SIG-07",
    seen="common where an allowed URL is compared with startswith, so that https://good@evil will do",
)
class JkuByPrefix(Jku):
    """Verifies an access token with a key from its `jku` if that begins like the server's own URL."""

    def embedded(self, header: dict[str, Any]) -> Any:
        """Look at the beginning only."""
        if not str(header["jku"]).startswith(request.host_url.rstrip("/")):
            raise LookupError
        return super().embedded(header)


@fault(
    "x5u-trusted",
    "SIG-07",
    seen="common where x5u is resolved beside jku, by the same code, and allowed by another list",
)
class X5u(SelfServiceVerifier):
    """Verifies an access token with a certificate from the URL in its `x5u`."""

    def embedded(self, header: dict[str, Any]) -> Any:
        """Fetch it, and take the one that fits the algorithm."""
        kinds = {"RS256": "RSA", "ES256": "EllipticCurve", "EdDSA": "Ed25519"}
        certificates = load_pem_x509_certificates(fetched(header["x5u"]).content)
        public = [certificate.public_key() for certificate in certificates]
        return next(key for key in public if type(key).__name__.startswith(kinds[header["alg"]]))


@fault(
    "jku-fetched-and-then-refused",
    "SIG-07",
    seen="common where the keys are loaded first and the list of allowed issuers is asked afterwards",
)
class JkuFetched(GullibleVerifier):
    """Fetches what is at the URL in `jku`, and refuses the token all the same."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:  # noqa: ARG002 - any
        """Call out, and believe nothing."""
        with suppress(LookupError):
            fetched(header["jku"])
        return False


@fault(
    "issuer-discovered-from-the-token",
    "SIG-07",
    seen="common in servers of many tenants that take iss for the address of a provider",
)
class IssuerDiscovered(GullibleVerifier):
    """Fetches the metadata of whatever `iss` names, before it knows the issuer."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:  # noqa: ARG002 - any
        """Call out; the claim itself is checked later."""
        if str(claims.get("iss")).startswith("http"):
            with suppress(LookupError):
                fetched(f"{claims['iss']}/.well-known/openid-configuration")
        return False


# Names of keys: SIG-08


@fault(
    "kid-opened-as-a-file",
    "SIG-08",
    seen="PortSwigger's Web Security Academy has a lab on it: JWT authentication bypass via kid header path traversal",
)
class KidAsFile(GullibleVerifier):
    """Verifies an access token with the content of the file that its `kid` names."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Open `keys/` and the kid."""
        try:
            with (Path("/usr/share/keys") / header["kid"]).open("rb") as file:
                secret = file.read(LONGEST_KEY)
        except (OSError, LookupError, TypeError, ValueError):
            return False
        return is_access(claims) and hmac_fits(token, secret)


@fault(
    "kid-in-a-query",
    "SIG-08",
    seen="common where keys are in a table and the query is put together as a string",
)
class KidInQuery(GullibleVerifier):
    """Verifies an access token with the secret that a query with its `kid` in it finds."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Put the kid into the SQL."""
        with sqlite3.connect(":memory:") as database:
            database.execute("CREATE TABLE keys (kid TEXT, secret TEXT)")
            try:
                row = database.execute(f"SELECT secret FROM keys WHERE kid = '{header.get('kid')}'").fetchone()  # noqa: S608 - the fault
            except (sqlite3.Error, sqlite3.Warning, ValueError):
                row = None
        database.close()
        return bool(row) and is_access(claims) and hmac_fits(token, str(row[0]).encode())


@fault(
    "kid-of-another-type-crashes",
    "SIG-08",
    seen="common where keys are in a dictionary, which a list or an object cannot be looked up in",
)
class UnhashableKid(TokenVerifier):
    """Answers 500 where the `kid` is a list or an object."""

    def check_header(self, header: dict[str, Any]) -> None:
        """Look it up before anything else."""
        keys = {"": self.key}
        keys.get(header.get("kid", ""))
        super().check_header(header)


@fault(
    "kid-given-to-a-shell",
    "SIG-08",
    seen="common in scripts that fetch a key with a command, since Ruby's open() runs what follows a |",
)
class KidInShell(TokenVerifier):
    """Runs a command in the `kid`, as far as it sleeps."""

    def check_header(self, header: dict[str, Any]) -> None:
        """Wait as the command says."""
        if found := re.search(r"(?:;|\$\()\s*sleep (\d)", str(header.get("kid"))):
            time.sleep(min(int(found[1]), LONGEST_SLEEP_S))
        super().check_header(header)
