"""Handshakes with the target, to see which versions of TLS it speaks and whether its certificate is good."""

from __future__ import annotations

import socket
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance.errors import TargetError
from conformance.target.http import CONNECT_TIMEOUT_S

if TYPE_CHECKING:
    from conformance.target.http import HttpClient

OBSOLETE: Final = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
"""RFC 8996 has put an end to them."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """How an attempt ended.

    Attributes:
        agreed: the version that both sides speak, as OpenSSL names it; empty where there was no agreement.
        problem: why not.
    """

    agreed: str = ""
    problem: str = ""


def can_offer(name: str) -> bool:
    """Whether this machine's TLS library says anything when it may only speak that obsolete version."""
    outgoing = ssl.MemoryBIO()
    try:
        side = _only(name).wrap_bio(ssl.MemoryBIO(), outgoing)
        side.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.pending > 0
    except (ssl.SSLError, ValueError):
        pass
    return False


def offer(client: HttpClient, name: str) -> Handshake:
    """Offers the target one obsolete version and nothing else. No application data is sent.

    Raises:
        TargetError: it could not be seen how the target takes that.
    """
    return _shake(client, _only(name))


def agree(client: HttpClient) -> Handshake:
    """Shakes hands as a careful client does: current versions, and a certificate that is trusted and names the host.

    Raises:
        TargetError: it could not be seen how the target takes that.
    """
    return _shake(client, trusting(client))


def trusting(client: HttpClient) -> ssl.SSLContext:
    """The settings of a careful client, which trusts whom the suite's own trusts."""
    trusted = client.trusted
    if Path(trusted).is_dir():
        return ssl.create_default_context(capath=trusted)
    return ssl.create_default_context(cafile=trusted)


def _only(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Who the target is was shown before; here it is about the version alone.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # OpenSSL 3 leaves the old versions out of its usual level, as they need SHA-1.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = OBSOLETE[name]
    return context


def _shake(client: HttpClient, context: ssl.SSLContext) -> Handshake:
    parts = urlsplit(client.base_url)
    host = parts.hostname or ""
    client.pacing.take_allowed_turn()
    client.traffic.requests += 1
    try:
        with socket.create_connection((host, parts.port or 443), timeout=CONNECT_TIMEOUT_S) as connection:
            try:
                with context.wrap_socket(connection, server_hostname=host) as secured:
                    return Handshake(agreed=secured.version() or "")
            except TimeoutError:
                raise
            except OSError as error:
                # An alert, or a connection that is simply closed: both say no.
                reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
                return Handshake(problem=str(reason))
    except OSError as error:
        raise TargetError(f"no handshake with {parts.netloc}: {type(error).__name__}") from None
