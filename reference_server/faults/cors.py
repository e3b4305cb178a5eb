"""Faults in what other sites may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import after_this_request

from reference_server.credentials import RequestReader
from reference_server.faults import fault

if TYPE_CHECKING:
    from flask import Request, Response


class CrossOrigin(RequestReader):
    """Lets pages of other sites read its answers with credentials, as far as it trusts their origin."""

    def bearer_token(self, request: Request) -> str | None:
        """Look at the origin, and have the headers added."""
        origin = request.headers.get("Origin", "")
        if origin and self.trusts(origin, request):

            @after_this_request
            def grant(response: Response) -> Response:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Allow-Credentials"] = "true"
                response.headers["Vary"] = "Origin"
                return response

        return super().bearer_token(request)

    def trusts(self, origin: str, request: Request) -> bool:
        """Whether to grant this origin what the request asks for."""
        raise NotImplementedError


@fault(
    "every-origin-is-trusted",
    "CORS-01",
    seen="F3-Nation/f3-nation issue 361; Starlette with allow_origins=['*'] beside allow_credentials=True",
)
class Reflected(CrossOrigin):
    """Repeats any origin, with credentials."""

    def trusts(self, origin: str, request: Request) -> bool:  # noqa: ARG002 - whatever they are
        """Always."""
        return True


@fault(
    "preflights-trust-every-origin",
    "CORS-01",
    seen="common where preflights are answered by a gateway with a rule of its own",
)
class ReflectedInPreflights(CrossOrigin):
    """Repeats any origin, with credentials, in answers to preflights."""

    def trusts(self, origin: str, request: Request) -> bool:  # noqa: ARG002 - whatever it is
        """Look at the method."""
        return request.method == "OPTIONS"


@fault(
    "refresh-trusts-every-origin",
    "CORS-01",
    seen="common where a decorator with the framework's defaults stands on one route, and a list on all others",
)
class ReflectedAtRefresh(CrossOrigin):
    """Repeats any origin, with credentials, at one route."""

    def trusts(self, origin: str, request: Request) -> bool:  # noqa: ARG002 - whatever it is
        """Look at the path."""
        return request.path == "/refresh"


@fault(
    "origin-null-is-trusted",
    "CORS-01",
    seen="jdesrosiers/silex-cors-provider pull request 36: null was the default where no origin matched",
)
class NullOrigin(CrossOrigin):
    """Trusts the origin null, for files on a developer's disk."""

    def trusts(self, origin: str, request: Request) -> bool:  # noqa: ARG002 - wherever it is
        """Only null."""
        return origin == "null"


@fault(
    "origin-is-compared-by-its-beginning",
    "CORS-01",
    seen="common with startswith, and with patterns that have no end",
)
class OriginPrefix(CrossOrigin):
    """Trusts every origin that begins with its own."""

    def trusts(self, origin: str, request: Request) -> bool:
        """Compare as far as its own goes."""
        return origin.startswith(f"{request.scheme}://{request.host}")


@fault(
    "origin-is-compared-by-its-end",
    "CORS-01",
    seen="common with endswith, meant for subdomains, and without the dot",
)
class OriginSuffix(CrossOrigin):
    """Trusts every origin that ends with its own host."""

    def trusts(self, origin: str, request: Request) -> bool:
        """Compare from the end."""
        return origin.endswith(request.host)


@fault(
    "profile-as-a-call",
    "CORS-02",
    seen="common with res.jsonp of Express, and with API frameworks from before CORS",
)
class Jsonp(RequestReader):
    """Wraps the profile into a call of the function that the query names."""

    def bearer_token(self, request: Request) -> str | None:
        """Have the answer wrapped."""
        name = request.args.get("callback", "")
        if name and request.path == "/profile":

            @after_this_request
            def wrap(response: Response) -> Response:
                if response.is_json:
                    response.set_data(
                        f"/**/ typeof {name} === 'function' && {name}({response.get_data(as_text=True)});"
                    )
                    response.content_type = "text/javascript; charset=utf-8"
                return response

        return super().bearer_token(request)


@fault(
    "json-called-a-script",
    "CORS-02",
    seen="common with content negotiation that has JavaScript among the names of JSON",
)
class ScriptType(RequestReader):
    """Calls its JSON a script where the client would rather have one."""

    def bearer_token(self, request: Request) -> str | None:
        """Have the answer renamed."""
        if request.accept_mimetypes.best == "application/javascript":

            @after_this_request
            def rename(response: Response) -> Response:
                if response.is_json:
                    response.content_type = "application/javascript"
                return response

        return super().bearer_token(request)
