#!/usr/bin/env python3
"""Makes the project's own Python environment and says where its interpreter is.

Every tool in hack/ begins here, so this file needs nothing but Python 3.9: Python tools
call ``ensure()``, shell tools run ``hack/lib/env.py``, which prints the same path on stdout
(all talk goes to stderr). What it guarantees: the environment holds exactly the pinned,
hash-checked packages of requirements/ for its interpreter plus this checkout, editable;
it is reused as long as nothing that went into it has changed; two tools that start at
the same moment do not build it twice; a build that was interrupted is not taken for an
environment.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hack.lib.interpreters import PREFERRED, Interpreter, fetch, find, probe

# Variables that say "install what is missing", to this tool and to the others of hack/.
ASKED_BY = ("CI", "KIRO_SWARM_YES")

# Written into the environment when a step is complete: what it was made from.
PACKAGES_STAMP = "kiro-swarm.packages"
CHECKOUT_STAMP = "kiro-swarm.checkout"


class EnvError(Exception):
    """The environment cannot be made; the message says what to do."""


def ensure(
    python: Optional[str] = None, venv: Optional[Path] = None, install: bool = False
) -> Path:
    """The path of a Python that has everything this project needs.

    ``python`` is a version ("3.9") or a path; without it the best one found is taken.
    ``venv`` is the folder to use, .venv of the checkout by default. ``install`` allows a
    missing interpreter or Debian package to be installed; so do the variables ASKED_BY.
    Raises EnvError with instructions when that is not possible.
    """
    install = install or any(_is_set(name) for name in ASKED_BY)
    folder = (venv or ROOT / ".venv").absolute()
    with _lock(folder):
        executable = _reusable(folder, python)
        if executable is None:
            executable = _build(folder, _choose(python, install))
        _install_checkout(folder, executable)
        return executable


def ensure_oracles(python: Path) -> Path:
    """A folder with what hack/bench schedule compares with, for the PYTHONPATH of ``python``.

    250 MB that nothing else needs, so they are beside the environment and not in it.
    Raises EnvError when they cannot be installed.
    """
    made = probe(str(python))
    if made is None:
        raise EnvError(f"{python} does not start as a Python interpreter")
    version = f"py{made.version[0]}{made.version[1]}"
    requirements = ROOT / "requirements" / f"oracles-{version}.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = ROOT / f".venv-oracles-{version}"
    with _lock(folder):
        stamp = folder / PACKAGES_STAMP
        if not stamp.exists() or stamp.read_text() != wanted:
            _say(f"filling {folder} from {requirements.name}")
            shutil.rmtree(folder, ignore_errors=True)
            options = ("--require-hashes", "--no-deps", "--target", str(folder))
            _pip(python, "install", *options, "-r", str(requirements))
            stamp.write_text(wanted)
    return folder


def clean_environment() -> Dict[str, str]:
    """os.environ without what would pull a foreign Python's modules into ours.

    And without what keeps Python from writing bytecode, as images of containers like to say:
    each worker, and each program that a test starts, would compile all our sources again.
    """
    foreign = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    unwanted = (*foreign, "PYTHONDONTWRITEBYTECODE")
    return {key: value for key, value in os.environ.items() if key not in unwanted}


def requirements_for(version: Tuple[int, int]) -> Path:
    """The pinned and hashed requirement file of one interpreter version."""
    return ROOT / "requirements" / f"py{version[0]}{version[1]}.txt"


def _reusable(folder: Path, python: Optional[str]) -> Optional[Path]:
    executable = folder / "bin" / "python"
    stamp = folder / PACKAGES_STAMP
    if not (stamp.exists() and executable.exists()):
        return None
    interpreter = probe(str(executable))
    if interpreter is None or stamp.read_text() != _packages_of(folder, interpreter):
        return None
    wanted = _version(python)
    if wanted and interpreter.version != wanted:
        return None
    return executable


def _packages_of(folder: Path, interpreter: Interpreter) -> str:
    """Everything that, when it changes, makes an environment stale."""
    digest = hashlib.sha256(requirements_for(interpreter.version).read_bytes())
    # The folder too: scripts of a venv hold its absolute path, so a moved one is broken.
    return f"{interpreter.name} {folder} {digest.hexdigest()}\n"


def _choose(python: Optional[str], install: bool) -> Interpreter:
    if python and os.sep in python:
        interpreter = probe(python)
        if interpreter is None:
            raise EnvError(f"{python} does not start as a Python interpreter")
        _check_supported(interpreter)
        found = [interpreter]
    else:
        found = find(_version(python))
    if not found:
        found = [_fetch_missing(python, install)]
    if not found[0].has_ensurepip:
        _install_venv_package(found[0], install)
    return found[0]


def _check_supported(interpreter: Interpreter) -> None:
    if interpreter.version not in PREFERRED:
        raise EnvError(
            f"{interpreter.path} is Python {interpreter.name}; supported are 3.9 to 3.13"
        )


def _version(python: Optional[str]) -> Optional[Tuple[int, int]]:
    """(3, 9) of "3.9"; None for a path or nothing."""
    if not python or os.sep in python:
        return None
    try:
        major, minor = (int(part) for part in python.split(".")[:2])
    except ValueError:
        raise EnvError(
            f'--python takes a version such as "3.11" or a path, not "{python}"'
        ) from None
    if (major, minor) not in PREFERRED:
        raise EnvError(f"Python {python} is not supported; 3.9 to 3.13 are")
    return major, minor


def _fetch_missing(python: Optional[str], install: bool) -> Interpreter:
    version = _version(python) or PREFERRED[0]
    name = f"{version[0]}.{version[1]}"
    hosts = [host for host in find() if host.has_ensurepip]
    if not install or not hosts:
        raise EnvError(
            f"no Python {name} on the PATH or under ~/.pyenv/versions; install one "
            f"(Debian: apt-get install python{name} python{name}-venv; elsewhere: "
            f"pyenv install {name}), or give --yes to have it downloaded"
        )
    _say(f"no Python {name} here: downloading one with uv")
    try:
        return fetch(version, hosts[0])
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvError(f"Python {name} cannot be downloaded: {error}") from error


def _install_venv_package(interpreter: Interpreter, install: bool) -> None:
    """Debian ships Python without ensurepip; the rest is in a package of its own."""
    package = f"python{interpreter.name}-venv"
    by_hand = f"as root: apt-get install --yes {package}"
    apt = shutil.which("apt-get")
    if not apt:
        raise EnvError(
            f"{interpreter.path} comes without the ensurepip module, which making an "
            "environment needs; install your distribution's package for it"
        )
    if not install or os.geteuid() != 0:
        raise EnvError(
            f"{interpreter.path} comes without the ensurepip module: install the package "
            f"{package} ({by_hand}), or run this again as root with --yes"
        )
    _say(f"installing the Debian package {package}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install_argv = [apt, "install", "--yes", "--no-install-recommends", package]
    for argv in ([apt, "update"], install_argv):
        if subprocess.run(argv, env=quiet, stdout=sys.stderr).returncode != 0:
            raise EnvError(f"{' '.join(argv)} failed; try {by_hand}")


def _build(folder: Path, interpreter: Interpreter) -> Path:
    requirements = requirements_for(interpreter.version)
    started = time.monotonic()
    _say(f"making {folder} with Python {interpreter.name} from {requirements.name}")
    if (
        folder.exists()
        and not (folder / "pyvenv.cfg").exists()
        and any(folder.iterdir())
    ):
        raise EnvError(f"{folder} exists and is no Python environment")
    executable = folder / "bin" / "python"
    _run([str(interpreter.path), "-m", "venv", "--clear", str(folder)])
    _pip(
        executable, "install", "--require-hashes", "--no-deps", "-r", str(requirements)
    )
    _pip(executable, "check")
    made = probe(str(executable))
    if made is None:
        raise EnvError(f"{executable} was made but does not start")
    (folder / PACKAGES_STAMP).write_text(_packages_of(folder, made))
    _say(f"environment ready in {time.monotonic() - started:.0f} s")
    return executable


def _install_checkout(folder: Path, executable: Path) -> None:
    """The project itself, editable; again only when its metadata has changed."""
    stamp = folder / CHECKOUT_STAMP
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # The build back end is among the pinned packages, so this needs no index.
    options = ("--no-deps", "--no-build-isolation", "--editable")
    _pip(executable, "install", *options, str(ROOT))
    stamp.write_text(wanted)


def _pip(executable: Path, command: str, *arguments: str) -> None:
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    _run([str(executable), "-m", "pip", *options, command, *arguments])


def _run(argv: List[str]) -> None:
    # No input, and nothing on stdout: callers read our stdout as a path.
    step = subprocess.run(
        argv, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    if step.returncode != 0:
        raise EnvError(f"failed: {' '.join(argv)}")


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true")


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One builder a folder at a time; the lock dies with its process."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another tool is making {folder}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(f"env: {text}", file=sys.stderr, flush=True)


def main(argv: Optional[List[str]] = None) -> int:
    """Print the path of the environment's Python; exit 1 with instructions if impossible."""
    parser = argparse.ArgumentParser(
        description="Make the project's environment and print the path of its Python."
    )
    parser.add_argument(
        "--python", help='a version ("3.9") or a path; default: the best'
    )
    parser.add_argument("--venv", type=Path, help="the folder; default: .venv")
    parser.add_argument(
        "--yes", action="store_true", help="install what is missing (root, Debian)"
    )
    options = parser.parse_args(argv)
    try:
        print(ensure(options.python, options.venv, options.yes))
    except EnvError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
