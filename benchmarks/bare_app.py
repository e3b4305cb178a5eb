"""The reference server's routes, straight on Flask-JWT-Extended and SQLAlchemy, with their documentation at hand.

`server.py` measures the reference server against it. It hashes passwords as the reference server does, looks the token
up in a blocklist and its user in the database, and rotates refresh tokens. What it does not promise, the suite says:

    jwt-conformance run --app benchmarks.bare_app:create_app
"""

from __future__ import annotations

import os
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import Flask, Response, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_current_user,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from reference_server.settings import DEMO_ACCOUNTS


class Base(DeclarativeBase):
    """The root of the tables."""


class User(Base):
    """Somebody who may log in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class RevokedToken(Base):
    """A token that is not to be taken any more."""

    __tablename__ = "revoked_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(index=True)


def create_app() -> Flask:  # noqa: C901 - one function, as in the documentation
    """The application; its database is `DATABASE_URL`."""
    app = Flask(__name__)
    app.config["JWT_SECRET_KEY"] = os.urandom(64)
    manager = JWTManager(app)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///bare.db"))
    db = scoped_session(sessionmaker(engine))
    # As the reference server's.
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    Base.metadata.create_all(engine)
    for name, password in DEMO_ACCOUNTS:
        if db.scalar(select(User).where(User.username == name)) is None:
            db.add(User(username=name, password_hash=hasher.hash(password)))
    db.commit()
    db.remove()

    @app.teardown_appcontext
    def give_the_session_back(_error: BaseException | None) -> None:
        db.remove()

    @manager.user_lookup_loader
    def find_user(_header: dict[str, Any], claims: dict[str, Any]) -> User | None:
        return db.scalar(select(User).where(User.username == claims["sub"]))

    @manager.token_in_blocklist_loader
    def is_revoked(_header: dict[str, Any], claims: dict[str, Any]) -> bool:
        return db.scalar(select(RevokedToken.id).where(RevokedToken.jti == claims["jti"])) is not None

    @app.post("/login")
    def login() -> Response | tuple[Response, int]:
        user = db.scalar(select(User).where(User.username == request.json.get("username")))
        wrong = jsonify(msg="Wrong username or password"), 401
        if user is None:
            return wrong
        try:
            hasher.verify(user.password_hash, request.json.get("password"))
        except VerificationError:
            return wrong
        return jsonify(
            access_token=create_access_token(user.username), refresh_token=create_refresh_token(user.username)
        )

    @app.post("/refresh")
    @jwt_required(refresh=True)  # type: ignore[untyped-decorator] # the library's has no types
    def refresh() -> Response:
        db.add(RevokedToken(jti=get_jwt()["jti"]))
        db.commit()
        identity = get_jwt_identity()
        return jsonify(access_token=create_access_token(identity), refresh_token=create_refresh_token(identity))

    @app.post("/refresh-without-rotation")
    @jwt_required(refresh=True)  # type: ignore[untyped-decorator] # as above
    def refresh_without_rotation() -> Response:
        return jsonify(access_token=create_access_token(get_jwt_identity()))

    @app.get("/profile")
    @jwt_required()  # type: ignore[untyped-decorator] # as above
    def profile() -> Response:
        return jsonify(username=get_current_user().username)

    @app.post("/logout")
    @jwt_required(verify_type=False)  # type: ignore[untyped-decorator] # as above
    def logout() -> tuple[str, int]:
        db.add(RevokedToken(jti=get_jwt()["jti"]))
        db.commit()
        return "", 204

    return app
