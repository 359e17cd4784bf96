"""The parts of hack/cluster that can be tried without a cluster."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from ipaddress import IPv4Network
from pathlib import Path
from typing import List, Optional

import pytest

from hack.cluster_tool import (
    build,
    egress,
    existing,
    golang,
    images,
    kind,
    layout,
    plan,
    preflight,
    progress,
    records,
)
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import Subnets
from hack.cluster_tool.provider import Wish

MEBIBYTE = 1 << 20


class Terminal(io.StringIO):
    """A stream that is a terminal, or is not."""

    def __init__(self, live: bool) -> None:
        super().__init__()
        self._live = live

    def isatty(self) -> bool:
        return self._live


def test_the_addresses_of_slots_never_overlap() -> None:
    everything = [net for slot in range(layout.SLOTS) for net in Subnets(slot).all]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(everything, 2))


def test_a_slot_is_free_when_neither_a_cluster_nor_the_host_has_its_addresses() -> None:
    assert records.free_slot([], []) == 0
    assert records.free_slot([0, None, 2], []) == 1
    docker, office = IPv4Network("172.30.0.0/31"), IPv4Network("10.225.0.0/16")
    assert records.free_slot([], [docker, office]) == 2
    with pytest.raises(ClusterError, match="all 16 slots"):
        records.free_slot([], [IPv4Network("172.16.0.0/12")])


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a/b", "../x", "a" * 41])
def test_a_name_that_is_no_directory_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="is no cluster name"):
        layout.checked_name(name)


def test_a_build_is_kept_by_everything_that_goes_into_it(tmp_path: Path) -> None:
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / name).write_text(name)
    first = layout.module_checksum(tmp_path)
    (tmp_path / "README").write_text("not built")
    assert layout.module_checksum(tmp_path) == first
    (tmp_path / "main.go").rename(tmp_path / "other.go")
    assert layout.module_checksum(tmp_path) != first


@pytest.mark.parametrize(
    ("lacking", "node", "packages"),
    [
        ([], True, []),
        (["ip"], False, ["iproute2"]),
        (["containerd", "runc"], False, []),
        (["containerd", "ctr", "runc"], True, ["containerd", "runc"]),
        (["nsenter", "unshare"], True, ["util-linux"]),
    ],
)
def test_missing_packages_are_named_once(
    lacking: List[str],
    node: bool,
    packages: List[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find(name: str) -> Optional[str]:
        return None if name in lacking else f"/usr/bin/{name}"

    monkeypatch.setattr(preflight, "cni_directory", lambda: Path("/usr/lib/cni"))
    assert preflight.missing_packages(node, find) == packages


def test_too_little_memory_is_said_with_both_figures() -> None:
    little = "MemTotal: 9999999 kB\nMemAvailable: 1048576 kB\n"
    preflight.require_memory(False, little)
    with pytest.raises(ClusterError, match=r"1024 MiB .* 2048 MiB are needed"):
        preflight.require_memory(True, little)


def test_too_little_disk_is_said_before_the_build(tmp_path: Path) -> None:
    preflight.require_disk(tmp_path, 1)
    with pytest.raises(ClusterError, match="KIRO_SWARM_CACHE"):
        preflight.require_disk(tmp_path, 1 << 60)


def test_a_machine_without_root_is_told_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"needs root.*--provider kind"):
        preflight.require_machine(True, False, progress.Progress(Terminal(False)))


def test_the_components_of_a_wish() -> None:
    assert plan.chosen_components(True, []) == ("etcd", "kube-apiserver")
    with_more = plan.chosen_components(True, ["scheduler", "kube-scheduler", "kwok"])
    assert with_more == ("etcd", "kube-apiserver", "kube-scheduler", "kwok")
    with pytest.raises(ClusterError, match="controller-manager, kwok, scheduler"):
        plan.chosen_components(False, ["kubelet"])


def test_pods_ask_no_name_server_that_only_the_host_can_reach() -> None:
    mixed = "search x\nnameserver 127.0.0.53\nnameserver 10.0.0.2\noptions y\n"
    assert egress.nameservers(mixed) == "nameserver 10.0.0.2\n"


def test_go_versions_are_compared_as_numbers() -> None:
    assert golang.wanted_version("module m\n\ngo 1.9.2\n") < (1, 26)
    assert golang.wanted_version("module m\n\ngo 1.26.0\n") == (1, 26)


def test_an_unknown_program_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ClusterError, match="'nano'; there are certs, coredns, etcd"):
        build.path("nano")


def test_an_image_archive_is_the_same_for_the_same_programs(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    first = images.archive("example.local/x:1", {"/program": program})
    assert first == images.archive("example.local/x:1", {"/program": program})
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest[0]["RepoTags"] == ["example.local/x:1"]


def test_a_terminal_sees_one_line_rewritten_and_a_log_sees_whole_lines() -> None:
    clock = itertools.count(0.0, 20.0)
    for live in (True, False):
        stream = Terminal(live)
        display = progress.Progress(stream, lambda: next(clock))
        with display.step("Building kube") as step:
            step.note("k8s.io/api (1 of 9)")
        with pytest.raises(ZeroDivisionError), display.step("Dividing"):
            raise ZeroDivisionError
        said = stream.getvalue()
        assert ("\r" in said, "\033[" in said) == (live, live)
        assert "k8s.io/api (1 of 9)" in said
        assert "Dividing: " in said
        assert "failed" in said


def test_times_are_short_and_readable() -> None:
    assert progress.duration(3.21) == "3.2 s"
    assert progress.duration(252) == "4 min 12 s"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for docker and kind that write down how they were called."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("KIRO_SWARM_CACHE", str(tmp_path))
    monkeypatch.setattr(layout, "state", lambda: tmp_path / "state")
    docker = 'case "$1" in info) echo 29.0 ;; esac'
    told = 'case "$1 $2" in "get clusters") cat "$0.clusters" 2>/dev/null ;; '
    made = '"create cluster") echo k >"$0.clusters" ;; "delete cluster") rm "$0.clusters" ;;'
    for name, script in {"docker": docker, "kind": f"{told}{made} esac"}.items():
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "$*" >>"$0.calls"\n{script}\ntrue\n')
        path.chmod(0o755)
    return tmp_path


def test_kind_is_used_with_the_pinned_image_and_an_audit_log(programs: Path) -> None:
    display = progress.Progress(Terminal(False))
    assert kind.usable(display)
    provider = kind.Kind(display)
    wish = Wish("k", plan.chosen_components(False, []))
    record = provider.up(wish)
    calls = (programs / "kind.calls").read_text()
    assert f"create cluster --name k --image {kind.NODE_IMAGE} --config" in calls
    config = (record.directory / "kind.yaml").read_text()
    assert f"hostPath: {record.directory}/audit" in config
    assert provider.status(record).ready
    provider.up(wish)
    assert (programs / "kind.calls").read_text().count("create cluster") == 1
    provider.signal(record, "kube-apiserver", 9)
    assert "pkill -KILL -f ^kube-apiserver" in (programs / "docker.calls").read_text()
    with pytest.raises(ClusterError, match="no component 'kubelet'"):
        provider.signal(record, "kubelet", 9)
    provider.down(record)
    assert "delete cluster --name k" in (programs / "kind.calls").read_text()
    assert not record.directory.exists()


def test_kind_says_that_it_cannot_do_without_a_node_or_an_engine(
    programs: Path,
) -> None:
    provider = kind.Kind(progress.Progress(Terminal(False)))
    with pytest.raises(ClusterError, match="--provider local"):
        provider.prepare(Wish("k", plan.chosen_components(True, [])))
    (programs / "docker").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(ClusterError, match="no Docker engine answers"):
        provider.prepare(Wish("k", plan.chosen_components(False, [])))


def test_existing_refuses_what_only_a_cluster_of_our_own_can_have() -> None:
    provider = existing.Existing(progress.Progress(Terminal(False)))
    with pytest.raises(ClusterError, match="--audit"):
        provider.prepare(Wish("e", plan.chosen_components(False, []), audit=True))
