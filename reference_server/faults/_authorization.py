"""What the faults of the Authorization header and its challenge are made with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import request

from reference_server.credentials import RequestReader
from reference_server.errors import REALM, ErrorPresenter
from reference_server.faults._tools import is_genuine, unverified

if TYPE_CHECKING:
    from flask import Request, Response


class OtherChallenge(ErrorPresenter):
    """Refuses at the protected routes with another challenge than the contract's."""

    def no_token(self) -> Response:
        """Change it where no token was sent."""
        return self.changed(super().no_token(), self.without_token())

    def bad_token(self, message: str) -> Response:
        """Change it where a bad one was sent."""
        return self.changed(super().bad_token(message), self.for_bad_token(message))

    def changed(self, response: Response, challenge: str | None) -> Response:
        """The response with this challenge; with its own where that is None, and with none where that is empty."""
        if challenge is not None and request.method != "POST":
            del response.headers["WWW-Authenticate"]
            if challenge:
                response.headers["WWW-Authenticate"] = challenge
        return response

    def without_token(self) -> str | None:
        """The challenge for who has sent no token."""
        return None

    def for_bad_token(self, message: str) -> str | None:  # noqa: ARG002 - for those who look
        """The challenge for who has sent a bad one."""
        return None


class TokenInChallenge(OtherChallenge):
    """Copies something out of the token into the challenge."""

    def for_bad_token(self, message: str) -> str:
        """Say more than is good."""
        header, claims = unverified(request.headers.get("Authorization", "").rpartition(" ")[2])
        described = self.description(message, header, claims).encode().decode("latin-1")
        # The framework refuses line breaks; other characters it lets pass.
        described = re.sub(r"[\r\n]", " ", described)
        return f'Bearer realm="{REALM}", error="invalid_token", error_description="{described}"'

    def description(self, message: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """What to say of a bad token."""
        raise NotImplementedError


class OtherStatus(ErrorPresenter):
    """Refuses some bad tokens at the protected routes in another way than the contract's."""

    def bad_token(self, message: str) -> Response:
        """Change it."""
        response = super().bad_token(message)
        return self.other(response, message) if request.method != "POST" else response

    def other(self, response: Response, message: str) -> Response:
        """The changed response."""
        raise NotImplementedError


class FindsMore(RequestReader):
    """Finds a good token where the contract knows of none, at the protected routes."""

    def bearer_token(self, request: Request) -> str | None:
        """Look further where there is no Bearer token."""
        token = super().bearer_token(request)
        found = "" if token or request.method == "POST" else self.found(request)
        return found if found and is_genuine(found) else token

    def found(self, request: Request) -> str:
        """What may be a token, or an empty string."""
        raise NotImplementedError


class Mixes(RequestReader):
    """Prefers, at the protected routes, a second token to the one that comes first."""

    def bearer_token(self, request: Request) -> str | None:
        """Look whether there is a second one."""
        header = request.headers.get("Authorization", "")
        second = self.second(request, header) if header and request.method != "POST" else ""
        return second or super().bearer_token(request)

    def second(self, request: Request, header: str) -> str:
        """The second token, or an empty string."""
        raise NotImplementedError
