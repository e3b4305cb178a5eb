"""Passwords, and the names that go with them."""

from __future__ import annotations

import secrets
import unicodedata
from typing import TYPE_CHECKING, Final

from conformance.scenarios import people
from conformance.scenarios.likeness import differences
from conformance.scenarios.names import check_twins, full_width, someone_like
from conformance.scenarios.passwords import UNUSUAL, accented, check_owner_gets_in, long_passwords, lookalikes, usable
from conformance.scenarios.timing import TOO_NOISY_S, compare
from conformance.target.hooks import HookError

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request

WELL_KNOWN: Final = (
    ("admin", "admin"), ("admin", "password"), ("root", "root"), ("test", "test"), ("user", "user"),
    ("user", "password"), ("guest", "guest"), ("demo", "demo"), ("johndoe", "secret"), ("user1", "abcxyz"),
)  # fmt: skip
"""Accounts of installers and tutorials, FastAPI's and Flask-JWT's among them."""

GUESSES_EACH: Final = 4


def test_cred_01(target: Trial) -> None:
    """The whole password is compared, exactly as it was sent."""
    name, right = target.account.username, target.account.password
    variants = {
        "without its last character": right[:-1],
        "with one more character": f"{right}x",
        "doubled": right + right,
        "with the case of a letter changed": _flipped(right),
    }
    # NIST SP 800-63B-4 §3.1.1.2 allows a verifier to make up for these slips of typing.
    tolerated = {
        "with a space before it": f" {right}",
        "with a space after it": f"{right} ",
        "with a tab before it and a line feed after it": f"\t{right}\n",
        "with the case of its first letter changed": right[:1].swapcase() + right[1:],
    }
    door = target.login_door
    with target.bracket(door) as login:
        for words, wrong in variants.items():
            if wrong not in {right, ""}:
                login.refuses(f"the password {words}", target.guess(name, wrong))
        for words, wrong in tolerated.items():
            if wrong == right:
                continue
            request = target.guess(name, wrong)
            if door.bought(request, target.send(request).response):
                target.remark(f"the password {words} logs in, which NIST SP 800-63B-4 allows as typing tolerance")


def _flipped(password: str) -> str:
    """The password with the case of its last letter changed, the first character left alone."""
    for index in range(len(password) - 1, 0, -1):
        if password[index].swapcase() != password[index]:
            return password[:index] + password[index].swapcase() + password[index + 1 :]
    return password


def test_cred_02(target: Trial) -> None:
    """What follows a NUL character is a part of the password."""
    name, right = target.account.username, target.account.password
    with target.bracket(target.login_door) as login:
        for words, rest in (("random text", secrets.token_hex(6)), ("the password again", right)):
            login.refuses(f"the password, NUL, and {words}", target.guess(name, f"{right}\0{rest}"), cleanly=True)


def test_cred_03(target: Trial) -> None:
    """Every character of a long password counts, also those past the 72nd byte."""
    for words, password in long_passwords():
        session = usable(target, password)
        if session is None:
            target.remark(f"a password of {words} cannot be used")
            continue
        # That the exact one has just logged in is the control of the account, and the bracket's that of the door.
        account = session.account
        with target.bracket(target.login_door) as login:
            for where, other in lookalikes(password):
                target.target.keep_secret(other, "altered password")
                login.refuses(
                    f"a password of {words} with {where} changed",
                    target.login_door.credentials(account.username, other),
                )
        return
    # Refusing what bcrypt would cut is as good as not cutting it; `usable` has seen shorter ones log in.
    target.expect(True, "passwords of more than 72 bytes", expected="", observed="")


def test_cred_04(target: Trial) -> None:
    """The login compares long and unusual passwords as it does any other."""
    name, usual = target.account.username, target.target.wrong_password()
    with target.bracket(target.login_door) as login:
        ordinary = login.refuses("an ordinary wrong password", target.guess(name, usual))

        def is_compared(words: str, password: str) -> Exchange | None:
            """The answer, where it is not the ordinary one."""
            exchange = login.refuses(f"a wrong password of {words}", target.guess(name, password))
            return None if exchange.response.status == ordinary.response.status else exchange

        for row in UNUSUAL:
            odd = {row[0][0]: is_compared(*row[0])}
            if odd[row[0][0]]:
                odd = {words: found for words, wrong in row[1:] if (found := is_compared(words, wrong))} or odd
            for words, exchange in odd.items():
                target.expect(
                    exchange is None,
                    f"a wrong password of {words}",
                    expected=f"a refusal as for any wrong password, with status {ordinary.response.status}",
                    observed=f"{login.door.label} answered {exchange.response.status}" if exchange else "",
                    shown_by=[("an ordinary wrong password", ordinary), ("the probe", exchange)],
                )
        # ASVS 5.0 V6.2.9 asks for 64 characters at least; where the bound lies beyond that is the server's choice.
        longest = is_compared("128 characters", f"{'Wr0ng-':x<128}")
        if longest:
            target.remark(f"a password of 128 characters is answered with {longest.response.status}")
        target.expect(
            longest is None or not target.crashed(longest),
            "a wrong password of 128 characters",
            expected="no server error",
            observed=f"{login.door.label} answered {longest.response.status}" if longest else "",
            shown_by=[("the probe", longest)],
        )
    check_owner_gets_in(target)


