"""How the kubelet finds out whether a runner is well."""

from __future__ import annotations

from tests.unit.reconcile.test_pods import containers, pods


def test_a_runner_that_begins_slowly_is_not_ended_for_it() -> None:
    """On a busy node 30 s were too few, and it hears no SIGTERM before it listens."""
    runner = containers(pods()["instance"])["runner"]
    begins, alive = runner["startupProbe"], runner["livenessProbe"]
    assert begins["httpGet"] == alive["httpGet"]
    assert begins["periodSeconds"] * begins["failureThreshold"] >= 120
    assert begins["periodSeconds"] <= 2, "it is ready no sooner"
