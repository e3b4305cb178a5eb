"""Faults in comparing passwords."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, current_app, g
from marshmallow import ValidationError, fields, validate
from sqlalchemy import select
from werkzeug.exceptions import BadRequest

from reference_server.accounts import DISABLED, Account, Accounts, Passwords
from reference_server.app import services_of
from reference_server.credentials import LONGEST_PASSWORD, LoginRequest, LoginSchema, RequestReader
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.models import AccountRow

if TYPE_CHECKING:
    from flask import Request

    from reference_server.database import Database


@fault(
    "password-cut-after-eight",
    "CRED-01",
    "CRED-03",
    seen="the traditional DES-based crypt(3) of Unix uses the first eight characters of a password only",
)
class CutPassword(Passwords):
    """Compares the first eight characters of passwords."""

    def hash(self, password: str) -> str:
        """Hash what is compared later."""
        return super().hash(password[:8])

    def matches(self, account: Account | None, password: str) -> bool:
        """Compare that much."""
        return super().matches(account, password[:8])


@fault(
    "password-in-any-case",
    "CRED-01",
    seen="HGustavs/LenaSYS issue 111; so do databases whose default collation ignores case, such as MySQL's",
)
class FoldedPassword(Passwords):
    """Compares passwords without regard to case."""

    def hash(self, password: str) -> str:
        """Hash what is compared later."""
        return super().hash(password.casefold())

    def matches(self, account: Account | None, password: str) -> bool:
        """Compare it folded."""
        return super().matches(account, password.casefold())


@fault(
    "password-prefix-is-enough",
    "CRED-01",
    seen="common where a comparison stops at the end of the shorter text, as zip and strncmp do",
)
class PrefixPassword(Passwords):
    """Accepts a password that goes on after the right one."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Try the whole, all but the last character, and the first half, which catches a doubled one."""
        right = super().matches(account, password)
        for length in (len(password) - 1, len(password) // 2):
            right = super().matches(account, password[:length]) or right
        return right


class _SchemaOfAnyText(LoginSchema):
    """The login body with a password of any characters."""

    password = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_PASSWORD))


class AnyText(RequestReader):
    """Lets every character through in a password, NUL and halves of surrogate pairs included."""

    def login(self, request: Request) -> LoginRequest:
        """Check all else."""
        try:
            return LoginRequest(**_SchemaOfAnyText().load(self.json_body(request)))
        except ValidationError:
            return super().login(request)


@fault(
    "password-ends-at-nul",
    "CRED-02",
    seen="bcrypt-ruby/bcrypt-ruby pull request 168: what follows a NUL byte was no part of the hash",
    also=(AnyText,),
)
class TerminatedPassword(Passwords):
    """Hashes passwords up to the first NUL, as functions for C strings do."""

    def prepared(self, password: str) -> str:
        """What a C string holds."""
        return super().prepared(password).partition("\0")[0].encode("utf-8", "replace").decode()


@fault(
    "nul-in-password-crashes",
    "CRED-02",
    seen="pyca/bcrypt pull request 38: up to version 3 a NUL byte raised ValueError, which few logins caught",
    also=(AnyText,),
)
class NulCrashes(Passwords):
    """Fails with a server error where a password holds a NUL."""

    def prepared(self, password: str) -> str:
        """Raise what bcrypt raised."""
        if "\0" in password:
            raise ValueError("password may not contain NUL bytes")
        return super().prepared(password).encode("utf-8", "replace").decode()


@fault(
    "password-cut-after-72-bytes",
    "CRED-03",
    seen="CVE-2025-22228: Spring Security's BCryptPasswordEncoder matched whatever shared the first 72 characters",
)
class BcryptPassword(Passwords):
    """Hashes the first 72 bytes of a password, as bcrypt does."""

    def prepared(self, password: str) -> str:
        """What bcrypt reads."""
        return super().prepared(password).encode()[:72].decode("utf-8", "ignore")


@fault(
    "password-cut-in-the-column",
    "CRED-03",
    seen="common where a password passes a bounded column or form field, which cuts it silently, before it is hashed",
)
class ColumnPassword(Passwords):
    """Hashes the first 64 characters of a password."""

    def prepared(self, password: str) -> str:
        """What is left of it."""
        return super().prepared(password)[:64]


class _PickyLogin(RequestReader):
    """Refuses some passwords at the login before they are compared."""

    refused: re.Pattern[str]

    def login(self, request: Request) -> LoginRequest:
        """Refuse what the pattern matches."""
        credentials = super().login(request)
        if self.refused.search(credentials.password):
            raise BadRequest("password: at most 40 characters, letters, digits and common signs only")
        return credentials


@fault(
    "login-refuses-long-passwords",
    "CRED-04",
    seen="crowi/crowi issue 77: registration took passwords of any length, and the login at most 40 characters",
)
class LoginWithBound(_PickyLogin):
    """Refuses passwords of more than 40 characters at the login, though accounts may have them."""

    refused = re.compile(r"^.{41,}$", re.DOTALL)


