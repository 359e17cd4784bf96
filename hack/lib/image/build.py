"""The order of a build, with its cache and its lock. Called by ``main``.

Guarantees: what did not change is neither made nor read again; two builds at
once wait for each other; the archive of a tag is replaced in one step.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from hack.lib.image import archive
from hack.lib.image.base import MIRROR_VARIABLE, base_layer, root_file_system
from hack.lib.image.dependencies import dependency_layer
from hack.lib.image.errors import ImageError
from hack.lib.image.layers import Cache, Layer, write_note
from hack.lib.image.package import package_layer

_TAG = re.compile(r"[a-z0-9]+(?:[._/:-][a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LAYERS = ("base", "dependencies", "package")


@dataclasses.dataclass(frozen=True)
class Image:
    """A built image: its name, id (sha256:...), archive, size in bytes, layers."""

    tag: str
    image_id: str
    path: Path
    size: int
    layers: list[Layer]


def cache_folder() -> Path:
    """Where layers and archives are kept; KIRO_SWARM_CACHE moves it."""
    chosen = os.environ.get("KIRO_SWARM_CACHE")
    cache = Path(chosen) if chosen else Path.home() / ".cache"
    return cache.absolute() / "kiro-swarm" / "image"


def archive_path(tag: str) -> Path:
    """The archive of an image name; refuses a name that no registry would take."""
    if len(tag) > 255 or not _TAG.fullmatch(tag):
        raise ImageError(
            f"--tag {tag[:80]!r} is not an image name; write NAME:TAG, "
            "lower case, for example kiro-swarm:dev"
        )
    folder = cache_folder() / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (tag.replace("/", "_").replace(":", "@") + ".tar")


def build_offline(repository: Path, tag: str, *, refresh: bool) -> Image:
    """Makes the image from Debian packages and wheels, or finds it unchanged."""
    path = archive_path(tag)
    with lock():
        cache = Cache(cache_folder() / "layers")
        if refresh:
            for name in _LAYERS:
                cache.forget(name)
        mirror = os.environ.get(MIRROR_VARIABLE)
        base = _timed("base", lambda: base_layer(cache, mirror))
        root = root_file_system(cache, base)
        layers = [
            base,
            _timed(
                "dependencies",
                lambda: dependency_layer(cache, repository, root, base),
            ),
            _timed("package", lambda: package_layer(cache, repository, root, base)),
        ]
        for name in _LAYERS:
            cache.prune(name)
        config = archive.config(layers)
        image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
        keep_archive(
            path, image_id, lambda target: archive.write(target, tag, config, layers)
        )
    return Image(tag, image_id, path, path.stat().st_size, layers)


def keep_archive(path: Path, image_id: str, write: Callable[[Path], None]) -> None:
    """Lets ``write`` make the archive unless ``path`` already holds that image.

    Whoever reads the archive meanwhile sees the old or the new one. The caller
    holds the lock.
    """
    note = path.with_suffix(".json")
    kept = json.loads(note.read_text("utf-8")) if note.exists() else {}
    if path.exists() and kept.get("id") == image_id:
        return
    note.unlink(missing_ok=True)
    partial = path.with_suffix(".partial")
    write(partial)
    os.replace(partial, path)
    write_note(note, {"id": image_id})


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Held while building: the cache has one writer."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another build of the image", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _timed(name: str, make: Callable[[], Layer]) -> Layer:
    started = time.monotonic()
    print(f"layer {name} ...", end="", file=sys.stderr, flush=True)
    try:
        layer = make()
    except BaseException:
        print(" failed", file=sys.stderr)
        raise
    took = time.monotonic() - started
    state = "unchanged" if layer.cached else f"made in {took:.1f} s"
    print(f" {state}, {layer.size / 1e6:.1f} MB", file=sys.stderr)
    return layer
