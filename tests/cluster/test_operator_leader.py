"""Two operators, one decides: leadership by Lease on a real API server."""

from __future__ import annotations

import time
from pathlib import Path

from tests.cluster.chart import install_crds
from tests.support.cluster import Cluster
from tests.support.operator import OperatorProcess

LEASE = ("lease", "kiro-swarm-operator")


def test_a_standby_takes_over_from_a_killed_leader(
    api_server: Cluster, tmp_path: Path
) -> None:
    install_crds(api_server)
    api_server.kubectl("create", "namespace", "leaders")
    both = {
        name: OperatorProcess(
            api_server.kubeconfig,
            tmp_path / f"{name}.log",
            *("--leader-namespace", "leaders", "--identity", name),
        )
        for name in ("ann", "bob")
    }

    def holder() -> str:
        found = api_server.kubectl(
            *("-n", "leaders", "get", *LEASE),
            "--output=jsonpath={.spec.holderIdentity}",
            check=False,
        )
        return found.stdout

    def wait_for(name: str, seconds: float) -> float:
        began = time.monotonic()
        while holder() != name:
            assert (
                time.monotonic() - began < seconds
            ), f"{name} did not lead within {seconds} s: {both[name].text()[-2000:]}"
            time.sleep(0.2)
        return time.monotonic() - began

    both["ann"].start()
    wait_for("ann", 30)
    both["bob"].start()
    try:
        both["ann"].kill()
        wait_for("bob", 40)
        spec = api_server.get("-n", "leaders", *LEASE)["spec"]
        assert spec["leaseTransitions"] == 1
        # A leader that stops in peace lets go at once: nobody waits for the expiry.
        both["ann"].start()
        time.sleep(2)
        assert both["bob"].stop() == 0
        assert wait_for("ann", 10) < 10
    finally:
        for process in both.values():
            if process.running():
                process.kill()
