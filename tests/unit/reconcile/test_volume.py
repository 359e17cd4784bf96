"""A person is told how full the volume is, and before it is full."""

from __future__ import annotations

import pytest

from kiro_swarm.policy.conditions import find
from kiro_swarm.reconcile.swarms.integrate import Train
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import differs, swarm_status
from tests.unit.reconcile.executors.jobs_of import owned
from tests.unit.reconcile.surroundings import Object
from tests.unit.reconcile.test_head import scene, view

_MIB = 1024 * 1024
DONE = Prepared(True, "Prepared", "", 1)


def _train(used: int, size: int) -> Train:
    report: Object = {"head": "a" * 40, "volumeUsed": used, "volumeSize": size}
    return Train(1, running=False, ok=True, report=report)


@pytest.mark.parametrize(
    ("used", "size", "status", "reason"),
    [
        (800, 1000, "False", "RoomLeft"),
        (801, 1000, "True", "VolumeAlmostFull"),
        (1000, 1000, "True", "VolumeAlmostFull"),
        (0, 1000, "False", "RoomLeft"),
    ],
)
def test_a_volume_that_fills_is_told_with_figures(
    used: int, size: int, status: str, reason: str
) -> None:
    made = swarm_status(view(scene()), DONE, _train(used * _MIB, size * _MIB))
    found = find(made["conditions"], "VolumeFilling")
    assert found is not None
    assert (found["status"], found["reason"]) == (status, reason)
    assert f"{used} of {size} MiB" in found["message"]
    assert made["volume"] == {"usedBytes": used * _MIB, "sizeBytes": size * _MIB}


def test_what_was_said_once_stays_and_a_few_bytes_are_no_news() -> None:
    first = swarm_status(view(scene()), DONE, _train(10 * _MIB, 100 * _MIB))
    again = swarm_status(view(scene()), DONE, _train(10 * _MIB + 99, 100 * _MIB))
    assert not differs(first, again)
    silent = swarm_status(view(scene()), DONE, Train(1, running=False, ok=True))
    assert "volume" not in silent
    assert find(silent["conditions"], "VolumeFilling") is None


def test_a_swarm_that_asks_for_approvals_is_told_of_its_volume_too() -> None:
    made = owned(integration={"push": "Always", "approval": "Required"})
    status = swarm_status(view(made), DONE, _train(900 * _MIB, 1000 * _MIB))
    types = {condition["type"] for condition in status["conditions"]}
    assert {"ApprovalNeeded", "VolumeFilling"} <= types
