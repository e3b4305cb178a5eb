"""Faults in plain HTTP manners: methods, headers, framing and redirects."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped] # waitress has no hints
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.headers import AnswerHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable


class Leniency(ErrorPresenter):
    """Answers some of what the router refuses."""

    def http_error(self, error: HTTPException) -> Response:
        """Leave the rest as it is."""
        return self.instead(error) or super().http_error(error)

    def instead(self, error: HTTPException) -> Response | None:
        """The answer; None where the router's refusal stands."""
        raise NotImplementedError


def _as_the_view_would(name: str) -> Response:
    """What the route's own view answers to this request, whatever its method."""
    try:
        answer: Any = current_app.view_functions[f"reference.{name}"]()
    except Exception as refused:  # noqa: BLE001 - as Flask does
        answer = current_app.handle_user_exception(refused)
    return current_app.make_response(answer)


# -- Methods ---------------------------------------------------------------------------------------------------------


@fault(
    "method-refused-without-allow",
    "HTTP-01",
    seen="common where a handler of one's own words the framework's errors as JSON and drops their headers",
)
class AllowDropped(ErrorPresenter):
    """Answers 405 without saying which methods there are."""

    def http_error(self, error: HTTPException) -> Response:
        """Keep status and message only."""
        response = super().http_error(error)
        response.headers.pop("Allow", None)
        return response


@fault(
    "method-refused-with-wrong-allow",
    "HTTP-01",
    seen="common where Allow is written by hand, once for all routes",
)
class AllowByHand(ErrorPresenter):
    """Says at every route that GET and HEAD are allowed."""

    def http_error(self, error: HTTPException) -> Response:
        """Replace the router's list."""
        response = super().http_error(error)
        if "Allow" in response.headers:
            response.headers["Allow"] = "GET, HEAD"
        return response


@fault(
    "wrong-method-at-login-crashes",
    "HTTP-01",
    seen="common where a catch-all handler, such as Spring's @ExceptionHandler(Exception.class), answers 500 to a 405",
)
class CatchAll(Leniency):
    """Answers 500 to a wrong method at the login."""

    def instead(self, error: HTTPException) -> Response | None:
        """Take every exception for a crash."""
        if isinstance(error, MethodNotAllowed) and request.path == "/login":
            return self.render(500, "server_error", "The server failed to answer")
        return None


@fault(
    "any-method-opens-profile",
    "HTTP-01",
    seen="OWASP WSTG-CONF-06 tests for it: arbitrary methods that are handled like GET",
)
class MethodBlind(Leniency):
    """Shows the profile to any method that it does not know."""

    def instead(self, error: HTTPException) -> Response | None:
        """Treat an unknown method as GET."""
        known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TRACK"}
        if isinstance(error, MethodNotAllowed) and request.path == "/profile" and request.method not in known:
            return _as_the_view_would("profile")
        return None


@fault(
    "get-logs-in",
    "HTTP-02",
    seen="common where one handler takes all methods: app.all in Express, @RequestMapping without method in Spring",
)
class LoginByGet(Leniency):
    """Takes a login by GET, with the credentials in a body."""

    def instead(self, error: HTTPException) -> Response | None:
        """Look at the body, whatever the method."""
        if isinstance(error, MethodNotAllowed) and (request.method, request.path) == ("GET", "/login"):
            return _as_the_view_would("login")
        return None


@fault(
    "get-refreshes",
    "HTTP-02",
    seen="common in tutorials that write the refresh as router.get('/refresh')",
)
class RefreshByGet(Leniency):
    """Refreshes by GET."""

    def instead(self, error: HTTPException) -> Response | None:
        """Look at the token, whatever the method."""
        if isinstance(error, MethodNotAllowed) and (request.method, request.path) == ("GET", "/refresh"):
            return _as_the_view_would("refresh")
        return None


@fault(
    "head-spends-the-refresh-token",
    "HTTP-02",
    seen="common where a route for GET changes something: frameworks run the same handler for HEAD",
)
class SpentByHead(Leniency):
    """Rotates the refresh token on HEAD, and drops the new one with the content."""

    def instead(self, error: HTTPException) -> Response | None:
        """Run the handler."""
        if isinstance(error, MethodNotAllowed) and (request.method, request.path) == ("HEAD", "/refresh"):
            return _as_the_view_would("refresh")
        return None


