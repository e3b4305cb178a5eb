"""PyJWT 1.5 without a list of algorithms, which it then did not demand: the token names one."""

import collections
import collections.abc

# It looks for Mapping where Python had it at the time.
collections.Mapping = collections.abc.Mapping

import jwt
from contract import number, serve
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

KEY = rsa.generate_private_key(65537, 2048, default_backend())
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
NUMBERS = KEY.public_key().public_numbers()

serve(
    lambda claims: jwt.encode(claims, PRIVATE, algorithm="RS256"),
    lambda token: jwt.decode(token, PUBLIC),
    jwks={"keys": [{"kty": "RSA", "n": number(NUMBERS.n), "e": number(NUMBERS.e), "use": "sig"}]},
)
