"""Why no answer came, from a client library's exception to words for the user."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from conformance.errors import ConfigurationError, HungUpError, TargetError

_CAUSES: Final[tuple[tuple[tuple[str, ...], type[ConfigurationError | TargetError], str, str], ...]] = (
    (
        ("CERTIFICATE_VERIFY",),
        ConfigurationError,
        "{host} presents a certificate that is not trusted{why}",
        "name the authority that signed it in SSL_CERT_FILE; verification cannot be switched off",
    ),
    (
        ("CA certificate bundle", "NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE"),
        ConfigurationError,
        "the file of trusted authorities is not there, or holds no certificate in PEM",
        "it is named by SSL_CERT_FILE, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE",
    ),
    (("SSLError", "[SSL"), ConfigurationError, "no TLS connection to {host}", "is it https? Try the URL with http://"),
    (("ConnectTimeout",), TargetError, "no connection to {host} within {connect:g} s", "is a firewall in between?"),
    (("Timeout", "timed out"), TargetError, "{url} did not answer within {limit:g} s", ""),
    (("InvalidURL", "LocationParseError"), ConfigurationError, "{url} names no host that could be looked up", ""),
    (
        ("NameResolutionError", "getaddrinfo"),
        TargetError,
        "the host name of {url} cannot be resolved",
        "check the spelling of the host",
    ),
    (("ProxyError",), TargetError, "the proxy of HTTP_PROXY or HTTPS_PROXY does not let the request through", ""),
    (
        ("Connection refused", "NewConnectionError"),
        TargetError,
        "{host} refuses connections",
        "is the server running, and on this port?",
    ),
    (("IncompleteRead",), TargetError, "{host} broke off in the middle of an answer", ""),
    (("LineTooLong", "got more than"), TargetError, "the headers of an answer from {host} are too long", ""),
    # What requests says of a header that it was to send.
    (
        ("reserved character(s)",),
        TargetError,
        "{host} gives out a token, or what goes with it, that no header can carry: it holds a line break",
        "RFC 6750 §2.1 lists the characters of a token",
    ),
    (
        ("BadStatusLine", "HeaderParsing", "InvalidChunk", "InvalidHeader", "DecodeError"),
        TargetError,
        "{host} does not answer in well-formed HTTP",
        "is another protocol spoken on this port?",
    ),
    (
        ("Connection aborted", "RemoteDisconnected", "reset"),
        HungUpError,
        "{host} closed the connection without an answer",
        "",
    ),
)
"""What a client library's exception tells by its name or text, and the words for the user."""


def explain(
    error: Exception, base_url: str, *, connect_timeout_s: float, answer_timeout_s: float
) -> ConfigurationError | TargetError:
    """The user's words for why no answer came."""
    text = f"{type(error).__name__}: {error}"
    words = {
        "host": urlsplit(base_url).netloc,
        "url": base_url,
        "limit": answer_timeout_s,
        "connect": connect_timeout_s,
        "why": ": " + found[1].strip() if (found := re.search(r"verify failed: ([^()]+)", text)) else "",
    }
    for signs, kind, message, hint in _CAUSES:
        if any(sign in text for sign in signs):
            return kind(message.format(**words), hint)
    return TargetError(f"no answer from {base_url} ({type(error).__name__})")
