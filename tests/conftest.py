"""What all tests share: where the cluster fixtures come from, and marks by folder."""

from __future__ import annotations

import gc
import signal
from pathlib import Path
from typing import Any, List, Optional

import pytest
from hypothesis import HealthCheck, settings

from tests.support import edges

pytest_plugins = ["tests.support.cluster", "tests.support.sizes"]

TESTS = Path(__file__).parent

# How long one example takes says how busy the machine is. What has to be quick counts its
# steps, or is in tests/bench; what a file takes is judged by hack/verify-times.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


def pytest_configure() -> None:
    """Let Ctrl-C work in the programs that tests start.

    Whoever is started by a script in the background inherits that it is ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(
    collection_path: Path, config: pytest.Config
) -> Optional[bool]:
    """Where only the edges are asked for, import no file that has none."""
    if config.option.markexpr != "edge" or collection_path.suffix != ".py":
        return None
    return None if edges.runs_between(collection_path) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: List[pytest.Item]
) -> None:
    """Mark every test by its part, so that ``-m "not e2e"`` works without a line a file.

    Those at the edge only for who asks: that reads all our sources.
    """
    by_edge = "edge" in config.option.markexpr
    for item in items:
        part = item.path.relative_to(TESTS).parts[0]
        if part in ("cluster", "e2e"):
            item.add_marker(part)
        elif by_edge and edges.runs_between(item.path):
            item.add_marker("edge")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Have the garbage collector look no more through what stays: all tests, all modules.

    With twelve thousand tests each full pass takes longer than many a test.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests that wait beside tests that are busy."""
    from tests.support import lanes

    return lanes.arranged(config, log)
