"""How tests start git: as whoever stands in a folder does.

Before Python 3.10 ``subprocess`` forks, which takes 14 ms of a core from a worker with all unit
tests, git itself not included, and tests start git ten thousand times. It has a cheaper way for
a program that is named by its path, in the folder of this process, with what is inheritable.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Mapping, Optional


def start(
    folder: Path,
    *arguments: str,
    env: Optional[Mapping[str, str]] = None,
    said: Optional[bytes] = None,
    timeout: Optional[float] = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``git`` with these arguments in ``folder``; ``said`` is its standard input.

    Whatever its status is. FileNotFoundError where no folder of the PATH has a git.
    """
    found = shutil.which("git", path=(os.environ if env is None else env)["PATH"])
    if found is None:
        raise FileNotFoundError("git")
    return subprocess.run(
        [found, "-C", str(folder), *arguments],
        env=env,
        input=said,
        capture_output=True,
        check=False,
        timeout=timeout,
        close_fds=False,
    )
