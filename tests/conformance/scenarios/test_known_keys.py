"""What the suite makes of the public keys that it is given or finds, and of what is none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from conformance.clock import WaitingClock
from conformance.errors import TargetError
from conformance.scenarios.endings import NotApplicableError, UntestedError
from conformance.scenarios.published import known_keys, require_key
from conformance.scenarios.trial import Trial
from conformance.target.http import HttpClient, Request, Response
from conformance.target.profile_files import load
from conformance.target.target import Target
from tests.conformance.support import ALICE, FakeApi, answer, requirement, served, trial_of
from tests.conformance.tokens.issuer import issuer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def trial(pem: str = "") -> Iterator[Trial]:
    """One scenario's view of a reference server that signs with ES256."""
    with served(algorithm="ES256") as url:
        client = HttpClient(url)
        target = Target(load("default"), client, WaitingClock(client.pause, 0.0), ALICE, public_key_pem=pem)
        try:
            yield Trial(target, requirement())
        finally:
            client.close()


def test_a_published_key_is_known() -> None:
    """The key set at the place that the profile names is found, byte for byte, and nothing is wrong."""
    with trial() as view:
        known = known_keys(view)

    assert [key["kty"] for key in known.jwks] == ["EC"]
    assert len(known.served) == 1
    assert known.problems == ()


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (issuer("RS256").public_pem.decode(), "--public-key (RSA) is not the key of the target's tokens (ES256)"),
        (issuer("ES256").public_pem.decode(), "is not the key of the target's tokens (ES256)"),
        ("-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n", "cannot be read as a public key"),
    ],
    ids=["another kind", "another key", "no key"],
)
def test_a_key_file_that_does_not_fit_is_told_and_not_used(pem: str, said: str) -> None:
    """A key of another kind, another key, and what is none: the published one is used, with a remark."""
    with trial(pem) as view:
        known = require_key(view)

    assert known.pem_files == ()
    assert known.jwks
    assert any(said in remark for remark in view.remarks)


def keyless(*problems: Response) -> FakeApi:
    """An API whose tokens are signed with a key pair, with this in the place of a key set."""
    api = FakeApi()
    own = issuer("ES256")

    def issue(kind: str, username: str) -> str:
        token = ".".join(own.token(sub=username, type=kind).segments)
        api._live[token] = (username, kind)
        return token

    api.issue = issue  # type: ignore[method-assign]
    if problems:
        api.overrides["GET /.well-known/jwks.json"] = lambda _request: problems[0]
    return api


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (answer(404, {"msg": "nothing"}), "it answers 404"),
        (answer(401, {"msg": "log in"}), "it answers 401"),
        (answer(200, body=b"<html>"), "what is there is none"),
        (answer(200, {"keys": {"kty": "EC"}}), "what is there is none"),
        (answer(200, ["x"]), "what is there is none"),
    ],
    ids=["missing", "behind a login", "HTML", "no list", "a list"],
)
def test_a_key_set_that_is_none_leaves_its_requirements_untested(there: Response, said: str) -> None:
    """Where the profile promises a set and there is none, what needs it says so, and what to give."""
    view = trial_of(keyless(there))
    with pytest.raises(UntestedError, match=said) as caught:
        require_key(view)

    assert "--public-key @FILE" in str(caught.value)


def test_a_key_set_that_breaks_off_leaves_its_requirements_untested() -> None:
    """A route that does not answer is a problem of that route."""
    api = keyless()

    def broken(_request: Request) -> Response:
        raise TargetError("it broke off")

    api.overrides["GET /.well-known/jwks.json"] = broken
    with pytest.raises(UntestedError, match="cannot be had: it broke off"):
        require_key(trial_of(api))


def test_the_right_key_file_is_enough() -> None:
    """Without a key set, the key that the user gave is used where it verifies the target's tokens."""
    view = trial_of(keyless())
    view.target.public_key_pem = issuer("ES256").public_pem.decode()
    known = require_key(view)

    assert known.pem_files == (issuer("ES256").public_pem,)


def test_a_secret_has_no_public_key() -> None:
    """Where tokens are signed with a secret, what needs a public key does not apply, whatever was given."""
    view = trial_of(FakeApi())
    view.target.public_key_pem = issuer("RS256").public_pem.decode()
    with pytest.raises(NotApplicableError, match="HMAC secret"):
        require_key(view)
