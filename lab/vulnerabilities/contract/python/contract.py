"""The default contract in the standard library alone, so that a pair stands on nothing but the library it is about.

    serve(issue, verify)

`issue` makes a token of its claims. `verify` gives the claims of a token, and raises whatever it likes where the token
is no good. What they do is up to the library.
"""

import base64
import json
import os
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}
LIFETIMES = {"access": 900, "refresh": 3600}
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def serve(issue, verify, jwks=None):
    """Serve until stopped.

    Args:
        issue: a function of the claims, which returns the token, as text or bytes.
        verify: a function of the token, as text, which returns its claims.
        jwks: public keys to publish, as a JWK Set.
    """
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), _handler(issue, verify, jwks))
    server.serve_forever()


def b64url(data):
    """Unpadded base64url, for those who write a JWK."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    """A number as JWKs write it."""
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Refused(Exception):
    def __init__(self, status, message, **headers):
        super().__init__(message)
        self.status, self.headers = status, headers


def _handler(issue, verify, jwks):
    def tokens(name, kinds):
        now, answer = int(time.time()), {"token_type": "Bearer"}
        for kind in kinds:
            life = LIFETIMES[kind]
            claims = {"sub": name, "type": kind, "iat": now, "exp": now + life, "jti": str(uuid.uuid4())}
            token = issue(claims)
            answer[f"{kind}_token"] = token if isinstance(token, str) else token.decode()
            answer["expires_in" if kind == "access" else "refresh_expires_in"] = life
        return answer

    def bearer(headers, kind):
        scheme, _, token = headers.get("Authorization", "").strip(" \t").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(401, "Missing token", WWW_Authenticate='Bearer realm="contract"')
        refusal = Refused(401, "Invalid token", WWW_Authenticate='Bearer realm="contract", error="invalid_token"')
        try:
            claims = verify(token.strip(" "))
            good = claims["type"] == kind and claims["sub"] in ACCOUNTS and claims["exp"] > time.time()
        except Exception:
            raise refusal from None
        if not good:
            raise refusal
        return claims["sub"]

    def login(body, headers):
        if headers.get_content_type() != "application/json":
            raise Refused(415, "JSON is wanted")
        try:
            told = json.loads(body)
        except ValueError:
            raise Refused(400, "No JSON") from None
        if not isinstance(told, dict) or not all(isinstance(told.get(key), str) for key in ("username", "password")):
            raise Refused(400, "A name and a password are wanted")
        if ACCOUNTS.get(told["username"]) != told["password"]:
            raise Refused(401, "Wrong name or password", WWW_Authenticate='Bearer realm="contract"')
        return tokens(told["username"], LIFETIMES)

    routes = {
        ("POST", "/login"): login,
        ("GET", "/profile"): lambda _, headers: {"username": bearer(headers, "access")},
        ("GET", "/dashboard"): lambda _, headers: {"greeting": f"Hello {bearer(headers, 'access')}"},
        ("POST", "/refresh"): lambda _, headers: tokens(bearer(headers, "refresh"), ["access"]),
    }
    if jwks:
        routes["GET", "/.well-known/jwks.json"] = lambda *_: jwks

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "contract", ""
        disable_nagle_algorithm = True

        def handle_any(self):
            path = self.path.partition("?")[0]
            length = self.headers.get("Content-Length", "0")
            # Python's server reads no chunked body, and what it does not read would become the next request.
            lengths = self.headers.get_all("Content-Length", [])
            odd = "Transfer-Encoding" in self.headers or len(lengths) > 1 or not (length.isascii() and length.isdigit())
            body = self.rfile.read(int(length)) if not odd and int(length) <= 1 << 20 else b""
            self.close_connection |= odd or int(length) > 1 << 20
            try:
                methods = {each for each, route in routes if route == path}
                method = "GET" if self.command == "HEAD" and "GET" in methods else self.command
                if not methods:
                    raise Refused(404, "Nothing here")
                if method not in methods:
                    raise Refused(405, "Another method", Allow=", ".join(sorted(methods)))
                status, answer, headers = 200, routes[method, path](body, self.headers), {}
            except Refused as refusal:
                status, answer, headers = refusal.status, {"msg": str(refusal)}, refusal.headers
            text = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Cache-Control", "no-store")
            for name, value in SAFE.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

        def log_message(self, *_):
            pass

    return Handler
