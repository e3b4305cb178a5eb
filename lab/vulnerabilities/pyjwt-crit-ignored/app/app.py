"""PyJWT with one algorithm and a secret."""

import os

import jwt
from contract import serve

SECRET = os.environ["SECRET"]

serve(
    lambda claims: jwt.encode(claims, SECRET, algorithm="HS256"),
    lambda token: jwt.decode(token, SECRET, algorithms=["HS256"]),
)
