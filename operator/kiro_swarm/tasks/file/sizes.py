"""How large a task file may be. Its own module, for who reads one from git needs no model."""

from __future__ import annotations

from typing import Final

#: No task file may be larger: 4 MiB, far more than ``api.graph.MAX_TASKS``.
MAX_BYTES: Final = 4 * 1024 * 1024
