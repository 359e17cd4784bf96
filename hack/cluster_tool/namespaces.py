"""The world of a local cluster: namespaces, its link to the host, control groups.

Called by the local provider. A cluster's processes, mounts, bridges, packet filters and
pods exist inside namespaces that end with their process 1. On the host there are only
the link (which ends with them too), the rules of ``egress``, and control groups.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, List

from hack.cluster_tool import control
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import SOURCES, Subnets
from hack.cluster_tool.shell import run

_CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")  # what a kubelet asks for
_START_TIMEOUT = 10.0
_STOP_TIMEOUT = 30.0


def start(plan_file: Path, log: Path, supervisor: control.Supervisor) -> int:
    """Starts process 1 in namespaces of its own; returns its id on the host."""
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork"]
    options = ["--kill-child=SIGKILL", "--mount-proc", "--propagation=private"]
    python = [sys.executable, "-I", str(SOURCES / "supervisor.py"), str(plan_file)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*unshare, *options, *python],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_TIMEOUT
    while not supervisor.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = log.read_text(errors="replace")[-2000:]
            raise ClusterError(f"the cluster's namespaces could not be made:\n{said}")
        time.sleep(0.02)
    return supervisor.pid()


def stop(supervisor: control.Supervisor) -> None:
    """Ends process 1 and with it everything else; returns when it is gone."""
    pid = supervisor.pid()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _STOP_TIMEOUT
    # The kernel reaps process 1 last, after every process of its namespace.
    while Path(f"/proc/{pid}").exists() and not _zombie(pid):
        if time.monotonic() > deadline:
            raise ClusterError(f"process {pid} does not end; is a file system stuck?")
        time.sleep(0.02)


def _zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def inside(pid: int, *command: str) -> List[str]:
    """The command line that runs a command in the namespaces of process 1."""
    return ["nsenter", "--target", str(pid), "--net", "--mount", "--pid", *command]


def link(pid: int, subnets: Subnets) -> None:
    """Joins the cluster's network with the host's."""
    near, prefix = subnets.host_link, subnets.link.prefixlen
    ip = ["ip", "link", "add", near, "type", "veth", "peer", "name", "eth0"]
    run(*ip, "netns", str(pid))
    run("ip", "address", "add", f"{subnets.host}/{prefix}", "dev", near)
    run("ip", "link", "set", near, "up")
    network = ["nsenter", "--target", str(pid), "--net", "ip"]
    run(*network, "link", "set", "lo", "up")
    run(*network, "address", "add", f"{subnets.node}/{prefix}", "dev", "eth0")
    run(*network, "link", "set", "eth0", "up")
    run(*network, "route", "add", "default", "via", subnets.host)


def used_networks() -> List[ipaddress.IPv4Network]:
    """The networks that this host has routes to."""
    networks = []
    for line in run("ip", "-4", "route", "show", "table", "all").splitlines():
        words = [word for word in line.split() if word not in ("local", "broadcast")]
        if words and words[0][0].isdigit():
            networks.append(ipaddress.IPv4Network(words[0], strict=False))
    return networks


def make_control_group(name: str) -> None:
    """Makes the control group of a cluster's pods, in whichever version the host has."""
    if (_CGROUPS / "cgroup.controllers").exists():
        offered = (_CGROUPS / "cgroup.controllers").read_text().split()
        enable = " ".join(f"+{each}" for each in _CONTROLLERS if each in offered)
        (_CGROUPS / "cgroup.subtree_control").write_text(enable)
        (_CGROUPS / name).mkdir(exist_ok=True)
        return
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
    for setting in ("cpuset.cpus", "cpuset.mems"):  # not inherited: empty is useless
        source = _CGROUPS / "cpuset" / setting
        (_CGROUPS / "cpuset" / name / setting).write_text(source.read_text())


def remove_control_group(name: str) -> None:
    """Removes it and what pods left in it, in every hierarchy of either version."""
    for hierarchy in [
        _CGROUPS,
        *(each for each in _CGROUPS.iterdir() if each.is_dir()),
    ]:
        for directory, _, _ in os.walk(hierarchy / name, topdown=False):
            _remove_empty(Path(directory))


def _hierarchies() -> Iterator[Path]:
    """The mounts of cgroup v1; ``cpu`` and the like may be links to one of them."""
    for path in sorted(_CGROUPS.iterdir()):
        if path.is_dir() and not path.is_symlink() and (path / "tasks").exists():
            yield path


def _remove_empty(directory: Path) -> None:
    deadline = time.monotonic() + _STOP_TIMEOUT
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:  # processes that end right now still count
            if time.monotonic() > deadline:
                raise ClusterError(f"{directory} cannot be removed: {error}") from error
            time.sleep(0.02)
        else:
            return
