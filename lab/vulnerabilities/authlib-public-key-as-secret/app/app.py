"""Authlib's jwt as its documentation has it, which takes every algorithm that the token names."""

from authlib.jose import jwt
from contract import number, serve
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

KEY = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NUMBERS = KEY.public_key().public_numbers()


def verify(token):
    claims = jwt.decode(token, PUBLIC)
    claims.validate()
    return claims


serve(
    lambda claims: jwt.encode({"alg": "RS256"}, claims, PRIVATE),
    verify,
    jwks={"keys": [{"kty": "RSA", "n": number(NUMBERS.n), "e": number(NUMBERS.e), "use": "sig"}]},
)
