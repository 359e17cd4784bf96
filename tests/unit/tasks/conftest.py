"""Property tests of this package have no deadline per example: CI machines are shared."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tasks", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tasks")
