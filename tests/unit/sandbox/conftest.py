from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sandbox.support import Entrypoint, entrypoint


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket has 107 characters."""
    with tempfile.TemporaryDirectory(prefix="kiro-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def server() -> Iterator[Entrypoint]:
    """One for all tests of a module: a request must leave nothing for the next."""
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as name,
        entrypoint(Path(name)) as running,
    ):
        yield running
