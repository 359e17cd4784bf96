"""A volume that has another repository's work, or another swarm's, is left as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from kiro_swarm.workspace.errors import RemoteUnavailable, VolumeOfAnother
from kiro_swarm.workspace.messages import Mover
from kiro_swarm.workspace.mirror import MirrorHead, claim, prepare_mirror
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.rescue import Rescued, rescue
from kiro_swarm.workspace.whose import MARK, Owner, owner_in
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Swarm,
    commit,
    git,
    merged,
)

MINE = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
OTHERS = "11111111-5b1c-4a53-9a5e-2f6d3a1c9b7e"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another project's repository."""
    made = tmp_path / "project-b"
    made.mkdir()
    git(made, "init", "--quiet", "-b", "main")
    commit(made, {"b.txt": "b\n"})
    return made


def prepared(
    swarm: Swarm, url: str = "", uid: str = MINE, begun: bool = False
) -> MirrorHead:
    address = url or swarm.url
    return prepare_mirror(
        *(swarm.mirror, address, "main", INTEGRATION), swarm_uid=uid, begun=begun
    )


def pushed(swarm: Swarm, url: str, uid: str) -> str:
    return push_integration(swarm.mirror, url, INTEGRATION, mover=Mover(uid))


def rescued(swarm: Swarm, url: str, uid: str, begun: bool = True) -> Rescued:
    return rescue(swarm.mirror, swarm.top, url, INTEGRATION, uid, begun=begun)


def forget_mark(swarm: Swarm) -> None:
    """As a release before this one left it."""
    (swarm.mirror / MARK).unlink()


def state(swarm: Swarm) -> tuple[str, str]:
    objects = git(swarm.mirror, "count-objects", "-v")
    return git(swarm.mirror, "for-each-ref"), objects


