"""What all tests share: where the cluster fixtures come from, and marks by folder."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import List

import pytest

pytest_plugins = ["tests.support.cluster"]

TESTS = Path(__file__).parent


def pytest_configure() -> None:
    """Let Ctrl-C work in the programs that tests start.

    Whoever is started by a script in the background inherits that it is ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Mark every test by its part, so that `-m "not e2e"` works without a line a file."""
    for item in items:
        part = item.path.relative_to(TESTS).parts[0]
        if part in ("cluster", "e2e"):
            item.add_marker(part)
