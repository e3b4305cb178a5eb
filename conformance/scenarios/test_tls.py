"""TLS: that there is nothing beside it, how it is spoken, and that browsers keep to it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conformance.scenarios import answer_headers
from conformance.scenarios.in_clear import judge_in_clear
from conformance.scenarios.replies import expect_of_all, ordinary_replies
from conformance.target import tls

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial


def test_tls_01(target: Trial) -> None:
    """Without TLS the API neither answers nor sends clients on, as if nothing had been read on the way."""
    _require_tls(target)
    port, declared = urlsplit(target.target.client.base_url).port or 443, target.profile.tls.plain_port
    # Nothing tells where else the same host listens, but a server on 443 nearly always has a neighbour.
    other = 80 if declared is None and port == 443 else declared  # noqa: PLR2004 - https
    with target.bracket(target.protected_doors[0]):
        for plain in {port, other} - {None, 0}:
            assert plain is not None
            judge_in_clear(target, plain)
    if other is None and not target.target.bundled and not target.findings:
        target.untested(
            f"http at the port {port} itself gets nothing, but where else the host is asked in clear is not known",
            give="tls.plain_port in the profile, or 0 for nowhere",
        )


def test_tls_02(target: Trial) -> None:
    """TLS 1.2 or 1.3 is agreed on with a certificate that names the host, and nothing older."""
    _require_tls(target)
    client = target.target.client
    if client.is_proxied:
        target.untested("a proxy stands between the suite and the target", give="a way to reach it directly (NO_PROXY)")
    with target.bracket(target.protected_doors[0]) as bracket:
        shown_by = [("control: the honest request", bracket.before)]
        current = tls.agree(client)
        target.expect(
            current.agreed in {"TLSv1.2", "TLSv1.3"},
            "a handshake with the current versions",
            expected="TLS 1.2 or 1.3, and a certificate that is trusted and names the host",
            observed=current.agreed or current.problem,
            shown_by=shown_by,
        )
        offered = [name for name in tls.OBSOLETE if tls.can_offer(name)]
        for name in offered:
            obsolete = tls.offer(client, name)
            target.expect(
                not obsolete.agreed,
                f"a handshake with {name} only",
                expected="none",
                observed=f"{obsolete.agreed} is agreed on",
                shown_by=shown_by,
                certain=True,
            )
    missing = [name for name in tls.OBSOLETE if name not in offered]
    if missing and not target.findings:
        target.untested(f"this machine's TLS library cannot offer {' and '.join(missing)}; run the suite elsewhere")


def test_tls_03(target: Trial) -> None:
    """Every answer tells browsers to come back over TLS only, for a year or more."""
    _require_tls(target)
    replies = ordinary_replies(target)
    expect_of_all(
        target,
        replies,
        lambda reply: (answer_headers.hsts_s(reply.exchange.response) or 0) >= answer_headers.YEAR_S,
        "Strict-Transport-Security",
        expected=f"max-age={answer_headers.YEAR_S} or more",
        flaw="none, or a shorter one, in the answer to",
    )
    if not all(answer_headers.has(reply.exchange.response, "Strict-Transport-Security", "includesubdomains")
               for reply in replies):  # fmt: skip
        target.remark("without includeSubDomains, which ASVS asks for from level 2 on")


def _require_tls(target: Trial) -> None:
    if not target.target.offers("tls"):
        target.not_applicable("the target is not served over https")
