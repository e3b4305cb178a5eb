"""The deployed server under load, also while what it is made of is taken away, piece by piece."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.deployment.stores import away
from tests.hostile.command import CREDENTIALS, clean
from tests.load.test_load import broken, load, looked_at

if TYPE_CHECKING:
    from tests.deployment.conftest import Deploy
    from tests.deployment.deployed import Deployment
    from tests.deployment.stores import Stores

LOAD = ("--users", "30", "--spawn-rate", "30", "--think", "0.2")
SEEN = {"own-data", "live-token-serves", "dead-token-refused", "one-winner", "logout-stands"}


def test_under_load_every_promise_is_kept(deployed: Deployment, tmp_path: Path) -> None:
    """Four workers on PostgreSQL and Redis have no race to lose."""
    ended = load(deployed.url, *LOAD, "--duration", "8s", folder=tmp_path)

    assert ended.code == 0, ended.said
    assert looked_at(ended.report) >= SEEN


def test_what_was_revoked_stays_so_whatever_is_taken_away(deploy: Deploy, stores: Stores, tmp_path: Path) -> None:
    """A worker is killed, the database restarted, Redis gone: nothing comes back, no session forks, 503 at worst."""
    deployment = deploy()
    command = [str(Path(sys.executable).with_name("jwt-conformance")), "load", deployment.url, *LOAD]
    command += ["--duration", "20s", "--allow-unavailable", "--report-json", "report.json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=clean(**CREDENTIALS), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        assert "requests/s" in process.stdout.readline()
        assert deployment.process
        psutil.Process(deployment.process.pid).children()[0].kill()
        time.sleep(3)
        with away(stores.postgres):
            time.sleep(1)
        time.sleep(3)
        with away(stores.redis):
            time.sleep(2)
        out, _ = process.communicate(timeout=90)

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert broken(report) == set(), out
    assert process.returncode == 0, out
    assert looked_at(report) >= SEEN
    # Of what was taken away, something was noticed.
    assert report["routes"][-1]["failures"]
    deployment.wait_for(200)