@fault(
    "get-logs-out",
    "HTTP-02",
    seen="Django's LogoutView took GET until it was removed in 5.0, as its release notes say",
)
class LogoutByGet(Leniency):
    """Logs out by GET."""

    def instead(self, error: HTTPException) -> Response | None:
        """Follow the link."""
        if isinstance(error, MethodNotAllowed) and (request.method, request.path) == ("GET", "/logout"):
            return _as_the_view_would("logout")
        return None


class OddHead(AnswerHeaders):
    """Answers HEAD at the profile in another way than GET, where the token is good."""

    def complete(self, response: Response) -> Response:
        """Leave GET, other routes and refusals alone."""
        response = super().complete(response)
        odd = request.method == "HEAD" and request.path == "/profile" and response.status_code == HTTPStatus.OK
        return self.change(response) if odd else response

    def change(self, response: Response) -> Response:
        """What HEAD gets."""
        raise NotImplementedError


@fault(
    "head-is-not-found",
    "HTTP-03",
    seen="common where a hand-written router compares the method with GET",
)
class HeadNotFound(OddHead):
    """Answers 404 to HEAD where GET gets 200."""

    def change(self, response: Response) -> Response:
        """Know no such route."""
        response.status_code = HTTPStatus.NOT_FOUND
        return response


class _Talkative(Response):
    """Sends its content even to HEAD."""

    def get_app_iter(self, environ: Any) -> Iterable[bytes]:  # noqa: ARG002 - whatever was asked
        """All of it."""
        return self.iter_encoded()


@fault(
    "head-gets-content",
    "HTTP-03",
    seen="common where a handler writes to the socket by itself and does not look at the method",
)
class HeadWithContent(OddHead):
    """Sends HEAD the content as well."""

    def change(self, response: Response) -> Response:
        """Forget that it is HEAD."""
        return _Talkative(response.get_data(), response.status_code, response.headers)


@fault(
    "head-has-another-type",
    "HTTP-03",
    seen="common where HEAD is answered before the handler has set its headers",
)
class HeadOfAnotherType(OddHead):
    """Declares another type for HEAD than for GET."""

    def change(self, response: Response) -> Response:
        """Fall back to the framework's own."""
        response.mimetype = "text/html"
        return response


@fault(
    "trace-echoes-the-request",
    "HTTP-06",
    seen="WSTG-CONF-06: servers with TRACE left on, as Apache httpd's TraceEnable is by default",
)
class Trace(Leniency):
    """Answers TRACE with the request, headers and all."""

    def instead(self, error: HTTPException) -> Response | None:
        """Do as RFC 9110 §9.3.8 describes, and leave nothing out."""
        if isinstance(error, MethodNotAllowed) and request.method == "TRACE":
            return Response(f"TRACE {request.path} HTTP/1.1\r\n{request.headers}", mimetype="message/http")
        return None


@fault(
    "refused-method-is-printed",
    "HTTP-06",
    seen="common in error pages for developers, which list the headers of the request",
)
class PrintedRequest(Leniency):
    """Shows the request's headers in the refusal of a method that it does not know."""

    def instead(self, error: HTTPException) -> Response | None:
        """Help with debugging."""
        if isinstance(error, MethodNotAllowed) and request.method == "TRACK":
            headers = {"Allow": ", ".join(error.valid_methods or ())}
            return self.render(405, "method_not_allowed", f"Cannot handle {dict(request.headers)}", headers)
        return None


# -- Headers ---------------------------------------------------------------------------------------------------------


@fault(
    "wrong-password-without-challenge",
    "HTTP-04",
    seen="common: whoever writes a login's 401 by hand thinks of status and message only",
)
class LoginUnchallenged(ErrorPresenter):
    """Answers 401 to a wrong password without WWW-Authenticate."""

    def bad_login(self) -> Response:
        """Set the status only."""
        response = super().bad_login()
        del response.headers["WWW-Authenticate"]
        return response


