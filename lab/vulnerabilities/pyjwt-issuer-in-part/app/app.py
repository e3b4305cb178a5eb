"""PyJWT with one algorithm, a secret and an issuer."""

import os

import jwt
from contract import serve

SECRET, ISSUER = os.environ["SECRET"], "https://login.example"

serve(
    lambda claims: jwt.encode({**claims, "iss": ISSUER}, SECRET, algorithm="HS256"),
    lambda token: jwt.decode(token, SECRET, algorithms=["HS256"], issuer=ISSUER),
)
