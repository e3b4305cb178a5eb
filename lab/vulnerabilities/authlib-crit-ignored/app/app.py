"""Authlib with one algorithm and a secret, as its documentation recommends."""

import os

from authlib.jose import JsonWebToken
from contract import serve

SECRET = os.environ["SECRET"].encode()
JWT = JsonWebToken(["HS256"])


def verify(token):
    claims = JWT.decode(token, SECRET)
    claims.validate()
    return claims


serve(lambda claims: JWT.encode({"alg": "HS256"}, claims, SECRET), verify)
