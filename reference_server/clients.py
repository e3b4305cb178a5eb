"""OAuth clients: the programs that act for a user, each with a secret of its own."""

from __future__ import annotations

import hmac


class Clients:
    """The clients that are registered. Their secrets are random, so they need no slow hash."""

    def __init__(self, registered: tuple[tuple[str, str], ...]) -> None:
        """Know these clients, by id and secret."""
        self._secrets = dict(registered)

    @property
    def own(self) -> str | None:
        """The client that `/login` belongs to: the first, where there is one."""
        return next(iter(self._secrets), None)

    def authentic(self, client_id: str, secret: str) -> bool:
        """Whether there is such a client and this is its secret; an unknown one takes as long to refuse."""
        known = self._secrets.get(client_id)
        same = hmac.compare_digest((known or "").encode(), secret.encode("utf-8", "surrogatepass"))
        return same and bool(known)
