"""Files of every size, in every order, can be committed, taken in and merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.workspace.repositories import Swarm, git, merged

_MIB = 1024 * 1024
#: core.bigFileThreshold of our configuration: what is larger takes another way through git.
_LARGE = 16 * _MIB
SIZES = [
    (1, _LARGE + 1),
    (_LARGE + 1, 1),
    (1, _LARGE + 1, 1),
    (_LARGE + 1, _LARGE + 2),
    (0, _LARGE),
    (_LARGE - 1, _LARGE, _LARGE + 1, 0),
    (5000, 17_000_000),
]


def _write(tree: Path, sizes: tuple[int, ...]) -> None:
    for number, size in enumerate(sizes):
        with open(tree / f"file-{number}", "wb") as file:
            file.truncate(size)
            # No two are the same object.
            if size:
                file.write(b"%d" % number)


@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(map(str, sizes)))
def test_what_an_agent_leaves_is_committed_whatever_its_size(
    swarm: Swarm, sizes: tuple[int, ...]
) -> None:
    made = swarm.cut()
    _write(Path(made.tree), sizes)
    found = swarm.gather(made)
    assert (found.reason, len(found.files)) == ("Done", len(sizes)), found
    for number, size in enumerate(sizes):
        there = git(Path(made.tree), "cat-file", "-s", f"HEAD:file-{number}")
        assert int(there) == size
    merged(swarm, swarm.candidate(made, found.commit))


def test_files_that_come_with_several_commits_of_an_agent_s_own_git(
    swarm: Swarm,
) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    for sizes in SIZES[:2]:
        _write(tree, sizes)
        git(tree, "add", "--all")
        git(tree, "commit", "--quiet", "-m", "Mine")
    found = swarm.gather(made)
    assert found.reason == "Done", found
    merged(swarm, swarm.candidate(made, found.commit))
