"""What a request brings along: a name and a password, or a token."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from reference_server import strict_json

if TYPE_CHECKING:
    from flask import Request

LONGEST_NAME = 255
# NIST SP 800-63B-4 §3.1.1.2 asks for at least 64; some bound keeps hashing cheap.
LONGEST_PASSWORD = 1024

# RFC 6750 §2.1 and RFC 9110 §11.4: the scheme in any case, spaces, one b64token, and nothing else.
_BEARER = re.compile(r"[ \t]*bearer +([A-Za-z0-9._~+/-]+=*)[ \t]*", re.ASCII | re.IGNORECASE)
_BEARER_SCHEME = re.compile(
    r"[ \t]*bearer(?![A-Za-z0-9!#$&'*.^_`|~+-]).*[^ \t,].*", re.ASCII | re.IGNORECASE | re.DOTALL
)


class MalformedCredentialsError(ValueError):
    """Something was presented as a token, in a form that is none."""


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """Who somebody says they are, and their proof."""

    username: str
    password: str = field(repr=False)


def _well_formed(text: str) -> None:
    """Refuse what no keyboard sends and not every store keeps: NUL, and halves of surrogate pairs."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("is ill-formed text")


class LoginSchema(Schema):
    """The login body: two strings, nothing missing and nothing more."""

    class Meta:
        """Members that the contract does not know are refused."""

        unknown = RAISE

    username = fields.String(required=True, validate=[validate.Length(min=1, max=LONGEST_NAME), _well_formed])
    password = fields.String(required=True, validate=[validate.Length(min=1, max=LONGEST_PASSWORD), _well_formed])


class RequestReader:
    """Reads credentials out of requests. It judges their form and never whether they are right."""

    def login(self, request: Request) -> LoginRequest:
        """The name and password in the body.

        Raises:
            UnsupportedMediaType: unless the body is labelled as JSON.
            BadRequest: unless it is one object with exactly the two members.
        """
        try:
            members: dict[str, str] = LoginSchema().load(self.json_body(request))
        except ValidationError as error:
            # Only member names that the schema knows: what was sent is never echoed.
            wrong = sorted({"username", "password"}.intersection(error.messages_dict))
            raise BadRequest(
                f"{' and '.join(wrong)}: a non-empty string is needed"
                if wrong
                else "The body must be an object with the members username and password only"
            ) from None
        return LoginRequest(**members)

    def json_body(self, request: Request) -> Any:
        """The JSON value in the body, whatever it is."""
        if request.mimetype != "application/json":
            raise UnsupportedMediaType("The body must be application/json")
        try:
            return strict_json.loads(request.get_data())
        except strict_json.NotJSONError:
            raise BadRequest("The body is not one JSON text in UTF-8 with each member once") from None

    def no_body(self, request: Request) -> None:
        """Refuse a body where the contract has none; an empty JSON object says nothing and is let pass."""
        if request.get_data() and self.json_body(request) != {}:
            raise BadRequest("This request takes no body")

    def bearer_token(self, request: Request) -> str | None:
        """The token in the Authorization header; None where no Bearer token was sent at all.

        Raises:
            MalformedCredentialsError: for a Bearer header that holds something else than one token.
        """
        header = request.headers.get("Authorization", "")
        if token := _BEARER.fullmatch(header):
            return token.group(1)
        if _BEARER_SCHEME.fullmatch(header):
            raise MalformedCredentialsError
        return None

    def ambiguous_cookies(self, request: Request, names: tuple[str, ...]) -> bool:
        """Whether a cookie that carries a token was sent twice, so that its order would pick the user."""
        sent = Counter(pair.partition("=")[0].strip() for pair in request.headers.get("Cookie", "").split(";"))
        return any(sent[name] > 1 for name in names)
