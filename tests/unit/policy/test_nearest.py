"""The nearest name: as near as before for names of usual length, and never slow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kiro_swarm.policy.nearest import nearest
from kiro_swarm.reconcile.commands.executors.find import not_there
from tests.support.pace import measured

IDS = [f"{number // 100}.{number % 100}" for number in range(10_000)]


@pytest.mark.parametrize(
    ("wanted", "names", "found"),
    [
        ("demo-4", ["demo-1", "demo-3"], "demo"),
        ("7.4", ["1", "7.1", "7.2"], "7."),
        ("tsep-12", ["stop-1", "step-12", "other"], "step-12"),
        ("build-thee-parser", ["write-docs", "build-the-parser"], "build-the-parser"),
        ("12.34x", IDS, "12.34"),
        ("99.999", IDS, "99.99"),
    ],
)
def test_a_slip_is_found(wanted: str, names: list[str], found: str) -> None:
    assert nearest(wanted, names)[0].startswith(found)


def test_what_is_like_nothing_has_no_nearest() -> None:
    assert nearest("zzz", ["1", "2"]) == []
    assert nearest("", []) == []
    assert nearest("x", []) == []


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("99.999x", IDS),
        (
            ("tsep-of-the-great-plan-for-all-of-us-" * 5)[:128],
            [
                (f"step-{n}-" + "of-the-great-plan-for-all-of-us-" * 4)[:120]
                for n in range(10_000)
            ],
        ),
        ("ab" * 64, [f"{'ba' * 57}-{n:05}" for n in range(10_000)]),
        ("a" * 128, [f"{'a' * 60}{n:05}{'a' * 60}" for n in range(10_000)]),
        ("x" * 4096, ["y" * 3000 + str(n) for n in range(2000)]),
    ],
)
def test_whatever_the_names_are_the_others_do_not_wait(
    wanted: str, names: list[str]
) -> None:
    """Letter by letter it took 3.2 s of the event loop for ten thousand names of a task."""
    request: Any = SimpleNamespace(view=SimpleNamespace(name="demo", status={}))
    taken = measured(lambda: not_there(request, "task", wanted, names)).seconds
    assert taken < 0.5
