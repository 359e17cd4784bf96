"""Objects that git itself would not write: made byte by byte, as a hostile agent can."""

from __future__ import annotations

import functools
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.outcomes import Candidate
from tests.unit.workspace.repositories import Swarm, git

FILE, FOLDER = "100644", "40000"


@dataclass
class Bomber:
    """Plants objects in the repository of the first instance."""

    swarm: Swarm
    made: Cut

    @property
    def objects(self) -> Path:
        return self.swarm.instance().repository / "objects"

    def plant(self, kind: str, text: bytes, oid: str = "") -> str:
        """A loose object; ``oid``: under the name of another one."""
        whole = b"%s %d\0" % (kind.encode(), len(text)) + text
        oid = oid or hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        place = self.objects / oid[:2] / oid[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(zlib.compress(whole, 9))
        return oid

    def huge(self, kind: str, start: bytes, mebibytes: int) -> str:
        """An object of that size of spaces, in a few megabytes."""
        oid, packed = _huge(kind, start, mebibytes)
        place = self.objects / oid[:2] / oid[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(packed)
        return oid

    def tree(self, entries: dict[str, tuple[str, str]], oid: str = "") -> str:
        """A tree of name -> mode and id, in the order of git."""

        def place(name: str) -> str:
            return name + "/" if entries[name][0] == FOLDER else name

        text = b"".join(
            f"{entries[name][0]} {name}".encode()
            + b"\0"
            + bytes.fromhex(entries[name][1])
            for name in sorted(entries, key=place)
        )
        return self.plant("tree", text, oid)

    def root(self, **more: tuple[str, str]) -> str:
        """The tree that the task began with, and these entries."""
        listed = git(self.swarm.mirror, "ls-tree", self.made.base).splitlines()
        there = {}
        for line in listed:
            facts, _, name = line.partition("\t")
            mode, _, oid = facts.split(" ")
            there[name] = (mode.lstrip("0"), oid)
        return self.tree({**there, **more})

    def commit(self, tree: str, parent: str = "") -> str:
        who = "a <a@b> 1700000000 +0000"
        text = (
            f"tree {tree}\nparent {parent or self.made.base}\nauthor {who}\n"
            f"committer {who}\n\nx\n\nSwarm-Task: uid-1-1/1\n"
        )
        return self.plant("commit", text.encode())

    def candidate(self, commit: str) -> Candidate:
        return self.swarm.candidate(self.made, commit)


@functools.cache
def _huge(kind: str, start: bytes, mebibytes: int) -> tuple[str, bytes]:
    """Id and file of an object; made once a process, for it takes seconds."""
    size = len(start) + mebibytes * 2**20
    head = b"%s %d\0" % (kind.encode(), size) + start
    digest = hashlib.sha1(head, usedforsecurity=False)
    packer, chunk = zlib.compressobj(1), b" " * 2**20
    parts = [packer.compress(head)]
    for _ in range(mebibytes):
        digest.update(chunk)
        parts.append(packer.compress(chunk))
    parts.append(packer.flush())
    return digest.hexdigest(), b"".join(parts)


def bomber(swarm: Swarm) -> Bomber:
    return Bomber(swarm, swarm.cut())
