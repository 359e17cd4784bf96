"""A fake API server, and a swarm's volume with real git in it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.entrypoint import Entrypoint, entrypoint
from tests.support.fake_api import client_of, fake_api
from tests.unit.jobs.work import Job
from tests.unit.workspace.repositories import Swarm


@pytest.fixture
async def job(tmp_path: Path) -> AsyncIterator[Job]:
    """Where a Job runs: a mirror is not made yet."""
    (tmp_path / "volume").mkdir()
    async with fake_api() as api, client_of(api, tmp_path) as client:
        yield Job(api, client, Swarm(tmp_path / "volume"), tmp_path)


@pytest.fixture(scope="module")
def gate() -> Iterator[Entrypoint]:
    """The gate container: a real agent entrypoint."""
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as name,
        entrypoint(Path(name)) as running,
    ):
        yield running
