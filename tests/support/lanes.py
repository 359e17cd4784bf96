"""Which worker of pytest-xdist takes which tests, so that those that wait run beside the busy.

Asked by the hook in tests/conftest.py when ``hack/test`` runs several workers. Guarantees:
every test is run once, by one worker, and tests that share the fixtures of a file stay
together and in their order. Each worker has a part of tests/ that it takes first and goes
over to the others when that is done: one is busy with unit tests while others wait for
clusters, and nobody is idle while there is work. Within a part what took longest the last
time (tests/times.json) is begun first, so that the end does not wait for one long file.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence, Tuple

import pytest
from xdist.scheduler import LoadScopeScheduling

from hack.lib import times

ROOT = Path(__file__).resolve().parents[2]
#: What the workers gw0, gw1, ... take first, second, third; the fourth is as the first.
ORDERS: Sequence[Tuple[str, ...]] = (
    ("e2e", "cluster", "unit"),
    ("cluster", "e2e", "unit"),
    ("unit", "cluster", "e2e"),
)


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Whole files to workers, each worker's own part first."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        number = int(node.gateway.id[len("gw") :])
        chosen = choose(self.workqueue, number, times.recorded())
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def scope_of(nodeid: str) -> str:
    """What of a test's id names the tests that stay together.

    A file; but an e2e test whose file has no fixture of its own for all its tests goes alone.
    """
    file, _, test = nodeid.partition("::")
    if part_of(file) == "e2e" and not _shares(file):
        return f"{file}::{test.partition('[')[0]}"
    return file


def choose(waiting: Iterable[str], worker: int, known: Mapping[str, float]) -> str:
    """What this worker takes next of the scopes that wait."""
    order = ORDERS[worker % len(ORDERS)]

    def rank(scope: str) -> Tuple[int, float]:
        part, file = part_of(scope), scope.partition("::")[0]
        place = order.index(part) if part in order else len(order)
        # A file that nobody knows yet may be long.
        return place, -known.get(file, float("inf"))

    return min(waiting, key=rank)


def part_of(nodeid: str) -> str:
    """ "unit" of "tests/unit/test_layers.py"."""
    names = nodeid.split("/")
    return names[1] if len(names) > 1 else ""


@functools.cache
def _shares(file: str) -> bool:
    return 'scope="module"' in (ROOT / file).read_text(encoding="utf-8")


def arranged(config: pytest.Config, log: Any) -> Lanes:
    """The scheduler, for the hook."""
    return Lanes(config, log)
