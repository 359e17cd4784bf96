"""What the host must have for an offline build, and running its programs.

Called by the steps of the build. Everything is checked before work starts, so
that a missing program is named at once and not after half a minute.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from hack.lib.image.errors import ImageError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SYSTEM_PYTHON = "/usr/bin/python3"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SHOWN_LINES = 12


def architecture() -> str:
    """Name of this machine's architecture in Debian and in image configs."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise ImageError(f"no image can be made for {machine}; known: {known}")
    return _ARCHITECTURES[machine]


def pip() -> list[str]:
    """The pip to call: that of the running Python, else that of the system."""
    own = importlib.util.find_spec("pip") is not None
    return [sys.executable if own else SYSTEM_PYTHON, "-m", "pip"]


def missing_packages() -> list[str]:
    """Debian packages that an offline build needs and the host lacks."""
    missing = []
    if shutil.which("mmdebstrap") is None:
        missing.append("mmdebstrap")
    if not KEYRING.exists():
        missing.append("debian-archive-keyring")
    try:
        run([*pip(), "--version"], "look for pip")
    except ImageError:
        missing.append("python3-pip")
    return missing


def prepare(*, install: bool) -> None:
    """Makes sure that an offline build can start; installs packages if allowed."""
    if os.geteuid() != 0:
        raise ImageError(
            "the offline way needs root: it makes a Debian root file system and "
            "runs its interpreter there. Use sudo, or --method docker"
        )
    missing = missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if shutil.which("apt-get") is None:
        raise ImageError(
            f"this host lacks {', '.join(missing)} and has no apt-get to install "
            "them; use --method docker"
        )
    if not install:
        raise ImageError(
            f"this host lacks {', '.join(missing)}; run `{' '.join(command)}`, "
            "or give --yes to have it done"
        )
    print(f"installing {', '.join(missing)}", file=sys.stderr)
    run(["apt-get", "update"], "update the package lists")
    run(command, f"install {', '.join(missing)}")


def run(
    command: Sequence[str], purpose: str, extra: Optional[Mapping[str, str]] = None
) -> str:
    """Runs a program with ``extra`` in its environment and returns its output.

    Raises ImageError with the last lines it printed when it fails.
    """
    environment: dict[str, str] = {**os.environ, **(extra or {})}
    try:
        done = subprocess.run(
            list(command),
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError as error:
        raise ImageError(f"could not {purpose}: {command[0]} is missing") from error
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()[-_SHOWN_LINES:]
        said = "\n".join(f"  {line}" for line in lines) or "  (it printed nothing)"
        raise ImageError(
            f"could not {purpose}: {command[0]} exited with {done.returncode}:\n{said}"
        )
    return done.stdout
