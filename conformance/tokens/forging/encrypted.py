"""Tokens that were encrypted to the server's public key, in place of being signed (RFC 7516 §7.1).

Anybody can encrypt to a public key, so that a token that decrypts proves nothing.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7
from jwt.algorithms import get_default_algorithms

from conformance.tokens.forging.table import Choice, Material, Needs, Row, encoded
from conformance.tokens.public_keys import public_keys
from conformance.tokens.reading import b64url_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENCRYPTIONS: Final = {"A256GCM": 32, "A128GCM": 16, "A128CBC-HS256": 32}
"""Content encryption (RFC 7518 §5), and how many bytes its key has."""

RSA_WRAPPINGS: Final[dict[str, padding.AsymmetricPadding]] = {
    "RSA-OAEP": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - RFC 7518 §4.3 says so
    "RSA-OAEP-256": padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
    "RSA1_5": padding.PKCS1v15(),
}
EC_AGREEMENTS: Final = {"ECDH-ES": 0, "ECDH-ES+A128KW": 16, "ECDH-ES+A256KW": 32}
"""Key agreement (RFC 7518 §4.6), and how many bytes the key that wraps has; none where nothing is wrapped."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the content's key comes about.

    Attributes:
        content_key: what the content is encrypted with.
        encrypted_key: what tells the recipient, as the second part of the token.
        members: what the header has to say.
    """

    content_key: bytes
    encrypted_key: bytes
    members: dict[str, Any]


def encrypted(material: Material) -> Iterator[Row]:
    """SIG-15: claims encrypted to the public key, as they are and within an unsigned token."""
    for key in public_keys(material.published, material.pem_files):
        ways = RSA_WRAPPINGS if isinstance(key, RSAPublicKey) else EC_AGREEMENTS
        if not isinstance(key, RSAPublicKey | ec.EllipticCurvePublicKey):
            continue  # RFC 8037 §2: an Ed25519 key signs, and agrees on nothing.
        for algorithm in ways:
            yield Row(f"claims encrypted with {algorithm}", _claims(material, key, algorithm), Needs.PUBLIC_KEY)
            yield Row(f"an unsigned token encrypted with {algorithm}", _nested(material, key, algorithm),
                      Needs.PUBLIC_KEY)  # fmt: skip
        return


def _claims(material: Material, key: Any, algorithm: str) -> Callable[[Choice], str]:
    def forge(choice: Choice) -> str:
        text = json.dumps(material.token.claims, separators=(",", ":")).encode()
        return encrypt(text, key, algorithm, choice["enc"], {"typ": "JWT", **material.kid(choice)})

    return forge


def _nested(material: Material, key: Any, algorithm: str) -> Callable[[Choice], str]:
    def forge(choice: Choice) -> str:
        unsigned = f"{encoded({'alg': 'none'})}.{material.token.segments[1]}."
        return encrypt(unsigned.encode(), key, algorithm, choice["enc"], {"cty": "JWT", **material.kid(choice)})

    return forge


def encrypt(text: bytes, key: Any, algorithm: str, enc: str, members: dict[str, Any]) -> str:
    """A compact JWE (RFC 7516 §5.1).

    Args:
        text: what is encrypted.
        key: the recipient's public key, RSA or EC.
        algorithm: how the content's key is made known to it.
        enc: how the content is encrypted.
        members: further members of the header.
    """
    agreed = agree(key, algorithm, enc)
    header = encoded({**members, "alg": algorithm, "enc": enc, **agreed.members})
    return assembled(header, agreed, enc, text)


def assembled(header: str, agreed: Agreement, enc: str, text: bytes) -> str:
    """The five parts of a compact JWE (RFC 7516 §7.1)."""
    vector, body, tag = _sealed(agreed.content_key, enc, text, header.encode())
    return ".".join([header, *map(b64url_encode, (agreed.encrypted_key, vector, body, tag))])


def agree(key: Any, algorithm: str, enc: str) -> Agreement:
    """A key for the content that the owner of the private key can find out."""
    size = ENCRYPTIONS[enc]
    if isinstance(key, RSAPublicKey):
        content_key = os.urandom(size)
        return Agreement(content_key, key.encrypt(content_key, RSA_WRAPPINGS[algorithm]), {})
    ephemeral = ec.generate_private_key(key.curve)
    shared = ephemeral.exchange(ec.ECDH(), key)
    members = {"epk": get_default_algorithms()[_signing(key)].to_jwk(ephemeral.public_key(), as_dict=True)}
    members["epk"] = {name: value for name, value in members["epk"].items() if name != "key_ops"}
    if not (wrapping := EC_AGREEMENTS[algorithm]):
        return Agreement(derived(shared, enc, size), b"", members)
    content_key = os.urandom(size)
    return Agreement(content_key, aes_key_wrap(derived(shared, algorithm, wrapping), content_key), members)


def _signing(key: ec.EllipticCurvePublicKey) -> str:
    return {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}.get(key.curve.name, "ES256K")


def derived(shared: bytes, name: str, size: int, apu: bytes = b"", apv: bytes = b"") -> bytes:
    """A key of so many bytes from an ECDH secret, by the Concat KDF (RFC 7518 §4.6.2)."""
    parts = b"".join(struct.pack(">I", len(part)) + part for part in (name.encode(), apu, apv))
    return ConcatKDFHash(hashes.SHA256(), size, parts + struct.pack(">I", size * 8)).derive(shared)


def _sealed(key: bytes, enc: str, text: bytes, header: bytes) -> tuple[bytes, bytes, bytes]:
    """Initialisation vector, ciphertext and tag."""
    if enc.endswith("GCM"):
        vector = os.urandom(12)
        whole = AESGCM(key).encrypt(vector, text, header)
        return vector, whole[:-16], whole[-16:]
    # RFC 7518 §5.2.2.1: the first half authenticates, the second encrypts.
    vector, padder = os.urandom(16), PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(vector)).encryptor()
    body = encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    mac = hmac.HMAC(key[:16], hashes.SHA256())
    mac.update(header + vector + body + struct.pack(">Q", len(header) * 8))
    return vector, body, mac.finalize()[:16]