@fault(
    "login-refuses-emoji",
    "CRED-04",
    seen="common where every text is checked against what MySQL's utf8 holds, which has no characters of four bytes",
)
class ThreeByteLogin(_PickyLogin):
    """Refuses passwords with an emoji at the login."""

    refused = re.compile(r"[\U00010000-\U0010ffff]")


@fault(
    "accents-as-they-were-typed",
    "CRED-05",
    seen="matrix-org/synapse issue 3306: passwords were hashed as they came, composed or decomposed",
)
class RawPassword(Passwords):
    """Hashes the code points that came, so that an accent of its own is another password."""

    def prepared(self, password: str) -> str:
        """Leave it alone."""
        return password


@fault(
    "one-spelling-of-accents-refused",
    "CRED-05",
    seen="common where a password is normalised when it is set, and not when it is compared",
)
class NormalisedOnce(Passwords):
    """Hashes passwords decomposed, and compares them as they were typed where they have accents."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Compare what is not decomposed already as a password of its own."""
        decomposed = unicodedata.is_normalized("NFD", password)
        return super().matches(account, password if not decomposed or password.isascii() else f"{password}\u200c")


class _TellingRefusal(ErrorPresenter):
    """Looks the account up again, to be helpful."""

    def tried(self) -> Account | None:
        """Whose password was wrong."""
        return services_of(current_app).accounts.by_name(g.login_name)


@fault(
    "unknown-user-is-told",
    "CRED-06",
    seen="common where the login reports each step that failed: OWASP WSTG-IDNT-04 has this very message",
)
class UnknownUserIsTold(_TellingRefusal):
    """Says in the message that there is no such user."""

    def bad_login(self) -> Response:
        """Say what is wrong."""
        if self.tried() is None:
            return self._unauthorized("invalid_grant", "There is no such user", challenge="Bearer")
        return super().bad_login()


@fault(
    "unknown-user-is-404",
    "CRED-06",
    # A password that is blank is a wrong one here.
    "INPUT-01",
    seen="common where the account is fetched with get_or_404 or findOneOrFail",
)
class UnknownUserIsNotFound(_TellingRefusal):
    """Answers 404 where there is no such user, with the usual message."""

    def bad_login(self) -> Response:
        """Change the status."""
        response = super().bad_login()
        if self.tried() is None:
            response.status_code = HTTPStatus.NOT_FOUND
        return response


@fault(
    "disabled-account-is-told",
    "CRED-06",
    seen="common where the account's state is checked before its password, as Spring Security's pre-checks do",
)
class DisabledAccountIsTold(_TellingRefusal):
    """Says that an account is disabled to whoever tries any password."""

    def bad_login(self) -> Response:
        """Say so."""
        account = self.tried()
        if account and account.password_hash == DISABLED:
            return self.render(HTTPStatus.FORBIDDEN, "account_disabled", "This account is disabled")
        return super().bad_login()


@fault(
    "no-hash-for-unknown-users",
    "CRED-07",
    seen="authelia/authelia issue 949: the file backend hashed passwords for names that it knew only",
    password_memory=19 * 1024,
)
class HashesForSome(Passwords):
    """Compares no password where there is no account, and so answers sooner."""

    def matches(self, account: Account | None, password: str) -> bool:
        """Return at once without an account."""
        return account is not None and super().matches(account, password)


@fault(
    "admin-with-password-admin",
    "CRED-08",
    seen="CWE-1392; RabbitMQ's guest/guest and Grafana's admin/admin are the best known",
)
class SeededAccount(Accounts):
    """Comes with an administrator whose password is admin."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        """Make the account at start."""
        super().__init__(database, passwords)
        self.put("admin", "admin")


@fault(
    "twin-name-opens-older-account",
    "CRED-09",
    seen="Spotify, 2013: names were made canonical at one place and not at another, so a twin took over an account",
)
class FoldedLookUp(Accounts):
    """Compares the password with the exact name's, and then opens the oldest account of that name in any case."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        """Keep the database at hand."""
        super().__init__(database, passwords)
        self.database = database

    def by_name(self, name: str) -> Account | None:
        """The password of one and the rest of another."""
        account = super().by_name(name)
        if account is None or name == name.casefold():
            return account
        with self.database.transaction() as session:
            older = session.scalar(select(AccountRow).where(AccountRow.name == name.casefold()))
        return replace(account, id=older.id, name=older.name) if older else account


@fault(
    "invisible-character-in-name-crashes",
    "CRED-09",
    seen="common where names go through SASLprep or nodeprep, which raise UnicodeError for what they prohibit",
)
class PreparedName(Accounts):
    """Fails with a server error where a name holds an invisible character."""

    def by_name(self, name: str) -> Account | None:
        """Prepare the name first."""
        if any(unicodedata.category(character) == "Cf" for character in name):
            raise UnicodeError("prohibited character")
        return super().by_name(name)
