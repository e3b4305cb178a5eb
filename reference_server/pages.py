"""What the two protected resources, the key set and the metadata show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_server.accounts import Account
    from reference_server.keyring import Keyring
    from reference_server.keys import SigningKey
    from reference_server.sessions import Sessions


class Pages:
    """The data behind `/profile`, `/dashboard` and what is published below `/.well-known`."""

    def __init__(self, sessions: Sessions, keys: Keyring) -> None:
        """Show sessions from `sessions`, and publish `keys`."""
        self.sessions = sessions
        self.keys = keys

    @property
    def key(self) -> SigningKey:
        """The key that signs now."""
        return self.keys.signing()

    def profile(self, account: Account) -> dict[str, Any]:
        """What an account may read about itself."""
        return {"username": account.name}

    def dashboard(self, account: Account, now: int) -> dict[str, Any]:
        """A second protected resource, so that "every protected route" is a list from the start."""
        return {"username": account.name, "sessions": self.sessions.count(account.id, now)}

    def key_set(self) -> dict[str, Any]:
        """The JWK Set: public keys only (RFC 7517 §5)."""
        return {"keys": [key.jwk for key in self.keys.published()]}

    def metadata(self, issuer: str, key_set_url: str) -> dict[str, Any]:
        """What a client may want to know beforehand (RFC 8414 §2), as far as this server has it."""
        return {"issuer": issuer, "jwks_uri": key_set_url}
