"""Faults in wording refusals."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import jsonify, request

from reference_server.errors import ErrorPresenter
from reference_server.faults import fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response


class OddPresenter(ErrorPresenter):
    """Words refusals at one route in another way."""

    path = ""

    def render(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """Leave the other routes alone, and everything that is not refused for its credentials."""
        response = super().render(status, code, message, headers)
        if request.path == self.path and status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
            self.reword(response, message)
        return response

    def reword(self, response: Response, message: str) -> None:
        """Change the answer."""
        raise NotImplementedError


@fault(
    "refresh-refusal-in-html",
    "ERR-01",
    seen="common where the framework's own error page is left in place",
)
class HtmlAtRefresh(OddPresenter):
    """Refuses at the refresh with an HTML page."""

    path = "/refresh"

    def reword(self, response: Response, message: str) -> None:  # noqa: ARG002 - it says nothing
        """Show the framework's page."""
        response.set_data(f"<!doctype html><title>{response.status}</title><h1>{response.status}</h1>")
        response.mimetype = "text/html"


@fault(
    "login-refusal-is-empty",
    "ERR-01",
    seen="common where only the status is set",
)
class EmptyAtLogin(OddPresenter):
    """Refuses at the login without a body."""

    path = "/login"

    def reword(self, response: Response, message: str) -> None:  # noqa: ARG002 - it says nothing
        """Say nothing."""
        response.set_data(b"")


@fault(
    "profile-refusal-in-plain-text",
    "ERR-01",
    seen="Go's http.Error, and so many hand-written handlers, answer in plain text",
)
class TextAtProfile(OddPresenter):
    """Refuses at the profile in plain text."""

    path = "/profile"

    def reword(self, response: Response, message: str) -> None:
        """Leave the JSON out, except where a client has to read that the token has expired."""
        if "expired" not in message:
            response.set_data(message)
            response.mimetype = "text/plain"


@fault(
    "login-refusal-in-another-member",
    "ERR-01",
    seen="common where two libraries answer: Flask-JWT-Extended says msg, flask-restful says message",
)
class OtherMemberAtLogin(OddPresenter):
    """Refuses at the login with its message in another member than elsewhere."""

    path = "/login"

    def reword(self, response: Response, message: str) -> None:
        """Rename the member."""
        response.set_data(jsonify({"detail": message}).get_data())


class ProblemPresenter(ErrorPresenter):
    """Words refusals as problem details (RFC 9457), with something wrong about them."""

    def render(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """Write the members."""
        response = super().render(status, code, message, headers)
        problem = {"type": f"/problems/{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": message}
        response.set_data(json.dumps({**problem, **self.wrong(status)}))
        response.mimetype = "application/problem+json"
        return response

    def wrong(self, status: int) -> dict[str, Any]:
        """Members that are not as they should be."""
        raise NotImplementedError


@fault(
    "problem-status-is-a-string",
    "ERR-02",
    seen="ahmadnassri/node-api-problem pull request 107: the member is a string, as in JSON:API",
)
class TextStatus(ProblemPresenter):
    """Words refusals as problem details whose status is a string."""

    def wrong(self, status: int) -> dict[str, Any]:
        """Quote it."""
        return {"status": str(status)}


@fault(
    "problem-has-another-status",
    "ERR-02",
    seen="common where a gateway changes the status line and passes the body on",
)
class OtherStatus(ProblemPresenter):
    """Words refusals for bad tokens as problem details of another status than the answer's."""

    def wrong(self, status: int) -> dict[str, Any]:
        """Keep what it was before."""
        return {"status": HTTPStatus.FORBIDDEN} if status == HTTPStatus.UNAUTHORIZED else {}


@fault(
    "problem-type-is-a-phrase",
    "ERR-02",
    seen="common where type is filled with the name of the error",
)
class PhraseForType(ProblemPresenter):
    """Words refusals as problem details whose type is some words, and no URI."""

    def wrong(self, status: int) -> dict[str, Any]:
        """Say it in words."""
        return {"type": HTTPStatus(status).phrase + " <error>"}
