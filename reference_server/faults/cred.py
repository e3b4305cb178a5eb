"""Faults in comparing passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.accounts import Passwords
from reference_server.faults import fault

if TYPE_CHECKING:
    from reference_server.accounts import Account


@fault(
    "password-cut-after-eight",
    "CRED-01",
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
