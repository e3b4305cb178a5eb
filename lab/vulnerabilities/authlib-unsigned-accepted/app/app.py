"""Authlib's jwt as its documentation has it, with a secret."""

import secrets

from authlib.jose import jwt
from contract import serve

SECRET = secrets.token_bytes(32)


def verify(token):
    claims = jwt.decode(token, SECRET)
    claims.validate()
    return claims


serve(lambda claims: jwt.encode({"alg": "HS256"}, claims, SECRET), verify)
