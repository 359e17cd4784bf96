"""Lets the pods of a local cluster reach what the host reaches.

Called by the local provider for clusters with a node. These are the only rules that a
cluster adds to the host's packet filter; each carries the cluster's name and is removed
with it. ``close`` may be called at any time, also when nothing was opened.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from hack.cluster_tool.layout import Subnets, state
from hack.cluster_tool.shell import run

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def open_for(name: str, subnets: Subnets) -> None:
    """Adds the rules, and lets the host forward packets."""
    mark = ["-m", "comment", "--comment", _comment(name)]
    node = str(subnets.link)
    nat = ["-A", "POSTROUTING", "-s", node, "!", "-d", node, "-j", "MASQUERADE"]
    run("iptables", "-w", "-t", "nat", *nat, *mark)
    for direction in ("-s", "-d"):
        accept = ["-I", "FORWARD", direction, node, "-j", "ACCEPT"]
        run("iptables", "-w", *accept, *mark)
    if _FORWARDING.read_text().strip() == "0":
        _switched_on().touch()
        _FORWARDING.write_text("1")


def close(name: str, last: bool) -> None:
    """Removes the rules; with the ``last`` cluster the host forwards as it did before."""
    for table in ("nat", "filter"):
        listed = run("iptables", "-w", "-t", table, "-S")
        for line in listed.splitlines():
            rule = shlex.split(line)
            if _comment(name) in rule:
                delete = ["-D", *rule[1:]]
                run("iptables", "-w", "-t", table, *delete)
    if last and _switched_on().exists():
        _FORWARDING.write_text("0")
        _switched_on().unlink()


def nameservers(resolv_conf: str) -> str:
    """What pods may ask for names outside: the host's servers, but for loopback ones."""
    return "".join(
        f"{line}\n"
        for line in resolv_conf.splitlines()
        if line.startswith("nameserver ") and not line.split()[1].startswith("127.")
    )


def _comment(name: str) -> str:
    return f"kiro-swarm {name}"


def _switched_on() -> Path:
    """Exists while forwarding is on because of us."""
    return state() / "switched-ip-forwarding-on"
