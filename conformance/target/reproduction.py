"""A finding as a shell script: log in, keep the tokens, and send step by step what was sent."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from conformance.inert import one_line
from conformance.target.evidence import curl
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.target.http import Exchange
    from conformance.target.places import Place
    from conformance.target.target import Target

_VARIABLE: Final = re.compile(r'"\$(\w+)"')
_WHAT: Final = {"FORGED_TOKEN": "the token that its step describes; the evidence shows it without its signature"}


def script(target: Target, steps: Sequence[tuple[str, Exchange]]) -> str:
    """What repeats these exchanges in bash, with curl and, where the login's answer is JSON, jq.

    Args:
        target: where they were sent.
        steps: each with its note, in order.
    """
    lines: list[str] = []
    for note, exchange in steps:
        command = curl(target.client.base_url, exchange.request, target.honest_values, target.redactor)
        lines += ["", f"# {one_line(target.redactor.text(note))}", command]
    wanted = set(_VARIABLE.findall("\n".join(lines)))
    login = list(_login(target, wanted))
    assigned = {line.partition("=")[0] for line in login}
    unknown = sorted(set(_VARIABLE.findall("\n".join([*login, *lines]))) - assigned)
    needs = [f': "${{{name}:?{_WHAT.get(name, "set it first")}}}"' for name in unknown]
    return "\n".join(["#!/usr/bin/env bash", *needs, *login, *lines]) + "\n"


def _login(target: Target, wanted: set[str]) -> Iterator[str]:
    """The login, where a step needs a token of its, and where each token is in its answer."""
    places = {f"{kind.upper()}_TOKEN": target.profile.found_in(target.profile.login, kind) for kind in Kind}
    if target.last_login is None or not wanted & places.keys():
        return
    command = curl(target.client.base_url, target.last_login.request, target.honest_values, target.redactor)
    yield ""
    yield "# Log in"
    yield f"login=$({command.replace('curl -i', 'curl --silent -i', 1)})"
    for name, place in places.items():
        if name in wanted and (taken := extraction(place)):
            yield f"{name}=$({taken})"


def extraction(place: Place) -> str:
    """What reads a value from the login's answer, headers included; empty where that is not said in a line."""
    scheme = f"{re.escape(place.scheme)}  *" if place.scheme and not place.scheme.endswith("%20") else place.scheme
    match place.where:
        case "body":
            path = "".join(f"[{part}]" if part.isdecimal() else f'["{part}"]' for part in place.name.split("."))
            return f"""sed '1,/^\\r*$/d' <<<"$login" | jq -r {shlex.quote(f".{path}")}"""
        case "cookie":
            line, value = f"^set-cookie: *{re.escape(place.name)}=", f"s/^[^=]*={scheme}\\([^;]*\\).*/\\1/"
        case "header":
            line, value = f"^{re.escape(place.name)}:", f"s/^[^:]*: *{scheme}//"
        case _:
            return ""
    return f"""grep -i {shlex.quote(line)} <<<"$login" | tail -n 1 | tr -d '\\r' | sed {shlex.quote(value)}"""
