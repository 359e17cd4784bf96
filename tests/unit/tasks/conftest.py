"""Property tests of this room have no deadline per example: CI machines are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tasks", deadline=None)
settings.load_profile("tasks")
