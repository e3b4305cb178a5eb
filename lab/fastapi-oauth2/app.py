"""The login of FastAPI's security tutorial: a password form for a signed access token."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from jwt.exceptions import InvalidTokenError
from pwdlib import PasswordHash
from pydantic import BaseModel

SECRET_KEY = os.environ.get("LAB_SECRET") or os.urandom(32).hex()
ALGORITHM = "HS256"
ACCESS_LIFETIME = timedelta(seconds=int(os.environ.get("LAB_ACCESS_LIFETIME") or 30 * 60))

password_hash = PasswordHash.recommended()
# What a login as nobody is compared with, so that it takes as long as any other
DUMMY_HASH = password_hash.hash("nobody's password")
ACCOUNTS = {"alice": "tea-with-the-hatter-71", "bob": "builds-a-bridge-by-noon-28"}


class Token(BaseModel):
    access_token: str
    token_type: str


class User(BaseModel):
    username: str
    email: str | None = None
    full_name: str | None = None
    disabled: bool | None = None


class StoredUser(User):
    hashed_password: str


users = {
    name: StoredUser(
        username=name,
        email=f"{name}@example.com",
        full_name=name.capitalize(),
        disabled=False,
        hashed_password=password_hash.hash(password),
    )
    for name, password in ACCOUNTS.items()
}
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


def authenticate(username: str, password: str):
    user = users.get(username)
    matches = password_hash.verify(password, user.hashed_password if user else DUMMY_HASH)
    return user if user and matches else None


async def get_current_user(token: Annotated[str, Depends(oauth2_scheme)]):
    unauthorised = HTTPException(
        status_code=status.HTTP_401_UNAUTHORIZED,
        detail="Could not validate credentials",
        headers={"WWW-Authenticate": "Bearer"},
    )
    try:
        username = jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM]).get("sub")
    except InvalidTokenError:
        raise unauthorised from None
    if username not in users:
        raise unauthorised
    return users[username]


async def get_current_active_user(user: Annotated[User, Depends(get_current_user)]):
    if user.disabled:
        raise HTTPException(status_code=status.HTTP_400_BAD_REQUEST, detail="Inactive user")
    return user


@app.post("/token")
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
    user = authenticate(form.username, form.password)
    if not user:
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Incorrect username or password",
            headers={"WWW-Authenticate": "Bearer"},
        )
    claims = {"sub": user.username, "exp": datetime.now(UTC) + ACCESS_LIFETIME}
    return Token(access_token=jwt.encode(claims, SECRET_KEY, algorithm=ALGORITHM), token_type="bearer")  # noqa: S106 - a kind


@app.get("/users/me/")
async def read_me(user: Annotated[User, Depends(get_current_active_user)]) -> User:
    return user


@app.get("/users/me/items/")
async def read_my_items(user: Annotated[User, Depends(get_current_active_user)]):
    return [{"item_id": "Foo", "owner": user.username}]


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
