"""hack/cluster itself: the control plane alone, side by side, crashes, and its end."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

import psutil
import pytest

from tests.support.cluster import (
    HACK_CLUSTER,
    PROBE_IMAGE,
    Cluster,
    hack_cluster,
    load_probe,
    status,
    up,
)

NAME = f"test-api-{os.getpid()}"


def eventually(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for something that a real cluster does in its own time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def refusal(*arguments: str, **environment: str) -> str:
    """What hack/cluster says when it cannot do what it was asked."""
    done = subprocess.run(
        [str(HACK_CLUSTER), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


@pytest.fixture
def second() -> Iterator[Cluster]:
    name = f"{NAME}b"
    yield up(name, "--control-plane-only")
    hack_cluster("down", "--name", name)


def test_the_control_plane_alone_is_two_processes_and_takes_pods(
    api_server: Cluster,
) -> None:
    said = api_server.status()
    assert said["ready"] is True
    assert [each["name"] for each in said["components"]] == ["etcd", "kube-apiserver"]
    # Nobody makes service accounts here, and pods can be created all the same.
    container = {"name": "c", "image": "none"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "unscheduled"},
        "spec": {"containers": [container]},
    }
    api_server.kubectl("create", "-f", "-", input=json.dumps(pod))
    assert api_server.get("pod", "unscheduled")["status"]["phase"] == "Pending"


def test_up_of_a_running_cluster_changes_nothing(api_server: Cluster) -> None:
    before = api_server.status()
    again = up(api_server.name, "--control-plane-only")
    assert again == api_server
    assert api_server.status() == before


def test_up_refuses_to_turn_a_running_cluster_into_another_one(
    api_server: Cluster,
) -> None:
    said = refusal("up", "--name", api_server.name, "--provider", "local")
    assert "runs without kube-controller-manager" in said
    assert f"hack/cluster down --name {api_server.name}" in said
    assert "cluster of the local provider" in refusal(
        "up", "--name", api_server.name, "--provider", "existing"
    )


def test_the_audit_log_names_who_wrote_what_and_holds_no_content(
    api_server: Cluster,
) -> None:
    api_server.kubectl("create", "configmap", "audited", "--from-literal=secret=word")

    def creations() -> List[Dict[str, Any]]:
        return [
            event
            for event in api_server.audit_events()
            if event["verb"] == "create"
            and event.get("objectRef", {}).get("name") == "audited"
        ]

    eventually("the creation is in the audit log", lambda: bool(creations()))
    (event,) = creations()
    assert event["user"]["username"] == "admin"
    assert "kubectl" in event["userAgent"]
    assert "requestObject" not in event


def test_a_crashed_api_server_comes_back_with_everything_in_it(
    api_server: Cluster,
) -> None:
    api_server.kubectl("create", "namespace", "outlives-crashes")
    restarts = _component(api_server, "kube-apiserver")["restarts"]
    api_server.kill("kube-apiserver")
    eventually(
        "the supervisor restarts it",
        lambda: _component(api_server, "kube-apiserver")["restarts"] == restarts + 1,
    )
    eventually("it answers again", lambda: bool(api_server.status()["ready"]))
    api_server.kubectl("get", "namespace", "outlives-crashes")


def test_a_stopped_component_stays_down_until_it_is_started(
    api_server: Cluster,
) -> None:
    api_server.stop("kube-apiserver")
    eventually(
        "it does not answer",
        lambda: not api_server.status()["ready"]
        and _component(api_server, "kube-apiserver")["state"] == "Stopped",
    )
    api_server.start("kube-apiserver")
    eventually("it answers again", lambda: bool(api_server.status()["ready"]))


def test_two_clusters_stand_side_by_side(api_server: Cluster, second: Cluster) -> None:
    assert api_server.status()["server"] != second.status()["server"]
    api_server.kubectl("create", "namespace", "only-in-the-first")
    found = second.kubectl("get", "namespace", "only-in-the-first", check=False)
    assert "NotFound" in found.stderr
    # A kubeconfig of one is no key to the other.
    crossed = second.kubectl(
        f"--server={api_server.status()['server']}", "get", "ns", check=False
    )
    assert crossed.returncode != 0


def test_existing_borrows_a_cluster_and_only_forgets_it(api_server: Cluster) -> None:
    name, kubeconfig = f"{NAME}c", str(api_server.kubeconfig)
    assert "--provider existing" in refusal("up", "--name", name, "--context", "x")
    assert "cannot locate context absent" in refusal(
        *("up", "--name", name, "--provider", "existing", "--context", "absent"),
        KUBECONFIG=kubeconfig,
    )
    subprocess.run(
        [str(HACK_CLUSTER), "up", "--name", name, "--provider", "existing"],
        env={**os.environ, "KUBECONFIG": kubeconfig},
        check=True,
    )
    assert status(name)["server"] == api_server.status()["server"]
    assert "not ours" in refusal("reset", "--name", name)
    assert "not ours" in refusal("kill", "etcd", "--name", name)
    hack_cluster("down", "--name", name)
    assert api_server.status()["ready"] is True


@pytest.fixture
def simulating() -> Iterator[Cluster]:
    """With kwok, which is built here: a fixture may take longer than a test."""
    hack_cluster("build", "kwok", "stages")
    name = f"{NAME}d"
    components = "controller-manager,scheduler,kwok"
    yield up(name, "--control-plane-only", "--components", components)
    hack_cluster("down", "--name", name)


def test_simulated_nodes_run_pods_without_a_node(simulating: Cluster) -> None:
    simulating.add_fake_nodes(2)
    create = ("create", "deployment", "d", "--image=none", "--replicas=5")
    simulating.kubectl(*create)
    rollout = ("rollout", "status", "deployment/d", "--timeout=60s")
    simulating.kubectl(*rollout)
    assert simulating.get("deployment", "d")["status"]["readyReplicas"] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "--name", "Not_A_Name"), "'Not_A_Name' is no cluster name"),
        (("up", "--name", "../../etc"), "is no cluster name"),
        (("up", "--name", "x" * 41), "1 to 40"),
        (("up", "--components", "kubeproxy"), "none of controller-manager, kwok"),
        (("status", "--name", "absent"), "`hack/cluster up` makes one"),
        (("load", "image.tar", "--name", "absent"), "there is no cluster 'absent'"),
        (("bin", "kubeadm"), "no program 'kubeadm'; there are certs, coredns"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    arguments: Tuple[str, ...], words: str
) -> None:
    assert words in refusal(*arguments)


def test_questions_about_unknown_components_and_files_name_the_known_ones(
    api_server: Cluster,
) -> None:
    name = ("--name", api_server.name)
    assert "there are etcd, kube-apiserver" in refusal("kill", "kubelet", *name)
    assert "there are etcd, kube-apiserver" in refusal("logs", "kubelet", *name)
    assert "no signal's name" in refusal("kill", "etcd", "--signal", "OUCH", *name)
    assert "docker save" in refusal("load", "absent.tar", *name)
    assert "no node that could hold" in refusal("load", str(HACK_CLUSTER), *name)


def test_down_leaves_nothing_behind(tmp_path: Path) -> None:
    """No process, mount, namespace, link, packet filter rule, control group or file."""
    name = f"test-node-{os.getpid()}x"
    chains, forwarding = _chains(), _forwarding()
    whole = up(name, "--provider", "local")
    try:
        load_probe(whole, tmp_path)
        options = (f"--image={PROBE_IMAGE}", "--image-pull-policy=Never")
        whole.kubectl("run", "p", *options, "--", "serve", ":80", "hello")
        whole.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
        process = _process_one(name)
        network = os.stat(f"/proc/{process}/ns/net").st_ino
        directory = whole.kubeconfig.parents[1]
        slot = json.loads((directory / "cluster.json").read_text())["slot"]
        assert _processes_of(network), "the check itself sees a running cluster"
        assert _traces(name), "and its rules and control groups"
        assert f"kiro-swarm{slot}" in psutil.net_if_addrs()
    finally:
        hack_cluster("down", "--name", name)
    assert _processes_of(network) == set()
    assert _traces(name) == []
    assert f"kiro-swarm{slot}" not in psutil.net_if_addrs()
    assert not directory.exists()
    assert str(directory) not in Path("/proc/self/mounts").read_text()
    assert (_chains(), _forwarding()) == (chains, forwarding)


def _component(of: Cluster, name: str) -> Dict[str, Any]:
    found: Dict[str, Any] = next(
        each for each in of.status()["components"] if each["name"] == name
    )
    return found


def _process_one(name: str) -> int:
    """The supervisor, by the plan in its command line."""
    plan = f"/{name}/plan.json"
    found = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [""])[-1].endswith(plan)
        and "unshare" not in process.info["cmdline"][0]
    ]
    assert len(found) == 1, found
    return found[0]


def _processes_of(network: int) -> Set[int]:
    """Everything that lives in the network, or holds it open."""
    found = set()
    for process in psutil.process_iter():
        try:
            if os.stat(f"/proc/{process.pid}/ns/net").st_ino == network:
                found.add(process.pid)
        except OSError:
            continue  # it ended while we looked
    return found


def _traces(name: str) -> List[str]:
    """Rules, control groups, links and sockets that carry the cluster's name or slot."""
    rules = [
        line
        for table in ("nat", "filter", "mangle")
        for line in _run("iptables", "-w", "-t", table, "-S")
        if name in line
    ]
    # Shallow: deeper down other clusters come and go while we look.
    places = ("/sys/fs/cgroup", "/run/kiro-swarm", "/var/lib/kiro-swarm")
    shallow = [f"*{name}*", f"*/*{name}*"]
    files = [
        str(path) for top in places for each in shallow for path in Path(top).glob(each)
    ]
    return rules + files


def _chains() -> List[str]:
    return [
        line
        for table in ("nat", "filter", "mangle")
        for line in _run("iptables", "-w", "-t", table, "-S")
        if line.startswith(("-N", "-P"))
    ]


def _forwarding() -> str:
    return Path("/proc/sys/net/ipv4/ip_forward").read_text()


def _run(*command: str) -> List[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines()
