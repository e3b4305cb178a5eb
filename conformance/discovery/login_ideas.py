"""How a target might be logged in to: what its documents say, what shipped presets do, and what is usual."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from conformance.discovery.findings import Sureness
from conformance.target.profile import DEFAULT
from conformance.target.profile_files import load, shipped
from conformance.target.profile_tables import Login

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from conformance.discovery.clues import Clues
    from conformance.discovery.openapi import Document, Operation
    from conformance.discovery.schemas import Member
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Words

NO_HYPOTHESES: Final = frozenset({"bare", "tls", "published-key"})
USUAL_PATHS: Final = (
    "/login", "/auth/login", "/api/login", "/api/auth/login", "/token", "/api/token", "/auth/token", "/api/v1/login",
    "/api/v1/auth/login", "/v1/auth/login", "/oauth/token", "/api/auth/signin", "/auth/signin", "/signin", "/sessions",
    "/users/login", "/api/users/login", "/authenticate", "/api/authenticate", "/api/v1/login/access-token",
    "/auth/jwt/create", "/api/session",
)  # fmt: skip
USER_NAMES: Final = ("username", "email", "identity", "login", "user", "user_name", "userName", "identifier", "name")
PASSWORDS: Final = ("password", "passwd", "pwd", "pass")
_LOGIN_WORDS: Final = re.compile(r"log_?-?in|sign_?-?in|token|auth|session", re.IGNORECASE)
_OTHER_PATHS: Final = re.compile(r"log_?-?out|refresh|renew|revoke|delete|introspect", re.IGNORECASE)
_OTHER_WORDS: Final = re.compile(
    r"regist|sign_?-? ?up|reset|change|forgot|confirm|verif|invit|create_?-?(user|account)|(user|account)s?_?-?create"
    r"|(new|a|an) (user|account)",
    re.IGNORECASE,
)
"""What makes or changes an account, which no honest login does."""


@dataclass(frozen=True, slots=True)
class LoginIdea:
    """A way that a login might be.

    Attributes:
        login: what would be sent.
        how: how sure that is.
        origin: who says so.
        presets: the shipped profiles that log in like this.
        headers: what the preset adds to every request.
    """

    login: Login
    how: Sureness
    origin: str
    presets: tuple[Profile, ...] = ()
    headers: Words = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two ideas the same request."""
        login = self.login
        extra = repr(sorted(login.extra.items())) + repr(sorted(self.headers.items()))
        return login.method, login.path, login.encoding, login.username, login.password, login.client, extra

    @property
    def uses_client(self) -> bool:
        """Whether it says which OAuth client it is."""
        return self.login.client != "none" or "{client_id}" in self.login.extra.values()


def first_ideas(clues: Clues) -> list[LoginIdea]:
    """What the target's documents say, and what the shipped presets do."""
    told = [*_from_document(clues.document), *_from_metadata(clues)]
    ideas = _without_repetition([*told, *(of_preset(preset) for preset in presets() if preset.login.path)])
    return [_backed(idea, told) for idea in ideas]


def _backed(idea: LoginIdea, told: list[LoginIdea]) -> LoginIdea:
    """The idea, as sure as the document that has a login at the same path, of the same form and the same names."""

    def form(each: LoginIdea) -> tuple[str, ...]:
        return each.login.method, each.login.path, each.login.encoding, each.login.username, each.login.password

    backing = next((each for each in told if form(each) == form(idea)), None)
    return replace(idea, how=backing.how, origin=backing.origin) if backing else idea


def usual_ideas() -> list[LoginIdea]:
    """The commonest form of a login, at the usual paths."""
    return [LoginIdea(Login(path), Sureness.GUESS, "a usual path") for path in USUAL_PATHS]


def variants(idea: LoginIdea) -> list[LoginIdea]:
    """Other forms that a login at the same path may have."""
    path = idea.login.path
    grant: MappingProxyType[str, Any] = MappingProxyType({"grant_type": "password"})
    forms = [Login(path, username=name) for name in USER_NAMES[:5]]
    forms += [Login(path, encoding="form"), Login(path, encoding="form", extra=grant), Login(path, encoding="basic")]
    forms += [Login(path, encoding="form", extra=grant, client="basic"), Login(path, encoding="form", username="email")]
    return [LoginIdea(form, Sureness.GUESS, "a usual form of a login") for form in forms]


