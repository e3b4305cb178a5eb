"""Published keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.scenarios.published import key_sets, keys_in

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})


def test_jwks_02(target: Trial) -> None:
    """No place where keys are published holds private or symmetric key material."""
    # That nothing is found there shows something only of a server that answers at all.
    with target.bracket(target.protected_routes[0]):
        found = key_sets(target)
    for exchange in found:
        private = sorted({name for key in keys_in(exchange) for name in PRIVATE_MEMBERS & set(key)})
        symmetric = any(key.get("kty") == "oct" for key in keys_in(exchange))
        for name in private:
            for key in keys_in(exchange):
                if isinstance(key.get(name), str):
                    target.target.redactor.add(key[name], "private key material")
        target.expect(
            not private and not symmetric,
            f"the keys at {exchange.request.path}",
            expected="public keys, or nothing",
            observed=f"members of a private key: {', '.join(private)}" if private else "a symmetric key",
            shown_by=[("key set", exchange)],
        )
