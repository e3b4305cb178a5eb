"""Passwords that are out of the ordinary, and accounts that have them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from conformance.scenarios import people
from conformance.target.hooks import HookError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.scenarios.people import Attempt
    from conformance.scenarios.trial import Trial
    from conformance.target.session import Session

KANJI: Final = range(0x4E00, 0x5E00)
"""Characters of three bytes in UTF-8 that no normalisation changes."""

BCRYPT_BYTES: Final = 72

PUNCTUATION: Final = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

UNUSUAL: Final = (
    (
        ("64 characters, spaces and all punctuation among them", f"Wr0ng{PUNCTUATION:x<59}"),
        ("64 characters", f"{'Wr0ng-':x<64}"),
        ("spaces, quotation marks and all punctuation", f"Wr0ng{PUNCTUATION}x"),
    ),
    (("accented and Chinese letters and an emoji", "Wr0ng-crème 密码 🔑"),),
)
"""Wrong passwords with words for each; the first of a row is made of the others, which are tried if it is refused."""


def long_passwords() -> Iterator[tuple[str, str]]:
    """Passwords of more than 72 bytes, with words for each.

    The first has every border in it; the others suit servers that refuse so many characters, or such ones.
    """
    wide = "".join(chr(secrets.choice(KANJI)) for _ in range(36)) + "-Aa1"
    narrow = secrets.token_hex(38) + "-Aa1"
    yield "80 characters, half of them of three bytes", wide + narrow[:40]
    yield "40 characters, most of them of three bytes", wide
    yield "80 characters of one byte", narrow


def lookalikes(password: str) -> Iterator[tuple[str, str]]:
    """Passwords that share the first 72 bytes with this one, with words for what was changed."""
    beyond = next(index for index in range(len(password)) if len(password[:index].encode()) >= BCRYPT_BYTES)
    for words, index in (("its last character", len(password) - 1), ("the first character after 72 bytes", beyond)):
        other = "x" if password[index] != "x" else "y"
        yield words, password[:index] + other + password[index + 1 :]


def usable(trial: Trial, password: str) -> Session | None:
    """A session of a new account with that password; None where it is not made, or the login has another answer.

    Raises:
        HookError: the hook makes no account at all, whatever the password.
        UntestedError: nor does it make one that logs in.
    """
    try:
        account = trial.provisioner.create(password=password)
    except HookError:
        people.require_made_accounts(trial)
        return None
    session = people.first_login(trial, account).session
    if session is None:
        people.require_made_accounts(trial)
    return session


def unusual_login(trial: Trial) -> Attempt:
    """The first login of an account with a password of accented letters and much else; one for the whole run.

    It is shorter than what bcrypt reads, so that nobody has a reason to refuse it, and its name begins with a k.

    Raises:
        HookError: the account is not made.
    """
    memory = trial.target.memory
    if "unusual login" not in memory:
        middle = ' "it\'s" <caf\u00e9 ni\u00f1o> 猫 🔑 '
        account = trial.provisioner.create(
            username=f"kim{secrets.token_hex(5)}",
            password=f"{secrets.token_urlsafe(9)}{middle}{secrets.token_urlsafe(9)}-Aa1!",
        )
        memory["unusual login"] = people.first_login(trial, account)
    login: Attempt = memory["unusual login"]
    return login


def check_owner_gets_in(target: Trial) -> None:
    """Somebody whose password is long and unusual can log in with it, where the suite can make such an account."""
    if not target.can_provision:
        return
    try:
        exchange, session = unusual_login(target)
    except HookError as error:
        target.remark(f"an account with a long and unusual password was not made: {error}")
        return
    if session is None:
        people.require_made_accounts(target)
    target.expect(
        session,
        "the right password of an account that has a long one with accents, Chinese letters and an emoji",
        expected="a login",
        observed=f"{target.login_door.label} answered {exchange.response.status}",
        shown_by=[("the login", exchange)],
    )


def accented(trial: Trial) -> Session | None:
    """A session of an account with accented letters in its password, composed ones; None where it cannot be used."""
    try:
        session = unusual_login(trial).session
    except HookError:
        session = None
    return session or usable(trial, f"{secrets.token_urlsafe(9)}-it's-caf\u00e9-ni\u00f1o-Aa1!")
