"""python-jose in an API that keeps its keys as OpenSSH has them, and loads what the library cannot read by itself."""

from contract import b64url, serve
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)
from jose import jwt

KEY = ec.generate_private_key(ec.SECP256R1())
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
KEPT = KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
NUMBERS = KEY.public_key().public_numbers()
X, Y = (b64url(number.to_bytes(32, "big")) for number in (NUMBERS.x, NUMBERS.y))


def as_pem(kept):
    return load_ssh_public_key(kept).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


LOADERS = {"ES256": as_pem}


def verify(token):
    load = LOADERS.get(jwt.get_unverified_header(token)["alg"], bytes.decode)
    return jwt.decode(token, load(KEPT))


serve(
    lambda claims: jwt.encode(claims, PRIVATE, algorithm="ES256"),
    verify,
    jwks={"keys": [{"kty": "EC", "crv": "P-256", "x": X, "y": Y, "use": "sig"}]},
)
