"""The strict tier on four workers, PostgreSQL and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deployment.deployed import ACCOUNTS, CLIENTS, new_key
from tests.deployment.operator_hooks import serving
from tests.hostile.command import clean, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.conftest import Deploy

FINDINGS = ("failed", "warned", "noted", "inconclusive", "untested")
ACCESS_S, REFRESH_S = 5, 24
PROFILE = """\
extends = "default"
[lifetimes]
access = {access}
refresh = {refresh}
session = {refresh}
[hooks.provision]
url = "{hooks}"
[hooks.reconfigure]
url = "{hooks}"
"""


def credentials() -> dict[str, str]:
    """Both accounts and both clients, for the suite."""
    names = ("USERNAME", "PASSWORD", "SECOND_USERNAME", "SECOND_PASSWORD")
    accounts = [word for pair in ACCOUNTS.items() for word in pair]
    clients = [word for pair in CLIENTS.items() for word in pair]
    named = zip(("CLIENT_ID", "CLIENT_SECRET", "SECOND_CLIENT_ID", "SECOND_CLIENT_SECRET"), clients, strict=True)
    return {f"CONFORMANCE_{name}": value for name, value in [*zip(names, accounts, strict=True), *named]}


def test_four_workers_keep_every_requirement(deploy: Deploy, tmp_path: Path) -> None:
    """Nothing is found, races included, and nothing that applies is left untested."""
    pem = new_key()
    deployment = deploy(
        REFERENCE_JWT_PRIVATE_KEY=pem,
        REFERENCE_ACCESS_LIFETIME=f"{ACCESS_S}s",
        REFERENCE_REFRESH_LIFETIME=f"{REFRESH_S}s",
        # All guesses of a run, hundreds within seconds, come from one address.
        REFERENCE_ADDRESS_ATTEMPTS="100000",
    )
    with serving(deployment) as hooks:
        profile = PROFILE.format(access=ACCESS_S, refresh=REFRESH_S, hooks=hooks)
        (tmp_path / "profile.toml").write_text(profile, encoding="utf-8")
        env = clean(CONFORMANCE_SIGNING_KEY=pem, **credentials())
        options = ("--tier", "strict", "--intrusive", "--strict", "--target-profile", "profile.toml")
        ended = judge(deployment.url, *options, folder=tmp_path, env=env, bound=300)

    assert ended.code == 0, ended.said
    found = {id_: said for id_, said in ended.verdicts.items() if said in FINDINGS}
    assert found == {}
    assert {ended.verdicts[race] for race in ("RACE-01", "RACE-02", "RACE-03")} == {"passed"}
