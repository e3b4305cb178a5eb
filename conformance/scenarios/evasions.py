"""Ways to write a login differently, in the hope that a limit takes it for somebody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance.scenarios.siege import right

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.siege import Siege
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Request

    Disguise = Callable[[Request], Request]

SOMEWHERE: Final = "198.51.100.7"
"""An address for documentation (RFC 5737)."""

SENDER_HEADERS: Final = (
    ("X-Forwarded-For", SOMEWHERE), ("X-Real-IP", SOMEWHERE), ("Forwarded", f"for={SOMEWHERE}"),
    ("True-Client-IP", SOMEWHERE), ("CF-Connecting-IP", SOMEWHERE), ("X-Client-IP", SOMEWHERE),
    ("User-Agent", "another/1.0"),
)  # fmt: skip


def with_headers(*headers: tuple[str, str]) -> Disguise:
    """The request with further headers."""
    return lambda request: replace(request, headers=(*request.headers, *headers))


def with_path(path: str) -> Disguise:
    """The request at another path."""
    return lambda request: replace(request, path=path)


def with_name(target: Trial, siege: Siege, name: str) -> Disguise:
    """The login, with the right password or a wrong one as it was, under another spelling of the name."""
    honest = right(target, siege.account)
    other = target.login_door.credentials(name, siege.account.password)
    wrong = target.login_door.credentials(name, target.target.wrong_password())
    return lambda request: other if request == honest else wrong
