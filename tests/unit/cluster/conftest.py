from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiro_swarm.cluster.client import Client
from tests.support.fake_api import FakeApi, client_of, fake_api


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with fake_api() as running:
        yield running


@pytest.fixture
async def client(api: FakeApi, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(api, tmp_path) as made:
        yield made
