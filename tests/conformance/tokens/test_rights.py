"""What a token says that its holder may do."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.tokens.rights import rights_in


@pytest.mark.parametrize(
    ("claims", "rights"),
    [
        ({"sub": "alice", "exp": 1, "iss": "x"}, set()),
        ({"scope": "read  write"}, {("scope", "read"), ("scope", "write")}),
        ({"scp": ["read", "write"]}, {("scp", "read"), ("scp", "write")}),
        ({"aud": "api"}, {("aud", "api")}),
        ({"aud": ["api", "other"]}, {("aud", "api"), ("aud", "other")}),
        ({"is_admin": False, "roles": [], "permissions": None}, set()),
        ({"is_admin": True, "level": 3}, {("is_admin", "true")}),
        ({"realm_access": {"roles": ["user"]}}, {("realm_access.roles", "user")}),
        (
            {"https://hasura.example/claims": {"x-allowed-roles": ["user"]}},
            {("https://hasura.example/claims.x-allowed-roles", "user")},
        ),
        ({"resource_roles": {"api": {"level": "all"}}}, {("resource_roles.api.level", "all")}),
    ],
    # A set has no order that two processes agree on.
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_members_whose_name_speaks_of_rights_count_with_all_inside(claims: dict[str, Any], rights: set[Any]) -> None:
    """Scopes, roles, audiences and flags count, wherever they stand; times, names and what is off do not."""
    assert rights_in(claims) == rights


def test_the_order_of_rights_does_not_matter() -> None:
    """The same rights in another order, or as another type of list, are the same."""
    assert rights_in({"scope": "a b"}) == rights_in({"scope": "b a"}) == rights_in({"scope": ["a", "b"]})
