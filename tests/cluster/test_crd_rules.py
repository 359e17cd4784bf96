"""The four kinds on a real API server: what is refused, and with which words."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List

import pytest

from tests.cluster.chart import MANIFESTS, dump, install_crds, namespace
from tests.cluster.kinds import changed, command, swarm, task
from tests.support.cluster import Cluster


@pytest.fixture(scope="module")
def team(api_server: Cluster) -> Iterator[str]:
    install_crds(api_server)
    with namespace(api_server, "kinds") as name:
        yield name


def refusal(
    api_server: Cluster, namespace_: str, item: Dict[str, Any], verb: str = "create"
) -> str:
    """What the API server says to an object that it must not take."""
    done = api_server.kubectl(
        verb,
        "--namespace",
        namespace_,
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
        input=json.dumps(item),
        check=False,
    )
    assert done.returncode != 0, f"accepted: {done.stdout}"
    return done.stderr


@pytest.mark.parametrize(
    "sample",
    sorted((MANIFESTS / "samples").glob("*.yaml")),
    ids=lambda path: path.stem,
)
def test_every_sample_is_accepted(api_server: Cluster, team: str, sample: Any) -> None:
    api_server.kubectl(
        "apply",
        f"--namespace={team}",
        "--dry-run=server",
        "--validate=strict",
        f"--filename={sample}",
    )


TWO_SOURCES = {"specPath": "a", "inline": "- [ ] 1. a"}
BAD_SWARMS: Dict[str, Any] = {
    "two task sources": ("spec.tasks", TWO_SOURCES, "give exactly one of specPath"),
    "no task source": ("spec.tasks", {}, "give exactly one of specPath, inline"),
    "a path that climbs": ("spec.tasks", {"specPath": "a/../../b"}, "without '..'"),
    "an absolute path": ("spec.tasks", {"specPath": "/etc/passwd"}, "path inside"),
    "a command in the address": (
        "spec.repository.url",
        "ext::sh -c touch% /tmp/owned",
        "must be an https:// or ssh:// address",
    ),
    "an address that is an option": (
        "spec.repository.url",
        "--upload-pack=touch",
        "must be an https:// or ssh:// address",
    ),
    "a password in the address": (
        "spec.repository.url",
        "https://me:secret@git.example.com/a.git",
        "put it into a Secret",
    ),
    "a line break in the address": (
        "spec.repository.url",
        "https://git.example.com/a\nb",
        "must be an https:// or ssh:// address",
    ),
    "a ref with dots": ("spec.repository.ref", "a..b", "must not contain '..'"),
    "a ref that is an option": ("spec.repository.ref", "-delete", "should match"),
    "a branch that climbs": ("spec.integration.branch", "../main", "should match"),
    "a largest file of thousandths of a byte": (
        "spec.integration.maxFileSize",
        "100m",
        "spec.integration.maxFileSize in body should match",
    ),
    "too many instances": ("spec.instances", 1001, "less than or equal to 1000"),
    "fewer than no instances": ("spec.instances", -1, "greater than or equal to 0"),
    "a misspelt field": ("spec.instnces", 3, 'unknown field "spec.instnces"'),
    "a misspelt field deep inside": (
        "spec.template.agent.comand",
        ["x"],
        'unknown field "spec.template.agent.comand"',
    ),
    "no agent": ("spec.template", {}, "spec.template.agent: Required value"),
    "an agent without a program": (
        "spec.template.agent",
        {"command": []},
        "should have at least 1 items",
    ),
    "a privileged pod": (
        "spec.template.podOverrides",
        {"securityContext": {"privileged": True}},
        'unknown field "spec.template.podOverrides.securityContext"',
    ),
    "an annotation that widens rights": (
        "spec.template.podOverrides",
        {"annotations": {"k8s.v1.cni.cncf.io/networks": "admin-net"}},
        "spec.template.podOverrides.annotations: Invalid value",
    ),
    "one without a domain": (
        "spec.template.podOverrides",
        {"annotations": {"io.kubernetes.cri-o.userns-mode": "auto"}},
        "must not have a key by which a pod gets more rights than its template says",
    ),
    "a label that widens rights": (
        "spec.template.podOverrides",
        {"labels": {"azure.workload.identity/use": "true"}},
        "must not have a key by which a pod gets more rights than its template says",
    ),
    "a strategy that nobody knows": (
        "spec.distribution",
        {"strategy": "Fastest"},
        'supported values: "DependencyAware", "LoadBalanced", "CapabilityBased"',
    ),
    "two capabilities in one": (
        "spec.template.capabilities",
        ["rust, gpu"],
        "spec.template.capabilities[0] in body should match",
    ),
    "a capability twice": (
        "spec.template.capabilities",
        ["gpu", "gpu"],
        "spec.template.capabilities[1]: Duplicate value",
    ),
    "a scaler that is not there yet": (
        "spec.autoscaling",
        {"minimum": 1, "maximum": 2},
        "spec.autoscaling is not available in this version: set spec.instances",
    ),
    "a transport that is not there yet": (
        "spec.communication",
        {"transport": "NATS"},
        "spec.communication is not available in this version",
    ),
    "flags that are not there yet": (
        "spec.featureFlags",
        {"fast": True},
        "spec.featureFlags is not available in this version",
    ),
    "targets that are not there yet": (
        "spec.deploymentTargets",
        [{"name": "east"}],
        "spec.deploymentTargets is not available in this version",
    ),
    "a loss between two heartbeats": (
        "spec.recovery",
        {"heartbeatSeconds": 30, "lostAfterSeconds": 40},
        "at least twice heartbeatSeconds",
    ),
    "two gates of one name": (
        "spec.integration.gates",
        [{"name": "a", "command": ["x"]}, {"name": "a", "command": ["y"]}],
        "Duplicate value",
    ),
    "a name that makes no branch": ("metadata.name", "demo.1", "metadata.name must be"),
    "a name that leaves no room": ("metadata.name", "a" * 41, "at most 40 characters"),
}


@pytest.mark.parametrize("case", BAD_SWARMS, ids=lambda case: case.replace(" ", "-"))
def test_a_bad_swarm_is_refused_with_a_reason(
    api_server: Cluster, team: str, case: str
) -> None:
    path, value, words = BAD_SWARMS[case]
    assert words in refusal(api_server, team, changed(swarm(), path, value))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (command("scale \x1b[2J instances 3"), "control characters"),
        (command("status\nswarm"), "control characters"),
        (command("run task \u202e1"), "direction overrides"),
        (command(""), "at least 1 chars long"),
        (command("x" * 4097), "4096"),
        (changed(command("status swarm"), "spec.swarm", "../x"), "should match"),
        (task("x", id="a b"), "should match"),
        (task("x", id="../../x"), "should match"),
        (task("x", priority=5000), "less than or equal to 1000"),
    ],
    ids=[
        "escape sequence",
        "line break",
        "direction override",
        "no words",
        "too many words",
        "swarm that climbs",
        "task id with a space",
        "task id that climbs",
        "task with a priority above all",
    ],
)
def test_a_bad_command_or_task_is_refused_with_a_reason(
    api_server: Cluster, team: str, item: Dict[str, Any], words: str
) -> None:
    assert words in refusal(api_server, team, item)


@pytest.fixture(scope="module")
def applied(api_server: Cluster, team: str) -> List[Dict[str, Any]]:
    """A swarm, a task and a command, as they were sent."""
    items = [
        swarm(
            storage={"size": "2Gi"},
            integration={"branch": "agents/demo"},
            instances=2,
        ),
        task("demo-1"),
        command("status swarm"),
    ]
    api_server.kubectl("create", f"--namespace={team}", "-f", "-", input=dump(*items))
    return items


@pytest.mark.parametrize(
    ("which", "path", "value", "words"),
    [
        (0, "spec.repository.url", "https://git.example.com/b.git", "is immutable"),
        (
            0,
            "spec.repository.ref",
            "develop",
            "delete this KiroSwarm and create it again",
        ),
        (0, "spec.tasks", {"inline": "- [ ] 1. a"}, "task source is immutable"),
        (0, "spec.tasks", {"specPath": "other"}, "task source is immutable"),
        (0, "spec.storage", {"size": "512Mi"}, "storage.size can only grow"),
        (0, "spec.storage", {"size": "1023.9Mi"}, "storage.size can only grow"),
        (
            0,
            "spec.storage",
            {"storageClassName": "fast"},
            "storageClassName and accessMode of storage are immutable",
        ),
        (
            0,
            "spec.storage",
            {"accessMode": "ReadWriteMany"},
            "storageClassName and accessMode of storage are immutable",
        ),
        (0, "spec.integration", {"branch": "b"}, "integration branch is immutable"),
        (0, "spec.integration", {}, "integration branch is immutable"),
        (1, "spec.id", "9", "is immutable"),
        (1, "spec.swarm", "other", "is immutable"),
        (2, "spec.command", "stop instance a", "a command is immutable"),
        (2, "spec.swarm", "other", "a command is immutable"),
    ],
)
def test_what_would_orphan_work_cannot_change(
    api_server: Cluster,
    team: str,
    applied: List[Dict[str, Any]],
    which: int,
    path: str,
    value: Any,
    words: str,
) -> None:
    item = changed(applied[which], path, value)
    assert words in refusal(api_server, team, item, "replace")


def test_what_is_not_bound_to_work_can_change(
    api_server: Cluster, team: str, applied: List[Dict[str, Any]]
) -> None:
    item = changed(applied[0], "spec.suspend", True)
    item = changed(item, "spec.integration.push", "Always")
    item = changed(item, "spec.template.agent.command", ["other"])
    item = changed(item, "spec.template.capabilities", ["Rust 2024", "gpu"])
    item = changed(item, "spec.distribution", {"strategy": "RoundRobin"})
    item = changed(item, "spec.storage", {"size": "2.5Gi"})
    api_server.kubectl(
        "replace", "-n", team, "--dry-run=server", "-f", "-", input=dump(item)
    )
