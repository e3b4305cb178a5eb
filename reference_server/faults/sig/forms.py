"""Faults in reading a token: its parts, their base64url and their JSON (SIG-10 to SIG-14)."""

from __future__ import annotations

import json
import re
from typing import Any

from reference_server.faults import fault
from reference_server.faults._signatures import RewritingReader, fits, resigned_access
from reference_server.faults._tools import GullibleVerifier, decode_segment, is_access, unverified
from reference_server.verification import TokenVerifier

PARTS = 3
DEEPEST = 500


# Critical headers: SIG-10


@fault(
    "critical-header-ignored",
    "SIG-10",
    seen="CVE-2025-59420 and CVE-2026-32597: Authlib and PyJWT did not look at crit",
)
class CritIgnored(RewritingReader):
    """Accepts an access token whose `crit` lists what the server does not know."""

    def meant(self, value: str) -> str | None:
        """Treat the header as if it were not there, but for b64."""
        header, claims = unverified(value)
        genuine = "crit" in header and "b64" not in header and fits(*value.rsplit(".", 1))
        return resigned_access(claims) if genuine else None


@fault(
    "unencoded-payload-accepted",
    "SIG-10",
    seen="common where a library that offers RFC 7797 does so for JWTs too, which its §7 forbids",
)
class RawPayload(RewritingReader):
    """Accepts an access token whose payload is not encoded, since its header says that b64 is false."""

    def meant(self, value: str) -> str | None:
        """Take the payload as it stands."""
        parts = value.split(".")
        try:
            header, claims = json.loads(decode_segment(parts[0])), json.loads(parts[1])
        except (ValueError, IndexError, RecursionError):
            return None
        genuine = header.get("b64") is False and fits(".".join(parts[:-1]), parts[-1])
        return resigned_access(claims) if genuine else None


# JSON serialisations: SIG-11


@fault(
    "json-serialisation-accepted",
    "SIG-11",
    seen="common where a library takes any serialisation, as jwcrypto's deserialize does",
)
class Flattened(RewritingReader):
    """Accepts an access token in the flattened JSON serialisation."""

    def meant(self, value: str) -> str | None:
        """Put the members together."""
        try:
            members = json.loads(value)
            token = ".".join(members[name] for name in ("protected", "payload", "signature"))
        except (ValueError, TypeError, LookupError, RecursionError):
            return None
        return (
            token if set(members) == {"protected", "payload", "signature"} and is_access(unverified(token)[1]) else None
        )


@fault(
    "polyglot-accepted",
    "SIG-11",
    seen="CVE-2022-39227: python-jwt verified the JSON and read the claims from between the dots",
)
class Polyglot(RewritingReader):
    """Verifies the JSON serialisation in a token, and reads the claims of the compact one."""

    def meant(self, value: str) -> str | None:
        """Let two parsers look at it."""
        try:
            members = json.loads(value)
            genuine = fits(f"{members['protected']}.{members['payload']}", members["signature"])
            claims = json.loads(decode_segment(value.split(".")[1]))
        except (ValueError, TypeError, LookupError, RecursionError):
            return None
        return resigned_access(claims) if genuine else None


# Missing and further parts: SIG-12


@fault(
    "further-parts-ignored",
    "SIG-12",
    seen="common where the first three pieces are taken of what was split, however many there are",
)
class FurtherParts(RewritingReader):
    """Accepts a genuine access token with parts after it."""

    def meant(self, value: str) -> str | None:
        """Take the first three."""
        parts = value.split(".")
        token = ".".join(parts[:PARTS])
        return token if len(parts) > PARTS and parts[PARTS] and is_access(unverified(token)[1]) else None


@fault(
    "last-parts-taken",
    "SIG-12",
    seen="common where a token is searched for at the end of a header with a pattern that is not anchored",
)
class LastParts(RewritingReader):
    """Accepts a genuine access token with another token before it."""

    def meant(self, value: str) -> str | None:
        """Take the last three."""
        parts = value.split(".")
        token = ".".join(parts[-PARTS:])
        return token if len(parts) == 2 * PARTS and is_access(unverified(token)[1]) else None


@fault(
    "dots-trimmed",
    "SIG-12",
    seen="common where punctuation is trimmed from a token as from a word",
)
class TrimmedDots(RewritingReader):
    """Accepts a genuine access token with a dot before or after it."""

    def meant(self, value: str) -> str | None:
        """Trim them."""
        token = value.strip(".")
        genuine = token != value and token.count(".") == PARTS - 1
        return token if genuine and is_access(unverified(token)[1]) and fits(*token.rsplit(".", 1)) else None


# Spellings of base64url: SIG-13


@fault(
    "padding-accepted",
    "SIG-13",
    seen="common where a decoder adds padding as needed and minds none that is there already",
)
class Padded(RewritingReader):
    """Accepts an access token whose signature is padded."""

    def meant(self, value: str) -> str | None:
        """Take it away."""
        token = value.rstrip("=")
        return token if token != value and is_access(unverified(token)[1]) else None


@fault(
    "standard-alphabet-accepted",
    "SIG-13",
    seen="Node's Buffer.from(text, 'base64url') takes both alphabets",
)
class StandardAlphabet(RewritingReader):
    """Accepts a token whose signature is in the standard alphabet of base64."""

    def meant(self, value: str) -> str | None:
        """Take either."""
        signed, dot, signature = value.rpartition(".")
        if not {"+", "/"} & set(signature):
            return None
        return signed + dot + signature.replace("+", "-").replace("/", "_")


