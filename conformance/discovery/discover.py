"""The way through: what a target publishes, a login, a protected route, the refresh, and the logout last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.discovery import leaving, login_ideas, placing, renewing, showing
from conformance.discovery.clues import Clues, look
from conformance.discovery.findings import Findings, Note, Sureness
from conformance.discovery.logging_in import Attempts
from conformance.errors import TargetError
from conformance.target.places import parse
from conformance.target.profile_files import load
from conformance.tokens.reading import HMAC_ALGORITHMS, Kind

if TYPE_CHECKING:
    from conformance.discovery.harvest import Find
    from conformance.discovery.logging_in import Entry
    from conformance.discovery.login_ideas import LoginIdea
    from conformance.discovery.showing import Opened
    from conformance.discovery.visit import Visit
    from conformance.target.profile import Profile
    from conformance.target.profile_tables import Protected
    from conformance.target.session import Session

MOST_PLACES = 3
"""So many candidates for the access token are tried."""


@dataclass(slots=True)
class Discovery:
    """What is being found out of one target."""

    visit: Visit
    openapi_url: str = ""
    findings: Findings = field(default_factory=lambda: Findings(load("bare")))
    presets: tuple[Profile, ...] = ()
    """The shipped profiles that log in as the target does."""
    _session: Session | None = None
    clues: Clues = field(default_factory=lambda: Clues(None, {}))

    def run(self) -> Findings:
        """Finds out what can be found; what a target that stops answering has said until then is kept.

        Raises:
            ConfigurationError: what the user gives does not fit.
            TargetError: the target does not answer at all.
        """
        tell = self.visit.prober.tell
        self.visit.prober.made_up("GET")
        try:
            self._go()
        except TargetError as error:
            tell(f"stopped early: {error}")
        return self.findings

    def _go(self) -> None:
        self.clues = look(self.visit.prober, self.openapi_url)
        self._note_endpoints()
        attempts = Attempts(self.visit)
        ideas = login_ideas.first_ideas(self.clues)
        if not self.visit.account.username:
            self._guess_login(attempts, ideas)
            return
        entry = attempts.among(ideas) or attempts.among(login_ideas.usual_ideas())
        if entry is None:
            self._guess_login(attempts, ideas)
            return
        self._take(entry)
        self._find_refresh()
        self._find_logout()

    def _note_endpoints(self) -> None:
        found, names = self.clues.endpoints, {"revocation": "revocation_endpoint"}
        names["introspection"] = "introspection_endpoint"
        if path := found.get("jwks_uri"):
            self.findings.set("capabilities", Sureness.METADATA, "jwks_uri", jwks=path)
        if self.visit.clients and self.visit.clients[0].password:
            for key, name in {"token": "token_endpoint", **names}.items():
                if path := found.get(name):
                    self.findings.set("oauth", Sureness.METADATA, name, **{key: path})

    def _guess_login(self, attempts: Attempts, ideas: list[LoginIdea]) -> None:
        """Without a login that works: the likeliest of those that are there."""
        idea = attempts.best(ideas) or attempts.best(login_ideas.usual_ideas())
        if idea is None:
            self.visit.prober.tell("found no route that looks like a login")
            return
        login = idea.login
        values = _values(login, "path", "encoding", "username", "password", "extra", "client", "access", "refresh")
        words = f"{login.method} {login.path} is there, as {idea.origin} has it; not tried"
        self.findings.set("login", idea.how, words, **values)
        if idea.how is Sureness.OPENAPI and login.refresh:
            self._guess_refresh()
        for route in showing.documented(self.clues):
            answer = self.visit.prober.ask(route.route.method, route.route.path)
            if answer and answer.is_client_error and answer.status != 404:  # noqa: PLR2004 - not found
                words = f"{route.origin} has security for it, and it refuses whoever shows nothing"
                self.findings.add_route(route.route, Sureness.OPENAPI, words)

    def _guess_refresh(self) -> None:
        ideas = renewing.ideas_of(self.findings.profile, (), self.clues)
        first = next((idea for idea in ideas if idea.how is Sureness.OPENAPI), None)
        if first:
            words = f"{first.origin}; not tried"
            self.findings.set("refresh", first.how, words, path=first.refresh.path, method=first.refresh.method,
                              sent_in=first.refresh.sent_in)  # fmt: skip

    # -- What a login shows ----------------------------------------------------------------------------------------

    def _take(self, entry: Entry) -> None:
        idea, answer = entry.idea, entry.exchange.response
        self.presets = placing.fitting(idea, answer)
        login = idea.login
        sent = f"{login.method} {login.path} took the account, and answered {answer.status} with a token"
        values = _values(login, "path", "method", "encoding", "username", "password", "extra", "headers", "client")
        self.findings.set("login", Sureness.SEEN, sent, **values)
        if idea.headers:
            self.findings.set("", Sureness.SEEN, "sent with every request", headers=idea.headers)
        self.visit.prober.tell(f"logged in: {sent}")
        best: tuple[Profile, Find, Find | None, list[Opened], str] | None = None
        refreshing = placing.ranked(entry.found.refresh, Kind.REFRESH, self.presets, answer)
        for access in placing.ranked(entry.found.access, Kind.ACCESS, self.presets, answer)[:MOST_PLACES]:
            refresh = placing.beside(access, refreshing)
            profile = placing.placed(self.findings.profile, access, refresh, answer)
            session = self.visit.session(entry.exchange, access, refresh, placing.proofs(profile, answer))
            ways = showing.ways(access, self.presets, self.clues)
            opened = self._opened(profile, session, ways)
            if best is None or opened:
                best, self._session = (profile, access, refresh, opened, ways[0]), session
            if opened:
                break
        assert best is not None
        self._settle(*best)

    def _opened(self, profile: Profile, session: Session, ways: list[str]) -> list[Opened]:
        tour = showing.Tour(self.visit, session)
        found = tour.opened(profile, showing.documented(self.clues), ways)
        known = {opened.route.path for opened in found}
        rest = [idea for idea in showing.of_presets(self.presets) if idea.route.path not in known]
        found += tour.opened(profile, rest, ways)
        for idea in showing.usual(profile.login.path):
            if any(opened.route.identity for opened in found) or len(found) >= showing.ENOUGH:
                break
            found += tour.opened(profile, [idea], ways)
        return found

    def _settle(self, profile: Profile, access: Find, refresh: Find | None, opened: list[Opened], way: str) -> None:
        findings, opens = self.findings, bool(opened)
        how = Sureness.SEEN if opens else Sureness.GUESS
        words = f"the token from there opened {opened[0].route.path}" if opens else "it looks like an access token"
        is_cookie = profile.transport == "cookie"
        findings.set("", how, words, transport=profile.transport)
        findings.set("login", how, words, access=profile.login.access)
        if is_cookie:
            cookies = profile.cookies
            findings.set("cookies", how, words, access=cookies.access)
            findings.set("cookies", Sureness.GUESS, "by its name", refresh=cookies.refresh,
                         csrf_header=cookies.csrf_header, access_csrf=cookies.access_csrf,
                         refresh_csrf=cookies.refresh_csrf)  # fmt: skip
            if not cookies.csrf_header:
                for key in ("csrf_header", "access_csrf", "refresh_csrf"):
                    findings.notes[f"cookies.{key}"] = Note(Sureness.SEEN, "the login sets no cookie of that kind")
        else:
            shown = f"shown there, it opened {opened[0].route.path}" if opens else "nothing was opened with it"
            findings.set("access", how, shown, sent_in=way)
        findings.set("access", Sureness.SEEN, "what the token is", format="jwt" if access.is_jwt else "opaque")
        words = "a second token stands there" if refresh else "the answer holds no second token"
        findings.set("login", Sureness.SEEN if not refresh else Sureness.GUESS, words, refresh=profile.login.refresh)
        self._observe_lifetimes()
        self._find_keys()
        for each in opened:
            self._keep_route(each)
        if not opened:
            self.visit.prober.tell("found no protected route: none of the usual ones is there, or the token opens none")

    def _observe_lifetimes(self) -> None:
        for kind in Kind if self._session else ():
            token = self._session.token(kind) if self._session else None
            if token and token.jwt and token.jwt.lifetime_s:
                self.findings.observed[f"lifetimes.{kind}"] = round(token.jwt.lifetime_s)

    def _find_keys(self) -> None:
        """Where public keys are, if tokens are signed with such."""
        token = self._session.access.jwt if self._session else None
        if token is None or token.algorithm in {*HMAC_ALGORITHMS, "none"}:
            return
        for path in dict.fromkeys([self.findings.profile.capabilities.jwks or "/.well-known/jwks.json"]):
            answer = self.visit.prober.ask("GET", path)
            if answer and answer.is_success and isinstance(answer.json, dict) and answer.json.get("keys"):
                self.findings.set("capabilities", Sureness.SEEN, "a JWK Set is there", jwks=path)

    def _keep_route(self, opened: Opened) -> None:
        route = opened.route
        words = "refuses whoever shows nothing, and opens to the token"
        if opened.to_anything:
            words += "; and to a token that is none, so it may look at none"
        self.findings.add_route(route, Sureness.SEEN if not opened.to_anything else Sureness.GUESS, words)
        label = f"{route.method} {route.path}"
        if not route.identity and (member := showing.likely_identity(opened.honest)):
            self.findings.note_aside(
                label, f'guess: identity = "{member}", with identity_is = "any", if it names the user'
            )
        self.visit.prober.tell(f"{label} {words}")

    # -- Refresh and logout ----------------------------------------------------------------------------------------

    @property
    def _route(self) -> Protected | None:
        seen = [
            route for route in self.findings.profile.protected if self.findings.is_seen(f"{route.method} {route.path}")
        ]
        return seen[0] if seen else None

    def _find_refresh(self) -> None:
        findings, session = self.findings, self.visit.new_session(self.findings.profile)
        if session and not findings.profile.login.refresh:
            # Two tokens of one second may be the same.
            self.visit.client.pause(1.1)
        if session is None:
            self.visit.prober.tell("a second login gave no token, so neither refresh nor logout was tried")
            return
        has_token = bool(findings.profile.login.refresh)
        ideas = renewing.ideas_of(findings.profile, self.presets, self.clues)
        renewal = renewing.Renewal(self.visit, findings.profile, session, self._route)
        renewed = renewal.found(ideas)
        if renewed is None and not self.clues.document:
            renewed = renewal.found(renewing.usual_ideas(findings.profile))
        if renewed is None:
            what = "took the refresh token" if has_token else "renewed the access token"
            self.visit.prober.tell(f"found no refresh: nothing that was asked {what}")
            return
        refresh, label = renewed.refresh, f"{renewed.refresh.method} {renewed.refresh.path}"
        proven = renewed.opened and not renewed.to_anything and (renewed.is_new or has_token)
        how = Sureness.SEEN if proven else renewed.how
        got = "a new access token" if renewed.is_new else "an access token (the same as before)"
        words = f"{label} gave {got}, which {'opened' if renewed.opened else 'was not tried at'} a protected route"
        words += "; and to a token that is none as well" if renewed.to_anything else ""
        values = _values(refresh, "path", "method", "sent_in", "encoding", "extra", "headers", "client", "token")
        values |= _values(refresh, "with_access", "access")
        if findings.profile.transport == "cookie" and parse(refresh.sent_in) == findings.profile.sent_in(Kind.REFRESH):
            values["sent_in"] = ""
        findings.set("refresh", how, words, **values)
        back = "another refresh token came back there" if renewed.is_other else "the same refresh token came back there"
        findings.set(
            "refresh", Sureness.SEEN, back if renewed.given else "no refresh token came back", refresh=refresh.refresh
        )
        if has_token:
            findings.set("refresh", Sureness.SEEN, "what the token is", format="jwt" if self._is_jwt else "opaque")
        if proven and has_token:
            self._confirm_refresh_token(with_proof=renewed.with_proof)
        if renewed.is_other:
            findings.note_aside("refresh", 'guess: rotation = "each", if the used refresh token is meant to be dead')
        self.visit.prober.tell(words)

    @property
    def _is_jwt(self) -> bool:
        return self._session is not None and self._session.refresh.jwt is not None

    def _confirm_refresh_token(self, *, with_proof: bool) -> None:
        findings, words = self.findings, "the token from there was taken by the refresh"
        findings.notes["login.refresh"] = Note(Sureness.SEEN, words)
        if findings.profile.transport != "cookie":
            return
        findings.notes["cookies.refresh"] = Note(Sureness.SEEN, words)
        cookies = findings.profile.cookies
        if with_proof:
            words = "the refresh wanted it as well"
            findings.set("cookies", Sureness.SEEN, words, csrf_header=cookies.csrf_header,
                         refresh_csrf=cookies.refresh_csrf)  # fmt: skip
        elif cookies.csrf_header:
            was = f'csrf_header = "{cookies.csrf_header}", access_csrf = "{cookies.access_csrf}"'
            findings.note_aside("cookies", f"guess: {was}, if another route wants it")
            findings.set("cookies", Sureness.SEEN, "the refresh was served without", csrf_header="", access_csrf="",
                         refresh_csrf="")  # fmt: skip

    def _find_logout(self) -> None:
        findings = self.findings
        if not findings.is_enough:
            return
        ideas = leaving.ideas_of(findings.profile, self.presets, self.clues)
        left = leaving.Leaving(self.visit, findings.profile, self._route).found(ideas)
        if left is None:
            self.visit.prober.tell("found no logout at a usual path")
            return
        logout, label = left.logout, f"{left.logout.method} {left.logout.path}"
        words = (
            f"{label} succeeds, and asks for no token" if left.is_open else f"{label} succeeds with it, and not without"
        )
        values = _values(logout, "path", "method", "takes", "sent_in", "encoding", "extra", "headers")
        findings.set("logout", Sureness.SEEN, words, **values)
        if left.access_lives:
            aside = 'seen: afterwards the access token went on; access = "stateless" under [sessions], if that is meant'
            findings.note_aside("logout", aside)
        self.visit.prober.tell(words)


def _values(table: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(table, name) for name in names}
