"""What machines write to a swarm, and who tries to write it, on a real API server.

Used by ``test_who_may_say_what.py``. Whoever tries holds all rights of RBAC that he needs.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple

from kiro_swarm.api.meta import (
    COMPONENT_AUDIT,
    COMPONENT_LEDGER,
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
)
from tests.cluster.chart import Object, dump
from tests.cluster.kinds import swarm, task
from tests.cluster.people import Town
from tests.support.cluster import Cluster

_RBAC = "rbac.authorization.k8s.io"
#: Name -> kind, name of the object, component, and a patch of it.
_RECORDS: Dict[str, Tuple[str, str, str, Object]] = {
    "lease": ("Lease", "demo-1", "", {"spec": {"holderIdentity": "me"}}),
    "graph": ("ConfigMap", "demo-graph", "", {"data": {"graph": "mine"}}),
    "ledger": ("ConfigMap", "demo-ledger-1", COMPONENT_LEDGER, {"data": {"1": "x"}}),
    "audit": ("ConfigMap", "demo-audit-1", COMPONENT_AUDIT, {"data": {"1": "x"}}),
}
_STATUSES: Dict[str, Tuple[str, str, Object]] = {
    "swarm": ("kiroswarm", "demo", {"status": {"message": "mine"}}),
    "task": ("kirotask", "demo.1", {"status": {"message": "mine"}}),
}


def user(here: Town, writer: str) -> str:
    """The user name of a writer."""
    account = f"system:serviceaccount:{here.home}"
    return {
        "runner of demo": f"{account}:demo-runner",
        "runner of other": f"{account}:other-runner",
        "jobs of demo": f"{account}:demo-jobs",
        "the operator": f"{account}:{here.release}",
    }.get(writer, writer)


@contextmanager
def records(api_server: Cluster, here: Town) -> Iterator[List[str]]:
    """A swarm with a task and its records; everybody has every right to write them."""
    items = [swarm(), task("demo.1")]
    items += [_record(name) for name in _RECORDS]
    rights = list(_rights(here))
    place = ("-n", here.home, "-f", "-")
    api_server.kubectl("apply", *place, input=dump(*rights, *items))
    yield [*_STATUSES, *_RECORDS]
    api_server.kubectl(
        "delete", "--wait=false", *place, input=dump(*rights, *items), check=False
    )


def attempt(
    api_server: Cluster,
    here: Town,
    writer: str,
    what: str,
    patch: Optional[Object] = None,
) -> subprocess.CompletedProcess[str]:
    """Try to write; nothing is stored."""
    if what in _STATUSES:
        kind, name, change = _STATUSES[what]
        more = ["--subresource=status"]
    else:
        kind, name, _, change = _RECORDS[what]
        more = []
    return api_server.kubectl(
        *("patch", kind, name, "-n", here.home, "--type=merge", *more),
        *("--dry-run=server", f"--as={user(here, writer)}"),
        *("-p", json.dumps(patch or change)),
        check=False,
    )


def write(api_server: Cluster, here: Town, writer: str, what: str) -> bool:
    """Whether somebody may; RBAC must not be what refuses."""
    done = attempt(api_server, here, writer, what)
    assert "RBAC" not in done.stderr, done.stderr
    if done.returncode:
        assert f"ValidatingAdmissionPolicy '{here.release}-" in done.stderr, done.stderr
    return done.returncode == 0


def _record(what: str) -> Object:
    kind, name, component, _ = _RECORDS[what]
    labels = {LABEL_SWARM: "demo", LABEL_MANAGED_BY: MANAGED_BY}
    if component:
        labels[LABEL_COMPONENT] = component
    version = "coordination.k8s.io/v1" if kind == "Lease" else "v1"
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _rights(here: Town) -> Iterator[Object]:
    writers = (
        "ed",
        "runner of demo",
        "runner of other",
        "jobs of demo",
        "the operator",
    )
    verbs = ["get", "create", "update", "patch"]
    rules: List[Dict[str, Any]] = [
        {
            "apiGroups": ["swarm.kiro.dev"],
            "resources": [
                "kiroswarms",
                "kiroswarms/status",
                "kirotasks",
                "kirotasks/status",
            ],
            "verbs": verbs,
        },
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs},
    ]
    metadata = {"name": "write-everything", "namespace": here.home}
    version = f"{_RBAC}/v1"
    yield {"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules}
    yield {
        "apiVersion": version,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "write-everything"},
        "subjects": [
            {"apiGroup": _RBAC, "kind": "User", "name": user(here, writer)}
            for writer in writers
        ],
    }
