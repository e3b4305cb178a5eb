"""One pass of Schemathesis over a document's operations. It loads Schemathesis, so it is imported where one is made."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import requests
import schemathesis
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response as Judged
from schemathesis.specs.openapi import checks

from conformance.errors import TargetError
from conformance.fuzz.documents import document_for
from conformance.fuzz.litter import nothing_left_behind
from conformance.fuzz.passing import CRASH, DIFFERENCE, OPEN, Pass, Seen
from conformance.fuzz.sending import NONSENSE, Role, Sender

if TYPE_CHECKING:
    from schemathesis import Case

    from conformance.fuzz.documents import Document
    from conformance.target.http import Exchange, Request
    from conformance.target.target import Target

MODES: Final = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
NOT_CRASHED: Final = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.SERVICE_UNAVAILABLE})
"""Server errors by number that say of a request that it is not served, or not now (RFC 9110 §15.6)."""
MOST_CASES: Final = 10_000
MOST_SHUT: Final = 4
"""So often an operation is tried without a token."""
FOR_SHRINKING_S: Final = 2.0
_CHECKS: Final = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


class _EnoughError(BaseException):
    """Nothing more of this operation: Hypothesis takes whatever is an `Exception` for a finding."""


class _SeenError(Exception):
    """Something was found, and Hypothesis looks for a smaller example of it."""


def drive(target: Target, seconds: float) -> Pass:
    """Sends what is made up, for so many seconds.

    Raises:
        ConfigurationError, TargetError: there is no document to make requests up from.
    """
    with nothing_left_behind():
        return _drive(target, seconds)


def _drive(target: Target, seconds: float) -> Pass:
    document = document_for(target)
    schema = schemathesis.openapi.from_dict(document.raw, config=schemathesis.Config())
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    sender = Sender(target, document)
    driver = _Driver(target, document, sender, Pass(document.origin, document.binding))
    work = [(operation, mode) for operation in operations for mode in MODES]
    # What is made up for the login comes last, and of that what fits: it may have it refuse everybody for a while.
    work.sort(key=lambda item: driver.is_login(item[0]) * (1 + (item[1] is MODES[0])))
    until = time.monotonic() + seconds
    for number, (operation, mode) in enumerate(work):
        share = (until - time.monotonic()) / (len(work) - number)
        if driver.passed.ended_by:
            break
        # However slow the machine is, no operation is left out: each gets a request of either kind.
        driver.drive(operation, mode, share)
    driver.confirm()
    passed = driver.passed
    passed.credentialed, passed.authenticated = sender.credentialed, sender.authenticated
    if sender.login_is_over:
        passed.remarks.append(sender.login_is_over)
    if document.left_out:
        passed.remarks.append(f"left out without --intrusive: {', '.join(document.left_out)}")
    return passed


@dataclass(slots=True)
class _Driver:
    target: Target
    document: Document
    sender: Sender
    passed: Pass
    _until: float = 0.0
    _wanted: tuple[str, str, str] | None = None
    _begun: bool = False
    _cases: dict[tuple[str, str, str], tuple[Case[Any], Role]] = field(default_factory=dict)
    _tried_shut: dict[str, int] = field(default_factory=dict)

    def role(self, operation: Any) -> Role:
        """What an operation is to a token login."""
        needed = operation.definition.raw.get("security", self.document.raw.get("security") or [])
        schemes = {name for each in needed for name in each} if needed and all(needed) else None
        return self.sender.role(operation.method, operation.path, schemes)

    def is_login(self, operation: Any) -> bool:
        """Whether it is the first door."""
        return self.role(operation) is Role.LOGIN

    def drive(self, operation: Any, mode: Any, seconds: float) -> None:
        """Makes requests up for one operation."""
        role, self._until, self._wanted = self.role(operation), time.monotonic() + seconds, None
        self._begun = False

        def attempt(case: Case[Any]) -> None:
            self._attempt(case, role, shuts=mode is MODES[0])

        settings = hypothesis.settings(
            max_examples=MOST_CASES, deadline=None, database=None, derandomize=False, report_multiple_bugs=False,
            print_blob=False, verbosity=hypothesis.Verbosity.quiet,
            phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink),
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        given: Any = hypothesis.given
        made_up = given(operation.as_strategy(generation_mode=mode))(attempt)
        run: Any = hypothesis.seed(self.target.fuzzing.seed)(settings(made_up))
        try:
            run()
        except (_EnoughError, _SeenError):
            pass
        except Exception as error:
            # An operation without anything to get wrong, or Hypothesis's own words for having been stopped.
            if not isinstance(error, hypothesis.errors.HypothesisException) and time.monotonic() < self._until:
                raise

    def confirm(self) -> None:
        """Sends each finding once more; what does not come again was no matter of the request."""
        for key, seen in list(self.passed.seen.items()):
            case, role = self._cases[key]
            request = self.sender.request_of(case)
            again: list[Seen] = []
            try:
                if request is not None:
                    again = [*self._answered(case, request, role), *self._shut(case, request, role)]
            except TargetError as error:
                self.passed.ended_by = error
            found = [one for one in again if one.key == seen.key]
            if found:
                self.passed.seen[key] = found[0]
            else:
                del self.passed.seen[key]
                self.passed.passing += 1

    def _attempt(self, case: Case[Any], role: Role, *, shuts: bool) -> None:
        if self._begun and time.monotonic() >= self._until:
            raise _EnoughError
        self._begun = True
        request = self.sender.request_of(case)
        if request is None:
            hypothesis.reject()
        label = case.operation.label
        try:
            found = self._answered(case, request, role)
            if shuts and self._tried_shut.get(label, 0) < MOST_SHUT:
                self._tried_shut[label] = self._tried_shut.get(label, 0) + 1
                found += self._shut(case, request, role)
        except TargetError as error:
            self.passed.ended_by = error
            raise _EnoughError from None
        self.passed.operations[label] = self.passed.operations.get(label, 0) + 1
        for seen in found:
            if seen.key not in self.passed.seen and self._wanted is None:
                self._wanted = seen.key
                self._until = time.monotonic() + FOR_SHRINKING_S
            self.passed.keep(seen)
            if self.passed.seen[seen.key] is seen:
                self._cases[seen.key] = (case, role)
        if any(seen.key == self._wanted for seen in found):
            raise _SeenError

    # -- What no sound server does ---------------------------------------------------------------------------------

    def _answered(self, case: Case[Any], request: Request, role: Role) -> list[Seen]:
        exchange = self.sender.send(request, role)
        if exchange is None:
            raise _EnoughError
        return self._crash(case, exchange, "server error") or self._as_described(case, exchange)

    def _crash(self, case: Case[Any], exchange: Exchange, title: str) -> list[Seen]:
        status, label = exchange.response.status, case.operation.label
        if status < HTTPStatus.INTERNAL_SERVER_ERROR or status in NOT_CRASHED | self.target.profile.refusals.declared:
            return []
        observed = f"{label} answered {status}"
        return [Seen(CRASH, label, title, "no server error, whatever is sent", observed, exchange)]

    def _as_described(self, case: Case[Any], exchange: Exchange) -> list[Seen]:
        response = exchange.response
        if not self.document.binding or response.truncated or not (response.is_success or self.document.complete):
            # Few documents name every refusal: what is in front of an API may answer as well.
            return []
        try:
            case.validate_response(_judged(self.target.client.base_url, exchange), checks=_CHECKS)
        except FailureGroup as group:
            return [
                Seen(
                    DIFFERENCE,
                    case.operation.label,
                    failure.title.lower(),
                    f"an answer as {self.document.origin} describes it",
                    f"status {response.status}: {failure.title.lower()}: {' '.join(failure.message.split())[:300]}",
                    exchange,
                )
                for failure in group.exceptions
            ]
        return []

    def _shut(self, case: Case[Any], request: Request, role: Role) -> list[Seen]:
        """What an operation gives without a token, where an honest request gets something."""
        if role not in {Role.PROTECTED, Role.CLIENT, Role.REFRESH} or request.method == "OPTIONS":
            # To log out who is not logged in is no harm.
            return []
        found, label = [], case.operation.label
        for words, token in (("without a token", ""), ("with a token that is none", NONSENSE)):
            exchange = self.sender.anonymous(request, token)
            crash = self._crash(case, exchange, f"server error {words}")
            if self._gave(exchange, role):
                observed = f"{label} answered {exchange.response.status}"
                found.append(Seen(OPEN, label, words, f"a refusal of a request {words}", observed, exchange))
            found += crash
        self.passed.shut += not found
        return found

    def _gave(self, exchange: Exchange, role: Role) -> bool:
        target, request = self.target, exchange.request
        if role is Role.REFRESH:
            return bool(target.refresh_door.bought(request, exchange.response))
        path = request.path.partition("?")[0]
        for door in target.protected_doors:
            if (door.method, door.path) == (request.method, path):
                return bool(door.bought(request, exchange.response))
            if door.refuses_with_success:
                return False
        return exchange.response.is_success


def _judged(base_url: str, exchange: Exchange) -> Judged:
    """The answer, as Schemathesis takes it."""
    request, response = exchange.request, exchange.response
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name, []).append(value)
    sent = requests.Request(request.method, base_url + request.path, dict(request.headers), data=request.body).prepare()
    return Judged(response.status, headers, response.body, sent, response.elapsed_s, verify=True)
