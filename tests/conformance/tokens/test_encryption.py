"""Tokens that were encrypted to a public key really open to the private one."""

from __future__ import annotations

import json
import struct

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from cryptography.hazmat.primitives.padding import PKCS7

from conformance.tokens.forging.encrypted import EC_AGREEMENTS, ENCRYPTIONS, RSA_WRAPPINGS, derived, encrypt
from conformance.tokens.reading import b64url_decode, b64url_encode
from tests.conformance.tokens.issuer import issuer

RFC_EPHEMERAL = {
    "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    "d": "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
}
RFC_STATIC = {
    "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
}


def number(text: str) -> int:
    """What a segment stands for."""
    return int.from_bytes(b64url_decode(text))


def test_the_key_derivation_is_that_of_the_rfc() -> None:
    """The example of RFC 7518 appendix C comes out as it is printed there."""
    static = ec.EllipticCurvePublicNumbers(number(RFC_STATIC["x"]), number(RFC_STATIC["y"]), ec.SECP256R1())
    ephemeral = ec.derive_private_key(number(RFC_EPHEMERAL["d"]), ec.SECP256R1())
    shared = ephemeral.exchange(ec.ECDH(), static.public_key())

    assert b64url_encode(derived(shared, "A128GCM", 16, b"Alice", b"Bob")) == "VqqN6vgjbSBcIijNcacQGg"


def content_of(token: str, key: bytes) -> bytes:
    """What was encrypted, checked as RFC 7518 §5 says."""
    header, _, vector, body, tag = token.split(".")
    iv, text, mac = map(b64url_decode, (vector, body, tag))
    if json.loads(b64url_decode(header))["enc"].endswith("GCM"):
        return AESGCM(key).decrypt(iv, text + mac, header.encode())
    check = hmac.HMAC(key[:16], hashes.SHA256())
    check.update(header.encode() + iv + text + struct.pack(">Q", len(header) * 8))
    assert check.finalize()[:16] == mac
    decryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(text) + decryptor.finalize()) + unpadder.finalize()


@pytest.mark.parametrize("enc", ENCRYPTIONS)
@pytest.mark.parametrize("algorithm", RSA_WRAPPINGS)
def test_an_rsa_key_opens_it(algorithm: str, enc: str) -> None:
    """The private key unwraps the content's key."""
    own = issuer("RS256")
    token = encrypt(b"claims", own.public, algorithm, enc, {"typ": "JWT"})
    key = own.private.decrypt(b64url_decode(token.split(".")[1]), RSA_WRAPPINGS[algorithm])

    assert content_of(token, key) == b"claims"


@pytest.mark.parametrize("enc", ENCRYPTIONS)
@pytest.mark.parametrize("algorithm", EC_AGREEMENTS)
def test_an_ec_key_opens_it(algorithm: str, enc: str) -> None:
    """The private key agrees with the ephemeral one on the content's key, or on what wraps it."""
    own = issuer("ES256")
    token = encrypt(b"claims", own.public, algorithm, enc, {})
    header = json.loads(b64url_decode(token.partition(".")[0]))
    epk = ec.EllipticCurvePublicNumbers(number(header["epk"]["x"]), number(header["epk"]["y"]), ec.SECP256R1())
    shared = own.private.exchange(ec.ECDH(), epk.public_key())
    wrapping = EC_AGREEMENTS[algorithm]
    if wrapping:
        key = aes_key_unwrap(derived(shared, algorithm, wrapping), b64url_decode(token.split(".")[1]))
    else:
        key = derived(shared, enc, ENCRYPTIONS[enc])

    assert content_of(token, key) == b"claims"
    assert "d" not in header["epk"]
