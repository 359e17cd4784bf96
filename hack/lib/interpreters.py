"""Finds the Python interpreters of this machine.

Called by hack/lib/env.py, before anything is installed: standard library only, and it
runs on every Python from 3.9 on. It never installs or changes anything, except that
``fetch`` downloads an interpreter into a folder of the user's cache when asked to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

# The order of preference: Debian's Python, which the images run, then the other modern ones.
PREFERRED = ((3, 11), (3, 12), (3, 13), (3, 10), (3, 9))

# Pinned because a fetched interpreter depends on the list of builds inside of uv.
UV = "uv==0.13.9"

_PROBE = (
    "import importlib.util as u, sys;"
    "print(*sys.version_info[:2], u.find_spec('ensurepip') is not None, sys.executable)"
)


@dataclass(frozen=True)
class Interpreter:
    """One working Python: its real path, (major, minor), and whether it can make venvs."""

    path: Path
    version: Tuple[int, int]
    has_ensurepip: bool

    @property
    def name(self) -> str:
        """The version as people write it, e.g. "3.11"."""
        return f"{self.version[0]}.{self.version[1]}"


def probe(path: str) -> Optional[Interpreter]:
    """Ask an interpreter what it is; None when it does not start (a pyenv shim, say)."""
    try:
        answer = subprocess.run(
            [path, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, ensurepip, executable = answer.stdout.strip().split(" ", 3)
    return Interpreter(
        path=Path(executable),
        version=(int(major), int(minor)),
        has_ensurepip=ensurepip == "True",
    )


def find(version: Optional[Tuple[int, int]] = None) -> List[Interpreter]:
    """The working interpreters, best first; of one version only when it is given.

    The interpreter that runs this comes first within its version, so that a person who
    chose one by hand gets it.
    """
    versions = [version] if version else list(PREFERRED)
    found: List[Interpreter] = []
    for wanted in versions:
        for candidate in _candidates(wanted):
            interpreter = probe(candidate)
            known = [other.path for other in found]
            if (
                interpreter
                and interpreter.version == wanted
                and interpreter.path not in known
            ):
                found.append(interpreter)
    # Stable: among those that can make an environment the preference above holds.
    return sorted(found, key=lambda interpreter: not interpreter.has_ensurepip)


def fetch(version: Tuple[int, int], host: Interpreter) -> Interpreter:
    """Download an interpreter with uv, which comes from PyPI; it lands in uv's own folder.

    ``host`` is any interpreter that can make an environment for uv. Raises
    subprocess.CalledProcessError when there is no way to download it.
    """
    name = f"{version[0]}.{version[1]}"
    home = cache_folder() / "uv"
    uv = home / "bin" / "uv"
    if not uv.exists():
        venv = [str(host.path), "-m", "venv", str(home)]
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", UV]
        for argv in (venv, pip):
            subprocess.run(argv, check=True, stdout=sys.stderr)
    subprocess.run([uv, "python", "install", name], check=True, stdout=sys.stderr)
    answer = subprocess.run(
        [uv, "python", "find", "--managed-python", name],
        check=True,
        capture_output=True,
        text=True,
    )
    interpreter = probe(answer.stdout.strip())
    if interpreter is None:
        raise FileNotFoundError(f"uv fetched Python {name} but it does not start")
    return interpreter


def cache_folder() -> Path:
    """Where downloads that outlive a checkout belong; KIRO_SWARM_CACHE moves it."""
    chosen = os.environ.get("KIRO_SWARM_CACHE") or os.environ.get("XDG_CACHE_HOME")
    return Path(chosen or Path.home() / ".cache").absolute() / "kiro-swarm"


def _candidates(version: Tuple[int, int]) -> Iterator[str]:
    name = f"python{version[0]}.{version[1]}"
    if sys.version_info[:2] == version:
        # In a venv this is the interpreter that the venv was made from.
        yield getattr(sys, "_base_executable", sys.executable)
    found = shutil.which(name)
    if found:
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    pattern = f"{version[0]}.{version[1]}.*/bin/{name}"
    yield from (str(path) for path in sorted(pyenv.glob(pattern), reverse=True))
    yield f"/usr/bin/{name}"
