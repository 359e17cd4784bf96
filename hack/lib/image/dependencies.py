"""The layer of dependencies: pinned wheels in a virtual environment of their own.

pip unpacks them for the image's interpreter and platform, whatever Python runs
this; their code is not executed. Called by ``build``.
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from hack.lib.image import facts
from hack.lib.image.base import compile_sources
from hack.lib.image.errors import ImageError
from hack.lib.image.host import pip, run
from hack.lib.image.layers import Cache, Layer, key_of, tar_folder
from hack.lib.image.stage import stage_in

# Debian bookworm has glibc 2.36. Newest first: pip prefers the order given.
_GLIBC_MINORS = range(36, 16, -1)
_LEGACY = ("manylinux2014", "manylinux2010", "manylinux1")
PYVENV = "home = /usr/bin\ninclude-system-site-packages = false\n"


def dependency_layer(cache: Cache, repository: Path, root: Path, base: Layer) -> Layer:
    """The layer of everything that requirements/ pins for the image's Python."""
    requirements = repository / facts.REQUIREMENTS
    if not requirements.exists():
        raise ImageError(f"{requirements} is missing: it pins the image's packages")
    key = key_of(base.key, requirements.read_text("utf-8"), *pip_options(), PYVENV)

    def make(target: Path) -> None:
        with stage_in(root) as stage:
            site = stage / facts.SITE_PACKAGES.lstrip("/")
            install(requirements, site)
            prefix = stage / facts.PREFIX.lstrip("/")
            (prefix / "pyvenv.cfg").write_text(PYVENV, "utf-8")
            (prefix / "bin").mkdir()
            (prefix / "bin" / "python3").symlink_to("/usr/bin/python3")
            compile_sources(root, stage, facts.SITE_PACKAGES)
            tar_folder(stage, target)

    return cache.layer("dependencies", key, make)


def install(requirements: Path, site: Path) -> None:
    """Unpacks the pinned wheels into ``site``; refuses what has no hash."""
    where = ["--target", str(site), "--requirement", str(requirements)]
    run(
        [*pip(), "install", *pip_options(), *where],
        f"install {requirements.name} (is the package index reachable?)",
        {"PIP_ROOT_USER_ACTION": "ignore", "PIP_USER": "0"},
    )
    # Scripts of the dependencies begin with the path of the Python that ran pip: they
    # would not start, and their checksums differ from machine to machine.
    shutil.rmtree(site / "bin", ignore_errors=True)
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith("../../bin/")]
        record.write_text("".join(kept), "utf-8")


def pip_options() -> list[str]:
    """What makes pip choose for the image instead of for itself."""
    machine = platform.machine()
    names = [f"manylinux_2_{minor}" for minor in _GLIBC_MINORS]
    platforms = [f"--platform={name}_{machine}" for name in (*names, *_LEGACY)]
    return [
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={facts.PYTHON_VERSION}",
        *platforms,
    ]
