"""Writing what was found as a profile in TOML, with how sure each line is behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from conformance.discovery.comparing import Likeness, likest
from conformance.discovery.findings import Findings, Note, Sureness
from conformance.inert import one_line
from conformance.target.drafts import NULL
from conformance.target.profile_files import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.discovery.openapi import Operation
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Protected

TABLES: Final = ("headers", "login", "access", "refresh", "logout", "cookies", "lifetimes", "capabilities", "oauth")
NEEDED: Final = frozenset({"cookies"})
"""Tables whose lines stay even where they are guesses: tokens in cookies are not found without them."""
COLUMN: Final = 46
HEAD: Final = """\
# Found by `jwt-conformance discover`. Behind each line is how sure it is: "seen" in what the target did, said by its
# "openapi" document or its "metadata", or a "guess"; a guess that is not needed is written as a comment.
"""


def profile_toml(findings: Findings, presets: tuple[Profile, ...], unsafe: tuple[Operation, ...] = ()) -> str:
    """The profile, as a file that `--target-profile` takes."""
    likeness = likest(findings, presets) if findings.is_enough else None
    lines = [HEAD, *(_heir(findings, likeness) if likeness else _whole(findings))]
    if likeness is None or not likeness.same_routes:
        lines += _routes(findings)
    lines += _never_tried(unsafe)
    return "\n".join(lines) + "\n"


def _heir(findings: Findings, likeness: Likeness) -> Iterator[str]:
    """A preset, and what is different."""
    name = likeness.preset.name
    same = ["the login", "the way to show a token", *(["the refresh"] if findings.profile.refresh.path else [])]
    yield _line("extends", name, Note(Sureness.SEEN, f"the preset's: {', '.join(same)}"))
    if likeness.same_routes:
        labels = ", ".join(f"{route.method} {route.path}" for route in findings.profile.protected)
        yield f"# seen: its protected routes open to the token, and not without: {one_line(labels)}"
    if findings.profile.logout.path and "logout.path" not in likeness.differing:
        yield f"# {findings.notes['logout.path']}"
    if likeness.unseen:
        yield "#"
        yield f"# guess: {name} also declares what no probe shows, and a run believes. Where yours differs, write so:"
        for key, value in likeness.unseen.items():
            yield f"#   {key} = {toml(value)}"
    for table in TABLES:
        keys = [key for key in likeness.differing if key.startswith(f"{table}.")]
        if keys:
            yield f"\n[{table}]"
            yield from (_key_line(findings, key) for key in keys)
        yield from (f"# {aside}" for aside in findings.asides.get(table, ()) if not _is_declared(aside, likeness))


def _is_declared(aside: str, likeness: Likeness) -> bool:
    """Whether a preset says already what is worth a thought."""
    return any(key.partition(".")[2] == aside.partition(" = ")[0].rpartition(" ")[2] for key in likeness.unseen)


def _whole(findings: Findings) -> Iterator[str]:
    """Everything, on top of the preset that says nothing."""
    yield _line("extends", "bare", None)
    if "transport" in findings.notes:
        yield _key_line(findings, "transport")
    base = load("bare")
    for table in TABLES:
        value = getattr(findings.profile, table)
        if isinstance(value, Mapping):
            if value:
                yield f"\n[{table}]    # {findings.notes.get(table, Note(Sureness.GUESS, ''))}"
                yield from (f"{_name(name)} = {toml(item)}" for name, item in value.items())
            continue
        keys = [key for key in findings.notes if key.startswith(f"{table}.")]
        shown = [key for key in keys if _is_worth_a_line(findings, base, key)]
        if shown:
            yield f"\n[{table}]"
            yield from (_key_line(findings, key) for key in shown)
        yield from (f"# {aside}" for aside in findings.asides.get(table, ()))


def _is_worth_a_line(findings: Findings, base: Profile, key: str) -> bool:
    value = value_at(findings.profile, key)
    return value != value_at(base, key) or value not in ("", False, "none", "POST", "json", "refresh", {})


def _routes(findings: Findings) -> Iterator[str]:
    routes = sorted(findings.profile.protected, key=lambda route: not route.identity)
    for route in routes:
        label = f"{route.method} {route.path}"
        note = findings.notes[label]
        lines = [f"[[protected]]    # {note}", *_route_lines(route)]
        lines += [f"# {aside}" for aside in findings.asides.get(label, ())]
        yield ""
        doubtful = findings.is_enough and note.how is Sureness.GUESS
        yield from (f"# {line}" if doubtful else line for line in lines)
    if not routes:
        yield "\n# No protected route was found, and a profile needs one:"
        yield '# [[protected]]\n# path = "/..."\n# identity = "..."    # the member of its answer that names the user'


def _route_lines(route: Protected) -> Iterator[str]:
    yield f"path = {toml(route.path)}"
    if route.method != "GET":
        yield f"method = {toml(route.method)}"
    if route.identity:
        yield _line("identity", route.identity, Note(Sureness.SEEN, "it holds the account's name"))
    if route.scope:
        yield _line("scope", route.scope, Note(Sureness.GUESS, "a preset has it"))
    if route.json:
        yield f"json = {toml(route.json)}"
    if route.headers:
        yield f"headers = {toml(route.headers)}"


def _never_tried(operations: tuple[Operation, ...]) -> Iterator[str]:
    """Routes that a run would ask some fifty times, and that change something."""
    if operations:
        yield "\n# openapi: these declare security as well. They may change something, so they were not tried; take"
        yield "# in what may be asked some fifty times with the account:"
    for operation in operations:
        yield f"# [[protected]]\n# path = {toml(operation.path)}\n# method = {toml(operation.method)}"


def _key_line(findings: Findings, key: str) -> str:
    table, _, name = key.rpartition(".")
    note = findings.notes.get(key, Note(Sureness.GUESS, "found nothing of that kind"))
    value = value_at(findings.profile, key)
    if key in findings.observed:
        value, note = findings.observed[key], Note(Sureness.SEEN, "by the token's own word")
    line = _line(name, value, note)
    doubtful = findings.is_enough and note.how is Sureness.GUESS and table not in NEEDED
    return f"# {line}" if doubtful and key in findings.notes else line


def _line(name: str, value: Any, note: Note | None) -> str:
    text = f"{_name(name)} = {toml(value)}"
    return f"{text:<{COLUMN}}  # {note}" if note else text


def value_at(profile: Profile, key: str) -> Any:
    """What a profile has at a dotted key."""
    value: Any = profile
    for name in key.split("."):
        value = getattr(value, name)
    return dict(value) if isinstance(value, Mapping) else value


def _name(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else toml(key)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    match value:
        case bool() | int():
            return str(value).lower()
        case float() if math.isfinite(value):
            return repr(value)
        case None:
            return toml(NULL)
        case Mapping():
            return f"{{ {', '.join(f'{_name(str(key))} = {toml(item)}' for key, item in value.items())} }}"
        case list() | tuple():
            return f"[{', '.join(toml(item) for item in value)}]"
        case _:
            # JSON writes a text as TOML does, but for DEL; a half of a surrogate pair can be in neither.
            text = str(value).encode("utf-8", "replace").decode()
            return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
