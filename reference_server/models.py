"""The tables. Times are whole seconds since the epoch, as in a JWT (RFC 7519 §2, NumericDate)."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The root of the tables."""


class AccountRow(Base):
    """Somebody who may log in. Tokens name `id`, so a new account never inherits an old one's tokens."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))


class SessionRow(Base):
    """One login and all tokens that come from it. It ends once, early or at `expires_at`.

    `client_id` names the OAuth client that the tokens were issued to, where there is one.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(AccountRow.id, ondelete="CASCADE"), index=True)
    client_id: Mapped[str | None] = mapped_column(String(255))
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)


class RefreshTokenRow(Base):
    """One refresh token under rotation. Spent rows stay until the session expires, to recognise reuse."""

    __tablename__ = "refresh_tokens"

    jti: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey(SessionRow.id, ondelete="CASCADE"), index=True)
    spent_at: Mapped[int | None] = mapped_column(BigInteger)


class SigningKeyRow(Base):
    """A key that tokens are signed with from one moment on, and verify with until another, or without end as yet.

    `sealed` is the secret or private key, encrypted; `kid` is its name in a token's header, where it has one.
    """

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kid: Mapped[str | None] = mapped_column(String(64), unique=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[str] = mapped_column(Text)
    signs_from: Mapped[int] = mapped_column(BigInteger)
    verifies_until: Mapped[int | None] = mapped_column(BigInteger)
