"""Names that nobody has, and names that look like somebody's."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from conformance.scenarios import people
from conformance.scenarios.passwords import unusual_login
from conformance.target.hooks import HookError
from conformance.target.session import Account

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial


def someone_like(username: str, *, longer: int = 0) -> str:
    """A random name with a letter for each letter and a digit for each digit, so that no rule on names refuses it.

    What follows an @ is kept, and `longer` more letters are put in front.
    """
    local, at, domain = username.partition("@")
    made = "".join(_like(character) for character in local)
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(longer)) + made + at + domain


def _like(character: str) -> str:
    if character.isdigit():
        return secrets.choice(string.digits)
    if not character.isalpha():
        return character
    return secrets.choice(string.ascii_uppercase if character.isupper() else string.ascii_lowercase)


def _logs_in(target: Trial, account: Account) -> bool:
    request = target.login_door.credentials(account.username, account.password)
    return people.attempt(target, request, account).session is not None


def full_width(text: str) -> str:
    """ASCII in the full-width forms that compatibility normalisation takes for it."""
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


def check_twins(target: Trial) -> None:
    """An account whose name differs from another's by its spelling only is another account, or is not made at all."""
    try:
        made = unusual_login(target).session
    except HookError:
        made = None
    first = made or people.enrol(target, username=f"kim{secrets.token_hex(5)}")
    name = first.account.username
    owner = people.identity_of(target, target.session(first.account))
    if owner is None:
        target.inconclusive("an honest token does not show its owner's data")
    # The Kelvin sign's lower case is k; compatibility normalisation makes full-width letters ordinary ones.
    for words, twin_name in (
        ("in capitals", f"\u212a{name[1:].upper()}"),
        ("in full-width letters", full_width(name)),
    ):
        try:
            twin = target.provisioner.create(username=twin_name)
        except HookError:
            target.remark(f"no second account is made of a name {words}")
            continue
        for whose, password in (("its own", twin.password), ("the first account's", first.account.password)):
            request = target.login_door.credentials(twin_name, password)
            exchange, session = people.attempt(target, request, twin)
            who = people.identity_of(target, session) if session else None
            right = who != owner if password == twin.password else who in {None, owner}
            if not right and people.identity_of(target, target.session()) == owner:
                target.remark("spellings cannot be told apart where everybody is shown the same data (see ACCESS-04)")
                return
            if not right and _logs_in(target, Account(twin_name, target.account.password)):
                target.remark("a name opens its account with anybody's password (see LOGIN-03)")
                return
            if not right and not _logs_in(target, first.account):
                target.remark(f"asked for a name {words}, the hook provision changed the first account's password")
                break
            target.expect(
                right,
                f"a second account with the first one's name {words}, and {whose} password",
                expected="a refusal, or the account that the password belongs to",
                observed=f"the data of {who!r}",
                shown_by=[("the first account's login", first.login), ("the second account's", exchange)],
                certain=session is not None,
            )
