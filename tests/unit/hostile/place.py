"""What a hostile agent has before it: its own folder, and git as plain as it wants it.

Acts (acts_*.py) write nowhere else. Objects are made by hand, for git itself refuses to
make most of them.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from kiro_swarm.workspace.instance import Cut, Instance
from tests.unit.workspace.repositories import git


@dataclass
class Place:
    """One task in one instance.

    ``claim``: the commit that a forged answer of the container names; None: the answer of
    the real evidence is taken.
    """

    draw: random.Random
    folder: Path
    made: Cut
    trailer: str
    #: A file that nobody may make: it is what planted programs write.
    canary: Path
    claim: Optional[str] = None
    #: What keeps the volume full until the folder is emptied.
    filler: Optional[Path] = None

    @property
    def tree(self) -> Path:
        return Path(self.made.tree)

    @property
    def repository(self) -> Path:
        return Instance(self.folder).repository

    @property
    def objects(self) -> Path:
        return self.repository / "objects"

    def write(self, name: str, content: bytes = b"x\n") -> None:
        """A file of the worktree."""
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def git(self, *arguments: str) -> str:
        """Plain git in the worktree; what it says of an error does not matter."""
        return git(self.tree, *arguments, check=False)

    def program(self) -> str:
        """A command that leaves the canary when anybody runs it."""
        return f"sh -c 'echo ran >> {self.canary}'"

    def put(self, kind: str, content: bytes) -> str:
        """A loose object, whatever its content; its id."""
        header = f"{kind} {len(content)}\0".encode()
        oid = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        self.put_as(oid, zlib.compress(header + content))
        return oid

    def put_as(self, oid: str, stored: bytes) -> None:
        """Any bytes in the place of an object."""
        path = self.objects / oid[:2] / oid[2:]
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(stored)

    def tree_of(self, *entries: Tuple[str, bytes, str]) -> str:
        """A tree of mode, name and id as they are, sorted or not, valid or not."""
        packed = [
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid)
            for mode, name, oid in entries
        ]
        return self.put("tree", b"".join(packed))

    def base_with(self, *entries: Tuple[str, bytes, str]) -> str:
        """The tree of the base and these entries behind it."""
        base = git(self.tree, "cat-file", "-p", f"{self.made.base}^{{tree}}")
        there = []
        for line in base.splitlines():
            facts, name = line.split("\t", 1)
            mode, _, oid = facts.split(" ")
            there.append((mode.lstrip("0"), name.encode(), oid))
        return self.tree_of(*there, *entries)

    def commit(
        self,
        tree: str,
        message: Optional[bytes] = None,
        *,
        head: bytes = b"",
        who: bytes = b"Agent <agent@example.com> 1700000000 +0000",
    ) -> str:
        """A commit on the base, with the trailer unless a message is given; its id."""
        if message is None:
            message = f"Work\n\nSwarm-Task: {self.trailer}\n".encode()
        lines = [b"tree " + tree.encode(), b"parent " + self.made.base.encode()]
        lines += [b"author " + who, b"committer " + who]
        content = b"\n".join(lines) + b"\n" + head + b"\n" + message
        return self.put("commit", content)

    def stand_on(self, commit: str) -> None:
        """Move the task's branch there, as the agent can."""
        path = self.repository / "refs" / "heads" / self.made.branch
        if path.is_dir():
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit + "\n")

    def some_objects(self, count: int = 3) -> Tuple[Path, ...]:
        """Some files of its own repository."""
        found = sorted(path for path in self.objects.rglob("*") if path.is_file())
        return tuple(self.draw.sample(found, min(count, len(found))))


def make_writable(path: Path) -> None:
    """git makes its objects read-only, which stops nobody who owns them."""
    os.chmod(path, path.stat().st_mode | stat.S_IWUSR)
