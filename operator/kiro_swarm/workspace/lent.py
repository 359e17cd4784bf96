"""Objects of an agent's commits that lie in a folder which only the agent has.

Role: evidence.py, in the agent's own container, before it says Done.

An agent may have git borrow from a clone elsewhere (``clone --reference``, and the file
``objects/info/alternates``). Whoever takes its work reads no alternate of an agent, and would
miss what is there. Guarantees: afterwards all objects since the base are in the instance's own
store.
"""

from __future__ import annotations

from kiro_swarm.workspace.disk import read_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance


def bring_home(git: Git, instance: Instance, base: str, commit: str) -> None:
    """Copy them, where the instance borrows from anything but the mirror.

    Raises GitFailed: some of it cannot be read there any more.
    """
    objects = instance.repository / "objects"
    lenders = read_plain(objects / "info" / "alternates").split("\n")
    if [line for line in lenders if line] == [str(instance.mirror / "objects")]:
        return
    git.run(
        *("pack-objects", "--quiet", "--revs", str(objects / "pack" / "pack")),
        stdin=f"{commit}\n^{base}\n".encode("ascii"),
    )