@pytest.mark.parametrize("act", [prepared, pushed, rescued])
def test_work_of_another_repository_is_neither_read_nor_pushed(
    swarm: Swarm, other: Path, act: Callable[[Swarm, str, str], object]
) -> None:
    prepared(swarm)
    merged(swarm, swarm.work({"secret-of-a.py": "a\n"}))
    swarm.keep(swarm.work({"finished.py": "a\n"}, index=2, task="2"))
    before = state(swarm)
    with pytest.raises(VolumeOfAnother) as refusal:
        act(swarm, f"file://{other}", OTHERS)
    assert f"the repository {swarm.url}, not of file://{other}" in str(refusal.value)
    assert "empty the volume" in str(refusal.value)
    assert state(swarm) == before
    assert git(other, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize("act", [prepared, pushed, rescued])
def test_nor_is_that_of_another_swarm_of_the_repository(
    swarm: Swarm, act: Callable[[Swarm, str, str], object]
) -> None:
    prepared(swarm)
    before = state(swarm)
    with pytest.raises(VolumeOfAnother, match=f"another KiroSwarm .uid {MINE}"):
        act(swarm, swarm.url, OTHERS)
    assert state(swarm) == before
    prepared(swarm)
    merged(swarm, swarm.work({"a.py": "a\n"}))
    assert pushed(swarm, swarm.url, MINE) == swarm.head()
    assert rescued(swarm, swarm.url, MINE).left == []


def test_it_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    gone = f"file://me@{tmp_path}/gone"
    with pytest.raises(RemoteUnavailable):
        prepared(swarm, gone.replace("me@", ""))
    assert owner_in(swarm.mirror) == Owner(gone.replace("me@", ""), MINE)
    with pytest.raises(VolumeOfAnother):
        prepared(swarm)


def test_no_user_name_is_kept_and_it_makes_no_difference(tmp_path: Path) -> None:
    swarm = Swarm(tmp_path)
    swarm.mirror.mkdir()
    for name in ("ann", "bob"):
        claim(swarm.mirror, Owner(f"ssh://{name}@host/repo.git", MINE))
    assert "ann" not in (swarm.mirror / MARK).read_text()
    with pytest.raises(VolumeOfAnother):
        claim(swarm.mirror, Owner("ssh://ann@host/other.git", MINE))


@pytest.mark.parametrize("left", [b"", b"\0" * 80, b'{"repository": "https://', b"[]"])
def test_a_write_that_was_interrupted_is_finished_by_the_next(
    tmp_path: Path, left: bytes
) -> None:
    swarm = Swarm(tmp_path)
    prepared(swarm)
    (swarm.mirror / MARK).write_bytes(left)
    (swarm.mirror / f"{MARK}.kiro-new").write_bytes(left)
    assert prepared(swarm).integration == swarm.head()
    assert owner_in(swarm.mirror) == Owner(swarm.url, MINE)
    assert not (swarm.mirror / f"{MARK}.kiro-new").exists()


def test_a_mirror_of_an_earlier_release_is_the_swarms_that_has_begun(
    swarm: Swarm,
) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    forget_mark(swarm)
    head = swarm.head()
    assert pushed(swarm, swarm.url, MINE) == head
    assert rescued(swarm, swarm.url, MINE).left == []
    assert owner_in(swarm.mirror) is None, "who only reads does not write"
    assert prepared(swarm, begun=True).integration == head
    assert owner_in(swarm.mirror) == Owner(swarm.url, MINE)
    forget_mark(swarm)
    claim(swarm.mirror, Owner(swarm.url, MINE))
    assert json.loads((swarm.mirror / MARK).read_text())["swarm"] == MINE


@pytest.mark.parametrize("packed", [False, True])
def test_a_branch_of_the_repository_that_is_continued_is_no_work_of_another(
    tmp_path: Path, packed: bool
) -> None:
    """The task file was wrong under the earlier release, so nothing has begun."""
    swarm = Swarm(tmp_path)
    git(swarm.upstream, "checkout", "--quiet", "-b", INTEGRATION)
    head = commit(swarm.upstream, {"earlier.py": "1\n"})
    git(swarm.upstream, "checkout", "--quiet", "main")
    swarm.prepare()
    assert swarm.head() == head != git(swarm.mirror, "rev-parse", "refs/kiro/start")
    if packed:
        git(swarm.mirror, "pack-refs", "--all")
    forget_mark(swarm)
    assert prepared(swarm).integration == head
    forget_mark(swarm)
    merged(swarm, swarm.work({"a.py": "a\n"}))
    with pytest.raises(VolumeOfAnother, match="has not begun"):
        prepared(swarm)


def test_whose_it_is_outlives_a_power_cut_that_what_is_fetched_outlives(
    tmp_path: Path,
) -> None:
    """A name that is not synced may be gone, and what was written later be there."""
    said = subprocess.run(
        [sys.executable, "-c", _SYNCS, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    assert said.splitlines() == [f"renamed {MARK}", "opened the folder"]


#: What ``mark`` asks of the system, in this order: a folder is opened to be synced alone.
_SYNCS = """
import os, sys
from pathlib import Path
from kiro_swarm.workspace.whose import Owner, mark
mirror, told = sys.argv[1], []
def hook(event, given):
    if event == "os.rename":
        told.append("renamed " + os.path.basename(given[1]))
    if event == "open" and str(given[0]) == mirror:
        told.append("opened the folder")
sys.addaudithook(hook)
mark(Path(mirror), Owner("https://host/repo.git", "uid"))
print("\\n".join(told))
"""


def _merged(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))


def _adopted(swarm: Swarm) -> None:
    git(swarm.mirror, "update-ref", "refs/kiro/done/uid-1/1", swarm.head())


def _shelved(swarm: Swarm) -> None:
    swarm.keep(swarm.work({"a.py": "a\n"}))


def _broken(swarm: Swarm) -> None:
    (swarm.mirror / "refs" / "heads" / INTEGRATION).write_bytes(b"\0" * 41)


@pytest.mark.parametrize("left", [_merged, _adopted, _shelved, _broken])
def test_what_nobody_says_whose_it_is_is_not_of_a_swarm_that_has_not_begun(
    swarm: Swarm, other: Path, left: Callable[[Swarm], None]
) -> None:
    forget_mark(swarm)
    left(swarm)
    files = sorted(path.name for path in swarm.mirror.rglob("*"))
    for url in (swarm.url, f"file://{other}"):
        with pytest.raises(VolumeOfAnother, match="has not begun"):
            prepared(swarm, url)
        with pytest.raises(VolumeOfAnother, match="has not begun"):
            rescued(swarm, url, MINE, begun=False)
    assert sorted(path.name for path in swarm.mirror.rglob("*")) == files


def test_what_was_only_fetched_is_forgotten_then(swarm: Swarm, other: Path) -> None:
    """A preparation that failed before the release was changed; nothing is lost."""
    git(swarm.upstream, "tag", "v1")
    swarm.prepare()
    git(swarm.mirror, "pack-refs", "--all")
    git(swarm.mirror, "update-ref", "refs/kiro/remote", swarm.head())
    forget_mark(swarm)
    secret = git(swarm.mirror, "rev-parse", "HEAD:app.py")
    (swarm.mirror / "kiro-incoming" / "objects").mkdir(parents=True)
    made = prepared(swarm, f"file://{other}")
    assert made.integration == made.start == git(other, "rev-parse", "HEAD")
    # Every agent can read the whole mirror.
    assert git(swarm.mirror, "cat-file", "blob", secret, check=False) == ""
    assert not (swarm.mirror / "kiro-incoming").exists()
    held = git(swarm.mirror, "cat-file", "--batch-all-objects", "--batch-check")
    ours = git(other, "cat-file", "--batch-all-objects", "--batch-check")
    assert held.splitlines() == ours.splitlines()
    assert not made.continued
    refs = git(swarm.mirror, "for-each-ref", "--format=%(objectname)").split()
    assert set(refs) == {made.start}


@pytest.mark.parametrize("gone", range(4))
def test_what_a_kill_left_of_it_is_forgotten_by_the_next(
    swarm: Swarm, other: Path, gone: int
) -> None:
    forget_mark(swarm)
    secret = git(swarm.mirror, "rev-parse", "HEAD:app.py")
    git(swarm.mirror, "pack-refs", "--all")
    for name in ("refs/heads", "packed-refs", "refs", "objects/info")[: gone + 1]:
        path = swarm.mirror / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    made = prepared(swarm, f"file://{other}")
    assert made.integration == git(other, "rev-parse", "HEAD")
    assert git(swarm.mirror, "cat-file", "blob", secret, check=False) == ""
