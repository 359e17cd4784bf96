"""Running other programs. Called by every module that starts one and waits for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Mapping, Optional

from hack.cluster_tool.errors import ClusterError

_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str) -> Optional[str]:
    """Where a program is, also when sbin is not on the PATH; None when it is missing."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}")


def run(*command: str, environment: Optional[Mapping[str, str]] = None) -> str:
    """Runs a program and returns what it printed; raises ClusterError with its words."""
    found = program(command[0])
    if found is None:
        raise ClusterError(f"{command[0]} is missing")
    done = subprocess.run(
        [found, *command[1:]],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise ClusterError(f"`{' '.join(command)}` failed: {said}")
    return done.stdout


def succeeds(*command: str) -> bool:
    """Whether a program is there and ends with exit code 0."""
    try:
        run(*command)
    except ClusterError:
        return False
    return True
