"""jwcrypto with one key pair for signing and for verifying, as its documentation's first example has one key."""

import json

from contract import serve
from jwcrypto import jwk, jwt

KEY = jwk.JWK.generate(kty="RSA", size=2048)


def issue(claims):
    token = jwt.JWT(header={"alg": "RS256"}, claims=claims)
    token.make_signed_token(KEY)
    return token.serialize()


serve(
    issue,
    lambda token: json.loads(jwt.JWT(jwt=token, key=KEY).claims),
    jwks={"keys": [{**json.loads(KEY.export_public()), "use": "sig"}]},
)
