"""The Authorization header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

BROKEN_FORMS: Final = (
    "Bearer={}",
    "Bearer:{}",
    "Bearer{}",
    "Bearer {0} {0}",
    "Bearer {},",
    'Bearer "{}"',
    "Bearer <{}>",
)


def test_bearer_06(target: Trial) -> None:
    """An Authorization header without a usable Bearer token is refused cleanly."""
    if target.profile.transport != "bearer":
        target.not_applicable("tokens do not travel in the Authorization header")
    for door in target.protected_doors:
        with target.bracket(door) as bracket:
            for value in ("", "Bearer", "Bearer ", "Bearer ,"):
                bracket.refuses(f"{door.label} with {value!r}", bracket.header("Authorization", value), cleanly=True)
            for form in BROKEN_FORMS:
                bracket.refuses(
                    f"{door.label} with {form.format('garbage')!r}",
                    bracket.header("Authorization", form.format("garbage")),
                    cleanly=True,
                )
                # A tolerant parser that digs a valid token out of a broken form gives nobody what they lack;
                # RFC 6750 §3.1 only recommends a 400. A crash is what matters.
                exchange = target.send(bracket.header("Authorization", form.format(bracket.session.access.value)))
                target.expect(
                    exchange.response.status < 500,  # noqa: PLR2004 - the first server error
                    f"{door.label} with a valid token in the form {form.format('T')!r}",
                    expected="no server error",
                    observed=f"{door.label} answered {exchange.response.status}",
                    shown_by=[("probe", exchange)],
                )
                if door.bought(exchange.request, exchange.response):
                    target.remark(f"a valid token is found even in {form.format('T')!r}")
