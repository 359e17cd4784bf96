"""The top layer: our own package, its metadata and the command ``kiro-swarm``.

The only layer that changes with our code, so a rebuild costs about a second.
Called by ``build``, and as a program by the Dockerfile: REPOSITORY TARGET.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from hack.lib.image import facts
from hack.lib.image.base import compile_sources
from hack.lib.image.errors import ImageError
from hack.lib.image.layers import Cache, Layer, key_of, tar_folder
from hack.lib.image.stage import stage_in

SOURCE = "operator/kiro_swarm"
_VERSION = re.compile(r"""^__version__(?:: \w+)? = ["']([^"']+)["']""", re.MULTILINE)


def package_layer(cache: Cache, repository: Path, root: Path, base: Layer) -> Layer:
    """The layer of our own code as it is in the working tree."""
    files = contents(repository)
    digests = [f"{name} {hashlib.sha256(files[name]).hexdigest()}" for name in files]
    key = key_of(base.key, facts.COMMAND, facts.SITE_PACKAGES, *digests)

    def make(target: Path) -> None:
        with stage_in(root) as stage:
            write(files, stage)
            compile_sources(root, stage, facts.SITE_PACKAGES)
            tar_folder(stage, target)

    return cache.layer("package", key, make)


def write(files: Mapping[str, bytes], stage: Path) -> None:
    """Writes the files of the layer below ``stage``."""
    for name, content in files.items():
        path = stage / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (stage / facts.COMMAND.lstrip("/")).chmod(0o755)


def contents(repository: Path) -> dict[str, bytes]:
    """Every file of the layer by its path in the image, sorted."""
    package = repository / SOURCE
    if not package.is_dir():
        raise ImageError(f"{package} is missing: there is no package to put in")
    files = {
        f"{facts.SITE_PACKAGES}/kiro_swarm/{path.relative_to(package)}": path
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {name: files[name].read_bytes() for name in files}
    found.update(metadata(version(package), found))
    found[facts.COMMAND] = (repository / facts.COMMAND_SOURCE).read_bytes()
    return {name: found[name] for name in sorted(found)}


def version(package: Path) -> str:
    """The version that the package's __init__.py states."""
    match = _VERSION.search((package / "__init__.py").read_text("utf-8"))
    if match is None:
        raise ImageError(f'{package}/__init__.py has no line `__version__ = "..."`')
    return match.group(1)


def metadata(release: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """The dist-info folder, as an installer would leave it."""
    folder = f"kiro_swarm-{release}.dist-info"
    about = f"Metadata-Version: 2.1\nName: kiro-swarm\nVersion: {release}\n"
    entry = "[console_scripts]\nkiro-swarm = kiro_swarm.cli.main:main\n"
    made = {
        "INSTALLER": b"hack/image\n",
        "METADATA": about.encode(),
        "entry_points.txt": entry.encode(),
    }
    result = {f"{facts.SITE_PACKAGES}/{folder}/{name}": made[name] for name in made}
    record = [*_record({**files, **result}), f"{folder}/RECORD,,", ""]
    result[f"{facts.SITE_PACKAGES}/{folder}/RECORD"] = "\n".join(record).encode()
    return result


def _record(files: dict[str, bytes]) -> list[str]:
    lines = []
    for name in sorted(files):
        digest = hashlib.sha256(files[name]).digest()
        text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        relative = name[len(facts.SITE_PACKAGES) + 1 :]
        lines.append(f"{relative},sha256={text},{len(files[name])}")
    return lines


if __name__ == "__main__":
    write(contents(Path(sys.argv[1])), Path(sys.argv[2]))
