"""Passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial


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
