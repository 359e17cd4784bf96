"""The programs that the demo runs: the other tools of hack/, kubectl, helm, git.

Guarantees: no shell; a program that fails becomes a DemoError that says which one and what
it said; when the demo is stopped the program is stopped with it and waited for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

ROOT = Path(__file__).resolve().parents[3]
_STOP_SECONDS = 30


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


class Tools:
    """Runs programs against one cluster. ``kubeconfig`` is set once the cluster is up."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.kubeconfig: Optional[str] = None
        self._paths: Dict[str, str] = {}

    def hack(self, tool: str, *arguments: str) -> str:
        """A tool of hack/: its talk goes to the terminal, its answer is returned."""
        return run([str(ROOT / "hack" / tool), *arguments], talk=True)

    def kubectl(self, *arguments: str, given: Optional[bytes] = None) -> str:
        """kubectl as the cluster's admin; returns what it printed."""
        return run([*self._program("kubectl"), *arguments], given=given)

    def apply(self, objects: Sequence[Dict[str, Any]]) -> None:
        """Server-side apply, which has no limit on the size of an object but etcd's."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        arguments = ("apply", "--server-side", "--force-conflicts", "--filename=-")
        self.kubectl(*arguments, given=text.encode())

    def get(self, *arguments: str) -> List[Dict[str, Any]]:
        """The objects that ``kubectl get`` finds."""
        found = json.loads(self.kubectl("get", *arguments, "--output=json"))
        items: List[Dict[str, Any]] = found.get("items", [found])
        return items

    def helm(self, *arguments: str) -> str:
        """helm as the cluster's admin."""
        return run([*self._program("helm"), *arguments])

    def _program(self, name: str) -> List[str]:
        if self.kubeconfig is None:
            raise DemoError(f"{name} was wanted before the cluster was up")
        if name not in self._paths:
            self._paths[name] = self.hack("cluster", "bin", name).strip()
        return [self._paths[name], f"--kubeconfig={self.kubeconfig}"]


def run(
    argv: Sequence[str],
    given: Optional[bytes] = None,
    talk: bool = False,
    folder: Optional[Path] = None,
) -> str:
    """Run a program and return its standard output.

    ``given`` is its standard input; ``talk`` lets its standard error through to the terminal.
    Raises DemoError when it cannot be started or exits with another status than 0.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sys.stderr if talk else subprocess.PIPE,
            cwd=folder,
            env=_environment(),
        )
    except OSError as error:
        raise DemoError(f"cannot start {argv[0]}: {error.strerror}") from error
    try:
        out, err = process.communicate(given)
    except BaseException:
        _stop(process)
        raise
    if process.returncode != 0:
        said = (err or b"").decode(errors="replace").strip()
        what = " ".join(_shown(argv))
        ending = f"exited with {process.returncode}"
        raise DemoError(f"`{what}` {ending}" + (f":\n{said[-4000:]}" if said else ""))
    return out.decode(errors="replace")


def require(program: str) -> None:
    """Raise DemoError unless a program is on the PATH."""
    if shutil.which(program) is None:
        raise DemoError(f"{program} is not installed and is needed; install it")


def _environment() -> Dict[str, str]:
    # The tools of hack/ find their own modules; ours must not shadow them.
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _shown(argv: Sequence[str]) -> List[str]:
    """The command as a user would type it."""
    rest = [word for word in argv[1:] if not word.startswith("--kubeconfig=")]
    path = Path(argv[0])
    name = str(path.relative_to(ROOT)) if ROOT in path.parents else path.name
    return [name, *rest]