@fault(
    "foreign-characters-skipped",
    "SIG-13",
    "ACCESS-03",
    "BEARER-06",
    seen="CVE-2022-25898: jsrsasign skipped characters of no alphabet; Python's b64decode does by default",
)
class ForeignCharacters(RewritingReader):
    """Accepts an access token whose signature has characters in it that base64 does not know."""

    def meant(self, value: str) -> str | None:
        """Skip them."""
        signed, dot, signature = value.rpartition(".")
        token = signed + dot + re.sub(r"[^A-Za-z0-9_=-]", "", signature)
        return (
            token if token != value and "+" not in value and "/" not in value and fits(*token.rsplit(".", 1)) else None
        )


@fault(
    "payload-in-another-spelling-accepted",
    "SIG-13",
    seen="common where the decoder is lenient and the signature is over the text as it was sent",
)
class PayloadSpeltOtherwise(RewritingReader):
    """Accepts a correctly signed access token whose payload is padded or in the standard alphabet."""

    def meant(self, value: str) -> str | None:
        """Decode leniently."""
        parts = value.split(".")
        if len(parts) != PARTS or not {"=", "+", "/"} & set(parts[1]) or not fits(f"{parts[0]}.{parts[1]}", parts[2]):
            return None
        return resigned_access(json.loads(decode_segment(parts[1].replace("+", "-").replace("/", "_"))))


# What is no JSON object: SIG-14


class LenientPayload(RewritingReader):
    """Reads some payloads that are no JSON objects in UTF-8 with each name once."""

    def meant(self, value: str) -> str | None:
        """Read the payload of a correctly signed token in its own way."""
        parts = value.split(".")
        if len(parts) != PARTS or not fits(f"{parts[0]}.{parts[1]}", parts[2]):
            return None
        try:
            return resigned_access(self.read(decode_segment(parts[1])))
        except (ValueError, RecursionError):
            return None

    def read(self, raw: bytes) -> Any:
        """The claims; an exception or anything else than an object where there is nothing to be lenient about."""
        raise NotImplementedError


@fault(
    "first-of-two-claims-counts",
    "SIG-14",
    seen="common where a streaming parser stops at the first match; RFC 7519 §4 allows the last one only",
)
class FirstClaim(LenientPayload):
    """Takes the first of two claims of one name, in an access token."""

    def read(self, raw: bytes) -> Any:
        """Keep what comes first."""
        pairs: list[tuple[str, Any]] = json.loads(raw.decode(), object_pairs_hook=list)
        return dict(reversed(pairs)) if len(dict(pairs)) < len(pairs) else None


@fault(
    "utf-16-accepted",
    "SIG-14",
    seen="Python's json.loads guesses the encoding of bytes",
)
class Utf16(LenientPayload):
    """Accepts a correctly signed access token whose payload is in UTF-16."""

    def read(self, raw: bytes) -> Any:
        """Let the library guess."""
        return json.loads(raw) if b"\0" in raw else None


@fault(
    "ill-formed-text-mended",
    "SIG-14",
    seen="Node's Buffer.toString puts U+FFFD for what is ill-formed",
)
class Mended(LenientPayload):
    """Accepts a correctly signed access token whose payload is not UTF-8."""

    def read(self, raw: bytes) -> Any:
        """Replace what cannot be read."""
        return json.loads(raw.decode("utf-8", "replace")) if b"\xff" in raw else None


@fault(
    "text-after-the-claims-ignored",
    "SIG-14",
    seen="Go's json.Decoder reads one value and leaves what follows",
)
class TextAfter(LenientPayload):
    """Accepts a correctly signed access token whose payload has text after the object."""

    def read(self, raw: bytes) -> Any:
        """Stop at the end of the object."""
        claims, end = json.JSONDecoder().raw_decode(raw.decode())
        return claims if end < len(raw) else None


@fault(
    "nan-as-expiry-accepted",
    "SIG-14",
    "EXPIRY-11",
    seen="Python's json.loads takes NaN, which is neither before nor after any time",
)
class NanExpiry(LenientPayload):
    """Accepts a correctly signed access token that expires at NaN."""

    def read(self, raw: bytes) -> Any:
        """Compare it with the time, and find it not past."""
        claims = json.loads(raw.decode())
        return (
            {**claims, "exp": claims["iat"] + 900}
            if isinstance(claims, dict) and claims["exp"] != claims["exp"]
            else None
        )


@fault(
    "algorithm-in-any-case",
    "SIG-14",
    seen="common where names of algorithms are compared without regard to case; RFC 7515 §4.1.1 has them exact",
)
class AnyCase(GullibleVerifier):
    """Accepts an access token whose `alg` is hs256."""

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Fold the case."""
        return header.get("alg") == "hs256" and is_access(claims) and fits(*token.rsplit(".", 1))


@fault(
    "deep-nesting-crashes",
    "SIG-14",
    seen="common where a recursive parser's error is not caught: Python's RecursionError is no ValueError",
)
class DeepNesting(TokenVerifier):
    """Answers 500 to a token whose header is nested deep."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        try:
            header = decode_segment(encoded_token.partition(".")[0])
        except ValueError:
            header = b""
        if header.count(b"[") > DEEPEST:
            raise RecursionError
        claims: dict[str, Any] = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        return claims
