"""Layers in the cache: a packed tar and a note with its checksum, named by a key.

The steps of the build call ``Cache.layer``. Guarantees: a layer whose key is in
the cache is neither made nor read again; the same files give the same layer,
byte for byte; a build that is killed leaves no half layer under a valid name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Callable

_KEPT = 3
_CHUNK = 1 << 20
_PROGRAM = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer: what it is for, its gzipped tar, how many bytes that has.

    ``diff_id`` is the checksum of the tar itself, by which an image names it.
    """

    name: str
    key: str
    path: Path
    diff_id: str
    size: int
    cached: bool


class Cache:
    """The folder of layers. The caller holds the lock of the build."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def layer(self, name: str, key: str, make: Callable[[Path], None]) -> Layer:
        """The layer ``name`` for ``key``; ``make`` writes its tar when it is not there."""
        path = self.path(name, key, ".tar.gz")
        note = self.path(name, key, ".json")
        cached = note.exists() and path.exists()
        if not cached:
            note.unlink(missing_ok=True)
            plain = self.path(name, key, ".tar")
            make(plain)
            diff_id = pack(plain, path)
            plain.unlink()
            write_note(note, {"diff_id": diff_id})
        os.utime(note)
        diff_id = json.loads(note.read_text("utf-8"))["diff_id"]
        return Layer(name, key, path, diff_id, path.stat().st_size, cached)

    def path(self, name: str, key: str, suffix: str) -> Path:
        """Where something that belongs to a layer is kept."""
        return self._folder / f"{name}-{key}{suffix}"

    def forget(self, name: str) -> None:
        """Removes every layer of that name."""
        self._remove(self._folder.glob(f"{name}-*"))

    def prune(self, name: str) -> None:
        """Keeps the layers of that name which were used last, removes all else of it."""
        notes = sorted(
            self._folder.glob(f"{name}-*.json"),
            key=lambda note: note.stat().st_mtime_ns,
            reverse=True,
        )
        kept = {note.stem for note in notes[:_KEPT]}
        self._remove(
            path
            for path in self._folder.glob(f"{name}-*")
            if path.name.split(".")[0] not in kept
        )

    @staticmethod
    def _remove(paths: Iterable[Path]) -> None:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def key_of(*parts: str) -> str:
    """A short name for what decides the content of a layer: ``parts`` and this program."""
    program = [path.read_text("utf-8") for path in sorted(_PROGRAM.glob("*.py"))]
    return hashlib.sha256(json.dumps([program, parts]).encode()).hexdigest()[:16]


def pack(plain: Path, packed: Path) -> str:
    """Writes ``plain`` gzipped to ``packed`` and returns the checksum of ``plain``.

    The lowest level: an image a third of the size is imported in a third of the
    time, and what higher levels would save is lost again in making it.
    """
    digest = hashlib.sha256()
    with contextlib.ExitStack() as files:
        source = files.enter_context(plain.open("rb"))
        target = files.enter_context(packed.open("wb"))
        zipped = files.enter_context(
            gzip.GzipFile("", "wb", compresslevel=1, fileobj=target, mtime=0)
        )
        while True:
            chunk = source.read(_CHUNK)
            if not chunk:
                break
            digest.update(chunk)
            zipped.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def write_note(path: Path, facts: object) -> None:
    """Writes JSON so that a reader sees the old or the new file, never a part."""
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", "utf-8")
    os.replace(partial, path)


def tar_folder(folder: Path, target: Path) -> None:
    """Writes everything under ``folder`` as a tar that depends on its content alone."""
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            member = archive.gettarinfo(str(path), str(path.relative_to(folder)))
            executable = not member.isreg() or member.mode & 0o100
            member.mode = 0o755 if executable else 0o644
            member.mtime = member.uid = member.gid = 0
            member.uname = member.gname = ""
            if member.isreg():
                with path.open("rb") as source:
                    archive.addfile(member, source)
            else:
                archive.addfile(member)
