from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.reconcile.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An operator and a cluster for handlers that are tested without kopf."""
    async with a_world(tmp_path) as made:
        yield made
