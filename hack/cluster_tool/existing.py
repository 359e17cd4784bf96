"""The ``existing`` provider: a cluster that somebody else runs, by a kubeconfig context.

Only used when asked for by name. Nothing of the cluster is ever changed from here.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import List

from hack.cluster_tool import build, records
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.kind import server_of
from hack.cluster_tool.progress import Progress
from hack.cluster_tool.provider import Status, Wish
from hack.cluster_tool.records import Record
from hack.cluster_tool.shell import run, succeeds


class Existing:
    """Clusters that were there before us."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def prepare(self, wish: Wish) -> None:
        """Makes sure that there is a kubectl."""
        if wish.audit or "kubelet" not in wish.components or "kwok" in wish.components:
            raise ClusterError(
                "--audit, --control-plane-only, --components and --kwok need a "
                "cluster of our own: --provider local"
            )
        build.ensure_any(["kubectl"], self._progress)

    def up(self, wish: Wish) -> Record:
        """Copies the context into a kubeconfig of its own and asks its API server."""
        self.prepare(wish)
        record = Record(wish.name, "existing", context=wish.context)
        context = [f"--context={wish.context}"] if wish.context else []
        view = ["config", "view", "--raw", "--minify", "--flatten"]
        content = run(_kubectl(), *context, *view)
        record.kubeconfig.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        record.kubeconfig.touch(mode=0o600)
        record.kubeconfig.write_text(content)
        records.save(record)
        status = self.status(record)
        if not status.ready:
            shutil.rmtree(record.directory)
            raise ClusterError(
                f"the API server {status.server} of context "
                f"{wish.context or '(the current one)'} does not answer /readyz"
            )
        return record

    def down(self, record: Record) -> None:
        """Forgets it; the cluster itself stays as it is."""
        shutil.rmtree(record.directory)
        self._progress.say(f"{record.name} is forgotten; the cluster itself stays up.")

    def reset(self, record: Record) -> None:
        """Never: what is in there is not ours."""
        raise _not_ours("reset it")

    def status(self, record: Record) -> Status:
        """Asks the API server."""
        kubeconfig = f"--kubeconfig={record.kubeconfig}"
        ask = ["get", "--raw=/readyz", "--request-timeout=10s"]
        ready = succeeds(_kubectl(), kubeconfig, *ask)
        server = server_of(record.kubeconfig)
        return Status(record=record, running=ready, ready=ready, server=server)

    def load(self, record: Record, archive: Path) -> List[str]:
        """Never: its nodes are out of reach."""
        raise _not_ours("load images: push them to a registry that its nodes can reach")

    def logs(self, record: Record, component: str) -> Path:
        """Never: its components are out of reach."""
        raise _not_ours("read the logs of its components")

    def signal(self, record: Record, component: str, number: int) -> None:
        """Never: its components are not ours."""
        raise _not_ours("signal its components")

    def switch(self, record: Record, component: str, on: bool) -> None:
        """Never: its components are not ours."""
        raise _not_ours("stop or start its components")


def _not_ours(what: str) -> ClusterError:
    return ClusterError(f"the cluster is not ours (provider existing): cannot {what}")


def _kubectl() -> str:
    return str(build.find("kubectl"))
