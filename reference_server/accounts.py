"""Who may log in, and how a password is checked."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from reference_server.models import AccountRow, SessionRow

if TYPE_CHECKING:
    from reference_server.database import Database


_ACCOUNT = select(AccountRow.id, AccountRow.name, AccountRow.password_hash)
_BY_ID = _ACCOUNT.where(AccountRow.id == bindparam("id"))
_BY_NAME = _ACCOUNT.where(AccountRow.name == bindparam("name"))

# No hash at all, so no password fits.
DISABLED = "!"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in, as the database holds it."""

    id: str
    name: str
    password_hash: str = field(repr=False)


class Passwords:
    """Salted hashes of passwords, by Argon2id with two passes and one lane."""

    def __init__(self, memory_kib: int) -> None:
        """Prepare the hasher, and a hash for accounts that do not exist."""
        self._hasher = PasswordHasher(time_cost=2, memory_cost=memory_kib, parallelism=1)
        self._nobody = self._hasher.hash(uuid.uuid4().hex)

    def hash(self, password: str) -> str:
        """The salted hash to keep in place of `password`."""
        return self._hasher.hash(self.prepared(password))

    def prepared(self, password: str) -> str:
        """The password as it is hashed: one spelling of what is canonically the same, and otherwise as it came.

        Keyboards differ in how they send an accented letter (NIST SP 800-63B-4 §3.1.1.2, RFC 8265 §4.2.2).
        """
        return unicodedata.normalize("NFC", password)

    def matches(self, account: Account | None, password: str) -> bool:
        """Whether `password`, every character of it, is this account's.

        Without an account, or with a disabled one, the same work is done in vain, so that it takes equally long.
        """
        usable = account is not None and account.password_hash != DISABLED
        try:
            hashed = account.password_hash if account and usable else self._nobody
            right = self._hasher.verify(hashed, self.prepared(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and usable


class Accounts:
    """The accounts that exist. Names are compared exactly, character by character."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        """Look accounts up in `database`, and hash their passwords with `passwords`."""
        self._database = database
        self._passwords = passwords

    def put(self, name: str, password: str) -> Account:
        """The account of that name, with that password; a change of password ends its sessions."""
        account = self.by_name(name)
        if account is not None and self._passwords.matches(account, password):
            return account
        hashed = self._passwords.hash(password)
        try:
            with self._database.transaction() as session:
                row = session.scalar(select(AccountRow).where(AccountRow.name == name))
                if row is None:
                    row = AccountRow(id=str(uuid.uuid4()), name=name, password_hash=hashed)
                    session.add(row)
                else:
                    row.password_hash = hashed
                    session.execute(delete(SessionRow).where(SessionRow.account_id == row.id))
        except IntegrityError:
            # Another worker that starts at the same moment was first.
            return self.put(name, password)
        return Account(row.id, row.name, row.password_hash)

    def disable(self, name: str) -> None:
        """Forbid the account of that name to log in, and end every session it has."""
        with self._database.transaction() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.name == name))
            if row is not None:
                row.password_hash = DISABLED
                session.execute(delete(SessionRow).where(SessionRow.account_id == row.id))

    def remove(self, name: str) -> None:
        """Delete the account of that name, and with it every session it has."""
        with self._database.transaction() as session:
            session.execute(delete(AccountRow).where(AccountRow.name == name))

    def by_name(self, name: str) -> Account | None:
        """The account of that name, if there is one."""
        row = self._database.first(_BY_NAME, name=name)
        return Account(*row) if row else None

    def by_id(self, account_id: str) -> Account | None:
        """The account that a token's `sub` names, if it still exists."""
        row = self._database.first(_BY_ID, id=account_id)
        return Account(*row) if row else None
