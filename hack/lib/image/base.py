"""The base layer: a Debian root file system with Python, git and our user.

Also kept unpacked beside the tar, because the later steps run the image's own
interpreter in it. Called by ``build``; about 30 s when it is not in the cache.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import Optional

from hack.lib.image import facts
from hack.lib.image.errors import ImageError
from hack.lib.image.host import KEYRING, architecture, run
from hack.lib.image.layers import Cache, Layer, key_of

MIRROR_VARIABLE = "KIRO_SWARM_DEBIAN_MIRROR"
_DEFAULT_MIRROR = "http://deb.debian.org/debian"
_DEFAULT_SECURITY = "http://deb.debian.org/debian-security"

_LEFT_OUT = ("doc", "info", "lintian", "locale", "man")

# Debian's .pyc files hold the time stamps of their sources. A reproducible tar sets those
# stamps to 0, and Python would compile its library anew at every start in a read-only image.
# What compileall itself imports must not be written on the way: it would be taken as done.
_COMPILE = (
    'rm -rf $(find "$1"/usr/lib/python3* -name __pycache__) && '
    'PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 chroot "$1" python3 -m compileall -q '
    "--invalidation-mode unchecked-hash "
    f"/usr/lib/python{facts.PYTHON_VERSION} /usr/lib/python3/dist-packages"
)
_ADD_USER = (
    f"echo '{facts.USER}:x:{facts.USER_ID}:' >> \"$1\"/etc/group && "
    f"echo '{facts.USER}:x:{facts.USER_ID}:{facts.USER_ID}::{facts.HOME}:/bin/sh'"
    ' >> "$1"/etc/passwd && '
    f'install -d -o {facts.USER_ID} -g {facts.USER_ID} "$1"{facts.HOME}'
)
# What the host or the moment of the build left behind.
_TIDY = (
    'rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/* '
    '"$1"/var/cache/ldconfig/aux-cache "$1"/etc/passwd- "$1"/etc/group- '
    '&& : > "$1"/etc/machine-id'
)

_REPRODUCIBLE = {"SOURCE_DATE_EPOCH": "0", "PYTHONHASHSEED": "0"}


def sources(mirror: Optional[str]) -> list[str]:
    """Lines of sources.list: the release, its updates and its security updates."""
    main = mirror or _DEFAULT_MIRROR
    security = f"{main}-security" if mirror else _DEFAULT_SECURITY
    return [
        f"deb {main} {facts.SUITE} main",
        f"deb {main} {facts.SUITE}-updates main",
        f"deb {security} {facts.SUITE}-security main",
    ]


def command(target: str, mirror: Optional[str]) -> list[str]:
    """The mmdebstrap call that writes the tar ``target``."""
    options = [
        "--mode=root",
        "--variant=apt",
        "--format=tar",
        "--skip=output/dev",
        f"--architectures={architecture()}",
        f"--include={','.join(facts.PACKAGES)}",
        f"--keyring={KEYRING}",
        '--aptopt=Acquire::Retries "2"',
        '--aptopt=Acquire::http::Timeout "20"',
        '--aptopt=APT::Update::Error-Mode "any"',
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *(f"--customize-hook={hook}" for hook in (_ADD_USER, _COMPILE, _TIDY)),
    ]
    return ["mmdebstrap", *options, facts.SUITE, target, *sources(mirror)]


def base_layer(cache: Cache, mirror: Optional[str]) -> Layer:
    """The base layer, made by mmdebstrap when the cache does not have it."""

    def make(target: Path) -> None:
        try:
            # Debian's tools take the epoch as the time of every file that is newer.
            run(command(str(target), mirror), "make the Debian base", _REPRODUCIBLE)
            add_device_folder(target)
        except ImageError as error:
            raise ImageError(
                f"{error}\nWhere {mirror or _DEFAULT_MIRROR} is out of reach, "
                f"{MIRROR_VARIABLE} names another Debian mirror."
            ) from error

    return cache.layer("base", base_key(mirror), make)


def add_device_folder(layer: Path) -> None:
    """Adds the empty /dev: without device files an import needs no right to make them."""
    with tarfile.open(layer, "a") as archive:
        folder = tarfile.TarInfo("./dev")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)


def base_key(mirror: Optional[str]) -> str:
    """Key of the base layer: the whole recipe and where its packages come from."""
    return key_of(*command("", mirror))


def root_file_system(cache: Cache, base: Layer) -> Path:
    """The base layer unpacked, for running its interpreter."""
    root = cache.path(base.name, base.key, ".root")
    if not root.exists():
        partial = cache.path(base.name, base.key, ".root.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        unpack = ["tar", "--extract", "--file", str(base.path), "--directory"]
        run([*unpack, str(partial)], "unpack the base layer")
        os.replace(partial, root)
    return root


def compile_sources(root: Path, stage: Path, folder: str) -> None:
    """Compiles the Python files below ``stage``/``folder`` with the image's interpreter.

    ``stage`` lies inside ``root``. The compiled files name the paths that the image
    will have and are never compared with their sources: the image is read-only.
    """
    inside = f"/{stage.relative_to(root)}"
    compileall = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    prefixes = ["-s", inside, "-p", "/", f"{inside}{folder}"]
    run(
        ["chroot", str(root), "/usr/bin/python3", *compileall, *prefixes],
        f"compile {folder}",
        {**_REPRODUCIBLE, **facts.ENVIRONMENT},
    )
