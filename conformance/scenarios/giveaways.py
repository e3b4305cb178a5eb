"""What answers must not give away, and where a careless server has it."""

from __future__ import annotations

import base64
import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from conformance.target.http import Request
from conformance.tokens.reading import b64url_decode, read_jwt, strings_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Response

# A refusal may be a megabyte that is made to be slow to search: no repetition that begins anywhere is without an end.
INSIDES: Final = {
    "a Python traceback": re.compile(r'Traceback \(most recent call last\)|File "[^"\n]+", line \d+'),
    "a stack trace": re.compile(
        r"^[^\S\n]*at [^\n]{0,200}(?:\([^()\n]*:\d+\)|:\d+:\d+|:line \d+)|\(\w+\.(?:java|kt|scala):\d+\)"
        r"|^#0 [^\n]*\(\d+\)",
        re.MULTILINE,
    ),
    "a debugger": re.compile(
        r"__debugger__|Werkzeug Debugger|EVALEX|Interactive Console|<code>DEBUG = True|H2 Console"
        r"|Types of profiles available"
    ),
    "a query": re.compile(r"\b(?:SELECT\b.{1,200}?\bFROM|INSERT INTO|DELETE FROM|UPDATE\b.{1,80}?\bSET)\b", re.DOTALL),
    "a path on the server": re.compile(
        r"(?:/home/|/usr/(?:local/)?lib|/var/www/|/srv/|/opt/|[A-Z]:\\)[\w./\\-]{1,300}\.(?:py|js|ts|php|rb|java|cs|go)\b"
        r"|site-packages/|node_modules/"
    ),
    "the class of an exception": re.compile(r"\b(?:[a-z_]\w{0,80}\.){1,9}[A-Z]\w{0,80}(?:Error|Exception)\b"),
}
DEBUG_PATHS: Final = ("/console", "/debug", "/_debug", "/debug/pprof/", "/actuator", "/h2-console")
TELLING_PATHS: Final = ("/openapi.json", "/metrics")
"""Public on purpose at many a server, so that they are only told."""
TELLING_ACTUATORS: Final = frozenset(
    {
        "env",
        "heapdump",
        "threaddump",
        "configprops",
        "beans",
        "loggers",
        "mappings",
        "httpexchanges",
        "httptrace",
        "shutdown",
    }
)
VERSION_HEADERS: Final = (
    "Server",
    "X-Powered-By",
    "X-Generator",
    "X-AspNet-Version",
    "X-AspNetMvc-Version",
    "X-Runtime-Version",
)
VERSION: Final = re.compile(r"/v?\d+(?:\.\d+)*(?![\w.])|\b\d+\.\d+")
PROTOCOL: Final = re.compile(r"\s*(?:\w+/)?\d(?:\.\d)?\s+")
PRODUCT: Final = re.compile(
    r"\b(?:nginx|Apache|Werkzeug|Python|gunicorn|uvicorn|Tomcat|Jetty|PHP|Express|Kestrel|IIS|OpenSSL|Node\.js|Django|Flask"
    r"|Undertow|Caddy|Puma|openresty)(?:/| v?)\d+(?:\.\d+)+"
)
PERSONAL: Final = frozenset(
    {"email", "mail", "emailaddress", "phone", "phonenumber", "mobile", "telephone", "birthdate", "birthday", "dob",
     "dateofbirth", "address", "street", "postaladdress", "givenname", "familyname", "firstname", "lastname", "surname",
     "fullname", "name", "nickname", "ip", "ipaddress", "ipaddr", "clientip", "remoteaddr", "ssn", "gender"}
)  # fmt: skip
IDENTIFIERS: Final = frozenset({"sub", "username", "preferredusername", "userid", "uid", "upn", "uniquename", "login"})
ABOUT_THE_TOKEN: Final = frozenset({"iss", "aud", "azp", "clientid", "jti", "sid", "scope", "typ", "type"})
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
E164: Final = re.compile(r"\+\d{8,15}")
_LONG_WORD: Final = re.compile(r"[\w+/-]{32,}")


def spelt_out(answer: Response) -> str:
    """An answer's headers and body as one text, with the strings of a JSON body once more without escapes."""
    headers = [f"{name}: {value}" for name, value in answer.headers]
    return "\n".join([*headers, answer.text, *strings_in(answer.json)])


def long_words(answer: Response) -> str:
    """What of it is long enough to be a signature; mostly nothing, in which that is quickly not found."""
    return "\n".join(_LONG_WORD.findall(spelt_out(answer)))


