"""What faults in finished answers are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from flask import Flask, Response


class Answers(TokenVerifier):
    """Changes answers on their way out, whoever made them.

    The verifier checks as ever: of all collaborators it is the one that gets hold of the application.
    """

    def init_app(self, app: Flask, add_context_processor: bool = False) -> None:
        """Have the last word: the functions that are registered first run last."""
        super().init_app(app, add_context_processor)
        self.add_routes(app)

        @app.after_request
        def last(response: Response) -> Response:
            self.touch(response)
            return response

    def add_routes(self, app: Flask) -> None:
        """Make room for addresses that a healthy server does not have."""

    def touch(self, response: Response) -> None:
        """Change an answer."""
