"""What is known of each cluster between two commands: one small file per cluster.

Called by ``cli`` and the providers. A record says what a cluster was made as; whether it
runs is asked of the cluster itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Sequence, TextIO, Tuple

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import SLOTS, Subnets, cluster_directory, state

_FILE = "cluster.json"


@dataclass(frozen=True)
class Record:
    """How a cluster was asked for; ``slot`` is for the local provider alone."""

    name: str
    provider: str
    components: Tuple[str, ...] = ()
    audit: bool = False
    context: Optional[str] = None
    slot: Optional[int] = None

    @property
    def directory(self) -> Path:
        """The one directory that holds everything of the cluster."""
        return cluster_directory(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig, of whichever provider."""
        return self.directory / "kubeconfig" / "admin"


def load(name: str) -> Optional[Record]:
    """The record of a cluster, if there is one by that name."""
    path = cluster_directory(name) / _FILE
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ClusterError(
            f"{path} is damaged ({error}); delete {path.parent}"
        ) from error
    return Record(**{**content, "components": tuple(content["components"])})


def save(record: Record) -> None:
    """Writes the record in one step."""
    record.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = record.directory / f"{_FILE}.partial"
    partial.write_text(json.dumps(dataclasses.asdict(record), indent=2) + "\n")
    os.replace(partial, record.directory / _FILE)


def all_records() -> List[Record]:
    """Every cluster, by name."""
    found = (state() / "clusters").glob(f"*/{_FILE}")
    records = (load(path.parent.name) for path in sorted(found))
    return [record for record in records if record is not None]


def free_slot(taken: Iterable[Optional[int]], used: Sequence[IPv4Network]) -> int:
    """The first slot that no cluster has and whose addresses the host does not use."""
    avoided = set(taken)
    for slot in range(SLOTS):
        mine = Subnets(slot).all
        if slot not in avoided and not any(a.overlaps(b) for a in mine for b in used):
            return slot
    raise ClusterError(
        f"all {SLOTS} slots for local clusters are taken, or their addresses "
        "(172.30.0.0/20, 10.224.0.0/12) are in use on this host: take clusters down "
        "(`hack/cluster status --all` lists them)"
    )


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Keeps other commands on the same cluster waiting; ``.slots`` guards the slots.

    The lock's file goes when there is no such cluster any more.
    """
    state().mkdir(mode=0o755, parents=True, exist_ok=True)
    path = state() / f"{name}.lock"
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _same_file(lock, path):
                continue  # its last owner removed it while we waited
            try:
                yield
            finally:
                if not (cluster_directory(name) / _FILE).exists():
                    path.unlink()
            return


def _same_file(opened: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened.fileno()), path.stat())
    except FileNotFoundError:
        return False