@fault(
    "refresh-refused-without-challenge",
    "HTTP-04",
    seen="Flask-JWT-Extended's own refusals carry no WWW-Authenticate",
)
class RefreshUnchallenged(ErrorPresenter):
    """Answers 401 without WWW-Authenticate at the refresh."""

    def bad_token(self, message: str) -> Response:
        """Set the status only."""
        response = super().bad_token(message)
        if request.path == "/refresh":
            del response.headers["WWW-Authenticate"]
        return response


@fault(
    "logout-refused-without-challenge",
    "HTTP-04",
    seen="common where the logout is written apart from the protected routes",
)
class LogoutUnchallenged(ErrorPresenter):
    """Answers 401 without WWW-Authenticate to a logout without credentials."""

    def no_token(self) -> Response:
        """Set the status only."""
        response = super().no_token()
        if request.path == "/logout":
            del response.headers["WWW-Authenticate"]
        return response


class OddAnswers(AnswerHeaders):
    """Says other things about some answers."""

    def complete(self, response: Response) -> Response:
        """Begin with what is right."""
        response = super().complete(response)
        self.change(response)
        return response

    def change(self, response: Response) -> None:
        """What is said instead."""
        raise NotImplementedError


@fault(
    "refresh-declared-as-html",
    "HTTP-05",
    seen="common in Express: res.send(JSON.stringify(...)) declares text/html",
)
class RefreshAsHtml(OddAnswers):
    """Declares the answer to a refresh as HTML."""

    def change(self, response: Response) -> None:
        """Leave other routes and refusals alone."""
        if request.path == "/refresh" and response.status_code == HTTPStatus.OK:
            response.mimetype = "text/html"


@fault(
    "login-refusal-without-type",
    "HTTP-05",
    seen="common with Node's http: res.end(JSON.stringify(...)) declares nothing",
)
class UntypedRefusal(OddAnswers):
    """Declares no type for the refusal of a login."""

    def change(self, response: Response) -> None:
        """Leave other routes and successes alone."""
        if request.path == "/login" and response.status_code == HTTPStatus.UNAUTHORIZED:
            del response.headers["Content-Type"]


@fault(
    "type-copied-from-accept",
    "HTTP-05",
    "CORS-02",
    seen="common where content negotiation sets the header and leaves the content as it is",
)
class TypeFromAccept(OddAnswers):
    """Declares the dashboard as whatever type the client likes best."""

    def change(self, response: Response) -> None:
        """Copy it."""
        wanted = request.headers.get("Accept", "").partition(",")[0]
        if request.path == "/profile" and wanted and "*" not in wanted:
            response.headers["Content-Type"] = wanted


@fault(
    "dashboard-begins-with-bom",
    "HTTP-05",
    seen="common where a file or template that was saved with a byte order mark becomes part of the answer",
)
class MarkedDashboard(OddAnswers):
    """Puts a byte order mark before the dashboard's JSON."""

    def change(self, response: Response) -> None:
        """Leave other routes and refusals alone."""
        if request.path == "/dashboard" and response.status_code == HTTPStatus.OK:
            response.set_data(b"\xef\xbb\xbf" + response.get_data())


@fault(
    "sniffing-allowed",
    "HTTP-08",
    seen="common: neither Flask nor Express nor FastAPI sends X-Content-Type-Options by itself",
)
class Sniffable(OddAnswers):
    """Lets browsers guess the type of an answer."""

    def change(self, response: Response) -> None:
        """Say nothing about it."""
        del response.headers["X-Content-Type-Options"]


@fault(
    "refusals-may-be-framed",
    "HTTP-08",
    seen="common with nginx, whose add_header leaves error answers out unless it says always",
)
class Framable(OddAnswers):
    """Lets browsers show refusals in a frame."""

    def change(self, response: Response) -> None:
        """Leave successes alone."""
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            response.headers["Content-Security-Policy"] = "img-src 'self'"


@fault(
    "address-is-passed-on",
    "HTTP-08",
    seen="common where Referrer-Policy is set to unsafe-url for the sake of statistics",
)
class Referring(OddAnswers):
    """Tells browsers to pass whole addresses on to everybody."""

    def change(self, response: Response) -> None:
        """Say so."""
        response.headers["Referrer-Policy"] = "unsafe-url"


