"""python-jwt as its documentation has it."""

import datetime as dt
import json

import python_jwt
from contract import serve
from jwcrypto.jwk import JWK

KEY = JWK.generate(kty="RSA", size=2048)


def issue(claims):
    # It writes the times itself.
    lifetime = dt.timedelta(seconds=claims.pop("exp") - claims.pop("iat"))
    return python_jwt.generate_jwt(claims, KEY, "RS256", lifetime)


serve(
    issue,
    lambda token: python_jwt.verify_jwt(token, KEY, ["RS256"])[1],
    jwks={"keys": [{**json.loads(KEY.export_public()), "use": "sig"}]},
)
