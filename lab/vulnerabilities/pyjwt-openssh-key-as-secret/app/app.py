"""PyJWT as its documentation had it: the algorithms are whatever the library knows, and the key is the public one."""

import jwt
from contract import b64url, serve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIVATE = Ed25519PrivateKey.generate()
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
RAW = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

serve(
    lambda claims: jwt.encode(claims, PRIVATE, algorithm="EdDSA"),
    lambda token: jwt.decode(token, PUBLIC, algorithms=jwt.algorithms.get_default_algorithms()),
    jwks={"keys": [{"kty": "OKP", "crv": "Ed25519", "x": b64url(RAW), "use": "sig"}]},
)
