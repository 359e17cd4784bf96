"""Fixtures of the workspace tests: real git in a temporary folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.workspace.ahead import Bench
from tests.unit.workspace.poison import Canary
from tests.unit.workspace.repositories import Swarm


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirrored upstream repository, made once."""
    made = Swarm(tmp_path_factory.mktemp("prepared"))
    made.prepare()
    return made.top


@pytest.fixture
def swarm(prepared: Path, tmp_path: Path) -> Swarm:
    """A copy of it for one test."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Swarm(tmp_path)


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    """Tells whether planted code was run."""
    return Canary(tmp_path)


@pytest.fixture
def bench(swarm: Swarm) -> Bench:
    """An attempt at a task, and others."""
    return Bench(swarm)