def insides(answer: Response) -> list[str]:
    """What an answer shows of the server's inside, in words."""
    text = spelt_out(answer)
    found = [what for what, pattern in INSIDES.items() if pattern.search(text)]
    links = answer.json.get("_links") if isinstance(answer.json, dict) else None
    if answer.is_success and isinstance(links, dict) and (open_ones := TELLING_ACTUATORS & set(links)):
        found.append(f"the way to {', '.join(sorted(open_ones))}")
    return found


def signatures(tokens: Collection[str]) -> set[str]:
    """The signatures of those tokens that are JWTs, as base64url, base64 and hexadecimal digits."""
    found = set()
    for parts in filter(None, map(read_jwt, tokens)):
        with suppress(ValueError):
            raw = b64url_decode(parts.segments[2])
            found |= {parts.segments[2], base64.b64encode(raw).decode().rstrip("="), raw.hex()} if raw else set()
    return found


def provoke(target: Trial) -> Iterator[tuple[str, Exchange]]:
    """Sends what a careless server answers with more than it should, and yields every refusal of the run."""
    login, shared = target.login_route, target.session()
    door = target.protected_routes[0]
    requests = [
        login.raw(b"{"),
        login.credentials({}, []),
        Request("PUT", login.path),
        Request("GET", "/nothing-at-all/%ff"),
        door.present("garbage", shared),
    ]
    for each in (door, *target.refresh_routes):
        if parts := shared.token(each.wants).jwt:
            head, payload, signature = parts.segments
            middle = len(signature) // 2
            other = "A" if signature[middle : middle + 1] != "A" else "B"
            altered = f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}"
            target.target.keep_secret(altered)
            requests.append(each.present(altered, shared))
    for request in requests:
        target.send(request)
    for exchange in target.target.client.refusals:
        yield f"{exchange.request.method} {exchange.request.path.partition('?')[0]}", exchange
    for path in DEBUG_PATHS:
        yield f"GET {path}", target.send(Request("GET", path))
    for path in TELLING_PATHS:
        answer = target.send(Request("GET", path)).response
        if answer.is_success and (path in answer.text or "openapi" in answer.text[:200] or "# HELP" in answer.text):
            target.remark(f"{path} is open to all")


def versions(answer: Response) -> Iterator[str]:
    """Where an answer tells the version of a component."""
    for name in VERSION_HEADERS:
        for value in answer.all_headers(name):
            if VERSION.search(value) or (name.endswith("-Version") and any(map(str.isdigit, value))):
                yield f"{name}: {value}"
    for value in answer.all_headers("Via"):
        # Each proxy names the protocol's version first (RFC 9110 §7.6.3).
        if any(VERSION.search(PROTOCOL.sub("", part, count=1)) for part in value.split(",")):
            yield f"Via: {value}"
    if not answer.is_success and (found := PRODUCT.search(answer.text)):
        yield f"{found[0]} in the body"


def cache_control(answer: Response) -> dict[str, str]:
    """The directives of Cache-Control, in lower case, with their arguments."""
    parts = ",".join(answer.all_headers("Cache-Control")).split(",")
    pairs = (part.strip().lower().partition("=") for part in parts if part.strip())
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def cacheable(answer: Response) -> str:
    """Why a personal answer may be left in a cache, in words; an empty string where it may not."""
    directives = cache_control(answer)
    if "no-store" in directives:
        return ""
    if not directives:
        return "no Cache-Control"
    # RFC 9111 §3.5: these allow a shared cache to keep what was sent for an Authorization.
    shared = {"public", "s-maxage", "must-revalidate"} & set(directives)
    if shared and "private" not in directives:
        return f"Cache-Control with {', '.join(sorted(shared))}"
    if directives.get("max-age", "0").lstrip("0"):
        return f"Cache-Control with max-age={directives['max-age']}"
    return "" if {"private", "no-cache"} & set(directives) else "Cache-Control without no-store"


def personal(claims: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    """Claims that hold personal data, also within objects, other than what is `known` to identify the user."""
    for claim, value in claims.items():
        name = re.sub(r"[^a-z0-9]", "", claim.rpartition("/")[2].lower())
        if name in IDENTIFIERS | ABOUT_THE_TOKEN:
            continue
        texts = [text for text in strings_in(value) if text and text not in known]
        number = isinstance(value, int) and not isinstance(value, bool)
        if name in PERSONAL and (texts or number):
            yield claim
        elif isinstance(value, dict):
            yield from (f"{claim}.{inner}" for inner in personal(value, known))
        elif any(EMAIL.fullmatch(text) or E164.fullmatch(text) or _is_address(text) for text in texts):
            yield claim


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
