"""What the gates of a Job may use, and what the next Job hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.reconcile.objects.job_pods import integrate_job
from tests.unit.reconcile.test_pods import (
    FULL,
    SETTINGS,
    Object,
    containers,
    pods,
    swarm,
)

LOCAL = "ephemeral-storage"


def test_the_next_job_is_told_of_an_eviction() -> None:
    item, spec = swarm()
    told = {"name": "KIRO_EVICTED", "value": "true"}
    for evicted in (True, False):
        job = integrate_job(item, spec, 8, SETTINGS, evicted=evicted)
        main = containers(job["spec"]["template"]["spec"])["main"]
        assert (told in main["env"]) == evicted


@pytest.mark.parametrize("kind", ["instance", "integrate", "sync"])
def test_what_foreign_code_may_fill_has_a_bound(kind: str) -> None:
    def room(**changes: Any) -> Object:
        volumes = {
            volume["name"]: volume for volume in pods(**changes)[kind]["volumes"]
        }
        return volumes["scratch"]["emptyDir"]["sizeLimit"]

    assert room() == "20Gi"
    template = {**FULL["template"], "resources": {"limits": {LOCAL: "3Gi"}}}
    assert room(template=template) == "3Gi"