# -- Redirects -------------------------------------------------------------------------------------------------------


@fault(
    "slash-redirects-the-login",
    "HTTP-09",
    seen="FastAPI and Starlette, whose redirect_slashes is on by default, answer 307 to a slash too many",
)
class SlashRedirect(Leniency):
    """Redirects a login with a slash at its end, so that clients send it again."""

    def instead(self, error: HTTPException) -> Response | None:
        """Do as Starlette's router does."""
        if isinstance(error, NotFound) and request.path == "/login/":
            return Response(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": f"{request.host_url}login"})
        return None


@fault(
    "doubled-slash-redirects-the-refresh",
    "HTTP-09",
    seen="Werkzeug and so Flask, whose merge_slashes is on by default, answer 308 to a doubled slash inside a path",
)
class MergedSlashes(AnswerHeaders):
    """Redirects a refresh whose first slash is doubled, so that clients send it again."""

    def complete(self, response: Response) -> Response:
        """Look at what was sent: waitress drops all but one of the slashes at the beginning."""
        if request.environ.get("REQUEST_URI") == "//refresh":
            response = Response(
                status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"{request.host_url}refresh"}
            )
        return super().complete(response)


@fault(
    "login-names-an-address-with-the-token",
    "HTTP-09",
    seen="common after a login through a third party: the application is sent to /#access_token=... or /?token=...",
)
class TokenInAddress(OddAnswers):
    """Names, with a login, an address to go on to that holds the access token."""

    def change(self, response: Response) -> None:
        """Append it."""
        if request.path == "/login" and response.status_code == HTTPStatus.OK:
            response.headers["Refresh"] = f"0; url=/profile?access_token={(response.json or {}).get('access_token')}"


# -- Framing ---------------------------------------------------------------------------------------------------------


class OddFraming(HTTPRequestParser):  # type: ignore[misc] # waitress has no hints
    """Reads messages that should be refused, by changing their headers into good ones."""

    def parse_header(self, header_plus: bytes) -> None:
        """Change the bytes first."""
        super().parse_header(self.read(header_plus))

    def read(self, header: bytes) -> bytes:
        """What it takes the headers for."""
        raise NotImplementedError


@fault(
    "content-length-beats-chunked",
    "HTTP-07",
    seen="common in hand-written servers; it is the TE.CL half of request smuggling",
)
class LengthFirst(OddFraming):
    """Overlooks Transfer-Encoding where there is a Content-Length."""

    def read(self, header: bytes) -> bytes:
        """Drop the one."""
        if b"content-length:" in header.lower():
            return re.sub(rb"(?i)\r\ntransfer-encoding:[^\r]*", b"", header)
        return header


@fault(
    "first-content-length-counts",
    "HTTP-07",
    seen="common where headers are kept in a map that takes the first, or the last, of the same name",
)
class FirstLength(OddFraming):
    """Takes the first of several Content-Lengths."""

    def read(self, header: bytes) -> bytes:
        """Drop the others."""
        first, found, rest = re.split(rb"(?i)(\r\ncontent-length:)", header, maxsplit=1) if _has_length(header) else (
            header, b"", b"")  # fmt: skip
        return first + found + re.sub(rb"(?i)\r\ncontent-length:[^\r]*", b"", rest)


@fault(
    "signed-content-length-is-read",
    "HTTP-07",
    seen="Java's Long.parseLong takes a sign, so that the JDK's own HttpServer (17) reads +4 as 4",
)
class SignedLength(OddFraming):
    """Takes a Content-Length with a plus sign."""

    def read(self, header: bytes) -> bytes:
        """Parse it as a number."""
        return re.sub(rb"(?i)(\r\ncontent-length: *)\+", rb"\1", header)


@fault(
    "nul-in-the-token-is-dropped",
    "HTTP-07",
    seen="RFC 9110 §5.5 warns of recipients that parse such values in different ways",
)
class NulDropped(OddFraming):
    """Drops NUL from header values."""

    def read(self, header: bytes) -> bytes:
        """Read on behind it."""
        return header.replace(b"\0", b"")


def _has_length(header: bytes) -> bool:
    return b"\r\ncontent-length:" in header.lower()