def test_cred_05(target: Trial) -> None:
    """A password logs in however the keyboard composes its accented letters."""
    session = accented(target)
    if session is None:
        target.untested("an account with accented letters in its password cannot be used (see CRED-04)")
    account, door = session.account, target.login_door
    decomposed = unicodedata.normalize("NFD", account.password)
    target.target.keep_secret(decomposed, "password")
    other = people.attempt(target, door.credentials(account.username, decomposed), account)
    target.expect(
        other.session,
        "the password with its accents as characters of their own (NFD)",
        expected="a login, as with the composed spelling",
        observed=f"{door.label} answered {other.exchange.response.status}",
        shown_by=[("control: the composed spelling (NFC)", session.login), ("the decomposed one", other.exchange)],
    )
    wide = account.password.replace("it's", full_width("it's"))
    target.target.keep_secret(wide, "password")
    if people.attempt(target, door.credentials(account.username, wide), account).session:
        target.remark("full-width letters count as ordinary ones: NFKC, as drafts of NIST SP 800-63B allowed")


def test_cred_06(target: Trial) -> None:
    """Refusals do not show which accounts exist."""
    name, wrong, door = target.account.username, target.target.wrong_password(), target.login_door
    with target.bracket(door) as login:
        known = [login.refuses("a wrong password", target.guess(name, wrong)) for _ in range(2)]
        usual = [exchange.response for exchange in known]

        def looks_the_same(case: str, *names: str) -> None:
            """Tries names until one is answered as usual: what differs by chance does so once."""
            different: dict[str, str] | None = None
            for other in names:
                exchange = login.refuses(case, door.credentials(other, wrong))
                found = differences(usual, name, exchange.response, other)
                different = {feature: words for feature, words in (different or found).items() if feature in found}
                if not different:
                    break
            target.expect(
                not different,
                case,
                expected="the answer that a wrong password for an existing account gets",
                observed="; ".join((different or {}).values()),
                shown_by=[("an account that exists", known[0]), (case, exchange)],
            )

        looks_the_same("a name that nobody has", *(someone_like(name) for _ in range(3)))
        looks_the_same("a longer name that nobody has", *(someone_like(name, longer=6) for _ in range(3)))
        if target.can_provision:
            try:
                disabled = target.provisioner.create()
                target.provisioner.disable(disabled)
            except HookError as error:
                target.remark(f"no disabled account was tried: {error}")
            else:
                looks_the_same("a disabled account, with a wrong password", *[disabled.username] * 2)


def test_cred_07(target: Trial) -> None:
    """A refusal takes equally long whether or not the account exists."""
    wrong, door = target.target.wrong_password(), target.login_door
    known: list[str] = []
    if target.can_provision:
        people.require_made_accounts(target)

    def somebody() -> Request:
        """A guess at an account that exists; at each a few only, well below the usual limits."""
        if not target.can_provision:
            return target.guess(target.account.username, wrong)
        if not known:
            known.extend([target.provisioner.create().username] * GUESSES_EACH)
        return door.credentials(known.pop(), wrong)

    def nobody() -> Request:
        return door.credentials(someone_like(target.account.username), wrong)

    def measure(backwards: bool) -> tuple[float, float]:
        requests = [somebody(), nobody()]
        times = [login.refuses("a wrong password", request).response.elapsed_s
                 for request in (reversed(requests) if backwards else requests)]  # fmt: skip
        return (times[1], times[0]) if backwards else (times[0], times[1])

    with target.bracket(door) as login:
        measure(backwards=False)  # opens what is opened once
        gap = compare(measure)
    if not gap.is_shown and gap.noise_s > TOO_NOISY_S:
        target.inconclusive(
            f"times vary too much to tell: those of the quickest quarter by {gap.noise_s * 1000:.0f} ms"
        )
    target.expect(
        not gap.is_shown,
        "the time of an answer to a wrong password",
        expected="no clear difference between an account that exists and one that does not",
        observed=f"{abs(gap.seconds) * 1000:.0f} ms {'more' if gap.seconds > 0 else 'less'} for one that exists, "
        f"{gap.share:.0%} of the slower answer (p = {gap.p:.1g})",
    )


def test_cred_08(target: Trial) -> None:
    """The accounts of installers and tutorials do not exist here."""
    given = (target.account, target.target.second_account, target.target.disposable)
    own = {account.username for account in given if account}
    _, at, domain = target.account.username.partition("@")
    with target.bracket(target.login_door) as login:
        for name, password in WELL_KNOWN:
            username = name + at + domain
            if username not in own:
                login.refuses(f"{username} with the password {password}", target.guess(username, password))


def test_cred_09(target: Trial) -> None:
    """However a name is spelled, a password opens the account that it belongs to and no other."""
    honest = people.identity_of(target, target.session()) or people.identity_of(target, target.new_session())
    if honest is None:
        target.inconclusive("an honest token does not show its owner's data")
    account, door = target.account, target.login_door
    spellings = {
        "in the other case": account.username.swapcase(),
        "with spaces around it": f" {account.username} ",
        "with a zero-width joiner in it": f"{account.username[:1]}\u200d{account.username[1:]}",
        "in full-width letters": full_width(account.username),
    }
    with target.bracket(door):
        for words, spelling in spellings.items():
            if spelling == account.username:
                continue
            exchange, session = people.attempt(target, door.credentials(spelling, account.password), account)
            who = people.identity_of(target, session) if session else honest
            target.expect(
                who == honest and not target.crashed(exchange),
                f"the account's password with its name {words}",
                expected="a refusal, or the same account",
                observed=f"the data of {who!r}" if session else f"{door.label} answered {exchange.response.status}",
                shown_by=[(f"the name {words}", exchange)],
                certain=session is not None,
            )
    if target.can_provision:
        check_twins(target)
