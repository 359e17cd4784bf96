from __future__ import annotations

from tests.support.entrypoint import folder, server

__all__ = ["folder", "server"]
