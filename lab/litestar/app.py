"""Litestar's JWTAuth with the logout of its documentation, which puts the token's id on a list."""

import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from litestar import Litestar, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.security.jwt import JWTAuth, Token

ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}


@dataclass
class Credentials:
    username: str
    password: str


@dataclass
class User:
    id: str
    username: str


hasher = PasswordHasher()
users = {str(uuid.uuid4()): name for name in ACCOUNTS}
password_hashes = {name: hasher.hash(password) for name, password in ACCOUNTS.items()}
blocklist: set[str] = set()


async def find_user(token: Token, _connection: ASGIConnection[Any, Any, Any, Any]) -> User | None:
    return User(token.sub, users[token.sub]) if token.sub in users else None


async def is_revoked(token: Token, _connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    return token.jti in blocklist


lifetime = os.environ.get("LAB_ACCESS_LIFETIME")
jwt_auth = JWTAuth[User](
    retrieve_user_handler=find_user,
    revoked_token_handler=is_revoked,
    token_secret=os.environ.get("LAB_SECRET") or os.urandom(32).hex(),
    exclude=["/login", "/schema"],
    **({"default_token_expiration": timedelta(seconds=int(lifetime))} if lifetime else {}),
)


@post("/login", sync_to_thread=True)
def login(data: Credentials) -> Response[User]:
    try:
        hasher.verify(password_hashes.get(data.username, password_hashes["alice"]), data.password)
    except VerifyMismatchError:
        raise NotAuthorizedException("Wrong username or password") from None
    user_id = next((key for key, name in users.items() if name == data.username), None)
    if user_id is None:
        raise NotAuthorizedException("Wrong username or password")
    # An id has to be asked for; without one there is nothing to put on the list.
    return jwt_auth.login(
        identifier=user_id, token_unique_jwt_id=uuid.uuid4().hex, response_body=User(user_id, data.username)
    )


@post("/logout")
async def logout(request: Request[User, Token, Any]) -> dict[str, str]:
    blocklist.add(request.auth.jti)
    return {"message": "Token has been revoked."}


@get("/me")
async def me(request: Request[User, Token, Any]) -> User:
    return request.user


@get("/dashboard")
async def dashboard(request: Request[User, Token, Any]) -> dict[str, Any]:
    return {"username": request.user.username, "unread": 0}


app = Litestar(route_handlers=[login, logout, me, dashboard], on_app_init=[jwt_auth.on_app_init])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
