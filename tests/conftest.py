"""Settings that hold for all of the project's own tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The tests share two cores: how long drawing an example takes says nothing.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