def _without_repetition(ideas: Iterable[LoginIdea]) -> list[LoginIdea]:
    found: dict[tuple[Any, ...], LoginIdea] = {}
    for idea in ideas:
        first = found.get(idea.key)
        found[idea.key] = replace(first, presets=(*first.presets, *idea.presets)) if first else idea
    return list(found.values())


@cache
def presets() -> tuple[Profile, ...]:
    """Every shipped profile that may be somebody's, the default first."""
    names = sorted(shipped().keys() - NO_HYPOTHESES, key=lambda name: (name != DEFAULT, name))
    return tuple(load(name) for name in names)


def of_preset(preset: Profile) -> LoginIdea:
    """The way in which a preset logs in."""
    return LoginIdea(preset.login, Sureness.GUESS, f"the preset {preset.name}", (preset,), preset.headers)


def _from_metadata(clues: Clues) -> Iterator[LoginIdea]:
    if path := clues.endpoints.get("token_endpoint"):
        scope = {"scope": " ".join(clues.scopes)} if clues.scopes else {}
        for client in ("basic", "post", "none"):
            extra = {"grant_type": "password"} | ({"client_id": "{client_id}"} if client == "none" else {}) | scope
            login = Login(path, encoding="form", extra=MappingProxyType(extra), client=client)
            yield LoginIdea(login, Sureness.METADATA, "the token endpoint of the metadata")


def _from_document(document: Document | None) -> Iterator[LoginIdea]:
    if document is None:
        return
    rows = [operation for operation in document.operations if _is_login(operation)]
    for operation in sorted(rows, key=lambda each: not re.search(r"log_?-?in|sign_?-?in|token", each.label.lower())):
        login = _described(operation)
        if login:
            yield LoginIdea(login, Sureness.OPENAPI, f"{operation.label} of {document.origin}")
    for path in document.token_urls:
        grant: MappingProxyType[str, Any] = MappingProxyType({"grant_type": "password"})
        yield LoginIdea(Login(path, encoding="form", extra=grant), Sureness.OPENAPI, f"tokenUrl of {document.origin}")


def _is_login(operation: Operation) -> bool:
    told = f"{operation.path} {operation.words}"
    is_other = _OTHER_PATHS.search(operation.path) or _OTHER_WORDS.search(told)
    return operation.method == "POST" and bool(_LOGIN_WORDS.search(told)) and not is_other


def _described(operation: Operation) -> Login | None:
    """The login that an operation's body describes, if that takes a name and a password."""
    username, password = _member(operation, _is_name), _member(operation, _is_password)
    extra = {name: value for member in operation.members for name, value in _extra(member)}
    if not username or not password or any("." in path for path in extra):
        return None
    return Login(
        operation.path,
        encoding="form" if operation.encodings[:1] == ("form",) else "json",
        username=username,
        password=password,
        extra=MappingProxyType(extra),
        access=_answer(operation, ("access", "token", "jwt")) or "access_token",
        refresh=_answer(operation, ("refresh",)),
    )


def _member(operation: Operation, fits: Callable[[str], bool]) -> str:
    return next((member.path for member in operation.members if fits(member.path.rpartition(".")[2])), "")


def _is_name(name: str) -> bool:
    return name in USER_NAMES or name.lower() in {"e_mail", "e-mail", "mail"}


def _is_password(name: str) -> bool:
    return any(word in name.lower() for word in PASSWORDS)


def _extra(member: Member) -> Iterator[tuple[str, Any]]:
    """What a login is to send beside the credentials."""
    if member.path == "grant_type":
        yield member.path, "password"
    elif member.kind == "boolean" and "refresh" in member.path.lower():
        yield member.path, True
    elif member.choices and member.required:
        yield member.path, member.choices[0]


def _answer(operation: Operation, words: Iterable[str]) -> str:
    """Where the answer holds the token that one of the words names."""
    paths = [member.path for member in operation.answers]
    kind = "refresh" if "refresh" in words else "access"
    return next((path for word in words for path in paths if word in path.lower() and _names_token(path, kind)), "")


def _names_token(path: str, kind: str) -> bool:
    words = path.lower()
    return "type" not in words and "expir" not in words and "id_token" not in words and (
        kind == "refresh" or "refresh" not in words
    )  # fmt: skip
